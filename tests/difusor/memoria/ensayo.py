"""A rehearsed night of a call, with people looking at its portal meanwhile: what the memorias of the tests are of.

The night is a simulacro: institute, difusor and its web server are processes of their own. The public are requests that
the server answers and notes, from addresses of their own. The server's log has the machine's hours; so that it can be
read as that of an election night, each hour is written anew as the rehearsal's clock told it at that moment.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.base.settings import load_toml
from pregon.difusor import pointer
from pregon.difusor.memoria.noche import dias_pedidos
from pregon.difusor.servidor.bitacora import log_files
from pregon.difusor.settings import DifusorSettings
from pregon.difusor.workspace import open_workspace
from pregon.simulacro.night import Leader, Night
from pregon.simulacro.prepare import synthetic_night

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.workspace import Workspace

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
NAVEGADORES = (
    f"Mozilla/5.0 (Linux; Android 11; SM-A125M) {_WEBKIT} Chrome/90.0.4430.91 Mobile Safari/537.36",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 14_6 like Mac OS X) {_WEBKIT} Version/14.1.1 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/91.0.4472.77 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:89.0) Gecko/20100101 Firefox/89.0",
)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
FORMULAS = (
    '=HYPERLINK("http://mal.ejemplo","gane")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    '<script>alert("1")</script>',
)
"""What some say that their browser is, and the way they ask for."""
_RITMO = 0.012
"""Seconds from one visitor to the next."""


class Publico(threading.Thread):
    """People who look at the portal of ``difusor-1`` in ``folder``, one each ``ritmo`` seconds, until ``fin``.

    ``pedidas``: requests answered.
    """

    def __init__(self, folder: Path, contiendas: Sequence[str], *, ritmo: float) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.fin = threading.Event()
        self.pedidas = 0
        self._visitas = 0
        self.fallas: list[Exception] = []
        self._contiendas, self._ritmo = contiendas, ritmo
        self._horas: list[tuple[float, float]] = []
        self._random = random.Random(7)

    def run(self) -> None:
        while not self.fin.is_set():
            try:
                self._horas.append((time.time(), SimulatedClock.load(self.folder / "reloj.json").now().timestamp()))
                settings = load_toml(self.folder / "difusor-1" / "difusor.toml", DifusorSettings)
                self._visit(settings.servidor.puerto)
            except (OSError, http.client.HTTPException, PregonError) as exc:  # the night is being prepared, or is over
                self.fallas.append(exc)
            self.fin.wait(self._ritmo)

    def _visit(self, port: int) -> None:
        some = self._random
        number = some.randrange(1, 500)
        agent = NAVEGADORES[number % len(NAVEGADORES)]
        roads = ["/", "/corte.json"]
        if number % 3:
            roads += [f"/{some.choice(self._contiendas)}/", "/resumen.txt"]
        if number % 29 == 0:
            roads.append("/resultados.php")
        if number % 31 == 0:
            agent, roads = ROBOT, ["/", "/robots.txt"]
        if self._visitas % 2 and self._visitas < 2 * len(FORMULAS):  # each of them comes, however short the night
            agent = FORMULAS[self._visitas // 2]
            roads = ["/", *[f"/{agent.replace(' ', '%20')}"] * 9]  # often enough to be among those that are named
        source = (f"127.{1 + number // 250}.0.{1 + number % 250}", 0)
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=source)
        try:
            for road in roads:
                link.request("GET", road, headers={"User-Agent": agent, "Accept-Encoding": "gzip"})
                link.getresponse().read()
                self.pedidas += 1
            self._visitas += 1
        finally:
            link.close()

    def hora(self, real: float) -> float:
        """What the rehearsal's clock told at an instant of the machine."""
        n = min(max(bisect_right(self._horas, (real, float("inf"))) - 1, 0), len(self._horas) - 2)
        (a, x), (b, y) = self._horas[n], self._horas[n + 1]
        return x if b == a else x + (min(max(real, a), b) - a) * (y - x) / (b - a)


