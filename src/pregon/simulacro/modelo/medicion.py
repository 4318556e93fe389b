"""What a cut really costs: an institute that signs and delivers, N difusores that receive and answer, on one machine.

Everything is what runs on the night: ``Corrida`` delivers by the carrier of the call to a server of each difusor, each
has its own ``recibe``, one web server answers for all, and the hour of «visible» is the one of the difusor's own signed
acuse. Links are loopback: they are the model's to add.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock
from pregon.base.errors import ComprobacionError
from pregon.base.procesos import running, wait_until
from pregon.base.red import answers_tcp, free_port
from pregon.convocatoria.perfiles import to_toml_text
from pregon.difusor.inicia import create as create_difusor
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.settings import ARCHIVO
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.instituto.workspace import create as create_institute
from pregon.simulacro.portadores import HOST, abiertas, comprueba
from pregon.simulacro.prepare import synthetic_night

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.base.durable import Disk
    from pregon.instituto.workspace import Workspace
    from pregon.simulacro.plan import PlannedCut
    from pregon.simulacro.portadores import Puerta

CONVOCATORIA = "mex-2021"
"""The call whose carrier is measured: SFTP, the one that is advised wherever a call lets choose."""
AFTER = timedelta(minutes=1)
"""Of the hour of a cut, at which it is signed."""
START_S = 15.0
CUT_S = 30.0
"""Real seconds for each difusor to start, or to show a cut, before the measurement is given up."""
LOOK_S = 0.1
PROBE_S, PROBE_START_S, PROBE_EACH_S = 1.5, 0.5, 0.05
PROBE = """
import sys, time
begin, end = float(sys.argv[1]), float(sys.argv[2])
time.sleep(max(0.0, begin - time.time()))
before = time.process_time()
while time.time() < end:
    pass
