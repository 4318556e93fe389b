"""Writes a table of actas: in its own dialect byte for byte, or in a named one with the same figures.

In its own dialect every line is what the source wrote. In another, only the form changes: keys, markers, the words for
pending and fuera de catálogo, dates, names of the fixed columns. Reading what was written gives what was read.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from pregon.prep.columns import count_roles
from pregon.prep.encabezado import in_words_of, written_summary
from pregon.prep.marco import encoded, line_text, wrap_key
from pregon.prep.model import Estado, Marker
from pregon.prep.rows import estado_of
from pregon.prep.text import fold, parse_cell, parse_count, parse_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pregon.prep.estilos import Corte, Estilo, Marco
    from pregon.prep.model import ActaTable

_KEYS = frozenset({"clave_casilla", "clave_acta", "entidad_id", "unidad_id", "seccion", "id_casilla", "ext_contigua"})
_COUNTS = frozenset(
    {"sobrantes", "personas", "representantes_votaron", "sacados", "asentado", "calculado", "lista_nominal"}
    | {"representantes"}
)
_DATES = frozenset({"acopio", "captura", "verificacion"})
_DMA = re.compile(r"(\d{2})/(\d{2})/(\d{4}) (\d{2}:\d{2}(?::\d{2})?)", re.ASCII)
_AMD = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2}) (\d{2}:\d{2}(?::\d{2})?)(?:\.0+)?", re.ASCII)
_MAX_CACHE = 100_000


def write_actas(
    table: ActaTable,
    *,
    estilo: Estilo | None = None,
    encabezado: Mapping[str, int | str | None] | None = None,
) -> Iterator[bytes]:
    """The bytes of ``table``, in pieces.

    ``estilo`` None: as its source; the same bytes when ``encabezado`` is None too. ``encabezado``: values of the 13
    official fields to write instead of the source's (``ContestTotals.recalculado``); fields that the source's summary
    lacks stay out of it in its own dialect.

    Raises:
        FormatoError: a letter that the dialect's encoding does not have; with line and column.
    """
    if estilo is None:
        lines = _own_lines(table, encabezado)
        dialect = table.dialecto
        return encoded(lines, table.origen, dialect.encoding, bom=dialect.bom)
    values = table.encabezado if encabezado is None else encabezado
    frame = estilo.actas
    return encoded(_styled_lines(table, estilo, values), table.origen, frame.encoding, bom=frame.bom)


def cut_text(hora: datetime, form: Corte) -> str:
    """The cut line: ``07/06/2021 20:00 (UTC-5)`` in each of its forms."""
    offset = hora.utcoffset()
    if offset is None:
        raise ValueError("a cut is an aware instant")
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    zone = f"(UTC{sign}{hours}{f':{rest:02d}' if rest else ''})"
    clock = f"{hora:%H:%M}" + (f":{hora:%S}" if hora.second else "")
    if form == "amd":
        return f"{hora:%Y/%m/%d} {clock} {zone}"
    if form == "dma_corto":
        return f"{hora.day}/{hora.month}/{hora.year} {clock} {zone}"
    return f"{hora:%d/%m/%Y} {clock}{'' if form == 'dma_junto' else ' '}{zone}"


def _own_lines(table: ActaTable, encabezado: Mapping[str, int | str | None] | None) -> Iterator[tuple[int, str]]:
    original, dialect = table.original, table.dialecto
    place = original.resumen[1]
    for i, line in enumerate(original.cabeza):
        if encabezado is not None and i == place:
            body = line.rstrip("\r\n")
            yield i + 1, in_words_of(table.encabezado_crudo, encabezado, dialect.delimiter) + line[len(body) :]
        else:
            yield i + 1, line
    raw, delimiter, end = original.filas, dialect.delimiter, dialect.line_end
    lines = table.crudas or map(line_text, table.filas, repeat(delimiter))
    for i, (linea, line) in enumerate(zip(table.lineas, lines, strict=True)):
        text = raw.get(i)
        yield linea, line + end if text is None else text
    if original.cola:
        yield (table.lineas[-1] if table.lineas else len(original.cabeza)) + 1, original.cola


def _styled_lines(
    table: ActaTable, estilo: Estilo, values: Mapping[str, int | str | None]
) -> Iterator[tuple[int, str]]:
    frame = estilo.actas
    end = frame.line_end
    plan = _Plan(table, estilo)
    head = (*_head(table, estilo, values, frame), line_text(plan.names, frame.delimiter))
    yield from ((number, line + end) for number, line in enumerate(head, start=1))
    quoted = plan.quoted
    for linea, row in zip(table.lineas, table.filas, strict=True):
        yield linea, line_text(plan.row(row), frame.delimiter, quoted=quoted) + end


def _head(table: ActaTable, estilo: Estilo, values: Mapping[str, int | str | None], frame: Marco) -> Iterator[str]:
    if frame.sep_hint:
        yield f"sep={frame.delimiter}"
    for line in (table.titulo, cut_text(table.hora_corte, estilo.corte)):
        yield f'"{line}"' if estilo.marco_entre_comillas else line
    yield from estilo.antes_resumen
    for cells in written_summary(values, estilo):
        yield line_text(cells, frame.delimiter)
    yield from estilo.antes_columnas


class _Plan:
    """What to do with each column of a table to write it in a dialect."""

    def __init__(self, table: ActaTable, estilo: Estilo) -> None:
        self._estilo = estilo
        c = table.columns
        roles = count_roles(table.columnas)
        for item in fields(c):
            place = getattr(c, item.name)
            if isinstance(place, int):
                roles[place] = item.name
        self._votes = range(c.votos.start, c.votos.stop)
        for place, contender in zip(self._votes, c.contendientes, strict=True):
            if contender.clase == "no_registradas":
                roles[place] = "no_registradas"
        self.names = self._rename(table, roles)
        self.quoted = frozenset(p for p, role in roles.items() if estilo.claves.get(role) == "comillas")
        self._steps = self._transforms(roles)
        self._state = (c.contabilizada, c.observaciones, c.clave_casilla)

    def row(self, row: tuple[str, ...]) -> list[str]:
        """The cells of a row in the dialect."""
        cells = list(row)
        for place, step in self._steps:
            cells[place] = step[cells[place]]
        counted, notes, key = self._state
        cells[counted] = self._contabilizada(row[counted], row[notes], row[key])
        return cells

    def _rename(self, table: ActaTable, roles: Mapping[int, str]) -> list[str]:
        names = list(table.columnas)
        unit = self._estilo.unidad.get(table.nivel)
        wanted = dict(self._estilo.nombres)
        if unit is not None:
            wanted |= {"unidad_id": unit[0], "unidad_nombre": unit[1]}
        for place, role in roles.items():
            name = wanted.get(role, names[place])
            # A name that another column has already (a file of districts and municipalities) is left as it was.
            if fold(name) not in {fold(other) for i, other in enumerate(names) if i != place}:
                names[place] = name
        return names

    def _transforms(self, roles: Mapping[int, str]) -> list[tuple[int, _Cache]]:
        estilo = self._estilo
        steps: list[tuple[int, _Cache]] = []
        count = _Cache(self._count)
        for place in sorted({*roles, *self._votes}):
            role = roles.get(place, "")
            if role in _KEYS:
                steps.append((place, _Cache(partial(wrap_key, style=estilo.claves.get(role)))))
            elif place in self._votes or role in _COUNTS:
                steps.append((place, count))
            elif role in _DATES and estilo.fechas is not None:
                steps.append((place, _Cache(self._date)))
            elif role == "observaciones":
                steps.append((place, _Cache(self._notes)))
        return steps

    def _count(self, text: str) -> str:
        cell = parse_cell(text)
        if isinstance(cell, int):
            return str(cell)
        return text if cell is Marker.DESCONOCIDO else self._estilo.marcas.get(cell, text)

    def _date(self, text: str) -> str:
        if self._estilo.fechas == "dma":
            match = _AMD.fullmatch(text)
            return text if match is None else f"{match[3]}/{match[2]}/{match[1]} {match[4]}"
        match = _DMA.fullmatch(text)
        return text if match is None else f"{match[3]}-{match[2]}-{match[1]} {match[4]}"

    def _notes(self, text: str) -> str:
        notes = parse_list(text)
        if self._estilo.observaciones == "lista":
            if notes is None:
                notes = tuple(note for note in (part.strip() for part in text.split(",")) if note.strip("- "))
            return repr(list(notes))
        return text if notes is None else ", ".join(notes)

    def _contabilizada(self, text: str, notes: str, key: str) -> str:
        """In the dialect's word, if with it the acta still stands where it stood."""
        given = parse_count(text)
        estado = estado_of(text, notes, key)
        if estado is Estado.FUERA_CATALOGO:
            word = self._estilo.fuera
        elif given is not None:
            word = str(given)
        elif estado is Estado.PENDIENTE and not text.strip("-' "):
            word = self._estilo.pendiente
        else:
            return text
        return word if estado_of(word, notes, key) is estado else text


class _Cache(dict[str, str]):
    """Each distinct text is changed once; bounded, because a hostile file may make every cell distinct."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self._change = change

    def __missing__(self, text: str) -> str:
        changed = self._change(text)
        if len(self) < _MAX_CACHE:
            self[text] = changed
        return changed
