"""What a difusor delivers of its counts, ``pregon/conteo/1``: an envelope (DSSE) signed with the key of its acuses.

``{formato, convocatoria, instituto, ambiente, difusor, nodo, noche, generado, zona, k, medidas[], bosquejos[],
crudas}``. ``noche``: name of the key that the visitors were counted with; ``medidas``: as ``contado.shared`` gives
them; each of ``bosquejos`` is ``{sitio, ventana, clase, cual, bosquejo}``; ``crudas``: of the encrypted logs that go
apart, ``{archivo, bytes, sha256}``, or null. No address, no hash of one, no text of a single visitor.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError

from pregon.base.errors import FirmaError, FormatoError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.bitacoras.bosquejos import parse as parse_sketch
from pregon.bitacoras.contado import CLASES, Contado
from pregon.trust.acuse import Emisor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from securesystemslib.signer import Key

    from pregon.trust.keys import NamedKey

FORMATO = "pregon/conteo/1"
TIPO = "application/vnd.pregon.conteo+json"
MAX_BYTES = 64 << 20
MAX_BOSQUEJOS = 2_000
MAX_FILAS = 200_000
"""Rows of one list of a measure: the minutes of four months."""
_INTACTO = "No se sumó nada de él, y lo que ya se tenía sigue como estaba."
_PALABRA = re.compile(r"[a-z0-9-]{0,40}")
_CUAL = re.compile(r"[a-z0-9_-]{0,40}")
_NOCHE = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ARCHIVO = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_CIFRAS = ("hits", "bytes", "hits_robots")
_DE_PERSONAS = ("paginas", "visitas", "visitantes")
_LISTAS: Mapping[str, tuple[str, ...]] = {
    "por_minuto": ("desde", "hits", "bytes", "errores", "paginas", "visitas"),
    "por_dia": ("hits", "bytes", "paginas", "visitas", "visitantes"),
    "por_corte": ("corte", "hits", "bytes"),
    "por_contienda": ("hits", "bytes", "paginas"),
    "estados": ("hits", "bytes"),
    "tipos": ("hits", "bytes"),
}
"""Numbers of each list that are added up."""


@dataclass(frozen=True)
class Crudas:
    """The encrypted logs that go apart."""

    archivo: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Entrega:
    """One delivery whose signature was verified. ``sha256``: of the envelope's bytes; ``medidas``: as they were sent,
    the numbers that are added up looked at."""

    emisor: Emisor
    instituto: str
    noche: str
    generado: datetime
    k: int
    medidas: tuple[Mapping[str, Any], ...]
    contados: tuple[Contado, ...]
    crudas: Crudas | None
    sha256: str


def sign(
    emisor: Emisor,
    *,
    instituto: str,
    noche: str,
    generado: datetime,
    zona: str,
    k: int,
    medidas: Sequence[Mapping[str, Any]],
    contados: Sequence[Contado],
    crudas: Crudas | None,
    key: NamedKey,
) -> bytes:
    """The envelope of one delivery."""
    payload = {
        "formato": FORMATO,
        "convocatoria": emisor.convocatoria,
        "instituto": instituto,
        "ambiente": emisor.ambiente,
        "difusor": emisor.difusor,
        "nodo": emisor.nodo,
        "noche": noche,
        "generado": generado.isoformat(),
        "zona": zona,
        "k": k,
        "medidas": list(medidas),
        "bosquejos": [
            {
                "sitio": one.sitio,
                "ventana": one.ventana,
                "clase": one.clase,
                "cual": one.cual,
                "bosquejo": one.bosquejo.as_dict(),
            }
            for one in contados
        ],
        "crudas": None if crudas is None else vars(crudas),
    }
    envelope = Envelope(canonical_json(payload), TIPO, {})
    envelope.sign(key.signer)
    return canonical_json(envelope.to_dict())


def claimed(data: bytes) -> tuple[str, str]:
    """The difusor and node that an envelope says it is of, not verified: only to know whose key to try.

    Raises:
        FormatoError: it is no such envelope.
    """
    try:
        payload = json.loads(_envelope(data).payload)
        return str(payload["difusor"]), str(payload["nodo"])
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _malformed("su contenido no se entiende") from exc


def read(data: bytes, key: Key) -> Entrega:
    """One delivery, its signature verified with ``key``. Nothing of it is believed before.

    Raises:
        FormatoError: it is no delivery, or is not spelled as the only spelling, or a number in it cannot be.
        FirmaError: ``key`` did not sign it.
    """
    envelope = _envelope(data)
    try:
        envelope.verify([key], 1)
    except (SecurityError, ValueError) as exc:
        raise FirmaError(
            "La entrega no la firmó la llave que está registrada para ese nodo.",
            intacto=_INTACTO,
            que_hacer="Pregunte al difusor si cambió de llave; si no, alguien entrega en su nombre.",
        ) from exc
    try:
        return _parsed(json.loads(envelope.payload), sha256_bytes(data))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _malformed("su contenido no es el que debe") from exc


def _envelope(data: bytes) -> Envelope:
    if len(data) > MAX_BYTES:
        raise _malformed(f"mide más de {MAX_BYTES:,} bytes")
    try:
        envelope = Envelope.from_dict(json.loads(data))
        canonical = canonical_json(envelope.to_dict()) == data and len(envelope.signatures) == 1
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecurityError) as exc:
        raise _malformed("no es un sobre DSSE") from exc
    if not canonical or envelope.payload_type != TIPO:
        raise _malformed("no está escrito en su única forma, o es de otro tipo")
    return envelope


def _parsed(payload: Any, sha256: str) -> Entrega:
    if payload["formato"] != FORMATO or not _NOCHE.fullmatch(payload["noche"]):
        raise ValueError("of another form")
    generado = datetime.fromisoformat(payload["generado"])
    if generado.tzinfo is None or len(payload["bosquejos"]) > MAX_BOSQUEJOS:
        raise ValueError("no hour, or too many sketches")
    emisor = Emisor(*(_word(payload, name) for name in ("convocatoria", "ambiente", "difusor", "nodo")))
    contados = tuple(_counted(one) for one in payload["bosquejos"])
    medidas = tuple(_measure(one) for one in payload["medidas"])
    for kinds in ([one.clave for one in contados], [(one["sitio"], one["ventana"]) for one in medidas]):
        if len(set(kinds)) != len(kinds):
            raise ValueError("the same thing twice")
    return Entrega(
        emisor=emisor,
        instituto=_word(payload, "instituto"),
        noche=payload["noche"],
        generado=generado,
        k=_number(payload["k"]),
        medidas=medidas,
        contados=contados,
        crudas=None if payload["crudas"] is None else _raw(payload["crudas"]),
        sha256=sha256,
    )


def _counted(one: Any) -> Contado:
    clase = next((each for each in CLASES if each == one["clase"]), None)
    if clase is None or not _CUAL.fullmatch(one["cual"]):
        raise ValueError(one["cual"])
    return Contado(_word(one, "sitio"), _word(one, "ventana"), clase, one["cual"], parse_sketch(one["bosquejo"]))


def _measure(one: Any) -> Mapping[str, Any]:
    _word(one, "sitio")
    _word(one, "ventana")
    for name in _CIFRAS:
        _number(one[name])
    for name in _DE_PERSONAS:
        _number(one[name], optional=True)
    for name, numbers in _LISTAS.items():
        if not isinstance(one[name], list) or len(one[name]) > MAX_FILAS:
            raise TypeError(name)
        for row in one[name]:
            for number in numbers:
                _number(row[number], optional=number in _DE_PERSONAS)
    found: Mapping[str, Any] = one
    return found


def _raw(one: Any) -> Crudas:
    if not _ARCHIVO.fullmatch(one["archivo"]) or not _SHA256.fullmatch(one["sha256"]):
        raise ValueError("no such file")
    return Crudas(one["archivo"], _number(one["bytes"]), one["sha256"])


def _word(payload: Any, name: str) -> str:
    value = payload[name]
    if not isinstance(value, str) or not _PALABRA.fullmatch(value):
        raise ValueError(name)
    return value


def _number(value: Any, *, optional: bool = False) -> int:
    if optional and value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise ValueError(value)
    return value


def _malformed(problem: str) -> FormatoError:
    return FormatoError(
        f"No es una entrega de conteos de Pregón: {problem}.",
        intacto=_INTACTO,
        que_hacer="Use el archivo que escribió «pregon memoria entrega», byte por byte.",
    )
