"""Which vote columns belong to one candidatura in a unit.

A coalition's parties and all their combinations are one candidatura there; a party that stands alone is its own. The
catalogue of candidates says it when there is one; else the combinations that hold a figure in the unit say it. Parties
joined by a chain of combinations are one coalition (the maximal one names it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.columns import members_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.columns import Contender


def unit_key(unidad: str) -> str:
    """A unit id comparable between files: ``001``, ``1`` and ``01`` are one; so are ``09-012`` and ``9-12``."""
    return "-".join(str(int(part)) if part.isascii() and part.isdecimal() else part for part in unidad.split("-"))


def catalogue_key(row: Candidatura, *, varias_entidades: bool) -> str:
    """The ``unit_key`` that a row of the catalogue has in the table; empty for the whole entity.

    In a file of several entidades a row without unit is of its whole entidad (senadurías): ``9``.
    """
    if varias_entidades and row.entidad:
        return unit_key(f"{row.entidad}-{row.unidad}" if row.unidad else row.entidad)
    return unit_key(row.unidad)


def catalogue_combinations(
    candidaturas: Sequence[Candidatura], parties: Collection[str], *, varias_entidades: bool = False
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By ``unit_key``, the combinations that the catalogue names, as party columns of the file.

    Units of the catalogue without combinations are present with an empty tuple: there every party stands alone.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in candidaturas:
        combos = found.setdefault(catalogue_key(row, varias_entidades=varias_entidades), [])
        columns = members_of(row.partido_ci, parties)
        if len(columns) > 1 and columns not in combos:
            combos.append(columns)
    return {unit: tuple(combos) for unit, combos in found.items()}


def group_columns(contenders: Sequence[Contender], combos: Iterable[Sequence[str]]) -> dict[str, str]:
    """For each vote column, the key of the candidatura that it adds to in a unit where ``combos`` contest.

    The key of a coalition is the column that names all its parties, when the file has it, else ``C_`` and the
    parties. A combination that does not contest here keeps its own key, so that no vote is ever lost.
    """
    parties = [c.columna for c in contenders if c.clase == "partido"]
    group = _joined(parties, combos)
    key_of = {party: _name(members, contenders) for party, members in group.items()}
    keys: dict[str, str] = {}
    for c in contenders:
        if c.clase == "partido":
            keys[c.columna] = key_of[c.columna]
        elif c.miembros and len({group[m] for m in c.miembros}) == 1 and len(group[c.miembros[0]]) > 1:
            keys[c.columna] = key_of[c.miembros[0]]
        else:
            keys[c.columna] = c.columna
    return keys


def _joined(parties: Sequence[str], combos: Iterable[Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """Each party with the parties that combinations join to it, itself included, in the order of the columns."""
    order = {party: i for i, party in enumerate(parties)}
    group: dict[str, set[str]] = {party: {party} for party in parties}
    for combo in combos:
        merged: set[str] = set()
        for party in combo:
            merged |= group[party]
        for party in merged:
            group[party] = merged
    return {party: tuple(sorted(members, key=order.__getitem__)) for party, members in group.items()}


def _name(members: tuple[str, ...], contenders: Sequence[Contender]) -> str:
    if len(members) == 1:
        return members[0]
    wanted = set(members)
    return next((c.columna for c in contenders if set(c.miembros) == wanted), "C_" + "_".join(members))