def ensaya(folder: Path, convocatoria: str, *, cortes: int, acelerar: float, ritmo: float) -> tuple[Workspace, Publico]:
    """Rehearse the night in ``folder``; the difusor's workspace, as it stays when all is over, and who looked at it.

    At the end somebody changes a public page, and the difusor puts it right: an incident of its journal.
    """
    folder.mkdir(parents=True)
    disk = Disk()
    call, plan = synthetic_night(folder / "fuentes", convocatoria=convocatoria, cortes=cortes, semilla=7, disk=disk)
    night = Night(
        convocatoria=call,
        plan=plan,
        difusores=1,
        acelerar=acelerar,
        semilla=7,
        transporte="carpeta",
        autorizaciones=None,
    )
    public = Publico(folder, call.contiendas, ritmo=ritmo)
    public.start()
    try:
        with Leader(night, folder, say=lambda _text: None, disk=disk).run() as result:
            public.fin.set()
            public.join(30)
            assert result.ok, result
            _alter(open_workspace(folder / "difusor-1"))
    finally:
        public.fin.set()
    return open_workspace(folder / "difusor-1"), public


def _alter(workspace: Workspace) -> None:
    """Change a page that is public, and wait until the difusor has put it right."""
    page = workspace.cortes / str(pointer.read(workspace)) / "resumen.txt"
    page.unlink()
    page.write_text("Ganó otro.\n")
    state = workspace.open_state(workspace.open_clock())
    deadline = time.monotonic() + 30
    while not any(event.tipo == "alterado" for event in state.events()):
        assert time.monotonic() < deadline, "the sweep did not see it"
        time.sleep(0.1)


def en_su_hora(workspace: Workspace, public: Publico, target: Path) -> int:
    """Write the server's log anew in ``target``, each request at the hour of the rehearsal; how many there are."""
    target.parent.mkdir(exist_ok=True)
    written = 0
    with target.open("w", encoding="utf-8") as file:
        for path in log_files(workspace.servidor):
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                entry["ts"] = public.hora(float(entry["ts"]))
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                written += 1
    return written


def portal(call: Convocatoria, target: Path, *, de_base: int = 7) -> tuple[datetime, datetime]:
    """A log of the difusor's own portal, made up: ordinary days and those of the election. The ordinary ones' ends."""
    some = random.Random(11)
    start = datetime.combine(call.inicio.astimezone(call.zona).date(), datetime.min.time(), call.zona).astimezone(UTC)
    begin = start - timedelta(days=21)
    days = [(begin + timedelta(days=n), 40 + some.randrange(20)) for n in range(de_base)]
    days += [(start + timedelta(days=n), visits) for n, visits in ((-2, 60), (-1, 70), (0, 420), (1, 610), (2, 150))]
    lines = []
    for day, visits in days:
        for _ in range(visits):
            at = day + timedelta(seconds=some.randrange(86_000))
            number = some.randrange(1, 240)
            agent = NAVEGADORES[number % len(NAVEGADORES)]
            for n, road in enumerate(("/", "/estilo.css", "/nota.html")[: 1 + some.randrange(3)]):
                when = at + timedelta(seconds=n)
                head = f"198.51.100.{number} - - [{when:%d/%b/%Y:%H:%M:%S} +0000]"
                lines.append(f'{head} "GET {road} HTTP/1.1" 200 5120 "-" "{agent}"')
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return begin, begin + timedelta(days=de_base - 1)


def con_bitacoras(workspace: Workspace, public: Publico) -> Workspace:
    """Name the logs of the night, and those of the portal, in the settings; the election's days are the call's."""
    folder, call = workspace.folder, workspace.convocatoria
    en_su_hora(workspace, public, folder / "registros" / "prep.log")
    first, last = (day.astimezone(call.zona).date() for day in portal(call, folder / "registros" / "portal.log"))
    days = dias_pedidos(call)
    path = folder / "difusor.toml"
    path.write_text(
        path.read_text()
        + '\n[[bitacora]]\nsitio = "prep"\narchivos = ["registros/prep.log"]\n'
        + '\n[[bitacora]]\nsitio = "portal"\narchivos = ["registros/portal.log"]\n'
        + f"\n[memoria]\nbase_desde = {first}\nbase_hasta = {last}\n"
        + f"eleccion_desde = {days[0]}\neleccion_hasta = {days[1]}\n"
    )
    return open_workspace(folder)
