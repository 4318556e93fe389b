"""What can be seen of this machine and of this difusor's memory, gathered without judging it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pregon.difusor.decide import decide
from pregon.difusor.historia.pronostico import forecast
from pregon.difusor.nube.estado import estados
from pregon.difusor.servidor.direccion import DIRECCION, public_url
from pregon.difusor.situacion import situation_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.clock import Clock
    from pregon.difusor.decide import Decision
    from pregon.difusor.historia.pronostico import Pronostico
    from pregon.difusor.libro import Libro
    from pregon.difusor.nube.estado import EstadoNube
    from pregon.difusor.reloj import ClockReading
    from pregon.difusor.workspace import Workspace

CONEXION_S = 3.0
"""For a connection to the web server of this machine."""
PRONOSTICO_S = 300.0
"""How old a forecast may be, where no cut came: it reads the size of every original."""
SALTO_DURA_S = 900.0
"""How long a jump of the clock is told."""
RITMO_S = 300.0
"""The growth of the log is measured over so long at least."""
ROLES = ("root", "targets", "cortes", "avisos", "snapshot", "timestamp")
_MAX_METADATA = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Vista:
    """One look. Bytes, seconds, aware instants; None where it cannot be known or does not apply.

    First what this machine says, then what the state database does: on a full disk only the former can be read.
    """

    now: datetime
    disco_libre: int
    inodos_libres: int
    inodos: int
    memoria_disponible: int | None
    memoria_propia: int | None
    salto_s: float | None
    bitacora: int
    bitacoras: int
    bitacora_por_hora: float | None
    servidor: bool | None
    vigencias: Mapping[str, datetime] = field(default_factory=dict)

    decision: Decision | None = None
    corte: int | None = None
    pronostico: Pronostico | None = None
    reloj: ClockReading | None = None
    intento: Mapping[str, Any] | None = None
    barrido: datetime | None = None
    alterado: Mapping[str, Any] | None = None
    retirados: tuple[str, ...] = ()
    apartado: Mapping[str, Any] | None = None
    acuses_pendientes: int = 0
    acuses_espera_s: float | None = None
    nube: tuple[EstadoNube, ...] = ()


class Observador:
    """Looks again and again; remembers what only two looks can tell. ``real`` is the machine's own clock."""

    def __init__(self, workspace: Workspace, clock: Clock, real: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._real = real
        self._times: tuple[datetime, float] | None = None
        self._jump: tuple[float, float] | None = None
        self._log: tuple[float, int] | None = None
        self._growth: float | None = None
        self._forecast: tuple[float, int | None, Pronostico] | None = None
        self._expiries: dict[str, tuple[tuple[int, ...], datetime]] = {}

    def equipo(self) -> Vista:
        """Look at this machine alone.

        Raises:
            OSError: the workspace cannot be read.
        """
        workspace = self._workspace
        status = os.statvfs(workspace.folder)
        available, own = memory()
        logs = log_sizes(workspace)
        return Vista(
            now=self._clock.now(),
            disco_libre=shutil.disk_usage(workspace.folder).free,
            inodos_libres=status.f_favail,
            inodos=status.f_files,
            memoria_disponible=available,
            memoria_propia=own,
            salto_s=self._salto(),
            bitacora=_size(workspace.servidor / "acceso.log"),
            bitacoras=logs,
            bitacora_por_hora=self._ritmo(logs),
            servidor=serves(workspace),
            vigencias=expiries(workspace, self._expiries),
        )

    def completa(self, vista: Vista, libro: Libro) -> Vista:
        """``vista`` with what this difusor remembers.

        Raises:
            DiscoError: the state database cannot be used.
            OSError: the workspace cannot be read.
        """
        newest = libro.ultimo()
        pending, waits = self._acuses(libro)
        return replace(
            vista,
            decision=decide(situation_of(self._workspace, libro, vista.now)),
            corte=None if newest is None else newest.corte,
            pronostico=self._pronostico(libro, vista.now),
            reloj=libro.reloj,
            intento=libro.intento,
            barrido=libro.barrido,
            alterado=libro.alterado,
            retirados=libro.retirados,
            apartado=libro.apartado,
            acuses_pendientes=pending,
            acuses_espera_s=waits,
            nube=estados(self._workspace, libro),
        )

    def _pronostico(self, libro: Libro, now: datetime) -> Pronostico:
        newest, seconds = libro.ultimo(), self._real.monotonic()
        number = None if newest is None else newest.corte
        known = self._forecast
        if known is None or known[1] != number or seconds - known[0] > PRONOSTICO_S:
            self._forecast = known = (seconds, number, forecast(self._workspace, libro, now))
        return known[2]

    def _salto(self) -> float | None:
        """Seconds that the clock jumped, while that is told; a simulated clock goes at a pace of its own."""
        if self._clock.simulado:
            return None
        now, seconds = self._clock.now(), self._clock.monotonic()
        before, self._times = self._times, (now, seconds)
        if before is not None:
            jump = (now - before[0]).total_seconds() - (seconds - before[1])
            if abs(jump) > self._workspace.settings.vigilancia.salto_s:
                self._jump = (jump, seconds)
        if self._jump is not None and seconds - self._jump[1] > SALTO_DURA_S:
            self._jump = None
        return None if self._jump is None else self._jump[0]

    def _ritmo(self, size: int) -> float | None:
        """Bytes an hour that the logs grow by; what is rolled and compressed meanwhile does not count as shrinking."""
        seconds = self._real.monotonic()
        before = self._log
        if before is None or size < before[1]:
            self._log = (seconds, size)
        elif seconds - before[0] >= RITMO_S:
            self._growth = (size - before[1]) * 3600 / (seconds - before[0])
            self._log = (seconds, size)
        return self._growth

    def _acuses(self, libro: Libro) -> tuple[int, float | None]:
        """How many acuses the institute's receiver has not taken, and how long the oldest waits."""
        waiting = unsent(self._workspace, libro)
        if not waiting:
            return 0, None
        oldest = min(waiting).stat(follow_symlinks=False).st_mtime
        return len(waiting), max(0.0, self._real.now().timestamp() - oldest)


def memory() -> tuple[int | None, int | None]:
    """Bytes available on this machine, and those that this process holds; None where the system does not say."""
    available = own = None
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        own = pages * os.sysconf("SC_PAGE_SIZE")
    return available, own


def unsent(workspace: Workspace, libro: Libro) -> list[Path]:
    """The acuses that the institute's receiver has not taken; none where they are not sent."""
    if workspace.settings.acuses.envia is None:
        return []
    sent = libro.acuses_enviados
    return [
        path for path in workspace.acuses.glob("[0-9]*.json") if path.name[:6].isdigit() and int(path.name[:6]) > sent
    ]


def log_sizes(workspace: Workspace) -> int:
    """Bytes of the access logs here, the rolled ones too."""
    with contextlib.suppress(OSError), os.scandir(workspace.servidor) as entries:
        return sum(
            _size(Path(entry.path)) for entry in entries if entry.name.startswith("acceso") and ".log" in entry.name
        )
    return 0


def history_size(workspace: Workspace) -> int:
    """Bytes of the originals that are kept."""
    return sum(_size(Path(folder) / name) for folder, _, names in os.walk(workspace.historico) for name in names)


def serves(workspace: Workspace) -> bool | None:
    """Whether the web server of this workspace takes a connection; None where it is another program's business.

    Ours leaves its address in a file. Without that file nobody of ours serves: then a public ``url`` is the other's.
    """
    try:
        text = (workspace.servidor / DIRECCION).read_bytes()[:2048].decode("ascii").strip()
        port = urlsplit(text).port or (443 if text.startswith("https:") else 80)
    except (OSError, UnicodeDecodeError, ValueError):
        return None if public_url(workspace) is not None else False
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(  # noqa: S104 (a name to be replaced)
        workspace.settings.servidor.direccion, workspace.settings.servidor.direccion
    )
    try:
        socket.create_connection((host, port), timeout=CONEXION_S).close()
    except OSError:
        return False
    return True


def expiries(
    workspace: Workspace, known: dict[str, tuple[tuple[int, ...], datetime]] | None = None
) -> Mapping[str, datetime]:
    """Until when each role's signature holds, by what the verifier keeps; nothing where the institute does not sign.

    ``known`` is what earlier looks read, by role, with the state of each file, and is brought up to date: the list of
    all the cuts is not read whole at every look.
    """
    known = {} if known is None else known
    if not workspace.firmado:
        return {}
    found = {}
    for role in ROLES:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            tuf = workspace.confianza / "tuf"
            path = _newest_root(tuf / "root_history") if role == "root" else tuf / f"{role}.json"
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                if role not in known or known[role][0] != state:
                    text = json.loads(file.read(_MAX_METADATA))["signed"]["expires"]
                    instant = datetime.fromisoformat(text)
                    if instant.tzinfo is None:
                        continue
                    known[role] = (state, instant)
            found[role] = known[role][1]
    return found


def _newest_root(history: Path) -> Path:
    """The last root that was verified: the verifier keeps each under its number. Raises ValueError where none is."""
    return max(history.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
