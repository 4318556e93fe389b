"""Acuses as both roles read them: signed receipts of one node of a difusor, each naming the one before (design §7).

An acuse is a DSSE envelope over ``pregon/acuse/1``, signed with the node's own key. ``anterior`` is the SHA-256 of the
previous envelope's bytes, so that none can be taken out, moved or changed without it showing. That holds only if one
acuse has one spelling: an envelope that is not the canonical one, or with a second signature, is not read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError
from securesystemslib.signer import SSlibKey

from pregon.base.errors import AjustesError, AmbienteError, CadenaError, ConvocatoriaError, FirmaError, FormatoError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.base.razones import razon
from pregon.paquete.instante import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from securesystemslib.signer import Key

FORMATO = "pregon/acuse/1"
"""The payload type of the envelope."""
MAX_BYTES = 64 << 10
"""No acuse is longer; ours have less than two thousand bytes."""
CORTE_MAX = 9999

Evento = Literal["recibido", "verificado", "publicado", "visible", "rechazado"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY_MAX = 16 << 10
_SEGUNDOS_MAX = 1e9
_INTACTO = "Los acuses que ya se tenían siguen como estaban, y nada de lo publicado depende de ellos."


@dataclass(frozen=True)
class Emisor:
    """Whose acuses: the difusor and its node, and for which call and ambiente."""

    convocatoria: str
    ambiente: str
    difusor: str
    nodo: str

    @property
    def nombre(self) -> str:
        """How people read it: «diario-uno/principal»."""
        return f"{self.difusor}/{self.nodo}"


@dataclass(frozen=True)
class Acuse:
    """One acuse whose signature was verified. ``sha256`` is of the envelope's bytes: what the next one names.

    ``segundos`` since the cut was signed; ``payload`` everything that was signed, keys of later versions included.
    """

    emisor: Emisor
    corte: int | None
    manifiesto_sha256: str | None
    evento: Evento
    codigo: str | None
    hora: datetime
    segundos: float | None
    anterior: str | None
    sha256: str
    payload: dict[str, Any]


def load_public_key(path: Path) -> Key:
    """The public key (PEM, ECDSA P-256) with which a node's acuses verify.

    Raises:
        AjustesError: it cannot be read, or is another kind of key; a private one too, which must stay with its owner.
    """
    problem = "no es una llave pública ECDSA P-256 en PEM"
    try:
        with path.open("rb") as file:
            public = serialization.load_pem_public_key(file.read(_KEY_MAX))
        if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
            return SSlibKey.from_crypto(public)
    except OSError as exc:
        problem = f"no se pudo leer: {razon(exc)}"
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise AjustesError(
        f"La llave de acuses {path} {problem}.",
        intacto=_INTACTO,
        que_hacer="Pida al difusor la llave pública de sus acuses (acuse.pub.pem) y revise la ruta en «clave_acuses».",
    )


def read_acuse(data: bytes, key: Key) -> Acuse:
    """One acuse, its signature verified with ``key``. Nothing of it is believed before.

    Raises:
        FormatoError: it is not an acuse, or is not spelled as the only spelling.
        FirmaError: ``key`` did not sign it.
    """
    if len(data) > MAX_BYTES:
        raise _malformed(f"mide más de {MAX_BYTES:,} bytes")
    try:
        envelope = Envelope.from_dict(json.loads(data))
        canonical = canonical_json(envelope.to_dict()) == data and len(envelope.signatures) == 1
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecurityError) as exc:
        raise _malformed("no es un sobre DSSE") from exc
    if not canonical:
        raise _malformed("no está escrito en su única forma")
    if envelope.payload_type != FORMATO:  # before its signature: what it says of itself need not even be a text
        raise _malformed("es de otro tipo")
    try:
        envelope.verify([key], 1)
    except SecurityError as exc:
        raise FirmaError(
            "El acuse no lo firmó la llave que está registrada para ese nodo.",
            intacto=_INTACTO,
            que_hacer="Pregunte al difusor si cambió de llave; si no, alguien envía acuses en su nombre.",
        ) from exc
    try:
        return _parsed(envelope, sha256_bytes(data))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _malformed("su contenido no es el de un acuse") from exc


def check_emisor(acuse: Acuse, emisor: Emisor) -> None:
    """Check that an acuse is of this call, ambiente, difusor and node: one key may have signed for several.

    Raises:
        ConvocatoriaError, AmbienteError, FirmaError: it is of another call, ambiente, or difusor or node.
    """
    said = acuse.emisor
    ask = "Revise a quién se registró con esa llave: cada nodo debe tener la suya."
    if said.convocatoria != emisor.convocatoria:
        text = f"El acuse es de la convocatoria «{said.convocatoria}», no de «{emisor.convocatoria}»."
        raise ConvocatoriaError(text, intacto=_INTACTO, que_hacer=ask)
    if said.ambiente != emisor.ambiente:
        text = f"El acuse es del ambiente «{said.ambiente}», no de «{emisor.ambiente}»."
        raise AmbienteError(text, intacto=_INTACTO, que_hacer=ask)
    if said != emisor:
        text = f"El acuse dice ser de {said.nombre}, no de {emisor.nombre}."
        raise FirmaError(text, intacto=_INTACTO, que_hacer=ask)


def verify_chain(acuses: Iterable[Acuse], emisor: Emisor, *, antes: str | None = None) -> str | None:
    """Check that each acuse is of ``emisor`` and names the one before it; the SHA-256 that the next must name.

    ``antes`` is the SHA-256 of the one before the first; None: the chain begins here. One shown again, left out or
    moved is found out, because it names another than the one before.

    Raises:
        ConvocatoriaError, AmbienteError, FirmaError: as ``check_emisor``.
        CadenaError: one does not follow the one before.
    """
    last = antes
    for acuse in acuses:
        check_emisor(acuse, emisor)
        if acuse.anterior != last:
            raise CadenaError(
                f"El acuse «{acuse.evento}» de {emisor.nombre} "
                + ("comienza otra cadena" if acuse.anterior is None else "no sigue al último que se tiene de él")
                + ": falta alguno antes, se repite, o el nodo perdió los suyos.",
                intacto=_INTACTO,
                que_hacer="Recoja los que falten; si el nodo se reinstaló, guarde aparte su carpeta de acuses.",
            )
        last = acuse.sha256
    return last


def _parsed(envelope: Envelope, sha256: str) -> Acuse:
    payload = json.loads(envelope.payload)
    if not isinstance(payload, dict):
        raise TypeError("not an object")
    corte = _one(payload, "corte", int, optional=True)
    hora = parse_instant(_one(payload, "hora", str))
    seconds = _one(payload, "segundos", (int, float), optional=True)
    manifest, before = (_one(payload, name, str, optional=True) for name in ("manifiesto_sha256", "anterior"))
    evento = _one(payload, "evento", str)
    if evento not in get_args(Evento) or (corte is not None and not 0 <= corte <= CORTE_MAX):
        raise ValueError(evento)
    if any(value is not None and _SHA256.fullmatch(value) is None for value in (manifest, before)):
        raise ValueError(manifest)
    if seconds is not None and not abs(seconds) < _SEGUNDOS_MAX:  # nor NaN, which json reads
        raise ValueError("segundos")
    if evento != "rechazado" and (corte is None or manifest is None):
        raise ValueError("names no cut")
    return Acuse(
        emisor=Emisor(*(_one(payload, name, str) for name in ("convocatoria", "ambiente", "difusor", "nodo"))),
        corte=corte,
        manifiesto_sha256=manifest,
        evento=evento,
        codigo=_one(payload, "codigo", str, optional=True),
        hora=hora,
        segundos=None if seconds is None else float(seconds),
        anterior=before,
        sha256=sha256,
        payload=payload,
    )


def _one(payload: dict[str, Any], name: str, kind: type | tuple[type, ...], *, optional: bool = False) -> Any:
    value = payload[name]
    if isinstance(value, bool) or not (isinstance(value, kind) or (optional and value is None)):
        raise TypeError(name)
    if isinstance(value, str) and not value.isprintable():  # names and codes, that tables and terminals show
        raise ValueError(name)
    return value


def _malformed(problem: str) -> FormatoError:
    return FormatoError(
        f"No es un acuse de Pregón: {problem}.",
        intacto=_INTACTO,
        que_hacer="Revise de dónde vino; un acuse sale de la carpeta «acuses» de un difusor, byte por byte.",
    )
