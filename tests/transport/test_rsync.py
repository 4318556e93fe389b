"""Rsync, beyond the contract of every carrier: against real daemons and a real sshd with ``rrsync``."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, DestinoError, RedError
from pregon.transport.buzon import MAX_BYTES
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio
from pregon.transport.lugar import Lugar
from pregon.transport.rsync.destino import RsyncAcuses, RsyncDestination
from pregon.transport.rsync.fallas import NadieContestaError, failure
from pregon.transport.rsync.puertas import remote_folder
from tests.red.bancos import rsync_ssh, rsyncd
from tests.red.enlace import Enlace
from tests.red.servidores.rsyncd import HOST, Modulo, Rsyncd
from tests.red.servidores.sshd import Sshd, nueva_llave

if TYPE_CHECKING:
    from collections.abc import Iterator

CLAVE = "una clave; con #"
PACKAGE = "targets/cortes/0001/paquete.zip"
TIMESTAMP = "metadata/timestamp.json"
OLD_NS = 1_600_000_000_000_000_000


def repository(folder: Path, size: int = 300_000) -> Envio:
    """A repository whose timestamp names, by hash, everything else there."""
    contents = {
        PACKAGE: os.urandom(size),
        "targets/cortes/0001/manifiesto.json": b"{}\n",
        "metadata/1.root.json": b'{"raiz":1}\n',
        "metadata/7.snapshot.json": os.urandom(200),
    }
    contents[TIMESTAMP] = json.dumps({ruta: digest(data) for ruta, data in contents.items()}).encode()
    for ruta, data in contents.items():
        (folder / ruta).parent.mkdir(parents=True, exist_ok=True)
        (folder / ruta).write_bytes(data)
    targets = tuple(ruta for ruta in contents if ruta.startswith("targets/"))
    metadata = tuple(ruta for ruta in contents if ruta.startswith("metadata/") and ruta != TIMESTAMP)
    return Envio(folder, (targets, metadata, (TIMESTAMP,)))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sent(envio: Envio) -> dict[str, bytes]:
    return {ruta: (envio.repositorio / ruta).read_bytes() for paso in envio.pasos for ruta in paso}


def free() -> Caudal:
    return Caudal(SystemClock())


@pytest.fixture
def envio(tmp_path: Path) -> Envio:
    return repository(tmp_path / "repositorio")


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyncd]:
    """One daemon for every test: modules «entrada» (only to write) and «acuses» (only to read)."""
    folder = tmp_path_factory.mktemp("rsyncd")
    (folder / "entrada").mkdir()
    (folder / "acuses").mkdir()
    modules = (Modulo("entrada", folder / "entrada"), Modulo("acuses", folder / "acuses", escribe=False))
    ((folder / "sola").mkdir())
    alone = Modulo("sola", folder / "sola", ajustes={"max connections": "1", "use chroot": "no"})
    with Rsyncd(folder / "servidor", *modules, alone, clave=CLAVE) as server:
        yield server


@pytest.fixture
def modulo(servicio: Rsyncd) -> Path:
    """The folder of «entrada», with somebody else's files in it."""
    folder = servicio.secretos.parent.parent / "entrada"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for ruta in ("suyo.txt", "targets/suyo.zip", "metadata/suyo.json", "targets/cortes/0001/suyo.part"):
        (folder / ruta).parent.mkdir(parents=True, exist_ok=True)
        (folder / ruta).write_bytes(b"suyo")
    return folder


@pytest.fixture
def taller(tmp_path: Path) -> Path:
    """A workspace with the password."""
    (tmp_path / "clave").write_text(f"{CLAVE}\n", encoding="utf-8")
    return tmp_path


def place(servicio: Rsyncd, path: str = "entrada", *, port: int | None = None, **more: Any) -> Lugar:
    url = f"rsync://{servicio.usuario}@{HOST}:{port or servicio.puerto}/{path}"
    return Lugar.model_validate({"url": url, "secreto": "archivo:clave", **more})


def destination(lugar: Lugar, taller: Path, **more: Any) -> RsyncDestination:
    return RsyncDestination(lugar, folder=taller, clock=SystemClock(), **more)


