"""A public key of SSH as the institute sends it: one line of text that becomes part of a list of who may enter."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, UsoError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from pathlib import Path

TIPOS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
"""Kinds admitted; DSA is broken and certificates are not keys."""

RSA_BITS = 2048
"""The shortest RSA key admitted: the shortest that OpenSSH of today's systems takes."""

MAX_BYTES = 16 << 10
"""A public key is well under this."""

_NADA = "No se escribió ni se cambió nada."
_COMENTARIO = re.compile(r"[A-Za-z0-9@._-]{1,100}\Z")


@dataclass(frozen=True)
class LlavePublica:
    """A public key: its kind, its body in base64 and a comment of plain signs."""

    tipo: str
    cuerpo: str
    comentario: str

    @property
    def linea(self) -> str:
        """The key as a list of authorised keys holds it."""
        return f"{self.tipo} {self.cuerpo} {self.comentario}".strip()

    @property
    def huella(self) -> str:
        """Its fingerprint as ``ssh-keygen -l`` writes it: the one to compare with the institute by another way."""
        digest = hashlib.sha256(base64.b64decode(self.cuerpo)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def lee_llave(path: Path, *, opcion: str) -> LlavePublica:
    """The one public key in a file. ``opcion`` names, in errors, the option that gave it.

    Raises:
        EntradaError: the file cannot be read.
        UsoError: it holds a private key, more than one key, options, or a kind or size that is not admitted.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer la llave {path}: {razon(exc)}.",
            intacto=_NADA,
            que_hacer=f"Pida al instituto su llave pública de SSH y dé su ruta con {opcion}.",
        ) from exc
    if b"PRIVATE KEY" in data:
        raise UsoError(
            f"{path} es una llave privada: nadie más que su dueño debe tenerla.",
            intacto=_NADA,
            que_hacer="Bórrela, avise a quien la envió para que haga otra, y pida la pública (termina en .pub).",
        )
    text = data.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(data) > MAX_BYTES or len(lines) != 1:
        raise _refused(path, opcion, "no tiene una llave, y sólo una, en un renglón")
    words = lines[0].split(None, 2)
    if words[0] not in TIPOS:
        raise _refused(path, opcion, f"no comienza con un tipo de llave admitido ({', '.join(TIPOS)})")
    problem = _body_problem(words[0], words[1] if len(words) > 1 else "")
    if problem is not None:
        raise _refused(path, opcion, problem)
    comment = words[2].strip() if len(words) > 2 else ""
    return LlavePublica(words[0], words[1], comment if _COMENTARIO.match(comment) else "instituto")


def _refused(path: Path, opcion: str, reason: str) -> UsoError:
    return UsoError(
        f"{path} no es una llave pública de SSH que se admita: {reason}.",
        intacto=_NADA,
        que_hacer=f"Pida al instituto su llave pública (ssh-keygen -t ed25519; el archivo .pub) para {opcion}.",
    )


def _body_problem(kind: str, body: str) -> str | None:
    try:
        parts = _fields(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        return "su cuerpo no es base64 o está incompleto"
    if not parts or parts[0] != kind.encode():
        return "su cuerpo es de otro tipo de llave"
    if kind == "ssh-rsa" and (len(parts) != 3 or int.from_bytes(parts[2], "big").bit_length() < RSA_BITS):
        return f"es RSA de menos de {RSA_BITS} bits"
    if kind == "ssh-ed25519" and (len(parts) != 2 or len(parts[1]) != 32):
        return "su cuerpo está incompleto"
    return None


def _fields(data: bytes) -> list[bytes]:
    """The length-prefixed fields of a key's body (RFC 4253, section 6.6)."""
    fields = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError(size)
        fields.append(data[4 : 4 + size])
        data = data[4 + size :]
    return fields
