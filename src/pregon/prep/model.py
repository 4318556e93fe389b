"""The values of a PREP file: the table of actas as read, one acta, and what was found wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from pregon.prep.marcas import Cell as Cell
from pregon.prep.marcas import Marker as Marker
from pregon.prep.marcas import Nivel as Nivel
from pregon.prep.plain import PlainRows as PlainRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.prep.columns import Columns

Severidad: TypeAlias = Literal["bloquea", "avisa", "informa"]

# The 13 official names, in their official order (prep.md §2.2).
CAMPOS: tuple[str, ...] = (
    "ACTAS_ESPERADAS",
    "ACTAS_REGISTRADAS",
    "ACTAS_FUERA_CATALOGO",
    "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "ACTAS_NO_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
    "PORCENTAJE_PARTICIPACION_CIUDADANA",
)


class Estado(StrEnum):
    """Where an acta stands, from CONTABILIZADA as given and the marks of «fuera de catálogo»."""

    PENDIENTE = "pendiente"
    CONTABILIZADA = "contabilizada"
    NO_CONTABILIZADA = "no_contabilizada"
    FUERA_CATALOGO = "fuera_catalogo"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the data that a person should know.

    ``codigo`` is stable; ``donde`` is a path (``encabezado.TOTAL_VOTOS_C_CS``, ``línea 812``); ``mensaje`` is
    Spanish. Findings are bounded: many rows with one fault are one finding with their count and first examples.
    """

    codigo: str
    severidad: Severidad
    donde: str
    mensaje: str

    def as_dict(self) -> dict[str, str]:
        """The keys of design §7."""
        return {
            "codigo": self.codigo,
            "severidad": self.severidad,
            "donde": self.donde,
            "mensaje": self.mensaje,
        }


@dataclass(frozen=True)
class Dialect:
    """How the file was written: what is needed to write it again the same way.

    ``preambulo`` holds the physical lines above the column names, without their line ends.
    ``comillas_clave`` maps a column to the wrapping of its first wrapped cell: ``apostrofo`` (``'0401``),
    ``formula`` (``="0401"``) or ``ambas``.
    """

    delimiter: str
    encoding: Literal["utf-8", "latin-1"]
    bom: bool
    sep_hint: bool
    line_end: str
    final_line_end: bool
    preambulo: tuple[str, ...]
    comillas_clave: Mapping[str, str]

    @property
    def descripcion(self) -> str:
        """One line for a person, stable for a program: ``coma, UTF-8 con BOM, LF, claves con apostrofo``."""
        names = {",": "coma", "|": "barra", ";": "punto y coma", "\t": "tabulador"}
        ends = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
        parts = [
            names[self.delimiter],
            ("UTF-8 con BOM" if self.bom else "UTF-8") if self.encoding == "utf-8" else "Latin-1",
            ends[self.line_end],
        ]
        if self.sep_hint:
            parts.append("línea sep=")
        styles = sorted(set(self.comillas_clave.values()))
        if styles:
            parts.append("claves con " + " y ".join(styles))
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Original:
    """What the cells and the dialect of a file do not say, so that it can be written again byte for byte.

    ``cabeza``: its first physical lines, with their ends, the column names last. ``resumen``: the places in it of the
    names and the values of the summary. ``filas``: by index, the text of each row that its cells joined by the
    delimiter do not give (quoted cells, a field too many, a blank line above). ``cola``: what follows the last row.
    """

    cabeza: tuple[str, ...]
    resumen: tuple[int | None, int | None]
    filas: Mapping[int, str]
    cola: str


@dataclass(frozen=True, slots=True)
class Acta:
    """One row of the file, understood.

    ``votos`` follows ``columnas`` (the vote columns of its table); ``suma`` adds them, markers as zero. ``unidad`` is
    the id of its district or municipality; in a file of several entidades, ``09-012``: entidad and district, because
    districts are numbered in each. ``entidad`` is set in such a file only.
    """

    linea: int
    clave_casilla: str
    clave_acta: str
    unidad: str
    unidad_nombre: str
    seccion: str
    id_casilla: str
    tipo: str
    ext_contigua: str
    estado: Estado
    contabilizada: str
    votos: tuple[Cell, ...]
    suma: int
    columnas: tuple[str, ...]
    asentado: Cell
    calculado: Cell
    lista_nominal: Cell
    representantes: Cell
    observaciones: str
    sha: str
    fechas: tuple[str, str, str]
    entidad: str = ""

    @property
    def especial(self) -> bool:
        """True for a casilla especial (tipo S), and only for it (real-data.md §2, rule 3)."""
        return self.tipo == "S"

    @property
    def contendientes(self) -> dict[str, int | None]:
        """Votes by column; null where the cell holds a marker."""
        return {c: v if isinstance(v, int) else None for c, v in zip(self.columnas, self.votos, strict=True)}

    @property
    def marcas(self) -> dict[str, str]:
        """The marker of each column that holds one."""
        return {c: v.value for c, v in zip(self.columnas, self.votos, strict=True) if isinstance(v, Marker)}


@dataclass(frozen=True)
class ActaTable:
    """A per-acta file as read, and nothing computed.

    ``filas`` are the cells exactly as written (after the CSV's own quoting, before ``'`` and ``="…"``), so that the
    file can be written again; ``prep.rows.actas`` gives them as ``Acta``. ``lineas`` is the line of each row. In most
    files no cell is quoted: then ``filas`` are ``PlainRows``, split when asked for, and ``lineas`` a ``range``.
    ``encabezado`` has the 13 official names: counts as int, percentages as text of four decimals, null when the file
    gives no value. ``nivel`` says whether ``columnas.unidad_id`` counts districts or municipalities. ``entidades`` are
    the ids of the entidades whose casillas it has, two digits: one in a local file, up to 32 in a federal one.
    """

    origen: str
    titulo: str
    hora_corte: datetime
    dialecto: Dialect
    encabezado: Mapping[str, int | str | None]
    encabezado_crudo: Mapping[str, str]
    columnas: tuple[str, ...]
    columns: Columns
    filas: Sequence[tuple[str, ...]]
    lineas: Sequence[int]
    nivel: Nivel
    hallazgos: tuple[Finding, ...]
    original: Original
    entidades: tuple[str, ...] = ()

    @property
    def crudas(self) -> Sequence[str] | None:
        """The rows as written, without their line end and aligned with ``filas``; None where a row is more than that.

        Read from ``filas``, so that a table made of another one's rows never has another one's lines.
        """
        return self.filas.lineas if isinstance(self.filas, PlainRows) else None

    @property
    def varias_entidades(self) -> bool:
        """True for a federal file: its units are numbered within each entidad."""
        return len(self.entidades) > 1

    @property
    def columnas_voto(self) -> tuple[str, ...]:
        """The vote columns: those after TOTAL_VOTOS_SACADOS up to and including NULOS."""
        return self.columnas[self.columns.votos]