def test_delivery_keeps_times_and_what_is_theirs(servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio) -> None:
    os.utime(envio.repositorio / PACKAGE, ns=(OLD_NS, OLD_NS))
    (envio.repositorio / PACKAGE).chmod(0o600)
    (modulo / "targets").chmod(0o775)
    theirs = tree(modulo)
    given = destination(place(servicio), taller).deliver(envio, free())
    assert tree(modulo) == {**theirs, **sent(envio)}
    assert (given.archivos, given.bytes) == (5, sum(map(len, sent(envio).values())))
    status = (modulo / PACKAGE).stat()
    assert status.st_mtime_ns == OLD_NS
    assert status.st_mode & 0o777 == 0o644  # the difusor reads what was 0600 here
    assert (modulo / "targets").stat().st_mode & 0o777 == 0o775
    again = destination(place(servicio), taller).deliver(envio, free())
    assert (again.archivos, again.bytes) == (0, 0)


def test_metadata_of_equal_size_and_time_is_replaced(
    servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio
) -> None:
    send = destination(place(servicio), taller)
    send.deliver(envio, free())
    for ruta in ("metadata/7.snapshot.json", TIMESTAMP):
        path = envio.repositorio / ruta
        path.write_bytes(path.read_bytes()[::-1])
        same = (modulo / ruta).stat().st_mtime_ns
        os.utime(path, ns=(same, same))
    assert send.deliver(envio, free()).archivos == 2
    assert {ruta: (modulo / ruta).read_bytes() for ruta in sent(envio)} == sent(envio)


def test_alternative_port_when_the_first_refuses(servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio) -> None:
    """DGO-II-net-c3: 873 and 2873. Here, a closed port and then the server's."""
    theirs = tree(modulo)
    with Enlace(HOST, servicio.puerto) as closed:
        closed.cierra()
        lugar = place(servicio, port=closed.puerto)
        with pytest.raises(RedError, match=f":{closed.puerto}/"):
            destination(lugar, taller).deliver(envio, free())
        with pytest.raises(RedError, match="rechazó la conexión"):
            destination(lugar, taller, puertos=(closed.puerto,)).deliver(envio, free())
        assert tree(modulo) == theirs
        given = destination(lugar, taller, puertos=(closed.puerto, servicio.puerto)).deliver(envio, free())
    assert given.archivos == 5
    assert tree(modulo) == {**theirs, **sent(envio)}


def test_what_the_daemon_refuses_changes_nothing(servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio) -> None:
    (taller / "otra").write_text("no es esta\n", encoding="utf-8")
    theirs = tree(modulo)
    for lugar, said in (
        (place(servicio, secreto="archivo:otra"), "contraseña"),
        (place(servicio, "nadie"), "módulo con ese nombre"),
        (place(servicio, "acuses"), "sólo lectura"),
        (place(servicio, "entrada/no/existe"), "no existe la carpeta"),
    ):
        with pytest.raises(DestinoError, match=said) as caught:
            destination(lugar, taller).deliver(envio, free())
        assert caught.value.que_hacer
        assert CLAVE not in str(caught.value)
        assert tree(modulo) == theirs
    (taller / "clave").unlink()
    with pytest.raises(AjustesError):
        destination(place(servicio), taller).deliver(envio, free())
    assert tree(modulo) == theirs


def test_module_only_to_write_cannot_be_read(servicio: Rsyncd, modulo: Path, taller: Path) -> None:
    (modulo / "000001-0001-recibido.json").write_bytes(b"{}")
    with pytest.raises(DestinoError, match="sólo sirve para entregar"):
        list(RsyncAcuses(place(servicio), folder=taller).collect(()))


