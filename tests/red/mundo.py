"""A small world of machines for the tests and the bench: network namespaces joined by links of ours.

::

    with Mundo(semilla=7) as mundo:
        instituto, difusor = mundo.host("instituto"), mundo.host("difusor")
        enlace = mundo.une(instituto, difusor, Liga(mbps=20, ms=80))
        servidor = difusor.corre(["nginx", ...])
        instituto.corre(["pregon", ...])  # reaches it at difusor.ip

Needs root, ``ip`` and ``tc``. No pytest here: ``bench`` imports it too (``python -m bench`` runs at the root of the
repository). Everything made is removed when the block ends, whatever happened inside; what a killed process left is
removed by the next ``Mundo``. Names carry the process id.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pregon.base import procesos
from tests.red import relevo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pregon.base.procesos import Process

PREFIX = "pregon-red"
MAX_HOSTS = 128
MAX_LINKS = 256
ORDER_S = 20.0
"""Limit of one order to ``ip``, ``tc`` or the relay."""
QUEUE_S = 0.1
"""What may wait before a shaped link, in seconds of its rate: a router's buffer."""
BURST_S = 0.002
"""What a shaped link may send at once, in seconds of its rate."""
MTU = 1500
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Liga:
    """A link. ``mbps``: millions of bits per second each way, headers included; None for no limit.

    ``mbps_vuelta``: of the second machine to the first, where it differs. ``ms``: there and back together, as ``ping``
    tells it, without what the rate adds. ``perdida``: part of the packets lost each way, from 0 to 1.
    """

    mbps: float | None = None
    ms: float = 0.0
    perdida: float = 0.0
    mbps_vuelta: float | None = None


@dataclass(frozen=True)
class Cuenta:
    """What passed one way of a link, and what it dropped."""

    paquetes: int
    bytes: int
    perdidos: int


