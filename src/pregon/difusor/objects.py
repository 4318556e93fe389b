"""Every content once, by its SHA-256: ``objetos/ab/<sha256>``, read-only, with ``.gz``, ``.br`` and ``.zst`` twins.

The modification time is chosen, because web servers make ETags of time and size (docs/adr/0003): its seconds and its
nanoseconds come from the content's own SHA-256, and are long past. Two contents of one size never share an ETag at one
address, and one content has the same ETag at every difusor.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import HashError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.base.space import RESERVA, SpaceWatch, require_free
from pregon.difusor.gemelos import GZ, TWINS, compress, compress_gzip, decoded_matches, file_decodes_to
from pregon.paquete.names import MANIFIESTO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MODE = 0o444
MAX_TWIN_BYTES = 32 << 20
"""Contents above this get no twin: it is made in memory."""

MIN_TWIN_BYTES = 128
"""Below this a twin saves nothing."""

_COMPRESSIBLE = frozenset(
    {".html", ".htm", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".csv", ".xml", ".webmanifest"}
)
_DEEP = 4
"""Folders above a file of ``datos/NNNN/<contienda>/<nivel>/``: one of hundreds of its kind, and thousands in all."""
_NANO = 1_000_000_000
_FIRST_S = 86_400
"""Caddy makes no ETag of the first seconds of 1970."""
_SECONDS = 1 << 29


def compressible(ruta: str) -> bool:
    """Whether the file's name says that a twin is worth making."""
    return ruta[ruta.rfind(".") :].lower() in _COMPRESSIBLE


def at_first_sight(ruta: str) -> bool:
    """Whether the crowd of a new cut asks for the file: its twins are made before the cut is public, others after.

    Pages, what they load, ``corte.json``, and of the data what is told once for each contest. Not the files of each
    unit or of some secciones, nor the manifest: most of all, of which a reader asks for one or none (ADR 0011).
    """
    return ruta != MANIFIESTO and not (ruta.startswith("datos/") and ruta.count("/") >= _DEEP)


def stamp_ns(sha256: str) -> int:
    """The modification time of a content, in nanoseconds since 1970: between 1970 and 1987, whatever the day.

    nginx makes its ETag of whole seconds, so these must tell contents apart by themselves. They are older than any date
    that a client may send, which nginx would compare, and than any clock: Apache says weak of a time still to come.
    """
    return (_FIRST_S + int(sha256[16:32], 16) % _SECONDS) * _NANO + int(sha256[:16], 16) % _NANO


