"""What every archive has, whatever its format: limits, an open file read at random, members checked as they come out.

``paquete.reading`` is the door; ``zip.lectura`` and ``siete.lectura`` admit each their format and give these values.
"""

from __future__ import annotations

import os
import stat
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zlib_ng import zlib_ng

from pregon.base.errors import EntradaError
from pregon.base.razones import razon
from pregon.paquete.errors import (
    ArchivoGrandeError,
    CrcError,
    IlegibleError,
    MiembrosError,
    RazonError,
    SobranteError,
    TamanoError,
    TotalError,
    TruncadoError,
)
from pregon.paquete.names import LIMITES, NameLimits

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

CHUNK = 1 << 18
"""How much compressed data is read at a time, in bytes."""
PIECE = 1 << 20
"""The most that a member gives at a time, in bytes."""
_SLACK = 1024
"""What packing a short content may cost, in bytes; the worst that honest deflate does to a long one is an eighth."""


@dataclass(frozen=True)
class ReadingLimits:
    """What a package may ask of the machine. Sizes in bytes; ``razon`` is unpacked size over packed size.

    ``directorio`` is the directory of a zip; ``cabecera`` the header of a 7z, once unpacked, which has to be held
    whole; ``diccionario`` what a 7z asks for to be unpacked. Together they keep reading under 128 MiB of memory. The
    ratio is judged on members and blocks above ``razon_desde``: an empty table of a first cut compresses well.
    """

    miembros: int = 100_000
    archivo: int = 4 << 30
    total: int = 16 << 30
    directorio: int = 24 << 20
    cabecera: int = 8 << 20
    diccionario: int = 64 << 20
    razon: int = 250
    razon_desde: int = 1 << 20
    nombres: NameLimits = LIMITES

    def check_members(self, count: int) -> None:
        """Refuse too many members, before any of them is looked at.

        Raises:
            MiembrosError: more than ``miembros``.
        """
        if count > self.miembros:
            raise MiembrosError(f"El archivo declara {count:,} miembros; el límite es {self.miembros:,}.")

    def check_file(self, size: int, shown: str) -> None:
        """Refuse one member by its declared size.

        Raises:
            ArchivoGrandeError: larger than ``archivo``.
        """
        if size > self.archivo:
            raise ArchivoGrandeError(f"El miembro {shown} mide {size:,} bytes; el límite es {self.archivo:,}.")

    def check_total(self, total: int) -> None:
        """Refuse what all members declare together.

        Raises:
            TotalError: larger than ``total``.
        """
        if total > self.total:
            raise TotalError(f"El archivo mide {total:,} bytes al abrirse; el límite es {self.total:,}.")

    def check_ratio(self, unpacked: int, packed: int, what: str) -> None:
        """Refuse an expansion that no honest package has.

        Raises:
            RazonError: more than ``razon`` times.
        """
        if unpacked > self.razon_desde and unpacked > self.razon * packed:
            raise RazonError(f"{what} declara una expansión de más de {self.razon} veces.")

    def check_padding(self, unpacked: int, packed: int, what: str) -> None:
        """Refuse packed data far larger than what comes out of them: bytes that nobody reads.

        Raises:
            SobranteError: more than a quarter larger.
        """
        if packed > unpacked + unpacked // 4 + _SLACK:
            raise SobranteError(f"{what} ocupa {packed:,} bytes y sólo contiene {unpacked:,}.")


class Source:
    """Random reading of one open archive; closed with the last member that uses it."""

    def __init__(self, archive: Path | BinaryIO) -> None:
        if isinstance(archive, Path):
            try:
                # Without waiting: a pipe without a writer would hold us for ever.
                descriptor = os.open(archive, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError as exc:
                raise EntradaError(
                    f"No se pudo abrir el archivo {archive}: {razon(exc)}",
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
        if offset + size > self.size:
            raise TruncadoError("El archivo termina antes de lo que declara.")
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                raise TruncadoError("El archivo termina antes de lo que declara.")
            data += more
        return data


@dataclass(frozen=True, slots=True)
class Member(ABC):
    """A regular file of an admitted archive. ``bytes`` and ``crc32`` are what it declares; ``open`` checks them."""

    # In UTF-8: one rare character makes a text of Python take four bytes for each of the others.
    _name: builtins.bytes
    bytes: int
    crc32: int = field(repr=False)

    @property
    def ruta(self) -> str:
        """Its path in the package, already admitted."""
        return self._name.decode()

    @property
    def shown(self) -> str:
        """Its path for a message, in ASCII."""
        return ascii(self.ruta)

    def open(self) -> Iterator[builtins.bytes]:
        """The content in pieces. The last one comes only if size and CRC are the declared ones.

        Raises:
            ArchivoError: ARCHIVO_DATOS, ARCHIVO_TRUNCADO, ARCHIVO_TAMANO, ARCHIVO_SOBRANTE or ARCHIVO_CRC. The pieces
                already given are not to be used.
        """
        crc = size = 0
        for piece in self._pieces():
            size += len(piece)
            if size > self.bytes:
                raise TamanoError(f"{self.shown} mide más de los {self.bytes:,} bytes que declara.")
            crc = zlib_ng.crc32(piece, crc)
            if size == self.bytes and crc != self.crc32:
                raise self._damaged()
            yield piece
        if size != self.bytes:
            raise TamanoError(f"{self.shown} mide {size:,} bytes y declara {self.bytes:,}.")
        if crc != self.crc32:
            raise self._damaged()

    def whole(self) -> tuple[builtins.bytes, builtins.bytes | None]:
        """The whole content, checked as ``open`` does, and its own deflate stream where it is packed so.

        The stream was inflated to that content here, so whoever wraps it has nothing to check. Both in memory: for
        members of at most ``PIECE`` bytes.

        Raises:
            ArchivoError: as ``open``.
        """
        return b"".join(self.open()), None

    def _check(self, content: builtins.bytes) -> None:
        if len(content) > self.bytes:
            raise TamanoError(f"{self.shown} mide más de los {self.bytes:,} bytes que declara.")
        if len(content) != self.bytes:
            raise TamanoError(f"{self.shown} mide {len(content):,} bytes y declara {self.bytes:,}.")
        if zlib_ng.crc32(content) != self.crc32:
            raise self._damaged()

    def _damaged(self) -> CrcError:
        return CrcError(f"El contenido de {self.shown} no coincide con su CRC: está dañado.")

    @property
    def suelto(self) -> bool:
        """Whether it is read by itself: in any order, and while another thread reads another."""
        return False

    @abstractmethod
    def _pieces(self) -> Iterator[builtins.bytes]:
        """What comes out of the archive, at most ``PIECE`` at a time, and not much more than ``bytes`` in all."""

    def deflate(self) -> Iterator[builtins.bytes] | None:
        """The member's own deflate stream, unchecked, in pieces; None where it is packed in another way.

        For making a ``.gz`` without compressing again (``gzip_twin``). Use it only after ``open`` ran to its end.
        """
        return None
