"""What one look at a portal brought, what was promised for each slot of the clock, and what is said of a difusor.

Values only: whoever decides on them (``veredicto``, the due process) is given everything and reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

Veredicto: TypeAlias = Literal["al_dia", "atrasado", "alterado", "inaccesible", "sin_determinar"]
Causa: TypeAlias = Literal["ninguna", "instituto", "red", "difusor", "sin_determinar"]
Forma: TypeAlias = Literal["resultados", "espera", "aviso", "otra"]
"""What the cover is: a cut, the page before the start, a notice that there are no results, or something else."""
Motivo: TypeAlias = Literal[
    "CONTENIDO",
    "ANTICIPADO",
    "CORTE_VIEJO",
    "CORTE_AJENO",
    "TLS",
    "CABECERAS",
    "HORA",
    "SIN_RESPUESTA",
    "LENTO",
    "AUTOINFORME",
    "AVISO_PROPIO",
    "ESPERA_TARDIA",
]
"""Why: each is one thing seen, and the evidence says where."""

FALLAS: frozenset[Veredicto] = frozenset({"atrasado", "alterado", "inaccesible"})
"""The verdicts that are a failure, where their cause is the difusor."""


@dataclass(frozen=True)
class Muestra:
    """One file asked for through the public URL. ``esperado``, ``sha256`` of its bytes; None where it did not come."""

    ruta: str
    esperado: str
    sha256: str | None

    @property
    def igual(self) -> bool:
        """Whether the bytes are those of the manifest."""
        return self.sha256 == self.esperado


@dataclass(frozen=True, kw_only=True)
class Observacion:
    """What one vantage point (``punto``) saw of one public address at one instant (aware ``hora``).

    ``codigo``: of the error where there was no answer (``RED`` …), or where TLS is wrong (``TLS``). ``corte``: the one
    that it says it shows; None where it shows none. ``cabeceras``: what is wrong in its headers, Spanish. ``muestras``:
    the files read against the manifest of ``corte``. ``segundos``: what the slowest page took.
    """

    punto: str
    difusor: str
    url: str
    hora: datetime
    alcanzable: bool
    codigo: str | None = None
    estado: int | None = None
    forma: Forma = "otra"
    corte: int | None = None
    hora_corte: datetime | None = None
    manifiesto_sha256: str | None = None
    cabeceras: tuple[str, ...] = ()
    muestras: tuple[Muestra, ...] = ()
    segundos: float = 0.0
    desfase_s: float | None = None
    n: int = 0
    """Its place among the observations of its night: what evidence cites."""
    direccion: int = 0
    """Which of the difusor's public addresses, by their order: two points may ask for the same one by other names."""
    leidas: int = 0
    """How many files were read and compared, those of ``muestras`` or more: what is kept names only what differs."""
    porque: str | None = None
    """Why there was no answer, Spanish."""
    vence: datetime | None = None
    """The end of its certificate."""


@dataclass(frozen=True)
class Vista:
    """Whether one vantage point had its own network in a round: what it saw without it says nothing of anybody.

    ``alguien``: somebody answered it in that round, a witness or a difusor. Where nobody did, and they are too few to
    say that the network was lost, not being reached is nobody's fault yet.
    """

    punto: str
    hora: datetime
    con_red: bool
    alguien: bool = True


@dataclass(frozen=True)
class Periodo:
    """One slot of the profile's clock: ``indice`` from 0, ``vence`` when its cut is promised, ``hasta`` when it ends.

    ``corte`` and ``firmado``: the cut that the institute signed for it, None where it missed it.
    """

    indice: int
    vence: datetime
    hasta: datetime
    corte: int | None = None
    firmado: datetime | None = None
    manifiesto_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dictamen:
    """What is said of one difusor at one instant, with why and on what evidence.

    ``corte``: the one seen; ``atraso_s``: seconds since the cut that it should show was signed, where it shows an
    older one. ``evidencia``: the numbers of the observations.
    """

    difusor: str
    hora: datetime
    veredicto: Veredicto
    causa: Causa
    motivos: tuple[Motivo, ...] = ()
    corte: int | None = None
    atraso_s: float | None = None
    evidencia: tuple[int, ...] = ()

    @property
    def falla(self) -> bool:
        """Whether it counts against the difusor."""
        return self.veredicto in FALLAS and self.causa == "difusor"

    @property
    def determinado(self) -> bool:
        """Whether anything was found out."""
        return self.veredicto != "sin_determinar"
