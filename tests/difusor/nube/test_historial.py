"""What a difusor keeps in the bucket, and an empty volume that becomes the difusor that it was (a real S3 server)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.durable import Disk
from pregon.base.errors import (
    AjustesError,
    AmbienteError,
    CadenaError,
    ConvocatoriaError,
    EntradaError,
    EquivocoError,
    EscrituraError,
    FirmaError,
    FormatoError,
    HashError,
    InstanciaError,
    PregonError,
    RetrocesoError,
)
from pregon.base.locks import exclusive
from pregon.cli.difusor import app
from pregon.difusor import pointer, report
from pregon.difusor.acuse import create_key, files_in
from pregon.difusor.historia.auditoria import Auditoria
from pregon.difusor.historia.pronostico import forecast
from pregon.difusor.historia.respaldo import respalda
from pregon.difusor.historia.restauracion import restaura
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver, receive_once
from pregon.difusor.nube.historial import Historial
from pregon.difusor.nube.rehace import Rehecho, rehace
from pregon.difusor.workspace import MAQUINA, REHACIENDO, Workspace, open_workspace
from pregon.trust.acuse import load_public_key, read_acuse, verify_chain
from tests.difusor.conftest import files_of, make_escena, tree_hashes
from tests.red.servidores.s3 import DEPOSITO, ESCRIBE, Seaweed, compartido
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.trust.keys import KeyRing
    from tests.difusor.conftest import Escena

pytestmark = pytest.mark.xdist_group("nube")

_numbers = itertools.count(1)
FRASE = "caballo correcto pila grapa"
HUELLA = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
ACCESO = f'puerto = 0\n[servidor.acceso]\nusuarios = {{prensa = "{HUELLA}"}}\n'
NUBE = """
[[nube]]
nombre = "nube-uno"
url = "s3://{deposito}/{prefijo}"
extremo = "{extremo}"
clave_acceso = "{acceso}"
secreto = "env:S3_ESCRIBE"
historial = true
"""
CON_FRASE = 'frase = "env:PREGON_FRASE"\n'


class Guarda:
    """A scene whose difusor keeps its history in a prefix of its own."""

    def __init__(self, escena: Escena, almacen: Seaweed, *, frase: bool = False) -> None:
        """Without ``frase`` the key of the acuses is what the operator puts in the empty volume."""
        self.escena = escena
        self.llave = None if frase else escena.workspace.llave.read_bytes()
        self.almacen = almacen
        self.prefijo = f"historial-{os.getpid()}-{next(_numbers)}"
        toml = escena.workspace.folder / "difusor.toml"
        nube = NUBE.format(deposito=DEPOSITO, prefijo=self.prefijo, extremo=almacen.extremo, acceso=ESCRIBE[0])
        toml.write_text(toml.read_text() + nube + (CON_FRASE if frase else ""))
        escena.workspace = open_workspace(escena.workspace.folder)
        self.toml = toml.read_text()

    def recibe(self, corte: int, **head: Any) -> None:
        """A cut published, here and in the bucket."""
        self.escena.cut(corte, **head)
        self.pasa(corte)

    def pasa(self, novedad: int | None = None, *, historial: bool = True) -> None:
        """One pass, and what the stores are told of it; then the history once more, with the last acuses."""
        receiver = self.escena.receiver()
        try:
            outcome = receiver.run_once()
            assert outcome.novedad == novedad
            receiver.completa(outcome.decision, 30.0)
        finally:
            receiver.close()
        if historial:
            self.historial().guarda()

    def historial(self, workspace: Workspace | None = None) -> Historial:
        workspace = workspace or self.escena.workspace
        libro = Libro(workspace.open_state(self.escena.clock))
        return Historial(
            workspace.settings.nube[0], workspace, libro, clock=self.escena.clock, disk=Disk(), environment=os.environ
        )

    def privado(self) -> dict[str, bytes]:
        """Everything below the private prefix."""
        return self.almacen.objetos(f"{self.prefijo}/historico")

    def copia(self) -> dict[str, Any]:
        """What was signed."""
        found: dict[str, Any] = json.loads(base64.b64decode(json.loads(self.privado()["copia.json"])["payload"]))
        return found

    def pon(self, ruta: str, data: bytes | None) -> None:
        """Put an object below the private prefix; None removes it."""
        method = "DELETE" if data is None else "PUT"
        self.almacen.orden(method, f"{self.prefijo}/historico", ruta, data=data or b"")

    @contextmanager
    def cambia(self, ruta: str, data: bytes | None) -> Iterator[None]:
        """Somebody who may write there changes an object; afterwards it is as it was."""
        before = self.privado()[ruta]
        self.pon(ruta, data)
        yield
        self.pon(ruta, before)

    def muere(self) -> None:
        """The machine burns; some minutes pass."""
        folder = self.escena.workspace.folder
        folder.rename(folder.with_name(f"quemado-{next(_numbers)}"))
        self.escena.clock.instant += timedelta(minutes=2)

    def vacia(self, toml: str | None = None) -> Path:
        """An empty volume with settings in it, and the key where no passphrase has it."""
        folder = self.escena.folder / f"volumen-{next(_numbers)}"
        (folder / "llaves").mkdir(parents=True)
        (folder / "difusor.toml").write_text(toml or self.toml)
        if self.llave is not None:
            (folder / "llaves" / "acuse.pem").touch(mode=0o600)
            (folder / "llaves" / "acuse.pem").write_bytes(self.llave)
        return folder

    def rehace(self, folder: Path | None = None, **options: Any) -> tuple[Path, Rehecho]:
        folder = folder or self.vacia()
        environment = options.pop("environment", os.environ)
        return folder, rehace(
            folder, "nube-uno", clock=self.escena.clock, disk=Disk(), environment=environment, **options
        )

    def se_niega(self, kind: type[PregonError], told: str, *, folder: Path | None = None, **options: Any) -> None:
        """It is refused, and nothing changed: neither the folder, nor anything in the bucket."""
        folder = folder or self.vacia()
        here, there = todo_en(folder), self.almacen.objetos(self.prefijo)
        with pytest.raises(kind) as refused:
            self.rehace(folder, **options)
        assert type(refused.value) is kind
        assert told in f"{refused.value.que_paso} {refused.value.que_hacer}"
        assert todo_en(folder) == here
        assert self.almacen.objetos(self.prefijo) == there


def todo_en(folder: Path) -> dict[str, str]:
    """Every path below a folder, folders too; the lock that each order leaves is left out."""
    folders = {str(path.relative_to(folder)): "carpeta" for path in folder.rglob("*") if path.is_dir()}
    return {name: sha for name, sha in {**folders, **tree_hashes(folder)}.items() if name != "opera.lock"}


def vista(workspace: Workspace) -> dict[str, str]:
    name = pointer.read(workspace)
    return {} if name is None else tree_hashes(workspace.cortes / name)


@pytest.fixture(scope="module")
def almacen() -> Iterator[Seaweed]:
    server = compartido()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.entorno, "PREGON_FRASE": FRASE}.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture
def guarda(fast: Path, ring: KeyRing, almacen: Seaweed) -> Iterator[Guarda]:
    """A difusor without cuts."""
    made = Guarda(make_escena(fast, ring), almacen)
    yield made
    almacen.vacia(made.prefijo)


@pytest.fixture
def con_frase(fast: Path, ring: KeyRing, almacen: Seaweed) -> Iterator[Guarda]:
    """The same, with its key in the bucket, under a passphrase."""
    made = Guarda(make_escena(fast, ring), almacen, frase=True)
    yield made
    almacen.vacia(made.prefijo)


@pytest.fixture(scope="module")
def quemado(tmp_path_factory: pytest.TempPathFactory, ring: KeyRing, almacen: Seaweed) -> Iterator[Guarda]:
    """One that had three cuts and burnt. Only for what is refused: nobody takes its place."""
    made = Guarda(make_escena(tmp_path_factory.mktemp("quemado"), ring), almacen)
    for corte in (1, 2, 3):
        made.escena.cut(corte)
        made.pasa(corte, historial=corte == 3)
    made.muere()
    yield made
    almacen.vacia(made.prefijo)


# What is kept.


def test_every_original_is_there_with_its_sha256_and_goes_up_once(guarda: Guarda) -> None:
    """INE-II-a-ii-3a: each package obtained, as it was received, and named by its SHA-256 in what is signed."""
    for corte in (1, 2, 3):
        guarda.recibe(corte)
    there, workspace = guarda.privado(), guarda.escena.workspace
    here = {ruta: (workspace.historico / ruta).read_bytes() for ruta in tree_hashes(workspace.historico)}
    assert len(here) == 9
    assert {ruta: there[ruta] for ruta in here} == here
    said = guarda.copia()
    listed = {each["ruta"]: each["sha256"] for found in said["originales"].values() for each in found}
    assert listed == {ruta: hashlib.sha256(data).hexdigest() for ruta, data in here.items()}
    assert (said["corte"], said["publicado"]) == (3, 3)
    names = [path.name for path in files_in(workspace.acuses)]
    assert sorted(ruta for ruta in there if ruta.startswith("acuses/")) == [f"acuses/{name}" for name in names]
    again = guarda.historial()
    assert again.guarda().bytes == 0
    assert again.guarda().bytes == 0
    archive = next(ruta for ruta in here if ruta.startswith("0002/") and ruta.endswith(".zip"))
    guarda.pon(archive, None)  # Somebody removes one: it goes up again, alone, at the next comparison.
    assert guarda.historial().guarda().bytes == len(here[archive])
    assert guarda.privado()[archive] == here[archive]
    rotten = workspace.historico / archive  # One that is no longer what was received does not take its place.
    rotten.write_bytes(here[archive] + b"x")
    assert guarda.historial().guarda().danados == (archive,)
    assert guarda.privado()[archive] == here[archive]


def test_originals_that_do_not_reach_the_bucket_are_said(guarda: Guarda) -> None:
    """``estado`` says it by the target's name while it lasts, whatever its edge shows."""
    guarda.recibe(1)
    workspace, now = guarda.escena.workspace, guarda.escena.clock.now()
    libro = Libro(workspace.open_state(guarda.escena.clock))

    def said() -> tuple[object, list[str]]:
        told = report.estado(workspace, libro, now)
        return told["nube"][0]["historial"], [each["texto"] for each in told["avisos"] if each["codigo"] == "NUBE"]

    assert said() == (None, [])
    libro.recuerda_historial("nube-uno", {"codigo": "RED", "que_paso": "No contesta."})
    assert said() == (
        {"codigo": "RED", "que_paso": "No contesta."},
        ["Los originales no llegan a la nube «nube-uno»: No contesta."],
    )
    libro.recuerda_historial("nube-uno", None)
    assert said() == (None, [])


