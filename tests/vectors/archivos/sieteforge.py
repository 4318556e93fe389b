"""Builds 7z archives by hand, field by field, so that a test can lie in any of them. Without changes they are honest.

One block with all contents, one after the other. Layout: ``DOC/7zFormat.txt`` of the LZMA SDK.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

REGULAR = 0o100644 << 16 | 0x8020
FOLDER = 0o40755 << 16 | 0x8010


def num(value: int) -> bytes:
    """A number as 7z writes it: the high bits of the first byte say how many follow."""
    for extra in range(8):
        if value < 1 << 7 * (extra + 1):
            mask = 0xFF00 >> extra & 0xFF
            return bytes([mask | value >> 8 * extra]) + (value & (1 << 8 * extra) - 1).to_bytes(extra, "little")
    return b"\xff" + value.to_bytes(8, "little")


def coder(method: bytes, properties: bytes | None = None, *, flags: int = 0) -> bytes:
    """One method of a block."""
    head = len(method) | flags | (0x20 if properties is not None else 0)
    return bytes([head]) + method + (b"" if properties is None else num(len(properties)) + properties)


COPY = num(1) + coder(b"\0")


def bits(values: list[bool]) -> bytes:
    text = "".join("01"[value] for value in values)
    return int((text + "0" * (-len(text) % 8)) or "0", 2).to_bytes((len(text) + 7) // 8, "big")


def part(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + num(len(body)) + body


@dataclass
class Siete:
    """An archive. ``items``: name to content, None for a folder. What is None is computed; the rest lies if told to."""

    items: list[tuple[str, bytes | None]]
    method: bytes = COPY
    packed: bytes | None = None
    sizes: list[int] | None = None
    coder_sizes: list[int] | None = None
    packed_size: int | None = None
    crcs: dict[int, int] = field(default_factory=dict)
    with_crcs: bool = True
    count: int | None = None
    streams: int | None = None
    names: bytes | None = None
    external: bytes = b"\0"
    attributes: dict[int, int] = field(default_factory=dict)
    anti: bool = False
    before: bytes = b""
    position: int = 0
    gap: bytes = b""
    extra: bytes = b""
    after_header: bytes = b""
    encoded: int = 0
    encoded_size: int | None = None
    encoded_method: bytes = COPY
    version: bytes = b"\0\4"
    start_crc: int | None = None
    header_crc: int | None = None
    header_size: int | None = None
    after: bytes = b""

    def _contents(self) -> list[bytes]:
        return [data for _, data in self.items if data]

    def _streams(self) -> bytes:
        contents = self._contents()
        packed = b"".join(contents) if self.packed is None else self.packed
        sizes = [len(data) for data in contents] if self.sizes is None else self.sizes
        count = len(sizes) if self.streams is None else self.streams
        totals = [sum(sizes)] if self.coder_sizes is None else self.coder_sizes
        size = len(packed) if self.packed_size is None else self.packed_size
        crcs = [self.crcs.get(n, zlib.crc32(data)) for n, data in enumerate(contents)]
        subs = b"\x0d" + num(count) + (b"\x09" + b"".join(num(n) for n in sizes[:-1]) if len(sizes) > 1 else b"")
        if self.with_crcs:
            subs += b"\x0a\1" + b"".join(struct.pack("<I", crc) for crc in crcs)
        return (
            b"\x06" + num(self.position) + num(1) + b"\x09" + num(size) + b"\0"
            + b"\x07\x0b" + num(1) + b"\0" + self.method + b"\x0c" + b"".join(num(n) for n in totals) + b"\0"
            + b"\x08" + subs + b"\0\0"
        )  # fmt: skip

    def _files(self) -> bytes:
        empty = [not data for _, data in self.items]
        names = self.names
        if names is None:
            names = b"".join(name.encode("utf-16-le", "surrogatepass") + b"\0\0" for name, _ in self.items)
        body = num(len(self.items) if self.count is None else self.count)
        if any(empty):
            body += part(0x0E, bits(empty))
            bare = [data is not None for _, data in self.items if not data]
            body += part(0x0F, bits(bare))
            if self.anti:
                body += part(0x10, bits([True] * len(bare)))
        body += part(0x11, self.external + names)
        attributes = [
            self.attributes.get(n, FOLDER if data is None else REGULAR) for n, (_, data) in enumerate(self.items)
        ]
        body += part(0x15, b"\1\0" + b"".join(struct.pack("<I", value) for value in attributes))
        return body + self.extra + b"\0"

    def build(self) -> bytes:
        contents = self._contents()
        packed = b"".join(contents) if self.packed is None else self.packed
        header = b"\1" + (b"\4" + self._streams() if contents else b"") + b"\5" + self._files() + b"\0"
        header += self.after_header
        body = self.before + packed + self.gap
        for _ in range(self.encoded):
            size = len(header) if self.encoded_size is None else self.encoded_size
            outer = (
                b"\x17\x06" + num(len(body)) + num(1) + b"\x09" + num(len(header)) + b"\0"
                + b"\x07\x0b" + num(1) + b"\0" + self.encoded_method + b"\x0c" + num(size)
                + b"\x0a\1" + struct.pack("<I", zlib.crc32(header)) + b"\0\0"
            )  # fmt: skip
            body += header
            header = outer
        crc = zlib.crc32(header) if self.header_crc is None else self.header_crc
        size = len(header) if self.header_size is None else self.header_size
        rest = struct.pack("<QQI", len(body), size, crc)
        start = zlib.crc32(rest) if self.start_crc is None else self.start_crc
        return b"7z\xbc\xaf\x27\x1c" + self.version + struct.pack("<I", start) + rest + body + header + self.after
