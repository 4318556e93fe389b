"""``historico/NNNN``: what was received, as received. The rename that puts a folder here is the acceptance of its cut.

Where a cut came by the changes of several, those of the cuts in between lie in its ``cadena/MMMM``, each with the
manifest that says which path each content is: those cuts were never accepted, and only serve to make this one.
Everything public can be made again from here: the manifests say which content each path is, the archives hold it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import ArchivoError, DiscoError, HashError, PregonError
from pregon.base.hashing import open_regular, sha256_bytes, sha256_file
from pregon.base.jsonio import canonical_json
from pregon.difusor.aceptado import Aceptado, parse_recibo
from pregon.difusor.pointer import release_name, release_number
from pregon.difusor.unpack import make, recipes_in
from pregon.paquete.errors import DiferenciaError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, Manifest, parse_manifest
from pregon.paquete.names import MANIFIESTO
from pregon.paquete.reading import EXTENSIONES, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pregon.difusor.caminos import Recibido
    from pregon.difusor.objects import ObjectStore
    from pregon.paquete.receta import Recipe

RECIBO = "recibo.json"
CADENA = "cadena"
"""Folder of a cut with what was received of the cuts in between."""
MANIFIESTOS = 4
"""How many are kept parsed: a national one takes 0.15 s to parse and some 8 MiB."""
ALTERADO = ".alterado"
"""Suffix of an original that is no longer what was received."""


class History:
    """The originals of one workspace."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._parsed: dict[str, Manifest] = {}
        """By SHA-256, the last that were asked for: each cut asks several times for those of the cuts before it."""

    def folder(self, corte: int) -> Path:
        """Where the originals of a cut lie, or would."""
        return self._folder / release_name(corte)

    def prepare(self, cut: Aceptado, raw: bytes, came: Recibido) -> Path:
        """Gather the originals of a cut under a provisional name, by rename from staging; not accepted yet."""
        final = self.folder(cut.corte)
        provisional = final.with_name(final.name + PARCIAL)
        self._disk.remove_tree(provisional)
        self._disk.make_folder(provisional, mode=0o700)
        for link in (link for way in came.caminos for link in way):
            folder = provisional
            if link.corte is not None:
                folder = provisional / CADENA / release_name(link.corte.corte)
                self._disk.make_folder(folder, mode=0o700)
                self._disk.replace(came.staged(link.corte.manifiesto), folder / MANIFIESTO)
            self._disk.replace(came.staged(link.archivo), folder / link.archivo.nombre)
        self._disk.create(provisional / MANIFIESTO, raw)
        self._disk.create(provisional / RECIBO, canonical_json(cut.to_json()))
        return provisional

    def accept(self, provisional: Path) -> None:
        """Give the gathered originals their name. Everything of the cut must be on disk (one sync before)."""
        self._disk.replace(provisional, provisional.with_name(provisional.name.removesuffix(PARCIAL)))

    def add(self, corte: int, name: str, archive: Path) -> None:
        """Add another archive of an accepted cut (the whole one, where ``historial`` asks for it)."""
        self._disk.replace(archive, self.folder(corte) / name)

    def accepted(self) -> tuple[Aceptado, ...]:
        """The records of every cut here, oldest first."""
        found = []
        for path in sorted(self._folder.iterdir()):
            if release_number(path.name) is None:
                continue
            record = self.recibo(int(path.name))
            if record is not None and release_name(record.corte) == path.name:
                found.append(record)
        return tuple(found)

    def manifest(self, cut: Aceptado) -> tuple[Manifest, bytes]:
        """The manifest of an accepted cut and its exact bytes, hashed again.

        Raises:
            DiscoError: it is not there, or is not the one that was accepted.
        """
        path = self.folder(cut.corte) / MANIFIESTO
        try:
            with open_regular(path) as file:
                raw = file.read(MANIFEST_MAX_BYTES + 1)
            if sha256_bytes(raw) == cut.sha256:
                return self._parse(cut.sha256, raw), raw
            problem = "no es el que se aceptó"
            cause: Exception | None = None
        except (OSError, PregonError) as exc:
            problem, cause = str(exc), exc
        raise DiscoError(
            f"El manifiesto guardado del corte {cut.corte} está dañado: {problem}.",
            intacto="Lo publicado sigue como estaba.",
            que_hacer="Revise el disco. El siguiente corte completo repondrá lo que falte.",
        ) from cause

    def _parse(self, sha256: str, raw: bytes) -> Manifest:
        parsed = self._parsed.pop(sha256, None) or parse_manifest(raw)
        self._parsed[sha256] = parsed
        while len(self._parsed) > MANIFIESTOS:
            del self._parsed[next(iter(self._parsed))]
        return parsed

    def restore_manifest(self, cut: Aceptado, raw: bytes) -> None:
        """Put back the manifest of an accepted cut; ``raw`` must have its hash."""
        path = self.folder(cut.corte) / MANIFIESTO
        if path.is_dir() and not path.is_symlink():
            self._disk.remove_tree(path)
        self._disk.write(path, raw)

    def set_aside_wrong(self, cut: Aceptado) -> tuple[str, ...]:
        """Give another name to the archives of a cut that are no longer the signed ones, and say which they are.

        They stay as evidence, are not read again, and no longer stand in the way of a good copy.
        """
        wrong = self.wrong(cut)
        for path in wrong:
            self._disk.replace(path, path.with_name(path.name + ALTERADO))
        return tuple(path.name for path in wrong)

    def wrong(self, cut: Aceptado) -> list[Path]:
        """The archives of a cut that are no longer the signed ones: each is hashed again."""
        signed = {ref.nombre: ref.sha256 for ref in cut.archivos}
        return [
            path
            for path in self.archives(cut.corte)
            if path.is_symlink() or signed.get(path.name, sha256_file(path)) != sha256_file(path)
        ]

    def archives(self, corte: int) -> tuple[Path, ...]:
        """The archives kept of a cut, the smallest first; those of the cuts in between left out."""
        return _archives_in(self.folder(corte))

    def weight(self, corte: int) -> int:
        """Bytes of everything that is kept of a cut; 0 where there is nothing."""
        return sum(path.lstat().st_size for path in self.files(corte))

    def files(self, corte: int) -> tuple[Path, ...]:
        """Everything that is kept of a cut, those of the cuts in between too; in order."""
        folders = (self.folder(corte), *self._chain_folders(corte))
        return tuple(path for folder in folders for path in _files_in(folder))

    def state(self, cuts: Iterable[Aceptado]) -> list[tuple[Path, int, int]]:
        """The archives kept of some cuts, with length and time: equal while nobody changes them."""
        kept = [
            path
            for cut in cuts
            for folder in (self.folder(cut.corte), *self._chain_folders(cut.corte))
            for path in _archives_in(folder)
        ]
        return [(path, path.lstat().st_size, path.lstat().st_mtime_ns) for path in kept]

    def remake(self, wanted: set[str], cuts: Sequence[Aceptado], store: ObjectStore) -> set[str]:
        """Make again, from the originals, the contents ``wanted``; what could not be made is returned.

        Newest cut first. Each content is hashed as it is written. Where a cut brought only a recipe for a content, what
        it begins from is sought in the cuts before, and the recipes are followed from the oldest on.
        """
        missing = set(wanted)
        recipes: list[tuple[Recipe, Manifest]] = []
        for manifest, archives in self._layers(cuts):
            if not missing:
                break
            for archive in archives:
                self._remake_from(archive, manifest, missing, store)
            for archive in archives:
                for recipe in _recipes(archive, manifest, missing):
                    missing.discard(recipe.destino.sha256)
                    recipes.append((recipe, manifest))
                    if not store.intact(recipe.base_sha256):
                        store.drop(recipe.base_sha256)
                        missing.add(recipe.base_sha256)
        for recipe, manifest in reversed(recipes):
            try:
                made = make(recipe, manifest, store)
            except DiferenciaError:
                made = False
            if not made:
                missing.add(recipe.destino.sha256)
        return missing & wanted

    def recibo(self, corte: int) -> Aceptado | None:
        """The record that lies with the originals of a cut; None where there is none that can be read."""
        try:
            return parse_recibo((self.folder(corte) / RECIBO).read_bytes())
        except OSError:
            return None

    def broken_chain(self, cut: Aceptado) -> bool:
        """Whether what lies in ``cadena`` does not lead, manifest by manifest, down from the one of the cut."""
        expected = self.manifest(cut)[0].anterior
        for folder in self._chain_folders(cut.corte):
            raw = _read_manifest(folder / MANIFIESTO)
            if sha256_bytes(raw) != expected:
                return True
            expected = parse_manifest(raw).anterior
        return False

    def _layers(self, cuts: Sequence[Aceptado]) -> Iterator[tuple[Manifest, tuple[Path, ...]]]:
        """Manifest and archives of each cut, newest first, and after each those of the cuts in between that it has.

        Which manifest each of these must be, the one after it says.
        """
        for cut in sorted(cuts, key=lambda known: known.corte, reverse=True):
            try:
                manifest, _ = self.manifest(cut)
            except DiscoError:
                continue
            yield manifest, self.archives(cut.corte)
            for folder in self._chain_folders(cut.corte):
                raw = _read_manifest(folder / MANIFIESTO)
                if sha256_bytes(raw) != manifest.anterior:
                    break
                manifest = parse_manifest(raw)
                yield manifest, _archives_in(folder)

    def _chain_folders(self, corte: int) -> list[Path]:
        """Those of the cuts in between that a cut brought, newest first."""
        try:
            found = [path for path in (self.folder(corte) / CADENA).iterdir() if release_number(path.name) is not None]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def _remake_from(self, archive: Path, manifest: Manifest, missing: set[str], store: ObjectStore) -> None:
        entries = {entry.ruta: entry for entry in manifest.archivos if entry.sha256 in missing}
        if not entries:
            return
        try:
            for member in members(archive):
                entry = entries.get(member.ruta)
                if entry is not None and entry.sha256 in missing:
                    store.put(entry.sha256, entry.bytes, member.open())
                    missing.discard(entry.sha256)
        except (ArchivoError, HashError):
            # A damaged original: another archive may still hold what is missing.
            return


def _recipes(archive: Path, manifest: Manifest, missing: set[str]) -> list[Recipe]:
    try:
        return recipes_in(archive, manifest, missing)
    except ArchivoError:
        # A damaged original: another archive may still hold what is missing.
        return []


def _read_manifest(path: Path) -> bytes:
    """Its bytes; nothing where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(MANIFEST_MAX_BYTES + 1)
    except OSError:
        return b""


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_symlink() or not path.is_dir())
    except OSError:
        return []


def _archives_in(folder: Path) -> tuple[Path, ...]:
    try:
        found = [path for path in folder.iterdir() if path.suffix in EXTENSIONES and path.is_file()]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: (path.stat().st_size, path.name)))
