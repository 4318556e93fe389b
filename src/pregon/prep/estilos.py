"""Named dialects in which an official database can be written: how each institute wrote its own.

A dialect changes the form and never the figures: columns of parties and coalitions keep the names of the contest, ids
keep their digits, every marker is written so that it reads back as the same marker. Oddities that are errors of their
source (a field too many, blank illegible cells) are read and not imitated. Sources: real-data.md §3, prep.md §2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from pregon.prep.model import Marker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.prep.model import Nivel

Corte: TypeAlias = Literal["dma", "dma_junto", "dma_corto", "amd"]
"""Cuts: ``07/06/2021 20:00 (UTC-5)``, ``02/07/2018 11:45(UTC-5)``, ``3/6/2019 …``, ``2019/06/03 05:47 (UTC-5)``."""
Envoltura: TypeAlias = Literal["apostrofo", "ambas", "formula", "comillas"]
"""How a key is wrapped: ``'0401``, ``'0401'``, ``="0401"``, ``"0401"``."""


@dataclass(frozen=True, slots=True)
class Marco:
    """The frame of a file: delimiter, encoding and line ends."""

    delimiter: str = ","
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    bom: bool = False
    sep_hint: bool = False
    line_end: str = "\n"


@dataclass(frozen=True)
class Estilo:
    """One dialect.

    ``resumen`` maps official names of the summary to those written; ``nombres`` maps roles of ``prep.columns`` to
    column names; ``unidad`` gives the pair of unit columns; ``claves`` the wrapping of each role's cells. ``cifras``:
    ``flotantes`` writes the vote totals of the summary with ``.0``, ``miles`` all its counts with thousands commas.
    ``porcentajes``: ``cortos`` drops trailing zeros, ``comilla`` wraps as ``'99.5698%``. ``fechas`` None: as given.
    ``observaciones``: ``lista`` writes ``['Ilegible', 'Sin dato']``.
    """

    nombre: str
    actas: Marco = Marco()
    catalogo: Marco = Marco()
    corte: Corte = "dma"
    marco_entre_comillas: bool = False
    antes_resumen: tuple[str, ...] = ()
    antes_columnas: tuple[str, ...] = ("",)
    resumen: Mapping[str, str] = field(default_factory=dict)
    cifras: Literal["enteros", "flotantes", "miles"] = "enteros"
    porcentajes: Literal["cuatro", "cortos", "comilla"] = "cuatro"
    nombres: Mapping[str, str] = field(default_factory=dict)
    unidad: Mapping[Nivel, tuple[str, str]] = field(default_factory=dict)
    claves: Mapping[str, Envoltura] = field(default_factory=dict)
    marcas: Mapping[Marker, str] = field(default_factory=dict)
    pendiente: str = "-"
    fuera: str = "2"
    fechas: Literal["dma", "amd"] | None = None
    observaciones: Literal["texto", "lista"] = "texto"


