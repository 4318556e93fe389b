"""The institute's keys: ECDSA P-256 in PKCS8 PEM files, readable by their owner only.

P-256 for every role, the root too: browsers (WebCrypto), tokens and Python 3.8 all verify it, so that a citizen can
follow the whole chain (design §2).

A ring is the set of keys at hand. The night's machine holds the ``-1`` of each online role; the three root keys and
the ``-2`` of each role are in the safe and come only for a ceremony. A key that a ceremony made carries a label
(``rotulo``) and, away from the machine, a passphrase (``cifrado``).
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
from pregon.trust import rotulo
from pregon.trust.cifrado import encrypted_pem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.trust.rotulo import Rotulo
    from pregon.trust.verified import Identity

OFFLINE_KEYS = ("raiz-1", "raiz-2", "raiz-3")
"""Sign root and targets, two of three."""
ONLINE_ROLES = ("cortes", "avisos", "snapshot", "timestamp")
"""Each has two authorised keys and needs one; the second stays in the safe."""
RAIZ = "raiz"
"""The role of the offline keys, as commands and key names call it: root and targets share them."""
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

    def plus(self, *keys: NamedKey) -> KeyRing:
        """A ring with ``keys`` added."""
        return KeyRing((*self.keys, *keys))


def ring_names() -> tuple[str, ...]:
    """The names of a whole ring: three root keys and two for each online role."""
    return (*OFFLINE_KEYS, *(f"{role}-{n}" for role in ONLINE_ROLES for n in (1, 2)))


def generate(nombre: str) -> NamedKey:
    """A new key pair, in memory only."""
    return NamedKey(nombre, CryptoSigner(ec.generate_private_key(ec.SECP256R1())))


def save(
    key: NamedKey,
    folder: Path,
    *,
    passphrase: bytes | None = None,
    label: Rotulo | None = None,
    disk: Disk | None = None,
) -> Path:
    """Write ``<folder>/<nombre>.pem`` (PKCS8, mode 0600), encrypted when a passphrase is given, below its label.

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
        plain = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem = encrypted_pem(plain, passphrase)
    if label is not None:
        pem = label.text() + pem
    (disk or Disk()).write(path, pem, mode=_KEY_MODE)
    return path


def load(path: Path, *, passphrase: bytes | None = None, identity: Identity | None = None) -> NamedKey:
    """Read a key that ``save`` wrote; with ``identity``, only one of that tree.

    Raises:
        EntradaError: it is not there.
        AjustesError: others can read it, it is not a P-256 key in PKCS8, its label is not its own, or the passphrase
            is wrong.
        AmbienteError, ConvocatoriaError: its label says that it is of another tree.
    """
    nombre = path.name.removesuffix(".pem")
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        pem = path.read_bytes() if size <= rotulo.MAX_BYTES else b""
    except OSError as exc:
        raise missing_key(nombre) from exc
    if mode & 0o077:
        raise _bad_key(path, "otros usuarios pueden leerla", f"Ejecute: chmod 600 {path}")
    try:
        label = rotulo.read(pem)
    except ValueError as exc:
        raise _bad_key(path, "tiene un rótulo que no se entiende", "Use el archivo que dejó la ceremonia.") from exc
    if identity is not None:
        rotulo.check(label, identity, path)
    try:
        private = serialization.load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise _bad_key(path, "no se puede abrir", "Revise el archivo y la frase de paso.") from exc
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise _bad_key(path, "no es una llave ECDSA P-256", "Use una llave generada por «pregon instituto llaves».")
    key = NamedKey(nombre, CryptoSigner(private))
    if label is not None and label.llave != key.keyid:
        raise _bad_key(path, "no es la que dice su rótulo", "Use el archivo que dejó la ceremonia.")
    return key


def create_ring(folder: Path, *, disk: Disk | None = None) -> KeyRing:
    """Generate and save a whole ring (eleven keys) in ``folder``, made 0700 if it is not there.

    Raises:
        AjustesError: some key is there already; the ones that were there stay.
    """
    disk = disk or Disk()
    disk.make_folder(folder, mode=0o700)
    keys = []
    for nombre in ring_names():
        key = generate(nombre)
        save(key, folder, disk=disk)
        keys.append(key)
    return KeyRing(tuple(keys))


def load_ring(folder: Path, *, identity: Identity | None = None) -> KeyRing:
    """The plain keys that are in ``folder``; any of them may be away. With ``identity``, they must be of that tree.

    Raises:
        AjustesError: a key that is there cannot be used.
        AmbienteError, ConvocatoriaError: one of them is of another tree.
    """
    paths = sorted(folder.glob("*.pem"))
    return KeyRing(tuple(load(path, identity=identity) for path in paths))


def missing_key(nombre: str) -> EntradaError:
    """The error of a signature that cannot be made."""
    return EntradaError(
        f"No está a la mano la llave privada «{nombre}».",
        intacto="No se firmó nada; lo ya firmado sigue siendo válido.",
        que_hacer="Copie la llave a la carpeta de llaves de este espacio de trabajo, o use la de reserva.",
    )


def _bad_key(path: Path, problem: str, que_hacer: str) -> AjustesError:
    return AjustesError(f"La llave {path} {problem}.", intacto="No se firmó nada.", que_hacer=que_hacer)
