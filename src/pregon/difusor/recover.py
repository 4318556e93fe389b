"""What every start does first: leftovers go, half-written things go, the pointer names a whole release.

A normal path, not an emergency: it gives the same whether it runs once or is itself interrupted and runs again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL
from pregon.base.errors import DiscoError
from pregon.difusor import pointer
from pregon.difusor.avisos import recover_notices
from pregon.difusor.workspace import folders
from pregon.trust.descarga import kept_sha256

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.publish import Publisher

_logger = logging.getLogger(__name__)


def recover(publisher: Publisher, now: datetime) -> None:
    """Put the workspace in order, in this order.

    1. A folder that is missing is made. Staging is emptied, but for what a signed source gave of archives, which is
       hashed again before it serves; whatever was being written is removed.
    2. Cuts whose originals are whole but were not yet noted are accepted, and the hour that was signed with each.
    3. Releases of cuts that are not accepted, contents that no visible cut names and twins that are not their
       content are removed: they may be from before the last sync.
    4. The notices of the institute that are on disk are known, the pages espera and aviso are there, and where one
       suspends, the pointer names aviso.
    5. The pointer names a whole release. Where there is none it names espera; where the named one, or the newest
       accepted, has a hole it is filled from the originals, file by file. After a disorderly end every content of
       both is hashed again.
    6. The link follows the pointer.
    """
    workspace, libro, disk = publisher.workspace, publisher.libro, publisher.disk
    in_doubt = not libro.limpio
    libro.abrir(now)
    libro.marcar_limpio(limpio=False)
    for path, mode in folders(workspace):  # One of an earlier version has no avisos/; somebody may remove any other.
        disk.make_folder(path, mode=mode)
    _empty_staging(publisher)  # 1
    _accept_from_history(publisher)  # 2
    _remove_doubtful(publisher)  # 3
    recover_notices(publisher, now)  # 4
    cut = _named_cut(publisher)  # 5
    for each in dict.fromkeys((cut, libro.ultimo())):
        if each is not None:
            _make_whole(publisher, each, deep=in_doubt)
    if cut is not None:
        if libro.publicado != cut.corte:
            libro.publicar(cut.corte, now)
    elif pointer.read(workspace) is None:
        pointer.switch(workspace, pointer.ESPERA, disk)
    name = pointer.read(workspace)
    if name is not None and not pointer.link_agrees(workspace):  # 6
        disk.symlink(workspace.publico, f"cortes/{name}")


def _make_whole(publisher: Publisher, cut: Aceptado, *, deep: bool) -> None:
    try:
        publisher.ensure_release(cut, deep=deep)
    except DiscoError as exc:
        # The public tree with a hole is still better than none: it stays, and the alarm sounds.
        _logger.exception("corte %d: no se pudo reponer", cut.corte)
        publisher.libro.evento("dañado", corte=cut.corte, codigo=exc.codigo, que_paso=exc.que_paso)


def _empty_staging(publisher: Publisher) -> None:
    workspace, disk = publisher.workspace, publisher.disk
    for path in sorted(workspace.recepcion.iterdir()):
        if not workspace.firmado or kept_sha256(path.name) is None:
            disk.remove_tree(path)
    for folder in (
        workspace.folder,
        workspace.cortes,
        workspace.historico,
        workspace.acuses,
        workspace.avisos,
        workspace.confianza,
    ):
        for path in sorted(folder.iterdir()):
            if path.name.endswith(PARCIAL):
                disk.remove_tree(path)
    publisher.store.drop_partial()


def _accept_from_history(publisher: Publisher) -> None:
    known = {cut.corte for cut in publisher.libro.cortes()}
    newest = max(known, default=-1)
    for cut in publisher.history.accepted():
        if cut.corte > newest:
            publisher.libro.aceptar(cut)
            publisher.libro.atestiguar(cut.firmado)
            publisher.libro.evento("aceptado", corte=cut.corte, manifiesto_sha256=cut.sha256, recuperado=True)


def _remove_doubtful(publisher: Publisher) -> None:
    accepted = {cut.corte for cut in publisher.libro.cortes()}
    public = pointer.read(publisher.workspace)
    for folder in sorted(publisher.workspace.cortes.iterdir()):
        number = pointer.release_number(folder.name)
        if number is not None and number not in accepted and folder.name != public:
            publisher.releases.discard(folder)
    publisher.prune()
    publisher.store.drop_doubtful_twins()


def _named_cut(publisher: Publisher) -> Aceptado | None:
    """The cut whose release must be public: the one that the pointer names, else the last that was published."""
    name = pointer.read(publisher.workspace)
    number = publisher.libro.publicado if name is None else pointer.release_number(name)
    cut = next((known for known in publisher.libro.cortes() if known.corte == number), None)
    if cut is not None and name is None:
        publisher.ensure_release(cut)
        pointer.switch(publisher.workspace, pointer.release_name(cut.corte), publisher.disk)
    return cut
