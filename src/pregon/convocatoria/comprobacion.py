"""One check before the night: a stable code, the clause that asks for it, what was measured, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from pregon.convocatoria.clausulas import clausulas_de, con_clausulas

Estado = Literal["bien", "aviso", "falla"]
GRAVEDAD: tuple[Estado, ...] = ("bien", "aviso", "falla")
"""From best to worst."""


@dataclass(frozen=True)
class Comprobacion:
    """One check: stable code, clause of the call where one asks for it, both figures, and what to do.

    ``medida``: False where nobody measured it this time, or not well enough to tell; an earlier measure stands.
    """

    codigo: str
    clausula: str | None
    que: str
    medido: str
    minimo: str
    estado: Estado
    arreglo: str | None = None
    medida: bool = True

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {key: value for key, value in asdict(self).items() if key != "medida"}


def clausula_de(convocatoria: str, codigo: str) -> str | None:
    """The first clause of a call that a check answers; None where no clause asks for it."""
    if convocatoria not in con_clausulas():
        return None
    return next(
        (
            one.id
            for one in clausulas_de(convocatoria)
            if any(way.modo == "revision" and way.dato == codigo for way in one.como)
        ),
        None,
    )


def peor(found: list[Comprobacion]) -> Estado:
    """The worst state of several; «bien» of none."""
    return max((one.estado for one in found), key=GRAVEDAD.index, default="bien")
