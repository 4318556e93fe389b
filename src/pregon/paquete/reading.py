"""Reads a zip that nobody vouches for: everything is admitted, or refused, before one byte is inflated.

The standard library reads the directory; the policy is ours. The order of checks:

1. The tail: one end record at the very end, no comment, one disk, zip64 records where they must be, a directory of
   a size within the limits that ends where the end record begins.
2. The directory, parsed by ``zipfile``: as many entries as declared.
3. Each entry: not encrypted, an allowed method, a regular file or a folder, an admitted name, sizes and ratio.
4. All entries together: no name twice or colliding, number, total size, total ratio.
5. Each local header: it says what the directory says; extents follow one another from byte 0 to the directory, with
   nothing between them but data descriptors. (Python 3.11.7 and 3.12.1 accept overlapping members:
   ``dependencies.md`` §2.6.)

Only then come the members. Inflating (isal) is checked against the declared size as it goes, then against the CRC.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import weakref
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from isal import igzip_lib, isal_zlib

from pregon.base.errors import EntradaError
from pregon.paquete import zipformat
from pregon.paquete.errors import (
    ArchivoGrandeError,
    CabeceraError,
    CifradoError,
    CrcError,
    DatosError,
    DuplicadoError,
    EnlaceError,
    EspecialError,
    IlegibleError,
    MetodoError,
    MiembrosError,
    NombreError,
    RazonError,
    SobranteError,
    TamanoError,
    TotalError,
    TraslapeError,
    TruncadoError,
)
from pregon.paquete.names import LIMITES, NameLimits, NameSet

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Sequence

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_CHUNK = 1 << 18
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, unknown system: the same bytes always."""
_DESCRIPTOR_SIZES = (12, 16, 20, 24)


@dataclass(frozen=True)
class ReadingLimits:
    """What a package may ask of the machine. Sizes in bytes; ``razon`` is unpacked size over packed size.

    The ratio is judged on members and totals above ``razon_desde``: an empty table of a first cut compresses well.
    """

    miembros: int = 200_000
    archivo: int = 4 << 30
    total: int = 16 << 30
    directorio: int = 64 << 20
    razon: int = 250
    razon_desde: int = 1 << 20
    nombres: NameLimits = LIMITES


