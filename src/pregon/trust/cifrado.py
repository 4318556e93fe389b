"""A private key under a passphrase: PKCS8 with PBES2, scrypt and AES-256-CBC (RFC 8018, RFC 7914).

``cryptography`` reads this form but writes only PBKDF2 with 2,048 rounds, too few for a file that may be stolen from a
drawer. The few bytes of DER around its own scrypt and AES are made here. Any ``openssl pkey`` opens the result: an
institute must be able to use its keys without this program.
"""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

SCRYPT_N = 1 << 14
"""16 MiB of memory: the most that OpenSSL opens without being told."""
SCRYPT_R = 8
SCRYPT_P = 5
"""With the two above, the minimum that OWASP names for passwords (Password Storage Cheat Sheet, scrypt)."""

_SALT_BYTES = 16
_KEY_BYTES = 32
_IV_BYTES = 16
_SHORT_FORM = 0x80
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_PBES2 = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("06092b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42
_LINE = 64


def encrypted_pem(pkcs8: bytes, passphrase: bytes) -> bytes:
    """``ENCRYPTED PRIVATE KEY`` in PEM of the DER of a plain PKCS8."""
    salt, iv = os.urandom(_SALT_BYTES), os.urandom(_IV_BYTES)
    key = Scrypt(salt, _KEY_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(passphrase)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    plain = padder.update(pkcs8) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    hidden = encryptor.update(plain) + encryptor.finalize()
    costs = b"".join(_integer(value) for value in (SCRYPT_N, SCRYPT_R, SCRYPT_P))
    derivation = _tlv(_SEQUENCE, _SCRYPT + _tlv(_SEQUENCE, _tlv(_OCTETS, salt) + costs))
    cipher = _tlv(_SEQUENCE, _AES_256_CBC + _tlv(_OCTETS, iv))
    algorithm = _tlv(_SEQUENCE, _PBES2 + _tlv(_SEQUENCE, derivation + cipher))
    text = base64.b64encode(_tlv(_SEQUENCE, algorithm + _tlv(_OCTETS, hidden))).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join(
        ["-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, "-----END ENCRYPTED PRIVATE KEY-----", ""]
    ).encode()


def _integer(value: int) -> bytes:
    # One bit more than the number needs: DER integers are signed.
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _SHORT_FORM:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT_FORM | len(length))) + length + content
