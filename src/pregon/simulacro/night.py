"""Leads one simulacro: prepares the workspaces, starts every process, lets the cuts go, checks each difusor.

The order of a night:

1. Institute and difusores get their workspaces; the clock stands a few minutes before the start.
2. The package before the start, if the plan has one, is signed and reaches every difusor. Nothing of it may be public.
3. The clock runs. Each cut is signed at its hour; each difusor is asked until it shows it; then it is checked.
4. At the end every difusor must show, and say that it shows, the last cut.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.base.procesos import Process, running, wait_until
from pregon.base.red import free_port
from pregon.convocatoria.perfiles import to_toml_text
from pregon.difusor.inicia import create as create_difusor
from pregon.difusor.libro import Libro
from pregon.difusor.report import estado
from pregon.instituto.settings import ARCHIVO
from pregon.instituto.workspace import RAIZ
from pregon.instituto.workspace import create as create_institute
from pregon.simulacro import checks, entregado, portadores
from pregon.simulacro.institute import Post
from pregon.simulacro.portal import Portal, Reader, SignedManifests
from pregon.simulacro.result import Check, CutAtDifusor, DifusorResult, Horario, NightResult, SignedCut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.workspace import Workspace as DifusorWorkspace
    from pregon.simulacro.plan import Plan, PlannedCut

Carrier = Literal["carpeta", "entrada", "ambos", "convocatoria"]
"""How cuts travel: by folders of this machine, or by what the call asks for (``portadores``)."""

LEAD = timedelta(minutes=5)
"""Simulated time between the opening of the doors and the start."""
START_TIMEOUT_S = 60.0
CUT_TIMEOUT_S = 60.0
"""Real seconds a cut may take, to be signed or to be seen, before the simulacro gives up on it."""
POLL_S = 0.05
SONDEO_S = 0.2
TEMPORAL = "temporal"
READER_PAUSE_S = 0.15
"""Real seconds between the rounds of the reader of each difusor."""


@dataclass(frozen=True)
class Night:
    """What to rehearse. ``acelerar``: simulated seconds per real second; ``transporte`` as ``--transporte``.

    ``autorizaciones``: the bytes of the file of ``--autorizaciones``; None where none was given. ``marco``: the origin
    of the live view, which may show the portals in its frames; None where nobody looks.
    """

    convocatoria: Convocatoria
    plan: Plan
    difusores: int
    acelerar: float
    semilla: int
    transporte: Carrier
    autorizaciones: bytes | None = None
    marco: str | None = None


@dataclass
class _Difusor:
    """One difusor of the simulacro while it runs."""

    id: str
    workspace: DifusorWorkspace
    url: str
    portal: Portal
    reader: Reader
    result: DifusorResult
    sirve: Process
    recibe: Process


class Leader:
    """Runs one ``Night`` in ``folder`` (empty or absent). ``say`` receives one line of progress at a time."""

    def __init__(self, night: Night, folder: Path, *, say: Callable[[str], None], disk: Disk | None = None) -> None:
        self._night = night
        self._post = Post(folder)
        self._say = say
        self._disk = disk or Disk()
        self._random = random.Random(night.semilla)  # noqa: S311 - chooses which files are checked
        self._difusores: list[_Difusor] = []
        self._first_checks: dict[str, Check] = {}
        self._puertas: dict[str, portadores.Puerta] = {}
        self._manifests = SignedManifests(self._post.instituto / "repositorio")
        self._last = night.plan.cortes[-1].numero
        self._reader_pause = READER_PAUSE_S

    @contextlib.contextmanager
    def run(self) -> Iterator[NightResult]:
        """Yield the finished night while every process is still serving; they stop when the block ends.

        Raises:
            ComprobacionError: a process did not start, or ended; the text carries what it printed.
        """
        with contextlib.ExitStack() as stack:
            self._prepare()
            if self._night.transporte == "convocatoria":
                self._open_doors(stack)
            institute = stack.enter_context(self._institute())
            for number in range(1, self._night.difusores + 1):
                self._difusores.append(self._open_difusor(f"difusor-{number}", number, stack))
            self._before_the_start(institute)
            for cut in self._night.plan.cortes:
                self._one_cut(cut, institute)
            self._close()
            call, servers = self._night.convocatoria, self._post.folder / "portadores"
            came = tuple(entregado.lee(one.result, one.workspace.historico, servers) for one in self._difusores)
            yield NightResult(
                convocatoria=call.id,
                ambiente="simulacro",
                semilla=self._night.semilla,
                cortes=tuple(cut for cut in self._post.signed() if cut.numero > 0),
                difusores=tuple(difusor.result for difusor in self._difusores),
                esperados=len(self._night.plan.cortes),
                paquete=", ".join(sorted({kind for one in came for kind in one.archivos})),
                horario=Horario(call.inicio, call.intervalo_min, self._night.acelerar, call.zona_horaria),
                entregas=came,
                como_se_pide=all(one.cumple(call.paquete) for one in came),
            )

    # Preparation

    def _prepare(self) -> None:
        disk, post = self._disk, self._post
        disk.make_folder(post.folder / TEMPORAL)
        self._set_pace(self._night.convocatoria.inicio - LEAD, 1.0)
        disk.write(post.plan, self._night.plan.to_bytes())
        if self._night.autorizaciones is not None:
            disk.write(post.autorizaciones, self._night.autorizaciones)
        profile = post.folder / "convocatoria.toml"
        disk.write(profile, to_toml_text(self._night.convocatoria).encode())
        create_institute(
            post.instituto,
            profile,
            ambiente="simulacro",
            clock=SimulatedClock.load(post.reloj),
            disk=disk,
            reloj_simulado=str(post.reloj),
        )
        disk.write(post.entradas, json.dumps(self._inboxes()).encode())

    def _inboxes(self) -> list[str]:
        """The folders that the institute itself delivers into."""
        numbers = range(1, self._night.difusores + 1)
        return [str(self._folder_of(f"difusor-{n}") / "entrada") for n in numbers if self._carrier(n) == "entrada"]

    def _open_doors(self, stack: contextlib.ExitStack) -> None:
        """Start the servers of the call's carrier and tell the institute where to deliver."""
        post = self._post
        names = (f"difusor-{n}" for n in range(1, self._night.difusores + 1))
        self._puertas = stack.enter_context(
            portadores.abiertas(
                self._night.convocatoria,
                {ident: self._folder_of(ident) for ident in names},
                repositorio=post.instituto / "repositorio",
                folder=post.folder / "portadores",
                disk=self._disk,
            )
        )
        settings = post.instituto / ARCHIVO
        tables = "".join(door.destinos for door in self._puertas.values())
        self._disk.write(settings, settings.read_bytes() + f"\n{tables}".encode())

    def _folder_of(self, ident: str) -> Path:
        return self._post.folder / ident

    def _carrier(self, number: int) -> str:
        if self._night.transporte == "ambos":
            return "entrada" if number % 2 == 0 else "carpeta"
        return self._night.transporte

    def _local_door(self, number: int) -> portadores.Puerta:
        """The way by folders: the difusor's own ``entrada``, or the institute's repository."""
        carrier = self._carrier(number)
        return portadores.Puerta(
            carrier, "entrada" if carrier == "entrada" else str(self._post.instituto / "repositorio")
        )

    def _set_pace(self, origin: datetime, rate: float) -> None:
        self._disk.write(self._post.reloj, SimulatedClock.start(origin, rate).dump())

    def _institute(self) -> contextlib.AbstractContextManager[Process]:
        return running(
            [sys.executable, "-m", "pregon.simulacro.institute", self._post.folder],
            output=self._post.folder / "instituto.log",
            # What a process that is ended half way through a cut was making goes with the night's folder.
            environment={"TMPDIR": str(self._post.folder / TEMPORAL)},
        )

    def _open_difusor(self, ident: str, number: int, stack: contextlib.ExitStack) -> _Difusor:
        folder = self._folder_of(ident)
        port = free_port("127.0.0.1")
        door = self._puertas.get(ident) or self._local_door(number)
        # The last difusor has a clock that nobody measured: it opens only on the institute's signed witness.
        source = "ninguna" if number == self._night.difusores > 1 or not self._trusts_clock(ident) else "simulado"
        toml = "\n".join(
            [
                f"convocatoria = {json.dumps(str(self._post.folder / 'convocatoria.toml'))}",
                'ambiente = "simulacro"',
                f'id = "{ident}"',
                f"origen = {json.dumps(door.origen)}",
                f"sondeo_s = {SONDEO_S}",
                "[reloj]",
                f'fuente = "{source}"',
                f"simulado = {json.dumps(str(self._clock_file(ident)))}",
                "[servidor]",
                'direccion = "127.0.0.1"',
                f"puerto = {port}",
                *(() if self._night.marco is None else (f"marco_simulacro = {json.dumps(self._night.marco)}",)),
                door.acceso,
            ]
        )
        root = self._post.instituto / RAIZ
        workspace = create_difusor(folder, toml, root=root.read_bytes(), disk=self._disk)
        url = f"http://127.0.0.1:{port}/"
        server, receiver = self._serve(ident, stack), self._receive(ident, stack)
        portal = Portal(url)
        stack.callback(portal.close)
        reader = Reader(url, self._manifests, self._last, pause=self._reader_pause)
        stack.callback(reader.finish)
        result = DifusorResult(ident, url, door.esquema)
        difusor = _Difusor(ident, workspace, url, portal, reader, result, server, receiver)
        wait_until(lambda: portal.get("") is not None, server, timeout=START_TIMEOUT_S, what=f"El servidor de {ident}")
        return difusor

    def _clock_file(self, ident: str) -> Path:
        """The simulated clock that a difusor reads."""
        del ident
        return self._post.reloj

    def _trusts_clock(self, ident: str) -> bool:
        """Whether the clock of a difusor counts as measured."""
        del ident
        return True

    def _serve(self, ident: str, stack: contextlib.ExitStack) -> Process:
        """Start what serves at a difusor."""
        folder = self._folder_of(ident)
        command: list[str | Path] = [sys.executable, "-m", "pregon", "difusor", "sirve", folder]
        return stack.enter_context(running(command, output=folder / "sirve.log"))

    def _receive(self, ident: str, stack: contextlib.ExitStack) -> Process:
        """Start what receives at a difusor."""
        output = self._folder_of(ident) / "recibe.log"
        return stack.enter_context(running(self._receiver(ident), output=output))

    def _receiver(self, ident: str) -> list[str | Path]:
        """The command with which a difusor receives."""
        return [sys.executable, "-m", "pregon", "difusor", "recibe", self._folder_of(ident)]

    # The night

    def _before_the_start(self, institute: Process) -> None:
        previous = self._night.plan.previo
        if previous is not None:
            self._allow(previous)
            self._wait_signed(previous, institute)
            for difusor in self._difusores:
                wait_until(
                    lambda d=difusor: self._holds(d, previous.numero),  # type: ignore[misc]
                    institute,
                    timeout=START_TIMEOUT_S,
                    what=f"La recepción del paquete previo en {difusor.id}",
                )
            self._say(f"{self._hour(previous.hora)}  paquete previo 0000 firmado y recibido; nadie debe mostrarlo")
        for difusor in self._difusores:
            difusor.reader.start()
        manifest = None if previous is None else self._manifests.get(previous.numero)
        paths, forbidden = checks.paths_before_the_start(manifest), checks.content_of(manifest)
        guards = [checks.BeforeStart(difusor.portal, paths, forbidden) for difusor in self._difusores]
        clock = SimulatedClock.load(self._post.reloj)

        def still() -> bool:
            return clock.now() < self._night.convocatoria.inicio

        for guard in guards:
            guard.ask_all(still=still)
        self._set_pace(clock.now(), self._night.acelerar)
        while still():
            for guard in guards:
                guard.ask(self._random.choice(("", *paths)), still=still)
        self._first_checks = {d.id: guard.verdict() for d, guard in zip(self._difusores, guards, strict=True)}

    def _holds(self, difusor: _Difusor, numero: int) -> bool:
        return (difusor.workspace.historico / f"{numero:04d}").is_dir()

    def _allow(self, cut: PlannedCut) -> None:
        self._disk.write(self._post.permiso, str(cut.numero).encode())

    def _wait_signed(self, cut: PlannedCut, institute: Process) -> SignedCut:
        clock = SimulatedClock.load(self._post.reloj)
        patience = max(clock.until(cut.sale).total_seconds(), 0.0) + CUT_TIMEOUT_S
        wait_until(
            lambda: any(signed.numero == cut.numero for signed in self._post.signed()),
            institute,
            timeout=patience,
            what=f"El instituto, en el corte {cut.numero:04d}",
        )
        return next(signed for signed in self._post.signed() if signed.numero == cut.numero)

    def _one_cut(self, cut: PlannedCut, institute: Process) -> None:
        self._allow(cut)
        if cut.salto:
            self._set_pace(cut.hora - LEAD, self._night.acelerar)
        signed = self._wait_signed(cut, institute)
        seconds = self._until_visible(signed)
        manifest = self._manifests.get(cut.numero)
        expected = checks.expected_totals(cut, inconsistencias=self._night.convocatoria.inconsistencias)
        for difusor in self._difusores:
            at = CutAtDifusor(cut.numero, seconds[difusor.id])
            if not difusor.result.cortes:
                at.comprobaciones.append(self._first_checks[difusor.id])
            if manifest is not None:
                whole = cut.numero == self._last
                at.comprobaciones.append(checks.totals_equal(difusor.portal, expected))
                at.comprobaciones.append(checks.bytes_equal(difusor.portal, manifest, self._random, whole=whole))
            at.comprobaciones.append(checks.unmixed(difusor.reader))
            difusor.result.cortes.append(at)
        shown = "  ".join(f"{ident} {'—' if s is None else f'{s:.2f} s'}" for ident, s in seconds.items())
        self._say(f"{self._hour(cut.hora)}  corte {cut.numero:04d} firmado; visible en: {shown}")

    def _until_visible(self, signed: SignedCut) -> dict[str, float | None]:
        """Real seconds from signing until each difusor's portal answers the signed manifest; None if it never did."""
        seconds: dict[str, float | None] = {difusor.id: None for difusor in self._difusores}
        deadline = time.monotonic() + CUT_TIMEOUT_S
        while None in seconds.values() and time.monotonic() < deadline:
            for difusor in self._difusores:
                if seconds[difusor.id] is None:
                    answer = difusor.portal.get("manifiesto.json")
                    if answer is not None and answer.sha256 == signed.manifiesto_sha256:
                        seconds[difusor.id] = (datetime.now(UTC) - signed.firmado).total_seconds()
            time.sleep(POLL_S)
        return seconds

    def _close(self) -> None:
        last = self._post.signed()[-1]
        for difusor in self._difusores:
            difusor.reader.finish()
            clock = difusor.workspace.open_clock()
            report = estado(difusor.workspace, Libro(difusor.workspace.open_state(clock)), clock.now())
            difusor.result.cortes[-1].comprobaciones.append(checks.last_published(difusor.portal, last, report))

    def _hour(self, instant: datetime) -> str:
        return f"{instant.astimezone(self._night.convocatoria.zona):%d/%m %H:%M}"
