"""What a difusor refuses, each with its own code: state and memory unchanged, and the good one accepted afterwards."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from pregon.base.errors import PregonError, RedError
from pregon.base.hashing import sha256_bytes
from pregon.trust.keys import generate
from pregon.trust.verified import Memory
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, FolderReader, Institute, RepoFactory, other, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.trust.cliente import TrustClient
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import Novelty


def accepted(institute: Institute) -> TrustClient:
    """A difusor that accepted the newest cut of ``institute``."""
    difusor = institute.difusor()
    verified = difusor.check(institute.source()).verified
    assert verified is not None
    difusor.accept(verified)
    return difusor


def refuse(difusor: TrustClient, source: RepositorySource, folder: Path) -> PregonError:
    """The refusal of one look; asserts that nothing that is remembered changed."""
    before, memory = snapshot_of(folder), difusor.memory
    with pytest.raises(PregonError) as refusal:
        difusor.check(source)
    assert snapshot_of(folder) == before
    assert difusor.memory is memory
    assert refusal.value.intacto
    return refusal.value


def newest(novelty: Novelty) -> int | None:
    return None if novelty.verified is None else novelty.verified.manifest.corte


def edit_signed(institute: Institute, name: str, **changes: Any) -> bytes:
    """A metadata file with some fields of its signed part changed and its signatures as they were."""
    document = json.loads((institute.folder / name).read_bytes())
    document["signed"].update(changes)
    return json.dumps(document).encode()


# A flipped byte in any file.


@pytest.mark.parametrize(
    ("ruta", "codigos"),
    [
        ("metadata/timestamp.json", {"FIRMA"}),
        ("metadata/5.snapshot.json", {"HASH"}),
        ("metadata/2.targets.json", {"HASH"}),
        ("metadata/4.cortes.json", {"HASH"}),
        ("metadata/2.root.json", {"FIRMA", "UMBRAL"}),
        ("targets/cortes/0003/manifiesto.json", {"HASH"}),
    ],
)
def test_flipped_byte_in_metadata_or_manifest(instituto: Institute, ruta: str, codigos: set[str]) -> None:
    instituto.cut(3)
    instituto.replace_root_key("raiz-3", generate("raiz-4"))
    difusor = instituto.difusor()
    refusal = refuse(difusor, instituto.source().flip(ruta), instituto.folder.with_name("difusor"))
    assert refusal.codigo in codigos
    assert refusal.salida == 77
    assert newest(difusor.check(instituto.source())) == 3


def test_no_byte_of_the_timestamp_can_be_flipped(instituto: Institute) -> None:
    difusor = accepted(instituto)
    instituto.cut(3)
    ruta = "metadata/timestamp.json"
    size = len((instituto.folder / ruta).read_bytes())
    state = instituto.folder.with_name("difusor")
    codigos = {refuse(difusor, instituto.source().flip(ruta, n), state).codigo for n in range(0, size, 7)}
    assert codigos <= {"FIRMA", "CONVOCATORIA", "AMBIENTE"}
    assert newest(difusor.check(instituto.source())) == 3


@pytest.mark.parametrize("kind", [".cambios.zip", "DEMO.zip"])
def test_flipped_byte_in_an_archive_leaves_no_file(instituto: Institute, tmp_path: Path, kind: str) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    (target,) = (ref for ref in verified.archives if ref.nombre.endswith(kind))
    destination = tmp_path / "entrada" / "corte.zip"
    destination.parent.mkdir()
    with pytest.raises(PregonError) as refusal:
        difusor.download(instituto.source().flip(f"targets/{target.ruta}"), target, destination)
    assert refusal.value.codigo == "HASH"
    assert list(destination.parent.iterdir()) == []
    difusor.download(instituto.source(), target, destination)
    assert sha256_bytes(destination.read_bytes()) == target.sha256
    assert [p.name for p in destination.parent.iterdir()] == ["corte.zip"]


def signed_again(institute: Institute, name: str, key: str, **changes: Any) -> bytes:
    """A metadata file with some fields of its signed part changed, signed by a key that may: a thief of it can."""
    forged: Metadata[Any] = Metadata.from_bytes(edit_signed(institute, name, **changes))
    forged.sign(institute.ring.named(key).signer)
    return forged.to_bytes()


@pytest.mark.parametrize("firmado", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_signed_hour_that_has_no_date_in_utc(instituto: Institute, firmado: str) -> None:
    difusor = accepted(instituto)
    instituto.cut(3)
    ruta = "metadata/timestamp.json"
    claim = json.loads((instituto.folder / ruta).read_bytes())["signed"]["x-pregon"]
    forged = signed_again(instituto, ruta, "timestamp-1", **{"x-pregon": {**claim, "firmado": firmado}})
    refusal = refuse(difusor, FolderReader(instituto.folder, {ruta: forged}), instituto.folder.with_name("difusor"))
    assert refusal.codigo == "FIRMA"
    assert newest(difusor.check(instituto.source())) == 3


def test_targets_that_lead_to_no_list_of_cuts(instituto: Institute) -> None:
    """python-tuf then asks for no list: it is no fault of the difusor's disk, and nothing of what is offered counts."""
    targets = "metadata/1.targets.json"
    document = json.loads((instituto.folder / targets).read_bytes())
    roles = [role for role in document["signed"]["delegations"]["roles"] if role["name"] != "cortes"]
    forged: Metadata[Any] = Metadata.from_bytes(
        edit_signed(instituto, targets, delegations={**document["signed"]["delegations"], "roles": roles})
    )
    for name in ("raiz-1", "raiz-2"):
        forged.sign(instituto.ring.named(name).signer, append=name != "raiz-1")
    (snapshot,) = (instituto.folder / "metadata").glob("3.snapshot.json")
    changed = {"targets.json": _meta(forged.to_bytes(), 1)}
    meta = json.loads(snapshot.read_bytes())["signed"]["meta"] | changed
    listed = signed_again(instituto, "metadata/3.snapshot.json", "snapshot-1", meta=meta)
    ruta = "metadata/timestamp.json"
    stamp = signed_again(instituto, ruta, "timestamp-1", meta={"snapshot.json": _meta(listed, 3)})
    faults: dict[str, bytes | None] = {targets: forged.to_bytes(), "metadata/3.snapshot.json": listed, ruta: stamp}
    difusor = instituto.difusor()
    refusal = refuse(difusor, FolderReader(instituto.folder, faults), instituto.folder.with_name("difusor"))
    assert (refusal.codigo, "«cortes»" in refusal.que_paso) == ("FIRMA", True)
    assert newest(difusor.check(instituto.source())) == 2


