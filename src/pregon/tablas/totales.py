"""Totals of one contest: what the engine sums (``fichas``), then the levels built on it (``niveles``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.inconsistencias import DEFINICIONES
from pregon.prep.model import ActaTable, Finding
from pregon.prep.pendientes import review_catalogue
from pregon.prep.revisa import RowFindings
from pregon.prep.rows import actas
from pregon.tablas.encabezado import compare, inconsistency_rule, participation_rule, recompute
from pregon.tablas.fichas import Entendidas, understand
from pregon.tablas.model import ContestTotals, Regla
from pregon.tablas.niveles import Builder, sections
from pregon.tablas.sumas import understand_sums

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
    detalle: bool = True,
    entendidas: Entendidas | None = None,
) -> ContestTotals:
    """Totals of ``table`` at every level, the 13 official fields from its rows, and all its findings.

    ``incluye_especiales``: whether turnout takes casillas especiales; None reads it in the header.
    ``inconsistencias``: a name of ``DEFINICIONES``; None takes the one that reproduces the header, else the first.
    ``detalle``: with False, ``secciones`` and ``casillas`` stay empty. ``entendidas``: what the engine makes of the
    table, when it is known already. CONTABILIZADA is taken as given, and published figures are never replaced: both
    stand side by side.

    Raises:
        ValueError: an unknown definition of inconsistencias.
        ComprobacionError: the engine failed.
    """
    if inconsistencias is not None and inconsistencias not in DEFINICIONES:
        raise ValueError(f"unknown definition of inconsistencias: {inconsistencias}")
    if entendidas is None:
        entendidas = (None if detalle else understand_sums(table)) or understand(table)
    entity = next(row for row in entendidas.niveles if row["nivel"] == "total")
    if incluye_especiales is None:
        regla: Regla = participation_rule(table.encabezado, entity)
    else:
        regla = "con_especiales" if incluye_especiales else "sin_especiales"
    definicion = inconsistencias or inconsistency_rule(table.encabezado, entity)
    recalculado = recompute(entity, participacion=regla, inconsistencias=definicion)
    builder = Builder(table, regla, candidaturas, entendidas.niveles, entendidas.primeras)
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
        secciones=sections(table, entendidas.secciones) if detalle else (),
        casillas=tuple(actas(table)) if detalle else (),
        hallazgos=(
            *compare(table.encabezado, recalculado),
            *table.hallazgos,
            *_row_findings(table, entendidas),
            *_tie_findings(builder.ties, table.nivel),
            *review_catalogue(candidaturas, table, _expected_units(entendidas)),
        ),
        entidades=builder.entities(unidades),
        circunscripciones=builder.circunscripciones(unidades),
    )


def _expected_units(entendidas: Entendidas) -> list[str]:
    """Units with actas of the catalogue: one that only has actas outside it is no unit of the contest."""
    return [row["id"] for row in entendidas.niveles if row["nivel"] == "unidad" and row["id"] and row["esperadas"]]


def _row_findings(table: ActaTable, entendidas: Entendidas) -> tuple[Finding, ...]:
    found = RowFindings()
    for place, shown in sorted(entendidas.faltas.items()):
        for code, detail in shown.faltas:
            found.note(code, detail, linea=table.lineas[place], nombre=shown.nombre)
    for keys, count in ((entendidas.repetidas.claves, found.keys), (entendidas.repetidas.shas, found.images)):
        count(key for key, times in keys for _ in range(times))
    return found.findings()


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
