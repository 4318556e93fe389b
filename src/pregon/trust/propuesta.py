"""A change of keys before it is in force: documents without signatures, and the signatures that arrive for them.

It holds nothing secret, so that it can travel to where each offline key is. Whoever signs it there reads what it does
from the documents themselves.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature
from tuf.api.metadata import Metadata, Root, Targets

from pregon.base.errors import EntradaError, FirmaError, RetrocesoError
from pregon.trust import orden
from pregon.trust.frontera import tuf_border
from pregon.trust.keys import ONLINE_ROLES
from pregon.trust.papeles import DELEGATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Key

    from pregon.trust.verified import Identity

DOCUMENTS = ("root", "targets")
"""What the offline keys sign."""

INTACTO = "No se cambió nada: las llaves y el repositorio siguen como estaban."

Firmas = dict[str, dict[str, str]]
"""Signatures of a proposal: document, key id, signature in hexadecimal."""


@dataclass(frozen=True)
class Propuesta:
    """Documents to be signed (``None``: that one stays), and the exact ones they follow.

    ``actual`` are the bytes of the root and of the targets that were current when it was made.
    """

    root: Mapping[str, Any] | None
    targets: Mapping[str, Any] | None
    actual: Mapping[str, bytes]

    @property
    def documents(self) -> dict[str, Metadata[Any]]:
        """The documents to sign, without signatures.

        Raises:
            FirmaError: they are not metadata.
        """
        found = {}
        for name, signed in (("root", self.root), ("targets", self.targets)):
            if signed is not None:
                found[name] = _parsed(name, {"signatures": [], "signed": signed})
        return found

    def current(self, name: str) -> Metadata[Any]:
        """The root or the targets that this follows. Raises ``FirmaError`` when they are not metadata."""
        with tuf_border():
            return Metadata.from_bytes(self.actual[name])

    @property
    def identity(self) -> Identity:
        """Whose keys these are, by the root there is."""
        return orden.claim_of(self.current("root").signed.unrecognized_fields).identity


@dataclass(frozen=True)
class Diferencia:
    """What a proposal does to one role, read from the documents themselves."""

    papel: str
    entran: tuple[str, ...]
    salen: tuple[str, ...]
    umbral: int


def differences(propuesta: Propuesta) -> tuple[Diferencia, ...]:
    """What signing ``propuesta`` would change, role by role; roles that stay as they are do not appear."""
    after = propuesta.documents
    found = []
    for name in (*DOCUMENTS, *ONLINE_ROLES):
        owner = "targets" if name in DELEGATED else "root"
        if owner in after:
            then = propuesta.current(owner).signed.get_delegated_role(name)
            now = after[owner].signed.get_delegated_role(name)
            come = tuple(keyid for keyid in now.keyids if keyid not in then.keyids)
            gone = tuple(keyid for keyid in then.keyids if keyid not in now.keyids)
            if come or gone or now.threshold != then.threshold:
                found.append(Diferencia(name, come, gone, now.threshold))
    return tuple(found)


def offline_ids(propuesta: Propuesta) -> tuple[str, ...]:
    """Ids of the keys whose signature counts: the offline ones of the root there is and of the root to be."""
    after = propuesta.documents.get("root", propuesta.current("root")).signed
    return tuple(dict.fromkeys((*propuesta.current("root").signed.roles["root"].keyids, *after.roles["root"].keyids)))


def sign_proposal(propuesta: Propuesta, signers: Iterable[CryptoSigner]) -> Firmas:
    """The signatures that ``signers`` can give; of other keys, none."""
    ids = offline_ids(propuesta)
    mine = [signer for signer in signers if signer.public_key.keyid in ids]
    return {
        name: {signer.public_key.keyid: signer.sign(metadata.signed_bytes).signature for signer in mine}
        for name, metadata in propuesta.documents.items()
    }


def merged(*many: Firmas) -> Firmas:
    """Signatures from several hands, together."""
    names = dict.fromkeys(name for firmas in many for name in firmas)
    return {name: {keyid: value for firmas in many for keyid, value in firmas.get(name, {}).items()} for name in names}


def check_signatures(propuesta: Propuesta, firmas: Firmas) -> None:
    """That each signature is valid and that there are enough, for the root there is and for the root to be.

    Raises:
        FirmaError: one of them is of another document or of a key that does not count.
        EntradaError: more are needed; nobody signed wrongly.
    """
    documents, ids = propuesta.documents, offline_ids(propuesta)
    roots = [propuesta.current("root").signed]
    if "root" in documents:
        roots.append(documents["root"].signed)
    public = {keyid: key for root in roots for keyid, key in root.keys.items()}
    for name, metadata in signed_documents(propuesta, firmas).items():
        for keyid, signature in metadata.signatures.items():
            if keyid not in ids or not _valid(public[keyid], signature, metadata.signed_bytes):
                raise FirmaError(
                    f"La firma de la llave {keyid[:8]}… sobre «{name}» no vale para esta solicitud.",
                    intacto=INTACTO,
                    que_hacer="Vuelva a firmar la solicitud vigente con el medio de esa llave.",
                )
        for root in roots:
            result = root.get_verification_result(name, metadata.signed_bytes, metadata.signatures)
            if not result.verified:
                raise EntradaError(
                    f"Faltan firmas sobre «{name}»: hay {len(result.signed)} y hacen falta {result.threshold}.",
                    intacto=INTACTO,
                    que_hacer="Reúna otro medio con llave raíz, o pida su firma con «llaves firma».",
                )


def check_follows(pinned: bytes, propuesta: Propuesta) -> None:
    """That the root which ``propuesta`` follows is ``pinned``, or a later one that its keys signed; its targets too.

    No root is believed alone, and none goes back: an earlier one may be signed by the same keys and bring back what a
    later one retired.

    Raises:
        FirmaError, UmbralError: they are not.
        RetrocesoError: the root is earlier than ``pinned``.
    """
    actual, targets = propuesta.current("root"), propuesta.current("targets")
    with tuf_border():
        known: Metadata[Any] = Metadata.from_bytes(pinned)
        actual.signed.verify_delegate("targets", targets.signed_bytes, targets.signatures)
        if pinned == propuesta.actual["root"]:
            return
        for root in (known.signed, actual.signed):
            root.verify_delegate("root", actual.signed_bytes, actual.signatures)
        offered, mine = int(actual.signed.version), int(known.signed.version)
        same = actual.signed_bytes == known.signed_bytes
    if offered < mine or (offered == mine and not same):
        raise RetrocesoError(
            f"La raíz a la que sigue es la versión {offered} y este medio ya conoce la {mine}"
            + ("." if offered < mine else ", que es otra."),
            intacto=INTACTO,
            que_hacer="Compare la huella con la última hoja; un repositorio restaurado de un respaldo hace esto.",
        )


def _parsed(name: str, data: Any) -> Metadata[Any]:
    kinds: dict[str, type[Any]] = {"root": Root, "targets": Targets}
    with tuf_border():
        metadata: Metadata[Any] = Metadata.from_dict(copy.deepcopy(data))  # it takes apart what it is given
        if not isinstance(metadata.signed, kinds[name]):
            raise TypeError(f"not {name}")
        return metadata


def signed_documents(propuesta: Propuesta, firmas: Firmas) -> dict[str, Metadata[Any]]:
    """The documents of a proposal with their signatures, not verified."""
    documents = propuesta.documents
    for name, metadata in documents.items():
        for keyid, value in sorted(firmas.get(name, {}).items()):
            metadata.signatures[keyid] = Signature(keyid, value)
    return documents


def _valid(key: Key, signature: Signature, data: bytes) -> bool:
    """Whether ``signature`` is of ``key`` over ``data``; one that cannot even be read is not."""
    try:
        key.verify_signature(signature, data)
    except UnverifiedSignatureError:  # its base: whatever else fails inside is a VerificationError, which is one too
        return False
    return True