def _meta(data: bytes, version: int) -> dict[str, Any]:
    return {"hashes": {"sha256": sha256_bytes(data)}, "length": len(data), "version": version}


def test_arbitrary_signer_is_refused(instituto: Institute) -> None:
    difusor = instituto.difusor()
    forged: Metadata[Any] = Metadata.from_file(str(instituto.folder / "metadata" / "timestamp.json"))
    forged.signed.version += 1
    forged.sign(generate("ladrón").signer)
    source = FolderReader(instituto.folder, {"metadata/timestamp.json": forged.to_bytes()})
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "FIRMA"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff\xfe", b'{"signed": {}}', b"[" * 9000, b'{"signatures": 3, "signed": {"_type": "root"}}'],
)
def test_timestamp_that_is_not_metadata(instituto: Institute, data: bytes) -> None:
    difusor = accepted(instituto)
    source = FolderReader(instituto.folder, {"metadata/timestamp.json": data})
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "FIRMA"


def test_role_offered_in_the_place_of_another(instituto: Institute) -> None:
    difusor = accepted(instituto)
    cortes = (instituto.folder / "metadata" / "3.cortes.json").read_bytes()
    source = FolderReader(instituto.folder, {"metadata/timestamp.json": cortes})
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "FIRMA"


# Going back.


def test_rollback_to_older_repository(instituto: Institute) -> None:
    old = instituto.frozen("viejo")
    instituto.cut(3)
    difusor = accepted(instituto)
    instituto.clock.instant = INICIO + INTERVALO * 2  # old enough that nothing expired: only its age is wrong
    assert refuse(difusor, old, instituto.folder.with_name("difusor")).codigo == "RETROCESO"
    assert newest(difusor.check(instituto.source())) is None


