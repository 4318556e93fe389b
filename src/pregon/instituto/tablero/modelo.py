"""One moment of the night as the board shows it. Values only: nothing here reads a clock, a file or a database.

A column is a slot of the call's clock that began (``Columna``), whether or not the institute signed its cut; a row is a
difusor (``Renglon``); a cell is one letter of ``LETRAS``. Instants are aware; seconds count since a cut was signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Causa, Motivo, Observacion, Veredicto
    from pregon.instituto.opera.programa import Fase
    from pregon.instituto.proceso.diario import Advertencia, OrdenDifusor
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.modelo import Inscrito

Letra: TypeAlias = Literal["D", "E", "R", "X", "S", "N", "I", "A", "Q", "-"]
Tono: TypeAlias = Literal["calma", "bien", "ojo", "mal"]
"""How much something asks for a person: not at all, it went well, look at it, it is wrong."""


@dataclass(frozen=True)
class Signo:
    """What one letter of a cell says. ``forma``: the drawing that tells it without colour.

    ``falla``: it counts against the difusor.
    """

    letra: Letra
    nombre: str
    explica: str
    forma: Literal["lleno", "hueco", "reloj", "aspa", "vacio", "onda", "barra", "cuadro", "duda", "nada"]
    tono: Tono
    falla: bool = False


LETRAS: Final[tuple[Signo, ...]] = (
    Signo("X", "Alterado", "Muestra algo que el instituto no firmó.", "aspa", "mal", falla=True),
    Signo("S", "Sin respuesta", "Su sitio no respondió, y la causa es suya.", "vacio", "mal", falla=True),
    Signo("R", "Atrasado", "Muestra un corte anterior al que debe, y la causa es suya.", "reloj", "mal", falla=True),
    Signo("Q", "Sin determinar", "Nadie pudo verlo, o no se sabe de quién es la causa.", "duda", "ojo"),
    Signo("N", "Falla de la red", "Se vio mal desde algún punto; la causa es de la red.", "onda", "ojo"),
    Signo(
        "E", "En plazo", "El corte ya se firmó, o está por firmarse, y aún tiene tiempo de mostrarlo.", "hueco", "calma"
    ),
    Signo("I", "Lo debe el instituto", "El instituto no firmó el corte a su hora.", "barra", "ojo"),
    Signo(
        "A", "Muestra su aviso", "Está suspendido o retirado y muestra el aviso que se le ordenó.", "cuadro", "calma"
    ),
    Signo("D", "Al día", "Muestra el corte que debe.", "lleno", "bien"),
    Signo("-", "Sin datos", "No se le miraba todavía, o no estaba obligado.", "nada", "calma"),
)
"""Every letter of a cell, worst first."""
SIGNOS: Final[dict[str, Signo]] = {one.letra: one for one in LETRAS}


@dataclass(frozen=True, kw_only=True)
class Noche:
    """Where the institute itself is.

    ``corte``: number of the newest signed cut, None where there is none. ``proximo``: when the next one is due, None
    after the closing one. ``debe_desde``: since when the institute owes a cut, None where it owes none.
    """

    inicio: datetime
    fin: datetime
    fase: Fase
    corte: int | None
    proximo: datetime | None
    debe_desde: datetime | None

    def atraso_s(self, hora: datetime) -> float | None:
        """Seconds that the institute has owed its cut at ``hora``; None where it owes none."""
        return None if self.debe_desde is None else max(0.0, (hora - self.debe_desde).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Columna:
    """One slot that began. ``n``, ``hora_corte`` and ``firmado`` are None where its cut is not signed (``perdido``:
    nor will be).

    ``curva``: the propagation, ``(seconds since signing, difusores that show it)``, rising in both; ``de``: how many
    owed it; ``visibles``: how many were seen with it (or said so, signed). ``p50_s`` and ``p95_s``: of all those that
    owe it, None while fewer show it. ``retraso_s``: how late it was signed, where it was.
    """

    indice: int
    vence: datetime
    hasta: datetime
    n: int | None = None
    hora_corte: datetime | None = None
    firmado: datetime | None = None
    perdido: bool = False
    ultimo: bool = False
    visibles: int = 0
    de: int = 0
    p50_s: float | None = None
    p95_s: float | None = None
    retraso_s: float | None = None
    curva: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Renglon:
    """One difusor now and along the night. ``celdas`` and ``segundos`` go with ``Cuadro.cortes``.

    ``estado`` None: it has no form in the registry. ``visto``: when it was last judged. ``corte``: the one it showed
    then. ``atraso_s``: seconds since the cut that it should show was signed. ``fallas``: failed slots in a row.
    ``advertencias``: warnings of tonight. ``segundos``: since each cut was signed
    until it was visible, None where it was not seen. ``porque``: its verdict with its cause, in words.
    """

    id: str
    nombre: str
    url: str
    estado: Estado | None
    veredicto: Veredicto
    causa: Causa
    porque: str
    motivos: tuple[Motivo, ...] = ()
    corte: int | None = None
    atraso_s: float | None = None
    visto: datetime | None = None
    desde: datetime | None = None
    """Since when its verdict and its cause are those."""
    fallas: int = 0
    advertencias: int = 0
    orden: str | None = None
    """Id of the order that waits for it."""
    celdas: str = ""
    segundos: tuple[int | None, ...] = ()

    @property
    def tono(self) -> Tono:
        """How much it asks for a person now."""
        if self.veredicto in ("alterado", "atrasado", "inaccesible"):
            return "mal" if self.causa == "difusor" else "ojo"
        return "bien" if self.veredicto == "al_dia" else "ojo" if self.visto is not None else "calma"


ClasePendiente: TypeAlias = Literal["corte", "servicio", "alarma", "orden", "advertencia", "difusor", "punto", "nodo"]


@dataclass(frozen=True, kw_only=True)
class Pendiente:
    """Something that asks for a person now. ``id`` is unique and lasts as long as it does.

    ``clase`` and ``ref``: an ``orden`` (its id), an ``advertencia`` (its id) that is in doubt or could not be
    delivered, a ``corte`` that the institute owes, its ``servicio`` that gives no sign of life or makes no rounds, a
    ``difusor`` that is altered, a ``punto`` that is silent or without network, a ``nodo`` whose acuses are refused, or
    an ``alarma`` of the service (its code).
    """

    id: str
    clase: ClasePendiente
    ref: str
    texto: str
    que_hacer: str
    desde: datetime
    tono: Tono
    difusor: str | None = None
    corte: int | None = None


@dataclass(frozen=True, kw_only=True)
class Evento:
    """One event of the journal in words. ``n``: its number there."""

    n: int
    hora: datetime
    tipo: str
    texto: str
    tono: Tono
    difusor: str | None = None
    corte: int | None = None


@dataclass(frozen=True, kw_only=True)
class Punto:
    """One vantage point: when it was last heard, whether it had its own network then, and whether it is silent."""

    nombre: str
    visto: datetime | None
    con_red: bool
    calla: bool

    @property
    def tono(self) -> Tono:
        """How much it asks for a person now."""
        return "bien" if self.con_red and not self.calla else "ojo"


@dataclass(frozen=True, kw_only=True)
class AlarmaVigente:
    """One alarm of the night's service that has not ended."""

    codigo: str
    titulo: str
    texto: str
    que_hacer: str
    desde: datetime
    grave: bool


