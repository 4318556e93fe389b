"""Leads a night with faults on purpose. The clock goes from cut to cut, and stays there until it is seen how all are.

A period, step by step:

1. The faults that begin in it are done and noted in the journal.
2. The clock is set to the hour of the cut. Where the institute is late or lost, what is shown meanwhile is looked at.
3. The cut is signed. Everybody who is expected to show it is asked until they do; whoever is expected to refuse it,
   until they say so; and after a rest, all are looked at.
4. The faults that end in it are undone, and who had to do without is asked until the newest cut is there.

What is expected comes from the plan alone (``notas.espera``); here it only says for whom to wait. All night long a
reader of each difusor looks for anything that is of no signed cut, of two, or of an older one.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock
from pregon.base.procesos import running
from pregon.difusor.libro import Libro
from pregon.difusor.nube.estado import estados
from pregon.simulacro import checks
from pregon.simulacro.fallas.avalancha import Avalancha
from pregon.simulacro.fallas.diario import Diario
from pregon.simulacro.fallas.mensajero import Mensajero
from pregon.simulacro.fallas.orilla import Orilla
from pregon.simulacro.fallas.plan import con_fallas, previo_a
from pregon.simulacro.fallas.recibe import veces
from pregon.simulacro.night import CUT_TIMEOUT_S, LEAD, POLL_S, Leader
from pregon.simulacro.notas.asistencia import asistencia
from pregon.simulacro.notas.espera import esperado
from pregon.simulacro.notas.notas import Visto, califica
from pregon.simulacro.plan import Plan
from pregon.simulacro.portal import Portal
from pregon.simulacro.result import ULTIMO_PUBLICADO, Check, CutAtDifusor, NightResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.base.procesos import Process
    from pregon.base.state import StateDatabase
    from pregon.convocatoria.secciones import Simulacro
    from pregon.simulacro.fallas.plan import Falla, Periodo
    from pregon.simulacro.night import Night, _Difusor
    from pregon.simulacro.notas.espera import Esperado
    from pregon.simulacro.portadores import Puerta
    from pregon.simulacro.portal import Answer
    from pregon.simulacro.result import SignedCut

REPOSO_S = 1.5
"""Real seconds after which what was not shown is taken as not going to be: several passes of a difusor."""
CODIGO_TIMEOUT_S = 60.0
"""Real seconds that a difusor may take to say why it refuses."""
READER_PAUSE_S = 0.5
"""Many readers on one machine leave it time for the night."""


class LeaderConFallas(Leader):
    """Runs one ``Night`` with ``fallas``; every difusor receives from a messenger of its own."""

    def __init__(
        self,
        night: Night,
        fallas: tuple[Falla, ...],
        folder: Path,
        *,
        say: Callable[[str], None],
        disk: Disk | None = None,
        simulacros: tuple[Simulacro, ...] | None = None,
    ) -> None:
        """``simulacros``: the official days, where the night has another calendar than its call."""
        self._periodos = con_fallas(night.plan, fallas)
        made = tuple(period.corte for period in self._periodos if period.corte is not None)
        plan = Plan(night.plan.previo, made)
        super().__init__(replace(night, plan=plan, transporte="entrada"), folder, say=say, disk=disk)
        self._reader_pause = READER_PAUSE_S
        self._fallas = fallas
        self._simulacros = night.convocatoria.simulacros if simulacros is None else simulacros
        self._nombres = tuple(f"difusor-{n}" for n in range(1, night.difusores + 1))
        self._esperado = esperado(fallas, difusores=self._nombres, periodos=len(self._periodos))
        self._visto: dict[tuple[str, int], Visto] = {}
        self._desfases = {one.objetivo: timedelta(0) for one in fallas if one.clase == "reloj"}
        self._mensajeros: dict[str, Mensajero] = {}
        self._receptores: dict[str, Process] = {}
        self._estados: dict[str, StateDatabase] = {}
        self._leidos: dict[str, int] = {}
        self._avalanchas: dict[int, Avalancha] = {}
        self._codigos: dict[str, set[str]] = {}
        self._orillas: dict[str, Orilla] = {}

    @contextlib.contextmanager
    def run(self) -> Iterator[NightResult]:
        """As ``Leader.run``."""
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._prepare()
            self._instituto = stack.enter_context(self._institute())
            self._diario = Diario(self._post.folder / "fallas.sqlite", SimulatedClock.load(self._post.reloj))
            for number, name in enumerate(self._nombres, 1):
                self._add(name, number)
            self._begin(0)
            self._before_the_start(self._instituto)
            self._end(0)
            for period in self._periodos:
                self._period(period)
            self._close()
            yield self._result()

    # Who takes part

    def _inboxes(self) -> list[str]:
        return []

    def _local_door(self, number: int) -> Puerta:
        door, name = super()._local_door(number), f"difusor-{number}"
        if not any(one.clase == "purga_negada" and one.objetivo == name for one in self._fallas):
            return door
        edge = self._orillas[name] = self._stack.enter_context(Orilla(secrets.token_hex(16)))
        folder = self._folder_of(name)
        self._disk.make_folder(folder)
        self._disk.write(folder / "orilla.secreto", edge.secreto.encode(), mode=0o600)
        return replace(door, acceso=edge.ajustes())

    def _trusts_clock(self, ident: str) -> bool:
        return ident not in self._desfases

    def _clock_file(self, ident: str) -> Path:
        return self._post.folder / f"reloj-{ident}.json" if ident in self._desfases else self._post.reloj

    def _set_pace(self, origin: datetime, rate: float) -> None:
        super()._set_pace(origin, rate)
        for ident, offset in self._desfases.items():
            self._disk.write(self._clock_file(ident), SimulatedClock.start(origin + offset, rate).dump())

    def _receive(self, ident: str, stack: contextlib.ExitStack) -> Process:
        if any(one.clase == "disco_lleno" and one.objetivo == ident for one in self._fallas):
            folder = self._folder_of(ident)
            command: list[str | Path] = [sys.executable, "-m", "pregon.simulacro.fallas.recibe", folder]
            command.append(self._marca(ident))
            started = stack.enter_context(running(command, output=folder / "recibe.log"))
        else:
            started = super()._receive(ident, stack)
        self._receptores[ident] = started
        return started

    def _marca(self, ident: str) -> Path:
        return self._post.folder / f"disco-lleno-{ident}"

    def _add(self, name: str, number: int) -> None:
        difusor = self._open_difusor(name, number, self._stack)
        self._difusores.append(difusor)
        messenger = Mensajero(
            name,
            self._post.instituto / "repositorio",
            self._folder_of(name) / "entrada",
            self._post.folder / "averias" / name,
            semilla=self._night.semilla,
            disk=self._disk,
        )
        self._mensajeros[name] = messenger
        self._stack.callback(messenger.termina)
        messenger.start()
        self._estados[name] = difusor.workspace.open_state(difusor.workspace.open_clock())
        self._leidos[name] = 0
        self._codigos[name] = set()

    # The faults

    def _begin(self, indice: int) -> None:
        for fault in self._fallas:
            if fault.corte == indice:
                self._diario.empieza(fault)
                self._do(fault)
                self._say(f"  falla {fault.n}: {fault.clase} en {fault.objetivo}")

    def _end(self, indice: int) -> None:
        for fault in self._fallas:
            if fault.ultimo == indice:
                effects, detail = self._undo(fault)
                self._diario.termina(fault, efectos=effects, detalle=detail)

    def _do(self, fault: Falla) -> None:
        name = fault.objetivo
        match fault.clase:
            case "corte_tarde" | "corte_omitido":
                pass  # The plan that the institute follows has it so.
            case "instituto_perdido":
                self._instituto.kill()
            case "proceso_muerto":
                self._receptores[name].kill()
            case "disco_lleno":
                self._disk.write(self._marca(name), b"")
            case "reloj":
                self._desfases[name] = timedelta(minutes=fault.desfase_min)
                clock = SimulatedClock.load(self._post.reloj)
                self._set_pace(clock.now(), clock.rate)
            case "purga_negada":
                self._orillas[name].niega.set()
            case "avalancha":
                crowd = Avalancha(self._of(name).url, fault.lectores)
                self._avalanchas[fault.n] = crowd
                crowd.empieza()
            case _:
                self._mensajeros[name].aplica(fault)

    def _undo(self, fault: Falla) -> tuple[int, str]:
        """Undo it; how many times it had an effect, and what in words."""
        name = fault.objetivo
        match fault.clase:
            case "corte_tarde":
                return fault.periodos, f"firmado {fault.minutos} minutos después de su hora"
            case "corte_omitido":
                return fault.periodos, "sin corte en ese periodo"
            case "instituto_perdido":
                return 1, "proceso muerto antes del corte y vuelto a iniciar sobre lo que había en disco"
            case "proceso_muerto":
                status = self._receptores[name].returncode()
                self._receive(name, self._stack)
                return int(status is not None), f"terminó con estado {status}; se volvió a iniciar"
            case "disco_lleno":
                self._marca(name).unlink()
                counted = veces(self._marca(name))
                refused = counted.stat().st_size if counted.exists() else 0
                return refused, f"{refused} escrituras sin espacio"
            case "reloj":
                self._desfases[name] = timedelta(0)
                clock = SimulatedClock.load(self._post.reloj)
                self._set_pace(clock.now(), clock.rate)
                return 1, f"desfase de {fault.desfase_min} minutos"
            case "purga_negada":
                edge = self._orillas[name]
                edge.niega.clear()
                return edge.negadas, f"{edge.negadas} purgas negadas"
            case "avalancha":
                crowd = self._avalanchas.pop(fault.n)
                crowd.termina()
                return crowd.preguntas, f"{crowd.preguntas} preguntas, {crowd.sin_respuesta} sin respuesta"
            case _:
                effects = self._mensajeros[name].quita()
                return effects, f"{effects} entregas afectadas"

    def _of(self, name: str) -> _Difusor:
        return next(one for one in self._difusores if one.id == name)

    # The night

    def _period(self, period: Periodo) -> None:
        self._keep_for_later(period.indice - 1)
        self._begin(period.indice)
        now = SimulatedClock.load(self._post.reloj).now()
        hour = period.previsto.hora
        if period.previsto.salto:
            # The institute signs its timestamp again before it is asked for the cut.
            self._set_pace(max(now, hour - LEAD), 1.0)
            time.sleep(REPOSO_S)
        self._set_pace(max(now, hour), 1.0)
        cut, signed = period.corte, None
        meanwhile: dict[str, int | None] = {}
        if any(self._esperado[name, period.indice].mientras is not None for name in self._nombres):
            time.sleep(REPOSO_S)
            meanwhile = {name: self._shown(name) for name in self._nombres}
        if cut is not None:
            self._back_to_work(period)
            if cut.retraso:
                self._set_pace(max(now, cut.sale), 1.0)
            self._allow(cut)
            signed = self._wait_signed(cut, self._instituto)
        seconds = self._look(period, signed, meanwhile)
        self._judge(period, signed, seconds)
        self._end(period.indice)
        self._recover(period, signed, seconds)
        shown = "  ".join(f"{name} {_text(self._visto[name, period.indice].muestra)}" for name in self._nombres)
        number = "sin corte" if cut is None else f"corte {cut.numero:04d}"
        self._say(f"{self._hour(hour)}  {number}; a la vista: {shown}")

    def _keep_for_later(self, indice: int) -> None:
        """Keep the repository as it is for whoever will be offered it when it is old."""
        for fault in self._fallas:
            if fault.clase == "corte_viejo" and previo_a(fault, self._fallas) == indice:
                self._mensajeros[fault.objetivo].recuerda(fault)

    def _back_to_work(self, period: Periodo) -> None:
        """Another process takes the institute's place, where it was lost."""
        if self._instituto.returncode() is not None and any(
            one.clase == "instituto_perdido" and one.activa(period.indice) for one in self._fallas
        ):
            self._instituto = self._stack.enter_context(self._institute())

    def _look(
        self, period: Periodo, signed: SignedCut | None, meanwhile: dict[str, int | None]
    ) -> dict[str, float | None]:
        wanted = {name: self._esperado[name, period.indice] for name in self._nombres}
        seconds: dict[str, float | None] = dict.fromkeys(self._nombres)
        newest = None if signed is None else signed.numero
        coming = {name for name in self._nombres if newest is not None and wanted[name].muestra == newest}
        deadline = time.monotonic() + CUT_TIMEOUT_S
        while coming and time.monotonic() < deadline:
            for name in sorted(coming):
                if signed is not None and self._shown(name) == newest:
                    seconds[name] = (datetime.now(UTC) - signed.firmado).total_seconds()
                    coming.discard(name)
            time.sleep(POLL_S)
        self._wait_for_refusals([one for one in wanted.values() if one.codigos])
        if signed is None or any(one.muestra != newest for one in wanted.values()):
            time.sleep(REPOSO_S)
        for name, one in wanted.items():
            self._read_codes(name)
            seen = self._shown(name)
            self._visto[name, period.indice] = Visto(
                name,
                period.indice,
                seen,
                mientras=meanwhile.get(name) if one.mientras is not None else None,
                codigos=tuple(sorted(self._codigos[name])),
                segundos=seconds[name],
                evidencia=f"manifiesto público a las {self._hour(SimulatedClock.load(self._post.reloj).now())}",
            )
            self._codigos[name].clear()
        return seconds

    def _wait_for_refusals(self, refusing: list[Esperado]) -> None:
        deadline = time.monotonic() + CODIGO_TIMEOUT_S
        while time.monotonic() < deadline:
            for one in refusing:
                self._read_codes(one.difusor)
            if all(one.codigos & self._codigos[one.difusor] for one in refusing):
                return
            time.sleep(POLL_S * 2)

    def _read_codes(self, name: str) -> None:
        """What a difusor has noted since the last time: refusals and failures, with their codes."""
        events = self._estados[name].events(after=self._leidos[name])
        for event in events:
            self._leidos[name] = event.n
            if event.tipo in ("rechazado", "fallo") and event.dato.get("codigo"):
                self._codigos[name].add(str(event.dato["codigo"]))
        # The same refusal again is no event; that it still refuses is what it says of its last attempt.
        attempt = Libro(self._estados[name], solo=False).intento
        if attempt is not None and attempt["codigo"]:
            self._codigos[name].add(str(attempt["codigo"]))
        if name in self._orillas:
            workspace = self._of(name).workspace
            told = estados(workspace, Libro(self._estados[name], solo=False))
            self._codigos[name].update(one.error.codigo for one in told if one.error is not None)

    def _shown(self, name: str) -> int | None:
        """The number of the signed cut whose manifest is public; 0 the page before any; None neither."""
        return self._number(self._of(name).portal.get("manifiesto.json"))

    def _number(self, answer: Answer | None) -> int | None:
        if answer is None:
            return None
        if answer.status != checks.OK:
            return 0
        return next((one.numero for one in self._post.signed() if one.manifiesto_sha256 == answer.sha256), None)

    def _judge(self, period: Periodo, signed: SignedCut | None, seconds: dict[str, float | None]) -> None:
        """The checks of any simulacro, on what each difusor shows now."""
        cut = period.corte
        totals = (
            None
            if cut is None
            else checks.expected_totals(cut, inconsistencias=self._night.convocatoria.inconsistencias)
        )
        for difusor in self._difusores:
            if signed is None or cut is None:
                continue
            at = CutAtDifusor(cut.numero, seconds[difusor.id])
            if not difusor.result.cortes:
                at.comprobaciones.append(self._first_checks[difusor.id])
            shown = self._visto[difusor.id, period.indice].muestra
            manifest = None if not shown else self._manifests.get(shown)
            if manifest is not None:
                if shown == cut.numero and totals is not None:
                    at.comprobaciones.append(checks.totals_equal(difusor.portal, totals))
                whole = cut.numero == self._last
                at.comprobaciones.append(checks.bytes_equal(difusor.portal, manifest, self._random, whole=whole))
            at.comprobaciones.append(checks.unmixed(difusor.reader))
            difusor.result.cortes.append(at)

    def _recover(self, period: Periodo, signed: SignedCut | None, seconds: dict[str, float | None]) -> None:
        back = [one for name in self._nombres if (one := self._esperado[name, period.indice]).vuelve is not None]
        begun = time.monotonic()
        waiting = {one.difusor: one for one in back}
        while waiting and time.monotonic() < begun + CUT_TIMEOUT_S:
            for name, one in sorted(waiting.items()):
                if self._back(one) == one.vuelve:
                    self._came_back(one, time.monotonic() - begun)
                    if signed is not None and signed.numero == one.vuelve:
                        late = (datetime.now(UTC) - signed.firmado).total_seconds()
                        self._of(name).result.cortes[-1].segundos_a_visible = late
                    del waiting[name]
                    break
            time.sleep(POLL_S)
        for one in waiting.values():
            self._came_back(one, None)

    def _back(self, one: Esperado) -> int | None:
        """What is shown where the fault was: at the portal, or at its edge."""
        if not one.sigue:
            return self._shown(one.difusor)
        edge = Portal(self._orillas[one.difusor].publica)
        try:
            return self._number(edge.get("manifiesto.json"))
        finally:
            edge.close()

    def _came_back(self, one: Esperado, seconds: float | None) -> None:
        key = one.difusor, one.periodo
        shown = self._back(one) if seconds is None else one.vuelve
        self._visto[key] = replace(self._visto[key], vuelve=shown, vuelve_s=seconds)

    def _result(self) -> NightResult:
        night, call = self._night, self._night.convocatoria
        happened = self._diario.ocurridas(self._fallas)
        marks = califica(
            call.id,
            self._nombres,
            fallas=self._fallas,
            esperados=self._esperado,
            vistos=self._visto,
            antes=self._first_checks,
            mezclas={one.id: checks.unmixed(one.reader) for one in self._difusores},
            ultimos={one.id: _last_check(one) for one in self._difusores},
            ocurridas=happened,
            transferencia_max_s=call.transferencia_max_s,
        )
        taken = {
            name: sum(1 for key, one in self._visto.items() if key[0] == name and one.muestra) for name in self._nombres
        }
        day = call.inicio.astimezone(call.zona).date()
        marks = replace(marks, asistencia=asistencia(self._simulacros, day, taken, cortes=len(self._periodos)))
        for difusor in self._difusores:
            difusor.result.puntos = marks.puntos(difusor.id)
        return NightResult(
            convocatoria=call.id,
            ambiente="simulacro",
            semilla=night.semilla,
            cortes=tuple(cut for cut in self._post.signed() if cut.numero > 0),
            difusores=tuple(difusor.result for difusor in self._difusores),
            esperados=len(night.plan.cortes),
            fallas=happened,
            notas=marks,
        )


def _last_check(difusor: _Difusor) -> Check:
    found = [check for check in difusor.result.checks if check.codigo == ULTIMO_PUBLICADO]
    return found[-1] if found else Check(ULTIMO_PUBLICADO, ok=False, detalle="no se comprobó")


def _text(number: int | None) -> str:
    return "—" if number is None else f"{number:04d}"
