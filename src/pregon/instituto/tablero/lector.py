"""Reads the night in a thread of its own: at the start all of it, then only what is new, and tells what changed.

No page ever waits for the database: it is made of the last moment that could be read. Each source is read by itself;
one that cannot be read is told in ``faltan``, what was known of it stays, and it is tried again. Nothing is written.
"""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from pregon.base.clock import SystemClock
from pregon.base.errors import EntradaError, PregonError
from pregon.instituto.monitor.almacen import CARPETA, CLAVE, Almacen
from pregon.instituto.monitor.juicio import Reglas
from pregon.instituto.opera.alarmas import catalogo
from pregon.instituto.opera.programa import periodos
from pregon.instituto.opera.turno import Turno
from pregon.instituto.proceso.cuenta import tolerancia
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.tablero import expediente, formas, palabras
from pregon.instituto.tablero.cuadro import Casa, Pliego
from pregon.instituto.tablero.diferencia import diferencia

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.base.state import Event
    from pregon.instituto.tablero.diferencia import Cambio
    from pregon.instituto.tablero.modelo import Cuadro, Detalle, Evento, Hoja, Tono
    from pregon.instituto.workspace import Workspace

_logger = logging.getLogger(__name__)
T = TypeVar("T")

MIRA_S: Final = 0.2
"""Between two looks at whether anything is new."""
REPITE_S: Final = 5.0
"""Between two readings of what no event tells of, and between two tries of a source that failed."""
PASA_S: Final = 1.0
"""Between two looks at the clock alone."""
LOTE: Final = 5000
"""Events read at once."""
ANTES: Final = timedelta(hours=1)
"""How long before the start the rounds of a night begin to count; and before now, where that is another day."""
FIN_S: Final = 2.0
CALLADO_S: Final = 15.0
"""A reading that takes longer is told: somebody waits for the database, and what is shown grows old."""
LEYENDO: Final = "Se está leyendo la noche: lo que falta aparece solo."
_DE_FIRMAS: Final = frozenset({"corte", "aviso", "retraso", "relevo", "relevo_termina", "ceremonia"})
"""Events after which something else is signed."""
_DEL_REGISTRO: Final = frozenset({"alta", "estado_difusor", "baja", "nota"})
"""Events after which the registry may say something else."""


