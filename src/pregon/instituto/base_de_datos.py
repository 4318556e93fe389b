"""The official database of a cut: one zip per election with its CSV, CANDIDATURAS and LEEME.txt (INE-III-a-csv).

Which form it has is the profile's choice (``paquete.dialecto``, ``encabezado``, ``zip_anidado``): as the source wrote
it, byte for byte, or in a named dialect; with the source's summary or the one counted from the rows; with an outer zip
around those of one cut where the institute publishes it so (real-data.md §3).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pregon.base.errors import ComprobacionError
from pregon.instituto.leeme import leeme
from pregon.instituto.portal.vistas import Descarga
from pregon.paquete.archive import write_zip
from pregon.paquete.tree import PackageTree
from pregon.prep.archivos import LEEME, actas_name, candidaturas_name, outer_zip_name, zip_name
from pregon.prep.candidaturas import read_catalogo
from pregon.prep.estilos import estilo
from pregon.prep.reader import read_actas
from pregon.prep.writer import write_actas
from pregon.prep.writer_candidaturas import write_candidaturas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.instituto.fuentes import Fuente
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import ManifestHead
    from pregon.tablas.model import ContestTotals

CARPETA = "base-de-datos"


def write_databases(
    workspace: Workspace,
    head: ManifestHead,
    contests: Sequence[tuple[Fuente, ContestTotals]],
    tree: PackageTree,
    folder: Path,
) -> tuple[Descarga, ...]:
    """Write each election's zip into ``folder`` and add it to ``tree``; what a page offers, in the same order.

    Raises:
        FormatoError: the dialect's encoding lacks a letter of the source; names line and column.
        ComprobacionError: what was written does not read back as what was given.
        ArchivoError: two elections give one path.
        DiscoError, EscrituraError: could not write.
    """
    writer = _Writer(workspace, head, tree, folder)
    offered = tuple(writer.election(source, totals) for source, totals in contests)
    return (*offered, writer.outer(offered)) if workspace.convocatoria.paquete.zip_anidado else offered


@dataclasses.dataclass(frozen=True)
class _Writer:
    workspace: Workspace
    head: ManifestHead
    tree: PackageTree
    folder: Path

    def election(self, source: Fuente, totals: ContestTotals) -> Descarga:
        inner = PackageTree()
        described = self._tables(source, totals, inner)
        if source.origen.leeme is not None and described is source:
            inner.add(source.origen.leeme.name, source.origen.leeme)
        else:
            names = (*(entry.ruta for entry in inner.entries()), LEEME)
            inner.add(LEEME, leeme(described, names, simulacro=self.head.ambiente == "simulacro"))
        name = zip_name(self.head.hora_corte, source.token, self.workspace.convocatoria.entidad.clave)
        return self._zip(name, inner, contest=source.eleccion.id, title=source.eleccion.titulo)

    def outer(self, offered: Sequence[Descarga]) -> Descarga:
        """The zip around those of the cut."""
        inner = PackageTree()
        for one in offered:
            inner.add(one.archivo, self.folder / one.archivo)
        name = outer_zip_name(self.head.hora_corte, self.workspace.convocatoria.entidad.clave)
        return self._zip(name, inner, contest="", title="Todas las elecciones")

    def _tables(self, source: Fuente, totals: ContestTotals, inner: PackageTree) -> Fuente:
        """Add the CSV of the contest; gives the source as it was written, for the LEEME."""
        package = self.workspace.convocatoria.paquete
        recounted = package.encabezado == "recalculado"
        if package.dialecto is None and not recounted:
            inner.add(source.origen.actas.name, source.origen.actas)
            if source.origen.candidaturas is not None:
                inner.add(source.origen.candidaturas.name, source.origen.candidaturas)
            return source
        style = None if package.dialecto is None else estilo(package.dialecto)
        entity, year = self.workspace.convocatoria.entidad.clave, self.head.hora_corte.year
        place = self.folder / source.eleccion.id
        self.workspace.disk.make_folder(place)
        actas = place / (source.origen.actas.name if style is None else actas_name(source.token, entity, year))
        values = totals.recalculado if recounted else None
        self.workspace.disk.write(actas, write_actas(source.tabla, estilo=style, encabezado=values))
        written = read_actas(actas)
        if len(written.filas) != len(source.tabla.filas) or (
            recounted and dict(written.encabezado) != dict(totals.recalculado)
        ):
            raise ComprobacionError(
                f"La base de datos de {source.eleccion.titulo} no se lee igual después de escribirla.",
                intacto="No se firmó nada; el repositorio sigue como estaba.",
                que_hacer="Quite «dialecto» o «encabezado» de [paquete] en el perfil y avise a los desarrolladores.",
            )
        inner.add(actas.name, actas)
        if source.origen.candidaturas is not None:
            given = source.origen.candidaturas
            name = given.name if style is None else candidaturas_name(source.token, entity, year)
            catalogue = place / name
            self.workspace.disk.write(catalogue, write_candidaturas(read_catalogo(given), estilo=style))
            inner.add(catalogue.name, catalogue)
        return source if style is None else dataclasses.replace(source, tabla=written)

    def _zip(self, name: str, inner: PackageTree, *, contest: str, title: str) -> Descarga:
        names = tuple(entry.ruta for entry in inner.entries())
        write_zip(self.folder / name, inner, names, stamp=self.head.hora_corte, disk=self.workspace.disk)
        entry = self.tree.add(f"{CARPETA}/{name}", self.folder / name)
        return Descarga(
            contienda=contest,
            titulo=title,
            ruta=entry.ruta,
            bytes=entry.bytes,
            sha256=entry.sha256,
            contenido=names,
        )
