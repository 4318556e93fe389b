"""What a browser asks for compressed, decoded within a limit: a few bytes that expand to millions take no memory."""

from __future__ import annotations

import zlib

CODIFICACIONES = "br, gzip"
"""``Accept-Encoding`` of who may get any of those that are decoded here."""
SOBRA = 1 << 10
"""What a compressed file may exceed its plain length by."""
_GZIP = 16 + zlib.MAX_WBITS


def decodificado(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The plain bytes of ``body``; None where it cannot be decoded here or exceeds ``limit`` bytes."""
    if encoding == "identity":
        return body
    if encoding == "gzip":
        unzip = zlib.decompressobj(_GZIP)
        try:
            plain = unzip.decompress(body, limit + 1)
        except zlib.error:
            return None
        return plain if unzip.eof and not unzip.unused_data and len(plain) <= limit else None
    if encoding == "br":
        import brotli

        expander = brotli.Decompressor()
        try:
            plain = expander.process(body, output_buffer_limit=limit + 1)
        except brotli.error:
            return None
        return plain if expander.is_finished() and len(plain) <= limit else None
    return None
