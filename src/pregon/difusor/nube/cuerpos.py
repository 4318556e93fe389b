"""The bytes that travel for an object: a content of the store, its twin or a page of ours; checked before they go."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.errors import DiscoError
from pregon.base.hashing import sha256_bytes
from pregon.difusor.gemelos import GZ, compress_gzip, gunzipped_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.difusor.nube.plan import Objeto
    from pregon.difusor.objects import ObjectStore

PARTE_BYTES = 8 << 20
"""Longer bodies go in parts of this length, read from the disk as they go."""
GRANDE_BYTES = 1 << 20
GRANDES = 2
"""Contents above ``GRANDE_BYTES`` that are in memory at once: so a run holds some 100 MiB, however long the release."""


@dataclass(frozen=True)
class Cuerpo:
    """What travels for one object: bytes, or the file of a long one. ``etag``: what S3 makes of it, MD5 or of parts."""

    datos: bytes | Path
    bytes: int
    etag: str

    def md5(self) -> str:
        """MD5 of all of it."""
        if isinstance(self.datos, bytes):
            return str(_md5(self.datos).hexdigest())
        with self.datos.open("rb") as file:
            return hashlib.file_digest(file, _md5).hexdigest()


class Cuerpos:
    """Makes them; any number of threads may ask at once."""

    def __init__(self, store: ObjectStore, nombre: str) -> None:
        """``nombre``: the target's, for refusals."""
        self._store = store
        self._nombre = nombre
        self._own: dict[str, bytes] = {}
        self._few = threading.BoundedSemaphore(GRANDES)

    def propia(self, raw: bytes) -> str:
        """Take a page of the difusor's own, which is no content of the store; its SHA-256."""
        sha256 = sha256_bytes(raw)
        self._own[sha256] = raw
        return sha256

    def olvida(self) -> None:
        """Drop the pages of the difusor's own."""
        self._own.clear()

    def tamanos(self, wanted: Iterable[str]) -> dict[str, int]:
        """Bytes of each content.

        Raises:
            DiscoError: one is not there.
        """
        try:
            return {sha256: os.lstat(self._store.name(sha256)).st_size for sha256 in wanted}
        except OSError as exc:
            raise self._lost(Path(exc.filename or "").name) from exc

    def lee(self, path: Path) -> bytes:
        """A small file.

        Raises:
            DiscoError: it cannot be read.
        """
        try:
            return path.read_bytes()
        except OSError as exc:
            raise self._lost(path.name) from exc

    @contextmanager
    def de(self, one: Objeto) -> Iterator[Cuerpo]:
        """What travels for an object, checked to be, or to hold, the content of its SHA-256; few long ones at once.

        A text goes as the twin that the store has; only where it has none yet, or half of one, is it compressed here.

        Raises:
            DiscoError: our own copy of it is damaged or not there.
        """
        if one.bytes <= GRANDE_BYTES:
            yield self._make(one)
            return
        with self._few:
            yield self._make(one)

    def _make(self, one: Objeto) -> Cuerpo:
        own = self._own.get(one.sha256)
        if own is not None:
            return _of_bytes(compress_gzip(own) if one.codificacion else own)
        if one.codificacion is not None:
            return _of_bytes(self._twin(one.sha256))
        return self._plain(one)

    def _twin(self, sha256: str) -> bytes:
        try:
            twin = self._store.path(sha256, GZ).read_bytes()
        except OSError:
            twin = b""
        # One that another thread is making is not whole yet; one that was altered holds something else.
        return twin if gunzipped_sha256(io.BytesIO(twin)) == sha256 else compress_gzip(self._checked(sha256))

    def _checked(self, sha256: str) -> bytes:
        content = self.lee(self._store.path(sha256))
        if sha256_bytes(content) != sha256:
            raise self._lost(sha256)
        return content

    def _plain(self, one: Objeto) -> Cuerpo:
        if one.bytes <= PARTE_BYTES:
            return _of_bytes(self._checked(one.sha256))
        path = self._store.path(one.sha256)
        digest = hashlib.sha256()
        parts = []
        try:
            with path.open("rb") as file:
                while piece := file.read(PARTE_BYTES):
                    digest.update(piece)
                    parts.append(_md5(piece).digest())
        except OSError as exc:
            raise self._lost(one.sha256) from exc
        if digest.hexdigest() != one.sha256:
            raise self._lost(one.sha256)
        return Cuerpo(path, one.bytes, f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}")

    def _lost(self, what: str) -> DiscoError:
        return DiscoError(
            f"No se publicó en «{self._nombre}»: el contenido {what} de este difusor falta o está dañado.",
            intacto="Ahí cada página sigue entera, la de antes o la nueva.",
            que_hacer="Revise el disco; lo público se repone del histórico y se intentará de nuevo.",
        )


def _of_bytes(data: bytes) -> Cuerpo:
    return Cuerpo(data, len(data), str(_md5(data).hexdigest()))


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data, usedforsecurity=False)  # what S3 tells its objects apart with; signatures are elsewhere
