"""What a night costs behind a CDN: bytes measured on a real package, times visits and cuts, times a table of prices.

The sums are a function of what was measured, of what is supposed and of the table; everything supposed is said
(INE-II-a-iii-3b asks for it in the analysis of capacity). Nothing here asks anybody anything.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from zlib_ng import zlib_ng

from pregon.base.errors import EntradaError
from pregon.difusor.gemelos import GZ, TWINS
from pregon.difusor.nube.cabeceras import inmutable
from pregon.difusor.nube.plan import CORTE, PORTADA, publicas
from pregon.difusor.objects import MAX_TWIN_BYTES, MIN_TWIN_BYTES, at_first_sight, compressible
from pregon.difusor.preflight.revision import de_primera_visita
from pregon.paquete.reading import EXTENSIONES, gzip_twin, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from pregon.difusor.nube.precios import Cuenta, Precios

VIEJOS_DIAS = 180
"""A table older than this is said to be old."""
CENTAVO = Decimal("0.01")
_PRECISION = 6
_NADA = "No se escribió ni se cambió nada."


@dataclass(frozen=True)
class Peso:
    """Bytes as they travel (gzip where the difusor keeps it so), in how many objects; ``mudables`` of these change."""

    bytes: int = 0
    objetos: int = 0
    mudables: int = 0

    def __add__(self, other: Peso) -> Peso:
        return Peso(self.bytes + other.bytes, self.objetos + other.objetos, self.mudables + other.mudables)


@dataclass(frozen=True)
class Medida:
    """What a package weighs, each part in its ``Peso``.

    ``visita``: a first one. ``pagina``: one page more, the mean. ``novedad``: an open page that goes to the next cut.
    ``fijo``: what goes up once a night; ``cambia``: with each cut. ``rutas``: public paths to purge at each cut.
    ``original``: bytes of the archive as the institute sends it.
    """

    que: str
    visita: Peso
    pagina: Peso
    novedad: Peso
    fijo: Peso
    cambia: Peso
    rutas: int
    original: int


@dataclass(frozen=True)
class Supuestos:
    """What no package says. ``orillas``: places of the CDN that each ask the store for themselves."""

    visitantes: int
    cortes: int
    intervalo_min: int
    paginas: int = 3
    minutos: int = 10
    orillas: int = 15
    dias_equipo: int = 7
    dias_conserva: int = 30
    disco_gb: int = 60
    enlace: bool = False

    def __post_init__(self) -> None:
        if min(self.cortes, self.intervalo_min, self.paginas, self.orillas) < 1:
            raise ValueError(self)

    def en_palabras(self) -> tuple[str, ...]:
        """Each, as a sentence."""
        link = "y PrivateLink" if self.enlace else "sin PrivateLink"
        return (
            f"{self.visitantes:,} visitantes en la noche, que llegan con el navegador vacío",
            f"cada uno abre {self.paginas} páginas y se queda {self.minutos} minutos",
            f"{self.cortes:,} cortes, uno cada {self.intervalo_min} minutos; una página abierta pasa sola al nuevo",
            f"cada orilla de la CDN pide al depósito cada objeto nuevo una vez, y son {self.orillas}",
            f"el depósito conserva {self.dias_conserva} días todo lo que se subió, y el historial completo",
            f"el equipo que recibe, encendido {self.dias_equipo} días con {self.disco_gb} GB de disco, {link}",
            "toda visita es buena: un ataque, lo que detenga el WAF y los impuestos no están",
        )


@dataclass(frozen=True)
class Concepto:
    """One line: what was counted and what it costs; ``importe`` None: the table has no price for it."""

    cuenta: Cuenta
    cantidad: Decimal
    importe: Decimal | None


@dataclass(frozen=True)
class Costo:
    """The whole estimate."""

    medida: Medida
    supuestos: Supuestos
    precios: Precios
    conceptos: tuple[Concepto, ...]

    @property
    def total(self) -> Decimal:
        """The sum, to the cent."""
        return sum((one.importe for one in self.conceptos if one.importe is not None), Decimal(0)).quantize(
            CENTAVO, ROUND_HALF_UP
        )

    def viejos(self, today: date) -> bool:
        """Whether the prices were copied too long ago."""
        return (today - self.precios.fecha).days > VIEJOS_DIAS

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``. Money and quantities as text, exact."""
        table = self.precios
        return {
            "medida": asdict(self.medida),
            "supuestos": asdict(self.supuestos) | {"en_palabras": list(self.supuestos.en_palabras())},
            "precios": {"nombre": table.nombre, "fecha": table.fecha.isoformat(), "fuente": table.fuente},
            "conceptos": [
                {
                    "cuenta": one.cuenta,
                    "cantidad": str(one.cantidad),
                    "importe": None if one.importe is None else str(one.importe.quantize(CENTAVO, ROUND_HALF_UP)),
                }
                for one in self.conceptos
            ],
            "moneda": table.moneda,
            "total": str(self.total),
        }


