"""Renders the pages of a cut: templates compiled once, every value escaped, nothing inline, every URL relative."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined

from pregon.instituto import contrato
from pregon.instituto.leeme import COLUMNAS
from pregon.instituto.portal import formato
from pregon.instituto.portal.aspecto import Aspecto
from pregon.instituto.portal.partidos import ficha
from pregon.instituto.portal.recursos import Recursos
from pregon.instituto.portal.tramas import definiciones
from pregon.instituto.portal.vista_consulta import all_entities
from pregon.instituto.portal.vista_unidad import INDICE
from pregon.instituto.portal.vistas import (
    BASE_DE_DATOS,
    CONSULTA,
    GLOSARIO,
    INCRUSTA,
    PREGUNTAS,
    PROGRAMADORES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import CodeType

    from jinja2.bccache import Bucket

    from pregon.instituto.portal.programadores import Documento
    from pregon.instituto.portal.tarjetas import Tarjeta
    from pregon.instituto.portal.vista_cambios import VistaCambios
    from pregon.instituto.portal.vista_especiales import VistaEspeciales
    from pregon.instituto.portal.vista_estadistica import VistaEstadistica
    from pregon.instituto.portal.vista_noche import VistaNoche
    from pregon.instituto.portal.vista_secciones import HojaSecciones
    from pregon.instituto.portal.vista_unidad import VistaUnidad
    from pregon.instituto.portal.vistas import Enlace, Marco, Portal, VistaContienda

_View = TypeVar("_View")
_MEMORY = 4096
"""Most pieces of markup about who contends that are kept: parties and people, many times over in each contest."""


@dataclass(frozen=True)
class Fija:
    """A page of the whole site that depends on nothing but the cut: its template has the name of its view."""

    vista: str
    ruta: str
    titulo: str
    descripcion: str


_FIJAS = (
    Fija("casilla", CONSULTA, "Consulta tu casilla", "Los resultados de una casilla, por número de sección."),
    Fija("base-de-datos", BASE_DE_DATOS, "Base de datos", "Descarga de la base de datos de actas del corte."),
    Fija(
        "para-programadores",
        PROGRAMADORES,
        "Para programadores",
        "Los resultados en JSON: archivos, esquemas, identificadores y cómo consultarlos.",
    ),
    Fija("preguntas-frecuentes", PREGUNTAS, "Preguntas frecuentes", "Qué es el PREP y cómo leer sus resultados."),
    Fija("glosario", GLOSARIO, "Glosario", "Qué significa cada palabra de los resultados preliminares."),
    Fija("incrusta", INCRUSTA, "Incrustar los resultados", "Cómo mostrar estos resultados dentro de otra página."),
)


LADOS = (
    ("cambios", "Qué cambió en este corte"),
    ("noche", "La noche hasta ahora"),
    ("estadistica", "Estadística"),
)
"""The pages of a contest beside its results, by the name of their view: what each is called."""


@dataclass(frozen=True)
class Complementos:
    """What the pages of a contest show beside its results; None where the cut has nothing of it to tell."""

    cambios: VistaCambios | None = None
    noche: VistaNoche | None = None
    estadistica: VistaEstadistica | None = None
    especiales: Mapping[str, VistaEspeciales] = field(default_factory=dict)
    """The special votes of each unit by its id, and of the contest under the empty one."""
    secciones: Mapping[str, Sequence[HojaSecciones]] = field(default_factory=dict)
    """The pages of secciones of each unit, by its id."""


class _Compiled(BytecodeCache):
    """What each template compiles to, by its name and the hash of its text: half of a small cut was compiling them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


@cache
def _compiled() -> _Compiled:
    """One for the process, as the templates are: an ``Environment`` is of one ``Aspecto``, what they compile to is not.

    Only for the options and filters that ``Paginas`` gives every environment of its own.
    """
    return _Compiled()


