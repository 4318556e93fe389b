"""The package tree of one cut: data files and their schemas, database zips, pages, ``corte.json`` (design §2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pregon.instituto import contrato
from pregon.instituto.base_de_datos import write_databases
from pregon.instituto.datos import contest_files, cut_file
from pregon.instituto.portal.programadores import documents
from pregon.instituto.portal.vistas import Marco, Portal, contienda
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.instituto.fuentes import Fuente
    from pregon.instituto.portal.paginas import Paginas
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import ManifestHead
    from pregon.tablas.model import ContestTotals


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
    downloads = write_databases(workspace, head, [(c.fuente, c.totals) for c in contests], tree, folder)
    views = tuple(
        contienda(
            contest.fuente.eleccion,
            contest.totals,
            contest.fuente.candidaturas,
            corte=head.corte,
            autorizaciones=head.autorizaciones,
        )
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
