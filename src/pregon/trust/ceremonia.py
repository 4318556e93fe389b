"""What a ceremony changes: who may sign. Proposed in the open, signed by the offline keys, adopted in one safe order.

A proposal is two documents still without signatures: the next root, the next targets, or both. It holds nothing secret,
so that it can travel to where each offline key is. It is adopted only with enough signatures **for the root there is
and for the root to be**.

The order of adoption lets no reader, and no carrier stopped half way, see a repository that does not verify:

1. The new targets, and the delegated roles whose keys changed, signed by their new keys.
2. Snapshot and timestamp, signed by a key of the root there is **and** by one of the root to be. From here every reader
   of the old root finds the new targets; the other signature is of a key it does not know, and TUF ignores it.
3. The new root. Its readers find the same snapshot and timestamp, by the other signature.

Only where no key of the old root is left for snapshot or timestamp (both lost) does the root go first: nothing could be
signed before, and for a moment, until the timestamp, nothing new is accepted; what is public stays (design §2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Key, Metadata, MetaFile, Root, Targets, Timestamp

from pregon.base.errors import AjustesError
from pregon.trust import orden
from pregon.trust.frontera import tuf_border
from pregon.trust.keys import OFFLINE_KEYS, ONLINE_ROLES, RAIZ, missing_key
from pregon.trust.papeles import DELEGATED, OFFLINE_THRESHOLD, claim
from pregon.trust.propuesta import DOCUMENTS, INTACTO, Firmas, Propuesta, check_signatures, signed_documents
from pregon.trust.repositorio import Repository
from pregon.trust.vigencia import timestamp_expiry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Papel:
    """A signing role as it is now. ``vence`` is aware, in UTC; ``llaves`` are key ids."""

    nombre: str
    version: int
    umbral: int
    llaves: tuple[str, ...]
    vence: datetime


@dataclass(frozen=True)
class Cambio:
    """Key ids that leave, and new public keys by role (``raiz`` is root and targets). Both empty: new dates only."""

    retira: tuple[str, ...]
    agrega: tuple[tuple[str, Key], ...]


class Ceremonia(Repository):
    """A repository whose signing roles can be changed. The ring holds the online keys that will sign afterwards."""

    def papeles(self) -> tuple[Papel, ...]:
        """The six roles as they are now, root first."""
        root, targets = self._load("root").signed, self._load("targets").signed
        found = []
        for name in (*DOCUMENTS, *ONLINE_ROLES):
            role = (targets if name in DELEGATED else root).get_delegated_role(name)
            signed = self._load(name).signed
            found.append(Papel(name, signed.version, role.threshold, tuple(role.keyids), signed.expires))
        return tuple(found)

    def public_key(self, keyid: str) -> Key:
        """An authorised public key. Raises ``KeyError`` when no role has it."""
        root, targets = self._load("root").signed, self._load("targets").signed
        known: dict[str, Key] = {**targets.delegations.keys, **root.keys}
        return known[keyid]

    def standing(self) -> Propuesta:
        """A proposal of nothing: the root and the targets that are in force."""
        return Propuesta(None, None, {name: self._current_path(name).read_bytes() for name in DOCUMENTS})

    def propose(self, cambio: Cambio, *, now: datetime, expira: datetime) -> Propuesta:
        """The next root, targets or both; nothing is written. ``expira``: until when they hold, if not longer already.

        Raises:
            AjustesError: a role would be left with fewer keys than its threshold.
        """
        old: dict[str, Metadata[Any]] = {name: self._load(name) for name in DOCUMENTS}
        new: dict[str, Any] = {name: self._load(name).signed for name in DOCUMENTS}
        touched: set[str] = set()
        for owner, role in _roles():
            for keyid in cambio.retira:
                if keyid in old[owner].signed.get_delegated_role(role).keyids:
                    new[owner].revoke_key(keyid, role)
                    touched |= _owners(role)
        for name, key in cambio.agrega:
            for owner, role in _roles():
                if role == name or (name == RAIZ and role in DOCUMENTS):
                    new[owner].add_key(key, role)
                    touched |= _owners(role)
        for owner, role in _roles():
            _enough(new[owner].get_delegated_role(role), role)
        if not cambio.retira and not cambio.agrega:
            touched = set(DOCUMENTS)
        for name in touched:
            new[name].version = self._newest(name) + 1
            new[name].expires = max(old[name].signed.expires, expira.astimezone(UTC))
        if "root" in touched:
            new["root"].unrecognized_fields[orden.CLAIM] = claim(self.identity, now)
        return Propuesta(
            root=new["root"].to_dict() if "root" in touched else None,
            targets=new["targets"].to_dict() if "targets" in touched else None,
            actual=self.standing().actual,
        )

    def check_base(self, propuesta: Propuesta) -> None:
        """That ``propuesta`` follows what this repository has now (or is already part of it, after a stop).

        Raises:
            AjustesError: root or targets are others by now. Nothing was written.
        """
        documents = propuesta.documents
        for name in DOCUMENTS:
            here = self._current_path(name).read_bytes()
            path = None if name not in documents else self._path(name, documents[name].signed.version)
            taken = path is not None and path.exists()
            ours = path is not None and taken and _same(path.read_bytes(), documents[name])
            applied = ours and _same(here, documents[name])
            if (here != propuesta.actual[name] and not applied) or (taken and not ours):
                raise AjustesError(
                    f"El repositorio cambió desde que se preparó esta solicitud («{name}» es otro).",
                    intacto=INTACTO,
                    que_hacer="Descarte la solicitud con «llaves cancela» y prepare otra.",
                )

    def adopt(
        self,
        propuesta: Propuesta,
        firmas: Firmas,
        *,
        now: datetime,
        expira: datetime,
        siguiente: datetime,
        intervalo: timedelta,
    ) -> None:
        """Put ``propuesta`` in force, in the order above. After a stop, the same call finishes it.

        ``expira``, ``siguiente`` and ``intervalo`` are those of ``Repository.create``; no date becomes an earlier one.

        Raises:
            AjustesError, FirmaError, EntradaError: it does not follow this repository, its signatures are not enough,
                or an online key is not at hand. Nothing was written.
            DiscoError, EscrituraError: could not write; what readers see still verifies.
        """
        self.check_base(propuesta)
        check_signatures(propuesta, firmas)
        signed = signed_documents(propuesta, firmas)
        roots = [propuesta.current("root").signed, *([signed["root"].signed] if "root" in signed else [])]
        top = (signed["targets"] if "targets" in signed else self._load("targets")).signed
        online = self._changed_delegations(top)
        if "root" in signed and _same(self._current_path("root").read_bytes(), signed["root"]):
            roots = roots[1:]
        orphan = self._check_at_hand(roots, top, online)
        if orphan:
            self._install("root", signed)
        targets = self._install("targets", signed)
        snapshot = self._load("snapshot").signed
        until = expira.astimezone(UTC)
        if targets is not None:
            snapshot.meta["targets.json"] = targets
        for name, document in online.items():
            snapshot.meta[f"{name}.json"] = self._store(name, document, top, expires=max(document.expires, until))
        snapshot.version = self._next("snapshot")
        snapshot.expires = max(snapshot.expires, until)
        data = self._signed_for(roots, "snapshot", snapshot)
        self._put("snapshot", snapshot.version, data)
        before: Timestamp = self._load("timestamp").signed
        timestamp = Timestamp(
            version=self._next("timestamp"),
            expires=max(before.expires, timestamp_expiry(siguiente, intervalo)),
            snapshot_meta=_meta(snapshot.version, data),
            unrecognized_fields={orden.CLAIM: claim(self.identity, now)},
        )
        self._put_timestamp(self._signed_for(roots, "timestamp", timestamp))
        self._install("root", signed)

    def _changed_delegations(self, top: Targets) -> dict[str, Targets]:
        """The delegated documents that must be signed again: those whose keys are not the ones they had."""
        current = self._load("targets").signed
        return {
            name: self._load(name).signed
            for name in DELEGATED
            if top.get_delegated_role(name).keyids != current.get_delegated_role(name).keyids
        }

    def _check_at_hand(self, roots: list[Root], top: Targets, online: Mapping[str, Targets]) -> bool:
        """Whether the new root must go first; raises ``EntradaError`` when a key that will sign is not here."""
        for name in online:
            if not self._can_sign(name, top):
                raise missing_key(f"{name}-1")
        for role in ("snapshot", "timestamp"):
            if not self._can_sign(role, roots[-1]):
                raise missing_key(f"{role}-1")
        return not all(self._can_sign(role, roots[0]) for role in ("snapshot", "timestamp"))

    def _install(self, name: str, signed: Mapping[str, Metadata[Any]]) -> MetaFile | None:
        """Write a document with the signatures it came with; None when this proposal has none of that name."""
        if name not in signed:
            return None
        data = signed[name].to_bytes()
        path = self._path(name, signed[name].signed.version)
        if path.exists():
            # Once written it is never written again: a carrier may have taken it.
            data = path.read_bytes()
            self._signed[path.relative_to(self._folder).as_posix()] = data
        else:
            self._put(name, signed[name].signed.version, data)
        return _meta(signed[name].signed.version, data)

    def _signed_for(self, roots: list[Root], role: str, signed: Any) -> bytes:
        metadata: Metadata[Any] = Metadata(signed)
        signers = {
            signer.public_key.keyid: signer
            for root in roots
            for signer in self._ring.for_ids(root.roles[role].keyids)[:1]
        }
        for signer in signers.values():
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def _current_path(self, name: str) -> Path:
        if name == "timestamp":
            return self._folder / "metadata" / "timestamp.json"
        return self._path(name, self._load(name).signed.version)


def _owners(role: str) -> set[str]:
    """The documents that a change of this role's keys makes anew: the root's keys are also those of targets."""
    if role in DELEGATED:
        return {"targets"}
    return set(DOCUMENTS) if role in DOCUMENTS else {"root"}


def _roles() -> tuple[tuple[str, str], ...]:
    """Each role, after the document that names its keys."""
    return tuple(("targets" if role in DELEGATED else "root", role) for role in (*DOCUMENTS, *ONLINE_ROLES))


def _enough(role: Any, name: str) -> None:
    wanted = len(OFFLINE_KEYS) if name in DOCUMENTS else role.threshold
    if len(role.keyids) < wanted or (name in DOCUMENTS and role.threshold != OFFLINE_THRESHOLD):
        raise AjustesError(
            f"«{name}» quedaría con {len(role.keyids)} llave(s) y necesita {wanted}.",
            intacto=INTACTO,
            que_hacer="Ponga una llave nueva en el lugar de cada una que retire.",
        )


def _same(data: bytes, metadata: Metadata[Any]) -> bool:
    """Whether ``data`` is that very document, whatever signatures it carries."""
    with tuf_border():
        here: Metadata[Any] = Metadata.from_bytes(data)
        return bool(here.signed_bytes == metadata.signed_bytes)


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile.from_data(version, data, ["sha256"])
