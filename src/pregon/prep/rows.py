"""Rows of an ``ActaTable`` understood one by one as ``Acta``."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from pregon.prep.model import Acta, ActaTable, Cell, Estado, PlainRows
from pregon.prep.text import NO_UNIT, clean_key, entity_id, fold, parse_cell, parse_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pregon.prep.columns import Columns

_MAX_CACHE = 100_000
_FUERA = Estado.FUERA_CATALOGO
_Row: TypeAlias = tuple[str, ...]


class _Cells(dict[str, Cell]):
    """Each distinct text is read once; bounded, because a hostile file may make every cell distinct."""

    def __missing__(self, text: str) -> Cell:
        cell = parse_cell(text)
        if len(self) < _MAX_CACHE:
            self[text] = cell
        return cell


class _Texts(dict[str, str]):
    """The same for keys: most columns repeat a few thousand."""

    def __missing__(self, text: str) -> str:
        bare = clean_key(text)
        if len(self) < _MAX_CACHE:
            self[text] = bare
        return bare

    def date(self, text: str) -> str:
        """A date is seldom repeated, and needs no unwrapping when it begins and ends with a digit."""
        return text if text[:1].isdecimal() and text[-1].isdecimal() else self[text]


class _Counts(dict[str, int]):
    """The same for what a cell adds to a total."""

    def __init__(self, cells: _Cells) -> None:
        super().__init__()
        self._cells = cells

    def __missing__(self, text: str) -> int:
        count = counted_value(self._cells[text])
        if len(self) < _MAX_CACHE:
            self[text] = count
        return count


def actas(table: ActaTable, lugares: Sequence[int] | None = None) -> Iterator[Acta]:
    """The actas of ``table`` in the file's order; of the rows at ``lugares`` only, in that order, when they are given.

    Those of no district or municipality (voto en el extranjero, voto anticipado) get the unit ``sin-<nivel>``, so
    that the units still add up to the entity; those fuera de catálogo get the empty unit.
    """
    columnas, votes = table.columnas_voto, table.columns.votos
    stands, units, cells = _Stands(), _Units(table), _Cells()
    texts, others = _Texts(), _Texts()  # apart, because images and dates may all be distinct
    cell, count = cells.__getitem__, _Counts(cells).__getitem__
    pick = _picker(table.columns)
    for linea, row in _numbered(table, lugares):
        (
            clave,
            clave_acta,
            unidad,
            nombre,
            entidad,
            seccion,
            id_casilla,
            tipo,
            ext_contigua,
            contabilizada,
            observaciones,
            asentado,
            calculado,
            lista_nominal,
            representantes,
            sha,
            acopio,
            captura,
            verificacion,
        ) = pick(row)
        clave = clave if clave.isalnum() else clean_key(clave)
        estado, contabilizada, observaciones = stands[contabilizada, observaciones, clave in NO_UNIT]
        unidad, nombre, entidad = units[unidad, nombre, entidad, estado is _FUERA]
        votos = row[votes]
        # In the order of the fields: their names would cost a tenth of the whole.
        yield Acta(
            linea,
            clave,
            clave_acta if clave_acta.isalnum() else clean_key(clave_acta),
            unidad,
            nombre,
            texts[seccion],
            texts[id_casilla],
            texts[tipo].upper(),
            texts[ext_contigua],
            estado,
            contabilizada,
            tuple(map(cell, votos)),
            sum(map(count, votos)),
            columnas,
            cells[asentado],
            cells[calculado],
            cells[lista_nominal],
            cells[representantes],
            observaciones,
            sha if sha.isalnum() else others[sha],
            (others.date(acopio), others.date(captura), others.date(verificacion)),
            entidad,
        )


def counted_value(cell: Cell) -> int:
    """What a cell adds to a total: its count, or zero for a marker."""
    return cell if isinstance(cell, int) else 0


def estado_of(contabilizada: str, observaciones: str, clave_casilla: str) -> Estado:
    """Where an acta stands, from the text of three of its cells."""
    return _estado(contabilizada, observaciones, clean_key(clave_casilla) in NO_UNIT)


def _numbered(table: ActaTable, lugares: Sequence[int] | None) -> Iterator[tuple[int, _Row]]:
    if lugares is None:
        return zip(table.lineas, table.filas, strict=True)
    lineas, filas = table.lineas, table.filas
    chosen = filas.at(lugares) if isinstance(filas, PlainRows) else [filas[place] for place in lugares]
    return zip([lineas[place] for place in lugares], chosen, strict=True)


def _picker(c: Columns) -> Callable[[_Row], _Row]:
    """Gives the cells of an acta, but for its votes, in the order in which ``actas`` takes them; empty where absent."""
    places = (
        *(c.clave_casilla, c.clave_acta, c.unidad_id, c.unidad_nombre, c.entidad_id, c.seccion),
        *(c.id_casilla, c.tipo, c.ext_contigua, c.contabilizada, c.observaciones, c.asentado, c.calculado),
        *(c.lista_nominal, c.representantes, c.sha, c.acopio, c.captura, c.verificacion),
    )
    pick = itemgetter(*(-1 if place is None else place for place in places))
    return (lambda row: pick((*row, ""))) if None in places else pick


class _Stands(dict[tuple[str, str, bool], tuple[Estado, str, str]]):
    """Where an acta stands, CONTABILIZADA and OBSERVACIONES; by these as written and whether it has no key."""

    def __missing__(self, key: tuple[str, str, bool]) -> tuple[Estado, str, str]:
        found = (_estado(*key), key[0].strip(), key[1].strip())
        if len(self) < _MAX_CACHE:
            self[key] = found
        return found


class _Units(dict[tuple[str, str, str, bool], tuple[str, str, str]]):
    """Unit, its name and entidad; by these as written and whether the acta is fuera de catálogo."""

    def __init__(self, table: ActaTable) -> None:
        super().__init__()
        self._none = f"sin-{table.nivel}"
        self._several = table.varias_entidades and table.columns.entidad_id is not None

    def __missing__(self, key: tuple[str, str, str, bool]) -> tuple[str, str, str]:
        text, name, entity, outside = key
        unidad, nombre, entidad = clean_key(text), name.strip().strip("'"), ""
        if unidad in NO_UNIT:
            unidad, nombre = "" if outside else self._none, ""
        if self._several:
            entidad = entity_id(entity)
            unidad = f"{entidad}-{unidad}" if unidad else ""
        if len(self) < _MAX_CACHE:
            self[key] = (unidad, nombre, entidad)
        return unidad, nombre, entidad


def _estado(contabilizada: str, observaciones: str, no_key: bool) -> Estado:  # noqa: FBT001 - private, a cache key
    """CONTABILIZADA as given, never judged again; fuera de catálogo by any of its marks.

    ``2`` (Puebla 2024); or the words in OBSERVACIONES, or a row without key, with ``0`` (Campeche) or ``-`` (Sonora).
    """
    given = parse_count(contabilizada)
    if given == 1:
        return Estado.CONTABILIZADA
    if given == 2 or no_key or "FUERA DE CATALOGO" in fold(observaciones):
        return Estado.FUERA_CATALOGO
    return Estado.NO_CONTABILIZADA if given == 0 else Estado.PENDIENTE
