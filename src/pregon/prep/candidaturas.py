"""The catalogue of candidates (CANDIDATURAS): who contests in each unit, and which parties stand together."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from pregon.prep.admision import Text, format_error, lines_of, open_text
from pregon.prep.preambulo import DELIMITERS, split_line
from pregon.prep.text import clean_key, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_ROWS = 100_000
_UNIT = re.compile(r"(?:ID_)?(?:DISTRITO|MUNICIPIO|JUNTA|ALCALDIA)(?:_LOCAL|_FEDERAL)?")
_COMBINATION = re.compile(r"(?:SUM[-_]|CC_|C_|COA_)(?P<resto>.+)")
_CATALOGUE = re.compile(r"CANDIDATURAS?")
_SHARED_PIECES = 2
_ENTITY = frozenset({"ID_ESTADO", "ID_ENTIDAD", "ESTADO", "ENTIDAD"})
_PARTY = frozenset({"PARTIDO_CI", "PARTIDO"})
_INDEPENDENT = re.compile(r"CAND_IND.*|CI(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class Candidatura:
    """One row of the catalogue.

    ``unidad`` is the id as written, empty where the whole entity votes for the same people (gubernatura).
    ``partido_ci`` is as given (``PAN``, ``C_PAN_PRI``, ``SUM-PAN-PRI-PRD``, ``CAND_IND_1``); ``miembros`` are the
    names it is made of, one for a party alone. ``entidad`` is the state as written (``4``, ``PUEBLA``), empty when the
    file does not say it.
    """

    unidad: str
    partido_ci: str
    miembros: tuple[str, ...]
    propietaria: str
    suplente: str
    entidad: str = ""


@dataclass(frozen=True)
class Catalogo:
    """A CANDIDATURAS file as read: its rows understood, and what is needed to write it again.

    ``cabeza`` are its first physical lines with their ends, the column names last; ``renglones``, the text of each row
    with its end (and the blank lines above it); ``cola``, what follows the last row. ``celdas`` are the cells of each
    row. ``lugar_entidad`` is the place of the entity's column, None when there is none.
    """

    origen: str
    encoding: str
    bom: bool
    cabeza: tuple[str, ...]
    columnas: tuple[str, ...]
    renglones: tuple[str, ...]
    celdas: tuple[tuple[str, ...], ...]
    cola: str
    lugar_entidad: int | None
    con_suplente: bool
    candidaturas: tuple[Candidatura, ...]


def read_candidaturas(path: Path) -> tuple[Candidatura, ...]:
    """Read a CANDIDATURAS file in any of its dialects.

    Raises:
        EntradaError: it is not there, or cannot be opened.
        FormatoError: it is not a catalogue; the text names file, line and column.
    """
    return read_catalogo(path).candidaturas


def read_catalogo(path: Path) -> Catalogo:
    """As ``read_candidaturas``, with what is needed to write the file again."""
    with open_text(path) as text:
        lines: list[str] = []
        for line in lines_of(text):
            lines.append(line)
            if len(lines) > MAX_ROWS:
                raise format_error(path.name, len(lines), "1", f"pasa de {MAX_ROWS:,} líneas")
        return _parse(text, lines)


def catalogue_of(actas: Path, among: Iterable[Path]) -> Path | None:
    """The catalogue of ``among`` that belongs to the table ``actas``, by name, or None.

    The one whose name is the table's but for the word (``PRES_2024.csv``, ``PRES_CANDIDATURAS_2024.csv``); else the one
    that shares most leading pieces, two at least (``QROO_DIP_LOC_2019.csv``, ``QROO_DIP_CANDIDATURAS_2019.csv``).
    """
    own = _pieces(actas)
    best: tuple[int, Path] | None = None
    for path in among:
        theirs = _pieces(path)
        if path == actas or not any(_CATALOGUE.fullmatch(piece) for piece in theirs):
            continue
        if [piece for piece in theirs if not _CATALOGUE.fullmatch(piece)] == own:
            return path
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, theirs, strict=False)))
        if shared >= _SHARED_PIECES and (best is None or shared > best[0]):
            best = (shared, path)
    return None if best is None else best[1]


def catalogue_beside(actas: Path) -> Path | None:
    """The catalogue in the same folder as ``actas``, where published packages put it, or None."""
    folder = actas.parent
    return catalogue_of(actas, sorted(folder.glob("*.[cC][sS][vV]"))) if folder.is_dir() else None


def _pieces(path: Path) -> list[str]:
    return re.split(r"[_ .-]+", fold(path.stem))


def members(partido_ci: str) -> tuple[str, ...]:
    """The names in a catalogue's PARTIDO_CI: ``SUM-PAN-PRI-PRD``, ``C_PT_NAP``, ``PAN-PRI``; one for a party alone.

    A bare name with ``_`` is left whole: only the columns of the file say whether it is a party or several.
    """
    name = partido_ci.strip()
    match = _COMBINATION.fullmatch(name.upper())
    if _INDEPENDENT.fullmatch(name.upper()):
        return (name,)
    if match is not None:
        return tuple(part for part in re.split(r"[-_]", name[match.start("resto") :]) if part)
    return tuple(part.strip() for part in name.split("-") if part.strip()) or (name,)


def _parse(text: Text, lines: list[str]) -> Catalogo:
    name = text.name
    start = _find_header(name, lines)
    header = lines[start].rstrip("\r\n")
    delimiter = max(DELIMITERS, key=header.count)
    columns = split_line(header, delimiter, name, start + 1)
    names = [fold(cell).replace(" ", "_") for cell in columns]
    unit = next((i for i, n in enumerate(names) if _UNIT.fullmatch(n)), None)
    entity = next((i for i, n in enumerate(names) if n in _ENTITY), None)
    party = next((i for i, n in enumerate(names) if n in _PARTY), None)
    if party is None:  # the line has it between other delimiters, or within quotes
        raise format_error(name, start + 1, "1", "no se reconoce el separador de la columna PARTIDO_CI")
    people = [i for i, n in enumerate(names) if n.startswith(("CANDIDATURA", "CANDIDAT"))]
    if not people:
        raise format_error(name, start + 1, str(len(names)), "falta la columna CANDIDATURA_PROPIETARIA")
    substitute = next((i for i in people if "SUPLENTE" in names[i]), None)
    found: list[Candidatura] = []
    raw: list[str] = []
    cells: list[tuple[str, ...]] = []
    pending: list[str] = []
    for first, row, physical in _rows(name, lines, start + 1, delimiter, pending):
        if len(row) < len(names):
            what = f"tiene {len(row)} campos y las columnas son {len(names)}"
            raise format_error(name, first, str(len(row)), what)
        raw.append(physical)
        cells.append(tuple(row))
        partido = row[party].strip()
        found.append(
            Candidatura(
                unidad="" if unit is None else clean_key(row[unit]),
                partido_ci=partido,
                miembros=members(partido),
                propietaria=row[people[0]].strip(),
                suplente="" if substitute is None else row[substitute].strip(),
                entidad="" if entity is None else clean_key(row[entity]),
            )
        )
    return Catalogo(
        origen=name,
        encoding=text.encoding,
        bom=text.bom,
        cabeza=tuple(lines[: start + 1]),
        columnas=tuple(columns),
        renglones=tuple(raw),
        celdas=tuple(cells),
        cola="".join(pending),
        lugar_entidad=entity,
        con_suplente=substitute is not None,
        candidaturas=tuple(found),
    )


def _find_header(name: str, lines: list[str]) -> int:
    for i, line in enumerate(lines):
        text = line.upper()
        if "CLAVE_CASILLA" in text:
            what = "es la base de datos por acta (CLAVE_CASILLA…), no un catálogo de candidaturas"
            raise format_error(name, i + 1, str(text.index("CLAVE_CASILLA") + 1), what)
        if not _PARTY.isdisjoint(cell.strip(' "\r\n') for cell in re.split(f"[{DELIMITERS}]", text)):
            return i
    raise format_error(name, 1, "1", "no se encontró la fila de columnas (PARTIDO_CI…)")


def _rows(
    name: str, lines: list[str], start: int, delimiter: str, pending: list[str]
) -> Iterator[tuple[int, list[str], str]]:
    """Each row that is not blank: the number of its first line, its cells, its physical text.

    ``pending`` holds, at the end, the lines after the last row.
    """

    def fed() -> Iterator[str]:
        for line in lines[start:]:
            pending.append(line)
            yield line

    reader = csv.reader(fed(), delimiter=delimiter)
    first = start + 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                text = "".join(pending)
                pending.clear()
                yield first, row, text
            first = start + reader.line_num + 1
    except csv.Error as exc:
        raise format_error(name, first, "1", f"no se puede separar en columnas ({exc})") from exc
