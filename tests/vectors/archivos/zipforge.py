"""Builds zips by hand, record by record, so that a test can lie in any field. Without overrides they are honest."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

REGULAR = 0o100644 << 16


@dataclass
class Entry:
    """One member. ``local`` and ``central`` override single header fields by name; ``at`` points to another offset."""

    name: bytes | str
    data: bytes = b""
    method: int = 8
    external: int = REGULAR
    flags: int = 0x0800
    extra: bytes = b""
    raw: bytes | None = None
    after: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)
    at: int | None = None

    @property
    def encoded(self) -> bytes:
        return self.name.encode() if isinstance(self.name, str) else self.name

    @property
    def packed(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.method != 8:
            return self.data
        deflater = zlib.compressobj(wbits=-15)
        return deflater.compress(self.data) + deflater.flush()

    def fields(self, overrides: dict[str, Any]) -> dict[str, Any]:
        honest = {
            "name": self.encoded,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.packed),
            "size": len(self.data),
            "extra": self.extra,
        }
        return {**honest, **overrides}


def local_header(entry: Entry) -> bytes:
    f = entry.fields(entry.local)
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, f["flags"], f["method"], 0, 33, f["crc"], f["packed"],
                       f["size"], len(f["name"]), len(f["extra"]))  # fmt: skip
    return head + bytes(f["name"]) + bytes(f["extra"])


def central_header(entry: Entry, offset: int) -> bytes:
    f = entry.fields(entry.central)
    head = struct.pack("<4sBBHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 3, 20, f["flags"], f["method"], 0, 33, f["crc"],
                       f["packed"], f["size"], len(f["name"]), len(f["extra"]), 0, 0, 0, entry.external,
                       offset)  # fmt: skip
    return head + bytes(f["name"]) + bytes(f["extra"])


def forge(
    *entries: Entry,
    before: bytes = b"",
    gap: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    end64: bytes = b"",
    ceiling: bool = False,
) -> bytes:
    """The archive: ``before`` the first member, ``gap`` before the directory, ``after`` the end record.

    ``ceiling``: the short end record refers to ``end64`` for its numbers, as zip64 says.
    """
    body, offsets = before, []
    for entry in entries:
        if entry.at is not None:
            offsets.append(entry.at)
            continue
        offsets.append(len(body))
        body += local_header(entry) + entry.packed + entry.after
    body += gap
    directory = b"".join(central_header(entry, offset) for entry, offset in zip(entries, offsets, strict=True))
    total = len(entries) if count is None else count
    numbers = (0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF) if ceiling else (total, total, len(directory), len(body))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, *numbers, len(comment))
    return body + directory + end64 + end + comment + after


def zip64_end(*, entries: int, size: int, offset: int, place: int) -> bytes:
    """A zip64 end record and its locator, which says that the record lies at ``place``."""
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, offset)
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1)
