"""Totals of one contest: rows to the engine, SQL, then the levels built on its sums (``niveles``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.motor.duck import engine
from pregon.motor.sql import read_sql
from pregon.prep.inconsistencias import DEFINICIONES
from pregon.prep.model import ActaTable, Finding
from pregon.prep.pendientes import review_catalogue
from pregon.tablas.encabezado import compare, inconsistency_rule, participation_rule, recompute
from pregon.tablas.model import ContestTotals, Regla
from pregon.tablas.niveles import Builder
from pregon.tablas.renglones import Rows, schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.split import Tie

_MAX_TIES = 5


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
    rows = Rows(table)
    votes = tuple(f"v{i:03d}" for i in range(len(table.columnas_voto)))
    with engine() as motor:
        motor.load("actas", schema(votes), rows.lines())
        result = motor.run(read_sql("pregon.tablas.sql", "niveles.sql", voto=votes, definicion=tuple(DEFINICIONES)))
    entity = next(row for row in result if row["nivel"] == "total")
    if incluye_especiales is None:
        regla: Regla = participation_rule(table.encabezado, entity)
    else:
        regla = "con_especiales" if incluye_especiales else "sin_especiales"
    definicion = inconsistencias or inconsistency_rule(table.encabezado, entity)
    recalculado = recompute(entity, participacion=regla, inconsistencias=definicion)
    builder = Builder(table, rows, votes, regla, candidaturas, result)
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
            *review_catalogue(candidaturas, table, rows.actas),
        ),
        entidades=builder.entities(unidades),
        circunscripciones=builder.circunscripciones(unidades),
    )


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
