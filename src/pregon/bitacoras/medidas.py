"""The measures as values, and as JSON ``pregon/medidas/1``. What each is: ``docs/memoria/definiciones.md``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

FORMATO = "pregon/medidas/1"


@dataclass(frozen=True, slots=True)
class Cuenta:
    """How many of one thing. ``bytes``: those of the bodies sent."""

    nombre: str
    hits: int
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Minuto:
    """One minute (``desde``: seconds since 1970): hits and bytes of all, pages of people, and visits under way."""

    desde: int
    hits: int
    paginas: int
    bytes: int
    visitas: int
    errores: int


@dataclass(frozen=True, slots=True)
class MediaHora:
    """Half an hour (``desde``: seconds since 1970) and how many different visitors it had."""

    desde: int
    visitantes: int


@dataclass(frozen=True, slots=True)
class Dia:
    """One local day, ``AAAA-MM-DD``: pages, hits and bytes of all its minutes, visits that began in it, visitors."""

    dia: str
    hits: int
    paginas: int
    bytes: int
    visitas: int
    visitantes: int


@dataclass(frozen=True, slots=True)
class DeCorte:
    """What was asked of the data of one cut, in one contest (None: of the package's common files)."""

    corte: int
    contienda: str | None
    hits: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DeContienda:
    """What was asked of one contest: its pages (by people), and its pages and data together."""

    contienda: str
    paginas: int
    hits: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Tiempos:
    """How long answers took, in milliseconds; ``n`` hits say it."""

    n: int
    p50: int
    p95: int
    p99: int
    maximo: int


@dataclass(frozen=True, slots=True)
class Medida:
    """All the measures of one site in one window. ``desde`` and ``hasta``: first and last hit, seconds since 1970."""

    sitio: str
    ventana: str
    desde: int
    hasta: int
    hits: int
    paginas: int
    visitas: int
    visitantes: int
    bytes: int
    hits_robots: int
    paginas_por_visita: float
    segundos_por_visita: float
    estados: tuple[Cuenta, ...]
    metodos: tuple[Cuenta, ...]
    protocolos: tuple[Cuenta, ...]
    tipos: tuple[Cuenta, ...]
    cache: tuple[Cuenta, ...]
    robots: tuple[Cuenta, ...]
    rutas: tuple[Cuenta, ...]
    perdidas: tuple[Cuenta, ...]
    referentes: tuple[Cuenta, ...]
    navegadores: tuple[Cuenta, ...]
    sistemas: tuple[Cuenta, ...]
    lugares: tuple[Cuenta, ...]
    por_minuto: tuple[Minuto, ...]
    por_media_hora: tuple[MediaHora, ...]
    por_dia: tuple[Dia, ...]
    por_corte: tuple[DeCorte, ...]
    por_contienda: tuple[DeContienda, ...]
    tiempos: Tiempos | None


@dataclass(frozen=True, slots=True)
class Archivo:
    """One log read: ``malos`` lines that are no hit (too long, or of no meaning), ``incompleta`` why it broke off."""

    ruta: str
    formato: str
    lineas: int
    malos: int
    incompleta: str


@dataclass(frozen=True, slots=True)
class Ejemplo:
    """Where a malformed line is and what it looks like: letters as «a», figures as «0», so that it says nothing."""

    archivo: str
    linea: int
    forma: str


@dataclass(frozen=True, slots=True)
class Medidas:
    """What one run measured. ``fuera``: hits of no window, by site."""

    generado: datetime
    zona: str
    lineas: int
    malos: int
    fuera: tuple[Cuenta, ...]
    archivos: tuple[Archivo, ...]
    ejemplos: tuple[Ejemplo, ...]
    medidas: tuple[Medida, ...]

    def de(self, sitio: str, ventana: str) -> Medida | None:
        """The measures of that site in that window, None where it had no hit."""
        return next((one for one in self.medidas if (one.sitio, one.ventana) == (sitio, ventana)), None)

    def as_dict(self) -> dict[str, Any]:
        """As JSON (``docs/memoria/definiciones.md``)."""
        told = asdict(self)
        told["generado"] = self.generado.isoformat()
        return {"formato": FORMATO, **told}
