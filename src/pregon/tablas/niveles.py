"""The levels of one contest on the sums of the engine: units, secciones, entidades, circunscripciones, the whole.

The engine adds; the rules that need more than addition (who contests where, LGIPE 311.1.c) work on its sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from pregon.prep.circunscripciones import NOMBRES, circunscripcion_of
from pregon.prep.coaliciones import catalogue_combinations, group_columns, unit_key
from pregon.prep.columns import entity_wide
from pregon.prep.percent import trunc4
from pregon.prep.split import split_unit
from pregon.prep.text import clean_key, entity_id, fold, natural
from pregon.tablas.diccionarios import SIN_CIRCUNSCRIPCION
from pregon.tablas.fichas import vote_names
from pregon.tablas.model import ActaCounts, Regla, SectionTotals, SpecialTotals, UnitTotals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.model import ActaTable
    from pregon.prep.split import Tie


ESPECIALES = {
    "S": "Casillas especiales",
    "M": "Voto en el extranjero",
    "A": "Voto anticipado",
    "P": "Voto en prisión preventiva",
    "V": "Voto en prisión preventiva",  # federal 2021
    "U": "Urna electrónica",
}
_Level: TypeAlias = tuple[str, str]  # a level and the id of a place in it


@dataclass
class Builder:
    """Turns the engine's sums into values. ``units`` comes first: it fills ``ties`` and what the rest adds up."""

    table: ActaTable
    regla: Regla
    candidaturas: Sequence[Candidatura]
    result: Sequence[Mapping[str, Any]]
    primeras: Mapping[str, int]

    def __post_init__(self) -> None:
        self.votes = vote_names(self.table)
        self.columns = self.table.columnas_voto
        self.contenders = self.table.columns.contendientes
        self.parties = [c.columna for c in self.contenders if c.clase == "partido"]
        self.ties: list[tuple[str, Tie]] = []
        self._evident: set[str] = set()
        self._groups: dict[tuple[tuple[str, ...], ...], dict[str, str]] = {}
        self._place: dict[str, int] = {}  # of each candidatura, its first column
        self._whole = next(row for row in self.result if row["nivel"] == "total")
        self._special = self._special_rows()
        self._kinds: dict[str, set[str]] = {}
        for row in self.result:
            if row["nivel"] == "unidad_tipo":
                self._kinds.setdefault(row["id"], set()).add(row["tipo"])
        self._units = self._level("unidad")
        self._entity_of = self._entities_of_units()
        self._combos = self._who_contests()

    def units(self) -> tuple[UnitTotals, ...]:
        """Every unit, in the order of the ids. Fills ``ties``."""
        return tuple(self._unit(unit, row) for unit, row in self._units)

    def entity(self, unidades: Sequence[UnitTotals]) -> UnitTotals:
        """The whole file: the entity, or the nation where the file has several."""
        if self.table.varias_entidades:
            return self._sum("", "Nacional", self._whole, unidades, ("total", ""))
        return self._sum(*self._entity_name(), self._whole, unidades, ("total", ""))

    def entities(self, unidades: Sequence[UnitTotals]) -> tuple[UnitTotals, ...]:
        """Every entidad of a file of several; none in a local file."""
        place = self.table.columns.entidad_nombre
        return tuple(
            self._sum(
                entidad,
                "" if place is None else self._entity_named(entidad, place),
                row,
                [unit for unit in unidades if self._entity_of.get(unit.id) == entidad],
                ("entidad", entidad),
            )
            for entidad, row in self._level("entidad")
        )

    def circunscripciones(self, unidades: Sequence[UnitTotals]) -> tuple[UnitTotals, ...]:
        """Every circunscripción of a file of several entidades; none in a local file."""
        of = {unit: circunscripcion_of(entidad) or SIN_CIRCUNSCRIPCION for unit, entidad in self._entity_of.items()}
        return tuple(
            self._sum(
                "sin-circunscripcion" if number == SIN_CIRCUNSCRIPCION else number,
                "Sin circunscripción"
                if number == SIN_CIRCUNSCRIPCION
                else f"{NOMBRES[int(number) - 1]} circunscripción",
                row,
                [unit for unit in unidades if of.get(unit.id) == number],
                ("circunscripcion", number),
            )
            for number, row in self._level("circunscripcion")
        )

    def _unit(self, unit: str, row: Mapping[str, Any]) -> UnitTotals:
        votes = self._votes(row)
        combos: dict[tuple[str, ...], int] = {}
        for c in self.contenders:
            if c.clase == "coalicion" and c.miembros:
                combos[c.miembros] = combos.get(c.miembros, 0) + votes[c.columna]
        split = split_unit({party: votes[party] for party in self.parties}, combos)
        self.ties.extend((unit, tie) for tie in split.empates)
        partidos = {key: split.partidos.get(key, votes[key]) for key in self._party_keys()}
        keys = self._grouped(self._combos.get(unit, ()))
        candidaturas: dict[str, int] = {}
        for place, c in enumerate(self.contenders):
            n, key = votes[c.columna], keys[c.columna]
            # A combination that does not contest here has no votes, and so no place of its own.
            if n or key != c.columna or not c.miembros:
                candidaturas[key] = candidaturas.get(key, 0) + n
                self._place[key] = min(place, self._place.get(key, place))
        whole = self._totals(unit, self._name_of(unit), row, partidos, candidaturas, ("unidad", unit))
        return replace(whole, suma_a=keys)

    def _grouped(self, combos: tuple[tuple[str, ...], ...]) -> dict[str, str]:
        """The candidatura of each column where ``combos`` contest; most units share theirs."""
        if combos not in self._groups:
            self._groups[combos] = group_columns(self.contenders, combos)
        return self._groups[combos]

    def _sum(
        self, identity: str, name: str, row: Mapping[str, Any], unidades: Sequence[UnitTotals], level: _Level
    ) -> UnitTotals:
        """A level above the unit: sums of the engine; parties and candidaturas, sums of its units."""
        partidos = dict.fromkeys(self._party_keys(), 0)
        candidaturas: dict[str, int] = {}
        for unit in unidades:
            for key, n in unit.partidos.items():
                partidos[key] += n
            for key, n in unit.candidaturas.items():
                # A unit where nothing says who stands together adds no keys of its own, only its (zero) votes.
                if n or unit.id in self._evident or not self._evident:
                    candidaturas[key] = candidaturas.get(key, 0) + n
        ordered = sorted(candidaturas, key=self._place.__getitem__)
        return self._totals(identity, name, row, partidos, {key: candidaturas[key] for key in ordered}, level)

    def _totals(
        self,
        unit: str,
        name: str,
        row: Mapping[str, Any],
        partidos: dict[str, int],
        candidaturas: dict[str, int],
        level: _Level,
    ) -> UnitTotals:
        total, without = row["total_votos"], row["total_votos_s_cs"]
        turnout = total if self.regla == "con_especiales" else without
        return UnitTotals(
            id=unit,
            nombre=name,
            contendientes=self._votes(row),
            partidos=partidos,
            candidaturas=candidaturas,
            actas=_counts(row),
            lista_nominal=row["lista_nominal"],
            total_votos=total,
            total_votos_sin_especiales=without,
            participacion=trunc4(turnout, row["lista_nominal"]),
            con_cifra=frozenset(c for c, v in zip(self.columns, self.votes, strict=True) if row[f"{v}_n"]),
            especiales=self._special.get(level, ()),
        )

    def _special_rows(self) -> dict[_Level, tuple[SpecialTotals, ...]]:
        """The special votes of every level that has some, by level and code (-1: the whole)."""
        found: dict[_Level, list[SpecialTotals]] = {}
        for row in self.result:
            level, _, of_kind = row["nivel"].partition("_")
            kind = row["tipo"]
            if not of_kind or not kind:
                continue
            total = SpecialTotals(
                tipo=kind,
                nombre=ESPECIALES.get(kind, f"Casillas de tipo {kind}"),
                contendientes=self._votes(row),
                actas=_counts(row),
                lista_nominal=row["lista_nominal"],
                total_votos=row["total_votos"],
            )
            found.setdefault((level, row["id"]), []).append(total)
        return {key: tuple(sorted(totals, key=lambda t: t.tipo)) for key, totals in found.items()}

    def _level(self, level: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Id and sums of each place of a level, in the order of the ids."""
        found = [(row["id"], row) for row in self.result if row["nivel"] == level and row["id"]]
        return sorted(found, key=lambda item: natural(item[0]))

    def _entities_of_units(self) -> dict[str, str]:
        """The entidad of each unit, in a file of several."""
        place = self.table.columns.entidad_id
        if place is None or not self.table.varias_entidades:
            return {}
        rows = self.table.filas
        found = {unit: entity_id(rows[first][place]) for unit, first in self.primeras.items()}
        return {unit: entidad for unit, entidad in found.items() if entidad}

    def _entity_named(self, entidad: str, place: int) -> str:
        first = min(self.primeras[unit] for unit, of in self._entity_of.items() if of == entidad)
        return clean_key(self.table.filas[first][place])

    def _name_of(self, unit: str) -> str:
        """A unit's name; for actas of no district or municipality, the kind of vote they hold."""
        nivel = self.table.nivel
        if not unit.endswith(f"sin-{nivel}"):
            place = self.table.columns.unidad_nombre
            return "" if place is None else self.table.filas[self.primeras[unit]][place].strip().strip("'")
        kinds = self._kinds[unit]
        if not kinds <= set(ESPECIALES) - {"S"}:
            return f"Sin {nivel}"
        return " y ".join(sorted({ESPECIALES[kind] for kind in kinds}, key=list(ESPECIALES.values()).index))

    def _votes(self, row: Mapping[str, Any]) -> dict[str, int]:
        return {column: row[v] for column, v in zip(self.columns, self.votes, strict=True)}

    def _party_keys(self) -> list[str]:
        """Keys of ``partidos``: every column but the combinations that are split."""
        return [c.columna for c in self.contenders if not (c.clase == "coalicion" and c.miembros)]

    def _who_contests(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """The combinations that contest in each unit; also notes in which units something says so.

        The catalogue decides where it names the unit. Else the columns do: where the file leaves combinations without
        figures in some units (Puebla), a figure means contesting; where it writes zeros everywhere (Quintana Roo,
        Campeche), only votes do. A contest of the whole entity has the same coalitions in every unit.
        """
        several = self.table.varias_entidades
        catalogue = catalogue_combinations(self.candidaturas, self.parties, varias_entidades=several)
        together = [c for c in self.contenders if c.miembros]
        where = dict(zip(self.columns, self.votes, strict=True))
        counted = [row for _, row in self._units if row["contabilizadas"]]
        everywhere = entity_wide(self.table.titulo)
        selective = everywhere or any(not row[f"{where[c.columna]}_n"] for c in together for row in counted)
        suffix = "_n" if selective else ""
        by_state = several and not fold(self.table.titulo).startswith("PRESIDEN")  # senadurías: each state its own
        states = dict(self._level("entidad"))
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        for unit, row in self._units:
            state = self._entity_of.get(unit, "")
            combos = catalogue.get(unit_key(unit), catalogue.get(unit_key(state), catalogue.get("")))
            source = row if not everywhere else states[state] if by_state else self._whole
            if combos is None:
                combos = tuple(c.miembros for c in together if source[where[c.columna] + suffix])
                evident = source["capturadas"] > 0
            else:
                evident = True
            found[unit] = combos
            if evident:
                self._evident.add(unit)
        return found

    def _entity_name(self) -> tuple[str, str]:
        c = self.table.columns
        if not self.table.filas:
            return "", ""
        first = self.table.filas[0]
        identity, name = c.entidad_id, c.entidad_nombre
        return (
            "" if identity is None else clean_key(first[identity]),
            "" if name is None else clean_key(first[name]),
        )


def sections(table: ActaTable, rows: Sequence[tuple[str, str, str]]) -> tuple[SectionTotals, ...]:
    """Every sección of every unit, in the order of unit and sección, from the engine's sums (``Entendidas``)."""
    columns = table.columnas_voto
    found: list[SectionTotals] = []
    for unit, section, sums in rows:
        expected, captured, counted, lista, total, *votes = map(int, sums.split(","))
        actas = ActaCounts(expected, captured, counted)
        found.append(SectionTotals(section, unit, columns, tuple(votes), actas, lista, total))
    return tuple(sorted(found, key=lambda s: (natural(s.unidad), natural(s.id))))


def _counts(row: Mapping[str, Any]) -> ActaCounts:
    return ActaCounts(row["esperadas"], row["capturadas"], row["contabilizadas"])
