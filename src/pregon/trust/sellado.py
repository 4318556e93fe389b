"""What only one reader may open: a short secret, or a stream of any size, sealed to a public key (ECDSA P-256 in PEM).

A secret is sealed with HPKE (RFC 9180: DHKEM P-256, HKDF-SHA256, AES-256-GCM), tied to what it is for (``contexto``):
sealed for one difusor it does not open as another's. A stream has a line that names the form, the length of a sealed
key of its own in two bytes, the sealed key, and pieces of 1 MiB under AES-256-GCM; the nonce of each is its number in
11 bytes and 1 where it is the last, so that none can be taken out, moved, repeated or cut off (the STREAM construction,
Hoang et al. 2015, as in age). Nothing of a piece is given before it is known to be whole.

Seals say who may read, not who wrote: what matters is signed besides.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pregon.base.errors import AjustesError, DanadoError, FormatoError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIA = b"pregon-cifrado-1\n"
"""First line of a sealed stream."""
TROZO = 1 << 20
_TAG = 16
_KEY_BYTES = 32
_SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_INTACTO = "No se abrió ni se escribió nada."


def seal(secreto: bytes, publica: str, contexto: str) -> bytes:
    """``secreto`` so that only who has the private part of ``publica`` reads it, and only for ``contexto``.

    Raises:
        AjustesError: it is no public key of P-256 in PEM.
    """
    return _SUITE.encrypt(secreto, _public(publica), contexto.encode())


def unseal(sellado: bytes, privada: bytes, contexto: str) -> bytes:
    """What ``seal`` hid. ``privada``: PKCS8 in PEM.

    Raises:
        DanadoError: it is not as it was sealed, or was sealed to another key or for something else.
    """
    key = serialization.load_pem_private_key(privada, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _closed(contexto)
    try:
        return _SUITE.decrypt(sellado, key, contexto.encode())
    except (InvalidTag, ValueError) as exc:
        raise _closed(contexto) from exc


class Cifrador:
    """A file to write into, and nothing else: what is written goes sealed into ``file``. ``close`` ends it.

    Without ``close`` the stream has no end, and nobody takes it for whole.
    """

    def __init__(self, file: IO[bytes], publica: str, contexto: str) -> None:
        key = os.urandom(_KEY_BYTES)
        sealed = seal(key, publica, contexto)
        self._file = file
        self._cipher = AESGCM(key)
        self._waiting = bytearray()
        self._number = 0
        file.write(MAGIA + len(sealed).to_bytes(2, "big") + sealed)

    def write(self, data: bytes) -> int:
        """Take ``data``; gives how many bytes it has."""
        self._waiting += data
        while len(self._waiting) > TROZO:
            self._put(bytes(self._waiting[:TROZO]), last=False)
            del self._waiting[:TROZO]
        return len(data)

    def flush(self) -> None:
        """Nothing: a piece goes out when it is full."""

    def close(self) -> None:
        """Write what is left, as the last piece."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, None))
        self._number += 1


def descifra(file: IO[bytes], privada: bytes, contexto: str) -> Iterator[bytes]:
    """The pieces of a sealed stream, each verified before it is given.

    Raises:
        FormatoError: it is no such stream.
        DanadoError: it is not whole, was changed, or was sealed to another key or for something else.
    """
    if file.read(len(MAGIA)) != MAGIA:
        raise FormatoError(
            "No es un archivo cifrado por Pregón.",
            intacto=_INTACTO,
            que_hacer="Use el archivo que escribió «pregon memoria entrega --con-bitacoras», byte por byte.",
        )
    sealed = file.read(int.from_bytes(file.read(2), "big"))
    cipher = AESGCM(unseal(sealed, privada, contexto))
    number, piece = 0, file.read(TROZO + _TAG)
    while True:
        following = file.read(TROZO + _TAG)
        try:
            plain = cipher.decrypt(_nonce(number, last=not following), piece, None)
        except (InvalidTag, ValueError) as exc:
            raise _closed(contexto) from exc
        yield plain
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _public(pem: str) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode())
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            return key
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise AjustesError(
        "No es una llave pública ECDSA P-256 en PEM: no hay para quién cifrar.",
        intacto=_INTACTO,
        que_hacer="Revise el archivo de la llave pública (acuse.pub.pem).",
    )


def _closed(contexto: str) -> DanadoError:
    return DanadoError(
        f"Lo cifrado para {contexto} no se puede abrir: está dañado o incompleto, o es para otra llave.",
        intacto=_INTACTO,
        que_hacer="Pida de nuevo el archivo, y revise que sea de este difusor, esta convocatoria y este ambiente.",
    )