@dataclass(frozen=True)
class Archivos:
    """What a package has. ``tamanos``: of every public file, its bytes and those that travel. ``portada``: its text.

    ``original``: bytes of the archive as the institute sends it. ``carpeta``: where its twins are; None: an archive.
    """

    que: str
    tamanos: Mapping[str, tuple[int, int]]
    portada: bytes
    original: int
    carpeta: Path | None = None

    @property
    def enviados(self) -> dict[str, int]:
        """The bytes that travel, gzip where the difusor keeps it so."""
        return {name: sent for name, (_, sent) in self.tamanos.items()}

    @property
    def corte(self) -> str:
        """The folder of the last cut's data; empty where it has none."""
        return max((ruta.split("/")[1] for ruta in self.tamanos if _numbered(ruta)), default="")

    def primera_visita(self) -> list[str]:
        """What a browser that knows nothing asks for when it opens the cover."""
        return [ruta for ruta in de_primera_visita(self.tamanos, self.portada, self.corte) if ruta in self.tamanos]


def mide(ruta: Path) -> Medida:
    """What a package weighs: an archive as the institute sends it, or the folder of a release.

    Raises:
        EntradaError: it is neither, or has no cover. ArchivoError: the archive is damaged or is not admitted.
    """
    return pesa(archivos(ruta))


def archivos(ruta: Path) -> Archivos:
    """Read a package once. Raises as ``mide``."""
    folder: Path | None = None
    if ruta.is_dir():
        # It may be a link that moves at the next cut (``publico``): followed once.
        folder = ruta.resolve()
        sizes = dict(_of_folder(folder))
        cover = folder / PORTADA
        text = cover.read_bytes() if cover.is_file() else b""
        original = sum(plain for plain, _ in sizes.values())
    elif ruta.is_file() and ruta.suffix in EXTENSIONES:
        sizes, text = _of_archive(ruta)
        original = ruta.stat().st_size
    else:
        raise EntradaError(
            f"No se puede medir {ruta}: no es la carpeta de un difusor, ni la de un corte, ni un paquete.",
            intacto=_NADA,
            que_hacer=f"Dé una carpeta, o un archivo {' o '.join(EXTENSIONES)}.",
        )
    if PORTADA not in sizes:
        raise EntradaError(
            f"No se puede medir {ruta}: no tiene {PORTADA}.",
            intacto=_NADA,
            que_hacer="Dé un paquete completo; de un difusor, uno que ya publicó algún corte.",
        )
    return Archivos(str(ruta), sizes, text, original, folder)


def calcula(medida: Medida, supuestos: Supuestos, precios: Precios) -> Costo:
    """The estimate. Pure."""
    given = cantidades(medida, supuestos, gb=precios.gb)
    prices = {one.cuenta: one for one in precios.renglones}
    lines = tuple(
        Concepto(name, amount, prices[name].importe(amount) if name in prices else None)
        for name, amount in given.items()
    )
    return Costo(medida, supuestos, precios, lines)


def cantidades(medida: Medida, supuestos: Supuestos, *, gb: int) -> Mapping[Cuenta, Decimal]:
    """How much of each thing a night takes."""
    looks = supuestos.minutos // supuestos.intervalo_min
    pages = supuestos.paginas - 1
    each = _times(medida.visita, 1) + _times(medida.pagina, pages) + _times(medida.novedad, looks)
    written = medida.fijo.objetos + supuestos.cortes * medida.cambia.objetos
    kept = medida.fijo.bytes + supuestos.cortes * (medida.cambia.bytes + medida.original)
    hours = supuestos.dias_equipo * 24
    months = Decimal(supuestos.dias_conserva) / 30
    linked = Decimal(supuestos.cortes * medida.original) / gb if supuestos.enlace else Decimal(0)
    found: dict[Cuenta, Decimal] = {
        "salida_gb": Decimal(supuestos.visitantes * each.bytes) / gb,
        "peticiones": Decimal(supuestos.visitantes * each.objetos),
        "funciones": Decimal(supuestos.visitantes * each.mudables),
        "purgas": Decimal(supuestos.cortes * medida.rutas),
        "subidas": Decimal(written),
        "lecturas": Decimal(written * supuestos.orillas),
        "almacen_gb_mes": Decimal(kept) / gb * months,
        "equipo_h": Decimal(hours),
        "disco_gb_mes": Decimal(supuestos.disco_gb * supuestos.dias_equipo) / 30,
        "direccion_h": Decimal(hours),
        "enlace_h": Decimal(hours if supuestos.enlace else 0),
        "enlace_gb": linked,
    }
    return {name: round(amount, _PRECISION) for name, amount in found.items()}