def test_before_the_first_publication_nothing_at_all_goes(guarda: Guarda) -> None:
    """GRO-1.1a, MEX-I-1a: what waits for its hour waits on this machine alone; also what is only kept."""
    guarda.escena.sign(1, hora_corte=INICIO, firmado=INICIO - timedelta(minutes=30))
    guarda.pasa(1)
    assert pointer.read(guarda.escena.workspace) == pointer.ESPERA
    assert guarda.almacen.objetos(guarda.prefijo) == {}
    guarda.escena.clock.instant = INICIO + timedelta(seconds=1)
    guarda.escena.sign(2, firmado=INICIO + timedelta(seconds=1))
    guarda.pasa(2)
    assert {ruta[:4] for ruta in guarda.privado() if ruta[:4].isdigit()} == {"0001", "0002"}


def test_no_private_key_and_no_secret_is_there_in_the_clear(con_frase: Guarda) -> None:
    guarda = con_frase
    toml = guarda.escena.workspace.folder / "difusor.toml"
    toml.write_text(
        guarda.toml.replace("puerto = 0\n", f'puerto = 0\n[servidor.acceso]\nusuarios = {{p = "{HUELLA}"}}\n')
    )
    (toml.parent / "llaves" / "secreto.txt").write_text("contrasena-del-origen")
    (toml.parent / "apuntes.txt").write_text("contrasena-en-un-apunte")
    guarda.escena.workspace = open_workspace(toml.parent)
    guarda.recibe(1)
    pem = guarda.escena.workspace.llave.read_text()
    secrets = [line for line in pem.splitlines() if not line.startswith("-")]
    secrets += [HUELLA, "contrasena-", ESCRIBE[1], FRASE, "BEGIN PRIVATE KEY"]
    found = {ruta: gzip.decompress(data) if ruta.endswith(".gz") else data for ruta, data in guarda.privado().items()}
    found["copia"] = json.dumps(guarda.copia()).encode()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in guarda.copia()["llave_cifrada"]
    for ruta, data in found.items():
        for secret in secrets:
            assert secret.encode() not in data, (ruta, secret[:20])


