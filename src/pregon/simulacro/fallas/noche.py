"""Leads a night with faults on purpose. The clock goes from cut to cut, and stays there until it is seen how all are.

A period, step by step:

1. The faults that begin in it are done and noted in the journal.
2. The clock is set to the hour of the cut. Where the institute is late or lost, what is shown meanwhile is looked at.
3. The cut is signed. Everybody who is expected to show it is asked until they do; whoever is expected to refuse it,
   until they say so; and after a rest, all are looked at.
4. The faults that end in it are undone, and who had to do without is asked until the newest cut is there.

How each fault is done is in ``instituto``, ``difusor``, ``enlace`` and ``publico``; what is seen, in ``mirada``. What
is expected comes from the plan alone (``notas.espera``); here it only says for whom to wait. All night long a reader of
each difusor looks for anything that is of no signed cut, of two, or of an older one.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from pregon.base.clock import SimulatedClock
from pregon.simulacro import checks
from pregon.simulacro.fallas.diario import Diario
from pregon.simulacro.fallas.difusor import FallasDelDifusor
from pregon.simulacro.fallas.enlace import FallasDelEnlace
from pregon.simulacro.fallas.escena import Escena
from pregon.simulacro.fallas.instituto import FallasDelInstituto
from pregon.simulacro.fallas.mirada import Mirada
from pregon.simulacro.fallas.plan import DelEnlace, DelInstituto, DelPublico, con_fallas
from pregon.simulacro.fallas.publico import FallasDelPublico
from pregon.simulacro.night import CUT_TIMEOUT_S, LEAD, POLL_S, Leader
from pregon.simulacro.notas.asistencia import asistencia
from pregon.simulacro.notas.caida import caida_admitida
from pregon.simulacro.notas.espera import esperado
from pregon.simulacro.notas.notas import Visto, califica
from pregon.simulacro.plan import Plan
from pregon.simulacro.result import ULTIMO_PUBLICADO, Check, CutAtDifusor, NightResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.convocatoria.secciones import Simulacro
    from pregon.simulacro.fallas.escena import Provocador
    from pregon.simulacro.fallas.plan import Falla, Periodo
    from pregon.simulacro.night import Night, _Difusor
    from pregon.simulacro.notas.espera import Esperado
    from pregon.simulacro.portadores import Puerta
    from pregon.simulacro.result import SignedCut

REPOSO_S = 1.5
"""Real seconds after which what was not shown is taken as not going to be: several passes of a difusor."""
READER_PAUSE_S = 0.5
"""Many readers on one machine leave it time for the night."""


class LeaderConFallas(Leader):
    """Runs one ``Night`` with ``fallas``; every difusor receives from a messenger of its own."""

    _instituto: FallasDelInstituto
    _enlace: FallasDelEnlace
    _equipo: FallasDelDifusor
    _publico: FallasDelPublico
    _mirada: Mirada

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

    @contextlib.contextmanager
    def run(self) -> Iterator[NightResult]:
        """As ``Leader.run``."""
        with contextlib.ExitStack() as stack:
            self._set_the_scene(stack)
            self._prepare()
            self._instituto.prepara()
            self._instituto.empieza()
            self._diario = Diario(self._post.folder / "fallas.sqlite", SimulatedClock.load(self._post.reloj))
            for number, name in enumerate(self._nombres, 1):
                difusor = self._open_difusor(name, number, stack)
                self._difusores.append(difusor)
                self._enlace.agrega(name)
                self._mirada.agrega(difusor)
            self._begin(0)
            self._before_the_start(self._instituto.proceso)
            self._end(0)
            for period in self._periodos:
                self._period(period)
            self._close()
            yield self._result()

    # Who takes part

    def _set_the_scene(self, stack: contextlib.ExitStack) -> None:
        scene = Escena(self._post, self._disk, stack, self._fallas)

        def receive(difusor: _Difusor) -> None:
            difusor.recibe = self._receive(difusor.id, stack)

        def serve(difusor: _Difusor) -> None:
            difusor.sirve = self._serve(difusor.id, stack)

        self._instituto = FallasDelInstituto(
            scene,
            arranca=lambda: stack.enter_context(self._institute()),
            urls=lambda: {one.id: one.url for one in self._difusores},
        )
        self._enlace = FallasDelEnlace(scene, semilla=self._night.semilla)
        self._equipo = FallasDelDifusor(scene, difusor=self._of, recibe=receive, sirve=serve)
        self._publico = FallasDelPublico(scene, url=lambda name: self._of(name).url)
        self._mirada = Mirada(self._post, self._publico.orillas)
        self._provocadores: dict[str, Provocador] = dict.fromkeys(get_args(DelInstituto), self._instituto)
        self._provocadores |= dict.fromkeys(get_args(DelEnlace), self._enlace)
        self._provocadores |= dict.fromkeys(get_args(DelPublico), self._publico)

    def _inboxes(self) -> list[str]:
        return []

    def _local_door(self, number: int) -> Puerta:
        return self._publico.puerta(f"difusor-{number}", super()._local_door(number))

    def _trusts_clock(self, ident: str) -> bool:
        return self._equipo.reloj_propio(ident) is None

    def _clock_file(self, ident: str) -> Path:
        return self._equipo.reloj_propio(ident) or super()._clock_file(ident)

    def _set_pace(self, origin: datetime, rate: float) -> None:
        super()._set_pace(origin, rate)
        self._equipo.pon_en_hora(origin, rate)

    def _receiver(self, ident: str) -> list[str | Path]:
        return self._equipo.receptor(ident) or super()._receiver(ident)

    def _of(self, name: str) -> _Difusor:
        return next(one for one in self._difusores if one.id == name)

    # The faults

    def _by(self, fault: Falla) -> Provocador:
        return self._provocadores.get(fault.clase, self._equipo)

    def _begin(self, indice: int) -> None:
        for fault in self._fallas:
            if fault.corte == indice:
                self._diario.empieza(fault)
                self._by(fault).provoca(fault)
                self._say(f"  falla {fault.n}: {fault.clase} en {fault.objetivo}")

    def _end(self, indice: int) -> None:
        for fault in self._fallas:
            if fault.ultimo == indice:
                effects, detail = self._by(fault).termina(fault)
                self._diario.termina(fault, efectos=effects, detalle=detail)

    # The night

    def _period(self, period: Periodo) -> None:
        self._enlace.recuerda(period.indice - 1)
        # What a lost machine signed is known to whoever looks, as it is to any reader.
        for known in self._post.signed():
            self._manifests.get(known.numero)
        # What a fault takes in real time is no hour of the night.
        self._set_pace(SimulatedClock.load(self._post.reloj).now(), 1.0)
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
            meanwhile = {name: self._mirada.muestra(name) for name in self._nombres}
        if cut is not None:
            self._instituto.repone(period.indice)
            if cut.retraso:
                self._set_pace(max(now, cut.sale), 1.0)
            self._allow(cut)
            signed = self._wait_signed(cut, self._instituto.proceso)
        seconds = self._look(period, signed, meanwhile)
        self._judge(period, signed, seconds)
        self._end(period.indice)
        self._note_silences(period.indice)
        self._recover(period, signed)
        shown = "  ".join(f"{name} {_text(self._visto[name, period.indice].muestra)}" for name in self._nombres)
        number = "sin corte" if cut is None else f"corte {cut.numero:04d}"
        self._say(f"{self._hour(hour)}  {number}; a la vista: {shown}")

    def _look(
        self, period: Periodo, signed: SignedCut | None, meanwhile: dict[str, int | None]
    ) -> dict[str, float | None]:
        wanted = {name: self._esperado[name, period.indice] for name in self._nombres}
        seconds: dict[str, float | None] = dict.fromkeys(self._nombres)
        newest = None if signed is None else signed.numero
        if signed is not None:
            coming = [name for name in self._nombres if wanted[name].muestra == newest]
            seconds |= self._mirada.espera_corte(coming, signed)
        self._mirada.espera_codigos({name: one.codigos for name, one in wanted.items() if one.codigos})
        if signed is None or any(one.muestra != newest for one in wanted.values()):
            time.sleep(REPOSO_S)
        for name, one in wanted.items():
            self._visto[name, period.indice] = Visto(
                name,
                period.indice,
                self._mirada.muestra(name),
                mientras=meanwhile.get(name) if one.mientras is not None else None,
                codigos=self._mirada.codigos(name),
                segundos=seconds[name],
                evidencia=f"manifiesto público a las {self._hour(SimulatedClock.load(self._post.reloj).now())}",
            )
        return seconds

    def _judge(self, period: Periodo, signed: SignedCut | None, seconds: dict[str, float | None]) -> None:
        """The checks of any simulacro, on what each difusor shows now."""
        cut = period.corte
        if signed is None or cut is None:
            return
        totals = checks.expected_totals(cut, inconsistencias=self._night.convocatoria.inconsistencias)
        for difusor in self._difusores:
            at = CutAtDifusor(cut.numero, seconds[difusor.id])
            if not difusor.result.cortes:
                at.comprobaciones.append(self._first_checks[difusor.id])
            shown = self._visto[difusor.id, period.indice].muestra
            manifest = None if not shown else self._manifests.get(shown)
            if manifest is not None:
                if shown == cut.numero:
                    at.comprobaciones.append(checks.totals_equal(difusor.portal, totals))
                whole = cut.numero == self._last
                at.comprobaciones.append(checks.bytes_equal(difusor.portal, manifest, self._random, whole=whole))
            at.comprobaciones.append(checks.unmixed(difusor.reader))
            difusor.result.cortes.append(at)

    def _note_silences(self, indice: int) -> None:
        for key, seconds in self._equipo.silencios.items():
            if key[1] == indice:
                self._visto[key] = replace(self._visto[key], silencio_s=seconds)

    def _recover(self, period: Periodo, signed: SignedCut | None) -> None:
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
        return self._mirada.muestra_la_orilla(one.difusor) if one.sigue else self._mirada.muestra(one.difusor)

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
            caida=caida_admitida(call),
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
