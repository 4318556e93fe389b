"""The public state in force, as files for the tree of a cut (docs/adr/0017)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from pregon.base.errors import DiscoError
from pregon.base.jsonio import canonical_json
from pregon.instituto.publico.paginas import LISTA
from pregon.instituto.publico.sitio import ACTUAL, vigente

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from pregon.instituto.workspace import Workspace

CARPETA = "situacion/"
INTERVALOS = 2
"""How much longer than in the folder it counts as fresh: the next cut, and what it takes to be everywhere."""


def pagina(workspace: Workspace) -> str | None:
    """The route in the tree of the list of difusores; None where the cut carries none."""
    return None if _vigente(workspace) is None else CARPETA + LISTA


def archivos(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Route in the tree and bytes of each file of the state in force; none unless the settings ask for it.

    It is a copy of what anybody reads in the public folder, read once; only for how long it counts as fresh differs,
    since nobody renews it until the next cut.

    Raises:
        DiscoError: it cannot be read.
    """
    folder = _vigente(workspace)
    if folder is None:
        return
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name, data = path.relative_to(folder).as_posix(), path.read_bytes()
                if name == ACTUAL:
                    data = _until_the_next(data, workspace.intervalo)
                yield CARPETA + name, data
    except (OSError, ValueError) as exc:
        raise DiscoError(
            f"No se pudieron leer las páginas públicas de {folder}.",
            intacto="No se firmó nada; el repositorio sigue como estaba.",
            que_hacer="Publique de nuevo («pregon instituto publica»), o quite «con_el_paquete» de [publico].",
        ) from exc


def _vigente(workspace: Workspace) -> Path | None:
    settings = workspace.settings.publico
    if not settings.con_el_paquete or settings.carpeta is None:
        return None
    return vigente(workspace.folder / settings.carpeta)  # None: the day of the list has not come, or nobody published.


def _until_the_next(data: bytes, interval: timedelta) -> bytes:
    told = json.loads(data)
    if told["vigente_hasta"] is not None:
        last = datetime.fromisoformat(told["vigente_hasta"])
        told["vigente_hasta"] = (last + INTERVALOS * interval).isoformat(timespec="seconds")
    return canonical_json(told)
