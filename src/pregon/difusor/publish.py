"""From what is accepted to what is public: the objects, the release, the pointer, the twins, and what may be pruned."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pregon.base.errors import ArchivoError, DiscoError
from pregon.base.hashing import open_regular, sha256_bytes
from pregon.base.space import require_free
from pregon.difusor import pages, personalizada, pointer
from pregon.difusor.firmas import Firmas
from pregon.difusor.gemelos import GZ
from pregon.difusor.historia.history import History
from pregon.difusor.objects import ObjectStore, compressible
from pregon.difusor.release import Plan, Releases, plan
from pregon.difusor.unpack import add_gz
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, parse_manifest
from pregon.paquete.names import MANIFIESTO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import Manifest

_logger = logging.getLogger(__name__)


class Publisher:
    """What one workspace has on disk, and the one place that changes what is public."""

    def __init__(self, workspace: Workspace, libro: Libro, disk: Disk) -> None:
        self.workspace = workspace
        self.libro = libro
        self.disk = disk
        self.store = ObjectStore(workspace.objetos, disk)
        self.history = History(workspace.historico, disk)
        self.releases = Releases(workspace.cortes, self.store, disk)
        self.firmas = Firmas(workspace, disk)
        self.mostrado: str | None = None
        """The release that this process last made, or found, public; None before the first decision."""

    def manifest(self, cut: Aceptado) -> tuple[Manifest, bytes]:
        """The manifest of an accepted cut and its bytes; a damaged original is put back from what is public.

        Raises:
            DiscoError: neither is the one that was accepted.
        """
        try:
            return self.history.manifest(cut)
        except DiscoError:
            for path in (self.store.path(cut.sha256), self.releases.folder(cut.corte) / MANIFIESTO):
                raw = _read(path, MANIFEST_MAX_BYTES)
                if sha256_bytes(raw) == cut.sha256:
                    break
            else:
                raise
        self.history.restore_manifest(cut, raw)
        ruta = f"historico/{self.history.folder(cut.corte).name}/{MANIFIESTO}"
        _logger.warning("%s estaba dañado; se repuso", ruta)
        self.libro.evento("alterado", corte=cut.corte, ruta=ruta, problema="contenido", hecho="repuesto")
        return parse_manifest(raw), raw

    def visible(self, corte: int) -> tuple[Aceptado, ...]:
        """The accepted cuts before ``corte`` that its release still carries, newest first."""
        older = [cut for cut in self.libro.cortes() if cut.corte < corte]
        return tuple(reversed(older))[: self.workspace.convocatoria.cortes_visibles - 1]

    def plan_new(self, manifest: Manifest, sha256: str) -> Plan:
        """The release of a cut that is being received. Earlier cuts whose originals are damaged are left out."""
        older = []
        for cut in self.visible(manifest.corte):
            try:
                older.append(self.manifest(cut)[0])
            except DiscoError:
                _logger.warning("el manifiesto guardado del corte %d está dañado", cut.corte)
                continue
        wanted = {
            entry.sha256 for past in older for entry in past.archivos if not self.store.has(entry.sha256, entry.bytes)
        }
        if wanted:
            lost = self.history.remake(wanted, self.libro.cortes(), self.store)
            older = [past for past in older if not any(entry.sha256 in lost for entry in past.archivos)]
        return plan(manifest, sha256, older)

    def plan_of(self, cut: Aceptado) -> Plan:
        """The release of an accepted cut.

        Raises:
            DiscoError: its manifest is damaged.
        """
        return self.plan_new(self.manifest(cut)[0], cut.sha256)

    def ensure_release(self, cut: Aceptado, *, deep: bool = False) -> None:
        """Make the release of an accepted cut be whole, from objects and originals; does nothing where it is.

        ``deep`` hashes every content again. Durable when it returns.

        Raises:
            DiscoError: something of it cannot be made again.
        """
        manifest, raw = self.manifest(cut)
        sizes = {entry.sha256: entry.bytes for entry in manifest.archivos} | {cut.sha256: len(raw)}
        if deep:
            self._drop_wrong(cut)
        wanted = {sha256 for sha256, size in sizes.items() if not self.store.has(sha256, size)}
        if cut.sha256 in wanted:
            self.store.put(cut.sha256, len(raw), [raw])
            wanted.discard(cut.sha256)
        lost = self.history.remake(wanted, self.libro.cortes(), self.store)
        if lost:
            raise DiscoError(
                f"Al corte {cut.corte} le faltan {len(lost)} contenidos que no están en el histórico.",
                intacto="Lo publicado sigue como estaba.",
                que_hacer="Revise el disco; el siguiente corte completo repondrá lo que falta.",
            )
        what = self.plan_of(cut)
        if self.releases.folder(cut.corte).is_dir():
            repaired = self.releases.repair(what, deep=deep)
            if repaired:
                _logger.warning("corte %d: se repusieron %d archivos", cut.corte, repaired)
                self.libro.evento("reparado", corte=cut.corte, archivos=repaired)
                self.libro.terminar(None)
                self.disk.sync_filesystem(self.workspace.folder)
            return
        provisional = self.releases.prepare(what)
        self.disk.sync_filesystem(self.workspace.folder)
        self.libro.terminar(None)  # A backup says that the twins were made: not of this one.
        self.releases.finish(provisional)

    def _drop_wrong(self, cut: Aceptado) -> None:
        for sha256 in set(self.plan_of(cut).rutas.values()):
            if self.store.intact(sha256):
                self.store.drop_wrong_twins(sha256)
            else:
                self.store.drop(sha256)

    def show(self, name: str) -> bool:
        """Make the release ``name`` public, unless it is; whether something changed."""
        changed = pointer.read(self.workspace) != name
        results = pointer.release_number(name) is not None
        if not results:
            self.firmas.retira()  # Also where recovery took the portal away.
        if changed:
            if not results:
                pages.ensure(self.workspace, self.disk, self.libro.dicho)
                personalizada.hide(self.workspace, self.disk)
            pointer.switch(self.workspace, name, self.disk)
        self.mostrado = name
        return changed

    def add_twins(self, cut: Aceptado) -> None:
        """Make the twins that a public cut lacks and link them: after publishing, never before.

        First the ``.gz`` that no first sight asks for, from the archive's own deflate streams; then the ``.br``
        and ``.zst``, which take longer. Each is linked only after a sync: until then the file goes out plain.
        """
        what = self.plan_of(cut)
        self.disk.sync_filesystem(self.workspace.folder)  # A pass that failed here may have left twins in the store.
        self.releases.add_twins(what)  # Those that there are: making the others takes a while.
        if self._add_gz(cut, what):
            self.disk.sync_filesystem(self.workspace.folder)
            self.releases.add_twins(what)
        made = False
        for ruta, sha256 in what.rutas.items():
            if compressible(ruta):
                made = self.store.complete_twins(sha256) or made
        if made:
            self.disk.sync_filesystem(self.workspace.folder)
        self.releases.add_twins(what)

    def add_gz(self, cut: Aceptado, de: Sequence[Aceptado]) -> None:
        """Make, of the twins of a cut, those that the archives of the cuts ``de`` have: the same bytes as before.

        Raises:
            DiscoError: its manifest is damaged.
        """
        what = self.plan_of(cut)
        made = False
        for each in de:
            made = self._add_gz(each, what) or made
        if made:
            self.disk.sync_filesystem(self.workspace.folder)
            self.releases.add_twins(what)

    def _add_gz(self, cut: Aceptado, what: Plan) -> bool:
        here = self.store.listed()
        absent = {sha for ruta, sha in what.rutas.items() if compressible(ruta) and sha + GZ not in here}
        manifest = self.manifest(cut)[0]
        made = False
        for archive in self.history.archives(cut.corte):
            try:
                made = add_gz(archive, manifest, self.store, absent) or made
            except ArchivoError as exc:
                # Damaged since it was received: what is public does not need it, and twins are compressed anew.
                made = True  # Perhaps: some were, before the member that is damaged.
                _logger.warning("corte %d: %s: %s", cut.corte, exc.codigo, exc.que_paso)
        return made

    def prune(self) -> None:
        """Remove releases and contents that nothing refers to. Originals stay, and so does whatever is public."""
        cuts = self.libro.cortes()
        public = pointer.release_number(pointer.read(self.workspace) or "")
        newest = cuts[-self.workspace.convocatoria.cortes_visibles :]
        kept = {cut.corte for cut in newest}
        if public is not None and public not in kept:
            kept.add(public)
            kept.update(cut.corte for cut in self.visible(public))
        for folder in sorted(self.workspace.cortes.iterdir()):
            number = pointer.release_number(folder.name)
            if number is not None and number not in kept:
                self.releases.discard(folder)
        referred: set[str] = set()
        for cut in cuts:
            if cut.corte not in kept:
                continue
            try:
                manifest, _ = self.manifest(cut)
            except DiscoError:
                return  # Without its manifest nobody knows what that cut refers to: nothing is removed.
            referred.add(cut.sha256)
            referred.update(entry.sha256 for entry in manifest.archivos)
        for sha256 in list(self.store.stored()):
            if sha256 not in referred:
                self.store.drop(sha256)

    def require_space(self, needed: int) -> None:
        """Refuse to begin what would not fit, with a tenth to spare.

        Raises:
            DiscoError: too little is free.
        """
        require_free(self.workspace.folder, needed + needed // 10)


def _read(path: Path, limit: int) -> bytes:
    """The start of a file, or nothing where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(limit + 1)
    except OSError:
        return b""