class Paginas:
    """Compiles the templates when made; then it renders any number of cuts, the whole site and each contest apart."""

    def __init__(self, aspecto: Aspecto | None = None) -> None:
        self.aspecto = aspecto or Aspecto()
        environment = Environment(
            loader=PackageLoader("pregon.instituto.portal", "plantillas"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_compiled(),
        )
        environment.filters.update(
            entero=formato.entero, pct=formato.porcentaje, tam=formato.bytes_legibles, momento=formato.momento
        )
        environment.globals["aspecto"] = self.aspecto
        environment.globals["nbsp"] = formato.NBSP
        environment.globals["columnas_base"] = COLUMNAS
        environment.globals["casillas"] = formato.CASILLAS
        environment.globals["entidades"] = all_entities
        environment.globals["definiciones"] = definiciones
        environment.globals["titulos_lados"] = LADOS
        environment.globals["ficha"] = lru_cache(_MEMORY)(ficha)
        pieces = environment.get_template("_quien.html").module
        environment.globals["memoria"] = {
            name: lru_cache(_MEMORY)(getattr(pieces, name)) for name in ("siglas", "quien")
        }
        for name in environment.list_templates():
            environment.get_template(name)
        self._environment = environment
        self._assets = Recursos(self.aspecto)

    def shared(self, portal: Portal, documentos: Sequence[Documento]) -> Iterator[tuple[str, bytes]]:
        """Route and content of the assets and of every page that is of no contest alone, one at a time.

        ``documentos``: what the page for programmers explains.
        """
        yield from self._assets.contenidos.items()
        if "incrusta" in portal.marco.vistas:
            yield from self._assets.ajenos.items()
        frame = {
            **self._frame(portal.marco, portal.contiendas),
            "portal": portal,
            "documentos": documentos,
            "version": contrato.VERSION,
            "carpeta": contrato.CARPETA,
            "tramas": definiciones(color for contest in portal.contiendas for color in contest.colores),
        }
        titles = ", ".join(contest.titulo for contest in portal.contiendas)
        cover = f"Resultados electorales preliminares: {titles}."
        yield self._page("portada", INDICE, self.aspecto.titulo, cover, frame, activa="portada")
        for page in _FIJAS:
            if page.vista in portal.marco.vistas:
                yield self._page(page.vista, page.ruta, page.titulo, page.descripcion, frame, activa=page.vista)

    def contest(
        self,
        marco: Marco,
        menu: Sequence[Enlace | Tarjeta],
        contest: VistaContienda,
        complementos: Complementos,
    ) -> Iterator[tuple[str, bytes]]:
        """Route and content of every page of one contest, one at a time: its own, what goes with it, and each unit's.

        ``menu``: every contest of the cut. A view that the call leaves out makes no page and no link.
        """
        frame = {
            **self._frame(marco, menu),
            "activa": contest.id,
            "c": contest,
            "mas": complementos,
            "tramas": definiciones(contest.colores),
        }
        yield self._page("contienda", contest.ruta, contest.titulo, contest.titular, frame, pagina_exacta=True)
        for view, title in LADOS:
            side = getattr(complementos, view)
            if side is not None and view in marco.vistas:
                yield self._page(view, side.ruta, f"{title} · {contest.titulo}", side.resumen, frame)
        for previous, state, following in _with_neighbours(contest.entidades):
            values = {"propia": _unchanged(marco, state), "e": state, "anterior": previous, "siguiente": following}
            yield self._page(
                "entidad", state.ruta, f"{state.nombre} · {contest.titulo}", state.titular, frame, **values
            )
        for home, units in contest.grupos:
            for before, unit, after in _with_neighbours(units):
                names = dict.fromkeys((unit.rotulo, unit.nombre if home is None else home.nombre))  # some say the same
                title = f"{', '.join(names)} · {contest.titulo}"
                own = {"propia": _unchanged(marco, unit), "u": unit, "e": home}
                yield self._page(
                    "unidad", unit.ruta, title, unit.titular, frame, **own, anterior=before, siguiente=after
                )
                if "secciones" in marco.vistas:
                    words = f"Votos de cada sección de {unit.titulo}."
                    for sheet in complementos.secciones.get(unit.id, ()):
                        yield self._page(
                            "secciones", sheet.ruta, f"{sheet.titulo} · {title}", words, frame, **own, h=sheet
                        )

    def _frame(self, marco: Marco, menu: Sequence[Enlace | Tarjeta]) -> dict[str, Any]:
        following = following_iso = None
        if marco.proximo is not None:
            following_iso = marco.proximo.astimezone(marco.zona).isoformat(timespec="minutes")
            following = formato.hora(marco.proximo, marco.zona)
            if marco.proximo.astimezone(marco.zona).date() != marco.hora_corte.astimezone(marco.zona).date():
                following = f"{formato.fecha(marco.proximo, marco.zona)}, {following}"
        return {
            "menu": menu,
            "marco": marco,
            "vistas": marco.vistas,
            "recursos": self._assets,
            "guiones": ("corte",),
            "hora_corte": formato.momento(marco.hora_corte, marco.zona),
            "hora_iso": marco.hora_corte.astimezone(marco.zona).isoformat(timespec="minutes"),
            "proximo": following,
            "proximo_iso": following_iso,
            "pagina_exacta": False,
            "propia": "",
        }

    def _page(
        self, vista: str, ruta: str, titulo: str, descripcion: str, frame: dict[str, Any], **values: Any
    ) -> tuple[str, bytes]:
        """A page at its route; ``raiz`` is what leads from there to the root of the package."""
        template = self._environment.get_template(f"{vista}.html")
        root = "../" * ruta.count("/")
        text: str = template.render(frame, raiz=root, titulo=titulo, descripcion=descripcion, **values)
        return ruta, (text.strip() + "\n").encode()


def _unchanged(marco: Marco, view: VistaUnidad) -> str:
    """What says that its figures are those of an earlier cut, if so. The closing cut is stated by every page: there
    will be no other."""
    return "" if marco.ultimo else view.sin_cambios


def _with_neighbours(views: Sequence[_View]) -> Iterator[tuple[_View | None, _View, _View | None]]:
    """Each with the one before and the one after it."""
    around = (None, *views, None)
    return zip(around, views, around[2:], strict=False)
