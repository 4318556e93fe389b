"""From what was read to the board: what is kept between two readings, and the ``Cuadro`` of an instant.

``Pliego`` is given rounds, events, slots and the registry in the order in which they come, and asked for the board as
often as anybody likes. It reads nothing by itself. The same things taken in give the same board, whatever was asked
meanwhile: what it remembers of columns that ended only spares work.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pregon.instituto.entrega.recibidos import at_cut
from pregon.instituto.monitor import formas as de_monitor
from pregon.instituto.proceso.diario import Diario, cierre_de
from pregon.instituto.tablero import marcha, palabras, pendientes
from pregon.instituto.tablero.letras import letra
from pregon.instituto.tablero.modelo import AcuseVisto, AlarmaVigente, Cuadro, Renglon, gravedad

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pregon.base.state import Event
    from pregon.instituto.monitor.almacen import Guardada
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.opera.alarmas import Regla
    from pregon.instituto.opera.programa import Corte
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.tablero.modelo import Columna, Evento

EVENTOS: Final = 40
"""Events that the board tells; the page of the journal has them all."""
ACUSES: Final = 60
"""Acuses of one difusor that its page shows."""
CALLA: Final = 5
"""Rounds after which a vantage point that is not heard is silent, as for the night's service."""
FUERA: Final = frozenset({"suspendido", "bloqueado", "baja"})
"""States in which a notice is shown, by order."""
OCULTOS: Final = frozenset({"solicitado", "rechazado", "concluido"})
"""States without anything to show: not yet, or not any more."""


@dataclass(frozen=True, kw_only=True)
class Casa:
    """What does not change while the board runs.

    ``nodos``: by difusor, the nodes whose acuses say what it shows: it shows a cut when all of them do (GRO-2.1b).
    ``margen``: how long after its hour the institute owes a cut. ``cada_s``: between two rounds.
    """

    serie: str
    instituto: str
    convocatoria: str
    titulo: str
    ambiente: str
    inicio: datetime
    fin: datetime
    tolerancia: timedelta
    margen: timedelta
    intervalo: timedelta
    cada_s: float
    puntos: tuple[str, ...]
    nodos: Mapping[str, frozenset[str]]
    alarmas: Mapping[str, Regla]


@dataclass
class _Difusor:
    """What is known of one along the night: by slot, the last dictamen and how it closed; by cut, when it was seen."""

    dictamenes: dict[int, Dictamen] = field(default_factory=dict)
    cierres: dict[int, Cierre] = field(default_factory=dict)
    visto: dict[int, datetime] = field(default_factory=dict)
    dicho: dict[int, dict[str, datetime]] = field(default_factory=dict)
    ultimo: Dictamen | None = None
    desde: datetime | None = None
    acuses: deque[AcuseVisto] = field(default_factory=lambda: deque(maxlen=ACUSES))
    celdas: dict[int, str] = field(default_factory=dict)
    segundos: dict[int, int | None] = field(default_factory=dict)