def test_another_difusor_does_not_write_over_it(quemado: Guarda, fast: Path, ring: KeyRing) -> None:
    """A new ``inicia`` with the same prefix must not bury the history of the one before."""
    other = Guarda(make_escena(fast, ring), quemado.almacen)
    toml = fast / "difusor" / "difusor.toml"
    toml.write_text(other.toml.replace(other.prefijo, quemado.prefijo).replace('"diario-uno"', '"diario-dos"'))
    other.escena.workspace = open_workspace(toml.parent)
    other.escena.cut(1)
    open_receiver(other.escena.workspace, clock=other.escena.clock, state=other.escena.state(), disk=Disk()).close()
    libro = other.escena.libro
    before = quemado.privado()
    libro.publicar(1, other.escena.clock.now())
    with pytest.raises(InstanciaError):
        other.historial().guarda()
    assert quemado.privado() == before


# ``rehace``.


def test_an_empty_volume_becomes_the_difusor_that_it_was(con_frase: Guarda) -> None:
    """Same cut public, same memory, the chain of acuses goes on, and the next cut comes as if nothing had happened."""
    guarda = con_frase
    for corte in (1, 2, 3):
        guarda.recibe(corte)
    escena, before = guarda.escena, guarda.escena.workspace
    seen, cuts = vista(before), escena.libro.cortes()
    chain = [path.read_bytes() for path in files_in(before.acuses)]
    key = before.llave.read_bytes()
    guarda.muere()
    guarda.se_niega(AjustesError, "no abre la llave", environment={**os.environ, "PREGON_FRASE": "otra"})
    guarda.se_niega(AjustesError, "PREGON_FRASE", environment={**os.environ, "PREGON_FRASE": ""})
    folder, made = guarda.rehace()
    after = open_workspace(folder)
    assert (made.publico, made.cortes, made.notas) == ("0003", 3, ())
    assert {ruta: sha for ruta, sha in vista(after).items() if ruta in seen} == seen
    assert Libro(after.open_state(escena.clock)).cortes() == cuts
    assert after.llave.read_bytes() == key
    assert after.llave.stat().st_mode & 0o777 == 0o600
    assert [path.read_bytes() for path in files_in(after.acuses)][: len(chain)] == chain
    assert not (folder / REHACIENDO).exists()
    escena.workspace = after
    guarda.pasa()
    told = [event.tipo for event in escena.state().events(limit=10_000)]
    assert "rehecho" in told
    assert "nube_repuesta" not in told, "what the bucket shows did not go up again"
    guarda.recibe(4)
    assert pointer.read(after) == "0004"
    public = load_public_key(after.llave.with_suffix(".pub.pem"))
    acuses = [read_acuse(path.read_bytes(), public) for path in files_in(after.acuses)]
    assert verify_chain(acuses, acuses[0].emisor) == acuses[-1].sha256
    assert [each.corte for each in acuses if each.evento == "publicado"] == [1, 2, 3, 4]
    assert all(exam.sano for exam in Auditoria(after, escena.libro, Disk()).verifica())


