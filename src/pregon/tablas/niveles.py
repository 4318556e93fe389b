"""The levels of one contest on the sums of the engine: units, secciones, entidades, circunscripciones, the whole.

The engine adds; the rules that need more than addition (who contests where, LGIPE 311.1.c) work on its sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pregon.prep.circunscripciones import NOMBRES, circunscripcion_of
from pregon.prep.coaliciones import catalogue_combinations, group_columns, unit_key
from pregon.prep.columns import entity_wide
from pregon.prep.percent import trunc4
from pregon.prep.split import split_unit
from pregon.prep.text import clean_key, entity_id, fold, natural
from pregon.tablas.model import ActaCounts, Regla, SectionTotals, SpecialTotals, UnitTotals
from pregon.tablas.renglones import ESPECIALES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.model import ActaTable
    from pregon.prep.split import Tie
    from pregon.tablas.renglones import Rows


_Level: TypeAlias = tuple[str, int]  # a level and the code of a place in it
_WHOLE = -1


@dataclass
class Builder:
    """Turns the engine's rows into values. ``units`` comes first: it fills ``ties`` and what the rest adds up."""

    table: ActaTable
    rows: Rows
    votes: tuple[str, ...]
    regla: Regla
    candidaturas: Sequence[Candidatura]
    result: list[dict[str, Any]]

    def __post_init__(self) -> None:
        self.columns = self.table.columnas_voto
        self.contenders = self.table.columns.contendientes
        self.parties = [c.columna for c in self.contenders if c.clase == "partido"]
        self.ties: list[tuple[str, Tie]] = []
        self._evident: set[str] = set()
        self._place: dict[str, int] = {}  # of each candidatura, its first column
        self._whole = next(row for row in self.result if row["nivel"] == "total")
        self._by_code = self.rows.units.texts()
        self._special = self._special_rows()
        found = [r for r in self.result if r["nivel"] == "unidad" and r["unidad"] >= 0]
        self._units = sorted(((self._by_code[r["unidad"]], r) for r in found), key=lambda pair: natural(pair[0]))
        self._combos = self._who_contests()

    def units(self) -> tuple[UnitTotals, ...]:
        """Every unit, in the order of the ids. Fills ``ties``."""
        return tuple(self._unit(unit, row) for unit, row in self._units)

    def entity(self, unidades: Sequence[UnitTotals]) -> UnitTotals:
        """The whole file: the entity, or the nation where the file has several."""
        if self.table.varias_entidades:
            return self._sum("", "Nacional", self._whole, unidades, ("total", _WHOLE))
        return self._sum(*self._entity_name(), self._whole, unidades, ("total", _WHOLE))

    def entities(self, unidades: Sequence[UnitTotals]) -> tuple[UnitTotals, ...]:
        """Every entidad of a file of several; none in a local file."""
        c, of = self.table.columns, self.rows.entity_of
        names: dict[str, str] = {}
        if c.entidad_id is not None and c.entidad_nombre is not None:
            for row in self.table.filas:
                names.setdefault(entity_id(row[c.entidad_id]), clean_key(row[c.entidad_nombre]))
        return tuple(
            self._sum(
                entidad,
                names.get(entidad, ""),
                row,
                [unit for unit in unidades if of.get(unit.id) == entidad],
                ("entidad", code),
            )
            for entidad, code, row in self._level("entidad", self.rows.entities)
        )

    def circunscripciones(self, unidades: Sequence[UnitTotals]) -> tuple[UnitTotals, ...]:
        """Every circunscripción of a file of several entidades; none in a local file."""
        of = {unit: circunscripcion_of(entidad) for unit, entidad in self.rows.entity_of.items()}
        return tuple(
            self._sum(
                number or "sin-circunscripcion",
                f"{NOMBRES[int(number) - 1]} circunscripción" if number else "Sin circunscripción",
                row,
                [u for u in unidades if of.get(u.id) == number],
                ("circunscripcion", code),
            )
            for number, code, row in self._level("circunscripcion", self.rows.circunscripciones)
        )

    def sections(self) -> tuple[SectionTotals, ...]:
        """Every sección of every unit, in the order of unit and sección."""
        names = {code: section for section, code in self.rows.sections.items()}
        found = [
            SectionTotals(
                id=names[row["seccion"]],
                unidad=self._by_code[row["unidad"]],
                columnas=self.columns,
                votos=tuple(row[v] for v in self.votes),
                actas=_counts(row),
                lista_nominal=row["lista_nominal"],
                total_votos=row["total_votos"],
            )
            for row in self.result
            if row["nivel"] == "seccion" and row["unidad"] >= 0 and row["esperadas"]
        ]
        return tuple(sorted(found, key=lambda s: (natural(s.unidad), natural(s.id))))

    def _unit(self, unit: str, row: Mapping[str, Any]) -> UnitTotals:
        votes = self._votes(row)
        combos: dict[tuple[str, ...], int] = {}
        for c in self.contenders:
            if c.clase == "coalicion" and c.miembros:
                combos[c.miembros] = combos.get(c.miembros, 0) + votes[c.columna]
        split = split_unit({party: votes[party] for party in self.parties}, combos)
        self.ties.extend((unit, tie) for tie in split.empates)
        partidos = {key: split.partidos.get(key, votes[key]) for key in self._party_keys()}
        keys = group_columns(self.contenders, self._combos.get(unit, ()))
        candidaturas: dict[str, int] = {}
        for place, c in enumerate(self.contenders):
            n, key = votes[c.columna], keys[c.columna]
            # A combination that does not contest here has no votes, and so no place of its own.
            if n or key != c.columna or not c.miembros:
                candidaturas[key] = candidaturas.get(key, 0) + n
                self._place[key] = min(place, self._place.get(key, place))
        name = self.rows.name_of(unit, self.table.nivel)
        return self._totals(unit, name, row, partidos, candidaturas, ("unidad", row["unidad"]))

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
        kinds = self.rows.kinds.texts()
        found: dict[_Level, list[SpecialTotals]] = {}
        for row in self.result:
            level, _, of_kind = row["nivel"].partition("_")
            if not of_kind or not row["tipo"]:
                continue
            kind = kinds[row["tipo"]]
            total = SpecialTotals(
                tipo=kind,
                nombre=ESPECIALES.get(kind, f"Casillas de tipo {kind}"),
                contendientes=self._votes(row),
                actas=_counts(row),
                lista_nominal=row["lista_nominal"],
                total_votos=row["total_votos"],
            )
            found.setdefault((level, _WHOLE if level == "total" else row[level]), []).append(total)
        return {key: tuple(sorted(totals, key=lambda t: t.tipo)) for key, totals in found.items()}

    def _level(self, level: str, codes: Mapping[str, int]) -> list[tuple[str, int, dict[str, Any]]]:
        """Id, code and sums of each place of a level above the unit, in the order of the ids."""
        if not self.table.varias_entidades:
            return []
        rows = {row[level]: row for row in self.result if row["nivel"] == level}
        found = [(identity, code, rows[code]) for identity, code in codes.items()]
        return sorted(found, key=lambda item: natural(item[0]))

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
        states = {entidad: row for entidad, _, row in self._level("entidad", self.rows.entities)}
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        for unit, row in self._units:
            state = self.rows.entity_of.get(unit, "")
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


def _counts(row: Mapping[str, Any]) -> ActaCounts:
    return ActaCounts(row["esperadas"], row["capturadas"], row["contabilizadas"])