def test_acuses_new_and_plain_only(servicio: Rsyncd, taller: Path, tmp_path: Path) -> None:
    folder = servicio.secretos.parent.parent / "acuses"
    names = [f"00000{n}-0001-{what}.json" for n, what in enumerate(("recibido", "verificado", "publicado"), 1)]
    for name in names:
        (folder / name).write_bytes(name.encode())
    (folder / "000004-0001-largo.json").write_bytes(b" " * (MAX_BYTES + 1))
    (folder / "000005-0001-justo.json").write_bytes(b" " * MAX_BYTES)
    (folder / "000006-0001-enlace.json").symlink_to("/etc/hostname")
    (folder / "000007-0001-carpeta.json").mkdir()
    (folder / "000007-0001-carpeta.json" / "dentro.json").write_bytes(b"{}")
    (folder / "otro nombre.json").write_bytes(b"{}")
    (folder / "-rf.json").write_bytes(b"{}")
    os.mkfifo(folder / "000008-0001-tubo.json")
    before = sorted(folder.iterdir())
    box = RsyncAcuses(place(servicio, "acuses"), folder=taller)
    found = list(box.collect({names[0]}))
    assert found == [(name, name.encode()) for name in names[1:]] + [("000005-0001-justo.json", b" " * MAX_BYTES)]
    assert list(box.collect({*names, "000005-0001-justo.json"})) == []
    assert sorted(folder.iterdir()) == before
    with pytest.raises(DestinoError):
        list(RsyncAcuses(place(servicio, "acuses/no-esta"), folder=taller).collect(()))


def test_timestamp_never_names_what_is_not_there(servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio) -> None:
    """A reader that looks all the time, while the package travels slowly."""
    send = destination(place(servicio), taller)
    done = threading.Event()

    def deliver() -> None:
        with contextlib.suppress(RedError):
            send.deliver(envio, Caudal(SystemClock(), 400_000))
        done.set()

    before = after = 0
    thread = threading.Thread(target=deliver)
    thread.start()
    while not done.is_set():
        try:
            named = json.loads((modulo / TIMESTAMP).read_bytes())
        except FileNotFoundError:
            before += 1
        else:
            after += 1
            assert {ruta: digest((modulo / ruta).read_bytes()) for ruta in named} == named
        if (modulo / PACKAGE).exists():
            assert digest((modulo / PACKAGE).read_bytes()) == digest((envio.repositorio / PACKAGE).read_bytes())
    thread.join()
    assert before > 10
    assert {ruta: (modulo / ruta).read_bytes() for ruta in sent(envio)} == sent(envio)