@pytest.mark.aguante
def test_what_public_needs_comes_first_and_the_rest_of_the_history_while_it_works(guarda: Guarda) -> None:
    """INE-II-a-ii-3b: some 20 GB must not stand between a lost disk and the last cut; and they do come back."""
    for corte in range(1, 7):
        # Each cut is whole in itself, so that none needs the first one.
        guarda.escena.cut(
            corte, {**files_of(corte, INICIO + INTERVALO * corte), "assets/estilo.css": b"%d" % corte * 99}
        )
        guarda.pasa(corte, historial=False)
    guarda.historial().guarda()
    whole = tree_hashes(guarda.escena.workspace.historico)
    guarda.muere()
    folder, made = guarda.rehace()
    after = open_workspace(folder)
    assert made.publico == "0006"
    assert made.por_traer == 6 - len(list(after.historico.iterdir())) > 0
    libro = Libro(after.open_state(guarda.escena.clock))
    told = forecast(after, libro, guarda.escena.clock.now())
    assert told.por_traer > 0
    assert "volverán" in told.texto
    historial = guarda.historial(after)
    for left in range(made.por_traer, 0, -1):
        assert len(list(after.historico.iterdir())) == 6 - left
        assert historial.guarda().traidos == 1
    assert historial.guarda().traidos == 0
    assert tree_hashes(after.historico) == whole
    assert forecast(after, libro, guarda.escena.clock.now()).por_traer == 0
    shutil.rmtree(folder)  # And once more, by the command, with everything at once.
    historial.suelta()
    toml, folder = guarda.escena.folder / "guardado.toml", guarda.vacia()
    (folder / "difusor.toml").rename(toml)
    arguments = ["rehace", str(folder), "--desde", "nube-uno", "--ajustes", str(toml), "--todo", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["publico"], answer["cortes"], answer["por_traer"]) == ("0006", 6, 0)
    assert tree_hashes(folder / "historico") == whole
    assert (folder / "difusor.toml").read_text() == guarda.toml
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 73
    assert "ya hay un difusor" in again.stderr


