"""Confidential fields at rest: AES-256-GCM under a key that is not in the database (INE-V-b).

A key file has one key on each line, ``pregon-registro-1 <name> <base64url of 32 bytes>``, and mode 0600. The first one
seals; all of them open, so that a change of key may stop halfway. The environment variable holds the same lines. What
is sealed is tied to its convocatoria, its series and its difusor: a seal moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pregon.base.errors import AjustesError, DanadoError, EntradaError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.durable import Disk

VARIABLE = "PREGON_CLAVE_REGISTRO"
"""Environment variable that holds the keys where no file does."""
ARCHIVO = "llaves/registro.clave"
"""The key file unless ``clave_registro`` of instituto.toml names another place."""
KEY_BYTES = 32
NONCE_BYTES = 12
PADDING = 256
"""What is sealed is filled up to a multiple of these bytes: its length tells little."""
FILE_MAX = 64 << 10
_FORM = "pregon-registro-1"
_INTACTO = "No se guardó ni se mostró ningún dato del registro."


@dataclass(frozen=True, repr=False)
class Clave:
    """One key. ``nombre`` is taken from its hash: it says which opens a seal and nothing else."""

    secreto: bytes

    @property
    def nombre(self) -> str:
        """Eight hexadecimal digits."""
        return hashlib.sha256(_FORM.encode() + self.secreto).hexdigest()[:8]

    def linea(self) -> str:
        """Its line of a key file."""
        return f"{_FORM} {self.nombre} {base64.urlsafe_b64encode(self.secreto).decode()}\n"

    def __repr__(self) -> str:
        return f"Clave({self.nombre})"


@dataclass(frozen=True)
class Llavero:
    """The keys at hand, the one that seals first."""

    claves: tuple[Clave, ...]

    def sella(self, value: Any, contexto: str) -> dict[str, str]:
        """Seal a JSON value for ``contexto``; the result is JSON too.

        Every seal has a nonce of its own, of 96 random bits: 2**32 under one key are safe (NIST SP 800-38D §8.3).
        """
        key, nonce = self.claves[0], os.urandom(NONCE_BYTES)
        plain = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
        padded = plain + b" " * (-len(plain) % PADDING)
        hidden = AESGCM(key.secreto).encrypt(nonce, padded, _tied(key.nombre, contexto))
        return {"clave": key.nombre, "nonce": _text(nonce), "cifrado": _text(hidden)}

    def abre(self, sello: Mapping[str, Any], contexto: str) -> Any:
        """The value that was sealed for ``contexto``.

        Raises:
            EntradaError: the key that sealed it is not at hand.
            DanadoError: it is not as it was sealed, or was sealed for another row.
        """
        name = str(sello.get("clave"))
        key = next((one for one in self.claves if one.nombre == name), None)
        if key is None:
            raise EntradaError(
                f"La clave {name}, que selló los datos del registro, no está a la mano.",
                intacto="Los datos siguen cifrados como estaban.",
                que_hacer="Ponga de nuevo esa clave en su archivo o en la variable, después de la que está en uso.",
            )
        try:
            nonce, hidden = _bytes(sello["nonce"]), _bytes(sello["cifrado"])
            value: Any = json.loads(AESGCM(key.secreto).decrypt(nonce, hidden, _tied(name, contexto)))
        except (InvalidTag, KeyError, TypeError, ValueError) as exc:
            raise DanadoError(
                f"Los datos confidenciales de {contexto} no son los que se sellaron.",
                intacto="No se mostró nada de ellos y la base sigue como estaba.",
                que_hacer="Restaure la base de estado de un respaldo y averigüe quién la cambió.",
            ) from exc
        return value


def nueva() -> Clave:
    """A key out of the system's randomness."""
    return Clave(os.urandom(KEY_BYTES))


def escribe(path: Path, claves: Sequence[Clave], *, disk: Disk) -> None:
    """Write a key file, mode 0600, in place of the one that was. Raises ``DiscoError``, ``EscrituraError``."""
    disk.make_folder(path.parent, mode=0o700)
    disk.write(path, "".join(one.linea() for one in claves).encode(), mode=0o600)


def de_archivo(path: Path) -> Llavero:
    """The keys of a file.

    Raises:
        EntradaError: it is not there.
        AjustesError: others can read it, or it is not a key file; what it holds is never repeated.
    """
    try:
        status = path.stat()
        text = path.read_bytes().decode("ascii", "replace") if status.st_size <= FILE_MAX else ""
    except OSError as exc:
        raise EntradaError(
            f"No está la clave del registro: {path} ({razon(exc)}).",
            intacto=_INTACTO,
            que_hacer=f"Créela con «pregon instituto difusor clave DIR», o póngala en la variable {VARIABLE}.",
        ) from exc
    if status.st_mode & 0o077:
        raise AjustesError(
            f"Otros usuarios pueden leer la clave del registro {path}.",
            intacto=_INTACTO,
            que_hacer=f"Ejecute: chmod 600 {path}",
        )
    return de_texto(text, str(path))


def de_texto(text: str, donde: str) -> Llavero:
    """The keys of some lines; ``donde`` says where they came from. Raises ``AjustesError``, without repeating them."""
    found = [_parsed(line.split(), donde) for line in text.replace(",", "\n").splitlines() if line.strip()]
    if not found:
        raise _wrong(donde)
    return Llavero(tuple(found))


def _parsed(words: Sequence[str], donde: str) -> Clave:
    if len(words) != 3 or words[0] != _FORM:
        raise _wrong(donde)
    try:
        key = Clave(base64.b64decode(words[2], altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as exc:
        raise _wrong(donde) from exc
    if len(key.secreto) != KEY_BYTES or key.nombre != words[1]:
        raise _wrong(donde)
    return key


def _wrong(donde: str) -> AjustesError:
    return AjustesError(
        f"La clave del registro en {donde} no tiene la forma «{_FORM} NOMBRE CLAVE», o está incompleta.",
        intacto=_INTACTO,
        que_hacer="Use el archivo que escribió «pregon instituto difusor clave», sin cambiarlo.",
    )


def _tied(nombre: str, contexto: str) -> bytes:
    return f"{_FORM}|{nombre}|{contexto}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
