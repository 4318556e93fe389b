"""Looks at a certificate given by file before the web server is asked to use it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

MAX_BYTES = 1 << 20
"""A chain and a key are some kilobytes."""


def check_pair(certificate: Path, key: Path, names: Sequence[str], now: datetime) -> str | None:
    """Refuse a certificate that could not serve ``names``; a text where it would, but browsers will complain.

    Raises:
        AjustesError: a file cannot be read, the key is another one's, or a name is not in it.
    """
    try:
        chain = x509.load_pem_x509_certificates(_read(certificate))
        private = load_pem_private_key(_read(key), None)
        leaf = chain[0]
        own = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        given = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        patterns = _patterns(leaf)
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise _refused(certificate, f"no se puede leer el certificado o su clave ({exc})") from exc
    if own != given:
        raise _refused(certificate, f"la clave {key.name} no es la suya")
    missing = [name for name in names if not any(_covers(pattern, name) for pattern in patterns)]
    if missing:
        raise _refused(certificate, f"no es de {', '.join(missing)}")
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return f"el certificado {certificate} no está vigente (hasta {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC)"
    return None


def _patterns(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def _covers(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return "." in name and name.partition(".")[2] == pattern[2:] and not _is_address(name)
    return pattern == name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES)


def _refused(certificate: Path, why: str) -> AjustesError:
    return AjustesError(
        f"El certificado {certificate} no sirve: {why}.",
        intacto="No se cambió lo que se sirve.",
        que_hacer="Revise «certificado», «clave» y «nombres» en [servidor] de difusor.toml.",
    )