@pytest.mark.aguante
def test_suspended_it_was_and_suspended_it_is(guarda: Guarda) -> None:
    guarda.recibe(1)
    guarda.escena.aviso("suspension")
    guarda.pasa()
    assert pointer.read(guarda.escena.workspace) == pointer.AVISO
    guarda.muere()
    repository = guarda.escena.repository.folder
    repository.rename(repository.with_name("sin-red"))  # Not even the institute needs to repeat it.
    _, made = guarda.rehace()
    assert made.publico == pointer.AVISO
    assert "no confirmó la copia" in made.notas[0]


def test_without_the_key_nothing_is_believed(quemado: Guarda) -> None:
    """Whoever may write in the bucket could make all of it, but for the signature."""
    assert quemado.copia()["llave_cifrada"] is None
    folder = quemado.vacia()
    (folder / "llaves" / "acuse.pem").unlink()
    quemado.se_niega(EntradaError, "Ponga ahí su archivo", folder=folder)
    create_key(folder / "llaves" / "acuse.pem", Disk())
    quemado.se_niega(FirmaError, "no la firmó la llave de este difusor", folder=folder)


# A copy that is old never turns back the clock.


def test_an_old_copy_is_brought_up_to_date_before_anything_is_shown_or_refused(guarda: Guarda) -> None:
    """Three cuts are public, and somebody put back what the bucket had, privately, with the first."""
    guarda.recibe(1)
    before = guarda.privado()
    guarda.recibe(2)
    guarda.recibe(3)
    guarda.muere()
    for ruta in guarda.privado().keys() - before.keys():
        guarda.pon(ruta, None)
    for ruta, data in before.items():
        guarda.pon(ruta, data)
    repository = guarda.escena.repository.folder
    away = repository.with_name("apagado")
    repository.rename(away)
    guarda.se_niega(RetrocesoError, "La copia es vieja")
    away.rename(repository)
    folder, made = guarda.rehace()
    after = open_workspace(folder)
    assert made.publico == "0003"
    events = after.open_state(guarda.escena.clock).events(limit=10_000)
    published = [event.dato["corte"] for event in events if event.tipo == "publicado"]
    assert published == [1, 3], "1, of the copy; the second was never public here again"


