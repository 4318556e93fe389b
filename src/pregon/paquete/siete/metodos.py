"""A cursor over the header of a 7z, and the methods that a block may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from pregon.paquete.errors import CabeceraError, CifradoError, IlegibleError, MetodoError, SobranteError

COPY, LZMA, LZMA2, DELTA, X86 = b"\x00", b"\x03\x01\x01", b"\x21", b"\x03", b"\x03\x03\x01\x03"
_X86_SHORT = b"\x04"
_COMPRESSORS, _FILTERS = (COPY, LZMA, LZMA2), (DELTA, X86, _X86_SHORT)
_ENCRYPTION = b"\x06\xf1"
_MAX_CODERS, _MAX_STREAMS, _MAX_PROPERTIES = 32, 32, 64


@dataclass(frozen=True, slots=True)
class Coder:
    """A method and its properties, as the header has them."""

    method: bytes
    properties: bytes


class Cursor:
    """A place in the header; nothing is read beyond its end."""

    def __init__(self, data: bytes | memoryview, position: int = 0) -> None:
        self._data = memoryview(data)
        self._position = position

    def take(self, size: int) -> memoryview:
        if size > self.size():
            raise IlegibleError("La cabecera del 7z termina antes de lo que declara.")
        self._position += size
        return self._data[self._position - size : self._position]

    def size(self) -> int:
        """Bytes left."""
        return len(self._data) - self._position

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """An integer of 1 to 9 bytes: the high bits of the first say how many follow."""
        first = self.byte()
        extra = 8 - (first ^ 0xFF).bit_length()
        high = first & (0x7F >> extra)
        return int.from_bytes(self.take(extra), "little") | high << 8 * extra

    def part(self, size: int) -> Cursor:
        """A cursor over the next ``size`` bytes, which are taken."""
        return Cursor(self.take(size))

    def bits(self, count: int) -> list[bool]:
        packed = self.take((count + 7) // 8)
        return [bool(packed[index >> 3] & 0x80 >> (index & 7)) for index in range(count)]

    def maybe_bits(self, count: int) -> list[bool]:
        """Bits, or one byte that says that all are set."""
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[int | None]:
        return [self.uint32() if there else None for there in self.maybe_bits(count)]

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def here(self) -> None:
        """Refuse what lies in another stream instead of here."""
        if self.byte():
            raise CabeceraError("La cabecera del 7z trae partes fuera de ella.")

    def expect(self, kind: int) -> None:
        found = self.byte()
        if found != kind:
            raise CabeceraError(f"La cabecera del 7z trae {found:#x} donde se esperaba {kind:#x}.")

    def finish(self) -> None:
        if self.size():
            raise SobranteError(f"La cabecera del 7z trae {self.size():,} bytes de más.")


def read_coders(reader: Cursor) -> tuple[Coder, ...]:
    """The coders of one block: the filter first and the compressor after it, whatever their order in the header."""
    count = reader.number()
    if not 0 < count <= _MAX_CODERS:
        malformed()
    coders = []
    simple = True
    inputs = outputs = 0
    for _ in range(count):
        flags = reader.byte()
        method = bytes(reader.take(flags & 0x0F))
        wide = (reader.number(), reader.number()) if flags & 0x10 else (1, 1)
        if max(wide) > _MAX_STREAMS or flags & 0xC0:
            malformed()
        inputs, outputs = inputs + wide[0], outputs + wide[1]
        simple = simple and wide == (1, 1)
        size = reader.number() if flags & 0x20 else 0
        if size > _MAX_PROPERTIES:
            malformed()
        coders.append(Coder(method, bytes(reader.take(size))))
    if any(coder.method.startswith(_ENCRYPTION) for coder in coders):
        raise CifradoError("El 7z está cifrado.")
    if not simple or count > 2 or not all(coder.method in (*_COMPRESSORS, *_FILTERS) for coder in coders):
        names = " ".join(coder.method.hex() for coder in coders)
        raise MetodoError(f"El 7z usa un método que no se admite ({names}).")
    if count == 1 and coders[0].method in _COMPRESSORS:
        return (coders[0],)
    # One more coder, and it must take what the compressor gives; the only stream that is left is the packed one.
    if count == 1:
        raise MetodoError("El 7z usa un filtro sin compresor.")
    taker, giver = reader.number(), reader.number()
    if {taker, giver} != {0, 1}:
        malformed()
    outer, inner = coders[taker], coders[giver]
    if outer.method not in _FILTERS or inner.method != LZMA2:
        raise MetodoError("El 7z combina dos métodos que no se admiten juntos.")
    return outer, inner


def malformed() -> NoReturn:
    raise IlegibleError("La cabecera del 7z no se puede leer.")
