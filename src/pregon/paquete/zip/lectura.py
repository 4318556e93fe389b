"""Admits a zip, or refuses it, before one byte is inflated. The order of checks:

1. The tail: one end record at the very end, no comment, one disk, zip64 records where they must be, a directory of
   a size within the limits that ends where the end record begins.
2. The directory: as many entries as declared, nothing else.
3. Each entry: not encrypted, an allowed method, a regular file or a folder, an admitted name that is not there twice
   and collides with none, its size.
4. All entries together: total size. Then the ratio of each.
5. Each local header: it says what the directory says; extents follow one another from byte 0 to the directory, with
   nothing between them but data descriptors. (Python 3.11.7 and 3.12.1 accept overlapping members:
   ``dependencies.md`` §2.6.)

Only then come the members. Inflating (zlib-ng) is checked against the declared size as it goes, then against the CRC.
"""

from __future__ import annotations

import contextlib
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zlib_ng import zlib_ng

from pregon.paquete.errors import (
    CabeceraError,
    CifradoError,
    DatosError,
    DuplicadoError,
    EnlaceError,
    EspecialError,
    IlegibleError,
    MetodoError,
    NombreError,
    SobranteError,
    TamanoError,
    TraslapeError,
    TruncadoError,
)
from pregon.paquete.fuente import CHUNK, PIECE, Member, ReadingLimits, Source
from pregon.paquete.names import NameSet
from pregon.paquete.zip import formato as zipformat
from pregon.paquete.zip.formato import DEFLATED, STORED

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Sequence

    from pregon.paquete.zip.formato import Fields

_DESCRIPTOR_SIZES = (12, 16, 20, 24)
_DOS_FOLDER, _DOS_SPECIAL, _DOS_LINK = 0x10, 0x48, 0x400
"""Attributes of Windows: folder; volume label or device; reparse point."""


Lugar = tuple[bytes, int, int, bool, int, int]
"""Name, size, CRC, whether stored, packed size and place of a member: what ``ZipMember.at`` needs."""


@dataclass(frozen=True, slots=True)
class ZipMember(Member):
    """A member of a zip: stored or deflated."""

    _stored: bool
    _packed: int
    _start: int
    _source: Source = field(repr=False, compare=False)

    @property
    def suelto(self) -> bool:
        return True

    @property
    def lugar(self) -> Lugar:
        """Where it lies and what it declares, for ``at`` in another process."""
        return self._name, self.bytes, self.crc32, self._stored, self._packed, self._start

    @classmethod
    def at(cls, lugar: Lugar, source: Source) -> ZipMember:
        """The member of an archive that was admitted, and is opened again."""
        return cls(*lugar, source)

    def _pieces(self) -> Iterator[builtins.bytes]:
        return self._raw() if self._stored else self._inflated()

    def whole(self) -> tuple[builtins.bytes, builtins.bytes | None]:
        raw = self._source.read(self._start, self._packed)
        if self._stored:
            self._check(raw)
            return raw, None
        inflater = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
        try:
            # One byte more than declared: as ``_inflated``.
            content = inflater.decompress(raw, self.bytes + 1)
        except zlib_ng.error as exc:  # type: ignore[misc] # its stub says Exception, not a class
            raise self._invalid(exc) from exc
        self._check_end(inflater, more=len(content) > self.bytes)
        self._check(content)
        return content, raw

    def deflate(self) -> Iterator[builtins.bytes] | None:
        """The member's own deflate stream, unchecked, in pieces; None where it is stored."""
        return None if self._stored else self._raw()

    def _raw(self) -> Iterator[builtins.bytes]:
        offset, left = self._start, self._packed
        while left:
            piece = self._source.read(offset, min(left, CHUNK))
            offset += len(piece)
            left -= len(piece)
            yield piece

    def _inflated(self) -> Iterator[builtins.bytes]:
        inflater = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
        # One byte more than declared is enough to know that the size lies: no bomb is ever expanded.
        most = min(PIECE, self.bytes + 1)
        try:
            for raw in self._raw():
                if inflater.eof:
                    raise SobranteError(f"{self.shown} tiene bytes después del final de sus datos.")
                pending = raw
                while pending and not inflater.eof:
                    yield inflater.decompress(pending, most)
                    pending = inflater.unconsumed_tail
            # All input may be consumed while output waits inside.
            while not inflater.eof and (piece := inflater.decompress(b"", most)):
                yield piece
        except zlib_ng.error as exc:  # type: ignore[misc] # its stub says Exception, not a class
            raise self._invalid(exc) from exc
        self._check_end(inflater, more=False)

    def _check_end(self, inflater: Any, *, more: bool) -> None:
        """That the stream ends where the member does. ``more``: it gave too much already, which is said instead."""
        if not inflater.eof and not more:
            raise TruncadoError(f"Los datos comprimidos de {self.shown} están incompletos.")
        if inflater.unused_data:
            raise SobranteError(f"{self.shown} tiene bytes después del final de sus datos.")

    def _invalid(self, exc: Exception) -> DatosError:
        return DatosError(f"Los datos comprimidos de {self.shown} no son válidos: {exc}")


