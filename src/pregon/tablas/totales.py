"""Totals of one contest: rows to the engine, SQL, then split and candidaturas on the sums of each unit.

The engine adds; the rules that need more than addition (who contests where, LGIPE 311.1.c) work on its sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.motor.duck import engine
from pregon.motor.sql import read_sql
from pregon.prep.coaliciones import catalogue_combinations, group_columns, unit_key
from pregon.prep.columns import entity_wide
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.model import Acta, ActaTable, Finding
from pregon.prep.percent import trunc4
from pregon.prep.revisa import RowFindings
from pregon.prep.rows import actas, counted_value
from pregon.prep.split import split_unit
from pregon.prep.text import clean_key, natural
from pregon.tablas.encabezado import compare, inconsistency_rule, participation_rule, recompute
from pregon.tablas.model import ActaCounts, ContestTotals, Regla, SectionTotals, UnitTotals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pregon.motor.duck import Tipo
    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.split import Tie

_MAX_TIES = 5
_SPECIAL_NAMES = {"M": "Voto en el extranjero", "A": "Voto anticipado", "P": "Voto en prisión preventiva"}


def totals(
    table: ActaTable,
    *,
    eleccion: str = "",
    candidaturas: Sequence[Candidatura] = (),
    incluye_especiales: bool | None = None,
    inconsistencias: str | None = None,
) -> ContestTotals:
    """Totals of ``table`` at every level, the 13 official fields from its rows, and all its findings.

    ``incluye_especiales``: whether turnout takes casillas especiales; None reads it in the header.
    ``inconsistencias``: a name of ``DEFINICIONES``; None takes the one that reproduces the header, else the first.
    CONTABILIZADA is taken as given, and published figures are never replaced: both stand side by side.

    Raises:
        ValueError: an unknown definition of inconsistencias.
        ComprobacionError: the engine failed.
    """
    if inconsistencias is not None and inconsistencias not in DEFINICIONES:
        raise ValueError(f"unknown definition of inconsistencias: {inconsistencias}")
    rows = _Rows(table)
    votes = tuple(f"v{i:03d}" for i in range(len(table.columnas_voto)))
    with engine() as motor:
        motor.load("actas", _schema(votes), rows.lines())
        result = motor.run(read_sql("pregon.tablas.sql", "niveles.sql", voto=votes, definicion=tuple(DEFINICIONES)))
    entity = next(row for row in result if row["nivel"] == "entidad")
    if incluye_especiales is None:
        regla = participation_rule(table.encabezado, entity)
    else:
        regla = "con_especiales" if incluye_especiales else "sin_especiales"
    definicion = inconsistencias or inconsistency_rule(table.encabezado, entity)
    recalculado = recompute(entity, participacion=regla, inconsistencias=definicion)
    builder = _Builder(table, rows, votes, regla, candidaturas, result)
    unidades = builder.units()
    return ContestTotals(
        eleccion=eleccion,
        titulo=table.titulo,
        hora_corte=table.hora_corte,
        dialecto=table.dialecto.descripcion,
        encabezado=table.encabezado,
        encabezado_crudo=table.encabezado_crudo,
        recalculado=recalculado,
        regla_participacion=regla,
        regla_inconsistencias=definicion,
        nivel=table.nivel,
        entidad=builder.entity(unidades),
        unidades=unidades,
        secciones=builder.sections(),
        casillas=tuple(rows.actas),
        hallazgos=(
            *compare(table.encabezado, recalculado),
            *table.hallazgos,
            *rows.findings.findings(),
            *_tie_findings(builder.ties, table.nivel),
        ),
    )


def _schema(votes: Sequence[str]) -> dict[str, Tipo]:
    schema: dict[str, Tipo] = {"unidad": "bigint", "seccion": "bigint", "estado": "varchar"}
    for name in ("especial", "lista_nominal", "calculado", "suma", *(f"inc_{d}" for d in DEFINICIONES), *votes):
        schema[name] = "bigint"
    return schema


class _Rows:
    """One pass over the table: the actas, their lines for the engine, the codes of units and secciones, findings."""

    def __init__(self, table: ActaTable) -> None:
        self.actas: list[Acta] = []
        self.findings = RowFindings()
        self.units: dict[str, int] = {}
        self.sections: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.kinds: dict[str, set[str]] = {}
        self._table = table

    def lines(self) -> Iterator[str]:
        """The rows of the engine's table ``actas``, in the order of ``_schema``."""
        texts: dict[str, str] = {}
        for acta in actas(self._table):
            self.actas.append(acta)
            self.findings.add(acta)
            met = texts.get(acta.observaciones)
            if met is None:
                met = ",".join(str(int(flag)) for flag in definitions_met(acta.observaciones))
                texts[acta.observaciones] = met
            votes = ",".join([str(v) if type(v) is int else "" for v in acta.votos])
            yield (
                f"{self._unit(acta)},{self.sections.setdefault(acta.seccion, len(self.sections))},{acta.estado.value},"
                f"{int(acta.especial)},{counted_value(acta.lista_nominal)},{counted_value(acta.calculado)},"
                f"{acta.suma},{met},{votes}"
            )

    def _unit(self, acta: Acta) -> int:
        if not acta.unidad:
            return -1
        code = self.units.get(acta.unidad)
        if code is None:
            code = self.units[acta.unidad] = len(self.units)
            self.names[acta.unidad] = acta.unidad_nombre
        if acta.unidad.startswith("sin-"):
            self.kinds.setdefault(acta.unidad, set()).add(acta.tipo)
        return code

    def name_of(self, unidad: str, nivel: str) -> str:
        """A unit's name; for actas of no district or municipality, the kind of vote they hold."""
        kinds = self.kinds.get(unidad)
        if kinds is None:
            return self.names[unidad]
        names = [_SPECIAL_NAMES[kind] for kind in sorted(kinds) if kind in _SPECIAL_NAMES]
        if len(names) != len(kinds):
            return f"Sin {nivel}"
        return " y ".join(names)


