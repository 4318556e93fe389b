"""The old protocol of scp to a real OpenSSH server whose key runs one command: what the contract does not ask."""

from __future__ import annotations

import json
import os
import random
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import DestinoError, RedError
from pregon.base.procesos import start
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Entregado, Envio
from pregon.transport.lugar import Lugar
from pregon.transport.ssh.conexion import MAX_ACUSE
from pregon.transport.ssh.scp import ScpAcuses, ScpDestination
from pregon.transport.ssh.scp_entrega import MAX_TIMESTAMP
from tests.red.bancos import disco_chico
from tests.red.enlace import Enlace
from tests.red.servidores.sshd import HOST, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIG = "targets/cortes/0001/Paquete de la elección ñ.zip"
SMALL = "targets/cortes/0001/manifiesto.json"
METADATA = ("metadata/1.root.json", "metadata/1.snapshot.json")
TIMESTAMP = "metadata/timestamp.json"
SIZE = 700_000
REST = 3800
"""Bytes of the other files."""


class Mesa:
    """A repository here, an account there that takes what ``orden`` takes, and the relay between them."""

    def __init__(self, folder: Path, sshd: Sshd, enlace: Enlace) -> None:
        self.folder = folder
        self.sshd = sshd
        self.enlace = enlace
        self.repo = folder / "repositorio"
        self.there = folder / "entrada"
        self.there.mkdir()
        dice = random.Random(5)
        for ruta, size in {BIG: SIZE, SMALL: 900, METADATA[0]: 2000, METADATA[1]: 500, TIMESTAMP: 400}.items():
            self.write(ruta, dice.randbytes(size))
        sshd.conocidos(folder / "known_hosts", enlace.puerto)
        self.orden("scp -r -d -t entrada")

    def orden(self, command: str) -> None:
        """The forced command of the key from now on."""
        inside = f"cd {shlex.quote(str(self.folder))} && {command}".replace('"', '\\"')
        self.sshd.autoriza(f'command="{inside}",restrict {{publica}}')

    def write(self, ruta: str, data: bytes) -> None:
        path = self.repo / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @property
    def envio(self) -> Envio:
        return Envio(self.repo, ((BIG, SMALL), METADATA, (TIMESTAMP,)))

    @property
    def lugar(self) -> Lugar:
        # The path of the address says nothing to a forced command.
        url = f"scp://{self.sshd.usuario}@{HOST}:{self.enlace.puerto}/etc"
        return Lugar(url=url, llave=self.sshd.llave, anfitriones=self.folder / "known_hosts")

    def push(self, **changes: Any) -> Entregado:
        options = {"folder": self.folder, "clock": SystemClock(), **changes}
        return ScpDestination(self.lugar, **options).deliver(self.envio, Caudal(SystemClock()))

    def acuses(self, known: set[str]) -> list[tuple[str, bytes]]:
        return list(ScpAcuses(self.lugar, folder=self.folder).collect(known))

    def found(self) -> dict[str, bytes]:
        files = (path for path in self.there.rglob("*") if path.is_file())
        return {str(path.relative_to(self.there)): path.read_bytes() for path in files}

    def wanted(self) -> dict[str, bytes]:
        return {ruta: (self.repo / ruta).read_bytes() for paso in self.envio.pasos for ruta in paso}

    def put(self, ruta: str, data: bytes) -> Path:
        path = self.there / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd"), sftp=None) as server:
        yield server


@pytest.fixture
def mesa(tmp_path: Path, sshd: Sshd) -> Iterator[Mesa]:
    with Enlace(HOST, sshd.puerto) as enlace:
        yield Mesa(tmp_path, sshd, enlace)


def test_forced_command_takes_it_in_its_own_folder(mesa: Mesa) -> None:
    """GRO-2.1a: SSH, through SCP. Names with spaces and accents arrive as they are, with their time."""
    os.utime(mesa.repo / BIG, (1_622_000_000, 1_622_000_000))
    assert mesa.push().archivos == 5
    assert mesa.found() == mesa.wanted()
    assert (mesa.there / BIG).stat().st_mtime == 1_622_000_000
    assert mesa.push() == Entregado(1, 400), "the timestamp, which goes always"
    assert mesa.found() == mesa.wanted()


