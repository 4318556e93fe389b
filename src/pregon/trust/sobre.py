"""Papers that an institute signs and that are no part of the repository: an envelope (DSSE), one spelling, one key.

They are signed with a key of the role avisos that is at hand, under a payload type of their own, so that no paper can
be taken for another or for a notice. Who reads one needs the institute's root alone: it says who signed targets, and
targets who signs for avisos. Papers are evidence, read years later: dates of expiry do not count here, and a key that
a ceremony took out since then still proves what it signed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets
from tuf.api.serialization import DeserializationError

from pregon.base.errors import EntradaError, FirmaError, FormatoError
from pregon.base.jsonio import canonical_json
from pregon.paquete.names import visible
from pregon.trust.keys import missing_key
from pregon.trust.papeles import signed_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.trust.keys import KeyRing

ROL = "avisos"
"""The role whose keys sign them: of those at hand in a night, the one that speaks for the institute."""
MAX_BYTES = 64 << 10
_METADATA_MAX = 4 << 20
_VERSIONED = re.compile(r"([1-9][0-9]*)\.([a-z]+)\.json")
_INTACTO = "No se cambió nada."


def sign_paper(payload: dict[str, Any], tipo: str, *, ring: KeyRing, allowed: Sequence[Key]) -> bytes:
    """The envelope of ``payload`` under the payload type ``tipo``, signed with a key at hand among ``allowed``.

    Raises:
        EntradaError: none of them is at hand.
    """
    signers = ring.for_ids([key.keyid for key in allowed])
    if not signers:
        raise missing_key(f"{ROL}-1")
    envelope = Envelope(canonical_json(payload), tipo, {})
    envelope.sign(signers[0])
    return canonical_json(envelope.to_dict())


def read_paper(data: bytes, tipo: str, allowed: Iterable[Key]) -> dict[str, Any]:
    """What a paper says, its signature verified with one of ``allowed``. Nothing of it is believed before.

    Raises:
        FormatoError: it is no paper of that type, or is not spelled as the only spelling.
        FirmaError: none of the keys signed it.
    """
    try:
        envelope = Envelope.from_dict(json.loads(data[: MAX_BYTES + 1]))
        canonical = canonical_json(envelope.to_dict()) == data and len(envelope.signatures) == 1
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecurityError) as exc:
        raise _malformed("no es un sobre DSSE") from exc
    if not canonical:
        raise _malformed("no está escrito en su única forma")
    if envelope.payload_type != tipo:
        raise _malformed(f"es de otro tipo («{visible(str(envelope.payload_type))}»)")
    try:
        envelope.verify(list(allowed), 1)
    except (SecurityError, ValueError) as exc:
        raise FirmaError(
            "El papel no lo firmó ninguna llave del instituto.",
            intacto=_INTACTO,
            que_hacer="Revise de dónde vino, y que el root.json sea el de este instituto.",
        ) from exc
    try:
        payload = json.loads(envelope.payload)
    except (ValueError, RecursionError) as exc:
        raise _malformed("su contenido no es JSON") from exc
    if not isinstance(payload, dict):
        raise _malformed("su contenido no es un objeto")
    return payload


def paper_keys(metadata: Path, root: bytes) -> tuple[Key, ...]:
    """Every key that may have signed a paper, the newest first: those of the role avisos in each signed targets.

    ``metadata``: the folder of a repository; ``root``: the bytes of a root that is trusted, which must be one of its
    roots. Each root is signed by itself and by the one before, each targets by a root.

    Raises:
        FirmaError: ``root`` is not of that repository, or its roots do not follow one another.
        EntradaError: there are no metadata there.
    """
    keys: dict[str, Key] = {}
    for top in _targets(metadata, root):
        for keyid in top.get_delegated_role(ROL).keyids:
            keys.setdefault(keyid, top.get_key(keyid))
    return tuple(keys.values())


def listed(metadata: Path, root: bytes, role: str) -> dict[str, str]:
    """SHA-256 of every path that the newest list of ``role`` («cortes», «avisos») signs. Dates do not count.

    Raises:
        FirmaError: who signed it cannot be proved from ``root``. EntradaError: there are no metadata there.
    """
    documents = _documents(metadata, role)
    if not documents:
        raise _unsigned(f"falta la lista de {role}")
    found = _document(documents[-1], Targets)
    for top in _targets(metadata, root):
        try:
            top.verify_delegate(role, found.signed_bytes, found.signatures)
        except (RepositoryError, ValueError):
            continue
        return {file.target.ruta: file.target.sha256 for file in signed_files(found.signed)}
    raise _unsigned(f"la lista de {role} no la firmó quien debe")


def _targets(metadata: Path, root: bytes) -> list[Targets]:
    """Every signed version of targets, the newest first."""
    roots = _roots(metadata)
    if root not in roots:
        raise FirmaError(
            f"El root.json en que se confía no es de este repositorio: {metadata}.",
            intacto=_INTACTO,
            que_hacer="Revise que el root.json y la carpeta sean de la misma convocatoria y del mismo ambiente.",
        )
    trusted: list[Root] = []
    for data in roots:
        found = _document(data, Root)
        for judge in (*trusted[-1:], found.signed):
            _check(judge, "root", found)
        trusted.append(found.signed)
    tops = (_document(data, Targets) for data in reversed(_documents(metadata, "targets")))
    return [
        top.signed
        for top in tops
        if top.signed.delegations is not None and any(_signed_by(judge, top) for judge in trusted)
    ]


def _roots(metadata: Path) -> list[bytes]:
    found = _documents(metadata, "root")
    if not found:
        raise EntradaError(
            f"En {metadata} no hay metadatos firmados.",
            intacto=_INTACTO,
            que_hacer="Dé la carpeta «metadata» del repositorio del instituto.",
        )
    return found


def _documents(metadata: Path, name: str) -> list[bytes]:
    """Every version of a document, oldest first."""
    if not metadata.is_dir():
        return []
    matches = [(match, path) for path in metadata.iterdir() if (match := _VERSIONED.fullmatch(path.name))]
    paths = sorted((int(match[1]), path) for match, path in matches if match[2] == name)
    return [path.read_bytes() for _, path in paths if path.stat().st_size <= _METADATA_MAX]


def _document(data: bytes, kind: type[Any]) -> Metadata[Any]:
    try:
        found: Metadata[Any] = Metadata.from_bytes(data)
    except (DeserializationError, ValueError) as exc:
        raise _unsigned("un metadato no se puede leer") from exc
    if not isinstance(found.signed, kind):
        raise _unsigned("un metadato no es lo que dice su nombre")
    return found


def _check(judge: Root, role: str, document: Metadata[Any]) -> None:
    try:
        judge.verify_delegate(role, document.signed_bytes, document.signatures)
    except (RepositoryError, ValueError) as exc:
        raise _unsigned("una raíz no está firmada por sí misma y por la anterior") from exc


def _signed_by(judge: Root, top: Metadata[Any]) -> bool:
    try:
        judge.verify_delegate("targets", top.signed_bytes, top.signatures)
    except (RepositoryError, ValueError):
        return False
    return True


def _unsigned(problem: str) -> FirmaError:
    return FirmaError(
        f"Los metadatos firmados no prueban quién firma: {problem}.",
        intacto=_INTACTO,
        que_hacer="Copie otra vez la carpeta «metadata» del repositorio del instituto.",
    )


def _malformed(problem: str) -> FormatoError:
    return FormatoError(
        f"No es un papel firmado por el instituto: {problem}.",
        intacto=_INTACTO,
        que_hacer="Revise de dónde vino; debe estar byte por byte como se firmó.",
    )