def test_the_institute_contradicts_the_copy(guarda: Guarda, ring: KeyRing) -> None:
    """A number that was accepted is signed with another content: nothing is rebuilt on that."""
    guarda.recibe(1)
    guarda.muere()
    folder = guarda.escena.folder / "otro"
    folder.mkdir()
    other = make_escena(folder, ring)
    for corte in (1, 2):
        other.cut(corte, {**files_of(corte, INICIO + INTERVALO * corte), "assets/estilo.css": b"otro" * 9})
    toml = guarda.toml.replace(str(guarda.escena.repository.folder), str(other.repository.folder))
    guarda.se_niega(EquivocoError, "ya se aceptó con otro contenido", folder=guarda.vacia(toml))


# Refusals.


@pytest.mark.parametrize("which", ["firma", "sobre", "estado", "original", "acuse", "acuse-falta", "publico"])
def test_what_somebody_changed_in_the_bucket_is_refused(quemado: Guarda, which: str) -> None:
    there = quemado.privado()
    copia = json.loads(there["copia.json"])
    payload = json.dumps({**quemado.copia(), "publicado": 2}).encode()
    altered = json.dumps({**copia, "payload": base64.b64encode(payload).decode()}).encode()
    state = quemado.copia()["estado"]["ruta"]
    archive = next(ruta for ruta in there if ruta.startswith("0003/") and ruta.endswith(".zip"))
    acuses = sorted(ruta for ruta in there if ruta.startswith("acuses/"))
    ruta, data, kind, told = {
        "firma": ("copia.json", altered, FirmaError, "no la firmó la llave de este difusor"),
        "sobre": ("copia.json", b"{}", FormatoError, "no se entiende"),
        "estado": (state, there[state][:-1] + b"x", HashError, "no es lo que se guardó"),
        "original": (archive, there[archive][:-1] + b"x", HashError, "no es lo que se guardó"),
        "acuse": (acuses[2], there[acuses[1]], CadenaError, "no sigue al último"),
        "acuse-falta": (acuses[2], None, CadenaError, "no está entera"),
        "publico": ("../corte.json", b"{", HashError, "no se entiende"),
    }[which]
    if which == "publico":
        public = quemado.almacen.objetos(quemado.prefijo)["corte.json"]
        quemado.almacen.orden("PUT", quemado.prefijo, "corte.json", data=data or b"")
        quemado.se_niega(kind, told)
        quemado.almacen.orden("PUT", quemado.prefijo, "corte.json", data=public)
        return
    with quemado.cambia(ruta, data):
        quemado.se_niega(kind, told)


def test_settings_of_another_difusor_are_refused(quemado: Guarda) -> None:
    toml = quemado.toml
    profile = quemado.escena.folder / "perfil.toml"
    other = quemado.escena.folder / "otro.toml"
    other.write_text(profile.read_text().replace('id = "demo-2027"', 'id = "otra-2027"'))
    assert other.read_text() != profile.read_text()
    cases: list[tuple[str, type[PregonError], str]] = [
        (toml.replace('"diario-uno"', '"diario-dos"'), AjustesError, "difusor.toml dice diario-dos/principal"),
        (toml.replace('"oficial"', '"simulacro"'), AmbienteError, "es del ambiente «oficial»"),
        (toml.replace(str(profile), str(other)), ConvocatoriaError, "no de «otra-2027»"),
        (toml.replace("historial = true", "historial = false"), AjustesError, "con historial = true"),
        (toml.replace(quemado.prefijo, f"{quemado.prefijo}-nadie"), EntradaError, "no hay ninguna copia"),
    ]
    for text, kind, told in cases:
        quemado.se_niega(kind, told, folder=quemado.vacia(text))


def test_a_folder_that_is_a_difusor_or_in_use_is_left_alone(quemado: Guarda) -> None:
    folder = quemado.vacia()
    (folder / "historico" / "0001").mkdir(parents=True)
    quemado.se_niega(EscrituraError, "ya hay un difusor", folder=folder)
    folder = quemado.vacia()
    with exclusive(folder / "opera.lock"):
        quemado.se_niega(InstanciaError, "Otro proceso", folder=folder)