class _Source:
    """Random reading of one open archive; closed with the last member that uses it."""

    def __init__(self, archive: Path | BinaryIO) -> None:
        if isinstance(archive, Path):
            try:
                descriptor = os.open(archive, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError as exc:
                raise EntradaError(
                    f"No se pudo abrir el archivo {archive}: {exc.strerror}",
                    intacto="No se cambió nada.",
                    que_hacer="Revise la ruta y los permisos.",
                ) from exc
        else:
            descriptor = os.dup(archive.fileno())
        weakref.finalize(self, os.close, descriptor)
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise IlegibleError("El archivo recibido no es un archivo regular.")
        self.size = status.st_size

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes from ``offset``.

        Raises:
            TruncadoError: the file ends before.
        """
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                raise TruncadoError("El archivo termina antes de lo que declara.")
            data += more
        return data

    def file(self) -> BinaryIO:
        """The archive as a file object of its own, to be closed by the caller."""
        return os.fdopen(os.dup(self._descriptor), "rb")


@dataclass(frozen=True)
class Member:
    """A regular file of an admitted archive. ``bytes`` and ``crc32`` are what it declares; ``open`` checks them.

    ``compressed_method`` is 0 (stored) or 8 (deflate); ``compressed_bytes`` the size inside the archive.
    """

    ruta: str
    bytes: int
    compressed_method: int
    compressed_bytes: int
    crc32: int
    _offset: int = field(repr=False)
    _source: _Source = field(repr=False, compare=False)

    def open(self) -> Iterator[builtins.bytes]:
        """The content in pieces. The last one comes only if size and CRC are the declared ones.

        Raises:
            ArchivoError: ARCHIVO_DATOS, ARCHIVO_TRUNCADO, ARCHIVO_TAMANO, ARCHIVO_SOBRANTE or ARCHIVO_CRC. The pieces
                already given are not to be used.
        """
        crc = size = 0
        pieces = self._raw() if self.compressed_method == STORED else self._inflated()
        for piece in pieces:
            size += len(piece)
            if size > self.bytes:
                raise TamanoError(f"{self._shown} mide más de los {self.bytes:,} bytes que declara.")
            crc = isal_zlib.crc32(piece, crc)
            if size == self.bytes and crc != self.crc32:
                raise CrcError(f"El contenido de {self._shown} no coincide con su CRC: está dañado.")
            yield piece
        if size != self.bytes:
            raise TamanoError(f"{self._shown} mide {size:,} bytes y declara {self.bytes:,}.")
        if crc != self.crc32:
            raise CrcError(f"El contenido de {self._shown} no coincide con su CRC: está dañado.")

    def deflate(self) -> Iterator[builtins.bytes] | None:
        """The member's own deflate stream, unchecked, in pieces; None when it is stored.

        For making a ``.gz`` without compressing again (``gzip_twin``). Use it only after ``open`` ran to its end.
        """
        return None if self.compressed_method == STORED else self._raw()

    @property
    def _shown(self) -> str:
        return ascii(self.ruta)

    def _raw(self) -> Iterator[builtins.bytes]:
        offset, left = self._offset, self.compressed_bytes
        while left:
            piece = self._source.read(offset, min(left, _CHUNK))
            offset += len(piece)
            left -= len(piece)
            yield piece

    def _inflated(self) -> Iterator[builtins.bytes]:
        inflater = isal_zlib.decompressobj(-15)
        # One byte more than declared is enough to know that the size lies: no bomb is ever expanded.
        most = min(_CHUNK * 4, self.bytes + 1)
        try:
            for raw in self._raw():
                if inflater.eof:
                    raise SobranteError(f"{self._shown} tiene bytes después del final de sus datos.")
                pending = raw
                while pending and not inflater.eof:
                    yield inflater.decompress(pending, most)
                    pending = inflater.unconsumed_tail
            # All input may be consumed while output waits inside.
            while not inflater.eof and (piece := inflater.decompress(b"", most)):
                yield piece
        except igzip_lib.IsalError as exc:  # type: ignore[misc] # its stub says Exception, not a class
            raise DatosError(f"Los datos comprimidos de {self._shown} no son válidos: {exc}") from exc
        if not inflater.eof:
            raise TruncadoError(f"Los datos comprimidos de {self._shown} están incompletos.")
        if inflater.unused_data:
            raise SobranteError(f"{self._shown} tiene bytes después del final de sus datos.")


def gzip_twin(member: Member) -> Iterator[bytes] | None:
    """A gzip file with the member's own deflate stream, without compressing again (design §3); None when stored.

    The bytes depend on the archive alone. Use it only after ``member.open()`` ran to its end.
    """
    stream = member.deflate()
    if stream is None:
        return None
    return _gzip(stream, member)


def _gzip(stream: Iterator[bytes], member: Member) -> Iterator[bytes]:
    yield _GZIP_HEADER
    yield from stream
    yield struct.pack("<II", member.crc32, member.bytes & 0xFFFF_FFFF)


def members(archive: Path | BinaryIO, limits: ReadingLimits | None = None) -> Iterator[Member]:
    """Admit ``archive`` and give its regular files in the order of the directory; nothing is inflated here.

    The whole archive is admitted before this returns. Members stay usable while they are kept: each holds the open
    file, which must not be written meanwhile (unpack only from our own copy). ``archive`` as a file must be a real
    one, with a descriptor.

    Raises:
        ArchivoError: the first reason not to admit it, in the order of checks above.
        EntradaError: ``archive`` cannot be opened.
    """
    limits = limits or ReadingLimits()
    source = _Source(archive)
    tail = zipformat.read_tail(source.read, source.size, limits.directorio)  # 1
    if tail.entries > limits.miembros:
        raise MiembrosError(f"El archivo declara {tail.entries:,} miembros; el límite es {limits.miembros:,}.")
    infos = _directory(source)  # 2
    if len(infos) != tail.entries:
        raise CabeceraError(f"El archivo declara {tail.entries:,} miembros y su directorio tiene {len(infos):,}.")
    names = NameSet(limits.nombres)
    seen: set[str] = set()
    for info in infos:
        _admit(info, limits)  # 3
        if info.orig_filename in seen:
            raise DuplicadoError(f"El nombre {info.orig_filename!a} aparece dos veces.")
        seen.add(info.orig_filename)
        if info.orig_filename.endswith("/"):
            names.add_folder(info.orig_filename[:-1])
        else:
            names.add_file(info.orig_filename)
    _admit_totals(infos, limits, source.size)  # 4
    starts = _extents(source, infos, tail.directory)  # 5
    return iter(
        [
            Member(i.orig_filename, i.file_size, i.compress_type, i.compress_size, i.CRC, start, source)
            for i, start in zip(infos, starts, strict=True)
            if not i.orig_filename.endswith("/")
        ]
    )


def _directory(source: _Source) -> list[zipfile.ZipInfo]:
    try:
        with source.file() as file, zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, struct.error, UnicodeDecodeError, ValueError, EOFError) as exc:
        raise IlegibleError(f"El directorio del archivo no se puede leer: {exc}") from exc


def _admit(info: zipfile.ZipInfo, limits: ReadingLimits) -> None:
    shown = ascii(info.orig_filename[:120])
    if info.flag_bits & zipformat.ENCRYPTED:
        raise CifradoError(f"El miembro {shown} está cifrado.")
    if info.compress_type not in (STORED, DEFLATED) or info.flag_bits & zipformat.PATCHED:
        raise MetodoError(f"El miembro {shown} usa el método {info.compress_type}; se admiten 0 y 8.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    folder = info.orig_filename.endswith("/")
    if kind == stat.S_IFLNK:
        raise EnlaceError(f"El miembro {shown} es un enlace simbólico.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise EspecialError(f"El miembro {shown} no es un archivo regular ni una carpeta.")
    if (kind == stat.S_IFDIR and not folder) or (kind == stat.S_IFREG and folder):
        raise EspecialError(f"El miembro {shown} dice ser carpeta por un lado y archivo por el otro.")
    if not info.flag_bits & zipformat.UTF8 and not info.orig_filename.isascii():
        raise NombreError(f"El nombre {shown} no es ASCII y no declara UTF-8: cada programa leería otro nombre.")
    if folder and (info.file_size or info.compress_size):
        raise TamanoError(f"La carpeta {shown} declara contenido.")
    if info.file_size > limits.archivo:
        raise ArchivoGrandeError(f"El miembro {shown} mide {info.file_size:,} bytes; el límite es {limits.archivo:,}.")
    if info.compress_type == STORED and info.file_size != info.compress_size:
        raise TamanoError(f"El miembro {shown} está sin comprimir y declara dos tamaños.")
    if info.file_size > limits.razon_desde and info.file_size > limits.razon * info.compress_size:
        raise RazonError(f"El miembro {shown} declara una expansión de más de {limits.razon} veces.")
    zipformat.check_extra(info.extra, shown)


def _admit_totals(infos: Sequence[zipfile.ZipInfo], limits: ReadingLimits, size: int) -> None:
    total = sum(info.file_size for info in infos)
    if total > limits.total:
        raise TotalError(f"El archivo mide {total:,} bytes al abrirse; el límite es {limits.total:,}.")
    if total > limits.razon_desde and total > limits.razon * size:
        raise RazonError(f"El archivo declara una expansión de más de {limits.razon} veces.")


def _extents(source: _Source, infos: Sequence[zipfile.ZipInfo], directory: int) -> list[int]:
    """Where each member's data begin. Members must fill the file up to the directory, without overlap."""
    starts = [0] * len(infos)
    position = 0
    previous: zipfile.ZipInfo | None = None
    for index in sorted(range(len(infos)), key=lambda n: infos[n].header_offset):
        info = infos[index]
        _gap(source, previous, position, info.header_offset)
        local = zipformat.read_local(source.read, info, directory)
        starts[index] = local
        position = local + info.compress_size
        if position > directory:
            raise TraslapeError(f"El miembro {info.orig_filename[:120]!a} se mete en el directorio del archivo.")
        previous = info
    _gap(source, previous, position, directory)
    return starts


def _gap(source: _Source, previous: zipfile.ZipInfo | None, position: int, start: int) -> None:
    """Between the end of one member's data and what follows only its data descriptor may lie."""
    gap = start - position
    if gap < 0:
        raise TraslapeError("Dos miembros del archivo comparten bytes.")
    described = previous is not None and bool(previous.flag_bits & zipformat.DESCRIPTOR)
    if previous is None or not described:
        if gap:
            raise SobranteError(f"El archivo tiene {gap:,} bytes que no son de ningún miembro.")
        return
    if gap not in _DESCRIPTOR_SIZES:
        raise SobranteError(f"Al miembro {previous.orig_filename[:120]!a} le siguen {gap:,} bytes ajenos.")
    with contextlib.suppress(ValueError):
        zipformat.check_descriptor(source.read(position, gap), previous)
        return
    raise CabeceraError(f"Las dos cabeceras del miembro {previous.orig_filename[:120]!a} no coinciden.")
