"""The actas of a table understood by the engine: their sums, and each one as text of its JSON object.

Every distinct text of a column is read once, by the functions of ``prep`` that read a single acta; the engine puts
their answers where the text stands (``sql/actas.sql``). So there is one meaning for each text, and no pass over the
actas one by one: only those that may show a fault are (``sql/por_revisar.sql``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from pregon.motor.duck import Volcado, engine
from pregon.motor.sql import read_sql
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.marcas import Marker
from pregon.prep.plain import PlainRows
from pregon.prep.revisa import faults
from pregon.prep.rows import actas, estado_of
from pregon.prep.text import NO_UNIT, clean_key, parse_cell
from pregon.tablas.diccionarios import distinct, load_dictionary, load_places
from pregon.tablas.estadistica import corrected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pregon.motor.duck import Lineas, Motor, Tipo
    from pregon.prep.model import ActaTable
    from pregon.tablas.estadistica import Grupo

SUMAS = (
    "esperadas",
    "fuera_catalogo",
    "capturadas",
    "contabilizadas",
    "no_contabilizadas",
    *(f"inc_{name}" for name in DEFINICIONES),
    "lista_nominal",
    "calculado_c_cs",
    "calculado_s_cs",
    "total_votos",
    "total_votos_s_cs",
)
"""The sums of every level besides those of the vote columns (``v000`` …) and their figures (``v000_n`` …)."""
SECCIONES_POR_HOJA = 10
"""Section numbers of one group: few, so that what changes between two cuts is a small part (docs/adr/0007)."""
_CLAVES = (
    "clave_casilla",
    "clave_acta",
    "seccion",
    "id_casilla",
    "ext_contigua",
    "sha",
    "acopio",
    "captura",
    "verificacion",
)
CELDAS = ("calculado", "lista_nominal", "representantes")
_ROLES = (*_CLAVES, *CELDAS, "tipo", "ubicacion", "entidad_id", "unidad_id", "observaciones", "contabilizada")
# A key that begins and ends with one of these characters ("-" to "z") is bare: clean_key gives it back.
_WRAPPED = "{0} <> '' and not (ascii({0}) between 45 and 122 and ascii(right({0}, 1)) between 45 and 122)"
_DELIMITER = "\x1f"
SIN_CLAVE_ACTA = "\x1f"
"""Begins the clave of an acta without CLAVE_ACTA (``Fichas``)."""
_UNSAFE = str.maketrans({"\n": " ", "\r": " ", "\x1f": " "})


@dataclass(frozen=True, slots=True)
class Fichas:
    """Each acta of a table, by columns of one length, in the order of the rows (``sql/fragmentos.sql``).

    ``claves``: CLAVE_ACTA, or ``SIN_CLAVE_ACTA`` and the key of the casilla; empty outside the catalogue. ``hojas``:
    the name of its group of ``SECCIONES_POR_HOJA`` section numbers. ``shas``: of the captured ones.
    """

    claves: tuple[str, ...] = ()
    hojas: tuple[str, ...] = ()
    unidades: tuple[str, ...] = ()
    shas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repetidas:
    """CLAVE_ACTA and images that several actas have, with how many, in the order in which they come first."""

    claves: tuple[tuple[str, int], ...] = ()
    shas: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Faltas:
    """What one acta shows by itself (``prep.revisa.faults``), and its name for a message."""

    nombre: str
    faltas: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entendidas:
    """What the engine makes of a table.

    ``niveles``: the sums of every level from the unit up, by level, id and kind of special vote. ``secciones``: unit,
    id and sums of each sección, these as one text of numbers (``sql/secciones.sql``). ``estadistica``: the groups of
    ``sql/estadistica.sql``, in order. ``primeras``: the place in the table of the first acta of each unit. ``faltas``:
    what each row (by its place) shows by itself, where it shows something. ``fichas`` is empty unless asked for; so is
    ``textos``: by place, the text of the JSON object of an acta without its braces and its id, of those that the engine
    looked at. ``tocadas``: unit and id of the secciones whose sums may differ from those of the table that this one was
    understood from, where both have the same secciones; else None.
    """

    niveles: tuple[dict[str, Any], ...]
    secciones: tuple[tuple[str, str, str], ...]
    estadistica: tuple[Grupo, ...]
    primeras: Mapping[str, int]
    faltas: Mapping[int, Faltas]
    repetidas: Repetidas
    fichas: Fichas
    textos: Mapping[int, str]
    tocadas: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Diferencia:
    """What some rows of a table change in the sums of the one before: as ``Entendidas``, of those rows alone."""

    niveles: tuple[dict[str, Any], ...]
    secciones: tuple[tuple[str, str, str], ...]
    estadistica: tuple[Grupo, ...]
    faltas: Mapping[int, Faltas]
    fichas: Fichas
    textos: Mapping[int, str]


def vote_names(table: ActaTable) -> tuple[str, ...]:
    """The engine's names of the vote columns of ``table``: ``v000`` …"""
    return tuple(f"v{place:03d}" for place in range(len(table.columnas_voto)))


