"""Access logs that a difusor encrypted for the institute (GRO-6.2, DGO-IV-2), opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, EscrituraError, HashError
from pregon.base.hashing import sha256_file
from pregon.instituto.memorias import claves
from pregon.trust.noche import contexto
from pregon.trust.sellado import descifra

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.bitacoras.entrega import Entrega
    from pregon.instituto.workspace import Workspace


def open_logs(workspace: Workspace, entrega: Entrega, path: Path, salida: Path) -> int:
    """Write into ``salida`` (0600) the zip with the logs that ``path`` hides; how many bytes. Told in the journal.

    ``path`` must be the very file that the signed delivery names.

    Raises:
        EntradaError: it is not there, or the delivery names none. HashError: it is another file.
        FormatoError, DanadoError: it cannot be opened; nothing stays in ``salida``.
        EscrituraError: ``salida`` is there already, or cannot be written. DiscoError: no room.
    """
    if os.path.lexists(salida):
        raise EscrituraError(f"Ya existe {salida}.", intacto="No se cambió nada.", que_hacer="Dé otro nombre.")
    node = entrega.emisor
    if entrega.crudas is None or not path.is_file():
        raise EntradaError(
            f"No está {path}, o la entrega de {node.nombre} no trae bitácoras.",
            intacto="No se abrió nada.",
            que_hacer="Revise la ruta, y que la entrega sea la última de ese difusor.",
        )
    if sha256_file(path) != entrega.crudas.sha256:
        raise HashError(
            f"{path} no es el archivo de bitácoras que {node.nombre} firmó.",
            intacto="No se abrió nada.",
            que_hacer="Pida de nuevo el archivo, o la entrega que lo nombra.",
        )
    what = contexto(node, entrega.instituto, "bitácoras")
    with path.open("rb") as file:
        workspace.disk.write(salida, descifra(file, claves.private_key(workspace), what), mode=0o600)
    workspace.state().record(
        "bitacoras_abiertas", difusor=node.difusor, nodo=node.nodo, sha256=entrega.crudas.sha256, archivo=str(salida)
    )
    return salida.stat().st_size
