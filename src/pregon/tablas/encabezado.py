"""The 13 official fields from the rows, and where the source's own header says otherwise (prep.md §2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.prep.inconsistencias import DEFINICIONES
from pregon.prep.model import CAMPOS, Finding
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.tablas.model import Regla

_INC = "PORCENTAJE_ACTAS_INCONSISTENCIAS"
_PART = "PORCENTAJE_PARTICIPACION_CIUDADANA"
_LN = "LISTA_NOMINAL_ACTAS_CONTABILIZADAS"


def participation_rule(encabezado: Mapping[str, int | str | None], row: Mapping[str, Any]) -> Regla:
    """Whether the header's turnout takes casillas especiales: read in its own figures, else against the rows.

    Without a turnout, or where both rules give it, the answer is «sin_especiales»: only the last cut of a night
    includes them (real-data.md §2, rule 2).
    """
    stated = encabezado.get(_PART)
    for lista, con, sin in (
        (encabezado.get(_LN), encabezado.get("TOTAL_VOTOS_C_CS"), encabezado.get("TOTAL_VOTOS_S_CS")),
        (row["lista_nominal"], row["calculado_c_cs"], row["calculado_s_cs"]),
    ):
        if isinstance(lista, int) and isinstance(con, int) and isinstance(sin, int):
            if stated == trunc4(sin, lista):
                return "sin_especiales"
            if stated == trunc4(con, lista):
                return "con_especiales"
    return "sin_especiales"


def inconsistency_rule(encabezado: Mapping[str, int | str | None], row: Mapping[str, Any]) -> str:
    """The definition that gives the header's own percentage; the default one when none does.

    Over the header's own ACTAS_ESPERADAS where it has one: a header that expects actas absent from the rows (Campeche,
    real-data.md §4) still tells how it counts.
    """
    stated = encabezado.get(_INC)
    expected = encabezado.get("ACTAS_ESPERADAS")
    for denominator in (expected if isinstance(expected, int) else row["esperadas"], row["esperadas"]):
        for name in DEFINICIONES:
            if stated == trunc4(row[f"inc_{name}"], denominator):
                return name
    return next(iter(DEFINICIONES))


def recompute(row: Mapping[str, Any], *, participacion: Regla, inconsistencias: str) -> dict[str, int | str]:
    """The 13 fields from ``row``, the totals of the entity."""
    esperadas, lista = row["esperadas"], row["lista_nominal"]
    votes = row["calculado_c_cs"] if participacion == "con_especiales" else row["calculado_s_cs"]
    return {
        "ACTAS_ESPERADAS": esperadas,
        "ACTAS_REGISTRADAS": row["capturadas"] + row["fuera_catalogo"],
        "ACTAS_FUERA_CATALOGO": row["fuera_catalogo"],
        "ACTAS_CAPTURADAS": row["capturadas"],
        "PORCENTAJE_ACTAS_CAPTURADAS": trunc4(row["capturadas"], esperadas),
        "ACTAS_CONTABILIZADAS": row["contabilizadas"],
        "PORCENTAJE_ACTAS_CONTABILIZADAS": trunc4(row["contabilizadas"], esperadas),
        _INC: trunc4(row[f"inc_{inconsistencias}"], esperadas),
        "ACTAS_NO_CONTABILIZADAS": row["no_contabilizadas"],
        _LN: lista,
        "TOTAL_VOTOS_C_CS": row["calculado_c_cs"],
        "TOTAL_VOTOS_S_CS": row["calculado_s_cs"],
        _PART: trunc4(votes, lista),
    }


def compare(encabezado: Mapping[str, int | str | None], recalculado: Mapping[str, int | str]) -> tuple[Finding, ...]:
    """One finding per field where the header and its rows differ, naming both values.

    ENCABEZADO_ORIGEN: the header has another value. ENCABEZADO_SIN_VALOR: it has none.
    """
    found: list[Finding] = []
    for field in CAMPOS:
        stated, computed = encabezado.get(field), recalculado[field]
        if stated is None:
            text = f"{field}: el encabezado no trae valor; los renglones dan {_shown(computed)}."
            found.append(Finding("ENCABEZADO_SIN_VALOR", "informa", f"encabezado.{field}", text))
        elif stated != computed:
            text = f"{field}: el encabezado dice {_shown(stated)} y los renglones dan {_shown(computed)}."
            found.append(Finding("ENCABEZADO_ORIGEN", "avisa", f"encabezado.{field}", text))
    return tuple(found)


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value} %"
