"""Writes a zip whose bytes depend only on the names, the contents and the stamp.

Names sorted, one fixed time (``hora_corte``), one fixed mode. Members are copied as they were packed: our own container
because no library writes a member that is already deflated (docs/adr/0005); deflate itself is zlib-ng's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.hashing import CHUNK
from pregon.paquete.crudo import RawReader
from pregon.paquete.zip.escrito import Record, central_header, dos_stamp, end_records, local_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from pregon.paquete.crudo import Packed
    from pregon.paquete.tree import PackageTree


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
    return zip_of(((ruta, tree.packed(ruta)) for ruta in sorted(rutas)), stamp=stamp)


def zip_of(members: Iterable[tuple[str, Packed]], *, stamp: datetime) -> Iterator[bytes]:
    """A zip of ``members`` in the order given, in pieces; each is taken when those before it are written.

    Raises:
        ComprobacionError: the file of an ``Extent`` is not the one that was packed.
    """
    when = dos_stamp(stamp)
    directory: list[bytes] = []
    position = waiting = 0
    pieces: list[bytes] = []  # most members are small: they are given many at a time
    with RawReader() as reader:
        for ruta, packed in members:
            record = Record(ruta.encode(), packed.guardado, packed.crc32, packed.largo, packed.bytes, position)
            head = local_header(record, when)
            pieces.append(head)
            for piece in reader.raw(packed):
                pieces.append(piece)
                waiting += len(piece)
                if waiting >= CHUNK:
                    yield b"".join(pieces)
                    pieces.clear()
                    waiting = 0
            directory.append(central_header(record, when))
            position += len(head) + packed.largo
    yield b"".join(pieces)
    whole = b"".join(directory)
    yield whole
    yield end_records(miembros=len(directory), directorio=position, largo=len(whole))
