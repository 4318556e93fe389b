"""A verified target brought into a file of ours, going on from what came of it before.

What came stays beside the destination in a file named by the signed SHA-256, across attempts and restarts; its bytes
are hashed again before more are asked for. It is thrown away when the whole is not what was signed (then everything is
asked for once more, because a power cut may have spoiled what we kept), and when the disk needs its room.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
from typing import IO, TYPE_CHECKING

from pregon.base.durable import PARCIAL, disk_failure
from pregon.base.errors import AusenteError, HashError, RedError
from pregon.base.hashing import CHUNK, open_regular
from pregon.trust.orden import INTACTO
from pregon.trust.ritmo import Ritmo, time_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import TargetRef

_logger = logging.getLogger(__name__)

_KEPT = re.compile(rf"([0-9a-f]{{64}})(?:{re.escape(PARCIAL)})?")


def kept_sha256(name: str) -> str | None:
    """The SHA-256 of the target that a file of staging is, or will be; None where it is something else."""
    match = _KEPT.fullmatch(name)
    return None if match is None else match[1]


def kept_bytes(target: TargetRef, destination: Path) -> int:
    """How much of ``target`` is here already, judged by length."""
    for path in (destination, _partial(target, destination)):
        with contextlib.suppress(OSError):
            return min(path.lstat().st_size, target.bytes)
    return 0


def download(source: RepositorySource, target: TargetRef, destination: Path, clock: Clock) -> None:
    """Have ``target`` at ``destination``, asking only for what is missing. Raises as ``TrustClient.download``."""
    if _is_whole(target, destination):
        return
    partial = _partial(target, destination)
    while not _attempt(source, target, partial, clock):
        _logger.warning("«%s»: lo que se conservaba de otro intento no sirve; se pide completo", target.ruta)
    try:
        partial.replace(destination)
    except OSError as exc:
        disk_failure(exc, destination)


def _is_whole(target: TargetRef, destination: Path) -> bool:
    try:
        with open_regular(destination) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == target.sha256
    except OSError:
        return False


def _partial(target: TargetRef, destination: Path) -> Path:
    return destination.with_name(target.sha256 + PARCIAL)


def _attempt(source: RepositorySource, target: TargetRef, partial: Path, clock: Clock) -> bool:
    """Complete ``partial``; False where what was kept from before made it another thing than what was signed."""
    count = Cuenta(target)
    kept = 0
    keep = False
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(partial, flags, 0o600), "r+b") as file:
            kept = _hash_kept(file, count)
            if kept < target.bytes:
                paced = Ritmo(source, clock, time_for(target.bytes - kept))
                for piece in stream(paced, f"targets/{target.ruta}", desde=kept):
                    count.add(piece)
                    file.write(piece)
            count.check()
        keep = True
    except (RedError, KeyboardInterrupt, SystemExit):
        keep = count.bytes > 0
        raise
    except HashError:
        if kept == 0:
            raise
        return False
    except OSError as exc:
        disk_failure(exc, partial)
    finally:
        if not keep:
            with contextlib.suppress(OSError):
                partial.unlink()
    return True


def _hash_kept(file: IO[bytes], count: Cuenta) -> int:
    """Count what the file holds and stand at its end; more than the target has is no part of it."""
    if os.fstat(file.fileno()).st_size > count.target.bytes:
        file.truncate(0)
    while piece := file.read(CHUNK):
        count.add(piece)
    return count.bytes


class Cuenta:
    """Length and SHA-256 of what comes of a target, against what was signed."""

    def __init__(self, target: TargetRef) -> None:
        self.target = target
        self.bytes = 0
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            HashError: they are more than were signed.
        """
        self.bytes += len(piece)
        if self.bytes > self.target.bytes:
            raise altered(f"«{self.target.ruta}» mide más de los {self.target.bytes:,} bytes firmados")
        self._digest.update(piece)

    def check(self) -> None:
        """Judge the whole.

        Raises:
            RedError: it is not all here.
            HashError: it is another thing.
        """
        if self.bytes < self.target.bytes:
            raise RedError(
                f"«{self.target.ruta}» llegó incompleto: {self.bytes:,} de {self.target.bytes:,} bytes.",
                intacto=INTACTO,
                que_hacer="Puede ser una entrega a medias; se intentará de nuevo en el siguiente ciclo.",
            )
        if self._digest.hexdigest() != self.target.sha256:
            raise altered(f"«{self.target.ruta}» no tiene el SHA-256 firmado")


def stream(source: RepositorySource, ruta: str, *, desde: int = 0) -> Iterator[bytes]:
    """``source.stream`` of a file that must be there.

    Raises:
        AusenteError: it is not.
        RedError: as the source.
    """
    pieces = source.stream(ruta, desde=desde)
    if pieces is None:
        raise AusenteError(
            f"El origen no tiene «{ruta}».",
            intacto=INTACTO,
            que_hacer="Puede ser una entrega a medias o que el instituto aún no publique; se intentará de nuevo.",
        )
    return pieces


def altered(what: str) -> HashError:
    """The refusal of bytes that are not the signed ones."""
    return HashError(
        f"Lo recibido no es lo que el instituto firmó: {what}.",
        intacto=INTACTO,
        que_hacer="Se intentará de nuevo; si se repite, conserve el archivo como evidencia y avise al instituto.",
    )
