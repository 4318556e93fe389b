"""What the workspaces ask the web server for: whether it changed, and what is wrong with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.difusor.servidor.certificado import check_pair
from pregon.difusor.workspace import AJUSTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.difusor.servidor.sitio import Site
    from pregon.difusor.workspace import Workspace


def marks(folders: Iterable[Path], workspaces: Sequence[Workspace]) -> Mapping[Path, object]:
    """Every file that decides what is served, with a value that changes when the file does.

    ``folders``: those that are to be served; ``workspaces``: those that are, as they were opened.
    """
    paths = [folder / AJUSTES for folder in folders]
    for workspace in workspaces:
        ours = workspace.settings.servidor
        if workspace.settings.convocatoria.endswith(".toml"):
            paths.append(workspace.folder / workspace.settings.convocatoria)
        paths += [workspace.folder / path for path in (ours.certificado, ours.clave, ours.acme_ca) if path]
    return {path: _mark(path) for path in paths}


def _mark(path: Path) -> object:
    try:
        status = path.stat()  # Through links: those of a certificate's renewal change what they point to.
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def complaints(sites: Sequence[Site], now: datetime) -> Iterator[str]:
    """What browsers will complain about in the certificates given by file.

    Raises:
        AjustesError: one that cannot serve its site.
    """
    for site in sites:
        if site.tls is not None and site.tls.certificado is not None and site.tls.clave is not None:
            complaint = check_pair(site.tls.certificado, site.tls.clave, site.nombres, now)
            if complaint:
                yield complaint
