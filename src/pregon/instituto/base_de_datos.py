"""The official database of a cut: one zip per election with its CSV, CANDIDATURAS and LEEME.txt (INE-III-a-csv).

Which form it has is the profile's choice (``paquete.dialecto``, ``encabezado``, ``zip_anidado``): as the source wrote
it, byte for byte, or in a named dialect; with the source's summary or the one counted from the rows; with an outer zip
around those of one cut where the institute publishes it so (real-data.md §3).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pregon.base.errors import ComprobacionError
from pregon.base.hashing import sha256_file
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
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.fuentes import Fuente
    from pregon.paquete.manifest import ManifestHead
    from pregon.tablas.model import ContestTotals

CARPETA = "base-de-datos"


@dataclasses.dataclass(frozen=True)
class BaseDeDatos:
    """The database zip of one election: what a page offers, the file, and the SHA-256 of each member of it."""

    descarga: Descarga
    archivo: Path
    miembros: Mapping[str, str]
    verbatim: bool


def write_database(
    convocatoria: Convocatoria, head: ManifestHead, source: Fuente, totals: ContestTotals, folder: Path, disk: Disk
) -> BaseDeDatos:
    """Write the zip of one election into ``folder``.

    Raises:
        FormatoError: the dialect's encoding lacks a letter of the source; names line and column.
        ComprobacionError: what was written does not read back as what was given.
        DiscoError, EscrituraError: could not write.
    """
    return _Writer(convocatoria, head, folder, disk).election(source, totals)


def write_outer(
    convocatoria: Convocatoria, head: ManifestHead, databases: Sequence[BaseDeDatos], folder: Path, disk: Disk
) -> BaseDeDatos:
    """Write into ``folder`` the zip around those of the cut, for institutes that publish it so.

    Raises:
        ArchivoError: two elections give one name.
        DiscoError, EscrituraError: could not write.
    """
    return _Writer(convocatoria, head, folder, disk).outer(databases)


@dataclasses.dataclass(frozen=True)
class _Writer:
    convocatoria: Convocatoria
    head: ManifestHead
    folder: Path
    disk: Disk

    @property
    def _rewritten(self) -> bool:
        """Whether the profile asks for another form than the source's."""
        package = self.convocatoria.paquete
        return package.dialecto is not None or package.encabezado == "recalculado"

    def election(self, source: Fuente, totals: ContestTotals) -> BaseDeDatos:
        inner = PackageTree()
        described = self._tables(source, totals, inner)
        verbatim = not self._rewritten
        if source.origen.leeme is not None and described is source:
            inner.add(source.origen.leeme.name, source.origen.leeme)
        else:
            names = (*(entry.ruta for entry in inner.entries()), LEEME)
            inner.add(LEEME, leeme(described, names, simulacro=self.head.ambiente == "simulacro"))
        name = zip_name(self.head.hora_corte, source.token, self.convocatoria.entidad.clave)
        eleccion = source.eleccion
        return self._zip(name, inner, contest=eleccion.id, title=eleccion.titulo, verbatim=verbatim)

    def outer(self, databases: Sequence[BaseDeDatos]) -> BaseDeDatos:
        inner = PackageTree()
        for one in databases:
            inner.add(one.descarga.archivo, one.archivo)
        name = outer_zip_name(self.head.hora_corte, self.convocatoria.entidad.clave)
        return self._zip(name, inner, contest="", title="Todas las elecciones", verbatim=True)

    def _tables(self, source: Fuente, totals: ContestTotals, inner: PackageTree) -> Fuente:
        """Add the CSV of the contest; gives the source as it was written, for the LEEME."""
        package = self.convocatoria.paquete
        recounted = package.encabezado == "recalculado"
        if not self._rewritten:
            inner.add(source.origen.actas.name, source.origen.actas)
            if source.origen.candidaturas is not None:
                inner.add(source.origen.candidaturas.name, source.origen.candidaturas)
            return source
        style = None if package.dialecto is None else estilo(package.dialecto)
        entity, year = self.convocatoria.entidad.clave, self.head.hora_corte.year
        place = self.folder / source.eleccion.id
        self.disk.make_folder(place)
        actas = place / (source.origen.actas.name if style is None else actas_name(source.token, entity, year))
        values = totals.recalculado if recounted else None
        self.disk.write(actas, write_actas(source.tabla, estilo=style, encabezado=values))
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
            self.disk.write(catalogue, write_candidaturas(read_catalogo(given), estilo=style))
            inner.add(catalogue.name, catalogue)
        return source if style is None else dataclasses.replace(source, tabla=written)

    def _zip(self, name: str, inner: PackageTree, *, contest: str, title: str, verbatim: bool) -> BaseDeDatos:
        entries = inner.entries()
        names = tuple(entry.ruta for entry in entries)
        path = self.folder / name
        write_zip(path, inner, names, stamp=self.head.hora_corte, disk=self.disk)
        offered = Descarga(
            contienda=contest,
            titulo=title,
            ruta=f"{CARPETA}/{name}",
            bytes=path.stat().st_size,
            sha256=sha256_file(path),
            contenido=names,
        )
        return BaseDeDatos(offered, path, {entry.ruta: entry.sha256 for entry in entries}, verbatim)
