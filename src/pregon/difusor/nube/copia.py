"""The signed document that says what a difusor keeps in the bucket, and the key with which it can be believed.

It is signed (DSSE) with the key of the acuses. That key is the anchor of ``rehace``: whoever can write into the bucket
and has not the key cannot make another state pass. It never goes there in the clear: it goes under the passphrase that
``frase`` names (PKCS8, scrypt and AES-256) or, without one, not at all, and then the operator brings the file.
Of the settings only what follows goes, by name: no key that may hold a secret is among them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError
from securesystemslib.signer import CryptoSigner

from pregon.base.errors import AjustesError, EntradaError, FirmaError, FormatoError
from pregon.base.jsonio import canonical_json
from pregon.paquete.names import check_path
from pregon.trust import keys
from pregon.trust.cifrado import encrypted_pem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.difusor.settings import DifusorSettings

FORMATO = "pregon/copia/1"
"""The payload type of the envelope."""
MAX_BYTES = 32 << 20
"""Nine thousand cuts of ten originals each."""
INTACTO = "No se rehízo nada; lo que está en el depósito y lo que ve el público siguen igual."


@dataclass(frozen=True)
class Objeto:
    """One object of the private part: its path there, its bytes and its SHA-256."""

    ruta: str
    bytes: int
    sha256: str

    @classmethod
    def from_json(cls, data: Any) -> Objeto:
        """Raises ValueError, KeyError, TypeError or ArchivoError where it is not one."""
        return cls(check_path(str(data["ruta"])), int(data["bytes"]), str(data["sha256"]))


@dataclass(frozen=True)
class Copia:
    """What the bucket had when it was signed.

    ``n`` counts the copies of one difusor; ``corte`` is the newest that it had accepted and ``publicado`` the one that
    was public; ``estado`` the archive of its state; ``acuses`` and ``ultimo_acuse`` the number of the last of its chain
    and its SHA-256; ``originales`` those of every accepted cut. ``llave_cifrada``: the signing key, under a passphrase.
    """

    convocatoria: str
    ambiente: str
    difusor: str
    nodo: str
    instancia: str
    n: int
    creado: datetime
    corte: int | None
    publicado: int | None
    estado: Objeto
    acuses: int
    ultimo_acuse: str | None
    originales: Mapping[int, tuple[Objeto, ...]]
    llave_cifrada: str | None
    ajustes: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            **asdict(self),
            "formato": FORMATO,
            "creado": self.creado.isoformat(),
            "originales": {f"{cut:04d}": [asdict(each) for each in found] for cut, found in self.originales.items()},
        }

    @classmethod
    def from_json(cls, data: Any) -> Copia:
        """Raises ValueError, KeyError, TypeError or ArchivoError where it is not one."""
        if data["formato"] != FORMATO:
            raise ValueError(data["formato"])
        last, hidden = data["ultimo_acuse"], data["llave_cifrada"]
        created = datetime.fromisoformat(data["creado"])
        if created.tzinfo is None:
            raise ValueError(created)
        return cls(
            **{name: str(data[name]) for name in ("convocatoria", "ambiente", "difusor", "nodo", "instancia")},
            n=int(data["n"]),
            creado=created,
            corte=None if data["corte"] is None else int(data["corte"]),
            publicado=None if data["publicado"] is None else int(data["publicado"]),
            estado=Objeto.from_json(data["estado"]),
            acuses=int(data["acuses"]),
            ultimo_acuse=None if last is None else str(last),
            originales={
                int(cut): tuple(Objeto.from_json(each) for each in found) for cut, found in data["originales"].items()
            },
            llave_cifrada=None if hidden is None else str(hidden),
            ajustes=dict(data["ajustes"]),
        )


def ajustes_sin_secretos(settings: DifusorSettings) -> dict[str, Any]:
    """What the copy says of the settings, for whoever writes them again: by name, nothing that opens a door."""
    server = settings.servidor.model_dump(mode="json", include={"direccion", "puerto", "base", "nombres", "tls"})
    whole = settings.model_dump(mode="json", include={"convocatoria", "origen", "sondeo_s"})
    return {**whole, "servidor": server}


def cifra(key: keys.NamedKey, frase: str) -> str:
    """The private key under a passphrase, in PEM."""
    private = serialization.load_pem_private_key(key.signer.private_bytes, None)
    plain = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encrypted_pem(plain, frase.encode()).decode()


def firma(copia: Copia, key: keys.NamedKey) -> bytes:
    """The document, signed."""
    envelope = Envelope(canonical_json(copia.to_json()), FORMATO, {})
    envelope.sign(key.signer)
    return canonical_json(envelope.to_dict())


def abre(data: bytes, *, llave: Path, frase: str | None) -> tuple[Copia, keys.NamedKey]:
    """The document, believed: signed with the key of this difusor, which is at ``llave`` or within, under ``frase``.

    Raises:
        EntradaError: neither is at hand.
        AjustesError: the key at ``llave`` cannot be used, or the passphrase is another.
        FormatoError: it is not such a document.
        FirmaError: another key signed it, or it was changed.
    """
    try:
        envelope = Envelope.from_dict(json.loads(data))
        payload = json.loads(envelope.payload)
        copia = Copia.from_json(payload)
        known = envelope.payload_type == FORMATO
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecurityError) as exc:
        raise _malformed() from exc
    if not known:
        raise _malformed()
    key = keys.load(llave) if llave.exists() else _hidden(copia, frase, llave)
    try:
        envelope.verify([key.public], 1)
    except SecurityError as exc:
        raise FirmaError(
            "La copia del depósito no la firmó la llave de este difusor: la cambiaron, o es de otro.",
            intacto=INTACTO,
            que_hacer="Revise quién puede escribir en el depósito; si guarda versiones, reponga la anterior de "
            "historico/copia.json.",
        ) from exc
    return copia, key


def _hidden(copia: Copia, frase: str | None, llave: Path) -> keys.NamedKey:
    if frase is None or copia.llave_cifrada is None:
        raise EntradaError(
            f"Falta la llave que firma los acuses de este difusor ({llave}): sin ella no se puede creer la copia.",
            intacto=INTACTO,
            que_hacer="Ponga ahí su archivo (modo 600)"
            + (", o en «frase» la frase con la que la copia la guarda." if copia.llave_cifrada else ".")
            + " Si se perdió, comience de nuevo con «pregon difusor inicia», otra llave y otro prefijo.",
        )
    try:
        private = serialization.load_pem_private_key(copia.llave_cifrada.encode(), frase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise AjustesError(
            "La «frase» no abre la llave que guarda la copia.",
            intacto=INTACTO,
            que_hacer="Dé la frase que este difusor tenía al hacer la copia, o ponga el archivo de la llave.",
        ) from exc
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise _malformed()
    return keys.NamedKey(llave.stem, CryptoSigner(private))


def _malformed() -> FormatoError:
    return FormatoError(
        "La copia del depósito no se entiende: no es de este formato.",
        intacto=INTACTO,
        que_hacer="Use la versión de Pregón que la hizo, o una posterior; si alguien la cambió, reponga la anterior.",
    )
