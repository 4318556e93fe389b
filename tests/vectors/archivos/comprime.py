"""Compressed data made bit by bit: the same bytes on every machine, whatever its zlib or liblzma.

No real compressor is asked, since its output changes from version to version and the index lists SHA-256.
"""

from __future__ import annotations

import struct


def deflate_stored(data: bytes) -> bytes:
    """A deflate stream whose blocks hold ``data`` as it is."""
    blocks = [data[n : n + 0xFFFF] for n in range(0, len(data), 0xFFFF)] or [b""]
    return b"".join(
        struct.pack("<BHH", n == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for n, block in enumerate(blocks)
    )


def deflate_zeros(size: int) -> bytes:
    """A deflate stream of ``size`` zeros (one and a multiple of 258): 1,032 to 1, the most that deflate can expand."""
    matches, rest = divmod(size - 1, 258)
    if rest:
        raise ValueError("one zero and whole matches")
    # Written from the lowest bit. Last block, own codes: 286 literals and lengths, 1 distance, 18 lengths of lengths.
    head = "1" + "01" + "10111" + "00000" + "0111"
    # Lengths are told with 18 (many zeros): 0, 1: 10 and 2: 11.
    lengths = "000" * 2 + "100" + "000" * 12 + "010" + "000" + "010"
    # 0 has two bits, 1 to 255 none, 256 two, 257 to 284 none, 285 (length 258) one; distance 1 has one.
    told = "11" + "0" + "1111111" + "0" + "0101011" + "11" + "0" + "1000100" + "10" + "10"
    bits = head + lengths + told + "10" + "00" * matches + "11"
    bits += "0" * (-len(bits) % 8)
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little")


def lzma2_stored(data: bytes) -> bytes:
    """An LZMA2 stream whose chunks hold ``data`` as it is."""
    chunks = [data[n : n + 0x10000] for n in range(0, len(data), 0x10000)]
    body = b"".join(struct.pack(">BH", 1 if n == 0 else 2, len(chunk) - 1) + chunk for n, chunk in enumerate(chunks))
    return body + b"\0"


class _RangeEncoder:
    """The range coder of LZMA with adaptive bits, by name."""

    def __init__(self) -> None:
        self._low, self._range = 0, 0xFFFF_FFFF
        self._cache, self._pending = 0, 1
        self._odds: dict[object, int] = {}
        self._out = bytearray()

    def bit(self, name: object, value: int) -> None:
        odds = self._odds.get(name, 1024)
        bound = (self._range >> 11) * odds
        if value:
            self._low += bound
            self._range -= bound
            self._odds[name] = odds - (odds >> 5)
        else:
            self._range = bound
            self._odds[name] = odds + ((2048 - odds) >> 5)
        while self._range < 1 << 24:
            self._range = self._range << 8 & 0xFFFF_FFFF
            self._shift()

    def tree(self, name: str, value: int, width: int) -> None:
        node = 1
        for place in reversed(range(width)):
            self.bit((name, node), value >> place & 1)
            node = node << 1 | value >> place & 1

    def _shift(self) -> None:
        if self._low < 0xFF00_0000 or self._low > 0xFFFF_FFFF:
            carry = self._low >> 32
            for _ in range(self._pending):
                self._out.append((self._cache + carry) & 0xFF)
                self._cache = 0xFF
            self._pending = 0
            self._cache = self._low >> 24 & 0xFF
        self._pending += 1
        self._low = (self._low & 0x00FF_FFFF) << 8

    def finish(self) -> bytes:
        for _ in range(5):
            self._shift()
        return bytes(self._out)


def lzma_zeros(size: int) -> bytes:
    """A bare LZMA stream (lc=0 lp=0 pb=0: properties byte 0) of ``size`` zeros: one and a multiple of 273."""
    matches, rest = divmod(size - 1, 273)
    if rest:
        raise ValueError("one zero and whole matches")
    coder = _RangeEncoder()
    state = 0
    coder.bit(("match", state), 0)
    coder.tree("literal", 0, 8)
    for _ in range(matches):
        coder.bit(("match", state), 1)
        coder.bit(("repeat", state), 0)
        coder.bit("long", 1)
        coder.bit("longest", 1)
        coder.tree("length", 273 - 2 - 16, 8)
        coder.tree("slot", 0, 6)
        state = 7 if state < 7 else 10
    return coder.finish()
