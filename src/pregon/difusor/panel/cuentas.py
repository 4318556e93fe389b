"""Who may look at the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.web.cuentas import Cuentas

if TYPE_CHECKING:
    from pregon.difusor.workspace import Workspace
    from pregon.web.claves import Costo

MIRA = "mira"
"""The one role: to look."""
ARCHIVO = "panel.json"


def cuentas_de(workspace: Workspace, costo: Costo | None = None) -> Cuentas:
    """The panel's accounts, kept with the workspace's keys (0700)."""
    return Cuentas(workspace.llave.parent / ARCHIVO, costo=costo)
