"""What the sweep found altered is put right: made again from what was received, hashed, and changed by one rename.

A content is one file shared by releases, so whoever writes into one of them writes into all and into the store. The
content is written anew, as another file, and each name is moved to it in one step: a request reads the altered file
or the good one, never part of each, and whoever still holds the old file open reaches nothing public.

What cannot be made again is withdrawn: that address answers 404 and everything else stays. Neither other way is open.
To go on serving it would publish what nobody signed; to show an older cut, or the page of espera, would take back or
blank good results for the sake of one file. It returns by itself when its original does.
"""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pregon.base.durable import disk_failure
from pregon.base.errors import DiscoError, HashError
from pregon.base.hashing import CHUNK, open_regular
from pregon.difusor.gemelos import file_decodes_to
from pregon.difusor.integridad.sellos import WRITERS, sha256_of
from pregon.difusor.objects import MODE, stamp_ns
from pregon.difusor.pointer import release_number
from pregon.difusor.release import files_under, folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.publish import Publisher
    from pregon.difusor.release import Plan

_logger = logging.getLogger(__name__)

Problema = Literal["falta", "sobra", "enlace", "especial", "tamaño", "permisos", "fecha", "contenido"]

MAX_EVENTS = 100
"""Altered files told one by one at a time; of more, how many."""

MAX_FOUND_BYTES = 64 << 20
"""What stands in a file's place is hashed for the record up to this size."""

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Pieza:
    """One file as it must be: its path, its content, the content's length; ``gemelo``: the suffix, where a twin."""

    path: Path
    sha256: str
    bytes: int
    gemelo: str = ""


@dataclass(frozen=True, slots=True)
class Hallazgo:
    """One thing that is not as it must be. ``pieza`` None: what must not be there, or a folder open to others."""

    path: Path
    problema: Problema
    pieza: Pieza | None = None


