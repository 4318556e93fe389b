"""What a cell may hold, and the level of a contest's units."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

Nivel: TypeAlias = Literal["distrito", "municipio"]


class Marker(StrEnum):
    """What a cell says instead of a number. Each counts as zero votes; none is a zero."""

    ILEGIBLE = "ilegible"
    SIN_DATO = "sin_dato"
    SIN_ACTA = "sin_acta"
    NO_CONTIENDE = "no_contiende"  # «-»: not contending; also pending and, in some files, without acta
    NO_APLICA = "no_aplica"
    VACIO = "vacio"
    DESCONOCIDO = "desconocido"  # any other text: a finding that blocks


Cell: TypeAlias = int | Marker
