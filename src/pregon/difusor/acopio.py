"""Gets what a verified cut brings into the store, by the fewest bytes that will do.

Two ways lead to a cut: its whole archive, or the archives of changes of every cut since the last accepted, in order,
each with the manifest of its own cut. The signed list says what each weighs, less what is here already from an attempt
that the link cut. Where the source lacks a file of one way, or contents are missing after it, the other is taken in the
same pass; what is refused is told, and the next pass begins by the other way.

Staging holds archives and manifests under their SHA-256. They stay there only when the link fails.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING

from pregon.base.errors import ArchivoError, AusenteError, HashError, PregonError, RedError, TrustError
from pregon.difusor.caminos import Recibido, ways
from pregon.difusor.unpack import missing, recipes_in, unpack
from pregon.paquete.manifest import parse_manifest
from pregon.trust.descarga import kept_bytes, kept_sha256
from pregon.trust.oferta import split_archives

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pregon.difusor.caminos import Camino, Eslabon
    from pregon.difusor.novedades import Novedades
    from pregon.difusor.publish import Publisher
    from pregon.paquete.manifest import Manifest
    from pregon.trust.verified import TargetRef, VerifiedManifest

_logger = logging.getLogger(__name__)


def _names(found: Iterable[Camino]) -> set[str]:
    return {ref.sha256 for way in found for link in way for ref in link.archivos}


class Acopio:
    """Brings cuts into the store of one workspace."""

    def __init__(self, publisher: Publisher, news: Novedades) -> None:
        self._publisher = publisher
        self._news = news
        self._folder = publisher.workspace.recepcion
        self._refused: set[str] = set()
        self._hopeless: dict[str, PregonError] = {}
        """Archives that are what was signed and cannot be admitted: to bring them again would not change it."""

    def bring(self, verified: VerifiedManifest) -> Recibido:
        """Have every content of ``verified`` in the store.

        Raises:
            TrustError, ArchivoError: something of the way taken is refused; the store is as it was.
            RedError: the link failed; what came stays in staging for the next attempt.
            DiscoError, EscrituraError: our own disk.
        """
        offered = _names(ways(verified))
        self.clear(keep=offered)
        needed = missing(verified.manifest, self._publisher.store)
        came = Recibido(self._folder, nuevos=frozenset(needed))
        absent: AusenteError | None = None
        for way in self._in_order(verified, needed) if needed else ():
            try:
                self._take(way, verified, needed)
            except AusenteError as exc:
                _logger.info("corte %04d: %s Se toma otro camino", verified.manifest.corte, exc.que_paso)
                absent = exc
                continue
            needed = {sha256: size for sha256, size in needed.items() if not self._publisher.store.has(sha256, size)}
            if way[0].archivo == split_archives(verified.archives)[0]:
                came = dataclasses.replace(came, caminos=())  # The whole archive has everything of the cut.
            came = dataclasses.replace(came, caminos=(*came.caminos, way))
            if not needed:
                break
        if not needed:
            return came
        if absent is not None:
            # A stick that was pulled out has nothing either: what it gave serves when it is back.
            self.clear(keep=offered - _names(came.caminos))
            raise absent
        self.clear()
        raise HashError(
            f"Al corte {verified.manifest.corte} le faltan {len(needed)} contenidos que su manifiesto lista.",
            intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
            que_hacer="Pida al instituto que vuelva a enviar el corte completo.",
        )

    def fetch(self, target: TargetRef) -> Path:
        """Have one verified archive in staging. Raises as ``Novedades.download``."""
        destination = self._folder / target.sha256
        self._news.download(target, destination)
        return destination

    def clear(self, *, keep: set[str] | None = None) -> None:
        """Remove from staging what came of any target but those."""
        for path in sorted(self._folder.iterdir()):
            sha256 = kept_sha256(path.name)
            if sha256 is not None and sha256 not in (keep or ()):
                self._publisher.disk.remove_tree(path)

    def undo(self, came: Recibido) -> None:
        """Take back what came for a cut that could not be kept, so that it comes again with its archives."""
        for sha256 in came.nuevos:
            self._publisher.store.drop(sha256)

    def forget(self) -> None:
        """A cut was accepted: what was refused on the way to it is of no more use."""
        self._refused.clear()
        self._hopeless.clear()

    def _in_order(self, verified: VerifiedManifest, needed: dict[str, int]) -> list[Camino]:
        """The ways that will do, those with something refused last, then the fewest bytes that are left to ask for.

        Raises:
            TrustError, ArchivoError: each has an archive that was not admitted before.
        """
        whole = split_archives(verified.archives)[0]
        chain = self._changes_suffice(verified, set(needed))
        found = [way for way in ways(verified) if chain or way[0].archivo == whole]
        errors = {way: self._hopeless_in(way) for way in found}
        hopeful = [way for way in found if errors[way] is None]
        if found and not hopeful:
            error = next(error for error in errors.values() if error is not None)
            raise error.with_traceback(None)
        return sorted(hopeful, key=lambda way: (self._is_refused(way), self._left(way)))

    def _hopeless_in(self, way: Camino) -> PregonError | None:
        return next(
            (self._hopeless[link.archivo.sha256] for link in way if link.archivo.sha256 in self._hopeless), None
        )

    def _is_refused(self, way: Camino) -> bool:
        return not self._refused.isdisjoint(_names((way,)))

    def _left(self, way: Camino) -> int:
        return sum(ref.bytes - kept_bytes(ref, self._folder / ref.sha256) for link in way for ref in link.archivos)

    def _changes_suffice(self, verified: VerifiedManifest, needed: set[str]) -> bool:
        """Whether everything that the store lacks is newer than the last accepted, so that changes bring it."""
        before = self._publisher.libro.ultimo()
        if before is None or verified.tramo is None:
            return False
        try:
            previous, _ = self._publisher.history.manifest(before)
        except PregonError:
            return False
        return needed.isdisjoint(entry.sha256 for entry in previous.archivos)

    def _take(self, way: Camino, verified: VerifiedManifest, needed: dict[str, int]) -> None:
        try:
            self._require_space(self._left(way), sum(needed.values()))
            self._download(way)
            self._unpack(way, verified.manifest, set(needed))
        except RedError:
            raise
        except PregonError:
            self.clear()
            raise

    def _require_space(self, left: int, needed: int) -> None:
        """For the whole way at once, with what unpacking leaves free: nothing comes that could not be used."""
        self._publisher.require_space(left + 2 * needed)
        self._publisher.store.require_space(left + needed)

    def _download(self, way: Camino) -> None:
        """Manifests first: they are small, and one that is not there shows that this way is not offered."""
        before = self._publisher.libro.ultimo()
        anterior = "" if before is None else before.sha256
        for link in way:
            if link.corte is not None:
                manifest = link.corte.manifiesto
                with self._blaming(manifest):
                    self._news.download_link(link.corte, anterior, self._folder / manifest.sha256)
                anterior = manifest.sha256
        for link in way:
            with self._blaming(link.archivo):
                self.fetch(link.archivo)

    def _unpack(self, way: Camino, newest: Manifest, wanted: set[str]) -> None:
        """Of the cuts in between only what the newest needs, and what its recipes, and theirs, begin from."""
        store = self._publisher.store
        for link in reversed(way[1:]):
            with self._blaming(link.archivo, for_good=True):
                found = recipes_in(self._folder / link.archivo.sha256, self._manifest(link, newest), wanted)
            wanted.update(recipe.base_sha256 for recipe in found)
        new = wanted - store.listed()
        try:
            for link in way:
                with self._blaming(link.archivo, for_good=True):
                    unpack(self._folder / link.archivo.sha256, self._manifest(link, newest), store, wanted)
        except BaseException:
            for sha256 in new:
                store.drop(sha256)
            raise

    def _manifest(self, link: Eslabon, newest: Manifest) -> Manifest:
        """Read again each time: those of a long chain are not all held in memory."""
        if link.corte is None:
            return newest
        return parse_manifest((self._folder / link.corte.manifiesto.sha256).read_bytes())

    @contextlib.contextmanager
    def _blaming(self, target: TargetRef, *, for_good: bool = False) -> Iterator[None]:
        try:
            yield
        except (TrustError, ArchivoError) as exc:
            self._refused.add(target.sha256)
            if for_good:
                self._hopeless[target.sha256] = exc
            raise