def test_rollback_to_older_cut_after_losing_the_state_folder(instituto: Institute) -> None:
    old = instituto.frozen("viejo")
    instituto.cut(3)
    memory = accepted(instituto).memory
    shutil.rmtree(instituto.folder.with_name("difusor"))
    instituto.clock.instant = INICIO + INTERVALO * 2
    again = instituto.difusor(memory=memory)
    assert refuse(again, old, instituto.folder.with_name("difusor")).codigo == "RETROCESO"
    assert newest(again.check(instituto.source())) is None


def test_rollback_to_older_cut_with_newer_signatures(instituto: Institute) -> None:
    """The online keys were stolen: a newer list without the newest cut is still a step back."""
    instituto.cut(3)
    difusor = accepted(instituto)
    cortes: Metadata[Any] = instituto.repository._load("cortes")
    for ruta in [ruta for ruta in cortes.signed.targets if ruta.startswith("cortes/0003/")]:
        del cortes.signed.targets[ruta]
    good = snapshot_of(instituto.folder)
    publish(instituto, cortes=cortes.signed)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "RETROCESO"
    restore(instituto, good)
    assert newest(difusor.check(instituto.source())) is None


def test_older_snapshot_under_the_current_timestamp(instituto: Institute) -> None:
    difusor = accepted(instituto)
    instituto.cut(3)
    old = (instituto.folder / "metadata" / "3.snapshot.json").read_bytes()
    source = FolderReader(instituto.folder, {"metadata/4.snapshot.json": old})
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "HASH"
    assert newest(difusor.check(instituto.source())) == 3


def test_mix_and_match_of_two_cuts(instituto: Institute) -> None:
    """Files of two real states of the same institute do not make a third."""
    difusor = instituto.difusor()
    old = instituto.frozen("viejo")
    instituto.cut(3)
    for ruta in ("metadata/4.cortes.json", "targets/cortes/0003/manifiesto.json"):
        stale = (old.folder / ruta.replace("/4.", "/3.").replace("0003", "0002")).read_bytes()
        source = FolderReader(instituto.folder, {ruta: stale})
        assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "HASH"
    assert newest(difusor.check(instituto.source())) == 3


def test_snapshot_that_forgets_a_role(instituto: Institute) -> None:
    difusor = accepted(instituto)
    snapshot: Metadata[Any] = instituto.repository._load("snapshot")
    del snapshot.signed.meta["avisos.json"]
    good = snapshot_of(instituto.folder)
    sign_up(instituto, snapshot)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "RETROCESO"
    restore(instituto, good)
    assert newest(difusor.check(instituto.source())) is None


# Time.


def test_freeze_is_noticed_even_when_nothing_changes(instituto: Institute) -> None:
    difusor = accepted(instituto)
    assert difusor.check(instituto.source()).completa is False
    instituto.clock.instant += 3 * INTERVALO - timedelta(seconds=1)
    assert newest(difusor.check(instituto.source())) is None
    instituto.clock.instant += timedelta(seconds=1)
    refusal = refuse(difusor, instituto.source(), instituto.folder.with_name("difusor"))
    assert refusal.codigo == "EXPIRADO"
    assert "no borra nada" in refusal.intacto
    # The institute signs its life again and the difusor goes on.
    instituto.repository.resign_timestamp(now=instituto.now, expires=instituto.now + INTERVALO)
    assert difusor.check(instituto.source()).firmado == instituto.now


@pytest.mark.parametrize("days", [1, 4, 500])
def test_expired_role_is_refused_by_a_new_difusor(instituto: Institute, days: int) -> None:
    instituto.clock.instant += timedelta(days=days)
    if days > 1:
        instituto.repository.resign_timestamp(now=instituto.now, expires=instituto.now + INTERVALO)
    assert refuse(instituto.difusor(), instituto.source(), instituto.folder.with_name("difusor")).codigo == "EXPIRADO"


# Whose it is.


