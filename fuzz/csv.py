"""Target «csv»: the official files of a PREP, read in any dialect and written again.

Of every input: the reader of actas and the one of the catalogue refuse it as ours (FORMATO), or

1. the quick reading and the one field by field agree;
2. what is read has as many rows as lines, as many cells as columns, and is written again byte for byte;
3. each acta's sum is that of its own cells, and all of them together those of the columns;
4. written in a named dialect and read again, every acta keeps its state, its votes and its sum, or it is refused.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fuzz.objetivo import Hallazgo, Objetivo, carpeta, rechazo
from pregon.base.errors import FormatoError
from pregon.prep import reader
from pregon.prep.admision import open_text
from pregon.prep.candidaturas import read_catalogo
from pregon.prep.estilos import ESTILOS
from pregon.prep.model import CAMPOS
from pregon.prep.reader import read_actas
from pregon.prep.revisa import RowFindings
from pregon.prep.rows import actas
from pregon.prep.text import parse_cell
from pregon.prep.writer import write_actas

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.prep.model import Acta, ActaTable

_STYLES = tuple(ESTILOS.values())


def prueba(data: bytes) -> None:
    """One input, read as a file of actas and as a catalogue."""
    with carpeta() as folder:
        path = folder / "ACTAS.csv"
        path.write_bytes(data)
        _actas(path, data)
        _catalogo(path, data)


def _actas(path: Path, data: bytes) -> None:
    try:
        table = read_actas(path)
    except FormatoError as exc:
        rechazo(exc)
        return
    _same(table, _slowly(path))
    if b"".join(write_actas(table)) != data:
        raise Hallazgo("written in its own dialect it is another file")
    found = _rows(table)
    style = _STYLES[len(data) % len(_STYLES)]
    try:
        path.write_bytes(b"".join(write_actas(table, estilo=style)))
    except FormatoError as exc:
        rechazo(exc)  # a letter that the dialect's encoding does not have
        return
    try:
        again = _rows(read_actas(path))
    except FormatoError as exc:
        rechazo(exc)  # column names full of another delimiter: refused aloud, never read as something else
        return
    if [_figures(acta) for acta in again] != [_figures(acta) for acta in found]:
        raise Hallazgo(f"written as {style.nombre} it says something else")


def _slowly(path: Path) -> ActaTable:
    with open_text(path) as text:
        return reader._read(text, quick=False)  # noqa: SLF001 - the reading that the quick one must equal


def _same(quick: ActaTable, slow: ActaTable) -> None:
    if [*quick.filas] != [*slow.filas] or [*quick.lineas] != [*slow.lineas]:
        raise Hallazgo("the quick reading gives other rows")
    if (quick.original.cola, dict(quick.original.filas)) != (slow.original.cola, dict(slow.original.filas)):
        raise Hallazgo("the quick reading keeps other texts")
    if (quick.entidades, quick.hallazgos, quick.dialecto) != (slow.entidades, slow.hallazgos, slow.dialecto):
        raise Hallazgo("the quick reading finds something else")


def _rows(table: ActaTable) -> list[Acta]:
    found = list(actas(table))
    width = len(table.columnas)
    if not len(found) == len(table.filas) == len(table.lineas) or any(len(row) != width for row in table.filas):
        raise Hallazgo("rows, lines and actas are not as many, or a row is not as wide as its columns")
    if any(later <= earlier for earlier, later in pairwise(table.lineas)):
        raise Hallazgo("the lines of the rows do not increase")
    if tuple(table.encabezado) != CAMPOS:
        raise Hallazgo("the summary does not have its 13 fields")
    votes = table.columns.votos
    if len(table.columnas_voto) != len(table.columns.contendientes):
        raise Hallazgo("a vote column without its meaning")
    findings = RowFindings()
    total = 0
    for acta, row in zip(found, table.filas, strict=True):
        findings.add(acta)
        cells = [parse_cell(text) for text in row[votes]]
        if list(acta.votos) != cells or acta.suma != sum(cell for cell in cells if isinstance(cell, int)):
            raise Hallazgo("an acta's votes or their sum are not those of its cells")
        total += acta.suma
    columns = (sum(v for v in column if isinstance(v, int)) for column in zip(*(a.votos for a in found), strict=True))
    if total != sum(columns):
        raise Hallazgo("the rows and the columns do not add up to the same")
    findings.findings()
    return found


def _figures(acta: Acta) -> tuple[object, ...]:
    return acta.clave_casilla, acta.estado, acta.votos, acta.suma, acta.calculado, acta.lista_nominal


def _catalogo(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = read_catalogo(path)
    except FormatoError as exc:
        rechazo(exc)
        return
    if not len(found.candidaturas) == len(found.renglones) == len(found.celdas):
        raise Hallazgo("rows and candidacies of the catalogue are not as many")
    text = "".join((*found.cabeza, *found.renglones, found.cola))
    if (b"\xef\xbb\xbf" if found.bom else b"") + text.encode(found.encoding) != data:
        raise Hallazgo("the catalogue's texts are not those of its file")


OBJETIVO = Objetivo(
    nombre="csv",
    prueba=prueba,
    max_bytes=16 << 10,
    palabras=(
        b"sep=|", b"\xef\xbb\xbf", b"\r\n", b"\r", b'"', b'="', b"'", b"CLAVE_CASILLA", b"CLAVE_ACTA", b"PARTIDO_CI",
        b"ACTAS_ESPERADAS", b"TOTAL_VOTOS_SACADOS", b"NULOS", b"CONTABILIZADA", b"OBSERVACIONES", b"LISTA_NOMINAL",
        b"TOTAL_VOTOS_CALCULADO", b"ID_DISTRITO_LOCAL", b"ID_MUNICIPIO", b"ID_ESTADO", b"SECCION", b"TIPO_CASILLA",
        b"C_PAN_PRI", b"CC_PAN_PRI", b"PAN-PRI-PRD", b"CAND_IND_1", b"NO_REGISTRADOS", b"(UTC-5)", b"(UTC+5:30)",
        b"06/06/2021 22:40", b"2021/06/06 22:40", b"Ilegible", b"Sin dato", b"Sin acta", b"N/A", b"--",
        b"2,658,993.0", b"100.0000", b"FUERA DE CAT\xc3\x81LOGO", b"['Ilegible', 'Sin dato']", b"\xc3\xb1", b"\xf1",
        b"CANDIDATURA_PROPIETARIA", b"CANDIDATURA_SUPLENTE", b"AYUNTAMIENTOS", b"\x1c", b"\xe2\x80\xa8",
    ),
)  # fmt: skip