class Reposicion:
    """Puts right what is wrong in the public release of one workspace, and says so in the journal."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._workspace = publisher.workspace
        self._disk = publisher.disk
        self._store = publisher.store

    def put_right(
        self, cut: Aceptado, what: Plan, pieces: Iterable[Pieza], found: Sequence[Hallazgo], now: datetime
    ) -> set[str]:
        """Put right everything in ``found``; the contents that could not be made again are returned.

        ``pieces``: every file of the release, so that a content is changed under all its names.
        """
        facts = [self._facts(each) for each in found]
        wrong = [each.pieza for each in found if each.pieza is not None]
        before = {piece: _identity(self._store.path(piece.sha256, piece.gemelo)) for piece in wrong}
        for each in found:
            if each.pieza is None and each.problema == "permisos":
                close_to_others(each.path)
            elif each.pieza is None:
                self._disk.remove_tree(each.path)
        # Served with other bytes under the same time and length: the good file must not have that same ETag.
        lied = {each.pieza for each in found if each.pieza is not None and each.problema == "contenido"}
        lost = self._contents(wrong, lied, list(pieces), now)
        made = self._twins([piece for piece in wrong if piece.gemelo and piece.sha256 not in lost], lied, now)
        self._disk.sync_filesystem(self._workspace.folder)
        self._folders(what)
        contents = {piece.sha256 for piece in wrong if not piece.gemelo}
        for sha256 in lost:
            self._store.drop(sha256)
        for piece in (*pieces, *wrong):
            if piece.sha256 in lost or (piece.gemelo and made.get(piece) is False):
                self._disk.remove_tree(piece.path)
            elif piece in made or (piece.sha256 in contents and not piece.gemelo):
                self._link(piece)
        self._elsewhere({known: piece for piece, known in before.items() if known is not None}, lost)
        self._disk.sync_filesystem(self._workspace.folder)
        self._tell(cut, found, facts, lost, now)
        return lost

    def _contents(self, wrong: Iterable[Pieza], lied: set[Pieza], pieces: Sequence[Pieza], now: datetime) -> set[str]:
        """Have each content in the store, right and in a file that nobody else has open; what is lost is returned."""
        wanted = {piece.sha256: piece.bytes for piece in wrong if not piece.gemelo}
        bad = {_identity(piece.path) for piece in wrong}
        renewable = {piece.sha256 for piece in lied}
        missing: set[str] = set()
        renewed: set[str] = set()
        for sha256, size in wanted.items():
            stored = self._store.path(sha256)
            places = [piece.path for piece in pieces if piece.sha256 == sha256 and not piece.gemelo]
            if is_content(stored, sha256):
                if _identity(stored) not in bad and sha256 not in renewable:
                    continue  # Only a name of it was swapped.
                places.insert(0, stored)
            renewed.add(sha256)
            if not any(is_content(place, sha256) and self._copy(place, sha256, size) for place in places):
                self._disk.remove_tree(stored)
                missing.add(sha256)
        cuts = self._publisher.libro.cortes()
        for known in cuts:
            if known.sha256 in missing and self._manifest(known):
                missing.discard(known.sha256)
        lost = self._publisher.history.remake(missing, cuts, self._store) if missing else set()
        # Another ETag: whoever was given the wrong bytes asks for the right ones.
        later = (int(now.timestamp()) + 1) * _SECOND
        for sha256 in renewed - lost:
            _set_time(self._store.path(sha256), later + stamp_ns(sha256) % _SECOND)
        return lost

    def _manifest(self, cut: Aceptado) -> bool:
        """Store the manifest of a cut again: no archive holds it."""
        try:
            raw = self._publisher.manifest(cut)[1]
        except DiscoError:
            return False
        self._store.put(cut.sha256, len(raw), [raw])
        return True

    def _copy(self, source: Path, sha256: str, size: int) -> bool:
        stored = self._store.path(sha256)
        if stored.is_dir() and not stored.is_symlink():
            self._disk.remove_tree(stored)
        try:
            self._store.put(sha256, size, _chunks(source))
        except HashError:
            return False  # It changed while it was read.
        return True

    def _twins(self, twins: Iterable[Pieza], lied: set[Pieza], now: datetime) -> dict[Pieza, bool]:
        """Have each twin in the store, right; False for one that is not worth making."""
        made = {}
        for twin in twins:
            stored = self._store.path(twin.sha256, twin.gemelo)
            only_swapped = twin not in lied and _identity(stored) != _identity(twin.path)
            if not only_swapped or not is_twin(stored, twin.gemelo, self._store.path(twin.sha256)):
                self._disk.remove_tree(stored)
                self._store.complete_twins(twin.sha256)
                if stored.exists():
                    later = (int(now.timestamp()) + 1) * _SECOND
                    _set_time(stored, later + stored.stat().st_mtime_ns % _SECOND)
            made[twin] = stored.exists()
        return made

    def _folders(self, what: Plan) -> None:
        root = self._publisher.releases.folder(what.corte)
        for name in folders(what):
            folder = root / name
            if folder.is_symlink() or not folder.is_dir():
                self._disk.remove_tree(folder)
                self._disk.make_folder(folder)

    def _link(self, piece: Pieza) -> None:
        stored = self._store.path(piece.sha256, piece.gemelo)
        if piece.path.is_dir() and not piece.path.is_symlink():
            self._disk.remove_tree(piece.path)
        if _identity(piece.path) != _identity(stored):
            self._disk.link(stored, piece.path)

    def _elsewhere(self, replaced: Mapping[tuple[int, int], Pieza], lost: set[str]) -> None:
        """The same altered files under names of releases that are not public now."""
        for folder in sorted(self._workspace.cortes.iterdir()):
            if release_number(folder.name) is None or folder.is_symlink() or not folder.is_dir():
                continue
            for ruta in files_under(folder):
                path = folder / ruta
                known = _identity(path)
                piece = None if known is None else replaced.get(known)
                if piece is None:
                    continue
                stored = self._store.path(piece.sha256, piece.gemelo)
                if piece.sha256 in lost or not stored.exists():
                    self._disk.remove_tree(path)
                elif _identity(stored) != known:
                    self._disk.link(stored, path)

    def _facts(self, found: Hallazgo) -> dict[str, Any]:
        """What is known of one thing before it is touched: the line of the journal."""
        try:
            status = found.path.lstat()
        except OSError:
            status = None
        data: dict[str, Any] = {
            "ruta": str(found.path.relative_to(self._workspace.folder)),
            "problema": found.problema,
            "esperado": None if found.pieza is None or found.pieza.gemelo else found.pieza.sha256,
            "encontrado": None,
            "bytes": None if status is None else status.st_size,
        }
        if found.pieza is not None and found.pieza.gemelo:
            data["gemelo_de"] = found.pieza.sha256
        if status is not None and stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FOUND_BYTES:
            data["encontrado"] = sha256_of(found.path)
        return data

    def _tell(
        self,
        cut: Aceptado,
        found: Sequence[Hallazgo],
        facts: Sequence[Mapping[str, Any]],
        lost: set[str],
        now: datetime,
    ) -> None:
        libro = self._publisher.libro
        for each, data in list(zip(found, facts, strict=True))[:MAX_EVENTS]:
            done = "repuesto"
            if each.pieza is None and each.problema != "permisos":
                done = "quitado"
            elif each.pieza is not None and each.pieza.sha256 in lost:
                done = "retirado"
            _logger.warning("corte %d: %s: %s; %s", cut.corte, data["ruta"], each.problema, done)
            libro.evento("alterado", corte=cut.corte, hecho=done, **data)
        if len(found) > MAX_EVENTS:
            libro.evento("alterados", corte=cut.corte, total=len(found), retirados=len(lost))
        libro.alterar(now, facts[-1]["ruta"], len(found))


def is_content(path: Path, sha256: str) -> bool:
    """Whether a regular file with that content is at ``path``; it is hashed."""
    return sha256_of(path) == sha256


def is_twin(path: Path, suffix: str, content: Path) -> bool:
    """Whether ``path`` is a regular file with the mode of a content, and decodes to ``content``."""
    try:
        status = path.lstat()
        right = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == MODE
        return right and file_decodes_to(path, suffix, content)
    except OSError:
        return False


def close_to_others(path: Path) -> None:
    """Take back the permission to write from everybody but the owner.

    Raises:
        EscrituraError: the system refuses.
    """
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~WRITERS)
    except OSError as exc:
        disk_failure(exc, path)


def _chunks(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _set_time(path: Path, mtime_ns: int) -> None:
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
    except OSError as exc:
        disk_failure(exc, path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a name is; None where there is none, or where it is a folder."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return None if stat.S_ISDIR(status.st_mode) else (status.st_dev, status.st_ino)
