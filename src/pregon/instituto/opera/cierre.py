"""The closing that a person orders: that of the hour, where the settings ask for it, or an early one.

An order waits in the state database until its cut is signed, and may be taken back until then; after it nothing may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.paquete.manifest import parse_manifest

if TYPE_CHECKING:
    from pregon.base.estado import Estado
    from pregon.instituto.workspace import Workspace

CLAVE = "opera_cierre"
"""Key of the state."""
INTACTO = "No se ordenó nada; la noche sigue como estaba."


def ordenado(state: Estado) -> dict[str, str] | None:
    """The order that waits: ``cierre`` («horario» or «anticipado»), ``motivo``, ``operador``, ``hora``; None: none."""
    order: dict[str, str] | None = state.get(CLAVE)
    return order


def cumplido(state: Estado) -> None:
    """Forget the order: its cut is signed."""
    state.put(**{CLAVE: None})


def pide(workspace: Workspace, *, motivo: str | None, operador: str) -> dict[str, str]:
    """Order the closing: with ``motivo``, an early one, at the next cut; without, that of the hour may go on.

    Raises:
        UsoError: the call does not allow it, a reason is missing, or it is closed already. Nothing changes.
    """
    call = workspace.convocatoria
    problem = None
    if motivo is not None and not call.cierre_anticipado_permitido:
        problem = "esta convocatoria no permite el cierre anticipado"
    elif motivo is not None and not motivo.strip():
        problem = "un cierre anticipado lleva motivo"
    elif not operador.strip():
        problem = "el cierre lo ordena una persona: falta --operador"
    data = workspace.repository().last_manifest()
    if data is not None and parse_manifest(data).ultimo:
        problem = "la publicación ya cerró"
    if problem is not None:
        raise UsoError(
            f"No se puede ordenar el cierre: {problem}.",
            intacto=INTACTO,
            que_hacer="Revise --motivo y --operador, y qué dice la convocatoria del cierre.",
        )
    order = {
        "cierre": "horario" if motivo is None else "anticipado",
        "motivo": "" if motivo is None else motivo.strip(),
        "operador": operador.strip(),
        "hora": workspace.clock.now().isoformat(),
    }
    state = workspace.state()
    state.put(**{CLAVE: order})
    state.record("nota", que="cierre_ordenado", **{key: order[key] for key in ("cierre", "motivo", "operador")})
    return order


def retira(workspace: Workspace, *, operador: str) -> bool:
    """Take back an order of closing whose cut is not signed yet; whether there was one."""
    state = workspace.state()
    if state.get(CLAVE) is None:
        return False
    state.put(**{CLAVE: None})
    state.record("nota", que="cierre_retirado", operador=operador)
    return True