def test_a_backup_put_back_elsewhere_goes_on_with_it_and_the_old_machine_stops(guarda: Guarda) -> None:
    """The same difusor on other iron, by ``restaura``: the newer one writes, whichever of both asks first."""
    guarda.recibe(1)
    escena, path = guarda.escena, guarda.escena.folder / "r.tar.gz"
    respalda(escena.workspace, path, disk=Disk(), now=escena.clock.now())
    folder = escena.folder / "otra"
    restaura(path, folder, disk=Disk())
    assert (escena.workspace.folder / MAQUINA).exists()
    assert not (folder / MAQUINA).exists()
    nueva = open_workspace(folder)
    guarda.historial(nueva).guarda()
    after = guarda.privado()
    with pytest.raises(InstanciaError, match="más nueva que ésta"):
        guarda.historial().guarda()
    assert guarda.privado() == after
    escena.workspace = nueva
    guarda.recibe(2)
    assert "0002/manifiesto.json" in guarda.privado()


@pytest.mark.aguante
def test_while_the_other_machine_is_alive_nobody_takes_its_place_and_then_it_stops_writing(guarda: Guarda) -> None:
    guarda.recibe(1)
    escena, alive = guarda.escena, guarda.historial()
    alive.guarda()
    guarda.se_niega(InstanciaError, "Otro difusor sigue escribiendo")
    escena.clock.instant += timedelta(minutes=2)  # Cut off, not dead.
    folder, made = guarda.rehace()
    assert made.publico == "0001"
    after = guarda.privado()
    with pytest.raises(InstanciaError):
        alive.guarda()
    assert guarda.privado() == after
    escena.workspace = open_workspace(folder)
    ended = guarda.historial()
    ended.guarda()
    ended.suelta()  # One that ends in order is not waited for.
    shutil.rmtree(folder)
    assert guarda.rehace()[1].publico == "0001"


# Killed.


CHILD = """
import os, sys
from datetime import datetime
from pathlib import Path
from pregon.base.clock import ManualClock
from pregon.difusor.nube.rehace import rehace
from tests.red.blancos import DiscoMortal, Pasos
clock = ManualClock(datetime.fromisoformat(sys.argv[3]), simulado=False)
rehace(Path(sys.argv[1]), "nube-uno", clock=clock, disk=DiscoMortal(Pasos(int(sys.argv[2]))), environment=os.environ)
"""


def mata(guarda: Guarda, folder: Path, step: int) -> int:
    command = [sys.executable, "-c", CHILD, str(folder), str(step), guarda.escena.clock.now().isoformat()]
    return subprocess.run(command, check=False, timeout=120, stderr=subprocess.DEVNULL).returncode


def muere_en(guarda: Guarda, steps: list[int]) -> None:
    for corte in (1, 2):
        guarda.recibe(corte)
    guarda.muere()
    folder = guarda.vacia()
    for step in steps:
        assert mata(guarda, folder, step) == -9
        assert (folder / REHACIENDO).exists()
        workspace = open_workspace(folder)
        assert pointer.read(workspace) in (None, "0002")
        with pytest.raises(InstanciaError):
            receive_once(workspace, disk=Disk())  # Nothing else works there meanwhile.
    _, made = guarda.rehace(folder)
    assert made.publico == "0002"
    after = open_workspace(folder)
    public = load_public_key(after.llave.with_suffix(".pub.pem"))
    acuses = [read_acuse(path.read_bytes(), public) for path in files_in(after.acuses)]
    assert verify_chain(acuses, acuses[0].emisor)
    assert not (folder / REHACIENDO).exists()


def test_killed_in_the_middle_the_same_order_ends_it(guarda: Guarda) -> None:
    muere_en(guarda, [60])


@pytest.mark.aguante
def test_killed_at_every_step_the_same_order_ends_it(guarda: Guarda) -> None:
    muere_en(guarda, list(range(4, 120, 5)))
