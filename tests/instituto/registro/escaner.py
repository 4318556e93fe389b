"""Look for texts that must not be there, however they are written: as UTF-8, escaped, in hex, base64 or an archive."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import urllib.parse
import zipfile
import zlib
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SHORTEST = 6
"""Base64 of less than this has too few whole groups to be told from anything else."""


def hallados(data: bytes, secretos: Iterable[str]) -> set[str]:
    """Which of ``secretos`` are in ``data``, or in what ``data`` holds compressed."""
    return _within(data, _written(secretos))


def en_carpeta(folder: Path, secretos: Iterable[str]) -> dict[str, set[str]]:
    """The files under ``folder`` that have any of ``secretos``, in them or in their names, and which."""
    wanted = _written(secretos)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            here = _within(path.read_bytes(), wanted) | _within(path.name.encode(), wanted)
            if here:
                found[str(path.relative_to(folder))] = here
    return found


def _written(secrets: Iterable[str]) -> dict[str, frozenset[bytes]]:
    return {secret: frozenset(_forms(secret)) for secret in secrets}


def _within(data: bytes, wanted: dict[str, frozenset[bytes]]) -> set[str]:
    layers = list(_layers(data))
    return {secret for secret, forms in wanted.items() if any(form in layer for form in forms for layer in layers)}


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield secret.encode("utf-16-le")
    yield secret.encode("latin-1", "replace")
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode()
    yield str(escape(secret)).encode()
    yield urllib.parse.quote(secret).encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield plain.hex().encode()
    if len(plain) >= SHORTEST:
        for shift in range(3):
            # What does not depend on the neighbours: base64 of the bytes that fill whole groups of three.
            whole = base64.b64encode(bytes(shift) + plain)[4 if shift else 0 :]
            whole = whole[: len(whole) // 4 * 4 - 4]
            if len(whole) >= SHORTEST:
                yield whole


def _layers(data: bytes) -> Iterator[bytes]:
    yield data
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield info.filename.encode()
                yield from _layers(archive.read(info))
    elif data.startswith(b"\x1f\x8b"):
        yield from _layers(gzip.decompress(data))
    elif data.startswith(b"%PDF-"):
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                yield stream
