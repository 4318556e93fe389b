"""«Estadística»: actas and votes by kind of casilla, and what the actas were marked with (prep.md §5.1).

It places the object of ``estadistica.json``; only sums of its rows and the words for them are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.instituto.estadistica import ARCHIVO
from pregon.instituto.portal import formato
from pregon.instituto.portal.vista_unidad import INDICE
from pregon.prep.percent import trunc4
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.instituto.portal.vistas import VistaContienda

_CONCEPTOS = (
    ("esperadas", "Esperadas", "Una por cada casilla aprobada."),
    ("capturadas", "Capturadas", "Ya están en el sistema, se contabilicen o no."),
    ("contabilizadas", "Contabilizadas", "Sus votos están en los resultados."),
    ("no_contabilizadas", "No contabilizadas", "Capturadas, pero sus votos no se pueden sumar."),
    ("pendientes", "Por capturar", "Todavía no llegan o no se capturan."),
    ("fuera_catalogo", "Fuera de catálogo", "No se pudo saber a qué casilla corresponden. No cuentan entre las demás."),
)
_UBICACIONES = {"urbana": "Urbanas", "no_urbana": "No urbanas", "otra": "Sin ubicación"}
_TITULOS = {
    "ALGUN CAMPO ILEGIBLE O SIN DATO": "Algún campo ilegible o sin dato",
    "ALGUN DATO ILEGIBLE O SIN DATO": "Algún dato ilegible o sin dato",
    "FUERA DE CATALOGO": "Fuera de catálogo",
    "SIN ACTA POR CONTINGENCIA EN URNA ELECTRONICA": "Sin acta por contingencia en urna electrónica",
    "TODOS LOS CAMPOS VACIOS": "Todos los campos vacíos",
}
_DEFINICIONES = (
    (
        "FUERA DE CATALOGO",
        "La identificación del acta falta, no se lee o está equivocada: no se sabe de qué casilla es.",
    ),
    ("EXCEDE", "Los votos son más que la lista nominal y las representaciones; en una especial, más que sus boletas."),
    ("NO ENTREGADO", "El paquete electoral no llegó, y con él el acta."),
    ("SIN SOBRE", "El paquete llegó sin el sobre que trae el acta del PREP."),
    ("SIN BOLSA", "El paquete llegó sin la bolsa que trae el acta del PREP."),
    ("NO INSTALADA", "La casilla no se instaló."),
    ("CONTINGENCIA", "La urna electrónica tuvo un percance y no dio su acta."),
    ("SIN ACTA", "El acta no llegó con el paquete electoral."),
    ("TODOS", "Ninguna cantidad de votos del acta se lee o está escrita: no hay qué sumar."),
    ("VACI", "Ninguna cantidad de votos está escrita en el acta."),
)
_ILEGIBLE = "una cantidad no se lee, ni en letra ni en número"
_SIN_DATO = "una cantidad no está escrita, ni en letra ni en número"
_CERO = "se toma como cero, y el acta se contabiliza si se lee al menos otra."


@dataclass(frozen=True)
class FilaSituacion:
    """How many actas are in a situation. ``porcentaje``, over the expected ones, is None where it means nothing."""

    clave: str
    concepto: str
    actas: int
    porcentaje: str | None
    texto: str


@dataclass(frozen=True)
class FilaCasillas:
    """Actas and votes of a kind of casilla, of a place, or of several together."""

    clave: str
    nombre: str
    esperadas: int
    capturadas: int
    contabilizadas: int
    lista_nominal: int
    total_votos: int


@dataclass(frozen=True)
class FilaObservacion:
    """An observation, what it means (empty where it is not known) and how many actas have it.

    ``clave``: the text of the file; empty for the line of those that the list leaves out.
    """

    clave: str
    titulo: str
    definicion: str
    contabilizadas: int
    no_contabilizadas: int
    fuera_catalogo: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.contabilizadas + self.no_contabilizadas + self.fuera_catalogo


@dataclass(frozen=True)
class VistaEstadistica:
    """The page of a contest's statistics. ``total`` is the last line of the table of kinds of casilla."""

    ruta: str
    archivo: str
    resumen: str
    situaciones: tuple[FilaSituacion, ...]
    casillas: tuple[FilaCasillas, ...]
    total: FilaCasillas
    ubicaciones: tuple[FilaCasillas, ...]
    votos: Mapping[str, int]
    porcentaje_ordinarias: str
    porcentaje_especiales: str
    participacion: Mapping[str, Any]
    observaciones: tuple[FilaObservacion, ...]
    sin_observaciones: FilaObservacion

    @property
    def con_especiales(self) -> bool:
        """Whether turnout takes casillas especiales."""
        return bool(self.participacion["regla"] == "con_especiales")

    @property
    def fuera(self) -> bool:
        """Whether there are actas fuera de catálogo among those with observations."""
        return any(row.fuera_catalogo for row in self.observaciones)