_KEYS = ("clave_casilla", "clave_acta", "entidad_id", "unidad_id", "seccion", "id_casilla", "ext_contigua")
_UPPER = {
    Marker.ILEGIBLE: "ILEGIBLE",
    Marker.SIN_DATO: "SIN DATO",
    Marker.SIN_ACTA: "SIN ACTA",
    Marker.NO_CONTIENDE: "-",
    Marker.NO_APLICA: "N/A",
    Marker.VACIO: "",
}
_TITLE = _UPPER | {Marker.ILEGIBLE: "Ilegible", Marker.SIN_DATO: "Sin dato", Marker.SIN_ACTA: "Sin acta"}
_SNAKE = _UPPER | {Marker.ILEGIBLE: "ilegible", Marker.SIN_DATO: "sin_dato", Marker.SIN_ACTA: "sin_acta"}
_ESTADO = {"entidad_id": "ID_ESTADO", "entidad_nombre": "ESTADO", "sha": "SHA", "no_registradas": "NO_REGISTRADOS"}
_ENTIDAD = {
    "entidad_id": "ID_ENTIDAD",
    "entidad_nombre": "ENTIDAD",
    "sha": "CODIGO_INTEGRIDAD",
    "no_registradas": "NO_REGISTRADAS",
}
_WITH = {"PORCENTAJE_ACTAS_INCONSISTENCIAS": "PORCENTAJE_ACTAS_CON_INCONSISTENCIAS"}
_FEDERAL: dict[Nivel, tuple[str, str]] = {"distrito": ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL")}
_LOCAL: dict[Nivel, tuple[str, str]] = {
    "distrito": ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL"),
    "municipio": ("ID_MUNICIPIO", "MUNICIPIO"),
}
_PLAIN: dict[Nivel, tuple[str, str]] = {
    "distrito": ("ID_DISTRITO", "DISTRITO"),
    "municipio": ("ID_MUNICIPIO", "MUNICIPIO"),
}


def estilo(nombre: str) -> Estilo:
    """The dialect called ``nombre``.

    Raises:
        KeyError: there is none of that name; ``ESTILOS`` has them all.
    """
    return ESTILOS[nombre]


ESTILOS: Mapping[str, Estilo] = MappingProxyType(
    {
        style.nombre: style
        for style in (
            Estilo(
                nombre="campeche-2021",
                porcentajes="cortos",
                nombres=_ESTADO,
                unidad=_LOCAL,
                marcas=_UPPER,
                pendiente="",
                fuera="0",
                fechas="dma",
            ),
            Estilo(
                nombre="cdmx-2024",
                actas=Marco(encoding="latin-1", line_end="\r\n"),
                catalogo=Marco(encoding="latin-1", line_end="\r\n"),
                corte="dma_junto",
                antes_columnas=("\t\t\t",),
                nombres=_ENTIDAD,
                unidad=_LOCAL,
                marcas=_TITLE,
                fechas="dma",
            ),
            Estilo(
                nombre="federal-2018",
                actas=Marco(delimiter="|", encoding="latin-1", sep_hint=True),
                catalogo=Marco(delimiter="|", encoding="latin-1", sep_hint=True),
                corte="dma_junto",
                resumen=_WITH | {"ACTAS_FUERA_CATALOGO": "ACTAS_FUERA_DE_CATALOGO"},
                nombres=_ESTADO,
                unidad=_FEDERAL,
                claves={"clave_casilla": "apostrofo", "clave_acta": "apostrofo"},
                marcas=_SNAKE,
                fechas="dma",
            ),
            Estilo(
                nombre="federal-2021",
                actas=Marco(delimiter="|", bom=True, line_end="\r\n"),
                catalogo=Marco(bom=True, line_end="\r\n"),
                resumen=_WITH | {"ACTAS_FUERA_CATALOGO": "ACTAS_FUERA_DE_CATALOGO"},
                nombres=_ESTADO,
                unidad=_FEDERAL,
                claves={"clave_casilla": "apostrofo", "clave_acta": "apostrofo"},
                marcas=_TITLE,
                fechas="dma",
            ),
            Estilo(
                nombre="federal-2024",
                actas=Marco(bom=True, line_end="\r"),
                catalogo=Marco(bom=True, line_end="\r"),
                nombres=_ENTIDAD,
                unidad=_FEDERAL,
                claves={"clave_casilla": "ambas", "clave_acta": "ambas"},
                marcas=_TITLE,
                fechas="dma",
                observaciones="lista",
            ),
            Estilo(
                nombre="puebla-2019",
                actas=Marco(delimiter="|", encoding="latin-1", sep_hint=True, line_end="\r\n"),
                catalogo=Marco(delimiter="|", encoding="latin-1", line_end="\r\n"),
                corte="dma_corto",
                resumen=_WITH | {"ACTAS_FUERA_CATALOGO": "ACTAS_FUERA_DE_CATÁLOGO"},
                cifras="miles",
                porcentajes="comilla",
                nombres=_ESTADO
                | {
                    "sobrantes": "NUM_BOLETAS_SOBRANTES",
                    "personas": "TOTAL_CIUDADANOS_VOTARON",
                    "calculado": "TOTAL_VOTOS",
                    "sha": "CODIGO_INTEGRIDAD",
                },
                unidad=_PLAIN,
                claves={"clave_casilla": "apostrofo", "clave_acta": "apostrofo"},
                marcas=_TITLE,
                fuera="-",
                fechas="dma",
            ),
            Estilo(
                nombre="puebla-2024",
                actas=Marco(bom=True),
                catalogo=Marco(bom=True),
                antes_resumen=("",),
                cifras="flotantes",
                nombres=_ENTIDAD,  # its units are ID_DISTRITO in GUB and ID_DISTRITO_LOCAL in DIP_LOC: left as given
                claves=dict.fromkeys(_KEYS, "apostrofo"),
                marcas=_UPPER,
                fechas="dma",
            ),
            Estilo(
                nombre="qroo-2019",
                actas=Marco(delimiter="|", sep_hint=True),
                catalogo=Marco(encoding="latin-1", line_end="\r\n"),
                corte="amd",
                nombres=_ESTADO,
                unidad=_PLAIN,
                claves={"clave_casilla": "formula"},
                marcas=_UPPER,
                fechas="amd",
            ),
            Estilo(
                nombre="queretaro-2018",
                nombres=_ESTADO,
                unidad=_PLAIN,
                claves={"clave_casilla": "comillas", "clave_acta": "comillas"},
                marcas=_UPPER,
                pendiente="",
                fechas="dma",
            ),
            Estilo(
                nombre="sonora-2021",
                actas=Marco(bom=True),
                catalogo=Marco(bom=True),
                marco_entre_comillas=True,
                resumen={"ACTAS_FUERA_CATALOGO": "ACTAS_FUERA_CATÁLOGO"},
                nombres=_ESTADO,
                unidad=_LOCAL,
                claves={"clave_casilla": "apostrofo", "clave_acta": "apostrofo"},
                marcas=_TITLE,
                fuera="-",
                fechas="dma",
            ),
        )
    }
)
"""Every named dialect, by name."""