def understand(table: ActaTable, *, fichas: bool = False, hilos: int | None = None) -> Entendidas:
    """The whole ``table`` understood; ``fichas``: also its actas one by one. ``hilos``: threads of the engine.

    Raises:
        ComprobacionError: the engine failed.
    """
    votes = vote_names(table)
    with engine(threads=hilos) as motor:
        _fill(motor, table, lines_of(table), 0)
        found = _sums(motor, votes)
        sections = motor.rows(sql_of("secciones", voto=votes))
        groups = motor.rows(sql_of("estadistica"))
        faulty = _faulty(motor, votes)
        first = motor.rows(sql_of("primeras"))
        repeated = motor.rows(sql_of("repetidas"))
        one_by_one, texts = _fichas(motor, table, votes) if fichas else (Fichas(), ())
    return Entendidas(
        niveles=found,
        secciones=tuple(row for row in sections if not row[2].startswith("0,")),  # no acta expected there
        estadistica=corrected((), groups),
        primeras=dict(first),
        faltas=faults_at(table, faulty),
        repetidas=Repetidas(
            *(tuple((text, n) for what, text, n, _ in repeated if what == wanted) for wanted in ("clave", "sha"))
        ),
        fichas=one_by_one,
        textos=dict(enumerate(texts)),
    )


def understand_rows(
    table: ActaTable, lugares: Sequence[int], idas: Sequence[str], *, hilos: int | None = None
) -> Diferencia:
    """What the rows of ``table`` at ``lugares`` add, less the lines ``idas``, which a table of the same form had.

    Raises:
        ComprobacionError: the engine failed.
    """
    votes = vote_names(table)
    with engine(threads=hilos) as motor:
        rows = table.filas
        own = rows.at(lugares).lineas if isinstance(rows, PlainRows) else _joined(table, lugares)
        _fill(motor, table, chain(idas, own), len(idas))
        found = _sums(motor, votes)
        sections = motor.rows(sql_of("secciones", voto=votes))
        groups = motor.rows(sql_of("estadistica"))
        faulty = [lugares[place - len(idas)] for place in _faulty(motor, votes)]
        one_by_one, texts = _fichas(motor, table, votes)
    known = dict(zip(lugares, texts, strict=True))
    return Diferencia(found, tuple(sections), tuple(groups), faults_at(table, faulty), one_by_one, known)


def _fill(motor: Motor, table: ActaTable, lines: Lineas, idas: int) -> None:
    """Load lines and understand them: table ``por_seccion`` and those under it. The first ``idas`` are taken off."""
    votes = vote_names(table)
    columns: dict[str, int | None] = {role: getattr(table.columns, role) for role in _ROLES}
    columns |= dict(zip(votes, range(table.columns.votos.start, table.columns.votos.stop), strict=True))
    motor.load_lines("crudo", lines, delimiter=delimiter_of(table), width=len(table.columnas), columns=columns)
    motor.load_values("parametros", {"idas": "bigint", "por_hoja": "bigint"}, [(idas, SECCIONES_POR_HOJA)])
    odd = _dictionaries(motor, table, votes)
    names = {"voto": votes, "definicion": tuple(DEFINICIONES)}
    bare = [key for key in _CLAVES if key not in odd]
    motor.run(sql_of("actas", **names, celda=(*votes, *CELDAS), envuelta=odd, desnuda=bare))
    motor.run(sql_of("por_seccion", **names))


def _sums(motor: Motor, votes: Sequence[str]) -> tuple[dict[str, Any], ...]:
    return tuple(motor.run(sql_of("niveles", voto=votes, suma=SUMAS)))


def _faulty(motor: Motor, votes: Sequence[str]) -> list[int]:
    faulty = [place for (place,) in motor.rows(sql_of("por_revisar"))]
    if motor.rows("select 1 from celdas where desconocida = 1 limit 1"):
        faulty = sorted({*faulty, *(place for (place,) in motor.rows(sql_of("desconocidos", voto=votes)))})
    return faulty


