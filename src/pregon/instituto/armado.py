"""The package tree of one cut: data files and their schemas, database zips, pages, ``corte.json`` (design §2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pregon.instituto import contrato
from pregon.instituto.datos import contest_files, cut_file
from pregon.instituto.leeme import leeme
from pregon.instituto.portal.programadores import documents
from pregon.instituto.portal.vistas import Descarga, Marco, Portal, contienda
from pregon.paquete.archive import write_zip
from pregon.paquete.cut import stamped_name
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.instituto.fuentes import Fuente
    from pregon.instituto.portal.paginas import Paginas
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import ManifestHead
    from pregon.tablas.model import ContestTotals

LEEME = "LEEME.txt"


@dataclass(frozen=True)
class Contienda:
    """A contest's source and its totals."""

    fuente: Fuente
    totals: ContestTotals


def assemble(
    workspace: Workspace, head: ManifestHead, contests: Sequence[Contienda], paginas: Paginas, folder: Path
) -> PackageTree:
    """The tree of the cut that ``head`` states; ``folder`` holds the database zips until the cut is written.

    Depends only on ``contests`` and ``head`` without ``generado``: the same actas and cut give the same bytes.

    Raises:
        ArchivoError: two elections give one path, or a source's name is not admitted.
        DiscoError, EscrituraError: could not write in ``folder``.
    """
    profile = workspace.convocatoria
    tree = PackageTree()
    workspace.disk.make_folder(folder)
    downloads = tuple(_database(workspace, head, contest, tree, folder) for contest in contests)
    views = tuple(
        contienda(contest.fuente.eleccion, contest.totals, contest.fuente.candidaturas, corte=head.corte)
        for contest in contests
    )
    portal = Portal(
        marco=Marco(
            nombre=profile.nombre,
            instituto=profile.instituto_nombre or profile.instituto.upper(),
            ambiente=head.ambiente,
            corte=head.corte,
            hora_corte=head.hora_corte,
            zona=profile.zona,
            ultimo=head.ultimo,
            proximo=head.proximo,
            cierre=head.cierre,
        ),
        contiendas=views,
        descargas=downloads,
    )
    cut = cut_file(portal)
    samples = {"corte": ("corte.json", cut)}  # one file of each kind, for the page that explains them
    for contest, view in zip(contests, views, strict=True):
        for route, data in contest_files(contest.totals, view, corte=head.corte):
            tree.add(route, data)
            samples.setdefault(contrato.kind_of(route) or "", (route, data))
    tree.add("corte.json", cut)
    for route, data in chain(contrato.published(), paginas.render(portal, documents(samples))):
        tree.add(route, data)
    return tree


def _database(
    workspace: Workspace, head: ManifestHead, contest: Contienda, tree: PackageTree, folder: Path
) -> Descarga:
    """The zip of one election: its files verbatim, and a LEEME of ours where it brings none (INE-III-a-csv)."""
    source = contest.fuente
    inner = PackageTree()
    inner.add(source.origen.actas.name, source.origen.actas)
    if source.origen.candidaturas is not None:
        inner.add(source.origen.candidaturas.name, source.origen.candidaturas)
    if source.origen.leeme is not None:
        inner.add(source.origen.leeme.name, source.origen.leeme)
    else:
        names = (*(entry.ruta for entry in inner.entries()), LEEME)
        inner.add(LEEME, leeme(source, names, simulacro=head.ambiente == "simulacro"))
    names = tuple(entry.ruta for entry in inner.entries())
    name = f"{stamped_name(head.hora_corte, f'PREP_{source.token}_{workspace.convocatoria.entidad.clave}')}.zip"
    write_zip(folder / name, inner, names, stamp=head.hora_corte, disk=workspace.disk)
    entry = tree.add(f"base-de-datos/{name}", folder / name)
    return Descarga(
        contienda=source.eleccion.id,
        titulo=source.eleccion.titulo,
        ruta=entry.ruta,
        bytes=entry.bytes,
        sha256=entry.sha256,
        contenido=names,
    )
