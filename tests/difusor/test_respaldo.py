"""A workspace in one file and back: the same public bytes elsewhere; what is not a whole backup leaves nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base import esquema, state
from pregon.base.durable import Disk
from pregon.base.errors import ArchivoError, DiscoError, EntradaError, EscrituraError, UsoError, VersionError
from pregon.cli.difusor import app
from pregon.difusor import pointer
from pregon.difusor.gemelos import TWINS
from pregon.difusor.historia.auditoria import Auditoria
from pregon.difusor.historia.compresion import Inflated, compressed, kind_of
from pregon.difusor.historia.respaldo import LISTA, PERFIL, respalda
from pregon.difusor.historia.restauracion import restaura
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.difusor.workspace import open_workspace
from tests.difusor.conftest import tree_hashes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.difusor.conftest import Escena


@pytest.fixture
def tmp_path(fast: Path) -> Path:
    """Many cuts, and none of them must outlive the machine: in memory."""
    return fast


@pytest.fixture
def noche(escena: Escena) -> Escena:
    """Three cuts published."""
    for corte in (1, 2, 3):
        escena.cut(corte)
        assert escena.receiver().run_once().novedad == corte
    return escena


def cli(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def backup(escena: Escena, name: str = "respaldo.tar.gz", *, llaves: bool = True) -> Path:
    target = escena.folder / name
    respalda(escena.workspace, target, disk=Disk(), now=escena.clock.now(), llaves=llaves)
    return target


def stamps(folder: Path) -> dict[str, tuple[int, str]]:
    """What a web server makes its ETag of, and the content; twins left out."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in TWINS
    }


def public(folder: Path) -> dict[str, tuple[int, str]]:
    name = pointer.read(open_workspace(folder))
    return {} if name is None else stamps(folder / "cortes" / name)


def twins(folder: Path) -> list[str]:
    """The precompressed twins that are served."""
    cut = folder / "cortes" / (pointer.read(open_workspace(folder)) or "")
    return sorted(str(path.relative_to(cut)) for path in cut.rglob("*") if path.suffix in TWINS)


def received(escena: Escena, folder: Path) -> Any:
    """One pass of the difusor that was put back, on the scene's clock and from the same institute."""
    workspace = open_workspace(folder)
    fresh = workspace.open_state(escena.clock)
    return open_receiver(workspace, clock=escena.clock, state=fresh, disk=Disk()).run_once()


@pytest.mark.parametrize("name", ["respaldo.tar.zst", "respaldo.tar.gz"])
def test_a_restored_difusor_publishes_the_same_bytes_and_goes_on(noche: Escena, name: str) -> None:
    before, cuts = public(noche.workspace.folder), noche.libro.cortes()
    compressed_before = twins(noche.workspace.folder)
    assert {path.rpartition(".")[2] for path in compressed_before} == {"gz", "br", "zst"}
    status, out, err = cli("respalda", noche.workspace.folder, "--salida", noche.folder / name)
    assert (status, err) == (0, "")
    assert "claves privadas" in out
    assert (noche.folder / name).stat().st_mode & 0o777 == 0o600
    shutil.rmtree(noche.workspace.folder)  # The machine burnt.
    folder = noche.folder / "otra" / "maquina"
    folder.parent.mkdir()
    status, out, err = cli("restaura", noche.folder / name, folder)
    assert (status, err) == (0, "")
    assert not (folder / "puntero").exists()
    assert received(noche, folder).novedad is None
    assert public(folder) == before  # Also the times of which servers make ETags: a reader's copy stays good.
    assert twins(folder) == compressed_before  # Without them every reader would load several times as many bytes.
    libro = Libro(open_workspace(folder).open_state(noche.clock))
    assert libro.cortes() == cuts
    assert libro.publicado == 3
    assert all(exam.sano for exam in Auditoria(open_workspace(folder), libro, Disk()).verifica())
    assert (folder / "llaves" / "acuse.pem").stat().st_mode & 0o777 == 0o600
    noche.cut(4)
    assert received(noche, folder).novedad == 4
    assert pointer.read(open_workspace(folder)) == "0004"
    acuses = sorted(path.name for path in (folder / "acuses").iterdir())
    assert acuses[-1].startswith(f"{len(acuses):06d}-0004")  # The chain goes on where it was.