def test_rate_is_kept_and_the_password_is_nowhere_to_be_seen(
    servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (taller / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(taller / "tmp"))
    rate = 300_000
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit():
                    with contextlib.suppress(OSError):
                        command = (folder / "cmdline").read_bytes()
                        if b"rsync" in command and str(servicio.puerto).encode() in command:
                            seen.add((command + (folder / "environ").read_bytes()).decode(errors="replace"))
            done.wait(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    started = time.monotonic()
    try:
        # Two at once share it.
        destination(place(servicio), taller).deliver(envio, Caudal(SystemClock(), 2 * rate, a_la_vez=2))
    finally:
        spent = time.monotonic() - started
        done.set()
        watcher.join()
    assert spent > 0.8 * len(sent(envio)[PACKAGE]) / rate
    assert any("--bwlimit=292" in text for text in seen)
    assert not [text for text in seen if CLAVE in text]
    assert tree(modulo)[PACKAGE] == sent(envio)[PACKAGE]
    assert list((taller / "tmp").iterdir()) == []


def test_daemon_that_takes_one_at_a_time(servicio: Rsyncd, taller: Path, envio: Envio) -> None:
    """Sessions opened before their turn are refused: the delivery goes on without them."""
    given = destination(place(servicio, "sola"), taller).deliver(envio, free())
    assert given.archivos == 5
    assert tree(servicio.secretos.parent.parent / "sola") == sent(envio)


def test_sessions_that_wait_are_opened_again_before_they_are_too_old(tmp_path: Path) -> None:
    with rsyncd.Banco(tmp_path) as banco:
        envio = repository(tmp_path / "repositorio", 900_000)
        banco.enlace.ritmo(450_000)
        before = banco.enlace.conexiones
        given = banco.destino(stall_s=3.0).deliver(envio, free())
        assert given.bytes >= 900_000
        # One for each step, and each of the two that wait, once more at least while the package goes.
        assert banco.enlace.conexiones - before >= 5
        assert banco.archivos() == sent(envio)


def test_cut_package_goes_on_where_it_was(tmp_path: Path) -> None:
    with rsyncd.Banco(tmp_path) as banco:
        envio = repository(tmp_path / "repositorio", 1_500_000)
        package = sent(envio)[PACKAGE]
        banco.enlace.corta_tras(1_000_000)
        with pytest.raises(RedError):
            banco.destino().deliver(envio, free())
        assert [ruta for ruta in banco.archivos() if "/.~tmp~/" not in f"/{ruta}"] == []
        kept = sum(len(data) for data in banco.archivos().values())
        assert kept > 500_000
        banco.enlace.abre()
        start = banco.enlace.subidos
        given = banco.destino().deliver(envio, free())
        assert given.bytes < len(package) - kept + 20_000
        assert banco.enlace.subidos - start < len(package) - kept + 40_000
        assert banco.archivos() == sent(envio)


def test_restricted_account(tmp_path: Path, envio: Envio, monkeypatch: pytest.MonkeyPatch) -> None:
    """One handshake for three steps; it writes, and reads nothing. Nothing of ours stays running.

    The server takes one session at a time, so the steps cannot overlap.
    """
    (tmp_path / "cuenta" / "entrada").mkdir(parents=True)
    (tmp_path / "cuenta" / "000001-0001-recibido.json").write_bytes(b"{}")
    key = f'restrict,command="rrsync -wo -munge -no-del {tmp_path / "cuenta"}" {{publica}}'
    monkeypatch.setenv("RSYNC_RSH", "false")  # what others set for their own use is not ours
    monkeypatch.setenv("RSYNC_PROXY", "127.0.0.1:1")
    odd = tmp_path / "con espacio y %d"
    odd.mkdir()
    with (
        Sshd(tmp_path / "sshd", autorizadas=[key], ajustes=["MaxSessions 1"], sftp=None) as server,
        Enlace(HOST, server.puerto) as link,
    ):
        server.conocidos(odd / "equipos", link.puerto)
        server.llave.rename(odd / "llave")
        url = f"rsync+ssh://{server.usuario}@{HOST}:{link.puerto}/entrada"
        lugar = Lugar(url=url, llave=Path("llave"), anfitriones=Path("equipos"))
        assert destination(lugar, odd).deliver(envio, free()).archivos == 5
        assert link.conexiones == 1
        assert tree(tmp_path / "cuenta" / "entrada") == sent(envio)
        above = lugar.model_copy(update={"url": url.replace("/entrada", "")})
        with pytest.raises(DestinoError, match="sólo sirve para entregar"):
            list(RsyncAcuses(above, folder=odd).collect(()))
        outside = lugar.model_copy(update={"url": url.replace("/entrada", "/../fuera")})
        with pytest.raises(DestinoError):
            destination(outside, odd).deliver(envio, free())
        assert not (tmp_path / "fuera").exists()
    assert tree(tmp_path / "cuenta" / "entrada") == sent(envio)
    assert not [text for text in commands() if f"-p\0{link.puerto}" in text]


def commands() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(encoding="utf-8", errors="replace"))
    return found


def test_acuses_through_a_key_only_to_read(tmp_path: Path, envio: Envio) -> None:
    (tmp_path / "acuses").mkdir()
    (tmp_path / "acuses" / "000001-0001-recibido.json").write_bytes(b"{}")
    key = f'restrict,command="rrsync -ro {tmp_path / "acuses"}" {{publica}}'
    with Sshd(tmp_path / "sshd", autorizadas=[key], sftp=None) as server:
        lugar = Lugar(
            url=f"rsync+ssh://{server.usuario}@{HOST}:{server.puerto}/",
            llave=server.llave,
            anfitriones=server.anfitriones,
        )
        assert list(RsyncAcuses(lugar, folder=tmp_path).collect(())) == [("000001-0001-recibido.json", b"{}")]
        before = tree(tmp_path / "acuses")
        with pytest.raises(DestinoError):
            destination(lugar, tmp_path).deliver(envio, free())
        assert tree(tmp_path / "acuses") == before


def test_key_or_list_of_hosts_that_is_not_here(tmp_path: Path, envio: Envio) -> None:
    nueva_llave(tmp_path / "llave")
    lugar = Lugar(url=f"rsync+ssh://x@{HOST}:9/", llave=Path("llave"), anfitriones=Path("no-esta"))
    with pytest.raises(DestinoError, match="no-esta"):
        destination(lugar, tmp_path).deliver(envio, free())


def test_what_is_not_a_plain_file_of_the_repository_is_never_sent(
    servicio: Rsyncd, modulo: Path, taller: Path, envio: Envio
) -> None:
    """rsync would pass over a link without a word, and the timestamp would name what is not there."""
    theirs = tree(modulo)
    (envio.repositorio / "targets" / "enlace.zip").symlink_to("/etc/hostname")
    for ruta in ("targets/enlace.zip", "targets/cortes", "targets/../../clave", "/etc/hostname", "targets/nadie.zip"):
        wrong = Envio(envio.repositorio, ((*envio.pasos[0], ruta), *envio.pasos[1:]))
        with pytest.raises(RedError):
            destination(place(servicio), taller).deliver(wrong, free())
        assert tree(modulo) == theirs


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("rsync: write failed on «x»: No space left on device (28)\nrsync error: (code 11)", DestinoError, "lleno"),
        ("ssh: connect to host x port 22: Connection refused", NadieContestaError, "rechazó la conexión"),
        ("rsync error: timeout in data send/receive (code 30) at io.c", RedError, "dejó de avanzar"),
        ("sh: 1: rsync: not found\nconnection unexpectedly closed (code 12)", DestinoError, "programa rsync"),
        ('rsync: mkstemp ".x" failed: Permission denied (13)\n(code 23)', DestinoError, "no se puede escribir"),
        ("cuenta@equipo: Permission denied (publickey).", DestinoError, "llave de SSH"),
        ("@ERROR: access denied to entrada from x (1.2.3.4)", DestinoError, "hosts allow"),
        ("protocol version mismatch -- is your shell clean?\n(code 2)", DestinoError, "no habla rsync"),
        ("rsync: connection unexpectedly closed (code 12)", RedError, "se cortó"),
        ("", RedError, "estado 255"),
    ],
)
def test_what_the_programs_say(text: str, kind: type[Exception], said: str) -> None:
    error = failure("rsync://x/y", 255, text)
    assert type(error) is kind
    assert said in f"{error.que_paso} {error.que_hacer}"


