"""The public state in force, carried to where the institute's web server is: the same carriers as a cut's.

There each file is replaced by itself, so what is asked for by its hash goes first, pages and data next and
``actual.json`` last: a page that is read meanwhile is of one state, whole, and finds all that it asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.instituto.publico.paginas import INCRUSTA
from pregon.instituto.publico.sitio import ACTUAL, vigente
from pregon.transport.abre import open_destination
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.instituto.workspace import Workspace
    from pregon.transport.destino import Entregado


def envia(workspace: Workspace, carpeta: Path, environment: Mapping[str, str]) -> tuple[tuple[str, Entregado], ...]:
    """Carry the state in force in ``carpeta`` to each place of the settings; address and what travelled of each.

    Raises:
        RedError, DestinoError, AjustesError: what went wrong at the first place that did not take it. The others have
            it: a server that is down must not leave the rest with what is old.
    """
    folder = vigente(carpeta)
    if folder is None:
        return ()
    made = pasos(folder)
    done, failed = [], []
    for lugar in workspace.settings.publico.destino:
        try:
            place = open_destination(
                lugar, folder=workspace.folder, clock=workspace.clock, environment=environment, puertos=()
            )
            done.append((lugar.sin_secretos, place.deliver(made, Caudal(workspace.clock))))
        except PregonError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]
    return tuple(done)


def pasos(folder: Path) -> Envio:
    """The files of one state in the order in which they may be seen."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    asked = [one for one in names if one.endswith((".css", ".js")) or "/" in one]
    pages = [one for one in names if one not in asked and one != ACTUAL]
    asked.sort(key=lambda name: name == INCRUSTA)
    return Envio(folder, (tuple(asked), tuple(pages), (ACTUAL,)))