@pytest.mark.parametrize(
    ("changes", "codigo"),
    [
        ({"ambiente": "simulacro"}, "AMBIENTE"),
        ({"convocatoria": "otra-2027"}, "CONVOCATORIA"),
        ({"instituto": "ieotro"}, "CONVOCATORIA"),
    ],
)
def test_repository_of_another_is_refused_by_its_claim_and_by_its_signed_words(
    instituto: Institute, repo_factory: RepoFactory, changes: dict[str, str], codigo: str
) -> None:
    difusor = accepted(instituto)
    state = instituto.folder.with_name("difusor")
    foreign = repo_factory("ajeno", cortes=3, identity=other(OFICIAL, **changes))
    # 1. As it is: the claim is enough. Its keys are the same ones, so nothing but the claim tells them apart.
    assert refuse(difusor, foreign.source(), state).codigo == codigo
    # 2. The claim lies, unsigned: the signature does not hold.
    claim = {
        "convocatoria": "demo-2027",
        "instituto": "iedemo",
        "ambiente": "oficial",
        "firmado": INICIO.isoformat(),
    }
    lie = edit_signed(foreign, "metadata/timestamp.json", **{"x-pregon": claim})
    assert refuse(difusor, FolderReader(foreign.folder, {"metadata/timestamp.json": lie}), state).codigo == "FIRMA"
    assert newest(difusor.check(instituto.source())) is None


@pytest.mark.parametrize(
    ("changes", "codigo"),
    [({"ambiente": "simulacro"}, "AMBIENTE"), ({"convocatoria": "otra-2027"}, "CONVOCATORIA")],
)
def test_manifest_of_another_under_a_good_claim(instituto: Institute, changes: dict[str, str], codigo: str) -> None:
    """The claim lies and is signed: a cut of another process put by mistake in the right repository."""
    difusor = accepted(instituto)
    good = snapshot_of(instituto.folder)
    instituto.build(3, identity=other(OFICIAL, **changes))
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == codigo
    restore(instituto, good)
    assert newest(difusor.check(instituto.source())) is None


def test_root_of_a_simulacro_cannot_start_an_official_difusor(repo_factory: RepoFactory) -> None:
    simulacro = repo_factory(identity=other(OFICIAL, ambiente="simulacro"))
    simulacro.identity = OFICIAL
    with pytest.raises(PregonError) as refusal:
        simulacro.difusor()
    assert refusal.value.codigo == "AMBIENTE"
    assert not simulacro.folder.with_name("difusor").exists()


def test_simulated_clock_cannot_judge_an_official_cut(instituto: Institute) -> None:
    instituto.clock.simulado = True
    with pytest.raises(PregonError) as refusal:
        instituto.difusor()
    assert refusal.value.codigo == "AJUSTES"


# One number, two contents; a chain that does not hold.


def test_equivocation_of_an_accepted_cut(instituto: Institute) -> None:
    difusor = accepted(instituto)
    good = snapshot_of(instituto.folder)
    shutil.rmtree(instituto.repository.cut_folder(2))
    first = (instituto.repository.cut_folder(1) / "manifiesto.json").read_bytes()
    instituto.build(2, previous=first, incluye_especiales=True)
    force(instituto, 2)
    refusal = refuse(difusor, instituto.source(), instituto.folder.with_name("difusor"))
    assert refusal.codigo == "EQUIVOCO"
    # Also when it comes hidden under a newer, well chained cut.
    instituto.build(3)
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "EQUIVOCO"
    restore(instituto, good)
    assert newest(difusor.check(instituto.source())) is None


@pytest.mark.parametrize("previous", [None, b"first"], ids=["none", "skips one"])
def test_broken_chain(instituto: Institute, previous: bytes | None) -> None:
    difusor = accepted(instituto)
    good = snapshot_of(instituto.folder)
    if previous is not None:
        previous = (instituto.repository.cut_folder(1) / "manifiesto.json").read_bytes()
    instituto.build(3, previous=previous)
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"
    restore(instituto, good)
    instituto.cut(3)
    assert newest(difusor.check(instituto.source())) == 3


def test_history_that_no_longer_passes_through_the_accepted_cut(instituto: Institute) -> None:
    difusor = accepted(instituto)
    first = (instituto.repository.cut_folder(1) / "manifiesto.json").read_bytes()
    instituto.build(3, previous=first)
    cortes: Metadata[Any] = instituto.repository._load("cortes")
    for ruta in [ruta for ruta in cortes.signed.targets if ruta.startswith("cortes/0002/")]:
        del cortes.signed.targets[ruta]
    publish(instituto, cortes=cortes.signed)
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"


def test_hour_that_does_not_increase(instituto: Institute) -> None:
    difusor = accepted(instituto)
    instituto.build(3, hora_corte=INICIO + INTERVALO * 2)
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"


