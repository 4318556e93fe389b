"""Verifies for somebody who keeps nothing: the checks of a difusor, and then every cut of the list and what it brings.

The order, which ``verifica.py`` repeats:

A. The earlier copy, where one is given: all the checks of a difusor (``cliente``); what it accepts is remembered.
B. The metadata: checks 1 and 3 to 11 of ``docs/verificacion.md``, against the root given and that memory.
C. Each cut of the list, the newest first: its manifest (12 and 13), its place in the chain (14), that it brings an
   archive (15), then each archive by size and SHA-256, then each content of each archive against the manifest.

A and B stop at the first refusal: without them nothing is proved. C goes on, so that everything that fails is named;
the verdict is the first failure found.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pregon.base.errors import CadenaError, EntradaError, PregonError, RedError
from pregon.base.hashing import sha256_bytes
from pregon.paquete import contenido
from pregon.paquete.contenido import Falla, Revision
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, FileEntry, Manifest, parse_manifest
from pregon.paquete.reading import EXTENSIONES
from pregon.trust import orden
from pregon.trust.cliente import TrustClient, root_identity
from pregon.trust.metadatos import ROOT_MAX_BYTES
from pregon.trust.verified import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pregon.base.clock import Clock
    from pregon.trust.origen import RepositorySource
    from pregon.trust.prueba import Listing
    from pregon.trust.verified import CutRef, Identity, TargetRef

FIRST_ROOT = "metadata/1.root.json"


@dataclass(frozen=True)
class Cotejo:
    """A repository as it was found: the signed list and what reading every cut gave."""

    listing: Listing
    newest: Manifest | None
    revision: Revision


class Examinador:
    """A verifier whose state lives in a private temporary folder while it is entered; afterwards nothing is left."""

    def __init__(self, root: bytes, *, clock: Clock) -> None:
        """``root`` are the bytes of the ``root.json`` that is trusted; its own claim says whose cuts are expected.

        Raises:
            FirmaError: it is not a root.
        """
        self.identity: Identity = root_identity(root)
        self._root = root
        self._clock = clock
        self._folder = tempfile.TemporaryDirectory(prefix="pregon-")
        self._client = self._new_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def _new_client(self) -> TrustClient:
        return TrustClient(
            Path(self._folder.name), root=self._root, identity=self.identity, clock=self._clock, memory=Memory()
        )

    def remember(self, source: RepositorySource) -> None:
        """Step A: accept the newest cut of an earlier copy, as a difusor that saw it would have.

        Raises:
            PregonError: what ``TrustClient.check`` raises.
        """
        verified = self._client.check(source).verified
        if verified is not None:
            self._client.accept(verified)

    def listing(self, source: RepositorySource) -> Listing:
        """Step B.

        Raises:
            TrustError, RedError: the metadata are not accepted; nothing is proved.
        """
        found = self._client.listing(source)
        if self._client.memory.corte is not None:
            # What was remembered stands in for a document that did not change: this copy must have its own.
            with Examinador(self._root, clock=self._clock) as fresh:
                fresh.listing(source)
        return found

    def manifest(self, source: RepositorySource, cut: CutRef, listing: Listing) -> Manifest:
        """The manifest of a cut of the list, from the same source: checks 12 to 15.

        Raises:
            PregonError: what ``TrustClient.check`` raises from there on.
        """
        if cut.manifiesto.bytes > MANIFEST_MAX_BYTES:
            raise ManifiestoError(
                f"El manifiesto mide {cut.manifiesto.bytes:,} bytes; el límite es {MANIFEST_MAX_BYTES:,}."
            )
        raw = self._client.read(source, cut.manifiesto, limit=MANIFEST_MAX_BYTES)
        return self.follows(parse_manifest(raw), cut, listing)

    def follows(self, manifest: Manifest, cut: CutRef, listing: Listing) -> Manifest:
        """Checks 13 to 15 of a manifest whose bytes are the ones that the list signs; gives it back.

        Raises:
            TrustError: another identity, out of the chain, or a cut without archives.
        """
        orden.check_identity(self.identity, orden.identity_of(manifest), where="según el manifiesto firmado")
        memory = self._client.memory
        news = memory.corte is None or cut.corte > memory.corte
        orden.check_chain(manifest, cut, listing.cuts, memory if news and cut is listing.newest else Memory())
        if not cut.archives:
            raise CadenaError(
                f"El corte {cut.corte} se firmó sin ningún archivo que abrir.",
                intacto=contenido.INTACTO,
                que_hacer="Avise al instituto: el corte debe volver a generarse y firmarse.",
            )
        return manifest

    def review(self, source: RepositorySource, opened: Callable[[TargetRef], Path | None]) -> Cotejo:
        """Steps B and C; ``opened`` gives the file of an archive that can be opened where it is, or None.

        Raises:
            TrustError, RedError: step B refused.
        """
        listing = self.listing(source)
        newest: Manifest | None = None
        total = Revision()
        for cut in reversed(listing.cuts):
            try:
                manifest = self.manifest(source, cut, listing)
            except PregonError as exc:
                total += Revision(1, 0, (Falla(cut.manifiesto.ruta, exc),))
                continue
            newest = manifest if cut is listing.newest else newest
            total += Revision(1, cut.manifiesto.bytes)
            for target in cut.archives:
                total += _review_target(source, target, manifest, opened(target))
        return Cotejo(listing, newest, total)


def _review_target(source: RepositorySource, target: TargetRef, manifest: Manifest, path: Path | None) -> Revision:
    entry = FileEntry(target.ruta, target.bytes, target.sha256)

    found = contenido.review_files([entry], lambda _: _whole(source, target))
    if found.fallas or path is None or not target.nombre.endswith(EXTENSIONES):
        return found
    return found + contenido.review_archive(path, manifest)


def _whole(source: RepositorySource, target: TargetRef) -> Iterator[bytes]:
    """The pieces of a file of the list; RED where it is not there or ends too soon, as a copy that was interrupted."""
    pieces = source.stream(f"targets/{target.ruta}")
    size = 0
    for piece in pieces or ():
        size += len(piece)
        yield piece
    if size < target.bytes:
        what = "no está" if pieces is None else f"llegó incompleto: {size:,} de {target.bytes:,} bytes"
        raise RedError(
            f"«targets/{target.ruta}», que la lista firmada nombra, {what}.",
            intacto=contenido.INTACTO,
            que_hacer="Puede ser una copia a medias: cópielo completo y repita la orden.",
        )


def match(listing: Listing, raw: bytes, number: int) -> CutRef:
    """The cut of the signed list whose manifest these bytes are.

    Raises:
        HashError: the list has no such manifest under that number.
    """
    cut, digest = listing.cut(number), sha256_bytes(raw)
    if cut is None:
        newest = "ninguno" if listing.newest is None else str(listing.newest.corte)
        raise contenido.different(
            f"La lista firmada no tiene el corte {number} (su último es {newest}): nada prueba que sea del instituto."
        )
    if cut.manifiesto.sha256 != digest:
        raise contenido.different(
            f"El manifiesto del corte {number} no es el que el instituto firmó: tiene {digest} y se firmó "
            f"{cut.manifiesto.sha256}."
        )
    return cut


def own_root(source: RepositorySource) -> bytes:
    """The first root that a repository brings itself: good for seeing that it agrees with itself, for nothing else.

    Raises:
        EntradaError: it has none.
        RedError: the source failed.
    """
    data = b""
    for piece in source.stream(FIRST_ROOT) or ():
        data += piece
        if len(data) > ROOT_MAX_BYTES:
            break
    if not data or len(data) > ROOT_MAX_BYTES:
        raise EntradaError(
            f"El repositorio no trae «{FIRST_ROOT}».",
            intacto=contenido.INTACTO,
            que_hacer="Dé con --raiz el root.json que publicó el instituto.",
        )
    return data
