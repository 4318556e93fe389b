"""Writes a zip whose bytes depend only on the names, the contents and the stamp. The only importer of stream_zip.

Names sorted, one fixed time (``hora_corte``), one fixed mode, deflate by zlib-ng at level 6 (``dependencies.md`` §4.1:
smaller than zlib 6 and 2.4 times as fast). Contents that are already compressed are stored.
"""

from __future__ import annotations

import stat
import zlib
from typing import TYPE_CHECKING, Any

from stream_zip import NO_COMPRESSION_32, NO_COMPRESSION_64, ZIP_32, ZIP_64, stream_zip
from zlib_ng import zlib_ng

from pregon.base.durable import Disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from pregon.paquete.tree import PackageTree

DEFLATE_LEVEL = 6
_MODE = stat.S_IFREG | 0o644
_ALREADY_COMPRESSED = (
    ".zip",
    ".7z",
    ".gz",
    ".br",
    ".zst",
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".woff2",
    ".xlsx",
    ".docx",
)
_ZIP32_BYTES = 0xFFFF_FFFF - (64 << 20)
"""Above this sum of sizes zip64 is used throughout; the margin covers headers and the worst deflate."""
_ZIP32_MEMBERS = 0xFFFF


def write_zip(
    target: Path, tree: PackageTree, rutas: Iterable[str], *, stamp: datetime, disk: Disk | None = None
) -> None:
    """Write the files ``rutas`` of ``tree`` to ``target``: whole and durable, or not at all.

    The same names, contents and ``stamp`` (aware) give the same bytes. Members are regular files, mode 0644.

    Raises:
        ComprobacionError: a file of the tree changed after it was added.
        DiscoError, EscrituraError: ``target`` cannot be written; what was there stays.
    """
    (disk or Disk()).write(target, zip_chunks(tree, rutas, stamp=stamp))


def zip_chunks(tree: PackageTree, rutas: Iterable[str], *, stamp: datetime) -> Iterator[bytes]:
    """The bytes that ``write_zip`` writes, in pieces."""
    names = sorted(rutas)
    total = sum(tree.entry(ruta).bytes for ruta in names)
    large = total > _ZIP32_BYTES or len(names) >= _ZIP32_MEMBERS
    members = ((ruta, stamp, _MODE, _method(tree, ruta, large=large), tree.chunks(ruta)) for ruta in names)
    yield from stream_zip(
        members,
        chunk_size=1 << 18,
        get_compressobj=_deflate,
    )


def _deflate() -> Any:
    return zlib_ng.compressobj(level=DEFLATE_LEVEL, wbits=-zlib_ng.MAX_WBITS)


def _method(tree: PackageTree, ruta: str, *, large: bool) -> Any:
    entry = tree.entry(ruta)
    if not ruta.lower().endswith(_ALREADY_COMPRESSED):
        return ZIP_64 if large else ZIP_32
    crc = 0
    for chunk in tree.chunks(ruta):
        crc = zlib.crc32(chunk, crc)
    return (NO_COMPRESSION_64 if large else NO_COMPRESSION_32)(entry.bytes, crc)
