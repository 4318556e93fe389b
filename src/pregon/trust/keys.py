"""The institute's keys: ECDSA P-256 in PKCS8 PEM files, readable by their owner only.

P-256 for every role, the root too: browsers (WebCrypto), tokens and Python 3.8 all verify it, so that a citizen can
follow the whole chain (design §2).

A ring is the set of keys at hand. The night's machine holds the ``-1`` of each online role; the three root keys and
the ``-2`` of each role are in the safe and come only for a ceremony.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from securesystemslib.signer import Key

OFFLINE_KEYS = ("raiz-1", "raiz-2", "raiz-3")
"""Sign root and targets, two of three."""
ONLINE_ROLES = ("cortes", "avisos", "snapshot", "timestamp")
"""Each has two authorised keys and needs one; the second stays in the safe."""
_KEY_MODE = 0o600


@dataclass(frozen=True)
class NamedKey:
    """A private key at hand and the name of its file without ``.pem`` (``raiz-1``, ``cortes-2``)."""

    nombre: str
    signer: CryptoSigner

    @property
    def public(self) -> Key:
        """Its public part, as the metadata states it."""
        return self.signer.public_key

    @property
    def keyid(self) -> str:
        """Its identifier in the metadata."""
        return str(self.signer.public_key.keyid)


@dataclass(frozen=True)
class KeyRing:
    """The private keys at hand."""

    keys: tuple[NamedKey, ...]

    def named(self, nombre: str) -> NamedKey:
        """The key of that name.

        Raises:
            EntradaError: it is not at hand.
        """
        for key in self.keys:
            if key.nombre == nombre:
                return key
        raise missing_key(nombre)

    def for_ids(self, keyids: Iterable[str]) -> tuple[CryptoSigner, ...]:
        """The signers at hand among ``keyids``, in that order."""
        by_id = {key.keyid: key.signer for key in self.keys}
        return tuple(by_id[keyid] for keyid in keyids if keyid in by_id)

    def only(self, *nombres: str) -> KeyRing:
        """A ring with just those keys, of the ones at hand."""
        return KeyRing(tuple(key for key in self.keys if key.nombre in nombres))

    def without_offline(self) -> KeyRing:
        """The ring of the night: no root key."""
        return KeyRing(tuple(key for key in self.keys if key.nombre not in OFFLINE_KEYS))

    def plus(self, *keys: NamedKey) -> KeyRing:
        """A ring with ``keys`` added."""
        return KeyRing((*self.keys, *keys))


def ring_names() -> tuple[str, ...]:
    """The names of a whole ring: three root keys and two for each online role."""
    return (*OFFLINE_KEYS, *(f"{role}-{n}" for role in ONLINE_ROLES for n in (1, 2)))


def generate(nombre: str) -> NamedKey:
    """A new key pair, in memory only."""
    return NamedKey(nombre, CryptoSigner(ec.generate_private_key(ec.SECP256R1())))


def save(key: NamedKey, folder: Path, *, passphrase: bytes | None = None, disk: Disk | None = None) -> Path:
    """Write ``<folder>/<nombre>.pem`` (PKCS8, mode 0600), encrypted when a passphrase is given.

    Raises:
        AjustesError: there is a key of that name already; it stays.
        DiscoError, EscrituraError: could not write.
    """
    path = folder / f"{key.nombre}.pem"
    if path.exists():
        raise AjustesError(
            f"Ya existe la llave {path}.",
            intacto="La llave que estaba no se tocó.",
            que_hacer="Use otra carpeta, o retire antes la llave anterior con la ceremonia de revocación.",
        )
    pem = key.signer.private_bytes
    if passphrase is not None:
        private = serialization.load_pem_private_key(pem, None)
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
    (disk or Disk()).write(path, pem, mode=_KEY_MODE)
    return path


def load(path: Path, *, passphrase: bytes | None = None) -> NamedKey:
    """Read a key that ``save`` wrote.

    Raises:
        EntradaError: it is not there.
        AjustesError: others can read it, it is not a P-256 key in PKCS8, or the passphrase is wrong.
    """
    nombre = path.name.removesuffix(".pem")
    try:
        mode, pem = path.stat().st_mode, path.read_bytes()
    except OSError as exc:
        raise missing_key(nombre) from exc
    if mode & 0o077:
        raise _bad_key(path, "otros usuarios pueden leerla", f"Ejecute: chmod 600 {path}")
    try:
        private = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise _bad_key(path, "no se puede abrir", "Revise el archivo y la frase de paso.") from exc
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise _bad_key(path, "no es una llave ECDSA P-256", "Use una llave generada por «pregon instituto llaves».")
    return NamedKey(nombre, CryptoSigner(private))


def create_ring(folder: Path, *, passphrase: bytes | None = None, disk: Disk | None = None) -> KeyRing:
    """Generate and save a whole ring (eleven keys) in ``folder``, which becomes 0700.

    Raises:
        AjustesError: some key is there already; the ones that were there stay.
    """
    disk = disk or Disk()
    disk.make_folder(folder, mode=0o700)
    keys = []
    for nombre in ring_names():
        key = generate(nombre)
        save(key, folder, passphrase=passphrase, disk=disk)
        keys.append(key)
    return KeyRing(tuple(keys))


def load_ring(folder: Path, *, passphrase: bytes | None = None) -> KeyRing:
    """The keys that are in ``folder``; any of them may be away.

    Raises:
        AjustesError: a key that is there cannot be used.
    """
    paths = sorted(folder.glob("*.pem"))
    return KeyRing(tuple(load(path, passphrase=passphrase) for path in paths))


def missing_key(nombre: str) -> EntradaError:
    """The error of a signature that cannot be made."""
    return EntradaError(
        f"No está a la mano la llave privada «{nombre}».",
        intacto="No se firmó nada; lo ya firmado sigue siendo válido.",
        que_hacer="Copie la llave a la carpeta de llaves de este espacio de trabajo, o use la de reserva.",
    )


def _bad_key(path: Path, problem: str, que_hacer: str) -> AjustesError:
    return AjustesError(f"La llave {path} {problem}.", intacto="No se firmó nada.", que_hacer=que_hacer)
