"""What a machine signs when it takes a number, so that the other signs no content that only the server vouches for.

Whoever can write in the server could otherwise put there a cut that nobody made, and have it signed. A voucher is an
envelope (``trust.sobre``) over ``pregon/toma/1``: ``{formato, convocatoria, instituto, ambiente, clase, n, sha256,
archivos{path: SHA-256}}``, of a key of the role avisos.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.errors import FirmaError
from pregon.base.hashing import sha256_file
from pregon.instituto.workspace import RAIZ
from pregon.trust import keys
from pregon.trust.sobre import paper_keys, read_paper, sign_paper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.instituto.relevo.replica import Numero
    from pregon.instituto.workspace import Workspace
    from pregon.trust.numeros import Clase

FORMATO = "pregon/toma/1"
TIPO = "application/vnd.pregon.toma+json"


def issue(workspace: Workspace, clase: Clase, n: int, sha256: str, archivos: Mapping[str, Path]) -> bytes:
    """The voucher of a number that is about to be taken for these files.

    Raises:
        EntradaError: no key of the role avisos is at hand; without one no number is taken.
    """
    ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
    listed = {ruta: sha256_file(path) for ruta, path in archivos.items()}
    return sign_paper(_paper(workspace, clase, n, sha256, listed), TIPO, ring=ring, allowed=_allowed(workspace))


def check(workspace: Workspace, numero: Numero, archivos: Mapping[str, Path]) -> None:
    """That a machine of this institute took ``numero`` for these very files.

    Raises:
        FirmaError, FormatoError: it did not, or for others.
    """
    said = read_paper(numero.vale, TIPO, _allowed(workspace))
    listed = {ruta: sha256_file(path) for ruta, path in archivos.items()}
    if said != _paper(workspace, numero.clase, numero.n, numero.sha256, listed):
        raise FirmaError(
            f"La base de estado tiene con el número {numero.n} ({numero.clase}) otra cosa que la que se tomó.",
            intacto="No se firmó nada.",
            que_hacer="Alguien cambió la base: no siga con ella. Guárdela como evidencia y vea «Si se pierde la base».",
        )


def _paper(workspace: Workspace, clase: str, n: int, sha256: str, archivos: Mapping[str, str]) -> dict[str, Any]:
    mine = workspace.identity
    return {
        "formato": FORMATO,
        "convocatoria": mine.convocatoria,
        "instituto": mine.instituto,
        "ambiente": mine.ambiente,
        "clase": clase,
        "n": n,
        "sha256": sha256,
        "archivos": dict(archivos),
    }


def _allowed(workspace: Workspace) -> tuple[Key, ...]:
    return paper_keys(workspace.repositorio / "metadata", (workspace.folder / RAIZ).read_bytes())