def test_manifest_with_another_number_than_its_folder(instituto: Institute) -> None:
    difusor = accepted(instituto)
    folder = instituto.build(3)
    folder.rename(instituto.repository.cut_folder(4))
    force(instituto, 4, custom={"corte": 4, "hora_corte": (INICIO + INTERVALO * 4).isoformat()})
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"


def test_cut_signed_without_an_archive(instituto: Institute) -> None:
    difusor = accepted(instituto)
    folder = instituto.build(3)
    for path in folder.glob("*.zip"):
        path.unlink()
    force(instituto, 3)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"


def test_target_outside_the_folders_of_cuts_is_not_of_the_role(instituto: Institute) -> None:
    difusor = accepted(instituto)
    cortes: Metadata[Any] = instituto.repository._load("cortes")
    file = next(iter(cortes.signed.targets.values()))
    cortes.signed.targets["cortes/0003/sub/manifiesto.json"] = file
    publish(instituto, cortes=cortes.signed)
    assert refuse(difusor, instituto.source(), instituto.folder.with_name("difusor")).codigo == "CADENA"


def test_signed_manifest_that_is_not_one(instituto: Institute) -> None:
    difusor = accepted(instituto)
    folder = instituto.build(3)
    (folder / "manifiesto.json").write_bytes(b'{"formato": "pregon/paquete/1"}')
    force(instituto, 3)
    refusal = refuse(difusor, instituto.source(), instituto.folder.with_name("difusor"))
    assert (refusal.codigo, refusal.salida) == ("ARCHIVO_MANIFIESTO", 76)


# Root.


def test_root_rotation_by_two_of_three_is_accepted_and_by_one_refused(instituto: Institute) -> None:
    difusor = accepted(instituto)
    state = instituto.folder.with_name("difusor")
    instituto.replace_root_key("raiz-1", generate("raiz-4"))
    good = (instituto.folder / "metadata" / "2.root.json").read_bytes()
    one: Metadata[Any] = Metadata.from_bytes(good)
    old = {instituto.ring.named(name).keyid for name in ("raiz-1", "raiz-2", "raiz-3")}
    for keyid in [keyid for keyid in one.signatures if keyid in old][1:]:
        del one.signatures[keyid]
    instituto.cut(3)
    source = FolderReader(instituto.folder, {"metadata/2.root.json": one.to_bytes()})
    assert refuse(difusor, source, state).codigo == "UMBRAL"
    one.signatures.clear()
    source = FolderReader(instituto.folder, {"metadata/2.root.json": one.to_bytes()})
    assert refuse(difusor, source, state).codigo == "FIRMA"
    assert newest(difusor.check(instituto.source())) == 3
    assert (state / "tuf" / "root_history" / "2.root.json").read_bytes() == good
    # A retired root key vouches for nothing any more; the chain from the pinned root is followed again on a new start.
    assert newest(instituto.difusor("otro").check(instituto.source())) == 3


# Sources that misbehave.


class Misbehaving:
    """A source that gives ``data`` for one path and is honest with the rest."""

    def __init__(self, honest: FolderReader, ruta: str, data: Iterator[bytes]) -> None:
        self._honest, self._ruta, self._data = honest, ruta, data

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        return self._data if ruta == self._ruta else self._honest.stream(ruta, desde=desde)


@pytest.mark.parametrize(
    "ruta",
    [
        "metadata/timestamp.json",
        "metadata/2.root.json",
        "metadata/4.snapshot.json",
        "metadata/4.cortes.json",
        "targets/cortes/0003/manifiesto.json",
    ],
)
def test_endless_data_is_cut_at_its_limit(instituto: Institute, ruta: str) -> None:
    difusor = accepted(instituto)
    instituto.cut(3)
    given = count()
    endless = (b" " * 1000 for _ in given)
    source = Misbehaving(instituto.source(), ruta, endless)
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "HASH"
    assert next(given) < 300
    assert newest(difusor.check(instituto.source())) == 3


def test_endless_archive_is_cut_at_its_signed_size(instituto: Institute, tmp_path: Path) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    target = verified.archives[0]
    source = Misbehaving(instituto.source(), f"targets/{target.ruta}", (b"x" * 100 for _ in count()))
    with pytest.raises(PregonError) as refusal:
        difusor.download(source, target, tmp_path / "corte.zip")
    assert refusal.value.codigo == "HASH"
    assert not list(tmp_path.glob("corte.zip*"))


