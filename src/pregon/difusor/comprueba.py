"""Verifies a difusor's own folder, without its server and without changing it: what is public, against what was signed.

The root is the one it was started with; the signatures are the last ones it verified (``confianza/tuf``). Where the
institute does not sign, against the manifest that was accepted, and the report says that it proves no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.errors import EntradaError, PregonError
from pregon.difusor import pointer
from pregon.difusor.gemelos import TWINS, decoded_matches
from pregon.difusor.historia.history import History
from pregon.difusor.release import CARRIED
from pregon.difusor.unpack import MAX_OWN_TWIN_BYTES
from pregon.difusor.workspace import AJUSTES, open_workspace
from pregon.paquete import contenido
from pregon.paquete.contenido import Revision
from pregon.paquete.names import MANIFIESTO
from pregon.sonda.comprobacion import Pedido, no_metadata, tree_of
from pregon.sonda.informe import Informe
from pregon.transport.confianza import StateSource
from pregon.transport.local import FolderSource
from pregon.trust.comprueba import Examinador, match

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import FileEntry, Manifest


def is_workspace(path: Path) -> bool:
    """Whether ``path`` is the folder of a difusor."""
    return (path / AJUSTES).is_file()


def examine_workspace(folder: Path, pedido: Pedido, *, clock: Clock) -> Informe:
    """Verify what the pointer of ``folder`` makes public, file by file, and its signatures.

    ``pedido.raiz`` replaces the root that it was started with.

    Raises:
        AjustesError, EntradaError: it is not a workspace that opens, or it shows no cut.
    """
    workspace = open_workspace(folder)
    name = pointer.read(workspace)
    number = None if name is None else pointer.release_number(name)
    history = History(workspace.historico, Disk())
    accepted = [cut for cut in history.accepted() if number is not None and cut.corte <= number]
    if not accepted or accepted[-1].corte != number:
        raise EntradaError(
            f"El difusor de {folder} no muestra ningún corte: su página es «{name or 'ninguna'}».",
            intacto=contenido.INTACTO,
            que_hacer="Nada que comprobar todavía; «pregon difusor estado» dice por qué.",
        )
    informe = Informe(origen=str(folder), clase="difusor")
    try:
        manifests = [history.manifest(cut)[0] for cut in accepted]
        raw = history.manifest(accepted[-1])[1]
    except PregonError as exc:
        return replace(informe, error=exc)
    manifest = manifests[-1]
    informe = replace(informe, manifest=manifest, manifiesto_sha256=accepted[-1].sha256)
    release = workspace.cortes / pointer.release_name(manifest.corte)
    informe = replace(informe, revision=_review(release, manifests))
    if not workspace.firmado:
        return informe if pedido.raiz is None else replace(informe, error=no_metadata())
    informe = replace(informe, raiz="difusor" if pedido.raiz is None else "dada")
    try:
        with Examinador(pedido.raiz or workspace.raiz.read_bytes(), clock=clock) as examiner:
            listing = examiner.listing(_signatures(workspace))
            informe = replace(informe, listing=listing)
            examiner.follows(manifest, match(listing, raw, manifest.corte), listing)
    except PregonError as exc:
        return replace(informe, error=exc)
    return informe


def _signatures(workspace: Workspace) -> StateSource:
    return StateSource(workspace.confianza / "tuf")


def _review(release: Path, manifests: list[Manifest]) -> Revision:
    """Every file of a release: the cut's own, those carried from earlier cuts, and twins; nothing else."""
    source = FolderSource(release)
    manifest = manifests[-1]
    listed = {entry.ruta: entry for entry in manifest.archivos}
    carried: dict[str, FileEntry] = {}
    for older in manifests[:-1]:
        carried.update({e.ruta: e for e in older.archivos if e.ruta.split("/", 1)[0] in CARRIED})
    found = set(tree_of(release))
    extra = found - listed.keys() - {MANIFIESTO}
    twins = {ruta for ruta in extra if _is_twin(release, ruta)}
    kept = [carried[ruta] for ruta in sorted(extra - twins) if ruta in carried]
    total = contenido.review_files([*manifest.archivos, *kept], source.stream)
    return total + Revision(fallas=contenido.extra_files(extra - twins, carried))


def _is_twin(release: Path, ruta: str) -> bool:
    """Whether it is another file of the release, compressed: what a server answers in its place."""
    for suffix in TWINS:
        plain, twin = release / ruta.removesuffix(suffix), release / ruta
        if not ruta.endswith(suffix) or not plain.is_file() or twin.is_symlink():
            continue
        if max(plain.stat().st_size, twin.stat().st_size) > MAX_OWN_TWIN_BYTES:
            return False
        return decoded_matches(twin.read_bytes(), suffix, plain.read_bytes())
    return False
