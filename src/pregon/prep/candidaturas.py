"""The catalogue of candidates (CANDIDATURAS): who contests in each unit, and which parties stand together."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from pregon.prep.admision import format_error, lines_of, open_text
from pregon.prep.text import clean_key, fold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_ROWS = 100_000
_UNIT = re.compile(r"(?:ID_)?(?:DISTRITO|MUNICIPIO|JUNTA|ALCALDIA)(?:_LOCAL|_FEDERAL)?")
_COMBINATION = re.compile(r"(?:SUM[-_]|CC_|C_|COA_)(?P<resto>.+)")
_CATALOGUE = re.compile(r"CANDIDATURAS?")
_SHARED_PIECES = 2
_INDEPENDENT = re.compile(r"CAND_IND.*|CI(?:_\d+)?")


@dataclass(frozen=True, slots=True)
class Candidatura:
    """One row of the catalogue.

    ``unidad`` is the id as written, empty where the whole entity votes for the same people (gubernatura).
    ``partido_ci`` is as given (``PAN``, ``C_PAN_PRI``, ``SUM-PAN-PRI-PRD``, ``CAND_IND_1``); ``miembros`` are the
    names it is made of, one for a party alone.
    """

    unidad: str
    partido_ci: str
    miembros: tuple[str, ...]
    propietaria: str
    suplente: str


def read_candidaturas(path: Path) -> tuple[Candidatura, ...]:
    """Read a CANDIDATURAS file in any of its dialects.

    Raises:
        EntradaError: it is not there, or cannot be opened.
        FormatoError: it is not a catalogue; the text names file, line and column.
    """
    with open_text(path) as text:
        lines: list[str] = []
        for line in lines_of(text):
            lines.append(line)
            if len(lines) > MAX_ROWS:
                raise format_error(path.name, len(lines), None, f"pasa de {MAX_ROWS:,} líneas")
    try:
        return _parse(path.name, lines)
    except csv.Error as exc:
        raise format_error(path.name, 0, None, f"no se puede separar en columnas ({exc})") from exc


def catalogue_of(actas: Path, among: Iterable[Path]) -> Path | None:
    """The catalogue of ``among`` that belongs to the table ``actas``, by name, or None.

    Published names begin alike (``CAMP_DIP_LOC_2021.csv``, ``CAMP_DIP_LOC_CANDIDATURA_2021.csv``): the one that shares
    most leading pieces, two at least, all those before the year.
    """
    own = _pieces(actas)
    best: tuple[int, Path] | None = None
    for path in among:
        theirs = _pieces(path)
        if path == actas or not any(_CATALOGUE.fullmatch(piece) for piece in theirs):
            continue
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


def _parse(name: str, lines: list[str]) -> tuple[Candidatura, ...]:
    start = next((i for i, line in enumerate(lines) if "PARTIDO_CI" in line.upper()), None)
    if start is None:
        raise format_error(name, 1, None, "no se encontró la fila de columnas (PARTIDO_CI…)")
    delimiter = max(",|;\t", key=lines[start].count)
    reader = csv.reader(lines[start:], delimiter=delimiter)
    names = [fold(cell).replace(" ", "_") for cell in next(reader)]
    unit = next((i for i, n in enumerate(names) if _UNIT.fullmatch(n)), None)
    party = names.index("PARTIDO_CI")
    people = [i for i, n in enumerate(names) if n.startswith("CANDIDATURA")]
    if not people:
        raise format_error(name, start + 1, None, "falta la columna CANDIDATURA_PROPIETARIA")
    substitute = next((i for i in people if "SUPLENTE" in names[i]), None)
    found: list[Candidatura] = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(names):
            what = f"tiene {len(row)} campos y las columnas son {len(names)}"
            raise format_error(name, start + reader.line_num, str(len(row)), what)
        partido = row[party].strip()
        found.append(
            Candidatura(
                unidad="" if unit is None else clean_key(row[unit]),
                partido_ci=partido,
                miembros=members(partido),
                propietaria=row[people[0]].strip(),
                suplente="" if substitute is None else row[substitute].strip(),
            )
        )
    return tuple(found)
