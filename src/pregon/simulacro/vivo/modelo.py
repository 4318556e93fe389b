"""What was read of a rehearsal, and what of it is shown: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.base.clock import SimulatedClock
    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.result import SignedCut
    from pregon.simulacro.vivo.encargo import Encargo

# What was read.


@dataclass(frozen=True)
class AcuseLeido:
    """One acuse of a difusor whose signature was verified; ``real``: when its file was written, by the machine."""

    corte: int | None
    evento: str
    codigo: str | None
    real: datetime


@dataclass(frozen=True)
class Dicho:
    """A code with which a difusor told a refusal or a failure, from when to when it was seen saying so (real)."""

    codigo: str
    desde: datetime
    hasta: datetime

    def entre(self, desde: datetime, hasta: datetime | None) -> bool:
        """Whether it was said in that time; ``hasta`` None: it is not over."""
        return self.hasta >= desde and (hasta is None or self.desde <= hasta)


@dataclass(frozen=True)
class DifusorLeido:
    """One difusor. ``muestra``: what its pointer names («0003», «espera», «aviso»); None while there is none."""

    id: str
    url: str | None = None
    muestra: str | None = None
    acuses: tuple[AcuseLeido, ...] = ()
    dichos: tuple[Dicho, ...] = ()


@dataclass(frozen=True)
class Leido:
    """Everything that the folder of a night says at one moment. ``faltan``: what could not be read, in words."""

    encargo: Encargo
    ahora: datetime | None = None
    """The hour of the rehearsal; None before its clock was set."""
    firmados: tuple[SignedCut, ...] = ()
    ocurridas: tuple[Ocurrida, ...] = ()
    difusores: tuple[DifusorLeido, ...] = ()
    resultado: dict[str, Any] | None = None
    faltan: tuple[str, ...] = ()


# What is shown.

EstadoCelda: TypeAlias = Literal[
    "previsto", "sin_corte", "espera", "recibido", "publicado", "visible", "rechazado", "perdido"
]
"""How far a cut got at a difusor.

``previsto``: not signed yet. ``sin_corte``: there is none that period. ``espera``: signed, and nothing is known of it
here. ``recibido``: it came and was verified. ``publicado``: it is public. ``visible``: the difusor saw it at its own
address, as a citizen would. ``rechazado``: what came is refused, or could not be taken. ``perdido``: it never was shown
here, and a later one is.
"""
EstadoFalla: TypeAlias = Literal["prevista", "en_curso", "terminada"]
Fase: TypeAlias = Literal["prepara", "antes", "noche", "terminada"]


@dataclass(frozen=True)
class Celda:
    """One cut at one difusor. ``segundos``: real ones from its signing until it was public. ``codigo``: why not.

    ``fallas``: the numbers of the faults that the plan has for this difusor in this period.
    """

    estado: EstadoCelda
    segundos: float | None = None
    codigo: str | None = None
    fallas: tuple[int, ...] = ()


@dataclass(frozen=True)
class Renglon:
    """One difusor. ``celdas`` go with ``Momento.columnas``.

    ``atras``: cuts signed after the one that it shows. ``en_falla``: faults under way on it. ``codigo``: what it says
    now. ``grado`` and ``puntos``: at the end of a night with marks.
    """

    id: str
    url: str | None
    muestra: str | None
    atras: int
    celdas: tuple[Celda, ...]
    en_falla: tuple[int, ...] = ()
    codigo: str | None = None
    grado: str | None = None
    puntos: int | None = None

    @property
    def corte(self) -> int | None:
        """The number of the cut that it shows; None where it shows none."""
        return int(self.muestra) if self.muestra is not None and self.muestra.isdecimal() else None


@dataclass(frozen=True)
class Columna:
    """One period: ``indice`` from 1, the hour of its cut, its number (None: there is none). ``firmado``: real.

    ``fallas``: those of the institute. ``llego``: its hour came.
    """

    indice: int
    hora: datetime
    numero: int | None
    firmado: datetime | None = None
    llego: bool = False
    fallas: tuple[int, ...] = ()


@dataclass(frozen=True)
class Tramo:
    """One fault on the line of time. ``desde`` and ``hasta``: hours of the rehearsal; ``desde_real``: the machine's.

    ``espera``: what the plan says that must be seen, in words. ``visto``: what is, or was. ``cumplio``: what the marks
    say at the end; None before, and where no mark is of it.
    """

    falla: Falla
    nombre: str
    estado: EstadoFalla
    espera: str
    visto: str = ""
    desde: datetime | None = None
    hasta: datetime | None = None
    desde_real: datetime | None = None
    duro_s: float | None = None
    cumplio: bool | None = None


@dataclass(frozen=True)
class Conclusion:
    """How the night ended. ``notas`` and ``cumplidas``: marks, or checks where it has no marks."""

    ok: bool
    notas: int
    cumplidas: int
    con_notas: bool
    fallas: int
    aplicadas: int
    informe: str | None = None
    """The name of the folder of the signed report."""
    incumplidas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Momento:
    """What the page shows at one moment."""

    encargo: Encargo
    fase: Fase
    periodo: int
    """The one whose hour came last; 0: none did."""
    columnas: tuple[Columna, ...]
    renglones: tuple[Renglon, ...]
    tramos: tuple[Tramo, ...]
    conclusion: Conclusion | None = None
    faltan: tuple[str, ...] = ()
    reloj: SimulatedClock | None = field(default=None)

    @property
    def corte(self) -> Columna | None:
        """The newest that was signed."""
        return next((one for one in reversed(self.columnas) if one.firmado is not None), None)

    @property
    def proxima(self) -> Columna | None:
        """The next period whose cut is to come."""
        return next((one for one in self.columnas if one.numero is not None and one.firmado is None), None)

    @property
    def en_curso(self) -> tuple[Tramo, ...]:
        """The faults under way."""
        return tuple(one for one in self.tramos if one.estado == "en_curso")

    @property
    def al_dia(self) -> int:
        """How many difusores show the newest cut."""
        return sum(one.atras == 0 and one.corte is not None for one in self.renglones)

    @property
    def foco(self) -> tuple[str, ...]:
        """The difusores, those worth looking at first: with a fault under way, then behind, then by their number."""
        ranked = sorted(enumerate(self.renglones), key=lambda one: (not one[1].en_falla, one[1].atras == 0, one[0]))
        return tuple(one.id for _, one in ranked)