def admit_zip(source: Source, limits: ReadingLimits) -> list[Member]:
    """The regular files of a zip in the order of the directory, the whole of it admitted.

    Raises:
        ArchivoError: the first reason not to admit it, in the order of checks above.
    """
    tail = zipformat.read_tail(source.read, source.size, limits.directorio)  # 1
    limits.check_members(tail.entries)
    names = NameSet(limits.nombres)
    folders: set[str] = set()
    entries: list[Fields] = []
    for fields in zipformat.read_directory(source.read, tail, CHUNK):  # 2
        shown = ascii(fields.name[:120])[1:]
        folder = fields.name.endswith(b"/")
        _admit(fields, limits, shown, folder=folder)  # 3
        ruta = _name(fields, shown)
        if not folder:
            names.add_file(ruta)
        elif ruta in folders:
            raise DuplicadoError(f"La carpeta {shown} aparece dos veces.")
        else:
            folders.add(ruta)
            names.add_folder(ruta[:-1])
        entries.append(fields)
    del names, folders
    limits.check_total(sum(entry.size for entry in entries))  # 4
    for fields in entries:
        limits.check_ratio(fields.size, fields.packed, f"El miembro {ascii(fields.name[:120])[1:]}")
    return _members(source, entries, tail.directory)  # 5


def _admit(fields: Fields, limits: ReadingLimits, shown: str, *, folder: bool) -> None:
    if fields.flags & zipformat.ENCRYPTED:
        raise CifradoError(f"El miembro {shown} está cifrado.")
    if fields.method not in (STORED, DEFLATED) or fields.flags & zipformat.PATCHED:
        raise MetodoError(f"El miembro {shown} usa el método {fields.method}; se admiten 0 y 8.")
    if fields.disk:
        raise IlegibleError("El archivo está partido en varios volúmenes.")
    _admit_kind(fields.attributes, shown, folder=folder)
    if folder and (fields.size or fields.packed):
        raise TamanoError(f"La carpeta {shown} declara contenido.")
    limits.check_file(fields.size, shown)
    if fields.method == STORED and fields.size != fields.packed:
        raise TamanoError(f"El miembro {shown} está sin comprimir y declara dos tamaños.")
    limits.check_padding(fields.size, fields.packed, f"El miembro {shown}")


def _admit_kind(attributes: int, shown: str, *, folder: bool) -> None:
    kind = stat.S_IFMT(attributes >> 16)
    if kind == stat.S_IFLNK or attributes & _DOS_LINK:
        raise EnlaceError(f"El miembro {shown} es un enlace simbólico.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or attributes & _DOS_SPECIAL:
        raise EspecialError(f"El miembro {shown} no es un archivo regular ni una carpeta.")
    says_folder = kind == stat.S_IFDIR or bool(attributes & _DOS_FOLDER)
    if (says_folder and not folder) or (kind == stat.S_IFREG and folder):
        raise EspecialError(f"El miembro {shown} dice ser carpeta por un lado y archivo por el otro.")


def _name(fields: Fields, shown: str) -> str:
    if not fields.flags & zipformat.UTF8 and not fields.name.isascii():
        raise NombreError(f"El nombre {shown} no es ASCII y no declara UTF-8: cada programa leería otro nombre.")
    try:
        return fields.name.decode()
    except UnicodeDecodeError as exc:
        raise NombreError(f"El nombre {shown} declara UTF-8 y no lo es.") from exc


def _members(source: Source, entries: Sequence[Fields], directory: int) -> list[Member]:
    """The files, once their extents are known to fill the archive up to the directory without overlap."""
    starts = [0] * len(entries)
    position = 0
    previous: Fields | None = None
    for index in sorted(range(len(entries)), key=lambda n: entries[n].offset):
        fields = entries[index]
        _gap(source, previous, position, fields.offset)
        starts[index] = zipformat.read_local(source.read, fields, directory)
        position = starts[index] + fields.packed
        if position > directory:
            raise TraslapeError(f"El miembro {ascii(fields.name[:120])[1:]} se mete en el directorio del archivo.")
        previous = fields
    _gap(source, previous, position, directory)
    return [
        ZipMember(f.name, f.size, f.crc32, f.method == STORED, f.packed, start, source)
        for f, start in zip(entries, starts, strict=True)
        if not f.name.endswith(b"/")
    ]


def _gap(source: Source, previous: Fields | None, position: int, start: int) -> None:
    """Between the end of one member's data and what follows only its data descriptor may lie."""
    gap = start - position
    if gap < 0:
        raise TraslapeError("Dos miembros del archivo comparten bytes.")
    if previous is None or not previous.flags & zipformat.DESCRIPTOR:
        if gap:
            raise SobranteError(f"El archivo tiene {gap:,} bytes que no son de ningún miembro.")
        return
    shown = ascii(previous.name[:120])[1:]
    if gap not in _DESCRIPTOR_SIZES:
        raise SobranteError(f"Al miembro {shown} le siguen {gap:,} bytes ajenos.")
    with contextlib.suppress(ValueError):
        zipformat.check_descriptor(source.read(position, gap), previous)
        return
    raise CabeceraError(f"Las dos cabeceras del miembro {shown} no coinciden.")