class Host:
    """One machine: a network namespace with its own address. Made by ``Mundo.host``."""

    def __init__(self, nombre: str, namespace: str, number: int, folder: Path) -> None:
        self.nombre = nombre
        self.namespace = namespace
        self.ip = f"10.78.{number >> 8}.{number & 255}"
        """Its only address, the same on every link."""
        self._folder = folder
        self._processes: list[Process] = []

    def corre(
        self,
        command: Sequence[str | Path],
        *,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Process:
        """Start a program on this machine; ended with the world. Both outputs go to ``output``.

        Raises:
            EntradaError: ``ip`` is not there. A program that is not there ends with status 1 or 255.
        """
        output = output or self._folder / f"{self.namespace}-{len(self._processes)}.txt"
        process = procesos.start(self.orden(command), output=output, environment=environment, folder=folder)
        self._processes.append(process)
        return process

    def orden(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs ``command`` on this machine, for whoever starts it in another way."""
        return ["ip", "netns", "exec", self.namespace, *map(str, command)]

    def dentro(self) -> AbstractContextManager[None]:
        """This thread on this machine, while the block lasts: the sockets that it opens are of here."""
        return relevo.inside(relevo.NETNS / self.namespace)

    def detiene(self) -> None:
        """End every program started here, and what they left running."""
        while self._processes:
            self._processes.pop().stop(grace=2.0)
        _end_all(self.namespace)


class EnlaceDeMundo:
    """One link of a world. Made by ``Mundo.une``; changes apply at once, both ways."""

    def __init__(self, mundo: Mundo, name: str, liga: Liga, ends: tuple[tuple[Host, str], tuple[Host, str]]) -> None:
        self._mundo = mundo
        self._name = name
        self._ends = ends
        self._cut = False
        self.liga = liga

    def cambia(self, **changes: Any) -> None:
        """Other values of its ``Liga``: ``cambia(perdida=0.01)``."""
        self.liga = dataclasses.replace(self.liga, **changes)
        self._apply(rates=not {"mbps", "mbps_vuelta"}.isdisjoint(changes))

    def corta(self) -> None:
        """Nothing passes, and nobody is told: a cable pulled out. What was under way is lost."""
        self._cut = True
        self._apply(rates=False)

    def abre(self) -> None:
        """The cable is back."""
        self._cut = False
        self._apply(rates=False)

    def cuenta(self) -> tuple[Cuenta, Cuenta]:
        """What passed from the first machine to the second, and back."""
        there, back = self._mundo.order("cuenta", enlace=self._name)["sentidos"]
        return Cuenta(*there), Cuenta(*back)

    def _apply(self, *, rates: bool) -> None:
        self._mundo.order(
            "cambia",
            enlace=self._name,
            retardo=self.liga.ms / 2000,
            perdida=self.liga.perdida,
            cortado=self._cut,
        )
        back = self.liga.mbps if self.liga.mbps_vuelta is None else self.liga.mbps_vuelta
        for (host, device), mbps in zip(self._ends, (self.liga.mbps, back), strict=True):
            if rates:
                _shape(host.namespace, device, mbps)


class Mundo:
    """Machines and links, while the block lasts."""

    def __init__(self, *, semilla: int = 0) -> None:
        """``semilla``: which packets are lost."""
        self._semilla = semilla
        self._name = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(2)}"
        self._stack = contextlib.ExitStack()
        self._hosts: dict[str, Host] = {}
        self._links = 0
        self._asking = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.folder = Path()
        """Where outputs of its programs go; removed at the end."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(self._socket.close)
            sweep()
            self.folder = Path(tempfile.mkdtemp(prefix=f"{self._name}-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._socket.settimeout(ORDER_S)
            self._socket.bind(str(self.folder / "mundo"))
            relay = procesos.start(
                [sys.executable, "-m", "tests.red.relevo", self.folder / "relevo", str(os.getpid())],
                output=self.folder / "relevo.txt",
                folder=ROOT,
            )
            stack.callback(relay.kill)
            path = self.folder / "relevo"
            procesos.wait_until(path.exists, relay, timeout=ORDER_S, what="El relevo no empezó")
            self._relay = relay
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def host(self, nombre: str) -> Host:
        """A new machine, joined to nothing."""
        number = len(self._hosts) + 1
        if number > MAX_HOSTS or nombre in self._hosts:
            raise ValueError(f"no room for another machine «{nombre}»")
        host = Host(nombre, f"{self._name}-{number}", number, self.folder)
        _run("ip", "netns", "add", host.namespace)
        self._stack.callback(_run, "ip", "netns", "del", host.namespace)
        self._stack.callback(host.detiene)
        _inside(host, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.ip_forward=1")
        _inside(host, "ip", "link", "set", "lo", "up")
        _inside(host, "ip", "address", "add", f"{host.ip}/32", "dev", "lo")
        self._hosts[nombre] = host
        return host

    def une(self, a: Host, b: Host, liga: Liga) -> EnlaceDeMundo:
        """Join two machines: each reaches the other at its ``ip``."""
        self._links += 1
        if self._links > MAX_LINKS:
            raise ValueError("too many links")
        name = f"r{self._links}"
        self.order("une", enlace=name, extremos=[[a.namespace, name], [b.namespace, name]], semilla=self._semilla)
        for here, there in ((a, b), (b, a)):
            # Long: what a slow moment of the relay makes wait here would otherwise be lost.
            _inside(here, "ip", "link", "set", name, "mtu", str(MTU), "txqueuelen", "4000", "up")
            _inside(here, "ip", "route", "add", f"{there.ip}/32", "dev", name, "src", here.ip)
        enlace = EnlaceDeMundo(self, name, liga, ((a, name), (b, name)))
        enlace._apply(rates=True)
        return enlace

    def camino(self, a: Host, por: Host, b: Host) -> None:
        """``a`` and ``b``, each joined to ``por``, reach one another through it."""
        for here, there in ((a, b), (b, a)):
            _inside(here, "ip", "route", "add", f"{there.ip}/32", "dev", _way(here, por), "src", here.ip)

    def order(self, orden: str, **data: Any) -> dict[str, Any]:
        """Tell the relay something; for ``EnlaceDeMundo``."""
        with self._asking:
            self._socket.sendto(json.dumps({"orden": orden, **data}).encode(), str(self.folder / "relevo"))
            answer: dict[str, Any] = json.loads(self._socket.recv(1 << 16))
        if "error" in answer:
            raise OSError(answer["error"])
        return answer

    def segundos_de_relevo(self) -> float:
        """CPU seconds that the relay has used: what the links of this world cost."""
        fields = Path(f"/proc/{self._relay.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def imposible() -> str | None:
    """Why no world can be made here; None where one can."""
    if os.geteuid() != 0:
        return "hace falta ser administrador (root)"
    for program in ("ip", "tc", "sysctl"):
        if shutil.which(program) is None:
            return f"falta el programa {program}"
    return None if Path("/dev/net/tun").exists() else "falta /dev/net/tun"


def sweep() -> None:
    """Remove the machines and folders of worlds whose process is gone, and the programs still running there."""
    for path in _orphans(relevo.NETNS):
        _end_all(path.name)
        # Another world may be removing it too.
        with contextlib.suppress(OSError):
            _run("ip", "netns", "del", path.name)
    for path in _orphans(Path(tempfile.gettempdir())):
        shutil.rmtree(path, ignore_errors=True)


def _orphans(folder: Path) -> Iterator[Path]:
    for path in folder.glob(f"{PREFIX}-*"):
        owner = path.name.removeprefix(f"{PREFIX}-").partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            yield path


def _end_all(namespace: str) -> None:
    """End the processes of a namespace of ours, one by one."""
    for pid in (procesos.capture(["ip", "netns", "pids", namespace], timeout=ORDER_S) or "").split():
        if int(pid) != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def _way(here: Host, there: Host) -> str:
    """The device by which ``here`` reaches ``there``."""
    text = procesos.capture(here.orden(["ip", "-j", "route", "show", f"{there.ip}/32"]), timeout=ORDER_S)
    routes = json.loads(text or "[]")
    if not routes:
        raise ValueError(f"«{here.nombre}» is not joined to «{there.nombre}»")
    return str(routes[0]["dev"])


def _shape(namespace: str, device: str, mbps: float | None) -> None:
    command = ["ip", "netns", "exec", namespace, "tc", "qdisc"]
    if mbps is None:
        # There is none to remove the first time.
        subprocess.run([*command, "del", "dev", device, "root"], check=False, capture_output=True, timeout=ORDER_S)
        return
    bytes_s = mbps * 1e6 / 8
    burst = max(2 * MTU, int(bytes_s * BURST_S))
    limit = burst + max(10 * MTU, int(bytes_s * QUEUE_S))
    shape = ("tbf", "rate", f"{int(mbps * 1e6)}bit", "burst", str(burst), "limit", str(limit))
    _run(*command, "replace", "dev", device, "root", *shape)


def _inside(host: Host, *command: str) -> None:
    _run(*host.orden(command))


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, timeout=ORDER_S)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")


@contextlib.contextmanager
def dos(liga: Liga, *, semilla: int = 0) -> Iterator[tuple[Mundo, Host, Host, EnlaceDeMundo]]:
    """The smallest world: «instituto» and «difusor» with one link."""
    with Mundo(semilla=semilla) as mundo:
        a, b = mundo.host("instituto"), mundo.host("difusor")
        yield mundo, a, b, mundo.une(a, b, liga)