def faults_at(table: ActaTable, places: Sequence[int]) -> dict[int, Faltas]:
    """What the rows at ``places`` show by themselves, where they show something."""
    shown = {
        place: Faltas(acta.clave_acta or acta.clave_casilla, faults(acta))
        for place, acta in zip(places, actas(table, places), strict=True)
    }
    return {place: told for place, told in shown.items() if told.faltas}


def sql_of(name: str, **lists: Sequence[str]) -> str:
    """The text of a file of ``tablas/sql``."""
    return read_sql("pregon.tablas.sql", f"{name}.sql", **lists)


def lines_of(table: ActaTable) -> Lineas:
    """The rows of ``table`` as lines for the engine, parted by ``delimiter_of``."""
    if not isinstance(table.filas, PlainRows):
        return _joined(table, None)
    body = table.filas.body
    return table.filas.lineas if body is None else Volcado(body.pieces(), body.filas)


def delimiter_of(table: ActaTable) -> str:
    """What parts the fields of ``lines_of``."""
    return table.filas.delimiter if isinstance(table.filas, PlainRows) else _DELIMITER


def _joined(table: ActaTable, lugares: Sequence[int] | None) -> Iterator[str]:
    """Rows with quoted cells, as lines: a line end within a cell becomes a space, as any reading of it takes it."""
    rows = table.filas if lugares is None else (table.filas[place] for place in lugares)
    for row in rows:
        yield _DELIMITER.join([cell.translate(_UNSAFE) for cell in row])


def _dictionaries(motor: Motor, table: ActaTable, votes: Sequence[str]) -> tuple[str, ...]:
    """Load what each distinct text means; gives the key columns that hold wrapped keys."""
    counts = motor.rows(
        "select " + ", ".join(f"count(*) filter (where {_WRAPPED.format(key)})" for key in _CLAVES) + " from crudo"  # noqa: S608
    )[0]
    odd = tuple(key for key, n in zip(_CLAVES, counts, strict=True) if n)
    wrapped = distinct(motor, *(f"select {key} from crudo where {_WRAPPED.format(key)}" for key in odd))  # noqa: S608
    load_dictionary(motor, "claves", {"limpia": "varchar"}, {text: (clean_key(text),) for text in wrapped})
    empty = [*NO_UNIT, *(text for text in wrapped if clean_key(text) in NO_UNIT and text not in NO_UNIT)]
    motor.load_values("sin_clave", {"texto": "varchar"}, [(text,) for text in empty])
    cells = distinct(motor, *(f"select {name} from crudo" for name in (*votes, *CELDAS)))  # noqa: S608
    load_dictionary(
        motor, "celdas", {"valor": "bigint", "json": "varchar", "desconocida": "bigint"}, {t: _cell(t) for t in cells}
    )
    _situations(motor)
    load_places(motor, table, "crudo")
    return odd


def _situations(motor: Motor) -> None:
    rows = motor.rows(
        "select distinct contabilizada, observaciones, clave_casilla in (select texto from sin_clave) from crudo"
    )
    columns: dict[str, Tipo] = {"contabilizada_texto": "varchar", "observaciones_texto": "varchar"}
    columns |= {"sin_clave": "boolean", "estado": "varchar", "contabilizada": "varchar", "observaciones": "varchar"}
    columns |= {f"inc_{name}": "bigint" for name in DEFINICIONES}
    motor.load_values(
        "situaciones",
        columns,
        [
            (
                counted,
                told,
                no_key,
                estado_of(counted, told, "" if no_key else "0").value,
                counted.strip(),
                told.strip(),
                *(int(met) for met in definitions_met(told.strip())),
            )
            for counted, told, no_key in rows
        ],
    )


def _cell(text: str) -> tuple[int | None, str, int]:
    cell = parse_cell(text)
    if isinstance(cell, Marker):
        return None, f'"{cell.value}"', int(cell is Marker.DESCONOCIDO)
    return cell, str(cell), 0


def _fichas(motor: Motor, table: ActaTable, votes: Sequence[str]) -> tuple[Fichas, Sequence[str]]:
    found = motor.rows(sql_of("fragmentos", voto=votes, nivel=[table.nivel]))
    if not found:
        return Fichas(), ()
    *columns, texts = zip(*found, strict=True)
    return Fichas(*columns), texts
