"""Where the public state comes from: what is signed, the open registry, the journal and the hours of availability.

Read anew for each state, but for what does not change: the journal is read on from where it was left, the package of a
cut once, and the months every few minutes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.instituto.monitor import disponibilidad as meses
from pregon.instituto.monitor.almacen import Almacen
from pregon.instituto.publico import avance
from pregon.instituto.publico.estado import estado
from pregon.instituto.publico.modelo import Disponibilidad
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.lista import renglones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.publico.modelo import Publico
    from pregon.instituto.registro.lista import Renglon
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace

PAGINA = 1000
"""Events of the journal read at once."""
BLOQUEADO = "HALLAZGOS: "
"""The reason of a cut that the gate stopped; what it found stays in the journal."""
RONDAS = 3
"""A verdict says how a difusor is for so many rounds; then nobody knows."""
MESES_S = 300.0
"""Real seconds between two sums of the months: what they tell moves by hours."""
MESES = 2
"""Months that are told: the one in course and the one before."""


class Fuente:
    """One workspace, read for its public state."""

    def __init__(self, workspace: Workspace, real: Clock | None = None) -> None:
        self._workspace = workspace
        self._real = real or SystemClock()
        self._registro = Registro(workspace)
        self._state = workspace.state()
        self._after = 0
        self._reasons: dict[int, str] = {}
        self._advance: tuple[str, avance.Avance] | None = None
        self._months: tuple[float, frozenset[str], dict[str, tuple[Disponibilidad, ...]]] | None = None

    def lee(self, firmas: Firmas, dictamenes: Iterable[Dictamen]) -> Publico:
        """The state of now.

        Raises:
            DiscoError: the registry, the journal or the newest package cannot be read.
        """
        space = self._workspace
        now, settings = space.clock.now(), space.settings
        people = self._registro.todos()
        lines = renglones(space.convocatoria, people)
        return estado(
            space.convocatoria,
            firmas.cortes,
            firmas.avisos,
            ahora=now,
            renglones=lines,
            dictamenes={one.difusor: one for one in dictamenes},
            avance=self._told_by(firmas, now),
            razones=self._why(),
            disponibilidad=self._availability(lines, people, now),
            margen=timedelta(seconds=settings.opera.aviso_tras_s),
            vale=timedelta(seconds=RONDAS * settings.monitor.cada_s),
        )

    def logos(self, lines: Sequence[Renglon]) -> dict[str, bytes]:
        """The logos of those lines, by their path."""
        known = self._registro.logos()
        return {line.logo: known[line.id] for line in lines if line.logo is not None}

    def _told_by(self, firmas: Firmas, now: datetime) -> avance.Avance:
        last = firmas.ultimo
        if last is None or now < self._workspace.convocatoria.inicio:
            return avance.Avance()
        if self._advance is None or self._advance[0] != last.manifiesto_sha256:
            self._advance = (last.manifiesto_sha256, avance.lee(self._workspace, last))
        return self._advance[1]

    def _why(self) -> Mapping[int, str]:
        while True:
            events = self._state.events(after=self._after, limit=PAGINA)
            for event in events:
                self._after = event.n
                if event.tipo == "corte_bloqueado":
                    self._reasons[event.dato["periodo"]] = BLOQUEADO
                elif event.tipo == "retraso" and self._reasons.get(event.dato["periodo"]) != BLOQUEADO:
                    # When it was announced the try was perhaps still going on; that it was blocked says more.
                    self._reasons[event.dato["periodo"]] = str(event.dato.get("porque", ""))
            if len(events) < PAGINA:
                return self._reasons

    def _availability(
        self, lines: Sequence[Renglon], people: Sequence[Inscrito], now: datetime
    ) -> dict[str, tuple[Disponibilidad, ...]]:
        wanted, clock = frozenset(line.id for line in lines), self._real.monotonic()
        known = self._months
        if known is None or known[1] != wanted or clock - known[0] >= MESES_S:
            self._months = known = (clock, wanted, self._summed(wanted, people, now))
        return known[2]

    def _summed(
        self, wanted: frozenset[str], people: Sequence[Inscrito], now: datetime
    ) -> dict[str, tuple[Disponibilidad, ...]]:
        call = self._workspace.convocatoria
        since: dict[str, datetime | None] = {one.id: one.alta for one in people if one.id in wanted}
        rows = list(self._state.rows(meses.SERIE))
        local = now.astimezone(call.zona)
        found: dict[str, list[Disponibilidad]] = {one: [] for one in since}
        for _ in range(MESES):
            name = f"{local:%Y-%m}"
            for each in meses.mes(
                rows, since, mes=meses.limites(name, call.zona), hasta=call.permanencia_hasta, exigida=None
            ):
                seen = each.segundos.arriba + each.segundos.abajo
                if seen:
                    found[each.difusor].append(Disponibilidad(name, each.porcentaje, seen))
            local = local.replace(day=1) - timedelta(days=1)
        return {ident: tuple(each) for ident, each in found.items()}


def ultimos_dictamenes(workspace: Workspace) -> tuple[Dictamen, ...]:
    """The verdicts of the last round that is kept and still says something.

    Raises:
        DanadoError: a kept round is not as it was written.
    """
    now = workspace.clock.now()
    last: tuple[Dictamen, ...] = ()
    for one in Almacen(workspace).lee(now - timedelta(seconds=RONDAS * workspace.settings.monitor.cada_s), now):
        last = one.dictamenes
    return last