print(time.process_time() - before)
"""
OPERADOR = "modelo"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ronda:
    """One cut: bytes to each difusor, seconds from signed to visible (least first), and seconds of processor.

    ``instituto_s`` and ``difusor_s`` are for each difusor; servers of its end of the carrier and the web server's part
    are in the latter.
    """

    corte: int
    bytes: float
    segundos: tuple[float, ...]
    instituto_s: float
    difusor_s: float
    libres: float
    """Processors that the machine gave, just before, to as many who asked for all they could."""


@dataclass(frozen=True)
class Medicion:
    """Rounds with the same difusores on a machine of so many processors."""

    convocatoria: str
    transporte: str
    difusores: int
    nucleos: int
    rondas: tuple[Ronda, ...]
    solas: tuple[float, ...] = ()
    """Seconds of cuts that went to one difusor alone while the others did nothing."""

    @property
    def segundos(self) -> tuple[float, ...]:
        """From signed to visible, least first: of each place the median of the rounds."""
        return tuple(median(places) for places in zip(*(one.segundos for one in self.rondas), strict=True))


def mide(
    folder: Path, difusores: int, *, rondas: int, disk: Disk, dice: Callable[[str], None], solas: int = 0
) -> Medicion:
    """Measure ``rondas`` cuts, after a first one that is not counted, and then ``solas`` to one difusor alone.

    Everything is written in ``folder``.

    Raises:
        EntradaError: a program of the carrier is missing; nothing was made.
        ComprobacionError: something did not start, or a difusor never showed a cut.
    """
    profile, plan = synthetic_night(
        folder / "fuentes", convocatoria=CONVOCATORIA, cortes=rondas + solas + 2, semilla=7, disk=disk
    )
    comprueba([profile], difusores=difusores)
    clock_file, institute = folder / "reloj.json", folder / "instituto"
    cuts = plan.cortes[: rondas + solas + 1]
    disk.write(clock_file, SimulatedClock.start(cuts[0].hora + AFTER, 1).dump())
    call = folder / "convocatoria.toml"
    disk.write(call, to_toml_text(profile).encode())
    clock = SimulatedClock.load(clock_file)
    create_institute(institute, call, ambiente="simulacro", clock=clock, disk=disk, reloj_simulado=str(clock_file))
    places = {f"difusor-{number}": folder / f"difusor-{number}" for number in range(1, difusores + 1)}
    with contextlib.ExitStack() as stack:
        doors = stack.enter_context(
            abiertas(profile, places, repositorio=institute / "repositorio", folder=folder / "portadores", disk=disk)
        )
        settings = institute / ARCHIVO
        tables = "".join(door.destinos for door in doors.values())
        disk.write(settings, settings.read_bytes() + f"\n{tables}".encode())
        lab = _Laboratorio(open_workspace(institute, clock=clock, disk=disk), clock_file, places, disk)
        lab.start(doors, call, stack)
        dice(f"{difusores} difusores, {doors['difusor-1'].esquema}: en marcha")
        found = []
        for number, cut in enumerate(cuts):
            only = number > rondas
            round_ = lab.round(cut, tuple(places)[:1] if only else tuple(places))
            where = "uno solo" if only else "todos"
            dice(f"corte {cut.numero:04d}: visible en {where} a los {round_.segundos[-1]:.2f} s")
            found.append(round_)
    return Medicion(
        profile.id,
        doors["difusor-1"].esquema,
        difusores,
        os.cpu_count() or 1,
        tuple(found[1 : rondas + 1]),
        tuple(one.segundos[0] for one in found[rondas + 1 :]),
    )


class _Laboratorio:
    """The institute in this process, and its difusores in theirs."""

    def __init__(self, institute: Workspace, clock_file: Path, places: dict[str, Path], disk: Disk) -> None:
        self._institute = institute
        self._clock_file = clock_file
        self._places = places
        self._disk = disk

    def start(self, doors: dict[str, Puerta], call: Path, stack: contextlib.ExitStack) -> None:
        """Make the difusores, and start what receives and what serves."""
        root = (self._institute.folder / RAIZ).read_bytes()
        ports: dict[str, int] = {}
        for ident in self._places:
            while (port := free_port(HOST)) in ports.values():  # Free still, and promised already.
                pass
            ports[ident] = port
        for ident, folder in self._places.items():
            toml = (
                f'convocatoria = {json.dumps(str(call))}\nambiente = "simulacro"\nid = "{ident}"\n'
                f"origen = {json.dumps(doors[ident].origen)}\n"
                f'[reloj]\nfuente = "simulado"\nsimulado = {json.dumps(str(self._clock_file))}\n'
                f'[servidor]\ndireccion = "{HOST}"\npuerto = {ports[ident]}\n{doors[ident].acceso}'
            )
            create_difusor(folder, toml, root=root, disk=self._disk)
        program = [sys.executable, "-m", "pregon", "difusor"]
        log = self._clock_file.with_name("sirve.log")
        server = stack.enter_context(running([*program, "sirve", *self._places.values()], output=log))
        for folder in self._places.values():
            stack.enter_context(running([*program, "recibe", folder], output=folder / "recibe.log"))
        wait_until(
            lambda: all(answers_tcp(HOST, port) for port in ports.values()),
            server,
            timeout=START_S * len(ports),
            what="El servidor web de los difusores",
        )

    def round(self, cut: PlannedCut, names: Sequence[str]) -> Ronda:
        """Sign a cut, deliver it to those, and wait until every one of them shows it."""
        self._disk.write(self._clock_file, SimulatedClock.start(cut.hora + AFTER, 1).dump())
        sources = [ContestSource(None, one.actas, one.candidaturas, one.leeme) for one in cut.fuentes]
        free = libres(len(names), self._clock_file.parent)
        build_cut(self._institute, sources, hora=cut.hora, corte=cut.numero, operador=OPERADOR)
        signed, many = time.time(), len(names)
        own, theirs = time.process_time(), _descendants_s()
        lines = Corrida(self._institute, os.environ).run(names)
        own = time.process_time() - own
        failed = next((line.error for line in lines if line.error is not None), None)
        if failed is not None:
            raise failed
        shown = self._wait_visible(cut.numero, names)
        return Ronda(
            corte=cut.numero,
            bytes=sum(line.bytes for line in lines) / many,
            segundos=tuple(sorted(instant - signed for instant in shown)),
            instituto_s=own / many,
            difusor_s=(_descendants_s() - theirs) / many,
            libres=free,
        )

    def _wait_visible(self, number: int, names: Sequence[str]) -> Sequence[float]:
        """When each of them said that its address answers with that cut: seconds since 1970."""
        clock = json.loads(self._clock_file.read_bytes())
        offset = datetime.fromisoformat(clock["origen_real"]) - datetime.fromisoformat(clock["origen"])
        limit = time.monotonic() + CUT_S * len(names)
        waiting = {ident: self._places[ident] for ident in names}
        seen: dict[str, float] = {}
        while waiting:
            for ident, folder in tuple(waiting.items()):
                for path in (folder / "acuses").glob(f"*-{number:04d}-visible.json"):
                    payload = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
                    seen[ident] = (datetime.fromisoformat(payload["hora"]) + offset).timestamp()
                    waiting.pop(ident, None)
            if waiting and time.monotonic() > limit:
                ident, folder = next(iter(waiting.items()))
                raise ComprobacionError(
                    f"{ident} no mostró el corte {number:04d}.",
                    intacto="No se escribió ninguna medida.",
                    que_hacer=f"Revise {folder / 'recibe.log'}.",
                )
            time.sleep(LOOK_S)
        return tuple(seen.values())


def libres(cuantos: int, folder: Path) -> float:
    """Processors that this machine gives now to so many processes that work without a pause; others have the rest.

    Each in a session of its own, as a difusor is: the system shares the processor out by sessions.
    """
    begin = time.time() + PROBE_START_S + PROBE_EACH_S * cuantos
    command = [sys.executable, "-E", "-S", "-c", PROBE, repr(begin), repr(begin + PROBE_S)]
    with contextlib.ExitStack() as stack:
        outputs = [folder / f"libres-{number}.txt" for number in range(cuantos)]
        for output in outputs:
            output.unlink(missing_ok=True)
        for process in [stack.enter_context(running(command, output=output)) for output in outputs]:
            process.wait(60 + PROBE_EACH_S * cuantos)
        return sum(float(output.read_text(encoding="utf-8")) for output in outputs) / PROBE_S


def _descendants_s() -> float:
    """Seconds of processor of every process below this one, those that ended included."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                spent[int(entry.name)] = sum(int(value) for value in fields[11:15])
    mine = os.getpid()
    total = 0
    for pid, ticks in spent.items():
        above = pid
        while (above := parents.get(above, 0)) > 1 and above != mine:
            pass
        total += ticks if above == mine else 0
    return total / _TICKS