def test_program_scp_speaks_the_same(mesa: Mesa) -> None:
    """What is there after ``scp -O -r`` of OpenSSH is what is there after ours."""
    options = f"-O -r -q -i {mesa.sshd.llave} -P {mesa.enlace.puerto} -o BatchMode=yes"
    known = f"UserKnownHostsFile={mesa.folder / 'known_hosts'}"
    command = ["scp", *options.split(), "-o", known, *(str(mesa.repo / name) for name in ("targets", "metadata"))]
    process = start([*command, f"{mesa.sshd.usuario}@{HOST}:x"], output=mesa.folder / "scp.log")
    assert process.wait(10) == 0, process.tail()
    assert mesa.found() == mesa.wanted()
    mesa.push()
    assert mesa.found() == mesa.wanted()


def test_what_was_delivered_is_remembered_until_completo(mesa: Mesa) -> None:
    mesa.push()
    (kept,) = (mesa.folder / "entregas").iterdir()
    assert set(json.loads(kept.read_bytes())["archivos"]) == set(mesa.wanted())
    mesa.put(BIG, b"otra cosa")
    mesa.push()
    assert (mesa.there / BIG).read_bytes() == b"otra cosa", "nobody can look there"
    assert mesa.push(completo=True).archivos == 5
    assert mesa.found() == mesa.wanted()
    kept.write_bytes(b"{")
    assert mesa.push().archivos == 5, "a memory that cannot be read costs sending again, no more"


