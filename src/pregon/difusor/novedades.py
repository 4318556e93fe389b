"""Where a difusor's new cuts come from: a signed repository, or the folder of an institute without Pregón.

The receiver knows neither: it asks for what is new, takes the archives of it and says that it was accepted.
"""

from __future__ import annotations

import contextlib
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pregon.base.errors import AjustesError, DiscoError, EntradaError
from pregon.base.razones import razon
from pregon.difusor.atento import Late, quieto
from pregon.transport.ajena import ForeignFolder
from pregon.transport.local import FolderSource
from pregon.trust.ajeno import ForeignClient
from pregon.trust.aviso import AVISO_MAX_BYTES
from pregon.trust.cliente import TrustClient
from pregon.trust.metadatos import TIMESTAMP
from pregon.trust.verified import Identity, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.publish import Publisher
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import Manifest
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import CutRef, Firmado, Novelty, TargetRef, VerifiedManifest

AJENO = "ajeno"
"""Folder of staging into which foreign packages are copied."""


class Novedades(Protocol):
    """A source of new cuts. One at a time: the caller holds ``opera.lock``."""

    @property
    def firmado(self) -> Firmado:
        """What the last verified signatures said besides cuts, although ``check`` refused the cut."""

    def read_notice(self, target: TargetRef) -> bytes:
        """The bytes of a notice of ``firmado``.

        Raises:
            HashError: it is not the verified one, or is larger than any notice.
            AusenteError, RedError: it does not come.
        """

    def check(self) -> Novelty:
        """Look once. A cut stays news until ``accept``.

        Raises:
            TrustError, ArchivoError, RedError: what is offered is refused, or cannot be read; nothing changed.
            DiscoError, EscrituraError: our own disk.
        """

    def download(self, target: TargetRef, destination: Path) -> None:
        """Put a verified archive of the last novelty at ``destination``: whole, or not there at all.

        Raises:
            HashError: it is not the verified one.
            AusenteError: the source does not have it.
            RedError: it does not come.
            DiscoError, EscrituraError: could not write.
        """

    def download_link(self, cut: CutRef, anterior: str, destination: Path) -> None:
        """Put at ``destination`` the manifest of a cut in the ``tramo`` of the last novelty, verified.

        ``anterior``: the SHA-256 of the manifest that it must name.

        Raises:
            TrustError, ArchivoError: it is not the one that was signed, or is not admitted.
            AusenteError, RedError, DiscoError, EscrituraError: as ``download``.
        """

    def accept(self, verified: VerifiedManifest) -> object:
        """Remember that it was accepted."""

    def close(self) -> None:
        """Let go of what is held open."""


class Firmadas:
    """The cuts of a signed repository. ``late`` is called with each piece of it that comes."""

    def __init__(self, client: TrustClient, source: RepositorySource, *, late: Late = quieto) -> None:
        self._client = client
        self._carrier = source
        self._source = _Oida(source, late)
        self.accept = client.accept

    @property
    def firmado(self) -> Firmado:
        """As ``Novedades``."""
        return self._client.firmado

    def read_notice(self, target: TargetRef) -> bytes:
        """As ``Novedades``."""
        return self._client.read(self._source, target, limit=AVISO_MAX_BYTES)

    def close(self) -> None:
        """As ``Novedades``: the connection of a carrier that keeps one."""
        if isinstance(self._carrier, contextlib.AbstractContextManager):
            self._carrier.__exit__(None, None, None)

    def check(self) -> Novelty:
        """As ``Novedades``."""
        return self._client.check(self._source)

    def download(self, target: TargetRef, destination: Path) -> None:
        """As ``Novedades``."""
        self._client.download(self._source, target, destination)

    def download_link(self, cut: CutRef, anterior: str, destination: Path) -> None:
        """As ``Novedades``."""
        self._client.download_link(self._source, cut, anterior, destination)


