"""The institute's side: the static repository of design §2, signed with the keys at hand.

``metadata/`` holds ``N.root.json``, ``N.targets.json``, ``N.cortes.json``, ``N.avisos.json``, ``N.snapshot.json`` and
``timestamp.json``; ``targets/`` the cuts and notices. What is signed is always written before what names it, and
``timestamp.json`` last: a reader, or a carrier stopped half way, sees the state before or the state after.

The institute refuses to sign what its own difusores would refuse: the same functions of ``orden`` judge both. Where two
machines may sign, ``Numeros`` gives each number before it is signed, and keeps what is signed before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, RetrocesoError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.names import MANIFIESTO
from pregon.trust import orden
from pregon.trust.aviso import notice_path
from pregon.trust.carpeta import SignedFolder, in_use, no_cut
from pregon.trust.keys import KeyRing, missing_key
from pregon.trust.numeros import NumerosDeCarpeta
from pregon.trust.papeles import DELEGATED, OFFLINE_THRESHOLD, claim, delegations, new_root, sign, signed_files
from pregon.trust.verified import Identity, Memory
from pregon.trust.vigencia import closing_expiry, offline_expiry, timestamp_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.trust.numeros import Numeros
    from pregon.trust.verified import CutRef


@dataclass(frozen=True)
class Closing:
    """What the closing signature reached: roles valid to the end of permanence + 10 years, and roles that were not.

    A role is left out when its keys were not at hand; it expires on ``sin_firmar[role]`` and must be signed again by
    a ceremony before that.
    """

    hasta: datetime
    firmados: tuple[str, ...]
    sin_firmar: Mapping[str, datetime]


class Repository(SignedFolder):
    """A repository in ``folder`` and the ring of keys at hand. One process at a time."""

    def __init__(
        self, folder: Path, ring: KeyRing, *, disk: Disk | None = None, numeros: Numeros | None = None
    ) -> None:
        """Open the repository in ``folder``. ``numeros``: of one that two machines may sign.

        Raises:
            EntradaError: there is none.
            DiscoError: its metadata cannot be read.
        """
        super().__init__(folder)
        self._ring = ring
        self._disk = disk or Disk()
        self._numeros = numeros or NumerosDeCarpeta()
        self._signed: dict[str, bytes] = {}
        """Documents that no timestamp leads to yet, by their path in the repository."""

    @classmethod
    def create(
        cls,
        folder: Path,
        ring: KeyRing,
        identity: Identity,
        *,
        now: datetime,
        expira: datetime,
        siguiente: datetime,
        intervalo: timedelta,
        disk: Disk | None = None,
    ) -> Repository:
        """Make an empty repository: every role signed, no cut. Needs the whole ring.

        ``expira`` is the expiry of cortes, avisos and snapshot (``vigencia.online_expiry``), ``siguiente`` the hour of
        the first cut, ``intervalo`` the time between cuts.

        Raises:
            AjustesError: there is a repository already; it stays.
            EntradaError: a key is not at hand.
        """
        disk = disk or Disk()
        metadata = folder / "metadata"
        if in_use(folder):
            raise AjustesError(
                f"Ya hay un repositorio firmado en {folder}.",
                intacto="El repositorio que estaba no se tocó.",
                que_hacer="Use otra carpeta para el repositorio nuevo.",
            )
        for path in (metadata, folder / "targets" / "cortes", folder / "targets" / "avisos"):
            disk.make_folder(path)
        root = new_root(ring, identity, now)
        signed_root = Metadata(root)
        sign(signed_root, root, "root", ring)
        # Root first: without it the folder is not a repository; without timestamp.json it offers nothing yet.
        disk.write(metadata / "1.root.json", signed_root.to_bytes())
        repository = cls(folder, ring, disk=disk)
        empty = {name: Targets(version=1) for name in DELEGATED}
        top = Targets(version=1, delegations=delegations(ring))
        repository._publish(
            {"targets": top, **empty},
            now=now,
            expires={"targets": offline_expiry(now), **dict.fromkeys((*DELEGATED, "snapshot"), expira)},
            timestamp_expires=timestamp_expiry(siguiente, intervalo),
        )
        return repository

    def publish_cut(
        self, corte: int, *, now: datetime, expira: datetime, siguiente: datetime | None, intervalo: timedelta
    ) -> CutRef:
        """Sign what lies in ``targets/cortes/NNNN``: the role cortes, then snapshot, then timestamp.

        ``expira`` is for cortes and snapshot; ``siguiente`` the hour of the next cut (None: none announced, ``now``
        counts). Signing the newest cut again changes only versions and dates.

        Raises:
            EntradaError: the folder has no whole cut, or a key is not at hand. Nothing was signed.
            TrustError: what any difusor would refuse (identity, chain, number signed with another content).
            ArchivoError: the manifest or a name is not admitted.
        """
        manifest, files = self._read_cut(corte)
        orden.check_identity(self._identity, orden.identity_of(manifest), where="según el manifiesto por firmar")
        cortes: Metadata[Targets] = self._load("cortes")
        prefix = orden.cut_folder(corte) + "/"
        known = orden.list_cuts(signed_files(cortes.signed))
        kept = {ruta: file for ruta, file in cortes.signed.targets.items() if not ruta.startswith(prefix)}
        cortes.signed.targets = {**kept, **{file.path: file for file in files}}
        cuts = orden.list_cuts(signed_files(cortes.signed))
        orden.check_memory(cuts, Memory(cortes={cut.corte: cut.manifiesto.sha256 for cut in known}))
        cut = cuts[-1]
        if cut.corte != corte:
            raise RetrocesoError(
                f"Ya está firmado el corte {cut.corte}; no se puede firmar después el {corte}.",
                intacto="No se firmó nada.",
                que_hacer="Genere el corte con el número que sigue.",
            )
        orden.check_chain(manifest, cut, cuts, Memory())
        if not cut.archives:
            raise no_cut(self.cut_folder(corte), "no tiene ningún archivo que publicar")
        self._check_online("cortes")
        self._numeros.toma("corte", corte, cut.manifiesto.sha256, self._targets(file.path for file in files))
        self._publish(
            {"cortes": cortes.signed},
            now=now,
            expires={"cortes": expira, "snapshot": expira},
            timestamp_expires=timestamp_expiry(siguiente or now, intervalo),
        )
        return cut

    def resign_timestamp(self, *, now: datetime, expires: datetime) -> None:
        """Sign the same state again, with a new date: the sign of life between cuts (every interval)."""
        timestamp: Metadata[Timestamp] = self._load("timestamp")
        self._write_timestamp(timestamp.signed.snapshot_meta, now=now, expires=expires)

    def publish_notice(
        self, data: bytes, *, now: datetime, expira: datetime, siguiente: datetime | None, intervalo: timedelta
    ) -> int:
        """Write and sign the next notice (``targets/avisos/000007.json``); its number. Dates as in ``publish_cut``.

        No date comes nearer by it: a closing cut, signed to the end of permanence + 10 years, stays so.

        Raises:
            EntradaError: a key is not at hand. EscrituraError: as ``next_notice``. Nothing was signed.
        """
        avisos: Metadata[Targets] = self._load("avisos")
        number = self.next_notice()
        self._check_online("avisos")
        ruta = notice_path(number)
        self._disk.write(self._folder / "targets" / ruta, data)
        self._numeros.toma("aviso", number, sha256_bytes(data), self._targets((ruta,)))
        avisos.signed.targets[ruta] = TargetFile.from_data(ruta, data, ["sha256"])
        until = {name: max(expira, self._load(name).signed.expires) for name in ("avisos", "snapshot")}
        self._publish(
            {"avisos": avisos.signed},
            now=now,
            expires=until,
            timestamp_expires=max(
                timestamp_expiry(siguiente or now, intervalo), self._load("timestamp").signed.expires
            ),
        )
        return number

    def close(self, *, now: datetime, permanencia_hasta: datetime) -> Closing:
        """Sign every role to the end of permanence + 10 years, so that the closing cut verifies ever after.

        Called after ``publish_cut`` of the last cut. Roles whose keys are not at hand keep their date and are named in
        the answer; cortes, snapshot and timestamp must be.

        Raises:
            EntradaError: an online key is not at hand; nothing was signed.
        """
        until = closing_expiry(permanencia_hasta)
        root: Metadata[Root] = self._load("root")
        targets: Metadata[Targets] = self._load("targets")
        at_hand = self._ring.for_ids(root.signed.roles["root"].keyids)
        pending: dict[str, datetime] = {}
        changed: dict[str, Targets] = {name: self._load(name).signed for name in DELEGATED}
        if not self._can_sign("avisos", targets.signed):
            pending["avisos"] = changed.pop("avisos").expires
        needed: tuple[tuple[str, Root | Targets], ...] = (
            ("cortes", targets.signed),
            ("snapshot", root.signed),
            ("timestamp", root.signed),
        )
        for role, delegator in needed:
            if not self._can_sign(role, delegator):
                raise missing_key(f"{role}-1")
        if len(at_hand) >= OFFLINE_THRESHOLD:
            self._store_root(root.signed, expires=until, now=now)
            changed["targets"] = targets.signed
        else:
            pending |= {"root": root.signed.expires, "targets": targets.signed.expires}
        self._publish(changed, now=now, expires=dict.fromkeys((*changed, "snapshot"), until), timestamp_expires=until)
        roles = ("root", "targets", *DELEGATED, "snapshot", "timestamp")
        return Closing(until, tuple(role for role in roles if role not in pending), pending)

    def resume(
        self, *, now: datetime, expira: datetime, siguiente: datetime | None, intervalo: timedelta
    ) -> tuple[str, ...]:
        """Sign the same cuts and notices again, after a recovery: with what there is. Dates as in ``publish_cut``.

        Archives of earlier cuts that are nowhere leave the list, so that nobody waits for them; their manifests stay in
        it, so that no number can have another content. The newest cut is listed with the files that its folder has, and
        its manifest must be the one that was signed. Gives the paths that left the list.

        Raises:
            EntradaError: the newest cut is not whole, or a key is not at hand. EquivocoError: it is another. Nothing
                was signed.
        """
        cortes: Targets = self._load("cortes").signed
        known = orden.list_cuts(signed_files(cortes))
        last = "" if not known else orden.cut_folder(known[-1].corte) + "/"
        kept = {
            ruta: file
            for ruta, file in cortes.targets.items()
            if not ruta.startswith(last or "/")
            and (ruta.endswith(f"/{MANIFIESTO}") or (self._folder / "targets" / ruta).is_file())
        }
        if known:
            _, files = self._read_cut(known[-1].corte)
            kept |= {file.path: file for file in files}
        before, cortes.targets = cortes.targets, kept
        cuts = orden.list_cuts(signed_files(cortes))
        orden.check_memory(cuts, Memory(cortes={cut.corte: cut.manifiesto.sha256 for cut in known}))
        if cuts and not cuts[-1].archives:
            raise no_cut(self.cut_folder(cuts[-1].corte), "no tiene ningún archivo que publicar")
        self._check_online("cortes")
        self._check_online("avisos")
        signed = {"cortes": cortes, "avisos": self._load("avisos").signed}
        until = {name: max(expira, self._load(name).signed.expires) for name in (*signed, "snapshot")}
        self._publish(signed, now=now, expires=until, timestamp_expires=timestamp_expiry(siguiente or now, intervalo))
        return tuple(sorted(before.keys() - kept.keys()))

    def _check_online(self, role: str) -> None:
        """That what a cut or a notice needs can be signed here, before its number is taken."""
        root: Root = self._load("root").signed
        delegators = {role: self._load("targets").signed, "snapshot": root, "timestamp": root}
        for name, delegator in delegators.items():
            if not self._can_sign(name, delegator):
                raise missing_key(f"{name}-1")

    def _targets(self, rutas: Iterable[str]) -> dict[str, Path]:
        return {f"targets/{ruta}": self._folder / "targets" / ruta for ruta in rutas}

    # Writing, in the only order there is.

    def _publish(
        self,
        changed: Mapping[str, Targets],
        *,
        now: datetime,
        expires: Mapping[str, datetime],
        timestamp_expires: datetime,
    ) -> None:
        self._signed.clear()
        root: Root = self._load("root").signed
        top = changed["targets"] if "targets" in changed else self._load("targets").signed
        started = (self._folder / "metadata" / "timestamp.json").exists()
        snapshot = self._load("snapshot").signed if started else Snapshot(version=1)
        for name, signed in changed.items():
            delegator = root if name == "targets" else top
            snapshot.meta[f"{name}.json"] = self._store(name, signed, delegator, expires=expires[name])
        listed = self._store("snapshot", snapshot, root, expires=expires["snapshot"])
        self._write_timestamp(listed, now=now, expires=timestamp_expires)

    def _store(self, name: str, signed: Any, delegator: Root | Targets, *, expires: datetime) -> MetaFile:
        """Write the next version of a role. Numbers that a stopped attempt used are never used again."""
        signed.version = self._next(name)
        signed.expires = expires.astimezone(UTC)
        metadata = Metadata(signed)
        sign(metadata, delegator, name, self._ring)
        data = metadata.to_bytes()
        self._put(name, signed.version, data)
        return MetaFile.from_data(signed.version, data, ["sha256"])

    def _store_root(self, root: Root, *, expires: datetime, now: datetime) -> int:
        previous: Root = self._load("root").signed
        root.version = previous.version + 1
        root.expires = expires.astimezone(UTC)
        root.unrecognized_fields[orden.CLAIM] = claim(self._identity, now)
        metadata = Metadata(root)
        keyids = [*previous.roles["root"].keyids, *root.roles["root"].keyids]
        for signer in self._ring.for_ids(dict.fromkeys(keyids)):
            metadata.sign(signer, append=True)
        try:
            for delegator in (previous, root):
                delegator.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
        except UnsignedMetadataError as exc:
            raise missing_key("raiz") from exc
        self._put("root", root.version, metadata.to_bytes())
        return root.version

    def _put(self, name: str, version: int, data: bytes) -> None:
        """Write a document: a root can be read at once, the others when a timestamp leads to them."""
        path = self._path(name, version)
        ruta = path.relative_to(self._folder).as_posix()
        if name == "root":
            self._numeros.confirma({ruta: data})
        else:
            self._signed[ruta] = data
        self._disk.write(path, data)

    def _write_timestamp(self, snapshot: MetaFile, *, now: datetime, expires: datetime) -> None:
        signed = Timestamp(
            version=self._next("timestamp"),
            expires=expires.astimezone(UTC),
            snapshot_meta=snapshot,
            unrecognized_fields={orden.CLAIM: claim(self._identity, now)},
        )
        metadata = Metadata(signed)
        sign(metadata, self._load("root").signed, "timestamp", self._ring)
        self._put_timestamp(metadata.to_bytes())

    def _put_timestamp(self, data: bytes) -> None:
        """Write the timestamp: from here on readers see what it leads to."""
        self._numeros.confirma(self._signed, data)
        self._disk.write(self._folder / "metadata" / "timestamp.json", data)
        self._signed.clear()

    def _next(self, name: str) -> int:
        """The version with which a role is signed now; root and what was proposed to a ceremony have theirs already."""
        return self._numeros.version(name, self._newest(name) + 1)

    def _can_sign(self, name: str, delegator: Root | Targets) -> bool:
        return bool(self._ring.for_ids(delegator.get_delegated_role(name).keyids))
