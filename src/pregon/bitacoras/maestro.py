"""Where Spark is; no engine here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Maestro:
    """``maestro``: ``local[2]``, ``spark://host:7077``…; the others as ``motor.spark.engine`` says."""

    maestro: str
    trabajo: str | None = None
    opciones: Mapping[str, str] = field(default_factory=dict)
