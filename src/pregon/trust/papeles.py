"""The signing roles of a repository: who may sign what, with how many keys, and what every document claims to be."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Targets

from pregon.base.errors import FirmaError
from pregon.trust import orden
from pregon.trust.keys import OFFLINE_KEYS, ONLINE_ROLES, KeyRing, missing_key
from pregon.trust.verified import Identity, TargetRef
from pregon.trust.vigencia import offline_expiry

OFFLINE_THRESHOLD = 2
"""Root and targets: two of the three offline keys."""
DELEGATED = MappingProxyType({"cortes": "cortes/*/*", "avisos": "avisos/*"})
"""Delegated roles and the paths of each; ``*`` does not cross ``/``."""


KEY_KIND = ("ecdsa", "ecdsa-sha2-nistp256")
"""Type and scheme of every key (docs/verificacion.md): what a browser, a token and any openssl verify."""


def new_root(ring: KeyRing, identity: Identity, now: datetime) -> Root:
    """The first root, unsigned: three offline keys for root and targets, two for snapshot and for timestamp.

    Raises:
        EntradaError: a key is not at hand.
    """
    root = Root(
        version=1,
        expires=offline_expiry(now),
        consistent_snapshot=True,
        unrecognized_fields={orden.CLAIM: claim(identity, now)},
    )
    for role in ("root", "targets"):
        for nombre in OFFLINE_KEYS:
            root.add_key(ring.named(nombre).public, role)
        root.roles[role].threshold = OFFLINE_THRESHOLD
    for role in ("snapshot", "timestamp"):
        for n in (1, 2):
            root.add_key(ring.named(f"{role}-{n}").public, role)
    return root


def delegations(ring: KeyRing) -> Delegations:
    """The delegated roles, each with its own two keys, of which one is enough.

    Raises:
        EntradaError: a key is not at hand.
    """
    keys = {ring.named(f"{name}-{n}").keyid: ring.named(f"{name}-{n}").public for name in DELEGATED for n in (1, 2)}
    roles = {
        name: DelegatedRole(
            name=name,
            keyids=[ring.named(f"{name}-{n}").keyid for n in (1, 2)],
            threshold=1,
            terminating=True,
            paths=[pattern],
        )
        for name, pattern in DELEGATED.items()
    }
    return Delegations(keys=keys, roles=roles)


def claim(identity: Identity, now: datetime) -> dict[str, str]:
    """``x-pregon``: whose repository this is and when it was signed."""
    return {
        "convocatoria": identity.convocatoria,
        "instituto": identity.instituto,
        "ambiente": identity.ambiente,
        "firmado": now.astimezone(UTC).isoformat(timespec="seconds"),
    }


def sign(metadata: Metadata[Any], delegator: Root | Targets, name: str, ring: KeyRing) -> None:
    """Sign with the keys of the role at hand: one where one is enough, all where a threshold asks for more.

    Raises:
        EntradaError: fewer keys than the threshold are at hand.
    """
    role = delegator.get_delegated_role(name)
    signers = ring.for_ids(role.keyids)
    if len(signers) < role.threshold:
        raise missing_key(f"{name}-1" if name in ONLINE_ROLES else "raiz")
    metadata.signatures.clear()
    for signer in signers if role.threshold > 1 else signers[:1]:
        metadata.sign(signer, append=True)


def signed_files(targets: Targets) -> tuple[orden.SignedFile, ...]:
    """The files that a role lists, with what was signed beside each.

    Raises:
        FirmaError: one of them lacks a size or a SHA-256.
    """
    files = []
    for ruta, file in targets.targets.items():
        sha256 = file.hashes.get("sha256")
        if not isinstance(sha256, str) or not isinstance(file.length, int):
            raise FirmaError(
                f"La lista firmada no da el tamaño y el SHA-256 de «{ruta}».",
                intacto=orden.INTACTO,
                que_hacer="Avise al instituto: la lista debe volver a firmarse.",
            )
        custom = file.custom if isinstance(file.custom, dict) else {}
        files.append(orden.SignedFile(TargetRef(ruta, file.length, sha256), custom))
    return tuple(files)