def test_words_of_the_other_end_cannot_move_the_cursor() -> None:
    error = failure("rsync://x/y", 5, "@ERROR: \x1b[2J\x1b]0;mal\x07 " + "x" * 5000)
    assert "\x1b" not in error.que_paso
    assert len(error.que_paso) < 600


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/entrada", "/entrada/"),
        ("", "/"),
        ("/~/entrada/", "entrada/"),
        ("/~", "./"),
        ("/con%20espacio", "/con espacio/"),
    ],
)
def test_folder_of_an_address(path: str, there: str) -> None:
    lugar = Lugar(url=f"rsync+ssh://x@equipo{path}", llave=Path("llave"), anfitriones=Path("equipos"))
    assert remote_folder(lugar) == there


def test_two_deliveries_at_once_with_a_lock_there(tmp_path: Path) -> None:
    class Cerrado(rsync_ssh.Banco):
        rrsync = "rrsync -wo"

    with Cerrado(tmp_path) as banco:
        envio = repository(tmp_path / "repositorio", 100_000)
        errors: list[RedError] = []

        def deliver() -> None:
            try:
                banco.destino().deliver(envio, free())
            except RedError as exc:
                errors.append(exc)

        both = [threading.Thread(target=deliver) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert all("otra entrega" in error.que_paso for error in errors)
        assert len(errors) < 2
        assert banco.archivos() == sent(envio)
