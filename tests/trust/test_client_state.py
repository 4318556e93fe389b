"""The state folder: nothing in it but what passed every check, and recovery from any damage on the way."""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.metadata import Metadata

from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.trust.cliente import TrustClient
from pregon.trust.verified import Memory, VerifiedManifest
from tests.trust.conftest import FIN, INTERVALO, OFICIAL, FolderReader, Institute, RepoFactory, other, snapshot_of

if TYPE_CHECKING:
    import contextlib
    from pathlib import Path


class Killed(BaseException):
    """The process died here."""


class DyingDisk(Disk):
    """Dies before its ``left``-th durable write."""

    def __init__(self, left: int) -> None:
        self.left = left

    def step(self, name: str, path: Path) -> contextlib.AbstractContextManager[None]:
        if name == "write":
            if self.left == 0:
                raise Killed
            self.left -= 1
        return super().step(name, path)


def client(institute: Institute, *, memory: Memory | None = None, disk: Disk | None = None) -> TrustClient:
    return TrustClient(
        institute.folder.with_name("difusor"),
        root=(institute.folder / "metadata" / "1.root.json").read_bytes(),
        identity=institute.identity,
        clock=institute.clock,
        memory=memory or Memory(),
        disk=disk,
    )


def newest(institute: Institute, difusor: TrustClient) -> int | None:
    verified = difusor.check(institute.source()).verified
    return None if verified is None else verified.manifest.corte


def test_nothing_new_reads_one_file(instituto: Institute) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    difusor.accept(verified)
    source = instituto.source()
    novelty = difusor.check(source)
    assert source.asked == ["metadata/timestamp.json"]
    assert (novelty.verified, novelty.completa) == (None, False)
    assert novelty.firmado == instituto.now
    assert (instituto.folder / source.asked[0]).stat().st_size < 2048


def test_full_look_at_start_and_hourly_finds_a_new_root(instituto: Institute) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    difusor.accept(verified)
    instituto.repository.resign_timestamp(now=instituto.now, expires=FIN)
    difusor.check(instituto.source())
    instituto.clock.instant += timedelta(seconds=3599)
    assert difusor.check(instituto.source()).completa is False
    instituto.clock.instant += timedelta(seconds=1)
    source = instituto.source()
    assert difusor.check(source).completa is True
    assert "metadata/2.root.json" in source.asked
    # Only what changed travels: what is in the state is not asked for again.
    assert "metadata/3.cortes.json" not in source.asked


def test_cut_stays_news_until_it_is_accepted(instituto: Institute) -> None:
    difusor = instituto.difusor()
    assert newest(instituto, difusor) == 2
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    difusor.accept(verified)
    assert difusor.memory.corte == 2
    assert newest(instituto, difusor) is None


def test_difusor_that_missed_cuts_goes_to_the_newest(instituto: Institute) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    difusor.accept(verified)
    for corte in (3, 4, 5):
        instituto.cut(corte)
    assert newest(instituto, difusor) == 5


def test_verified_manifest_tells_what_proves_it(instituto: Institute) -> None:
    verified = instituto.difusor().check(instituto.source()).verified
    assert verified is not None
    folder = instituto.repository.cut_folder(2)
    assert verified.raw == (folder / "manifiesto.json").read_bytes()
    assert verified.prueba == "firma"
    assert verified.firmado == instituto.now
    assert [ref.ruta for ref in verified.archives] == [
        f"cortes/0002/{path.name}" for path in sorted(folder.glob("*.zip"))
    ]


def test_nobody_else_makes_a_verified_manifest(instituto: Institute) -> None:
    verified = instituto.difusor().check(instituto.source()).verified
    assert verified is not None
    with pytest.raises(TypeError):
        VerifiedManifest(verified.manifest, verified.raw, verified.sha256, "firma", (), None, object())


def test_killed_at_each_step_of_storing_the_state(instituto: Institute) -> None:
    folder = instituto.folder.with_name("difusor")
    for steps in range(6):  # root, targets, cortes, avisos, snapshot, timestamp
        with pytest.raises(Killed):
            client(instituto, disk=DyingDisk(steps)).check(instituto.source())
        # A real kill leaves the working copy too.
        shutil.copytree(folder / "tuf", folder / "trabajo")
        (folder / "trabajo" / "timestamp.json").write_bytes(b"{")
        assert newest(instituto, client(instituto)) == 2
        assert not (folder / "trabajo").exists()
        shutil.rmtree(folder)
    client(instituto, disk=DyingDisk(6)).check(instituto.source())
    # And with a state already there, between two cuts.
    old = instituto.frozen("viejo")
    verified = client(instituto).check(instituto.source()).verified
    assert verified is not None
    instituto.cut(3)
    with pytest.raises(Killed):
        client(instituto, disk=DyingDisk(1)).check(instituto.source())
    recovered = client(instituto, memory=Memory().after(verified))
    assert newest(instituto, recovered) == 3
    with pytest.raises(PregonError) as refusal:
        recovered.check(old)
    assert refusal.value.codigo == "RETROCESO"


