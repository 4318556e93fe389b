"""The institute's side: order of writing, refusals to sign, closing, keys, dates."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.trust import vigencia
from pregon.trust.keys import KeyRing, NamedKey, create_ring, generate, load, load_ring, ring_names, save
from pregon.trust.repositorio import Repository
from tests.trust.conftest import EN_EQUIPO, FIN, INICIO, INTERVALO, OFICIAL, Institute, RepoFactory, other, snapshot_of

if TYPE_CHECKING:
    import contextlib
    from pathlib import Path


class RecordingDisk(Disk):
    """Notes each file written; stops before the ``left``-th."""

    def __init__(self, left: int = 1000) -> None:
        self.written: list[str] = []
        self.left = left

    def step(self, name: str, path: Path) -> contextlib.AbstractContextManager[None]:
        if name == "write":
            if len(self.written) == self.left:
                raise InterruptedError
            self.written.append(path.name)
        return super().step(name, path)


def signed(institute: Institute, name: str) -> Any:
    return institute.repository._load(name).signed


def test_layout_and_roles_are_those_of_the_contract(instituto: Institute) -> None:
    names = {path.name for path in (instituto.folder / "metadata").iterdir()}
    assert {
        "1.root.json",
        "1.targets.json",
        "1.avisos.json",
        "3.cortes.json",
        "3.snapshot.json",
        "timestamp.json",
    } <= names
    root, targets = signed(instituto, "root"), signed(instituto, "targets")
    assert root.consistent_snapshot is True
    assert {name: (role.threshold, len(role.keyids)) for name, role in root.roles.items()} == {
        "root": (2, 3), "targets": (2, 3), "snapshot": (1, 2), "timestamp": (1, 2),
    }  # fmt: skip
    assert {
        name: (role.paths, role.threshold, len(role.keyids)) for name, role in targets.delegations.roles.items()
    } == {
        "cortes": (["cortes/*/*"], 1, 2),
        "avisos": (["avisos/*"], 1, 2),
    }
    assert {key.scheme for key in (*root.keys.values(), *targets.delegations.keys.values())} == {"ecdsa-sha2-nistp256"}
    for role in ("root", "timestamp"):
        claim = signed(instituto, role).unrecognized_fields["x-pregon"]
        assert (claim["convocatoria"], claim["instituto"], claim["ambiente"]) == ("demo-2027", "iedemo", "oficial")
    assert signed(instituto, "timestamp").unrecognized_fields["x-pregon"]["firmado"] == instituto.now.isoformat()


def test_expiries_are_those_of_the_contract(instituto: Institute) -> None:
    assert signed(instituto, "root").expires == signed(instituto, "targets").expires == INICIO + timedelta(days=400)
    for role in ("cortes", "avisos", "snapshot"):
        assert signed(instituto, role).expires == FIN + timedelta(days=2)
    assert signed(instituto, "timestamp").expires == instituto.now + INTERVALO + 2 * INTERVALO


def test_timestamp_is_written_last_and_stopping_before_it_changes_nothing(instituto: Institute) -> None:
    disk = RecordingDisk()
    repository = Repository(instituto.folder, instituto.ring, disk=disk)
    instituto.build(3)
    before = snapshot_of(instituto.folder)
    difusor = instituto.difusor()
    for left in range(3):
        disk.left, disk.written = left, []
        with pytest.raises(InterruptedError):
            repository.publish_cut(3, now=instituto.now, expira=FIN, siguiente=None, intervalo=INTERVALO)
        after = snapshot_of(instituto.folder)
        assert {name: after[name] for name in before} == before
        verified = difusor.check(instituto.source()).verified
        assert verified is not None
        assert verified.manifest.corte == 2
    disk.left, disk.written = 1000, []
    repository.publish_cut(3, now=instituto.now, expira=FIN, siguiente=None, intervalo=INTERVALO)
    # Numbers that the stopped attempts used are not used again: a carrier may have taken those files.
    assert disk.written == ["6.cortes.json", "5.snapshot.json", "timestamp.json"]
    verified = difusor.check(instituto.source()).verified
    assert verified is not None
    assert verified.manifest.corte == 3


@pytest.mark.parametrize(
    ("head", "codigo"),
    [
        ({"identity": other(OFICIAL, ambiente="simulacro")}, "AMBIENTE"),
        ({"identity": other(OFICIAL, convocatoria="otra-2027")}, "CONVOCATORIA"),
        ({"previous": None}, "CADENA"),
        ({"hora_corte": INICIO}, "CADENA"),
    ],
)
def test_institute_refuses_to_sign_what_its_difusores_would_refuse(
    instituto: Institute, head: dict[str, Any], codigo: str
) -> None:
    instituto.build(3, **head)
    before = snapshot_of(instituto.folder)
    with pytest.raises(PregonError) as refusal:
        instituto.sign(3)
    assert refusal.value.codigo == codigo
    assert snapshot_of(instituto.folder) == before


def test_institute_never_signs_two_contents_for_one_number(instituto: Institute) -> None:
    folder = instituto.repository.cut_folder(2)
    for path in folder.iterdir():
        path.unlink()
    first = (instituto.repository.cut_folder(1) / "manifiesto.json").read_bytes()
    instituto.build(2, previous=first, incluye_especiales=True)
    with pytest.raises(PregonError) as refusal:
        instituto.sign(2)
    assert refusal.value.codigo == "EQUIVOCO"
    with pytest.raises(PregonError) as refusal:
        instituto.repository.last_manifest()
    assert refusal.value.codigo == "DISCO"


def test_signing_the_newest_cut_again_and_an_older_one(instituto: Institute) -> None:
    instituto.sign(2)
    assert [cut.corte for cut in instituto.repository.cuts()] == [1, 2]
    with pytest.raises(PregonError) as refusal:
        instituto.sign(1)
    assert refusal.value.codigo == "RETROCESO"


@pytest.mark.parametrize("left", ["nothing", "half", "no archive"])
def test_cut_that_is_not_whole_is_not_signed(instituto: Institute, left: str) -> None:
    if left != "nothing":
        folder = instituto.build(3)
        if left == "half":
            (folder / "x.zip.parcial").write_bytes(b"PK")
        else:
            for path in folder.glob("*.zip"):
                path.unlink()
    before = snapshot_of(instituto.folder)
    with pytest.raises(PregonError) as refusal:
        instituto.sign(3)
    assert refusal.value.codigo == "ENTRADA"
    assert snapshot_of(instituto.folder) == before


def test_second_authorised_key_signs_when_the_first_is_lost(instituto: Institute) -> None:
    spare = instituto.ring.only("cortes-2", "snapshot-2", "timestamp-2")
    instituto.repository = Repository(instituto.folder, spare)
    instituto.cut(3)
    verified = instituto.difusor().check(instituto.source()).verified
    assert verified is not None
    assert verified.manifest.corte == 3


@pytest.mark.parametrize("missing", ["cortes", "snapshot", "timestamp"])
def test_key_that_is_not_at_hand_is_named(instituto: Institute, missing: str) -> None:
    instituto.build(3)
    instituto.repository = Repository(
        instituto.folder, instituto.ring.only(*(name for name in ring_names() if not name.startswith(missing)))
    )
    before = (instituto.folder / "metadata" / "timestamp.json").read_bytes()
    with pytest.raises(PregonError, match=missing) as refusal:
        instituto.sign(3)
    assert refusal.value.codigo == "ENTRADA"
    assert (instituto.folder / "metadata" / "timestamp.json").read_bytes() == before


def test_closing_cut_verifies_after_its_permanence(instituto: Institute) -> None:
    instituto.cut(3, ultimo=True, cierre="horario")
    permanence = FIN + timedelta(days=200)
    closing = instituto.repository.close(now=instituto.now, permanencia_hasta=permanence)
    assert closing.sin_firmar == {}
    assert set(closing.firmados) == {"root", "targets", "cortes", "avisos", "snapshot", "timestamp"}
    instituto.clock.instant = permanence + timedelta(days=3600)
    verified = instituto.difusor().check(instituto.source()).verified
    assert verified is not None
    assert verified.manifest.ultimo
    instituto.clock.instant = closing.hasta
    with pytest.raises(PregonError) as refusal:
        instituto.difusor("tarde").check(instituto.source())
    assert refusal.value.codigo == "EXPIRADO"


def test_closing_without_the_offline_keys_says_which_roles_wait(instituto: Institute) -> None:
    offline = signed(instituto, "root").expires
    instituto.repository = Repository(instituto.folder, instituto.ring.only(*EN_EQUIPO))
    closing = instituto.repository.close(now=instituto.now, permanencia_hasta=FIN)
    assert closing.sin_firmar == {"root": offline, "targets": offline}
    assert closing.firmados == ("cortes", "avisos", "snapshot", "timestamp")
    assert signed(instituto, "cortes").expires == closing.hasta
    assert instituto.difusor().check(instituto.source()).expira == offline
    # The ceremony comes later and finishes it.
    instituto.repository = Repository(instituto.folder, instituto.ring)
    assert instituto.repository.close(now=instituto.now, permanencia_hasta=FIN).sin_firmar == {}


def test_closing_needs_the_online_keys_and_changes_nothing_without_them(instituto: Institute) -> None:
    before = snapshot_of(instituto.folder)
    repository = Repository(instituto.folder, instituto.ring.only("raiz-1", "raiz-2", "cortes-1", "timestamp-1"))
    with pytest.raises(PregonError, match="snapshot"):
        repository.close(now=instituto.now, permanencia_hasta=FIN)
    assert snapshot_of(instituto.folder) == before


def test_repository_is_not_made_twice_nor_opened_where_there_is_none(
    instituto: Institute, repo_factory: RepoFactory, tmp_path: Path
) -> None:
    before = snapshot_of(instituto.folder)
    with pytest.raises(PregonError) as refusal:
        repo_factory()
    assert refusal.value.codigo == "AJUSTES"
    assert snapshot_of(instituto.folder) == before
    with pytest.raises(PregonError) as refusal:
        Repository(tmp_path / "nada", instituto.ring)
    assert refusal.value.codigo == "ENTRADA"


def test_stopped_creation_is_begun_again(repo_factory: RepoFactory, ring: KeyRing) -> None:
    whole = repo_factory(cortes=0)
    folder = whole.folder.with_name("a-medias")

    def create(disk: Disk) -> Repository:
        return Repository.create(
            folder, ring, OFICIAL, now=INICIO, expira=FIN, siguiente=INICIO, intervalo=INTERVALO, disk=disk
        )

    for left in range(6):  # root, targets, cortes, avisos, snapshot, timestamp
        with pytest.raises(InterruptedError):
            create(RecordingDisk(left))
        assert not (folder / "metadata" / "timestamp.json").exists()
    whole.repository = create(Disk())
    whole.folder = folder
    whole.cut(1)
    verified = whole.difusor("nuevo").check(whole.source()).verified
    assert verified is not None
    assert verified.manifest.corte == 1


def test_repository_that_lost_its_timestamp_is_not_made_anew(instituto: Institute) -> None:
    (instituto.folder / "metadata" / "timestamp.json").unlink()
    before = snapshot_of(instituto.folder)
    with pytest.raises(PregonError) as refusal:
        Repository.create(
            instituto.folder, instituto.ring, OFICIAL, now=INICIO, expira=FIN, siguiente=INICIO, intervalo=INTERVALO
        )
    assert refusal.value.codigo == "AJUSTES"
    assert snapshot_of(instituto.folder) == before


# Keys.


def test_ring_is_saved_for_its_owner_only_and_read_back(tmp_path: Path) -> None:
    made = create_ring(tmp_path / "llaves")
    paths = sorted((tmp_path / "llaves").iterdir())
    assert {path.stem for path in paths} == set(ring_names())
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE((tmp_path / "llaves").stat().st_mode) == 0o700
    again = load_ring(tmp_path / "llaves")
    assert {key.nombre: key.keyid for key in again.keys} == {key.nombre: key.keyid for key in made.keys}


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    path = save(generate("cortes-1"), tmp_path)
    before = path.read_bytes()
    with pytest.raises(PregonError) as refusal:
        save(generate("cortes-1"), tmp_path)
    assert refusal.value.codigo == "AJUSTES"
    assert path.read_bytes() == before


def _readable(path: Path) -> None:
    path.chmod(0o640)


def _garbled(path: Path) -> None:
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def _ed25519(path: Path) -> None:
    path.write_bytes(CryptoSigner.generate_ed25519().private_bytes)


@pytest.mark.parametrize("fault", [_readable, _garbled, _ed25519])
def test_key_that_cannot_be_used_is_refused(tmp_path: Path, fault: Any) -> None:
    path = save(generate("cortes-1"), tmp_path)
    fault(path)
    with pytest.raises(PregonError) as refusal:
        load(path)
    assert refusal.value.codigo == "AJUSTES"


@pytest.mark.parametrize("passphrase", [None, b"otra"])
def test_wrong_passphrase(tmp_path: Path, passphrase: bytes | None) -> None:
    path = save(generate("raiz-1"), tmp_path, passphrase=b"frase")
    with pytest.raises(PregonError) as refusal:
        load(path, passphrase=passphrase)
    assert refusal.value.codigo == "AJUSTES"


def test_missing_key(tmp_path: Path) -> None:
    with pytest.raises(PregonError) as refusal:
        load(tmp_path / "cortes-1.pem")
    assert refusal.value.codigo == "ENTRADA"


def test_private_key_is_not_shown_by_accident() -> None:
    key: NamedKey = generate("raiz-1")
    assert "PRIVATE" not in repr(key)


# Dates.


def test_expiry_rules() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    assert vigencia.offline_expiry(now) == datetime(2028, 2, 5, tzinfo=UTC)
    assert vigencia.online_expiry(FIN) == FIN + timedelta(days=2)
    assert vigencia.timestamp_expiry(now, timedelta(minutes=10)) == now + timedelta(minutes=20)
    assert vigencia.closing_expiry(datetime(2027, 12, 31, tzinfo=UTC)) == datetime(2037, 12, 31, tzinfo=UTC)
    assert vigencia.closing_expiry(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2038, 3, 1, tzinfo=UTC)


def test_metadata_is_what_any_tuf_client_reads(instituto: Institute) -> None:
    """Every file parses and verifies with the public interface of python-tuf, from root to list of cuts."""
    load_file = Metadata.from_file
    folder = instituto.folder / "metadata"
    root: Any = load_file(str(folder / "1.root.json"))
    timestamp: Any = load_file(str(folder / "timestamp.json"))
    root.signed.verify_delegate("root", root.signed_bytes, root.signatures)
    root.signed.verify_delegate("timestamp", timestamp.signed_bytes, timestamp.signatures)
    targets: Any = load_file(str(folder / "1.targets.json"))
    cortes: Any = load_file(str(folder / "3.cortes.json"))
    root.signed.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    targets.signed.verify_delegate("cortes", cortes.signed_bytes, cortes.signatures)
    for ruta, file in cortes.signed.targets.items():
        file.verify_length_and_hashes((instituto.folder / "targets" / ruta).read_bytes())