@dataclass
class _Builder:
    """Turns the engine's rows into values."""

    table: ActaTable
    rows: _Rows
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
        by_code = {code: unit for unit, code in self.rows.units.items()}
        found = [r for r in self.result if r["nivel"] == "unidad" and r["unidad"] >= 0]
        self._units = sorted(((by_code[r["unidad"]], r) for r in found), key=lambda pair: natural(pair[0]))
        self._by_code = by_code
        self._combos = self._who_contests()

    def units(self) -> tuple[UnitTotals, ...]:
        """Every unit, in the order of the ids. Fills ``ties``."""
        return tuple(self._unit(unit, row) for unit, row in self._units)

    def entity(self, unidades: Sequence[UnitTotals]) -> UnitTotals:
        """The entity: sums of the engine; parties and candidaturas, sums of the units."""
        row = next(r for r in self.result if r["nivel"] == "entidad")
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
        entity_id, name = self._entity_name()
        return self._totals(entity_id, name, row, partidos, {key: candidaturas[key] for key in ordered})

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
        return self._totals(unit, self.rows.name_of(unit, self.table.nivel), row, partidos, candidaturas)

    def _totals(
        self,
        unit: str,
        name: str,
        row: Mapping[str, Any],
        partidos: dict[str, int],
        candidaturas: dict[str, int],
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
        )

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
        catalogue = catalogue_combinations(self.candidaturas, self.parties)
        together = [c for c in self.contenders if c.miembros]
        where = dict(zip(self.columns, self.votes, strict=True))
        counted = [row for _, row in self._units if row["contabilizadas"]]
        everywhere = entity_wide(self.table.titulo)
        selective = everywhere or any(not row[f"{where[c.columna]}_n"] for c in together for row in counted)
        suffix = "_n" if selective else ""
        entity = next(r for r in self.result if r["nivel"] == "entidad")
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        for unit, row in self._units:
            combos = catalogue.get(unit_key(unit), catalogue.get(""))
            source = entity if everywhere else row
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


def _tie_findings(ties: Sequence[tuple[str, Tie]], nivel: str) -> tuple[Finding, ...]:
    if not ties:
        return ()
    shown = "; ".join(
        f"{nivel} {unit}, {'-'.join(tie.combinacion)}: {tie.sobrantes} voto(s) entre {' y '.join(tie.miembros)}"
        for unit, tie in ties[:_MAX_TIES]
    )
    text = (
        f"{len(ties):,} reparto(s) con empate en votos propios, que la ley no resuelve; "
        f"se usó el orden de las columnas: {shown}."
    )
    return (Finding("EMPATE_REPARTO", "informa", f"{nivel} {ties[0][0]}", text),)