class ObjectStore:
    """The contents of one workspace. Writes are durable after the next ``sync_filesystem``."""

    def __init__(self, folder: Path, disk: Disk, *, reserva: int = RESERVA) -> None:
        self._folder = folder
        self._disk = disk
        self._reserva = reserva
        self._watch = SpaceWatch(folder, reserva)
        self._folders: set[str] = set()
        """Those that are known to be there."""

    @property
    def heard(self) -> bool:
        """Whether somebody hears each step of its disk: then no other process may write here."""
        return self._disk.heard

    @property
    def lugar(self) -> tuple[Path, int]:
        """Its folder and the reserve it leaves: what another process needs to write here."""
        return self._folder, self._reserva

    def require_space(self, needed: int) -> None:
        """Refuse to begin what would not fit, leaving the reserve.

        Raises:
            DiscoError: too little is free.
        """
        require_free(self._folder, needed + self._reserva)

    def path(self, sha256: str, twin: str = "") -> Path:
        """Where the content (or its twin) lies, or would."""
        return self._folder / sha256[:2] / (sha256 + twin)

    def has(self, sha256: str, size: int) -> bool:
        """Whether the content is here, judged by its length."""
        try:
            return os.lstat(self.name(sha256)).st_size == size
        except OSError:
            return False

    def listed(self) -> set[str]:
        """Every name that there is here, twins too: to ask for many at once. Whole or not is for ``has`` to say."""
        found: set[str] = set()
        for folder in self._folder.iterdir():
            with os.scandir(folder) as entries:
                found.update(entry.name for entry in entries)
        return found

    def has_twin(self, sha256: str, twin: str) -> bool:
        """Whether the content's twin is here."""
        return os.path.lexists(self.name(sha256, twin))

    def name(self, sha256: str, twin: str = "") -> str:
        """``path`` as a text: asked some hundred thousand times a cut, it costs a tenth of a Path."""
        return f"{self._folder}/{sha256[:2]}/{sha256}{twin}"

    def intact(self, sha256: str) -> bool:
        """Whether the content is here and is what its name says: it is hashed again."""
        try:
            return sha256_file(self.path(sha256)) == sha256
        except OSError:
            return False

    def put(self, sha256: str, size: int, chunks: Iterable[bytes]) -> None:
        """Store a content.

        Raises:
            HashError: ``chunks`` are not the content of that hash and length; nothing stays.
            DiscoError: the disk is filling up; nothing stays.
        """
        path = self.path(sha256)
        if not path.parent.exists():
            self._disk.make_folder(path.parent)
        self._disk.create(path, _checked(chunks, sha256, size, self._watch), mode=MODE, mtime_ns=stamp_ns(sha256))

    def put_whole(self, sha256: str, content: bytes, twin: bytes | None) -> None:
        """Store a content that is in memory, and ``twin``: gzip of which the caller knows that it decodes to it.

        It is hashed before anything is written; what a killed process leaves shorter is not taken for it (``has``).
        Several threads may store different contents at the same time.

        Raises:
            HashError: it is not the content of that hash; nothing was written.
            DiscoError: the disk is filling up; nothing stays of what did not fit.
        """
        if sha256_bytes(content) != sha256:
            raise _not_listed(sha256)
        self._create(self.name(sha256), content, stamp_ns(sha256))
        if twin is not None and len(twin) < len(content) >= MIN_TWIN_BYTES:
            self._create(self.name(sha256, GZ), twin, stamp_ns(sha256_bytes(twin)))

    def put_deflated(self, sha256: str, content: bytes, twin: bytes) -> bool:
        """Make the ``.gz`` twin of a stored content: gzip of which the caller knows that it decodes to ``content``.

        Whether something was written: not where ``content`` is another one, nor where the twin is no smaller.
        """
        if not len(twin) < len(content) >= MIN_TWIN_BYTES or sha256_bytes(content) != sha256:
            return False
        self._create(self.name(sha256, GZ), twin, stamp_ns(sha256_bytes(twin)))
        return True

    def _create(self, name: str, data: bytes, mtime_ns: int) -> None:
        folder = name.rpartition("/")[0]
        if folder not in self._folders:
            self._disk.make_folder(Path(folder))
            self._folders.add(folder)
        self._watch.wrote(len(data))
        if not self._disk.create_new(name, data, mode=MODE, mtime_ns=mtime_ns):
            # Half of one, or a damaged one: replaced in one step.
            self._disk.create(Path(name), data, mode=MODE, mtime_ns=mtime_ns)

    def put_gz(self, sha256: str, wrapped: bytes | None) -> None:
        """Make the ``.gz`` twin: ``wrapped`` (the archive's own deflate stream as gzip) or compressed here.

        Only where it is smaller; a wrapped one is checked by inflating it.
        """
        if not self._twin_worth(sha256):
            return
        content = self.path(sha256).read_bytes()
        if wrapped is None or not decoded_matches(wrapped, GZ, content):
            wrapped = compress_gzip(content)
        self._put_twin(sha256, GZ, wrapped, len(content))

    def complete_twins(self, sha256: str) -> bool:
        """Make the twins that are not there, ``.br`` and ``.zst`` as a rule; whether something was written."""
        absent = [suffix for suffix in TWINS if not self.has_twin(sha256, suffix)]
        if not absent or not self._twin_worth(sha256):
            return False
        content = self.path(sha256).read_bytes()
        made = False
        for suffix in absent:
            made = self._put_twin(sha256, suffix, compress(content, suffix), len(content)) or made
        return made

    def _twin_worth(self, sha256: str) -> bool:
        try:
            return MIN_TWIN_BYTES <= os.lstat(self.name(sha256)).st_size <= MAX_TWIN_BYTES
        except OSError:
            return False

    def _put_twin(self, sha256: str, suffix: str, data: bytes, size: int) -> bool:
        if len(data) >= size:
            return False
        self._disk.create(self.path(sha256, suffix), data, mode=MODE, mtime_ns=stamp_ns(sha256_bytes(data)))
        return True

    def drop_wrong_twins(self, sha256: str) -> None:
        """Remove the twins of a content that do not decode to it."""
        for suffix in TWINS:
            path, content = self.path(sha256, suffix), self.path(sha256)
            if path.exists() and not (content.exists() and file_decodes_to(path, suffix, content)):
                self._disk.remove_tree(path)

    def drop(self, sha256: str) -> None:
        """Remove a content and its twins."""
        for suffix in ("", *TWINS):
            self._disk.remove_tree(self.path(sha256, suffix))

    def drop_doubtful_twins(self) -> None:
        """Remove the twins that no release names and are not their content: they were not on disk at the last sync."""
        for path in self._files():
            if path.suffix in TWINS and path.exists() and path.lstat().st_nlink == 1:
                self.drop_wrong_twins(path.stem)

    def drop_partial(self) -> None:
        """Remove what was being written when a process died."""
        for path in self._files():
            if path.name.endswith(PARCIAL):
                self._disk.remove_tree(path)

    def stored(self) -> Iterator[str]:
        """The SHA-256 of every content here."""
        for path in self._files():
            if "." not in path.name:
                yield path.name

    def _files(self) -> Iterator[Path]:
        for folder in sorted(self._folder.iterdir()):
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
            for name in names:
                yield folder / name


def _checked(chunks: Iterable[bytes], sha256: str, size: int, watch: SpaceWatch) -> Iterator[bytes]:
    digest = hashlib.sha256()
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            break
        digest.update(chunk)
        watch.wrote(len(chunk))
        yield chunk
    if seen != size or digest.hexdigest() != sha256:
        raise _not_listed(sha256)


def _not_listed(sha256: str) -> HashError:
    return HashError(
        f"Un contenido del paquete no es el que lista el manifiesto ({sha256}).",
        intacto="No se guardó ese contenido; lo publicado sigue como estaba.",
        que_hacer="Pida al instituto que vuelva a enviar el corte; conserve este archivo como evidencia.",
    )
