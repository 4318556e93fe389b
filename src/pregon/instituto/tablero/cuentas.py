"""Who may look at the board, and who may act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pregon.web.cuentas import Cuentas

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace
    from pregon.web.claves import Costo

OBSERVADOR: Final = "observador"
OPERADOR: Final = "operador"
TITULAR: Final = "titular"
PAPELES: Final = (OBSERVADOR, OPERADOR, TITULAR)
"""Each may do what those before it may."""
ARCHIVO: Final = "tablero.json"


def papeles_hasta(papel: str) -> tuple[str, ...]:
    """The roles of an account of that one: its own, and those before it."""
    return PAPELES[: PAPELES.index(papel) + 1]


def cuentas_de(workspace: Workspace, costo: Costo | None = None) -> Cuentas:
    """The board's accounts, kept with the workspace's keys (0700)."""
    return Cuentas(workspace.llaves / ARCHIVO, costo=costo)