def test_file_that_was_cut_goes_whole_the_next_time_and_the_others_not(mesa: Mesa) -> None:
    mesa.push()
    mesa.write(BIG, random.Random(9).randbytes(SIZE))
    anterior = (mesa.there / TIMESTAMP).read_bytes()
    mesa.write(TIMESTAMP, b"n" * 500)
    mesa.enlace.corta_tras(SIZE // 2)
    with pytest.raises(RedError, match="cortó la conexión"):
        mesa.push()
    assert (mesa.there / TIMESTAMP).read_bytes() == anterior
    mesa.enlace.abre()
    assert mesa.push() == Entregado(2, SIZE + 500)
    assert mesa.found() == mesa.wanted()


@pytest.mark.parametrize("completo", [False, True])
def test_timestamp_that_shrinks_is_whole_at_every_look(mesa: Mesa, completo: bool) -> None:  # noqa: FBT001
    """scp cuts what is left of an older, longer one only after it wrote the new one: a reader would see both."""
    values = [json.dumps({"n": number, "x": "x" * length}).encode() for number, length in enumerate((900, 20))]
    mesa.write(TIMESTAMP, values[0])
    mesa.push()
    stop = threading.Event()
    seen: set[bytes] = set()

    def look() -> None:
        while not stop.is_set():
            seen.add((mesa.there / TIMESTAMP).read_bytes())
            time.sleep(0.0001)

    reader = threading.Thread(target=look)
    reader.start()
    mesa.write(TIMESTAMP, values[1])
    given = mesa.push(completo=completo)
    stop.set()
    reader.join()
    assert {data.rstrip(b" ") for data in seen} <= set(values)
    assert (mesa.there / TIMESTAMP).read_bytes() == values[1]
    extra = MAX_TIMESTAMP if completo else len(values[0])
    assert given.bytes == extra + len(values[1]) + (SIZE + REST - 400 if completo else 0)


@pytest.mark.parametrize(
    ("orden", "words"),
    [
        ("scp -t entrada", "sólo recibe archivos sueltos"),
        ("scp -r -d -t no-esta", "su scp no recibe"),
        ("echo Bienvenido", "su scp no recibe: «Bienvenido"),
        ("no-hay-tal-orden", "su scp no recibe"),
    ],
)
def test_key_line_that_does_something_else(mesa: Mesa, orden: str, words: str) -> None:
    mesa.put(TIMESTAMP, b"anterior")
    mesa.orden(orden)
    with pytest.raises(DestinoError, match=words) as caught:
        mesa.push()
    assert "Pida al difusor" in caught.value.que_hacer
    assert mesa.found() == {TIMESTAMP: b"anterior"}


def test_key_line_that_says_nothing(mesa: Mesa) -> None:
    mesa.orden("sleep 5")
    with pytest.raises(RedError, match="no contestó en scp"):
        mesa.push(connect_s=0.5)
    mesa.sshd.corta()
    assert mesa.found() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted as root")
def test_full_disk(mesa: Mesa) -> None:
    mesa.put(TIMESTAMP, b"anterior")
    with disco_chico(mesa.there, SIZE // 2) as disk:
        with pytest.raises(DestinoError, match="disco está lleno"):
            mesa.push()
        assert (mesa.there / TIMESTAMP).read_bytes() == b"anterior"
        assert not (mesa.there / METADATA[0]).exists()
        disk.crece(2 * SIZE)
        mesa.push()
        assert mesa.found() == mesa.wanted()


def test_file_where_a_folder_should_be(mesa: Mesa) -> None:
    """What was inside that folder must not go into the one before."""
    mesa.put("targets", b"suyo")
    with pytest.raises(DestinoError, match="Not a directory"):
        mesa.push()
    assert mesa.found() == {"targets": b"suyo"}


def test_server_that_allows_one_session_at_a_time(mesa: Mesa, tmp_path: Path) -> None:
    with Sshd(tmp_path / "otro", ajustes=["MaxSessions 1"]) as other:
        url = f"scp://{other.usuario}@{HOST}:{other.puerto}{mesa.there}"
        lugar = Lugar(url=url, llave=other.llave, anfitriones=other.anfitriones)
        destino = ScpDestination(lugar, folder=mesa.folder, clock=SystemClock())
        assert destino.deliver(mesa.envio, Caudal(SystemClock())).archivos == 5
    assert mesa.found() == mesa.wanted(), "without a forced command, in the folder of the address"


def test_silence_half_way(mesa: Mesa) -> None:
    mesa.enlace.calla_tras(SIZE // 2)
    began = time.monotonic()
    with pytest.raises(RedError, match="no avanzó un solo byte"):
        mesa.push(stall_s=0.4)
    assert time.monotonic() - began < 5
    mesa.enlace.abre()
    assert TIMESTAMP not in mesa.found()


def test_acuses_that_are_new(mesa: Mesa) -> None:
    """What is known already is announced by the other side and not taken; nothing else is read."""
    mesa.orden("scp -r -f acuses")
    assert mesa.acuses(set()) == []
    box = mesa.folder / "acuses"
    box.mkdir()
    assert mesa.acuses(set()) == []
    for name in ("000002-0001-verificado.json", "000001-0001-recibido.json", "000003-0001-publicado.json"):
        (box / name).write_text(name, encoding="utf-8")
    (box / "000000-0001-viejo.json").write_bytes(b"v" * MAX_ACUSE)
    (box / "notas.txt").write_bytes(b"no")
    (box / "000004-0001-grande.json").write_bytes(b"x" * (MAX_ACUSE + 1))
    (box / "carpeta").mkdir()
    (box / "carpeta" / "000005-0001-adentro.json").write_bytes(b"no")
    before = mesa.enlace.bajados
    assert mesa.acuses({"000002-0001-verificado.json", "000000-0001-viejo.json"}) == [
        ("000001-0001-recibido.json", b"000001-0001-recibido.json"),
        ("000003-0001-publicado.json", b"000003-0001-publicado.json"),
    ]
    assert mesa.enlace.bajados - before < 20_000


def test_acuses_of_a_key_that_does_not_read(mesa: Mesa) -> None:
    mesa.orden("scp -f acuses")
    (mesa.folder / "acuses").mkdir()
    with pytest.raises(DestinoError, match="no deja leer los acuses"):
        mesa.acuses(set())
