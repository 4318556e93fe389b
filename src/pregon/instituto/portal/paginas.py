"""Renders the pages of a cut: templates compiled once, every value escaped, nothing inline, every URL relative."""

from __future__ import annotations

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
    from pregon.instituto.portal.vistas import Portal

_HASH_DIGITS = 12


class Paginas:
    """Compiles the templates when made; ``render`` may be called for any number of cuts."""

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
        self._cover = environment.get_template("portada.html")
        self._contest = environment.get_template("contienda.html")
        self._unit = environment.get_template("unidad.html")
        self._data = environment.get_template("base_de_datos.html")
        self._programmers = environment.get_template("para_programadores.html")
        folder = files("pregon.instituto.portal")
        self._style_sheet = (folder / "estilo.css").read_bytes()
        self._icon_image = (folder / "icono.svg").read_bytes()
        self._hoja = f"assets/estilo.{sha256_bytes(self._style_sheet)[:_HASH_DIGITS]}.css"
        self._icono = f"assets/icono.{sha256_bytes(self._icon_image)[:_HASH_DIGITS]}.svg"

    def render(self, portal: Portal, documentos: Sequence[Documento]) -> Iterator[tuple[str, bytes]]:
        """Route and content of every page and asset of ``portal``, one at a time.

        ``documentos``: what the page for programmers explains.
        """
        yield self._hoja, self._style_sheet
        yield self._icono, self._icon_image
        frame = self._frame(portal)
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
        for contest in portal.contiendas:
            shared: dict[str, Any] = {**frame, "activa": contest.id, "c": contest}
            yield (
                contest.ruta,
                _page(
                    self._contest,
                    shared,
                    raiz="../",
                    pagina_exacta=True,
                    titulo=contest.titulo,
                    descripcion=contest.titular,
                ),
            )
            around = (None, *contest.unidades, None)
            for before, unit, after in zip(around, contest.unidades, around[2:], strict=False):
                yield (
                    unit.ruta,
                    _page(
                        self._unit,
                        shared,
                        raiz="../../",
                        u=unit,
                        anterior=before,
                        siguiente=after,
                        titulo=f"{unit.rotulo}, {unit.nombre} · {contest.titulo}",
                        descripcion=unit.titular,
                    ),
                )

    def _frame(self, portal: Portal) -> dict[str, Any]:
        frame = portal.marco
        following = None
        if frame.proximo is not None:
            following = formato.hora(frame.proximo, frame.zona)
            if frame.proximo.astimezone(frame.zona).date() != frame.hora_corte.astimezone(frame.zona).date():
                following = f"{formato.fecha(frame.proximo, frame.zona)}, {following}"
        return {
            "portal": portal,
            "marco": frame,
            "hoja": self._hoja,
            "icono": self._icono,
            "hora_corte": formato.momento(frame.hora_corte, frame.zona),
            "hora_iso": frame.hora_corte.astimezone(frame.zona).isoformat(timespec="minutes"),
            "proximo": following,
            "pagina_exacta": False,
        }


def _page(template: Template, frame: dict[str, Any], **values: Any) -> bytes:
    return (template.render(frame, **values).strip() + "\n").encode()
