"""Each thing that must not be published is refused with its own code, and what is public stays byte by byte."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.hashing import sha256_file
from pregon.difusor import pointer
from pregon.difusor.acuse import files_in
from pregon.trust.acuse import load_public_key, read_acuse
from pregon.trust.repositorio import Repository
from pregon.trust.vigencia import online_expiry
from tests.difusor.conftest import files_of, tree_hashes
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.trust.verified import Identity
    from tests.difusor.conftest import Escena, EscenaFactory


def everything_public(escena: Escena) -> object:
    """All that a web server could reach: pointer, link, every release."""
    workspace = escena.workspace
    return (
        workspace.puntero.read_bytes(),
        str(workspace.publico.readlink()),
        tree_hashes(workspace.cortes),
        {str(path): path.lstat().st_mtime_ns for path in sorted(workspace.cortes.rglob("*")) if path.is_file()},
    )


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def offer(escena: Escena, folder: Path) -> None:
    """Put another repository where the difusor reads."""
    shutil.rmtree(escena.repository.folder)
    shutil.copytree(folder, escena.repository.folder)


FAULTS = [
    ("targets/cortes/0002/manifiesto.json", {"HASH"}),
    ("metadata/timestamp.json", {"FIRMA", "UMBRAL", "CONVOCATORIA", "AMBIENTE"}),
    ("metadata/3.snapshot.json", {"FIRMA", "HASH"}),
    ("metadata/3.cortes.json", {"FIRMA", "HASH"}),
]


@pytest.mark.parametrize(("ruta", "codigos"), FAULTS, ids=[ruta.rpartition("/")[2] for ruta, _ in FAULTS])
def test_flipped_byte(escena: Escena, ruta: str, codigos: set[str]) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    escena.cut(2)
    path = escena.repository.folder / ruta
    honest = path.read_bytes()
    before = everything_public(escena)
    flip(path)
    for again in (receiver, receiver, escena.receiver()):
        outcome = again.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo in codigos
        assert everything_public(escena) == before
    assert not list(escena.workspace.recepcion.iterdir())
    refusals = [event for event in escena.state().events() if event.tipo == "rechazado"]
    assert len(refusals) == 1, "the same refusal is told once"
    path.write_bytes(honest)
    assert receiver.run_once().novedad == 2
    assert pointer.read(escena.workspace) == "0002"


def test_older_repository_offered_again(escena: Escena, tmp_path: Path) -> None:
    escena.cut(1)
    shutil.copytree(escena.repository.folder, tmp_path / "viejo")
    receiver = escena.receiver()
    receiver.run_once()
    escena.cut(2)
    receiver.run_once()
    before = everything_public(escena)
    offer(escena, tmp_path / "viejo")
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RETROCESO"
    assert everything_public(escena) == before
    # Even where the verifier's own folder was lost, the memory refuses.
    shutil.rmtree(escena.workspace.confianza / "tuf")
    outcome = escena.receiver().run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RETROCESO"
    assert everything_public(escena) == before


@pytest.mark.parametrize(
    ("identity", "codigo"),
    [
        (other(OFICIAL, ambiente="simulacro"), "AMBIENTE"),
        (other(OFICIAL, convocatoria="otra-2027"), "CONVOCATORIA"),
        (other(OFICIAL, instituto="otro"), "CONVOCATORIA"),
    ],
)
def test_package_of_another(escena: Escena, tmp_path: Path, identity: Identity, codigo: str) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    mine = escena.repository
    escena.repository = Repository.create(
        tmp_path / "ajeno",
        escena.ring,
        identity,
        now=escena.clock.instant,
        expira=online_expiry(INICIO),
        siguiente=INICIO + INTERVALO,
        intervalo=INTERVALO,
    )
    was, escena.identity = escena.identity, identity
    escena.cut(2)
    escena.repository, escena.identity = mine, was
    offer(escena, tmp_path / "ajeno")
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == codigo
    assert everything_public(escena) == before


def test_signed_archive_with_a_file_that_the_manifest_does_not_list(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    publish = escena.repository.publish_cut
    folder = escena.repository.cut_folder(2)

    def with_extra(*args: object, **kwargs: object) -> object:
        for path in folder.glob("*.zip"):
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("extra.html", b"no listado")
        return publish(*args, **kwargs)  # type: ignore[arg-type] # passes on what it was given

    escena.repository.publish_cut = with_extra  # type: ignore[method-assign,assignment] # a careless institute
    escena.cut(2)
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo.startswith("ARCHIVO_")
    assert everything_public(escena) == before
    # The institute reads in the acuse which cut could not be used; of one that nobody signed there is none to name.
    signed = sha256_file(folder / "manifiesto.json")
    assert told(escena)[-1] == ("rechazado", 2, signed)
    flip(escena.repository.folder / "metadata" / "timestamp.json")
    receiver.run_once()
    assert told(escena)[-1] == ("rechazado", None, None)


def told(escena: Escena) -> list[tuple[str, int | None, str | None]]:
    """What each acuse says: event, cut and manifest."""
    key = load_public_key(escena.workspace.llave.with_suffix(".pub.pem"))
    read = [read_acuse(path.read_bytes(), key) for path in files_in(escena.workspace.acuses)]
    return [(acuse.evento, acuse.corte, acuse.manifiesto_sha256) for acuse in read]


def test_package_whose_own_gz_is_not_its_file(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    hora = INICIO + 2 * INTERVALO
    escena.cut(2, {**files_of(2, hora), "corte.json.gz": b"otra cosa"})
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "ARCHIVO_GEMELO"
    assert everything_public(escena) == before


def test_signed_package_with_data_under_another_number(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    escena.cut(2, {**files_of(2, INICIO + 2 * INTERVALO), "datos/0001/gub/entidad.json": b"{}"})
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "CADENA"
    assert everything_public(escena) == before


def test_expired_metadata_alarms_and_blanks_nothing(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    escena.clock.instant = INICIO + timedelta(days=300)
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "EXPIRADO"
    assert outcome.decision.corte == 1
    assert everything_public(escena) == before
    assert json.loads(json.dumps(escena.libro.intento))["codigo"] == "EXPIRADO"


@pytest.mark.parametrize("quien", ["sigue", "arranca"])
def test_signature_of_the_closing_cut_that_ends_is_no_error(escena: Escena, quien: str) -> None:
    """MOR-gap: without an end of permanence nobody signs again, and the night is over; not so before its last cut."""
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    escena.cut(2, ultimo=True, cierre="horario", proximo=None)
    receiver.run_once()
    before, acuses = everything_public(escena), sorted(escena.workspace.acuses.iterdir())
    escena.clock.instant = INICIO + timedelta(days=300)
    again = escena.receiver() if quien == "arranca" else receiver
    for _ in range(2):
        outcome = again.run_once()
        assert (outcome.error, outcome.novedad, outcome.decision.corte) == (None, None, 2)
    assert everything_public(escena) == before
    assert sorted(escena.workspace.acuses.iterdir()) == acuses
    assert json.loads(json.dumps(escena.libro.intento))["codigo"] is None
    # Something that was never verified, and is past its date, is told as ever: it could say what is not known.
    escena.repository.resign_timestamp(now=INICIO + timedelta(days=2), expires=INICIO + timedelta(days=3))
    refused = again.run_once()
    assert refused.error is not None
    assert refused.error.codigo == "EXPIRADO"
    assert (refused.decision.corte, everything_public(escena)) == (2, before)


def test_source_that_is_away_is_not_a_refusal(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before, acuses = everything_public(escena), sorted(escena.workspace.acuses.iterdir())
    shutil.move(escena.repository.folder, escena.folder / "lejos")
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert everything_public(escena) == before
    assert sorted(escena.workspace.acuses.iterdir()) == acuses


def test_root_of_another_institute_does_not_start(escena_factory: EscenaFactory) -> None:
    from pregon.base.errors import ConvocatoriaError

    foreign = escena_factory("ajena", identity=other(OFICIAL, convocatoria="otra-2027"))
    root = foreign.repository.root_bytes()
    with pytest.raises(ConvocatoriaError):
        escena_factory("engañada", root=root)
    escena = escena_factory()
    escena.workspace.raiz.write_bytes(root)  # put there afterwards
    with pytest.raises(ConvocatoriaError):
        escena.receiver()