def vista_estadistica(view: VistaContienda, data: Mapping[str, Any]) -> VistaEstadistica:
    """The page of the statistics of the contest in ``view``; ``data``: the object of its ``estadistica.json``."""
    actas, shares, votes = data["actas"], data["porcentajes"], data["votos"]
    kinds = _kinds(data["casillas"])
    others = data["otras_observaciones"]
    seen = [_observation(item["texto"], item) for item in data["observaciones"]]
    if any(others.values()):
        seen.append(FilaObservacion("", "Otras observaciones", "", **others))
    return VistaEstadistica(
        ruta=f"{view.id}/estadistica/{INDICE}",
        archivo=f"{view.datos}{ARCHIVO}",
        resumen=(
            f"{formato.entero(actas['contabilizadas'])} de {formato.entero(actas['esperadas'])} actas contabilizadas, "
            f"{formato.entero(actas['no_contabilizadas'])} capturadas que no se contabilizan y "
            f"{formato.entero(actas['fuera_catalogo'])} fuera de catálogo."
        ),
        situaciones=tuple(
            FilaSituacion(key, words, actas[key], shares.get(key), text) for key, words, text in _CONCEPTOS
        ),
        casillas=kinds,
        total=_sum(kinds),
        ubicaciones=tuple(
            FilaCasillas(clave=item["ubicacion"], nombre=_UBICACIONES[item["ubicacion"]], **_figures(item))
            for item in data["ubicacion"]
        ),
        votos=votes,
        porcentaje_ordinarias=trunc4(votes["ordinarias"], votes["total"]),
        porcentaje_especiales=trunc4(votes["especiales"], votes["total"]),
        participacion=data["participacion"],
        observaciones=tuple(seen),
        sin_observaciones=FilaObservacion("-", "Sin observaciones", "", **data["sin_observaciones"]),
    )


def definition(texto: str) -> str:
    """What an OBSERVACIONES means, in words (prep.md §4); empty where nobody has said."""
    text = fold(texto)
    for mark, words in _DEFINICIONES:
        if mark in text:
            return words
    unread, unwritten = "ILEGIBLE" in text, "SIN DATO" in text
    if not (unread or unwritten):
        return ""
    told = " o ".join(words for words, there in ((_ILEGIBLE, unread), (_SIN_DATO, unwritten)) if there)
    return f"{told[0].upper()}{told[1:]}: {_CERO}"


def _observation(texto: str, item: Mapping[str, int]) -> FilaObservacion:
    counts = {key: item[key] for key in ("contabilizadas", "no_contabilizadas", "fuera_catalogo")}
    return FilaObservacion(texto, _title(texto), definition(texto), **counts)


def _title(texto: str) -> str:
    """An observation as prose; accents that its capitals lost are put back only where they are known."""
    bare = texto.strip("[]").replace("'", "")
    known = _TITULOS.get(fold(bare))
    if known is not None:
        return known
    return bare.capitalize() if bare == bare.upper() else bare


def _kinds(items: Sequence[Mapping[str, Any]]) -> tuple[FilaCasillas, ...]:
    return tuple(FilaCasillas(clave=item["tipo"], nombre=item["nombre"], **_figures(item)) for item in items)


def _figures(item: Mapping[str, Any]) -> dict[str, int]:
    names = ("esperadas", "capturadas", "contabilizadas", "lista_nominal", "total_votos")
    return {name: int(item[name]) for name in names}


def _sum(rows: Sequence[FilaCasillas]) -> FilaCasillas:
    names = ("esperadas", "capturadas", "contabilizadas", "lista_nominal", "total_votos")
    return FilaCasillas("total", "Total", **{name: sum(getattr(row, name) for row in rows) for name in names})
