"""Renders the pages of a cut: templates compiled once, every value escaped, nothing inline, every URL relative."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pregon.base.hashing import sha256_bytes
from pregon.instituto import contrato
from pregon.instituto.portal import formato
from pregon.instituto.portal.vistas import BASE_DE_DATOS, INDICE, PROGRAMADORES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Template

    from pregon.instituto.portal.programadores import Documento
    from pregon.instituto.portal.tarjetas import Tarjeta
    from pregon.instituto.portal.vista_cambios import VistaCambios
    from pregon.instituto.portal.vistas import Enlace, Marco, Portal, VistaContienda

_HASH_DIGITS = 12
_ASSETS = {"hoja": "estilo.css", "icono": "icono.svg", "guion": "corte.js"}
"""What the templates call each asset, and its file."""

_MEMORY = 4096
"""Most pieces of markup about who contends that are kept: parties and people, many times over in each contest."""


class Paginas:
    """Compiles the templates when made; then it renders any number of cuts, the whole site and each contest apart."""

    def __init__(self) -> None:
        environment = Environment(
            loader=PackageLoader("pregon.instituto.portal", "plantillas"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(
            entero=formato.entero, pct=formato.porcentaje, tam=formato.bytes_legibles, momento=formato.momento
        )
        environment.globals["nbsp"] = formato.NBSP
        pieces = environment.get_template("_quien.html").module
        environment.globals["memoria"] = {
            name: lru_cache(_MEMORY)(getattr(pieces, name)) for name in ("ficha", "siglas", "quien")
        }
        self._cover = environment.get_template("portada.html")
        self._contest = environment.get_template("contienda.html")
        self._changes = environment.get_template("cambios.html")
        self._unit = environment.get_template("unidad.html")
        self._data = environment.get_template("base_de_datos.html")
        self._programmers = environment.get_template("para_programadores.html")
        self._assets = {kind: _asset(name) for kind, name in _ASSETS.items()}

    def shared(self, portal: Portal, documentos: Sequence[Documento]) -> Iterator[tuple[str, bytes]]:
        """Route and content of the assets and of every page that is of no contest alone, one at a time.

        ``documentos``: what the page for programmers explains.
        """
        yield from self._assets.values()
        frame = {**self._frame(portal.marco, portal.contiendas), "portal": portal}
        titles = ", ".join(contest.titulo for contest in portal.contiendas)
        yield (
            INDICE,
            _page(
                self._cover,
                frame,
                raiz="",
                activa="portada",
                titulo="Resultados preliminares",
                descripcion=f"Resultados electorales preliminares: {titles}.",
            ),
        )
        yield (
            BASE_DE_DATOS,
            _page(
                self._data,
                frame,
                raiz="../",
                activa="base-de-datos",
                titulo="Base de datos",
                descripcion="Descarga de la base de datos de actas del corte.",
            ),
        )
        yield (
            PROGRAMADORES,
            _page(
                self._programmers,
                frame,
                raiz="../",
                activa="programadores",
                titulo="Para programadores",
                descripcion="Los resultados en JSON: archivos, esquemas, identificadores y cómo consultarlos.",
                documentos=documentos,
                version=contrato.VERSION,
                carpeta=contrato.CARPETA,
            ),
        )

    def contest(
        self, marco: Marco, menu: Sequence[Enlace | Tarjeta], contest: VistaContienda, cambios: VistaCambios | None
    ) -> Iterator[tuple[str, bytes]]:
        """Route and content of every page of one contest, one at a time: its own, what changed, and each unit's.

        ``menu``: every contest of the cut. ``cambios`` None makes no page of changes and no link to one.
        """
        frame = {**self._frame(marco, menu), "activa": contest.id, "c": contest, "cambios": cambios}
        yield (
            contest.ruta,
            _page(
                self._contest,
                frame,
                raiz="../",
                pagina_exacta=True,
                titulo=contest.titulo,
                descripcion=contest.titular,
            ),
        )
        if cambios is not None:
            yield (
                cambios.ruta,
                _page(
                    self._changes,
                    frame,
                    raiz="../../",
                    titulo=f"Qué cambió en este corte · {contest.titulo}",
                    descripcion=cambios.resumen,
                ),
            )
        around = (None, *contest.unidades, None)
        for before, unit, after in zip(around, contest.unidades, around[2:], strict=False):
            yield (
                unit.ruta,
                _page(
                    self._unit,
                    frame,
                    raiz="../../",
                    # The closing cut is stated by every page: there will be no other.
                    propia="" if marco.ultimo else unit.sin_cambios,
                    u=unit,
                    anterior=before,
                    siguiente=after,
                    titulo=f"{unit.rotulo}, {unit.nombre} · {contest.titulo}",
                    descripcion=unit.titular,
                ),
            )

    def _frame(self, marco: Marco, menu: Sequence[Enlace | Tarjeta]) -> dict[str, Any]:
        following = None
        if marco.proximo is not None:
            following = formato.hora(marco.proximo, marco.zona)
            if marco.proximo.astimezone(marco.zona).date() != marco.hora_corte.astimezone(marco.zona).date():
                following = f"{formato.fecha(marco.proximo, marco.zona)}, {following}"
        return {
            "menu": menu,
            "marco": marco,
            **{kind: route for kind, (route, _) in self._assets.items()},
            "hora_corte": formato.momento(marco.hora_corte, marco.zona),
            "hora_iso": marco.hora_corte.astimezone(marco.zona).isoformat(timespec="minutes"),
            "proximo": following,
            "pagina_exacta": False,
            "propia": "",
        }


def _asset(name: str) -> tuple[str, bytes]:
    """Route and content of an asset, its hash in its name."""
    content = (files("pregon.instituto.portal") / name).read_bytes()
    stem, _, suffix = name.rpartition(".")
    return f"assets/{stem}.{sha256_bytes(content)[:_HASH_DIGITS]}.{suffix}", content


def _page(template: Template, frame: dict[str, Any], **values: Any) -> bytes:
    return (template.render(frame, **values).strip() + "\n").encode()
