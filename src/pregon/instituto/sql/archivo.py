"""Rows of a database as the official file of a contest, header included, with memory that does not grow with the row.

1. Each row becomes a line, written at once beside the file to be; the 13 fields are counted as rows go by.
2. Without an order of its own, lines are sorted by their keys (those fuera de catálogo last), of which only the keys
   and places are kept: the order does not depend on the collation of any database.
3. The file: title, cut, names and values of the summary, a blank line, the column names, the lines.

The figures of the header are counted here and again by the engine that totals: the gate compares them.
"""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING, Any

from pregon.base.durable import disk_failure
from pregon.instituto.sql.celdas import CellError
from pregon.instituto.sql.errores import data_error
from pregon.prep.admision import MAX_FILE_BYTES
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.model import CAMPOS, Estado
from pregon.prep.reader import MAX_ROWS
from pregon.prep.rows import estado_of
from pregon.prep.text import clean_key, parse_count
from pregon.prep.writer import cut_text
from pregon.tablas.encabezado import recompute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.instituto.sql.celdas import Celdas
    from pregon.tablas.model import Regla

RENGLONES = ".renglones"
_CHUNK = 1 << 20


class Resumen:
    """The 13 official fields, counted acta by acta (prep.md §2.2)."""

    def __init__(self, cells: Celdas) -> None:
        self._c = cells.columns
        self._row = dict.fromkeys(
            (
                "esperadas",
                "fuera_catalogo",
                "capturadas",
                "contabilizadas",
                "no_contabilizadas",
                "lista_nominal",
                "calculado_c_cs",
                "calculado_s_cs",
                *(f"inc_{name}" for name in DEFINICIONES),
            ),
            0,
        )
        self._met: dict[str, list[str]] = {}

    def add(self, row: Sequence[str]) -> Estado:
        """Count one acta; where it stands."""
        c, total = self._c, self._row
        estado = estado_of(row[c.contabilizada], row[c.observaciones], row[c.clave_casilla])
        if estado is Estado.FUERA_CATALOGO:
            total["fuera_catalogo"] += 1
            return estado
        total["esperadas"] += 1
        notes = row[c.observaciones]
        met = self._met.get(notes)
        if met is None:
            met = [f"inc_{name}" for name, yes in zip(DEFINICIONES, definitions_met(notes), strict=True) if yes]
            if len(self._met) < MAX_ROWS // 10:
                self._met[notes] = met
        for name in met:
            total[name] += 1
        if estado is Estado.PENDIENTE:
            return estado
        total["capturadas"] += 1
        if estado is Estado.NO_CONTABILIZADA:
            total["no_contabilizadas"] += 1
            return estado
        total["contabilizadas"] += 1
        total["lista_nominal"] += parse_count(row[c.lista_nominal]) or 0
        votes = parse_count(row[c.calculado]) or 0
        total["calculado_c_cs"] += votes
        if clean_key(row[c.tipo]).upper() != "S":
            total["calculado_s_cs"] += votes
        return estado

    def fields(self, *, esperadas: int | None, ultimo: bool) -> dict[str, int | str]:
        """The 13 fields; turnout takes casillas especiales only in the last cut."""
        row = self._row if esperadas is None else self._row | {"esperadas": esperadas}
        regla: Regla = "con_especiales" if ultimo else "sin_especiales"
        return recompute(row, participacion=regla, inconsistencias=next(iter(DEFINICIONES)))


def write_actas_file(
    target: Path,
    cells: Celdas,
    rows: Iterable[Sequence[Any]],
    *,
    titulo: str,
    hora: datetime,
    donde: str,
    ordered: bool,
    esperadas: int | None,
    ultimo: bool,
    disk: Disk,
) -> None:
    """Write ``target`` from the rows of a contest.

    Raises:
        FormatoError: a value that its column cannot hold, or more than the limits; with row and column.
        DiscoError, EscrituraError: could not write.
    """
    summary = Resumen(cells)
    spool = target.with_name(target.name + RENGLONES)
    try:
        places = _spool(spool, cells, rows, summary, donde=donde, ordered=ordered)
        fields = summary.fields(esperadas=esperadas, ultimo=ultimo)
        line = _Line()
        head = [
            line.of([titulo]),
            line.of([cut_text(hora, "dma")]),
            line.of(list(CAMPOS)),
            line.of([str(fields[name]) for name in CAMPOS]),
            "\n",
            line.of(cells.nombres),
        ]
        disk.create(target, _pieces("".join(head).encode(), spool, places))
    finally:
        spool.unlink(missing_ok=True)


def write_table_file(
    target: Path, names: Sequence[str], rows: Iterable[Sequence[str]], *, ordered: bool, disk: Disk, maximum: int
) -> None:
    """Write a small table (a catalogue), sorted as text where it has no order of its own. Raises as the above."""
    line = _Line()
    lines: list[str] = []
    for row in rows:
        lines.append(line.of(row))
        if len(lines) > maximum:
            raise data_error(target.name, f"pasa de {maximum:,} renglones.")
    if not ordered:
        lines.sort()
    disk.create(target, "".join([line.of(names), *lines]).encode())


def _spool(
    spool: Path, cells: Celdas, rows: Iterable[Sequence[Any]], summary: Resumen, *, donde: str, ordered: bool
) -> list[tuple[int, int]]:
    """Write every line; their places in the order of the file (empty: as they are)."""
    c = cells.columns
    keys: list[tuple[bool, str, str, bytes, int, int]] = []
    line = _Line()
    offset = 0
    file = None
    try:
        file = spool.open("wb")
        for number, values in enumerate(rows, start=1):
            if number > MAX_ROWS:
                raise data_error(donde, f"pasa de {MAX_ROWS:,} actas.")
            try:
                row = cells.row(values)
            except CellError as exc:
                raise data_error(f"instituto.toml, {donde}", f"renglón {number:,}, {exc}.") from exc
            estado = summary.add(row)
            data = line.of(row).encode()
            file.write(data)
            if not ordered:
                acta = "" if c.clave_acta is None else row[c.clave_acta]
                digest = hashlib.sha256(data).digest()[:8]  # two rows of one key still have one order
                last = estado is Estado.FUERA_CATALOGO
                keys.append((last, row[c.clave_casilla], acta, digest, offset, len(data)))
            offset += len(data)
            if offset > MAX_FILE_BYTES:
                raise data_error(donde, f"las actas pasan de {MAX_FILE_BYTES:,} bytes.")
        file.close()
    except OSError as exc:
        disk_failure(exc, spool)
    finally:
        if file is not None:
            file.close()
    keys.sort()
    return [(start, size) for *_, start, size in keys]


def _pieces(head: bytes, spool: Path, places: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    yield head
    with spool.open("rb") as file:
        if not places:
            while chunk := file.read(_CHUNK):
                yield chunk
            return
        for start, size in places:
            file.seek(start)
            yield file.read(size)


class _Line:
    """Cells as one line of CSV, quoted only where it must be."""

    def __init__(self) -> None:
        self._text = ""
        self._writer = csv.writer(self, lineterminator="\n")

    def write(self, text: str) -> None:
        """What ``csv.writer`` writes to."""
        self._text = text

    def of(self, row: Sequence[str]) -> str:
        """The line, with its end."""
        self._writer.writerow(row)
        return self._text