def segundos_de_enlace(medida: Medida, mbps: int) -> float:
    """How long the archive takes over a link of so many Mbit/s (INE-II-a-iii-2a)."""
    return medida.original * 8 / (mbps * 1e6)


def _times(what: Peso, number: int) -> Peso:
    return Peso(what.bytes * number, what.objetos * number, what.mudables * number)


def pesa(files: Archivos) -> Medida:
    """What was read, weighed. Pure."""
    sent, number, first = files.enviados, files.corte, files.primera_visita()
    own = [ruta for ruta in sent if ruta.startswith(f"datos/{number}/")] if number else []
    root = [ruta for ruta in sent if "/" not in ruta]
    pages = [ruta for ruta in sent if ruta.endswith(".html") and ruta != PORTADA]
    changing = [*own, *root]
    once = sorted({ruta for ruta in sent if not _numbered(ruta)}.difference(changing))
    # A page more is itself, and the data of its own place.
    deep = [ruta for ruta in own if not at_first_sight(ruta) and ruta.endswith(".json")]
    page = Peso(_mean(sent, pages), 1 if pages else 0, 1 if pages else 0) + Peso(_mean(sent, deep), 1 if deep else 0)
    news = [ruta for ruta in (PORTADA, CORTE, *own) if ruta in first]
    return Medida(
        files.que,
        visita=_weight(sent, first),
        pagina=page,
        novedad=_weight(sent, news),
        fijo=_weight(sent, once),
        cambia=_weight(sent, changing),
        rutas=sum(len(publicas(ruta)) for ruta in root),
        original=files.original,
    )


def _numbered(ruta: str) -> bool:
    parts = ruta.split("/")
    return len(parts) > 2 and parts[0] == "datos" and parts[1].isdigit()


def _weight(sent: Mapping[str, int], rutas: list[str]) -> Peso:
    return Peso(sum(sent[ruta] for ruta in rutas), len(rutas), sum(not inmutable(ruta) for ruta in rutas))


def _mean(sent: Mapping[str, int], rutas: list[str]) -> int:
    return math.ceil(sum(sent[ruta] for ruta in rutas) / len(rutas)) if rutas else 0


def _gz(ruta: str, plain: int) -> bool:
    return compressible(ruta) and MIN_TWIN_BYTES <= plain <= MAX_TWIN_BYTES


def _of_folder(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each file but its twins: its bytes, and those that travel."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for ruta, path in names.items():
        if any(ruta.endswith(suffix) and ruta.removesuffix(suffix) in names for suffix in TWINS):
            continue
        plain = path.stat().st_size
        twin = names.get(ruta + GZ)
        if not _gz(ruta, plain):
            yield ruta, (plain, plain)
        elif twin is not None:
            yield ruta, (plain, twin.stat().st_size)
        else:
            yield ruta, (plain, len(zlib_ng.compress(path.read_bytes())))


def _of_archive(archive: Path) -> tuple[dict[str, tuple[int, int]], bytes]:
    found: dict[str, tuple[int, int]] = {}
    cover = b""
    for member in members(archive):
        ruta = member.ruta
        twin = gzip_twin(member) if _gz(ruta, member.bytes) and ruta != PORTADA else None
        if twin is not None:
            found[ruta] = (member.bytes, sum(map(len, twin)))
            continue
        content = b"".join(member.open()) if ruta == PORTADA or _gz(ruta, member.bytes) else b""
        cover = content if ruta == PORTADA else cover
        found[ruta] = (member.bytes, len(zlib_ng.compress(content)) if _gz(ruta, member.bytes) else member.bytes)
    return found, cover