class Lector:
    """The board of one workspace, kept up to date.

    ``cambia`` hears each change, in a thread of ours: the board before it, after it, and what is different.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        environment: Mapping[str, str],
        cambia: Callable[[Cuadro, Cuadro, Cambio], None] = lambda *_: None,
        real: Clock | None = None,
    ) -> None:
        """Nothing is read yet: ``empieza`` or ``lee`` do.

        Raises:
            AjustesError, DiscoError, DanadoError, RedError: the state cannot be opened.
        """
        self._workspace = workspace
        self._tell = cambia
        self._real = real or SystemClock()
        self._stop = threading.Event()
        self._state = workspace.state()
        self._environment = environment
        self._turn = Turno(workspace, environment, self._stop)
        self._registry = Registro(workspace, entorno=environment)
        self._store = Almacen(workspace)
        self.casa = casa_de(workspace)
        self._sheet = Pliego(self.casa)
        self._lock = threading.Lock()
        """Of the sheet and the journal in words; held while they change, never while anything is read."""
        self._telling = threading.Lock()
        """Of the board and its number: whoever puts another one tells it before the next."""
        self._journal: list[Evento] = []
        self._signed: dict[str, datetime] = {}
        self._after = 0
        self._round = 0
        self._round_at: datetime | None = None
        self._forms_due = True
        self._missing: dict[str, str] = {}
        self._read_at = self._made_at = float("-inf")
        self._sheet.firmas(periodos(workspace.convocatoria), (), sellado=None)
        self._began: float | None = None
        self._board = self._sheet.cuadro(workspace.clock.now(), version=0, faltan=(LEYENDO,))
        self._text: tuple[int, str] | None = None
        self._threads = [
            threading.Thread(target=work, name=f"tablero-{name}", daemon=True)
            for name, work in (("lector", self._run), ("edad", self._watch))
        ]
        self.listo = threading.Event()
        """Set once the whole night was read for the first time."""

    # What it gives.

    @property
    def cuadro(self) -> Cuadro:
        """The last moment that could be read."""
        return self._board

    def texto(self) -> tuple[int, str]:
        """The version and the JSON of the last moment, made once for each."""
        board, made = self._board, self._text
        if made is None or made[0] != board.version:
            made = (board.version, formas.texto(formas.de_cuadro(board)))
            self._text = made
        return made

    def detalle(self, ident: str) -> Detalle | None:
        """Everything of one difusor, None where the night does not know it. Reads files: not for the loop's thread."""
        with self._lock:
            board = self._board
            row = board.difusor(ident)
            if row is None:
                return None
            facts = expediente.reune(ident, row, self._sheet, self._journal, board)
        return expediente.con_observaciones(facts, self._store, self._workspace.clock.now())

    def bitacora(
        self,
        *,
        antes: int | None = None,
        difusor: str | None = None,
        corte: int | None = None,
        tipo: str | None = None,
        tono: Tono | None = None,
    ) -> Hoja:
        """One page of the journal, newest first; ``antes``: only events numbered below it."""
        with self._lock:
            return expediente.hoja(self._journal, antes=antes, difusor=difusor, corte=corte, tipo=tipo, tono=tono)

    # Its thread.

    def empieza(self) -> None:
        """Begin to read, and go on."""
        for thread in self._threads:
            thread.start()

    def termina(self) -> None:
        """Ask it to end, and wait some seconds: no more, it may be waiting for the database."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(FIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.lee()
            except Exception:
                # The border of the thread: it must live as long as the board.
                _logger.exception("tablero: no se pudo leer la noche")
                self._stop.wait(REPITE_S)
            self._stop.wait(MIRA_S)

    def _watch(self) -> None:
        """Tell the open pages that what they show grows old, while a reading waits for the database."""
        told: float | None = None
        while not self._stop.wait(MIRA_S):
            began = self._began
            if began is None or began == told or self._real.monotonic() - began < CALLADO_S:
                continue
            told = began
            zone = self._workspace.convocatoria.zona
            since = f"{self._board.hora.astimezone(zone):%H:%M:%S}"
            said = f"No se lee nada nuevo desde las {since}: se espera a la base de estado o al disco."
            self._put(lambda board, said=said: replace(board, faltan=(*board.faltan, said)))  # type: ignore[misc]

    def lee(self) -> Cambio | None:
        """Read what is new, and tell it; what changed, None where nothing did. For one thread."""
        self._began = self._real.monotonic()
        try:
            return self._look()
        finally:
            self._began = None
            self.listo.set()

    def _look(self) -> Cambio | None:
        spent = self._real.monotonic() - self._read_at
        slow = spent >= REPITE_S
        if slow:
            self._read_at = self._real.monotonic()
        fresh = self._source("La bitácora", self._events, tries=slow) or ()
        slow = slow or self._read_at == float("-inf")
        if slow or any(one.tipo in _DE_FIRMAS for one in fresh):
            self._source("Lo firmado", self._signatures, tries=True)
        self._forms_due = self._forms_due or any(one.tipo in _DEL_REGISTRO for one in fresh)
        if slow or self._forms_due:
            self._source("El registro de difusores", self._forms, tries=True)
        rounds = self._source("Las observaciones", self._rounds, tries=slow)
        # Where nothing came, only time goes by: a cut becomes late, a point silent.
        if not (fresh or rounds or slow) and self._real.monotonic() - self._made_at < PASA_S:
            return None
        self._made_at = self._real.monotonic()
        now, missing = self._workspace.clock.now(), tuple(self._missing.values())
        with self._lock:
            made = self._sheet.cuadro(now, version=0, faltan=missing)
        return self._put(lambda _: made)

    def _put(self, de: Callable[[Cuadro], Cuadro]) -> Cambio | None:
        """Put in place of the board the one that ``de`` makes of it, numbered, and tell what is different."""
        with self._telling:
            before = self._board
            after = replace(de(before), version=before.version + 1)
            change = diferencia(before, after)
            # The hour of the last look is shown too; the number is of what changed.
            self._board = replace(after, version=before.version) if change is None else after
            if change is not None:
                self._tell(before, after, change)
        return change

    def _source(self, what: str, part: Callable[[], T], *, tries: bool) -> T | None:
        """One part; where it fails it is told, and tried again only now and then (``tries``)."""
        if what in self._missing and not tries:
            return None
        try:
            found = part()
        except PregonError as exc:
            self._fails(what, exc.que_paso)
        except Exception as exc:
            # The border of one source: whatever is wrong in what it reads, the others must go on.
            _logger.exception("tablero: %s", what)
            self._fails(what, f"falla interna ({type(exc).__name__})")
        else:
            self._missing.pop(what, None)
            return found
        return None

    def _fails(self, what: str, why: str) -> None:
        if what not in self._missing:
            _logger.warning("tablero: %s: %s", what, why)
            zone = self._workspace.convocatoria.zona
            since = f"{self._workspace.clock.now().astimezone(zone):%H:%M:%S}"
            self._missing[what] = f"{what} no se puede leer desde las {since}: {why}"

    # Its sources.

    def _events(self) -> Sequence[Event]:
        if self._after and self._state.cabeza().n < self._after:
            self._again()
        fresh: list[Event] = []
        while True:
            found = self._state.events(after=self._after, limit=LOTE)
            with self._lock:
                for one in found:
                    self._take(one)
                    self._after = one.n
            fresh += found
            if len(found) < LOTE:
                return fresh

    def _again(self) -> None:
        """Forget everything: the journal is shorter than what was read of it, so another one was put in its place."""
        _logger.warning("tablero: la bitácora es otra; se lee de nuevo la noche")
        call = self._workspace.convocatoria
        with self._lock:
            self._sheet, self._journal, self._signed = Pliego(self.casa), [], {}
            self._sheet.firmas(periodos(call), (), sellado=None)
            self._after = self._round = 0
            self._round_at, self._forms_due = None, True
        self._turn = Turno(self._workspace, self._environment, self._stop)
        self._read_at = float("-inf")

    def _take(self, one: Event) -> None:
        self._journal.append(palabras.evento(one))
        try:
            if one.tipo == "corte":
                self._signed[one.dato["manifiesto_sha256"]] = one.hora
            self._sheet.evento(one)
        except (KeyError, TypeError, ValueError, AttributeError):
            # Somebody changed it, or an older program wrote it: the page of the journal shows it as it is.
            _logger.warning("tablero: no se entiende el suceso %d (%s)", one.n, one.tipo)

    def _signatures(self) -> None:
        signed = self._turn.firmas()
        # A cut may be seen signed a moment before its event, which says when: then it is put right.
        cuts = tuple(
            replace(one, firmado=self._signed.get(one.manifiesto_sha256, one.firmado)) for one in signed.cortes
        )
        with self._lock:
            self._sheet.firmas(periodos(self._workspace.convocatoria, cuts), cuts, sellado=signed.sellado)

    def _forms(self) -> None:
        forms = self._registry.todos()
        with self._lock:
            self._sheet.registro(forms)
        self._forms_due = False

    def _rounds(self) -> bool:
        known = self._state.get(CLAVE)
        newest = known["ronda"] if known else 0
        if newest <= self._round and self._round_at is not None:
            return False
        if newest and not (self._workspace.folder / CARPETA).is_dir():
            raise EntradaError(
                "las rondas las guarda la otra máquina; aquí se ve lo que dice la bitácora.",
                intacto="La noche sigue igual.",
                que_hacer="Vea el tablero de la máquina que vigila.",
            )
        now = self._workspace.clock.now()
        spans = [(self._round_at, now)] if self._round_at is not None else self._whole_night(now)
        for since, until in spans:
            try:
                self._take_rounds(since, until)
            except FileNotFoundError:
                self._take_rounds(since, until)  # An hour was being closed into one file.
        self._round = max(self._round, newest)
        self._round_at = self._round_at or now
        return True

    def _whole_night(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """What of the rounds is shown: those of the slots, and the last ones. Of weeks of permanence, no more."""
        call = self._workspace.convocatoria
        begin, end = min(call.inicio, now) - ANTES, call.fin_actualizacion + self._workspace.intervalo
        last = now - ANTES
        return [(begin, now)] if last <= end else [(begin, end), (last, now)]

    def _take_rounds(self, desde: datetime, hasta: datetime) -> None:
        for one in self._store.dictadas(desde, hasta, tras=self._round):
            with self._lock:
                self._sheet.ronda(one)
            self._round, self._round_at = one.ronda, one.hora


def casa_de(workspace: Workspace) -> Casa:
    """What of a workspace does not change while its board runs."""
    call, settings = workspace.convocatoria, workspace.settings
    nodes: dict[str, set[str]] = {}
    for one in settings.destino:
        if one.clave_acuses is not None and not one.pausado:
            nodes.setdefault(one.difusor, set()).add(one.nodo)
    return Casa(
        serie=secrets.token_hex(4),
        instituto=call.instituto_nombre or call.instituto,
        convocatoria=call.id,
        titulo=call.nombre,
        ambiente=settings.ambiente,
        inicio=call.inicio,
        fin=call.fin_actualizacion,
        tolerancia=tolerancia(call),
        margen=Reglas.de(call).margen,
        intervalo=workspace.intervalo,
        cada_s=settings.monitor.cada_s,
        puntos=(settings.monitor.punto, *(one.punto for one in settings.monitor.remoto)),
        nodos={ident: frozenset(names) for ident, names in nodes.items()},
        alarmas=catalogo(),
    )
