"""SFTP to a real OpenSSH server: what the contract of all carriers does not ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import DestinoError, RedError
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Entregado, Envio
from pregon.transport.lugar import Lugar
from pregon.transport.pieza import pieces
from pregon.transport.ssh.conexion import MAX_ACUSE, access
from pregon.transport.ssh.sftp import SftpAcuses, SftpDestination
from tests.red.enlace import Enlace
from tests.red.servidores.sshd import HOST, Sshd, nueva_llave

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIG = "targets/cortes/0001/Paquete de la elección ñ.zip"
SMALL = "targets/cortes/0001/manifiesto.json"
METADATA = ("metadata/1.root.json", "metadata/1.snapshot.json")
TIMESTAMP = "metadata/timestamp.json"
SIZE = 1_500_000
DAY_S = 86_400.0
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="as root every account may be entered and disks mounted")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


class Mesa:
    """A repository here, a folder there, and the relay between them."""

    def __init__(self, folder: Path, sshd: Sshd, enlace: Enlace) -> None:
        self.folder = folder
        self.sshd = sshd
        self.enlace = enlace
        self.repo = folder / "repositorio"
        self.there = folder / "entrada"
        self.there.mkdir()
        dice = random.Random(3)
        for ruta, size in {BIG: SIZE, SMALL: 900, METADATA[0]: 2000, METADATA[1]: 500, TIMESTAMP: 400}.items():
            self.write(ruta, dice.randbytes(size))
        sshd.conocidos(folder / "known_hosts", enlace.puerto)

    def write(self, ruta: str, data: bytes) -> None:
        path = self.repo / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @property
    def envio(self) -> Envio:
        return Envio(self.repo, ((BIG, SMALL), METADATA, (TIMESTAMP,)))

    def lugar(self, **changes: Any) -> Lugar:
        values = {
            "url": f"sftp://{self.sshd.usuario}@{HOST}:{self.enlace.puerto}{self.there}",
            "llave": self.sshd.llave,
            "anfitriones": self.folder / "known_hosts",
        }
        return Lugar(**{**values, **changes})

    def push(self, lugar: Lugar | None = None, **changes: Any) -> Entregado:
        options = {"folder": self.folder, "clock": SystemClock(), **changes}
        return SftpDestination(lugar or self.lugar(), **options).deliver(self.envio, Caudal(SystemClock()))

    def found(self) -> dict[str, bytes]:
        files = (path for path in self.there.rglob("*") if path.is_file())
        return {str(path.relative_to(self.there)): path.read_bytes() for path in files}

    def wanted(self) -> dict[str, bytes]:
        return {ruta: (self.repo / ruta).read_bytes() for paso in self.envio.pasos for ruta in paso}

    def part(self, ruta: str) -> Path:
        piece = next(piece for step in pieces(self.envio) for piece in step if piece.ruta == ruta)
        return self.there / f"{ruta}.{piece.marca}.part"

    def put(self, ruta: str | Path, data: bytes, *, age_s: float = 0.0) -> Path:
        path = self.there / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (time.time() - age_s, time.time() - age_s))
        return path


@pytest.fixture
def mesa(tmp_path: Path, sshd: Sshd) -> Iterator[Mesa]:
    with Enlace(HOST, sshd.puerto) as enlace:
        yield Mesa(tmp_path, sshd, enlace)


def test_names_with_spaces_and_accents_keep_their_time(mesa: Mesa) -> None:
    os.utime(mesa.repo / BIG, ns=(10**18, 1_622_000_000_123_456_789))
    assert mesa.push() == Entregado(5, SIZE + 3800)
    assert mesa.found() == mesa.wanted()
    assert (mesa.there / BIG).stat().st_mtime == 1_622_000_000
    assert mesa.push() == Entregado(0, 0)


def _closed(mesa: Mesa) -> Path:
    nueva_llave(mesa.folder / "cerrada", frase="frase")
    return mesa.folder / "cerrada"


def _open_to_others(mesa: Mesa) -> Path:
    path = mesa.folder / "abierta"
    path.write_bytes(mesa.sshd.llave.read_bytes())
    path.chmod(0o640)
    return path


def _no_key(mesa: Mesa) -> Path:
    path = mesa.folder / "nota.txt"
    path.write_text("no es una llave", encoding="utf-8")
    path.chmod(0o600)
    return path


def _other_host(mesa: Mesa) -> Path:
    return mesa.sshd.conocidos(mesa.folder / "de-otro", mesa.enlace.puerto + 1)


def _no_list(mesa: Mesa) -> Path:
    path = mesa.folder / "dañada"
    path.write_text(f"[{HOST}]:{mesa.enlace.puerto} ssh-ed25519 AAAA\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("setting", "make", "words"),
    [
        ("llave", lambda mesa: mesa.folder / "no-esta", "no existe la llave"),
        ("llave", _closed, "cerrada con una frase"),
        ("llave", _open_to_others, "la pueden leer otras cuentas"),
        ("llave", _no_key, "no es una llave privada"),
        ("anfitriones", lambda mesa: mesa.folder / "no-esta", "la lista de llaves de equipos"),
        ("anfitriones", _other_host, "no se sabe quién contesta"),
        ("anfitriones", _no_list, "no se "),
    ],
)
def test_what_is_wrong_here_is_told_before_connecting(mesa: Mesa, setting: str, make: Any, words: str) -> None:
    """Each with its own sentence; nobody was called, so nothing can have changed there."""
    mesa.put(TIMESTAMP, b"anterior")
    with pytest.raises(DestinoError, match=words) as caught:
        mesa.push(mesa.lugar(**{setting: make(mesa)}))
    assert "sigue como estaba" in caught.value.intacto
    assert caught.value.que_hacer
    assert mesa.enlace.conexiones == 0
    assert mesa.found() == {TIMESTAMP: b"anterior"}


def test_server_with_another_key_gets_nothing(mesa: Mesa) -> None:
    other = nueva_llave(mesa.folder / "otra")
    path = mesa.folder / "otros"
    path.write_text(f"[{HOST}]:{mesa.enlace.puerto} {other}\n", encoding="utf-8")
    mesa.put(TIMESTAMP, b"anterior")
    with pytest.raises(DestinoError, match="puede ser otro"):
        mesa.push(mesa.lugar(anfitriones=path))
    assert mesa.found() == {TIMESTAMP: b"anterior"}


def test_key_that_they_do_not_know(mesa: Mesa) -> None:
    nueva_llave(mesa.folder / "otra")
    with pytest.raises(DestinoError, match="no admite la llave"):
        mesa.push(mesa.lugar(llave=mesa.folder / "otra"))
    assert mesa.found() == {}


def test_nobody_listens_and_nobody_answers(mesa: Mesa) -> None:
    mesa.enlace.cierra()
    with pytest.raises(RedError, match="rechazó la conexión"):
        mesa.push()
    mesa.enlace.abre()
    mesa.enlace.calla()
    with pytest.raises(RedError, match=r"no respondió en 0\.2 s"):
        mesa.push(connect_s=0.2)
    mesa.enlace.abre()
    assert mesa.found() == {}


def test_account_without_sftp(mesa: Mesa, tmp_path: Path) -> None:
    with Sshd(tmp_path / "otro", sftp=None) as other:
        lugar = mesa.lugar(
            url=f"sftp://{other.usuario}@{HOST}:{other.puerto}{mesa.there}",
            llave=other.llave,
            anfitriones=other.anfitriones,
        )
        with pytest.raises(DestinoError, match="no le ofrece SFTP"):
            mesa.push(lugar)
    assert mesa.found() == {}


def test_server_without_posix_rename(mesa: Mesa, tmp_path: Path) -> None:
    """Plain renames do not replace: what is there of that name goes first."""
    with Sshd(tmp_path / "otro", sftp="internal-sftp -P posix-rename") as other:
        lugar = mesa.lugar(
            url=f"sftp://{other.usuario}@{HOST}:{other.puerto}{mesa.there}",
            llave=other.llave,
            anfitriones=other.anfitriones,
        )
        mesa.push(lugar)
        assert mesa.found() == mesa.wanted()
        mesa.write(TIMESTAMP, b"otro, y de otro largo")
        assert mesa.push(lugar).archivos == 1
        assert mesa.found() == mesa.wanted()


def test_folder_that_is_not_there_is_not_made(mesa: Mesa) -> None:
    """A disk that is not mounted, or a typing error: a tree in the wrong place would look delivered."""
    with pytest.raises(DestinoError, match="no existe la carpeta"):
        mesa.push(mesa.lugar(url=f"{mesa.lugar().url}/no-esta"))
    assert mesa.found() == {}


def test_file_that_went_away_here(mesa: Mesa) -> None:
    (mesa.repo / SMALL).unlink()
    with pytest.raises(RedError, match=SMALL):
        mesa.push()
    assert mesa.found() == {}


def test_resume_sends_only_the_rest(mesa: Mesa) -> None:
    half = (mesa.repo / BIG).read_bytes()[: SIZE // 2]
    mesa.part(BIG).parent.mkdir(parents=True)
    mesa.part(BIG).write_bytes(half)
    start = mesa.enlace.subidos
    assert mesa.push().bytes == SIZE - len(half) + 3800
    assert mesa.enlace.subidos - start < SIZE - len(half) + 40_000
    assert mesa.found() == mesa.wanted()


def test_half_of_another_content_is_not_continued(mesa: Mesa) -> None:
    """The same name with other bytes inside: its half is of no use, and stays for whoever is at it, for a day."""
    old = mesa.part(BIG)
    mesa.put(old, b"a" * 1000)
    mesa.write(BIG, b"z" * SIZE)
    mesa.push()
    assert (mesa.there / BIG).read_bytes() == b"z" * SIZE
    assert old.read_bytes() == b"a" * 1000
    os.utime(old, (0, 0))
    mesa.push()
    assert not old.exists()


def test_completo_sends_again_what_looks_right(mesa: Mesa) -> None:
    """A disk that changed a bit keeps length and time: only the difusor sees it, by SHA-256."""
    mesa.push()
    status = (mesa.there / BIG).stat()
    bad = bytearray((mesa.there / BIG).read_bytes())
    bad[1000] ^= 1
    (mesa.there / BIG).write_bytes(bad)
    os.utime(mesa.there / BIG, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert mesa.push().archivos == 0
    assert mesa.push(completo=True).archivos == 5
    assert mesa.found() == mesa.wanted()


def test_timestamp_of_the_same_second_and_length(mesa: Mesa) -> None:
    os.utime(mesa.repo / TIMESTAMP, ns=(10**18, 10**18))
    mesa.push()
    mesa.write(TIMESTAMP, b"x" * 400)
    os.utime(mesa.repo / TIMESTAMP, ns=(10**18, 10**18 + 1))
    for _ in range(3):
        mesa.push()
        assert (mesa.there / TIMESTAMP).read_bytes() == b"x" * 400


def test_leftovers_of_ours_go_and_nobody_elses(mesa: Mesa) -> None:
    mesa.push()
    gone = [
        mesa.put(mesa.part(SMALL), b"mitad"),
        mesa.put(f"{SMALL}.01234567.part", b"mitad", age_s=2 * DAY_S),
    ]
    kept = [
        mesa.put(f"{BIG}.89abcdef.part", b"de hoy"),
        mesa.put(f"{SMALL}.part", b"suyo", age_s=9 * DAY_S),
        mesa.put("targets/cortes/0001/suyo.zip.01234567.part", b"suyo", age_s=9 * DAY_S),
        mesa.put("targets/cortes/0001/notas.txt", b"suyo", age_s=9 * DAY_S),
    ]
    mesa.push()
    assert [path.exists() for path in gone] == [False, False]
    assert [path.exists() for path in kept] == [True] * 4


@ROOT
def test_full_disk_leaves_only_what_has_no_gaps(mesa: Mesa) -> None:
    """What is kept for going on is a beginning of the file, whatever found room after the first refusal."""
    from tests.red.bancos import disco_chico

    mesa.put(TIMESTAMP, b"anterior")
    with disco_chico(mesa.there, SIZE // 2) as disk:
        with pytest.raises(DestinoError, match="está lleno"):
            mesa.push()
        assert (mesa.there / TIMESTAMP).read_bytes() == b"anterior"
        half = mesa.part(BIG).read_bytes()
        assert (mesa.repo / BIG).read_bytes().startswith(half)
        assert half
        disk.crece(2 * SIZE)
        assert mesa.push().bytes <= SIZE - len(half) + 3800
        assert mesa.found() == mesa.wanted()


@ROOT
def test_folder_that_may_not_be_written(mesa: Mesa, tmp_path: Path) -> None:
    """A server whose account may only read."""
    with Sshd(tmp_path / "otro", sftp="internal-sftp -R") as other:
        lugar = mesa.lugar(
            url=f"sftp://{other.usuario}@{HOST}:{other.puerto}{mesa.there}",
            llave=other.llave,
            anfitriones=other.anfitriones,
        )
        with pytest.raises(DestinoError, match="no tiene permiso"):
            mesa.push(lugar)
    assert mesa.found() == {}


def test_sessions_that_die_under_two_deliveries_at_once(mesa: Mesa) -> None:
    """Both lose their session half way, in the same file; both go on, and what they leave is right."""
    mesa.enlace.ritmo(6_000_000)
    errors: list[Exception] = []

    def deliver() -> None:
        for _ in range(4):
            try:
                mesa.push()
            except RedError as exc:
                errors.append(exc)
            else:
                return

    both = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in both:
        thread.start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not (mesa.part(BIG).exists() and mesa.part(BIG).stat().st_size > SIZE // 4):
        time.sleep(0.01)
    mesa.sshd.corta()
    for thread in both:
        thread.join()
    assert errors
    assert mesa.found() == mesa.wanted()


def test_enough_in_flight_for_a_long_link(mesa: Mesa) -> None:
    """100 Mbps and 80 ms hold 1 MB: with less in flight a delivery waits for answers instead of for the link."""
    mesa.write(BIG, random.Random(4).randbytes(2 * SIZE))
    with _far_away(mesa.sshd.puerto, 0.08) as far:
        mesa.sshd.conocidos(mesa.folder / "known_hosts", far.puerto)
        mesa.push(mesa.lugar(url=f"sftp://{mesa.sshd.usuario}@{HOST}:{far.puerto}{mesa.there}"))
    assert mesa.found() == mesa.wanted()
    assert far.most > 1_000_000
    assert far.most < 2_500_000


class _Far:
    """What the long way saw: the port where it begins, and the most bytes to the server that were under way."""

    puerto = 0
    most = 0


@contextlib.contextmanager
def _far_away(port: int, turn_s: float) -> Iterator[_Far]:
    """A relay in a thread of its own: what goes to the server arrives ``turn_s`` later, answers at once."""
    seen = _Far()
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
        under_way = 0

        def arrive(data: bytes) -> None:
            nonlocal under_way
            under_way -= len(data)
            if data and not writer.is_closing():
                writer.write(data)
            elif not data:
                writer.close()

        data = b"-"
        while data:
            try:
                data = await reader.read(1 << 18)
            except OSError:
                data = b""
            under_way += len(data)
            seen.most = max(seen.most, under_way if delay_s else 0)
            loop.call_later(delay_s, arrive, data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection(HOST, port)
        await asyncio.gather(carry(reader, there, turn_s), carry(back, writer, 0.0))
        await asyncio.gather(there.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def run() -> None:
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(serve(reader, writer)))

        async with await asyncio.start_server(accept, HOST, 0) as server:
            seen.puerto = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            await asyncio.gather(*tasks)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    ready.wait(5)
    try:
        yield seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_acuses_that_are_new(mesa: Mesa) -> None:
    box = SftpAcuses(mesa.lugar(url=f"{mesa.lugar().url}/acuses"), folder=mesa.folder)
    assert list(box.collect(set())) == []
    for name in ("000002-0001-verificado.json", "000001-0001-recibido.json", "000003-0001-publicado.json"):
        mesa.put(f"acuses/{name}", name.encode())
    mesa.put("acuses/notas.txt", b"no")
    mesa.put("acuses/.oculto.json", b"no")
    mesa.put("acuses/000004-0001-grande.json", b"x" * (MAX_ACUSE + 1))
    (mesa.there / "acuses/000005-0001-enlace.json").symlink_to("/etc/passwd")
    (mesa.there / "acuses/carpeta.json").mkdir()
    before = mesa.found()
    assert list(box.collect({"000002-0001-verificado.json"})) == [
        ("000001-0001-recibido.json", b"000001-0001-recibido.json"),
        ("000003-0001-publicado.json", b"000003-0001-publicado.json"),
    ]
    assert mesa.found() == before


def test_folders_as_addresses_name_them(mesa: Mesa) -> None:
    for ruta, folder in {"/srv/entrada/": "/srv/entrada", "/~/entrada": "entrada", "/~/": ".", "/": "/"}.items():
        assert mesa.lugar(url=f"sftp://a@b{ruta}").carpeta == folder
    with pytest.raises(DestinoError, match=r"\[otro\]:2222"):
        access(mesa.lugar(url="sftp://a@otro:2222/x"), mesa.folder)