class _Oida:
    """A source whose pieces are heard as they come: what a long download has of progress."""

    def __init__(self, source: RepositorySource, late: Late) -> None:
        self._source = source
        self._late = late

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """As ``RepositorySource``."""
        pieces = self._source.stream(ruta, desde=desde)
        return None if pieces is None else self._heard(pieces)

    def _heard(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._late()
            yield piece


def open_news(publisher: Publisher, clock: Clock, *, late: Late = quieto) -> Novedades:
    """What the profile and the settings of a workspace say: its signed repository, or its foreign folder.

    ``late`` is called with each piece that comes from it.

    Raises:
        AjustesError: the root given by hand is of another convocatoria or ambiente, the clock is not allowed, or what
            opens a network origin cannot be used.
    """
    workspace = publisher.workspace
    check_origin(workspace)
    if workspace.settings.en_red:
        from pregon.transport.abre import open_source

        lugar = workspace.settings.lugar_origen
        source = open_source(lugar, folder=workspace.folder, clock=clock, environment=os.environ)
        return signed_news(publisher, source, clock, late=late)
    folder = workspace.settings.origin_folder(workspace.folder)
    if workspace.firmado:
        return signed_news(publisher, FolderSource(folder), clock, late=late)
    return ForeignClient(
        workspace.recepcion / AJENO,
        ForeignFolder(folder),
        call=workspace.convocatoria,
        ambiente=workspace.settings.ambiente,
        clock=clock,
        memory=memory_of(publisher.libro.cortes()),
        previous=_last_manifest(publisher),
        disk=publisher.disk,
        require_space=publisher.require_space,
    )


class Timbre:
    """Notices at once, between two looks, that another timestamp lies in the folder that a signed origin is.

    One ``lstat`` each time it is asked. A network origin and a foreign folder have no such file: it never rings.
    """

    def __init__(self, workspace: Workspace) -> None:
        settings = workspace.settings
        here = workspace.firmado and not settings.en_red
        self._path = settings.origin_folder(workspace.folder) / TIMESTAMP if here else None
        self._seen = self._look()

    def arm(self) -> None:
        """From now on it rings for whatever is put there."""
        self._seen = self._look()

    def rings(self) -> bool:
        """Whether it changed since ``arm``."""
        return self._look() != self._seen

    def _look(self) -> tuple[int, ...] | None:
        if self._path is None:
            return None
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def check_origin(workspace: Workspace) -> None:
    """That what is read over the network is signed: TLS says whom we talk to, not whose the package is.

    Raises:
        AjustesError: the profile says that nobody signs.
    """
    if workspace.settings.en_red and not workspace.firmado:
        raise AjustesError(
            f"El origen {workspace.settings.origen} se lee por la red y la convocatoria dice que el instituto no firma "
            f"(verificacion = {workspace.convocatoria.verificacion}).",
            intacto="No se leyó ni se publicó nada.",
            que_hacer="Sin firma sólo se recibe en una carpeta: use origen = «entrada», o la carpeta del instituto.",
        )


def signed_news(publisher: Publisher, source: RepositorySource, clock: Clock, *, late: Late = quieto) -> Firmadas:
    """The cuts of the repository behind ``source``, verified from the root of the workspace on.

    Raises:
        AjustesError: as ``open_news``.
        EntradaError: the root that was given by hand is not there any more.
    """
    workspace = publisher.workspace
    call = workspace.convocatoria
    client = TrustClient(
        workspace.confianza,
        root=_root(workspace),
        identity=Identity(call.id, call.instituto, workspace.settings.ambiente),
        clock=clock,
        memory=memory_of(publisher.libro.cortes()),
        disk=publisher.disk,
    )
    return Firmadas(client, source, late=late)


def _root(workspace: Workspace) -> bytes:
    try:
        return workspace.raiz.read_bytes()
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer la raíz de este difusor, {workspace.raiz}: {razon(exc)}.",
            intacto="Lo publicado sigue como estaba; sin ella no se comprueba ni se publica nada nuevo.",
            que_hacer="Copie ahí, con ese nombre, el root.json del instituto, comprobado por otro medio.",
        ) from exc


def memory_of(cuts: Sequence[Aceptado]) -> Memory:
    """What the verifier must know of the cuts accepted before."""
    if not cuts:
        return Memory()
    newest = cuts[-1]
    return Memory(
        corte=newest.corte,
        manifiesto_sha256=newest.sha256,
        hora_corte=newest.hora_corte,
        cortes=MappingProxyType({cut.corte: cut.sha256 for cut in cuts}),
    )


def _last_manifest(publisher: Publisher) -> Manifest | None:
    cut = publisher.libro.ultimo()
    if cut is None:
        return None
    try:
        return publisher.history.manifest(cut)[0]
    except DiscoError:
        return None
