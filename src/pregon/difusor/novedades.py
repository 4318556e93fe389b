"""Where a difusor's new cuts come from: a signed repository, or the folder of an institute without Pregón.

The receiver knows neither: it asks for what is new, takes the archives of it and says that it was accepted.
"""

from __future__ import annotations

import contextlib
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pregon.base.errors import AjustesError, DiscoError
from pregon.transport.ajena import ForeignFolder
from pregon.transport.local import FolderSource
from pregon.trust.ajeno import ForeignClient
from pregon.trust.cliente import TIMESTAMP, TrustClient
from pregon.trust.verified import Identity, Memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.libro import Aceptado
    from pregon.difusor.publish import Publisher
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import Manifest
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import CutRef, Novelty, TargetRef, VerifiedManifest

AJENO = "ajeno"
"""Folder of staging into which foreign packages are copied."""


class Novedades(Protocol):
    """A source of new cuts. One at a time: the caller holds ``opera.lock``."""

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
    """The cuts of a signed repository."""

    def __init__(self, client: TrustClient, source: RepositorySource) -> None:
        self._client = client
        self._source = source
        self.accept = client.accept

    def close(self) -> None:
        """As ``Novedades``: the connection of a carrier that keeps one."""
        if isinstance(self._source, contextlib.AbstractContextManager):
            self._source.__exit__(None, None, None)

    def check(self) -> Novelty:
        """As ``Novedades``."""
        return self._client.check(self._source)

    def download(self, target: TargetRef, destination: Path) -> None:
        """As ``Novedades``."""
        self._client.download(self._source, target, destination)

    def download_link(self, cut: CutRef, anterior: str, destination: Path) -> None:
        """As ``Novedades``."""
        self._client.download_link(self._source, cut, anterior, destination)


def open_news(publisher: Publisher, clock: Clock) -> Novedades:
    """What the profile and the settings of a workspace say: its signed repository, or its foreign folder.

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
        return signed_news(publisher, source, clock)
    folder = workspace.settings.origin_folder(workspace.folder)
    if workspace.firmado:
        return signed_news(publisher, FolderSource(folder), clock)
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


def signed_news(publisher: Publisher, source: RepositorySource, clock: Clock) -> Firmadas:
    """The cuts of the repository behind ``source``, verified from the root of the workspace on.

    Raises:
        AjustesError: as ``open_news``.
    """
    workspace = publisher.workspace
    call = workspace.convocatoria
    client = TrustClient(
        workspace.confianza,
        root=workspace.raiz.read_bytes(),
        identity=Identity(call.id, call.instituto, workspace.settings.ambiente),
        clock=clock,
        memory=memory_of(publisher.libro.cortes()),
        disk=publisher.disk,
    )
    return Firmadas(client, source)


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
