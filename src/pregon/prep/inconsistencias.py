"""What counts as «acta con inconsistencias»: there is no single definition, so each has a name (real-data.md §4)."""

from __future__ import annotations

from pregon.prep.text import fold

_BLANK = frozenset({"", "-", "--", "N/A", "[]"})

# Name -> what it counts. The first is the default: the LEEME's own words and most institutes.
DEFINICIONES: dict[str, str] = {
    "amplia": "ilegible o sin dato, excede lista nominal, y todos los campos ilegibles o sin dato",
    "estricta": "excede lista nominal, y todos los campos ilegibles o sin dato",
    "excede": "sólo excede lista nominal",  # Puebla, simulacro del 12 de mayo de 2024: sus tres encabezados
    "todas": "cualquier observación, también sin acta",
}


def definitions_met(observaciones: str) -> tuple[bool, ...]:
    """Which of ``DEFINICIONES``, in their order, the OBSERVACIONES of an acta within the catalogue meets."""
    text = fold(observaciones).strip("'[] ")
    unreadable = "ILEGIBLE" in text or "SIN DATO" in text or "VACI" in text
    exceeds = "EXCEDE" in text
    strict = exceeds or (unreadable and "TODOS" in text)
    return (strict or unreadable, strict, exceeds, text not in _BLANK)
