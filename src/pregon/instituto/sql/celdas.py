"""Values of a database as cells of the official file, column by column; what fits no rule is refused, never guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pregon.instituto.sql.modelo import NULO
from pregon.prep.columns import count_roles, read_columns
from pregon.prep.model import Marker
from pregon.prep.text import parse_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pregon.instituto.sql.modelo import Campo, FuenteSql, Marca

MAX_CELL_CHARS = 4_000
MAX_COUNT = 10**12 - 1
_SHOWN = 40
_TEXTS: dict[Marca, str] = {
    "ILEGIBLE": "ILEGIBLE",
    "SIN_DATO": "SIN DATO",
    "SIN_ACTA": "SIN ACTA",
    "NO_CONTIENDE": "-",
    "NO_APLICA": "N/A",
    "VACIO": "",
}
_MAX_CACHE = 10_000


class CellError(ValueError):
    """A value that its column cannot hold; the text, in Spanish, says what came and what was expected."""


class Celdas:
    """One converter per published column, in order. Each takes a row of the database and gives the cell's text."""

    def __init__(self, source: FuenteSql, places: Mapping[str, int], zona: dt.tzinfo) -> None:
        names = source.encabezados
        columns = read_columns(names, source.titulo)
        counts = set(count_roles(names)) | {columns.calculado, columns.lista_nominal}
        counts |= {place for place in (columns.asentado, columns.representantes) if place is not None}
        self.nombres = names
        self.columns = columns
        count = _Count(source.marcas)
        steps: list[Callable[[Sequence[Any]], str]] = []
        dates = {columns.acopio, columns.captura, columns.verificacion}
        before = source.lugar_votos
        fields = list(source.columnas.values())
        for place in range(len(names)):
            if before <= place < before + len(source.votos):
                vote = source.votos[place - before]
                apart = None if vote.marca is None else places[vote.marca]
                steps.append(_vote(count, places[vote.columna], apart, source.marcas_aparte))
                continue
            field = fields[place if place < before else place - len(source.votos)]
            if field.columna is not None and place in counts:
                steps.append(_vote(count, places[field.columna], None, {}))
            else:
                steps.append(text_step(field, places, zona, date=place in dates))
        self._steps = steps

    def row(self, values: Sequence[Any]) -> list[str]:
        """The cells of a row. Raises CellError naming the column."""
        cells: list[str] = []
        try:
            for step in self._steps:
                cells.append(step(values))  # noqa: PERF401 - how far it went names the column
        except CellError as exc:
            raise CellError(f"columna {self.nombres[len(cells)]}: {exc}") from exc
        return cells


def text_step(
    field: Campo, places: Mapping[str, int], zona: dt.tzinfo, *, date: bool = False
) -> Callable[[Sequence[Any]], str]:
    """The converter of a column that is not a count. ``date``: of instants, which SQLite keeps as ISO 8601 text."""
    if field.columna is None:
        fixed = field.valor or ""
        return lambda values: fixed
    place, digits = places[field.columna], field.digitos or 0

    def step(values: Sequence[Any]) -> str:
        value = values[place]
        found = _text(_instant(value) if date and isinstance(value, str) else value, zona)
        return found.zfill(digits) if digits and found.isdecimal() else found

    return step


def _vote(count: _Count, place: int, apart: int | None, marks: Mapping[str, Marca]) -> Callable[[Sequence[Any]], str]:
    if apart is None:
        return lambda values: count.of(values[place])

    def step(values: Sequence[Any]) -> str:
        mark = values[apart]
        key = "" if mark is None else str(mark).strip()
        if not key:
            return count.of(values[place])
        if key not in marks:
            raise CellError(f"la marca «{_shown(key)}» no está en «marcas_aparte»")
        return _TEXTS[marks[key]]

    return step


class _Count:
    """A count or the marker that stands for it."""

    def __init__(self, marks: Mapping[str, Marca]) -> None:
        self._marks = {key.strip(): _TEXTS[mark] for key, mark in marks.items()}
        self._null = self._marks.pop(NULO, "")
        self._known: dict[int, str] = {}

    def of(self, value: Any) -> str:
        """The cell. Raises CellError."""
        if value is None:
            return self._null
        if type(value) is int:
            text = self._known.get(value)
            if text is None:
                text = self._whole(value)
                if len(self._known) < _MAX_CACHE:
                    self._known[value] = text
            return text
        if isinstance(value, (Decimal, float)) and value == value.__trunc__():
            return self._whole(int(value))
        if isinstance(value, str):
            return self._word(value.strip())
        raise CellError(f"vino «{_shown(value)}» ({type(value).__name__}) y debe ser un entero o una marca")

    def _whole(self, value: int) -> str:
        text = str(value)
        if text in self._marks:
            return self._marks[text]
        if not 0 <= value <= MAX_COUNT:
            raise CellError(f"vino {text}, que no es una cuenta ni está en «marcas»")
        return text

    def _word(self, text: str) -> str:
        if text in self._marks:
            return self._marks[text]
        if len(text) > MAX_CELL_CHARS or parse_cell(text) is Marker.DESCONOCIDO:
            raise CellError(f"vino «{_shown(text)}», que no es una cuenta ni una marca conocida")
        return text


def _instant(text: str) -> dt.datetime | str:
    try:
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return text


def _text(value: Any, zona: dt.tzinfo) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_CELL_CHARS or not text.isprintable():
            raise CellError(f"vino «{_shown(text)}», con saltos de línea, caracteres de control o demasiado largo")
        return text
    if isinstance(value, bool):
        return str(int(value))  # CONTABILIZADA as a boolean
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (Decimal, float)) and value == value.__trunc__():
        return str(int(value))
    if isinstance(value, dt.datetime):
        local = value.astimezone(zona) if value.tzinfo is not None else value
        return f"{local:%d/%m/%Y %H:%M:%S}"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, (bytes, bytearray, memoryview)) and len(value) == 32:
        return bytes(value).hex()
    raise CellError(f"vino «{_shown(value)}» ({type(value).__name__}), que no se sabe escribir como texto")


def _shown(value: Any) -> str:
    text = repr(value)[1:-1] if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
