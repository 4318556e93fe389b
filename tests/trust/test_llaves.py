"""Key files: the passphrase, the label, the tree; and what an act on the keys may and may not do to a repository."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from tuf.api.metadata import Metadata, MetaFile, Root

from pregon.base import procesos
from pregon.base.errors import PregonError
from pregon.base.hashing import grupos
from pregon.trust import cifrado, rotulo
from pregon.trust import propuesta as tratos
from pregon.trust.ceremonia import Cambio, Ceremonia
from pregon.trust.keys import KeyRing, generate, load, load_ring, save
from pregon.trust.rotulo import Rotulo
from pregon.trust.vigencia import offline_expiry, online_expiry
from tests.trust.conftest import EN_EQUIPO, FIN, INICIO, INTERVALO, OFICIAL, FolderReader, Institute, other, snapshot_of

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.trust.keys import NamedKey
    from pregon.trust.propuesta import Propuesta
    from pregon.trust.repositorio import Repository

LATER = {"expira": online_expiry(FIN), "siguiente": FIN, "intervalo": INTERVALO}


def label(key: NamedKey, **changes: str) -> Rotulo:
    return Rotulo(key.nombre, other(OFICIAL, **changes), "0123456789abcdef", INICIO, key.keyid)


# Key files.


def test_encrypted_key_is_opened_by_openssl_and_costs_what_it_says(tmp_path: Path) -> None:
    key = generate("raiz-1")
    path = save(key, tmp_path, passphrase="frase de paso ñ".encode(), label=label(key))
    (tmp_path / "frase").write_text("frase de paso ñ\n", encoding="utf-8")
    output = tmp_path / "salida"
    command: list[str | Path] = ["openssl", "pkey", "-in", path, "-passin", f"file:{tmp_path / 'frase'}", "-pubout"]
    with procesos.running(command, output=output) as process:
        assert process.wait(30) == 0
    assert output.read_text().strip() == key.public.keyval["public"].strip()
    bare = tmp_path / "sin-rotulo.pem"  # asn1parse, unlike the rest of openssl, takes no text above the PEM
    bare.write_bytes(path.read_bytes()[len(label(key).text()) :])
    with procesos.running(["openssl", "asn1parse", "-in", bare], output=output) as process:
        assert process.wait(30) == 0
    integers = [int(value, 16) for value in re.findall(r"INTEGER +:([0-9A-F]+)", output.read_text())]
    assert integers == [1 << 14, 8, 5] == [cifrado.SCRYPT_N, cifrado.SCRYPT_R, cifrado.SCRYPT_P]


@pytest.mark.parametrize("size", [1, 15, 16, 120, 138, 200, 300, 70_000])
def test_encryption_of_any_length_reads_back_its_own_form(size: int) -> None:
    """The DER around the cipher is ours: lengths of one, two, three and four bytes."""
    pem = cifrado.encrypted_pem(b"\x30" * size, b"una frase de paso")
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    # What is inside is no key, which is only found out after the passphrase opened it.
    with pytest.raises(ValueError, match=r"(?i)key|parse|deserialize|format"):
        serialization.load_pem_private_key(pem, b"una frase de paso")


def test_two_encryptions_of_one_key_share_nothing(tmp_path: Path) -> None:
    key = generate("raiz-1")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = save(key, tmp_path / "a", passphrase=b"la misma frase")
    second = save(key, tmp_path / "b", passphrase=b"la misma frase")
    lines = [set(path.read_text().splitlines()[2:-1]) for path in (first, second)]
    assert not lines[0] & lines[1]


@pytest.mark.parametrize(
    ("changes", "codigo"),
    [
        ({"ambiente": "simulacro"}, "AMBIENTE"),
        ({"convocatoria": "otra"}, "CONVOCATORIA"),
        ({"instituto": "otro"}, "CONVOCATORIA"),
    ],
)
def test_key_of_another_tree_is_refused(tmp_path: Path, changes: dict[str, str], codigo: str) -> None:
    key = generate("cortes-1")
    path = save(key, tmp_path, label=label(key, **changes))
    before = path.read_bytes()
    for attempt in (lambda: load(path, identity=OFICIAL), lambda: load_ring(tmp_path, identity=OFICIAL)):
        with pytest.raises(PregonError) as refusal:
            attempt()
        assert refusal.value.codigo == codigo
        assert path.name in str(refusal.value)
    assert path.read_bytes() == before
    # The benign twin: the same key, with the label of its own tree.
    assert load(path, identity=other(OFICIAL, **changes)).keyid == key.keyid


def _not_utf8(text: bytes) -> bytes:
    return b"\xff" + text


def _other_form(text: bytes) -> bytes:
    return text.replace(b"Pregon-Llave: 1", b"Pregon-Llave: 2")


def _no_line(text: bytes) -> bytes:
    return text.replace(b"Ceremonia: 0123456789abcdef\n", b"")


def _no_ambiente(text: bytes) -> bytes:
    return text.replace(b"Ambiente: oficial", b"Ambiente: Oficial")


def _other_key(text: bytes) -> bytes:
    return re.sub(rb"Llave: [0-9a-f]{64}", b"Llave: " + b"0" * 64, text)


@pytest.mark.parametrize("fault", [_not_utf8, _other_form, _no_line, _no_ambiente, _other_key])
def test_label_that_cannot_be_believed_is_refused(tmp_path: Path, fault: Any) -> None:
    key = generate("cortes-1")
    path = save(key, tmp_path, label=label(key))
    path.write_bytes(fault(path.read_bytes()))
    with pytest.raises(PregonError) as refusal:
        load(path, identity=OFICIAL)
    assert refusal.value.codigo == "AJUSTES"


def test_label_reads_back_and_a_key_without_one_is_of_inicia(tmp_path: Path) -> None:
    key = generate("cortes-1")
    made = label(key)
    assert rotulo.read(made.text() + key.signer.private_bytes) == made
    assert rotulo.read(key.signer.private_bytes) is None
    assert load(save(key, tmp_path), identity=OFICIAL).keyid == key.keyid


def test_groups_are_sixteen_of_four() -> None:
    assert grupos(generate("raiz-1").keyid).count(" ") == 15
    assert grupos("0123456789abcdef") == "0123 4567 89ab cdef"


# Acts.


class Table:
    """An institute whose machine holds only the online keys, and its offline keys apart."""

    def __init__(self, institute: Institute) -> None:
        self.institute = institute
        self.online = institute.ring.only(*EN_EQUIPO)
        self.reopen()

    @property
    def folder(self) -> Path:
        return self.institute.folder

    def reopen(self, *more: NamedKey, without: tuple[str, ...] = ()) -> None:
        ring = KeyRing(tuple(key for key in self.online.keys if key.nombre not in without)).plus(*more)
        self.ceremonia = Ceremonia(self.folder, ring)
        self.institute.repository = self.ceremonia
        self.online = ring

    def propose(self, cambio: Cambio) -> Propuesta:
        return self.ceremonia.propose(cambio, now=self.institute.now, expira=offline_expiry(self.institute.now))

    def signed_by(self, propuesta: Propuesta, *names: str, extra: tuple[NamedKey, ...] = ()) -> tratos.Firmas:
        signers = [self.institute.ring.named(name).signer for name in names] + [key.signer for key in extra]
        return tratos.sign_proposal(propuesta, signers)

    def adopt(self, propuesta: Propuesta, firmas: tratos.Firmas) -> None:
        self.ceremonia.adopt(propuesta, firmas, now=self.institute.now, **LATER)  # type: ignore[arg-type] # as stated


@pytest.fixture
def table(instituto: Institute) -> Table:
    return Table(instituto)


def keyid(table: Table, nombre: str) -> str:
    return table.institute.ring.named(nombre).keyid


def sees(client: Any, source: FolderReader, corte: int) -> None:
    """The difusor accepts ``corte`` from ``source`` as news."""
    verified = client.check(source).verified
    assert verified is not None
    assert verified.manifest.corte == corte
    client.accept(verified)


def refuses(client: Any, source: FolderReader, *codes: str) -> None:
    """The difusor refuses, and neither its state nor its memory changes."""
    state, memory = snapshot_of(client._metadata._state), client.memory
    with pytest.raises(PregonError) as refusal:
        client.check(source)
    assert refusal.value.codigo in codes
    assert snapshot_of(client._metadata._state) == state
    assert client.memory == memory


@pytest.mark.parametrize("rol", ["cortes", "avisos", "snapshot", "timestamp"])
def test_rotated_online_key_signs_and_the_old_one_does_not(table: Table, rol: str) -> None:
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    old = table.institute.frozen("copia-del-ladron")
    new = generate(f"{rol}-3")
    propuesta = table.propose(Cambio((keyid(table, f"{rol}-1"),), ((rol, new.public),)))
    table.reopen(new)
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-3"))
    assert knew.check(table.institute.source()).verified is None
    assert knew.check(table.institute.source()).avisos_error is None
    table.reopen(without=(f"{rol}-1",))
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)
    sees(table.institute.difusor("nuevo"), table.institute.source(), 3)
    # Whoever kept every old key of the machine goes on by himself from the repository that he took…
    thief = Institute(
        old.folder, table.institute.ring, OFICIAL, table.institute.clock, Ceremonia(old.folder, thieves_ring(table))
    )
    for corte in (3, 4, 5):
        thief.cut(corte, incluye_especiales=True)
    refuses(knew, thief.source(), "FIRMA", "RETROCESO")
    # … or takes the repository of now and even has the keys of now, but for the retired one, which he uses.
    forged_source = table.institute.frozen("de-hoy")
    sign_with_retired(forged_source.folder / "metadata", rol, table.institute.ring.named(f"{rol}-1"), table.online)
    if rol == "avisos":
        error = knew.check(forged_source).avisos_error
        assert error is not None
        assert error.codigo == "FIRMA"
    else:
        refuses(knew, forged_source, "FIRMA")


def sign_with_retired(metadata: Path, rol: str, retired: NamedKey, now: KeyRing) -> None:
    """The next version of a role, signed by ``retired``, and what leads to it, signed as it should be."""

    def signer(name: str) -> Any:
        return retired.signer if name == rol else next(k.signer for k in now.keys if k.nombre.startswith(name))

    timestamp: Any = Metadata.from_file(str(metadata / "timestamp.json"))
    snapshot: Any = Metadata.from_file(str(metadata / f"{timestamp.signed.snapshot_meta.version}.snapshot.json"))
    if rol in ("cortes", "avisos"):
        meta = snapshot.signed.meta[f"{rol}.json"]
        document: Any = Metadata.from_file(str(metadata / f"{meta.version}.{rol}.json"))
        snapshot.signed.meta[f"{rol}.json"] = write_next(metadata, rol, document, signer(rol))
    timestamp.signed.snapshot_meta = write_next(metadata, "snapshot", snapshot, signer("snapshot"))
    timestamp.signed.version += 1
    timestamp.sign(signer("timestamp"))
    (metadata / "timestamp.json").write_bytes(timestamp.to_bytes())


def write_next(metadata: Path, rol: str, document: Any, signer: Any) -> MetaFile:
    document.signed.version += 1
    document.sign(signer)
    data = document.to_bytes()
    (metadata / f"{document.signed.version}.{rol}.json").write_bytes(data)
    return MetaFile.from_data(document.signed.version, data, ["sha256"])


def thieves_ring(table: Table) -> KeyRing:
    return table.institute.ring.only(*EN_EQUIPO)


def test_whole_machine_stolen_reserves_take_over_and_nothing_of_the_thief_is_accepted(table: Table) -> None:
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    taken = table.institute.frozen("copia-del-ladron")
    retired = tuple(keyid(table, name) for name in EN_EQUIPO)
    propuesta = table.propose(Cambio(retired, ()))
    reserves = table.institute.ring.only(*(name.replace("-1", "-2") for name in EN_EQUIPO))
    table.online = reserves
    table.reopen()
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-2"))
    assert knew.check(table.institute.source()).verified is None
    # His own cut with the stolen keys, on the repository that he took, with the new root beside it so as to deceive.
    thief = Institute(
        taken.folder, table.institute.ring, OFICIAL, table.institute.clock, Ceremonia(taken.folder, thieves_ring(table))
    )
    thief.cut(3, incluye_especiales=True)
    refuses(knew, thief.source(), "FIRMA")
    shutil.copy(table.folder / "metadata" / "2.root.json", taken.folder / "metadata")
    refuses(knew, thief.source(), "FIRMA")
    refuses(table.institute.difusor("nuevo"), thief.source(), "FIRMA")
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)


def test_thief_who_ran_the_versions_forward_does_not_blind_who_saw_him(table: Table) -> None:
    """A fast-forward with stolen online keys: after the revocation the honest, lower versions are accepted again."""
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    taken = table.institute.frozen("copia-del-ladron")
    thief = Ceremonia(taken.folder, thieves_ring(table))
    for name in ("cortes", "avisos", "snapshot"):
        newest = thief._path(name, thief._newest(name))
        newest.rename(newest.with_name(f"5000.{name}.json"))
    run_forward(taken.folder, table.institute.ring)
    assert knew.check(taken).verified is None  # he shows no cut of his own, only very high numbers
    refuses(knew, table.institute.source(), "RETROCESO")
    retired = tuple(keyid(table, name) for name in EN_EQUIPO)
    propuesta = table.propose(Cambio(retired, ()))
    table.online = table.institute.ring.only(*(name.replace("-1", "-2") for name in EN_EQUIPO))
    table.reopen()
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-2"))
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)


def run_forward(folder: Path, ring: KeyRing) -> None:
    metadata = folder / "metadata"
    snapshot: Any = Metadata.from_file(str(metadata / "5000.snapshot.json"))
    for name in ("cortes", "avisos"):
        document: Any = Metadata.from_file(str(metadata / f"5000.{name}.json"))
        document.signed.version = 5000
        document.sign(ring.named(f"{name}-1").signer)
        data = document.to_bytes()
        (metadata / f"5000.{name}.json").write_bytes(data)
        snapshot.signed.meta[f"{name}.json"] = MetaFile.from_data(5000, data, ["sha256"])
    snapshot.signed.version = 5000
    snapshot.sign(ring.named("snapshot-1").signer)
    (metadata / "5000.snapshot.json").write_bytes(snapshot.to_bytes())
    timestamp: Any = Metadata.from_file(str(metadata / "timestamp.json"))
    timestamp.signed.version = 5000
    timestamp.signed.snapshot_meta = MetaFile.from_data(5000, snapshot.to_bytes(), ["sha256"])
    timestamp.sign(ring.named("timestamp-1").signer)
    (metadata / "timestamp.json").write_bytes(timestamp.to_bytes())


@pytest.mark.parametrize("present", [("raiz-2", "raiz-3"), ("raiz-1", "raiz-2")])
def test_root_key_is_replaced_with_signatures_of_the_old_root_and_of_the_new(
    table: Table, present: tuple[str, ...]
) -> None:
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    new = generate("raiz-4")
    propuesta = table.propose(Cambio((keyid(table, "raiz-1"),), (("raiz", new.public),)))
    assert {(d.papel, d.entran, d.salen) for d in tratos.differences(propuesta)} == {
        (role, (new.keyid,), (keyid(table, "raiz-1"),)) for role in ("root", "targets")
    }
    table.adopt(propuesta, table.signed_by(propuesta, *present, extra=(new,)))
    root: Any = Metadata.from_bytes(table.ceremonia.root_bytes())
    assert root.signed.version == 2
    assert root.signed.roles["root"].threshold == 2
    assert set(root.signed.roles["root"].keyids) == {keyid(table, "raiz-2"), keyid(table, "raiz-3"), new.keyid}
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)
    sees(table.institute.difusor("nuevo"), table.institute.source(), 3)
    # The retired key and one more do not reach the threshold of the root to come.
    again = table.propose(Cambio((keyid(table, "raiz-2"),), (("raiz", generate("raiz-5").public),)))
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(again, tratos.merged(table.signed_by(again, "raiz-3"), forged(again, table, "raiz-1")))
    assert refusal.value.codigo == "FIRMA"
    assert snapshot_of(table.folder) == before


def forged(propuesta: Propuesta, table: Table, nombre: str) -> tratos.Firmas:
    """Signatures by a key that does not count for ``propuesta``."""
    signer = table.institute.ring.named(nombre).signer
    return {
        name: {signer.public_key.keyid: signer.sign(metadata.signed_bytes).signature}
        for name, metadata in propuesta.documents.items()
    }


@pytest.mark.parametrize("stolen", ["raiz-1", "raiz-2", "raiz-3"])
def test_one_stolen_root_key_changes_nothing_for_a_difusor(table: Table, stolen: str) -> None:
    """Below the threshold: whatever one root key signs, alone or as if it were two, is refused."""
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    copy = table.institute.frozen("falso")
    evil = generate("raiz-9")
    propuesta = table.propose(
        Cambio(
            tuple(keyid(table, f"raiz-{n}") for n in (1, 2, 3)),
            tuple(("raiz", key.public) for key in (evil, generate("raiz-8"), generate("raiz-7"))),
        )
    )
    firmas = table.signed_by(propuesta, stolen, extra=(evil,))
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(propuesta, firmas)
    assert refusal.value.codigo == "ENTRADA"
    assert snapshot_of(table.folder) == before
    # He does not ask our program: he writes the files himself.
    document: Any = propuesta.documents["root"]
    for key in (table.institute.ring.named(stolen), evil):
        document.sign(key.signer, append=True)
    (copy.folder / "metadata" / "2.root.json").write_bytes(document.to_bytes())
    refuses(table.institute.difusor("sabia", knew.memory), copy, "UMBRAL")
    # The same signature twice under another name does not count twice: one key, one vote.
    root: Root = document.signed
    assert not root.get_verification_result("targets", document.signed_bytes, {}).verified
    sees(knew_after(table), table.institute.source(), 2)


def knew_after(table: Table) -> Any:
    return table.institute.difusor("otro-mas")


def test_stop_at_any_write_leaves_a_repository_that_verifies_for_old_and_new_readers(table: Table) -> None:
    from tests.trust.test_repositorio import RecordingDisk

    new = generate("timestamp-3")
    cambio = Cambio(
        (keyid(table, "timestamp-1"), keyid(table, "cortes-1"), keyid(table, "raiz-1")),
        (("timestamp", new.public), ("raiz", (fourth := generate("raiz-4")).public)),
    )
    propuesta = table.propose(cambio)
    firmas = table.signed_by(propuesta, "raiz-2", "raiz-3", extra=(fourth,))
    ring = table.online.plus(new, table.institute.ring.named("cortes-2"))
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    disk = RecordingDisk()
    for left in range(20):
        disk.left, disk.written = left, []
        repository = Ceremonia(table.folder, ring, disk=disk)
        try:
            repository.adopt(propuesta, firmas, now=table.institute.now, **LATER)  # type: ignore[arg-type] # as stated
        except InterruptedError:
            assert knew.check(table.institute.source()).verified is None
            sees(table.institute.difusor(f"nuevo-{left}"), table.institute.source(), 2)
            continue
        break
    # What names and what is named first, then who may sign: the root last. The targets of the first attempt stay.
    assert [name.partition(".")[2] for name in disk.written] == ["snapshot.json", "json", "root.json"]
    assert left == 4
    table.institute.repository = Ceremonia(table.folder, ring)
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)


def test_both_keys_of_the_timestamp_lost_the_new_root_goes_first(table: Table) -> None:
    knew = table.institute.difusor("sabia")
    sees(knew, table.institute.source(), 2)
    new = generate("timestamp-3")
    lost = (keyid(table, "timestamp-1"), keyid(table, "timestamp-2"))
    propuesta = table.propose(Cambio(lost, (("timestamp", new.public),)))
    table.reopen(new, without=("timestamp-1",))
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-2"))
    table.institute.cut(3)
    sees(knew, table.institute.source(), 3)


def test_proposal_does_not_lower_thresholds_nor_leave_a_role_empty(table: Table) -> None:
    before = snapshot_of(table.folder)
    for gone in (("raiz-1",), ("cortes-1", "cortes-2"), ("timestamp-1", "timestamp-2")):
        with pytest.raises(PregonError) as refusal:
            table.propose(Cambio(tuple(keyid(table, name) for name in gone), ()))
        assert refusal.value.codigo == "AJUSTES"
    assert snapshot_of(table.folder) == before


@pytest.mark.parametrize("signers", [(), ("raiz-1",), ("raiz-1", "cortes-1")])
def test_proposal_without_enough_signatures_is_not_adopted(table: Table, signers: tuple[str, ...]) -> None:
    propuesta = table.propose(Cambio((keyid(table, "cortes-1"),), ()))
    table.reopen(table.institute.ring.named("cortes-2"))
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(propuesta, table.signed_by(propuesta, *signers))
    assert refusal.value.codigo == "ENTRADA"
    assert snapshot_of(table.folder) == before


def test_signatures_of_another_proposal_are_not_taken(table: Table) -> None:
    first = table.propose(Cambio((keyid(table, "cortes-1"),), ()))
    second = table.propose(Cambio((keyid(table, "avisos-1"),), ()))
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(second, table.signed_by(first, "raiz-1", "raiz-2"))
    assert refusal.value.codigo == "FIRMA"
    assert snapshot_of(table.folder) == before


def test_proposal_is_not_adopted_after_another_one(table: Table) -> None:
    table.reopen(*table.institute.ring.only("cortes-2", "avisos-2").keys)
    first = table.propose(Cambio((keyid(table, "cortes-1"),), ()))
    second = table.propose(Cambio((keyid(table, "avisos-1"),), ()))
    table.adopt(first, table.signed_by(first, "raiz-1", "raiz-2"))
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(second, table.signed_by(second, "raiz-1", "raiz-2"))
    assert refusal.value.codigo == "AJUSTES"
    assert snapshot_of(table.folder) == before


def test_online_key_that_is_not_here_stops_the_act_before_anything_is_written(table: Table) -> None:
    propuesta = table.propose(Cambio((keyid(table, "timestamp-1"),), ()))
    table.online = table.online.only("cortes-1", "avisos-1", "snapshot-1")
    table.reopen()
    before = snapshot_of(table.folder)
    with pytest.raises(PregonError) as refusal:
        table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-2"))
    assert refusal.value.codigo == "ENTRADA"
    assert snapshot_of(table.folder) == before


def test_cuts_made_between_the_request_and_the_signatures_do_not_spoil_it(table: Table) -> None:
    propuesta = table.propose(Cambio((keyid(table, "cortes-1"),), ()))
    table.institute.cut(3)
    table.institute.cut(4)
    table.reopen(table.institute.ring.named("cortes-2"))
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-2", "raiz-3"))
    table.institute.cut(5)
    sees(table.institute.difusor(), table.institute.source(), 5)


def test_new_dates_reach_400_days_and_never_come_nearer(table: Table) -> None:
    table.institute.clock.instant += timedelta(days=100)
    propuesta = table.propose(Cambio((), ()))
    table.adopt(propuesta, table.signed_by(propuesta, "raiz-1", "raiz-2"))
    now = table.institute.now
    dates = {papel.nombre: papel.vence for papel in table.ceremonia.papeles()}
    assert dates["root"] == dates["targets"] == now + timedelta(days=400)
    early = table.ceremonia.propose(Cambio((), ()), now=now, expira=now)
    assert all(document.signed.expires == dates[name] for name, document in early.documents.items())


def test_a_root_that_the_pinned_one_does_not_vouch_for_is_not_followed(
    table: Table, tmp_path: Path, ring: KeyRing
) -> None:
    del ring
    pinned = table.ceremonia.root_bytes()
    tratos.check_follows(pinned, table.ceremonia.standing())
    stranger = KeyRing(tuple(generate(name) for name in (*("raiz-1", "raiz-2", "raiz-3"), *EN_EQUIPO, *RESERVAS)))
    false = strange_repository(tmp_path / "falso", stranger)
    with pytest.raises(PregonError) as refusal:
        tratos.check_follows(pinned, Ceremonia(false.folder, stranger).standing())
    assert refusal.value.codigo == "FIRMA"


def test_an_earlier_root_is_not_followed_though_the_same_keys_signed_it(table: Table) -> None:
    first, before = table.ceremonia.root_bytes(), table.ceremonia.standing()
    table.institute.replace_root_key("raiz-3", generate("raiz-4"))
    later, after = table.ceremonia.root_bytes(), table.ceremonia.standing()
    tratos.check_follows(first, after)
    tratos.check_follows(later, after)
    with pytest.raises(PregonError, match="versión 1 y este medio ya conoce la 2") as refusal:
        tratos.check_follows(later, before)
    assert refusal.value.codigo == "RETROCESO"
    assert table.ceremonia.root_bytes() == later


RESERVAS = ("cortes-2", "avisos-2", "snapshot-2", "timestamp-2")


def strange_repository(folder: Path, ring: KeyRing) -> Repository:
    return Ceremonia.create(
        folder, ring, OFICIAL, now=INICIO, expira=online_expiry(FIN), siguiente=INICIO, intervalo=INTERVALO
    )