@pytest.mark.parametrize("name", ["timestamp", "snapshot", "targets", "cortes", "avisos", "root_history/1.root"])
@pytest.mark.parametrize("damage", [b"", b'{"signatures": [', b"\0" * 600, b'{"signed": {"_type": "root"}}'])
def test_damaged_state_file_is_fetched_again_and_memory_holds(instituto: Institute, name: str, damage: bytes) -> None:
    old = instituto.frozen("viejo")
    instituto.cut(3)
    difusor = client(instituto)
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    memory = difusor.accept(verified)
    path = instituto.folder.with_name("difusor") / "tuf" / f"{name}.json"
    good = path.read_bytes()
    path.write_bytes(damage)
    again = client(instituto, memory=memory)
    with pytest.raises(PregonError) as refusal:
        again.check(old)
    assert refusal.value.codigo in {"RETROCESO", "EXPIRADO"}
    assert path.read_bytes() == damage
    assert newest(instituto, again) is None
    assert path.read_bytes() == good


def test_verified_timestamp_over_a_bad_snapshot_does_not_poison_the_state(instituto: Institute) -> None:
    """python-tuf stores the timestamp before it checks the snapshot; our state is only what passed everything."""
    difusor = instituto.difusor()
    difusor.check(instituto.source())
    state = snapshot_of(instituto.folder.with_name("difusor"))
    instituto.cut(3)
    with pytest.raises(PregonError):
        difusor.check(instituto.source().flip("metadata/4.snapshot.json"))
    assert snapshot_of(instituto.folder.with_name("difusor")) == state
    assert Metadata.from_bytes(state["tuf/timestamp.json"]).signed.version == 3
    assert newest(instituto, difusor) == 3


def test_bad_notice_never_stops_a_result(instituto: Institute, caplog: pytest.LogCaptureFixture) -> None:
    when = {"now": instituto.now, "expira": FIN, "siguiente": instituto.now, "intervalo": INTERVALO}
    assert instituto.repository.publish_notice(b'{"n": 1}', **when) == 1  # type: ignore[arg-type] # four instants
    assert instituto.repository.publish_notice(b'{"n": 2}', **when) == 2  # type: ignore[arg-type] # four instants
    instituto.cut(3)
    difusor = instituto.difusor()
    with caplog.at_level(logging.WARNING):
        novelty = difusor.check(instituto.source().flip("metadata/3.avisos.json"))
    assert novelty.verified is not None
    assert novelty.avisos == ()
    assert novelty.avisos_error is not None
    assert novelty.avisos_error.codigo == "HASH"
    good = difusor.check(instituto.source())
    assert good.avisos_error is None
    assert [ref.ruta for ref in good.avisos] == ["avisos/000001.json", "avisos/000002.json"]
    assert difusor.read(instituto.source(), good.avisos[1], limit=100) == b'{"n": 2}'
    with pytest.raises(PregonError):
        difusor.read(instituto.source(), good.avisos[1], limit=3)


def test_repository_without_cuts_is_no_novelty(repo_factory: RepoFactory) -> None:
    empty = repo_factory(cortes=0)
    novelty = empty.difusor().check(empty.source())
    assert novelty.verified is None
    assert novelty.firmado == empty.now


def test_simulated_night_of_the_past_verifies_in_a_simulacro(repo_factory: RepoFactory) -> None:
    simulacro = repo_factory(identity=other(OFICIAL, ambiente="simulacro"))
    simulacro.clock.simulado = True
    assert newest(simulacro, simulacro.difusor()) == 2


def test_pinned_root_that_is_not_a_root(instituto: Institute) -> None:
    for data in (b"", b"{}", (instituto.folder / "metadata" / "timestamp.json").read_bytes()):
        with pytest.raises(PregonError) as refusal:
            TrustClient(
                instituto.folder.with_name("otro"),
                root=data,
                identity=OFICIAL,
                clock=instituto.clock,
                memory=Memory(),
            )
        assert refusal.value.codigo == "FIRMA"
    assert not instituto.folder.with_name("otro").exists()


def test_root_signed_by_one_key_cannot_be_pinned(instituto: Institute) -> None:
    root: Metadata[Any] = Metadata.from_file(str(instituto.folder / "metadata" / "1.root.json"))
    for keyid in list(root.signatures)[1:]:
        del root.signatures[keyid]
    weak = TrustClient(
        instituto.folder.with_name("otro"),
        root=root.to_bytes(),
        identity=OFICIAL,
        clock=instituto.clock,
        memory=Memory(),
    )
    with pytest.raises(PregonError) as refusal:
        weak.check(FolderReader(instituto.folder))
    assert refusal.value.codigo == "UMBRAL"