@pytest.mark.parametrize(
    "ruta",
    [
        "metadata/timestamp.json",
        "metadata/4.snapshot.json",
        "metadata/4.cortes.json",
        "targets/cortes/0003/manifiesto.json",
    ],
)
def test_delivery_half_way_is_the_network_not_a_forgery(instituto: Institute, ruta: str) -> None:
    difusor = accepted(instituto)
    instituto.cut(3)
    source = FolderReader(instituto.folder, {ruta: None})
    refusal = refuse(difusor, source, instituto.folder.with_name("difusor"))
    assert (refusal.codigo, refusal.salida) == ("RED", 69)
    assert newest(difusor.check(instituto.source())) == 3


@pytest.mark.parametrize("ruta", ["metadata/timestamp.json", "metadata/4.snapshot.json", "metadata/2.root.json"])
def test_link_cut_while_reading(instituto: Institute, ruta: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"sig'
        raise RedError("se cortó", intacto="nada", que_hacer="esperar")

    difusor = accepted(instituto)
    instituto.cut(3)
    source = Misbehaving(instituto.source(), ruta, broken())
    assert refuse(difusor, source, instituto.folder.with_name("difusor")).codigo == "RED"


def test_truncated_archive_is_the_network(instituto: Institute, tmp_path: Path) -> None:
    difusor = instituto.difusor()
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    ruta = f"targets/{verified.archives[0].ruta}"
    source = FolderReader(instituto.folder, {ruta: (instituto.folder / ruta).read_bytes()[:-1]})
    with pytest.raises(PregonError) as refusal:
        difusor.download(source, verified.archives[0], tmp_path / "corte.zip")
    assert refusal.value.codigo == "RED"
    assert not list(tmp_path.glob("corte.zip*"))


# An institute that signs what it should not: written with the keys, past the repository's own checks.


def publish(institute: Institute, **changed: Any) -> None:
    expira = institute.now + timedelta(days=1)
    institute.repository._publish(
        changed,
        now=institute.now,
        expires={**dict.fromkeys(changed, expira), "snapshot": expira},
        timestamp_expires=institute.now + 3 * INTERVALO,
    )


def force(institute: Institute, corte: int, *, custom: dict[str, Any] | None = None) -> None:
    """Sign the folder of a cut whatever it holds."""
    hora = INICIO + INTERVALO * corte
    folder = institute.repository.cut_folder(corte)
    raw = (folder / "manifiesto.json").read_bytes()
    stated = json.loads(raw)
    cortes: Metadata[Any] = institute.repository._load("cortes")
    kept = {ruta: f for ruta, f in cortes.signed.targets.items() if not ruta.startswith(f"cortes/{corte:04d}/")}
    for path in sorted(folder.iterdir()):
        file = TargetFile.from_file(f"cortes/{corte:04d}/{path.name}", str(path), ["sha256"])
        given = {"corte": corte, "hora_corte": stated.get("hora_corte", hora.isoformat())}
        file.unrecognized_fields["custom"] = custom or given
        kept[file.path] = file
    cortes.signed.targets = kept
    publish(institute, cortes=cortes.signed)


def sign_up(institute: Institute, snapshot: Metadata[Any]) -> None:
    """Sign a snapshot as it is, and a timestamp over it."""
    snapshot.signed.version += 1
    snapshot.sign(institute.ring.named("snapshot-1").signer)
    data = snapshot.to_bytes()
    version = snapshot.signed.version
    (institute.folder / "metadata" / f"{version}.snapshot.json").write_bytes(data)
    institute.repository._write_timestamp(
        MetaFile.from_data(version, data, ["sha256"]), now=institute.now, expires=institute.now + INTERVALO
    )


def restore(institute: Institute, files: dict[str, bytes]) -> None:
    """Put the repository back as it was."""
    shutil.rmtree(institute.folder)
    for ruta, data in files.items():
        path = institute.folder / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_memory_survives_the_state_database(instituto: Institute) -> None:
    memory = accepted(instituto).memory
    again = Memory.from_json(json.loads(json.dumps(memory.to_json())))
    assert again == memory
    assert again.corte == 2
    assert set(again.cortes) == {2}
    assert Memory.from_json(None) == Memory()
