"""Passwords at rest: scrypt (RFC 7914) of the standard library, its cost written beside each one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError

if TYPE_CHECKING:
    from typing import Self

MIN_CARACTERES = 12
MAX_BYTES = 1024
"""Of a password in UTF-8: nobody makes us hash a book."""
MAX_MEMORIA = 256 << 20
"""Bytes that one verification may take, whatever the accounts file says."""
_SAL = 16
_LARGO = 32


@dataclass(frozen=True)
class Costo:
    """Parameters of scrypt. Memory: ``128 * n * r`` bytes; the default, 32 MiB and about 0.3 s of a processor."""

    n: int = 1 << 15
    r: int = 8
    p: int = 3

    @property
    def admisible(self) -> bool:
        """Whether we would compute it: a power of two, and neither free nor ruinous."""
        whole = self.n > 1 and self.n & (self.n - 1) == 0 and 0 < self.r <= 32 and 0 < self.p <= 16
        return whole and 128 * self.n * self.r <= MAX_MEMORIA


@dataclass(frozen=True)
class Resumen:
    """What is kept of a password: the cost, the salt and scrypt's output."""

    costo: Costo
    sal: bytes
    huella: bytes

    @classmethod
    def de(cls, clave: str, costo: Costo) -> Self:
        """Of a new password, with a salt of its own."""
        sal = secrets.token_bytes(_SAL)
        return cls(costo, sal, _scrypt(clave, sal, costo))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The one that ``str`` gave.

        Raises:
            ValueError: it is none, or its cost is not one that we would pay.
        """
        kind, n, r, p, salt, digest = text.split("$")
        costo = Costo(int(n), int(r), int(p))
        found = cls(costo, base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True))
        if kind != "scrypt" or not costo.admisible or len(found.sal) < _SAL or len(found.huella) != _LARGO:
            raise ValueError("scrypt")
        return found

    def __str__(self) -> str:
        """One line: ``scrypt$n$r$p$salt$output``, both of these in base64."""
        salt, digest = (base64.b64encode(part).decode() for part in (self.sal, self.huella))
        return f"scrypt${self.costo.n}${self.costo.r}${self.costo.p}${salt}${digest}"

    def es(self, clave: str) -> bool:
        """Whether this is the password; as slow for one that is not, however much of it is right."""
        return hmac.compare_digest(_scrypt(clave, self.sal, self.costo), self.huella)


def exige(clave: str) -> None:
    """Refuse a new password that is too easy to guess, or too long to keep.

    Length and nothing else: rules on kinds of characters make worse passwords (NIST SP 800-63B, 3.1.1).

    Raises:
        UsoError: it is not admitted.
    """
    short = len(unicodedata.normalize("NFC", clave)) < MIN_CARACTERES or len(set(clave)) < MIN_CARACTERES // 3
    if short or len(clave.encode()) > MAX_BYTES:
        raise UsoError(
            f"La contraseña debe tener al menos {MIN_CARACTERES} caracteres, no todos iguales, y a lo sumo "
            f"{MAX_BYTES} bytes.",
            intacto="No se cambió ninguna cuenta.",
            que_hacer="Use cuatro o cinco palabras al azar.",
        )


def _scrypt(clave: str, sal: bytes, costo: Costo) -> bytes:
    # The same letters typed on a telephone and on a desk may come composed or not.
    data = unicodedata.normalize("NFC", clave).encode()[:MAX_BYTES]
    memory = 128 * costo.r * (costo.n + costo.p + 2) + (1 << 20)
    return hashlib.scrypt(data, salt=sal, n=costo.n, r=costo.r, p=costo.p, maxmem=memory, dklen=_LARGO)
