"""Until when each thing that the institute signs holds: said once, for who signs it first and for who ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.workspace import CIERRE
from pregon.trust.vigencia import online_expiry

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import ManifestHead
    from pregon.trust.repositorio import Repository
    from pregon.trust.verified import CutRef


def sign_cut(workspace: Workspace, repository: Repository, cut: ManifestHead) -> CutRef:
    """Sign the cut that lies in ``repositorio/targets/cortes/NNNN``. Within ``signing``; raises as ``publish_cut``.

    Of a closing cut it is noted first that ``finish_closing`` is due, so that the next order ends a stopped closing.
    """
    now = workspace.clock.now()
    if cut.ultimo:
        workspace.state().put(**{CIERRE: cut.corte})
    return repository.publish_cut(
        cut.corte,
        now=now,
        expira=online_expiry(max(workspace.convocatoria.fin_actualizacion, cut.hora_corte, now)),
        siguiente=None if cut.proximo is None else max(cut.proximo, now),
        intervalo=workspace.intervalo,
    )


def sign_notice(workspace: Workspace, repository: Repository, data: bytes) -> int:
    """Sign the next notice, whose bytes these are; its number. Within ``signing``; raises as ``publish_notice``."""
    now = workspace.clock.now()
    return repository.publish_notice(
        data,
        now=now,
        expira=workspace.online_until(now),
        siguiente=workspace.next_promised(now),
        intervalo=workspace.intervalo,
    )
