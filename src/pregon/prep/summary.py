"""The summary of a file: the 13 official fields, in whatever spelling, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.model import CAMPOS, Finding
from pregon.prep.percent import parse_percent
from pregon.prep.text import fold, parse_count

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPELLINGS = {
    "ACTAS_FUERA_DE_CATALOGO": "ACTAS_FUERA_CATALOGO",
    "PORCENTAJE_ACTAS_CON_INCONSISTENCIAS": "PORCENTAJE_ACTAS_INCONSISTENCIAS",
    "PORCENTAJE_PARTICIPACION": "PORCENTAJE_PARTICIPACION_CIUDADANA",
    "LISTA_NOMINAL_CONTABILIZADAS": "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
}


def official_name(name: str) -> str | None:
    """The official name of a summary field written in any known way, or None."""
    folded = fold(name).replace(" ", "_")
    folded = _SPELLINGS.get(folded, folded)
    return folded if folded in CAMPOS else None


def read_value(field: str, text: str) -> int | str | None:
    """The value of an official field: a count, or a percentage of four decimals; None when it is neither."""
    return parse_percent(text) if field.startswith("PORCENTAJE") else parse_count(text)


def read_summary(raw: Mapping[str, str]) -> tuple[dict[str, int | str | None], tuple[Finding, ...]]:
    """The 13 fields of ``raw`` (name as written -> text as written) as values, and what could not be understood.

    Counts are int; percentages, text of four decimals; a field absent, empty or not understood is None. The last is
    also a finding.
    """
    values: dict[str, int | str | None] = dict.fromkeys(CAMPOS)
    findings: list[Finding] = []
    for name, text in raw.items():
        field = official_name(name)
        if field is None:
            findings.append(
                Finding(
                    "ENCABEZADO_DESCONOCIDO", "informa", f"encabezado.{name}", f"Campo de resumen desconocido: {name}."
                )
            )
            continue
        value = read_value(field, text)
        values[field] = value
        if value is None and text.strip().strip("'"):
            findings.append(
                Finding(
                    "ENCABEZADO_ILEGIBLE",
                    "avisa",
                    f"encabezado.{field}",
                    f"{field} dice «{text}», que no es una cifra.",
                )
            )
    return values, tuple(findings)