def test_what_goes_and_what_does_not(noche: Escena) -> None:
    (noche.workspace.folder / "notas: viernes.txt").write_text("teléfono del instituto")
    (noche.workspace.folder / "atajo").symlink_to("/etc")
    made = respalda(noche.workspace, noche.folder / "r.tar.gz", disk=Disk(), now=noche.clock.now())
    assert made.omitidos == ("atajo",)
    with tarfile.open(noche.folder / "r.tar.gz") as tar:
        names = tar.getnames()
        listing = json.loads(tar.extractfile(LISTA).read())  # type: ignore[union-attr]
    assert names[-1] == LISTA
    assert [item["ruta"] for item in listing["archivos"]] == names[:-1]
    tops = {name.split("/")[0] for name in names}
    assert tops == {
        *("acuses", "confianza", "difusor.toml", "estado.sqlite", "historico", "llaves", "notas: viernes.txt"),
        *(LISTA, PERFIL),
    }
    assert listing["publico"] == "0003"
    without = backup(noche, "sin.tar.gz", llaves=False)
    with tarfile.open(without) as tar:
        assert not [name for name in tar.getnames() if name.startswith("llaves")]
    private = (noche.workspace.llave).read_bytes()
    with Inflated_of(without) as plain:
        assert private not in plain.read()