class Pliego:
    """What was read of one night. For one thread."""

    def __init__(self, casa: Casa) -> None:
        self.casa = casa
        self.diario = Diario()
        self._known: dict[str, _Difusor] = {}
        self._forms: dict[str, Inscrito] = {}
        self._slots: tuple[Periodo, ...] = ()
        self._place: dict[int, int] = {}
        self._cuts: Mapping[int, Corte] = {}
        self._alive: datetime | None = None
        self._columns: dict[int, Columna] = {}
        self._dirty: set[int] = set()
        self._points: dict[str, tuple[datetime, bool]] = {}
        self._alarms: dict[str, AlarmaVigente] = {}
        self._refused: dict[tuple[str, str], Event] = {}
        self._events: deque[Evento] = deque(maxlen=EVENTOS)
        self._heard: datetime | None = None

    # What comes.

    def firmas(self, slots: Sequence[Periodo], cortes: Sequence[Corte], *, sellado: datetime | None) -> None:
        """Every slot of the night, the cuts that are signed by now, and when the timestamp was (the sign of life)."""
        before = dict(enumerate(self._slots))
        self._dirty.update(one.indice for one in slots if before.get(one.indice) != one)
        self._slots = tuple(slots)
        self._place = {one.corte: one.indice for one in slots if one.corte is not None}
        self._cuts = {one.corte: one for one in cortes}
        self._alive = sellado

    def registro(self, inscritos: Iterable[Inscrito]) -> None:
        """Everybody who is in the registry now."""
        forms = {one.id: one for one in inscritos}
        if forms != self._forms:
            self._forms = forms
            self._dirty.update(range(len(self._slots)))
        for ident in forms:
            self._of(ident)

    def ronda(self, one: Guardada) -> None:
        """One round of the watch. Those that come again, or late, change nothing that is newer."""
        for view in one.vistas:
            known = self._points.get(view.punto)
            if known is None or view.hora >= known[0]:
                self._points[view.punto] = (view.hora, view.con_red)
        for told in one.dictamenes:
            self._judged(told)
        if self._heard is None or one.hora > self._heard:
            self._heard = one.hora

    def evento(self, one: Event) -> None:
        """One event of the journal, each once and in order.

        Raises:
            KeyError, TypeError, ValueError: it is not as we write them. What could be taken in of it is.
        """
        if not palabras.rutina(one):
            self._events.append(palabras.evento(one))
        data = one.dato
        self.diario.toma(one)
        match one.tipo:
            case "dictamen":
                self._judged(de_monitor.a_dictamen(data))
            case "periodo" if "difusor" in data:
                closed = cierre_de(data)
                self._of(closed.difusor).cierres[closed.periodo] = closed
                self._dirty.add(closed.periodo)
            case "acuse":
                self._told(one)
            case "acuse_rechazado":
                self._refused[data["difusor"], data["nodo"]] = one
            case "alarma":
                self._alarm(one)
            case "alarma_resuelta":
                self._alarms.pop(data["codigo"], None)

    def _judged(self, told: Dictamen) -> None:
        mine = self._of(told.difusor)
        last = mine.ultimo
        if last is None:
            self._dirty.update(range(len(self._slots)))  # Whoever was not shown may be from now on.
        if last is None or told.hora >= last.hora:
            if last is None or (last.veredicto, last.causa) != (told.veredicto, told.causa):
                mine.desde = told.hora
            mine.ultimo = told
        if told.corte is not None and told.veredicto != "alterado":
            first = mine.visto.get(told.corte)
            if first is None or told.hora < first:
                mine.visto[told.corte] = told.hora
                if told.corte in self._place:
                    self._dirty.add(self._place[told.corte])
        index = self._slot_at(told.hora)
        if index is None:
            return
        known = mine.dictamenes.get(index)
        if known is None or told.hora >= known.hora:
            mine.dictamenes[index] = told
            self._dirty.add(index)

    def _told(self, one: Event) -> None:
        data = one.dato
        who, node, cut = data["difusor"], data["nodo"], data["corte"]
        self._refused.pop((who, node), None)
        self._of(who).acuses.append(
            AcuseVisto(n=data["n"], nodo=node, corte=cut, evento=data["evento"], hora=one.hora, segundos=None)
        )
        if data["evento"] != "visible" or cut is None:
            return
        self._of(who).dicho.setdefault(cut, {}).setdefault(node, one.hora)
        if cut in self._place:
            self._dirty.add(self._place[cut])

    def _alarm(self, one: Event) -> None:
        code = one.dato["codigo"]
        rule = self.casa.alarmas.get(code)
        self._alarms[code] = AlarmaVigente(
            codigo=code,
            titulo=code if rule is None else rule.titulo,
            texto=str(one.dato["texto"]),
            que_hacer="" if rule is None else rule.que_hacer,
            desde=one.hora,
            grave=one.dato["severidad"] == "alarma",
        )

    def _of(self, ident: str) -> _Difusor:
        found = self._known.get(ident)
        if found is None:
            found = self._known[ident] = _Difusor()
            self._dirty.update(range(len(self._slots)))
        return found

    def _slot_at(self, hora: datetime) -> int | None:
        slots = self._slots
        if not slots or hora < slots[0].vence:
            return None
        low, high = 0, len(slots)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if slots[middle].vence <= hora else (low, middle)
        return low

    # What is asked.

    def cuadro(self, ahora: datetime, *, version: int, faltan: Sequence[str] = ()) -> Cuadro:
        """The board at ``ahora``."""
        begun = [one for one in self._slots if one.vence <= ahora]
        shown = [ident for ident in self._known if self._shown(ident)]
        self._refresh(begun, shown, ahora)
        warned = Counter(one.difusor for one in self.diario.advertencias.values() if one.periodo is not None)
        columns = tuple(self._columns[one.indice] for one in begun)
        rows = tuple(sorted((self._row(ident, len(begun), warned) for ident in shown), key=gravedad))
        house, quiet = self.casa, timedelta(seconds=CALLA * self.casa.cada_s)
        night = marcha.noche(
            self._slots, self._cuts.values(), inicio=house.inicio, fin=house.fin, margen=house.margen, ahora=ahora
        )
        points = marcha.puntos(house.puntos, self._points, ahora=ahora, calla=quiet, oida=self._heard)
        alarms = tuple(sorted(self._alarms.values(), key=lambda one: (not one.grave, one.desde)))
        events = tuple(reversed(self._events))
        return Cuadro(
            serie=self.casa.serie,
            version=version,
            hora=ahora,
            instituto=self.casa.instituto,
            convocatoria=self.casa.convocatoria,
            titulo=self.casa.titulo,
            ambiente=self.casa.ambiente,
            noche=night,
            cortes=columns,
            difusores=rows,
            por_decidir=pendientes.de(
                pendientes.Hechos(
                    noche=night,
                    renglones=rows,
                    puntos=points,
                    alarmas=alarms,
                    diario=self.diario,
                    rechazos=tuple(self._refused.values()),
                    rondas=marcha.parado(night, self._heard, ahora=ahora, tras=quiet),
                    vida=marcha.parado(night, self._alive, ahora=ahora, tras=house.intervalo + house.margen),
                ),
                self.nombre,
                ahora,
            ),
            eventos=events,
            puntos=points,
            alarmas=alarms,
            faltan=tuple(faltan),
        )

    def nombre(self, ident: str) -> str:
        """How people call a difusor."""
        form = self._forms.get(ident)
        return ident if form is None else form.nombre

    def inscrito(self, ident: str) -> Inscrito | None:
        """What the registry says of it."""
        return self._forms.get(ident)

    def acuses(self, ident: str) -> tuple[AcuseVisto, ...]:
        """Its last acuses, newest first."""
        signed = {one.corte: one.firmado for one in self._slots if one.firmado is not None}
        made = []
        for one in reversed(self._of(ident).acuses):
            since = None if one.corte is None else signed.get(one.corte)
            spent = None if since is None else max(0.0, (one.hora - since).total_seconds())
            made.append(replace(one, segundos=spent))
        return tuple(made)

    def citas(self, ident: str, fallas: int) -> tuple[tuple[datetime, tuple[int, ...]], ...]:
        """What its last verdict and its last ``fallas`` failed slots cite: when, and the numbers, newest first."""
        mine = self._of(ident)
        failed = [one for one in mine.cierres.values() if one.resultado == "fallo" and one.evidencia]
        cited = [(one.hora, one.evidencia) for one in sorted(failed, key=lambda one: one.periodo)[-fallas:]]
        if mine.ultimo is not None:
            cited.append((mine.ultimo.hora, mine.ultimo.evidencia))
        return tuple(reversed(cited))

    def _shown(self, ident: str) -> bool:
        form = self._forms.get(ident)
        return form is None or form.estado not in OCULTOS or self._known[ident].ultimo is not None

    def _refresh(self, begun: Sequence[Periodo], shown: Sequence[str], ahora: datetime) -> None:
        """Bring the columns that may have changed to what is known now."""
        # What ended long ago changes only by what comes; the last two slots, also by time.
        live = {one.indice for one in begun if one.hasta + (one.hasta - one.vence) >= ahora}
        for one in begun:
            if one.indice in self._dirty or one.indice in live or one.indice not in self._columns:
                self._columns[one.indice] = self._column(one, shown, ahora)
        self._dirty.difference_update(one.indice for one in begun)

    def _column(self, slot: Periodo, shown: Sequence[str], ahora: datetime) -> Columna:
        owed, took = 0, []
        for ident in shown:
            mine, form = self._known[ident], self._forms.get(ident)
            seconds, said = self._seconds(ident, mine, slot)
            state = None if form is None else estado_en(form, min(ahora, slot.hasta))
            letter = letra(
                slot,
                dictamen=mine.dictamenes.get(slot.indice),
                cierre=mine.cierres.get(slot.indice),
                dicho=said,
                fuera=state in FUERA,
                obligado=state not in OCULTOS and (state is not None or form is None),
                ahora=ahora,
                tolerancia=self.casa.tolerancia,
            )
            mine.celdas[slot.indice], mine.segundos[slot.indice] = letter, seconds
            owed += letter not in "-A"
            if seconds is not None:
                took.append(seconds)
        signed = None if slot.corte is None else self._cuts.get(slot.corte)
        return marcha.columna(slot, signed, took, deben=owed, ahora=ahora, margen=self.casa.margen)

    def _seconds(self, ident: str, mine: _Difusor, slot: Periodo) -> tuple[int | None, bool]:
        """Seconds until the slot's cut was visible, by whoever said so first, and whether the difusor itself did."""
        if slot.corte is None or slot.firmado is None:
            return None, False
        nodes, told = self.casa.nodos.get(ident), mine.dicho.get(slot.corte)
        said = None
        if told and nodes:
            whole = at_cut({node: slot.corte if node in told else None for node in nodes})
            said = None if whole is None else max(told[node] for node in nodes)
        seen = [one for one in (said, mine.visto.get(slot.corte)) if one is not None]
        if not seen:
            return None, False
        return max(0, round((min(seen) - slot.firmado).total_seconds())), said is not None

    def _row(self, ident: str, columns: int, warned: Mapping[str, int]) -> Renglon:
        mine, form, last = self._known[ident], self._forms.get(ident), self._known[ident].ultimo
        away = form is not None and form.estado in FUERA
        order = self.diario.orden_en_pie(ident)
        return Renglon(
            id=ident,
            nombre=ident if form is None else form.nombre,
            url="" if form is None else form.url,
            estado=None if form is None else form.estado,
            veredicto="sin_determinar" if last is None else last.veredicto,
            causa="sin_determinar" if last is None else last.causa,
            porque=palabras.porque(last, fuera=away),
            motivos=() if last is None else last.motivos,
            corte=None if last is None else last.corte,
            atraso_s=None if last is None else last.atraso_s,
            visto=None if last is None else last.hora,
            desde=mine.desde,
            fallas=self.diario.cuenta(ident).seguidas,
            advertencias=warned[ident],
            orden=None if order is None else order.id,
            celdas="".join(mine.celdas[index] for index in range(columns)),
            segundos=tuple(mine.segundos[index] for index in range(columns)),
        )


def estado_en(inscrito: Inscrito, hora: datetime) -> Estado | None:
    """The state in which a difusor was at ``hora``; None before it was registered."""
    return next((step.a for step in reversed(inscrito.historia) if step.hora <= hora), None)
