"""The catalogue against the contest: people still to be named, and rows of no unit or party of the table.

Official packages carried placeholders on election night (real-data.md §4): they are reported, never corrected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.prep.coaliciones import catalogue_key, unit_key
from pregon.prep.columns import members_of, party_key
from pregon.prep.model import Finding
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.columns import Columns
    from pregon.prep.model import ActaTable

MAX_EXAMPLES = 5
_PLACEHOLDER = re.compile(
    r"[-–—.*_\s]*|N/?A|X+(?: X+)*|SIN (?:CANDIDAT(?:UR[AO]|O|A|O/A)|NOMBRE|REGISTRO)S?"
    r"|POR DEFINIR|PENDIENTE|VACANTE|(?:CANDIDAT[AO]|PRUEBA)(?: ?\d+)?"
    r"|(?:NOMBRES?|APELLIDOS?)(?: (?:NOMBRES?|APELLIDOS?|PATERNO|MATERNO|COMPLETO))*"
)
_INDEPENDENT = re.compile(r"(?:CAND?_IND|CI)_?0*(?P<n>\d*)(?P<resto>.*)")


def is_placeholder(nombre: str) -> bool:
    """True for what stands where a name is missing: ``Nombre Apellido Apellido``, ``SIN CANDIDATURA``, empty."""
    return _PLACEHOLDER.fullmatch(fold(nombre)) is not None


def placeholders(candidaturas: Sequence[Candidatura]) -> tuple[Finding, ...]:
    """CANDIDATURA_PENDIENTE: how many cells of people are placeholders, with examples; nothing when none is.

    Empty substitutes count only where the catalogue has substitutes at all.
    """
    with_substitutes = any(row.suplente for row in candidaturas)
    count = 0
    examples: list[str] = []
    for row in candidaturas:
        cells = [("propietaria", row.propietaria)]
        if with_substitutes:
            cells.append(("suplente", row.suplente))
        for which, name in cells:
            if is_placeholder(name):
                count += 1
                if len(examples) < MAX_EXAMPLES:
                    examples.append(f"{_place(row)}, {which}: «{name}»")
    if not count:
        return ()
    text = f"{count:,} nombre(s) por definir en el catálogo de candidaturas: {'; '.join(examples)}."
    return (Finding("CANDIDATURA_PENDIENTE", "avisa", "candidaturas", text),)


def review_catalogue(
    candidaturas: Sequence[Candidatura], table: ActaTable, unidades: Iterable[str]
) -> tuple[Finding, ...]:
    """Rows of the catalogue that do not join the contest of ``table`` (its units: ``unidades``), and placeholders.

    CANDIDATURA_SIN_UNIDAD: a district or municipality that no acta has. CANDIDATURA_SIN_COLUMNA: a party, combination
    or independent without a vote column. UNIDAD_SIN_CANDIDATURA: a unit of the table that the catalogue leaves out.
    """
    if not candidaturas:
        return ()
    units = {unit_key(unit) for unit in unidades}
    units = {unit for unit in units if "sin-" not in unit}
    entities = {unit_key(entidad) for entidad in table.entidades} if table.varias_entidades else set()
    keys = [catalogue_key(row, varias_entidades=table.varias_entidades) for row in candidaturas]
    named = {key for key in keys if key} - entities
    known = _Known(table.columns)
    return (
        *placeholders(candidaturas),
        *_finding(
            "CANDIDATURA_SIN_UNIDAD",
            f"fila(s) del catálogo de un {table.nivel} que no está en las actas",
            (_place(row) for row, key in zip(candidaturas, keys, strict=True) if key and key not in units | entities),
        ),
        *_finding(
            "CANDIDATURA_SIN_COLUMNA",
            "fila(s) del catálogo de un partido o una candidatura sin columna de votos",
            (_place(row) for row in candidaturas if not known.has(row.partido_ci)),
        ),
        *_finding(
            "UNIDAD_SIN_CANDIDATURA",
            f"{table.nivel}(s) con actas y sin candidaturas en el catálogo",
            sorted(units - named) if named else (),
        ),
    )


class _Known:
    """The vote columns, as a catalogue may name them."""

    def __init__(self, columns: Columns) -> None:
        self._parties = [c.columna for c in columns.contendientes if c.clase == "partido"]
        self._keys = {party_key(c.columna) for c in columns.contendientes}
        self._independent = {_independent(c.columna) for c in columns.contendientes if c.clase == "independiente"}

    def has(self, partido_ci: str) -> bool:
        """Whether its votes have a column: its own, or those of its parties."""
        name = fold(partido_ci)
        return (
            party_key(name) in self._keys
            or bool(members_of(partido_ci, self._parties))
            or _independent(name) in self._independent
        )


def _independent(name: str) -> str | None:
    match = _INDEPENDENT.fullmatch(fold(name))
    return None if match is None else f"{match['n']}{match['resto']}"


def _place(row: Candidatura) -> str:
    return f"{row.unidad} {row.partido_ci}".strip()


def _finding(codigo: str, what: str, places: Iterable[str]) -> tuple[Finding, ...]:
    found = list(places)
    if not found:
        return ()
    text = f"{len(found):,} {what}: {'; '.join(found[:MAX_EXAMPLES])}."
    return (Finding(codigo, "avisa", "candidaturas", text),)
