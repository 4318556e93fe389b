"""What each consultation transmits, measured on a real package: by kind of page and by representation.

Reads what ``nube.costo`` reads. A page of a district or of its secciones counts with the data that it asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pregon.difusor.aforo.ajustes import Clase, mezcla
from pregon.difusor.gemelos import BR
from pregon.difusor.nube.costo import pesa
from pregon.difusor.nube.plan import CORTE, PORTADA
from pregon.difusor.objects import at_first_sight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pregon.difusor.aforo.ajustes import Representacion, Visita
    from pregon.difusor.nube.costo import Archivos, Medida

NOMBRES: Mapping[str, str] = {
    "primera": "Primera visita (portada y todo lo que carga)",
    "repetida": "Otra visita del mismo navegador",
    "contienda": "Página de una elección",
    "unidad": "Página de un distrito o municipio",
    "secciones": "Página de secciones",
    "otra": "Otra página",
    "novedad": "Una página abierta pasa al corte siguiente",
    "descarga": "Base de datos completa (zip)",
}
"""What people read of each kind."""
INE_MIN, INE_MAX = 1_000_000, 20_000_000
"""INE-II-a-iii-3d: a consultation «puede transmitir de 1 a 20 MB»."""
_UNIT_DEPTH, _SECTIONS = 3, "secciones"


@dataclass(frozen=True)
class Consulta:
    """One kind of consultation: the mean bytes of each representation (None: the package has no such copy), requests,
    and how many of the kind the package has."""

    clase: str
    identidad: int
    gzip: int
    br: int | None
    peticiones: int
    hay: int = 1

    def bytes(self, representacion: Representacion) -> int:
        """As it travels to who takes that representation; gzip where there is no br yet."""
        if representacion == "identidad":
            return self.identidad
        return self.gzip if representacion == "gzip" or self.br is None else self.br


@dataclass(frozen=True)
class Pesos:
    """What was measured. ``corte``: the folder of its cut, empty where it has none. ``paginas``: kinds of page after
    the cover. ``medida``: the same package as its cost sees it.
    """

    que: str
    corte: str
    medida: Medida
    primera: Consulta
    repetida: Consulta
    novedad: Consulta
    paginas: Mapping[str, Consulta]
    descarga: Consulta | None

    @property
    def todas(self) -> tuple[Consulta, ...]:
        """Every kind, in the order in which they are told."""
        last = () if self.descarga is None else (self.descarga,)
        return (self.primera, self.repetida, *self.paginas.values(), self.novedad, *last)


@dataclass(frozen=True)
class Marca:
    """What one consultation of a crowd brings: the means of its first, second and third powers."""

    peticiones: tuple[float, float, float]
    bytes: tuple[float, float, float]


def mide(files: Archivos) -> Pesos:
    """Weigh a package that was read. A folder's br copies are the ones that are there; an archive has none."""
    sent, number = files.enviados, files.corte
    contests = {ruta.split("/")[2] for ruta in sent if number and ruta.startswith(f"datos/{number}/")}
    first = files.primera_visita()
    changing = [ruta for ruta in first if not ruta.startswith("assets/")]
    news = [ruta for ruta in first if ruta in (PORTADA, CORTE) or (number and ruta.startswith(f"datos/{number}/"))]
    deep = [
        ruta
        for ruta in sent
        if number and ruta.startswith(f"datos/{number}/") and ruta.endswith(".json") and not at_first_sight(ruta)
    ]
    kinds: dict[str, list[str]] = {}
    for ruta in sent:
        if ruta.endswith((".html", ".htm")) and ruta != PORTADA:
            kinds.setdefault(_kind(ruta, contests), []).append(ruta)
    weigh = _Balanza(files)
    pages = {}
    for name in get_args(Clase):
        if name not in kinds:
            continue
        page = weigh.media(name, kinds[name])
        # It asks for the data of its own place: one file of hundreds.
        pages[name] = weigh.con(page, deep) if deep and name in ("unidad", "secciones") else page
    bases = [ruta for ruta in sent if ruta.startswith("base-de-datos/") and not ruta.endswith(".html")]
    return Pesos(
        files.que,
        number,
        pesa(files),
        primera=weigh.todas("primera", first),
        repetida=weigh.todas("repetida", changing),
        novedad=weigh.todas("novedad", news),
        paginas=pages,
        descarga=weigh.media("descarga", bases) if bases else None,
    )


def marca(parts: Mapping[str, float], of: Callable[[str], tuple[float, float]]) -> Marca:
    """The moments of a mixture. ``of``: requests and bytes of a kind; ``parts`` sum 1."""
    each = [(part, of(name)) for name, part in parts.items()]

    def power(which: int, k: int) -> float:
        return math.fsum(part * pair[which] ** k for part, pair in each)

    return Marca((power(0, 1), power(0, 2), power(0, 3)), (power(1, 1), power(1, 2), power(1, 3)))


def partes(pesos: Pesos, visita: Visita) -> dict[str, float]:
    """The mixture of pages after the cover that this package allows."""
    return mezcla(visita, pesos.paginas)


def _kind(ruta: str, contests: set[str]) -> Clase:
    parts = ruta.split("/")
    if parts[0] not in contests:
        return "otra"
    if _SECTIONS in parts:
        return "secciones"
    if len(parts) == _UNIT_DEPTH and any(letter.isdigit() for letter in parts[1]):
        return "unidad"
    return "contienda"


class _Balanza:
    """Sums and means over the files of a package, in each representation."""

    def __init__(self, files: Archivos) -> None:
        self._files = files

    def todas(self, clase: str, rutas: list[str]) -> Consulta:
        return Consulta(clase, *self._sums(rutas), peticiones=len(rutas))

    def media(self, clase: str, rutas: list[str]) -> Consulta:
        plain, gz, br = self._sums(rutas)
        n = len(rutas)
        return Consulta(clase, _up(plain, n), _up(gz, n), None if br is None else _up(br, n), 1, n)

    def con(self, page: Consulta, rutas: list[str]) -> Consulta:
        more = self.media(page.clase, rutas)
        br = page.br if page.br is None else page.br + (more.gzip if more.br is None else more.br)
        return Consulta(
            page.clase, page.identidad + more.identidad, page.gzip + more.gzip, br, page.peticiones + 1, page.hay
        )

    def _sums(self, rutas: Iterable[str]) -> tuple[int, int, int | None]:
        plain = gz = br = 0
        some = False
        for ruta in rutas:
            each, sent = self._files.tamanos[ruta]
            twin = self._twin(ruta)
            plain, gz, br = plain + each, gz + sent, br + (sent if twin is None else twin)
            some = some or twin is not None
        return plain, gz, br if some else None

    def _twin(self, ruta: str) -> int | None:
        folder = self._files.carpeta
        if folder is None:
            return None
        path = folder / (ruta + BR)
        return path.stat().st_size if path.is_file() else None


def _up(total: int, number: int) -> int:
    return math.ceil(total / number)