class Inflated_of:  # noqa: N801 (reads as a call)
    """The whole tar of a backup, plain."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> io.BytesIO:
        with self._path.open("rb") as file:
            stream, found = Inflated(file, kind_of(self._path)), io.BytesIO()
            while piece := stream.read(1 << 16):
                found.write(piece)
        found.seek(0)
        return found

    def __exit__(self, *_: object) -> None: ...


def test_without_keys_another_is_made_and_told(noche: Escena) -> None:
    made, folder = backup(noche, llaves=False), noche.folder / "nueva"
    status, out, _ = cli("restaura", made, folder)
    assert status == 0
    assert "acuse.pub.pem" in out
    assert (folder / "llaves" / "acuse.pem").read_bytes() != noche.workspace.llave.read_bytes()
    assert (folder / "llaves" / "acuse.pem").stat().st_mode & 0o777 == 0o600
    received(noche, folder)
    assert public(folder) == public(noche.workspace.folder)


def test_a_profile_from_another_machine_is_told_and_its_copy_serves(noche: Escena) -> None:
    made, folder = backup(noche), noche.folder / "nueva"
    (noche.folder / "perfil.toml").rename(noche.folder / "guardado.toml")
    status, out, _ = cli("restaura", made, folder)
    assert status == 0
    assert f'convocatoria = "{PERFIL}"' in out
    settings = folder / "difusor.toml"
    settings.write_text(settings.read_text().replace(str(noche.folder / "perfil.toml"), PERFIL))
    assert open_workspace(folder).convocatoria == noche.workspace.convocatoria


def test_while_it_receives_what_is_copied_is_one_moment(noche: Escena) -> None:
    """Backups one after another while cuts come: each, put back, is sound and at least at the cut of its beginning."""
    stop, failed = threading.Event(), []

    def receive() -> None:
        try:
            for corte in range(4, 12):
                noche.cut(corte)
                noche.receiver().run_once()
        except Exception as exc:  # noqa: BLE001 (told to the test)
            failed.append(exc)
        stop.set()

    thread = threading.Thread(target=receive)
    thread.start()
    made: list[tuple[int, Path]] = []
    while not stop.is_set() or not made:
        begun = noche.libro.publicado or 0
        made.append((begun, backup(noche, f"r{len(made)}.tar.zst")))
    thread.join()
    assert failed == []
    chosen = {0, len(made) // 2, len(made) - 1}
    for number in sorted(chosen):
        begun, path = made[number]
        folder = noche.folder / f"v{number}"
        restaura(path, folder, disk=Disk())
        workspace = open_workspace(folder)
        libro = Libro(workspace.open_state(noche.clock))
        assert all(exam.sano for exam in Auditoria(workspace, libro, Disk()).verifica())
        assert received(noche, folder).error is None
        assert pointer.read(workspace) == "0011"
        assert begun <= (libro.publicado or 0) <= 11


def test_a_backup_before_the_start_publishes_nothing_when_it_is_put_back(escena: Escena) -> None:
    """GRO-1.1a: the package waits in the backup as it waited in the difusor."""
    from tests.trust.conftest import INICIO

    escena.sign(1, hora_corte=INICIO, firmado=INICIO - timedelta(minutes=30))
    escena.receiver().run_once()
    folder = escena.folder / "nueva"
    restaura(backup(escena), folder, disk=Disk())
    received(escena, folder)
    assert pointer.read(open_workspace(folder)) == pointer.ESPERA
    assert (folder / "historico").stat().st_mode & 0o777 == 0o700


# Refusals.


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_nothing_is_written_over(noche: Escena) -> None:
    made, there = backup(noche), noche.folder / "ya"
    there.mkdir()
    before = tree_hashes(noche.folder)
    for target in (there, noche.workspace.folder):
        with pytest.raises(EscrituraError):
            restaura(made, target, disk=Disk())
    with pytest.raises(EscrituraError):
        backup(noche)
    with pytest.raises(UsoError):
        backup(noche, "respaldo.zip")
    with pytest.raises(EntradaError):
        restaura(noche.folder / "no-esta.tar.gz", noche.folder / "nueva", disk=Disk())
    assert tree_hashes(noche.folder) == before
    assert everything(there) == []


def rewrite(
    source: Path, target: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]
) -> None:
    """A backup whose members a stranger changed, in its own compression."""
    plain = io.BytesIO()
    with Inflated_of(source) as old, tarfile.open(fileobj=old) as tar, tarfile.open(fileobj=plain, mode="w") as new:
        for member in tar:
            content = tar.extractfile(member).read()  # type: ignore[union-attr]
            for changed, data in change(member, content):
                changed.size = len(data) if changed.isreg() else 0
                new.addfile(changed, io.BytesIO(data))
    target.write_bytes(b"".join(compressed([plain.getvalue()], kind_of(target))))


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


STRANGE = {
    "sube": (named("../fuera"), "sale de la carpeta"),
    "absoluta": (named("/tmp/fuera"), "sale de la carpeta"),
    "componente": (named("historico/../../fuera"), "sale de la carpeta"),
    "vacio": (named("historico//fuera"), "sale de la carpeta"),
    "enlace": (named("historico/liga", tarfile.SYMTYPE, "/etc/passwd"), "no es un archivo normal"),
    "duro": (named("historico/liga", tarfile.LNKTYPE, "difusor.toml"), "no es un archivo normal"),
    "tubo": (named("historico/tubo", tarfile.FIFOTYPE), "no es un archivo normal"),
    "carpeta": (named("historico", tarfile.DIRTYPE), "no es un archivo normal"),
    "doble": (named("difusor.toml"), "dos veces"),
    "demas": (named("historico/0001/otro.zip"), "no son los de su lista"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_member_that_does_not_belong_is_refused(noche: Escena, case: str) -> None:
    made, bad, folder = backup(noche), noche.folder / "malo.tar.gz", noche.folder / "dentro" / "nueva"
    folder.parent.mkdir()
    extra, told = STRANGE[case]

    def add(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        more = [(extra, b"x")] if member.name == LISTA else []
        return [*more, (member, data)]

    rewrite(made, bad, add)
    with pytest.raises(ArchivoError) as refused:
        restaura(bad, folder, disk=Disk())
    assert told in refused.value.que_paso
    assert everything(folder.parent) == []
    assert not (noche.folder / "fuera").exists()
    assert not (noche.folder / "dentro" / "fuera").exists()


def flipped(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    if member.name.endswith("0002/manifiesto.json"):
        data = data.replace(b"demo", b"dama")
    return [(member, data)]


def missing(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [] if member.name.endswith("0002/manifiesto.json") else [(member, data)]


def without_list(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [] if member.name == LISTA else [(member, data)]


def list_first(member: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(member, data), (named("historico/tarde"), b"x")] if member.name == LISTA else [(member, data)]


@pytest.mark.parametrize("change", [flipped, missing, without_list, list_first])
@pytest.mark.parametrize("name", ["malo.tar.gz", "malo.tar.zst"])
def test_one_that_is_not_its_list_is_refused(noche: Escena, change: Any, name: str) -> None:
    bad, folder = noche.folder / name, noche.folder / "dentro" / "nueva"
    folder.parent.mkdir()
    rewrite(backup(noche, "bueno" + kind_of(bad)), bad, change)
    with pytest.raises(ArchivoError):
        restaura(bad, folder, disk=Disk())
    assert everything(folder.parent) == []


@pytest.mark.parametrize("name", ["cortado.tar.gz", "cortado.tar.zst"])
def test_one_cut_short_anywhere_is_refused(noche: Escena, name: str) -> None:
    made, folder = backup(noche, name), noche.folder / "dentro" / "nueva"
    folder.parent.mkdir()
    whole = made.read_bytes()
    for part in (0, 10, len(whole) // 3, len(whole) - 30, len(whole) - 1):
        made.write_bytes(whole[:part])
        with pytest.raises(ArchivoError):
            restaura(made, folder, disk=Disk())
        assert everything(folder.parent) == []
    for at in (20, len(whole) // 2, len(whole) - 9):
        made.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with pytest.raises((ArchivoError, DiscoError)):
            restaura(made, folder, disk=Disk())
        assert everything(folder.parent) == []


def test_one_of_a_newer_program_is_refused(noche: Escena) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(noche.workspace.estado)) as connection:
        connection.execute(f"PRAGMA user_version = {esquema.VERSION + 1}")
    made, folder = backup(noche), noche.folder / "dentro" / "nueva"
    folder.parent.mkdir()
    with pytest.raises(VersionError):
        restaura(made, folder, disk=Disk())
    assert everything(folder.parent) == []


def test_one_of_an_older_program_is_migrated_when_it_starts(noche: Escena) -> None:
    before = public(noche.workspace.folder)
    state.migrate(noche.workspace.estado, 0)
    folder = noche.folder / "nueva"
    restaura(backup(noche), folder, disk=Disk())
    assert state.version(folder / "estado.sqlite") == 0
    received(noche, folder)
    assert state.version(folder / "estado.sqlite") == esquema.VERSION
    assert public(folder) == before


def test_a_full_disk_leaves_no_half_backup(noche: Escena) -> None:
    class Full(Disk):
        def write(self, path: Path, data: Any, *, mode: int = 0o644) -> None:
            def short() -> Any:
                for number, piece in enumerate(data):
                    if number == 1:
                        raise OSError(28, os.strerror(28))
                    yield piece

            super().write(path, short(), mode=mode)

    before = everything(noche.folder)
    with pytest.raises(DiscoError):
        respalda(noche.workspace, noche.folder / "r.tar.gz", disk=Full(), now=noche.clock.now())
    assert everything(noche.folder) == before


def test_a_killed_restore_leaves_nothing_under_the_name_and_is_repeated(noche: Escena) -> None:
    made, folder = backup(noche), noche.folder / "nueva"
    steps = 0

    class Deadly(Disk):
        def create(self, path: Path, *arguments: Any, **more: Any) -> None:
            nonlocal steps
            steps += 1
            if steps > 6:
                os._exit(9)
            super().create(path, *arguments, **more)

    child = os.fork()
    if child == 0:
        restaura(made, folder, disk=Deadly())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not folder.exists()
    assert (noche.folder / "nueva.parcial").is_dir()
    restaura(made, folder, disk=Disk())
    assert not (noche.folder / "nueva.parcial").exists()
    received(noche, folder)
    assert public(folder) == public(noche.workspace.folder)