@dataclass(frozen=True, kw_only=True)
class Cuadro:
    """The whole board at ``hora``. ``version`` grows by one with each change within ``serie`` (one start of the board).

    ``cortes``: the slots that began, oldest first. ``difusores``: worst first. ``eventos``: the last ones, newest
    first. ``faltan``: what could not be read, and since when what is shown of it is old.
    """

    serie: str
    version: int
    hora: datetime
    instituto: str
    convocatoria: str
    titulo: str
    ambiente: str
    noche: Noche
    cortes: tuple[Columna, ...] = ()
    difusores: tuple[Renglon, ...] = ()
    por_decidir: tuple[Pendiente, ...] = ()
    eventos: tuple[Evento, ...] = ()
    puntos: tuple[Punto, ...] = ()
    alarmas: tuple[AlarmaVigente, ...] = ()
    faltan: tuple[str, ...] = ()

    def difusor(self, ident: str) -> Renglon | None:
        """The row of that difusor."""
        return next((one for one in self.difusores if one.id == ident), None)

    def cuenta(self, veredicto: Veredicto) -> int:
        """How many have that verdict now."""
        return sum(one.veredicto == veredicto for one in self.difusores)


@dataclass(frozen=True, kw_only=True)
class AcuseVisto:
    """One acuse of one node: what it said of which cut, when it came, and seconds since the cut was signed."""

    n: int
    nodo: str
    corte: int | None
    evento: str
    hora: datetime
    segundos: float | None


@dataclass(frozen=True, kw_only=True)
class Detalle:
    """Everything of one difusor that a person needs to decide.

    ``observaciones``: those that its last verdict and its last failed slots cite, newest first; ``n`` is their number.
    ``eventos``: its own, newest first. ``acuses``: the last ones, newest first.
    """

    renglon: Renglon
    inscrito: Inscrito | None
    observaciones: tuple[Observacion, ...] = ()
    acuses: tuple[AcuseVisto, ...] = ()
    advertencias: tuple[Advertencia, ...] = ()
    ordenes: tuple[OrdenDifusor, ...] = ()
    eventos: tuple[Evento, ...] = ()
    citas: tuple[tuple[datetime, tuple[int, ...]], ...] = ()
    """Its last verdict and its last failed slots: when, and the numbers of the observations that they cite."""
    faltan: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hoja:
    """One page of the journal, newest first. ``antes``: number to ask for what is older, None at the beginning.

    ``difusor``, ``corte``, ``tipo`` and ``tono``: the filter, as it was asked for. ``tipos``: those that there are.
    """

    eventos: tuple[Evento, ...]
    antes: int | None
    difusor: str | None = None
    corte: int | None = None
    tipo: str | None = None
    tono: Tono | None = None
    tipos: tuple[str, ...] = ()


_ORDEN: Final[tuple[tuple[Veredicto, Causa | None], ...]] = (
    ("alterado", "difusor"),
    ("alterado", None),
    ("inaccesible", "difusor"),
    ("atrasado", "difusor"),
    ("inaccesible", None),
    ("atrasado", "red"),
    ("sin_determinar", None),
    ("atrasado", None),
    ("al_dia", None),
)


def gravedad(one: Renglon) -> tuple[int, int, float, str]:
    """By what rows are put in order, the worst first: what is seen, failures in a row, delay; the id where all tie.

    Who shows the notice that was ordered, and who is not asked for anything, goes last.
    """
    place = next(
        (i for i, (what, whose) in enumerate(_ORDEN) if one.veredicto == what and whose in (None, one.causa)), 0
    )
    if one.estado not in (None, "activo", "admitido") and one.veredicto in ("al_dia", "sin_determinar"):
        place = len(_ORDEN)
    return (place, -one.fallas, -(one.atraso_s or 0.0), one.id)
