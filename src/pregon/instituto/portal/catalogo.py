"""Who the candidates are: the published catalogue, asked by unit and by the parties that present a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.prep.coaliciones import catalogue_key, unit_key
from pregon.prep.columns import party_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pregon.prep.candidaturas import Candidatura

_INDEPENDIENTE = re.compile(r"(?:CAND_?IND|CI)[_ -]?0*(?P<cual>\w+)")


class Catalogo:
    """The candidaturas of one contest, looked up by unit and set of parties.

    An empty catalogue is normal (a call may not publish one): then nobody has a name and every column contends.
    """

    def __init__(
        self, candidaturas: Sequence[Candidatura], *, unico_cargo: bool, varias_entidades: bool = False
    ) -> None:
        self._unico_cargo = unico_cargo
        self._varias_entidades = varias_entidades
        self._people: dict[tuple[str, frozenset[str]], Candidatura] = {}
        self._units: set[str] = set()
        for entry in candidaturas:
            unit = "" if unico_cargo else catalogue_key(entry, varias_entidades=varias_entidades)
            self._units.add(unit)
            self._people.setdefault((unit, _normal(entry.miembros)), entry)

    def find(self, unit: str | None, parties: Iterable[str]) -> Candidatura | None:
        """The person presented in ``unit`` (None: the entity) by exactly ``parties``, or by each of them alike."""
        if unit is None and not self._unico_cargo:
            return None
        place = self._place(unit or "")
        wanted = _normal(parties)
        exact = self._people.get((place, wanted))
        if exact is not None:
            return exact
        alone = [self._people.get((place, frozenset({party}))) for party in sorted(wanted)]
        names = {person.propietaria for person in alone if person is not None}
        return alone[0] if len(names) == 1 and all(alone) else None

    def contends(self, unit: str | None, parties: Iterable[str]) -> bool:
        """Whether a line without votes belongs in the table: the catalogue lists it, or lists nobody there."""
        if unit is None and not self._unico_cargo:
            return True
        return self._place(unit or "") not in self._units or self.find(unit, parties) is not None

    def _place(self, unit: str) -> str:
        """The unit, or the entidad that it is in where the catalogue knows that one alone (senadurías)."""
        if self._unico_cargo:
            return ""
        place = unit_key(unit.strip())
        entity = place.partition("-")[0]
        return entity if self._varias_entidades and place not in self._units and entity in self._units else place


def _normal(parties: Iterable[str]) -> frozenset[str]:
    names: set[str] = set()
    for party in parties:
        independent = _INDEPENDIENTE.fullmatch(party.strip().upper())
        names.add(f"IND {independent['cual']}" if independent else party_key(party))
    return frozenset(names)
