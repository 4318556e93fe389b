"""The certificates of the simulated fleet: an authority, one that it signed, and one that nobody believes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk

VIGENCIA = datetime.timedelta(days=2)


@dataclass(frozen=True)
class Credenciales:
    """PEM files: ``buena`` (certificate and key) that ``autoridad`` signed, and ``mala``, which nobody believes."""

    autoridad: Path
    buena: Path
    mala: Path


def crea(folder: Path, direcciones: Sequence[str], *, clock: Clock, disk: Disk) -> Credenciales:
    """Write new ones in ``folder`` for those addresses. ``clock``: the machine's own, for TLS knows no simulacro."""
    made = Credenciales(folder / "autoridad.pem", folder / "buena.pem", folder / "mala.pem")
    now = clock.now()
    for path, trusted in ((made.buena, True), (made.mala, False)):
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _sign("Autoridad simulada", root_key, "Autoridad simulada", root_key, now, ())
        leaf = _sign("Difusor simulado", key, "Autoridad simulada", root_key, now, direcciones)
        if trusted:
            disk.write(made.autoridad, _pem(root))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        disk.write(path, _pem(leaf) + secret, mode=0o600)
    return made


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    addresses: Sequence[str],
) -> x509.Certificate:
    authority = not addresses
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VIGENCIA)
        .not_valid_after(now + VIGENCIA)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_uses(authority=authority), critical=True)
    )
    if addresses:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(each)) for each in addresses])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _uses(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
