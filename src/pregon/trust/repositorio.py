"""The institute's side: the static repository of design §2, signed with the keys at hand.

``metadata/`` holds ``N.root.json``, ``N.targets.json``, ``N.cortes.json``, ``N.avisos.json``, ``N.snapshot.json`` and
``timestamp.json``; ``targets/`` the cuts and notices. What is signed is always written before what names it, and
``timestamp.json`` last: a reader, or a carrier stopped half way, sees the state before or the state after.

The institute refuses to sign what its own difusores would refuse: the same functions of ``orden`` judge both. Where two
machines may sign, ``Numeros`` gives each number before it is signed, and keeps what is signed before it is written.
"""

from __future__ import annotations

import re
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
from tuf.api.serialization import DeserializationError

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import AjustesError, DiscoError, EntradaError, EscrituraError, RetrocesoError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.manifest import parse_manifest
from pregon.paquete.names import MANIFIESTO, check_path
from pregon.trust import orden
from pregon.trust.aviso import NOTICE_MAX, notice_number, notice_path
from pregon.trust.keys import KeyRing, missing_key
from pregon.trust.numeros import NumerosDeCarpeta
from pregon.trust.papeles import DELEGATED, OFFLINE_THRESHOLD, claim, delegations, new_root, sign, signed_files
from pregon.trust.verified import Identity, Memory
from pregon.trust.vigencia import closing_expiry, offline_expiry, timestamp_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.paquete.manifest import Manifest
    from pregon.trust.numeros import Numeros
    from pregon.trust.verified import CutRef

_VERSIONED = re.compile(r"([1-9][0-9]*)\.([a-z]+)\.json")


@dataclass(frozen=True)
class Closing:
    """What the closing signature reached: roles valid to the end of permanence + 10 years, and roles that were not.

    A role is left out when its keys were not at hand; it expires on ``sin_firmar[role]`` and must be signed again by
    a ceremony before that.
    """

    hasta: datetime
    firmados: tuple[str, ...]
    sin_firmar: Mapping[str, datetime]


class Repository:
    """A repository in ``folder`` and the ring of keys at hand. One process at a time."""

    def __init__(
        self, folder: Path, ring: KeyRing, *, disk: Disk | None = None, numeros: Numeros | None = None
    ) -> None:
        """Open the repository in ``folder``. ``numeros``: of one that two machines may sign.

        Raises:
            EntradaError: there is none.
            DiscoError: its metadata cannot be read.
        """
        self._folder = folder
        self._ring = ring
        self._disk = disk or Disk()
        self._numeros = numeros or NumerosDeCarpeta()
        self._signed: dict[str, bytes] = {}
        """Documents that no timestamp leads to yet, by their path in the repository."""
        self._identity = orden.claim_of(self._load("root").signed.unrecognized_fields).identity

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
        if _in_use(folder):
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

    @property
    def identity(self) -> Identity:
        """Whose repository this is."""
        return self._identity

    @property
    def folder(self) -> Path:
        """The static folder that carriers copy."""
        return self._folder

    def root_bytes(self) -> bytes:
        """The newest ``root.json``, for pinning in a difusor."""
        return self._path("root", self._newest("root")).read_bytes()

    def cut_folder(self, corte: int) -> Path:
        """Where the files of a cut are written before ``publish_cut``: ``targets/cortes/NNNN``."""
        return self._folder / "targets" / orden.cut_folder(corte)

    def cuts(self) -> tuple[CutRef, ...]:
        """The signed cuts, by number."""
        return orden.list_cuts(signed_files(self._load("cortes").signed))

    def last_manifest(self) -> bytes | None:
        """The exact bytes of the newest signed cut's manifest: the ``previous`` of the next; None before the first.

        Raises:
            DiscoError: it is not there, or is not the one that was signed.
        """
        cuts = self.cuts()
        if not cuts:
            return None
        path = self._folder / "targets" / cuts[-1].manifiesto.ruta
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise _damaged(path) from exc
        if sha256_bytes(data) != cuts[-1].manifiesto.sha256:
            raise _damaged(path)
        return data

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
            raise _no_cut(self.cut_folder(corte), "no tiene ningún archivo que publicar")
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

    def next_notice(self) -> int:
        """The number that the next notice gets.

        Raises:
            EscrituraError: there is no number left.
        """
        known = (notice_number(ruta) or 0 for ruta in self._load("avisos").signed.targets)
        number = 1 + max(known, default=0)
        if number > NOTICE_MAX:
            raise EscrituraError(
                f"Ya se firmaron {NOTICE_MAX:,} avisos: no queda número para otro.",
                intacto="No se firmó nada.",
                que_hacer="Revise qué programa firma tantos avisos.",
            )
        return number

    def notices(self) -> tuple[tuple[int, bytes], ...]:
        """Number and exact bytes of every signed notice, oldest first.

        Raises:
            DiscoError: one is not there, or is not the one that was signed.
        """
        found = []
        for file in signed_files(self._load("avisos").signed):
            number = notice_number(file.target.ruta)
            path = self._folder / "targets" / file.target.ruta
            data = path.read_bytes() if path.is_file() else b""
            if sha256_bytes(data) != file.target.sha256:
                raise _damaged(path)
            if number is not None:
                found.append((number, data))
        return tuple(sorted(found))

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
            raise _no_cut(self.cut_folder(cuts[-1].corte), "no tiene ningún archivo que publicar")
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

    # Reading what is there.

    def _read_cut(self, corte: int) -> tuple[Manifest, list[TargetFile]]:
        folder = self.cut_folder(corte)
        try:
            raw = (folder / MANIFIESTO).read_bytes()
            names = sorted(path.name for path in folder.iterdir())
        except OSError as exc:
            raise _no_cut(folder, exc.strerror or str(exc)) from exc
        strange = [name for name in names if not (folder / name).is_file() or name.endswith(PARCIAL)]
        if strange:
            raise _no_cut(folder, f"tiene algo que no es de un corte terminado: {', '.join(strange[:5])}")
        manifest = parse_manifest(raw)
        custom = {"corte": manifest.corte, "hora_corte": manifest.hora_corte.isoformat(timespec="seconds")}
        files = []
        for name in names:
            ruta = check_path(f"{orden.cut_folder(corte)}/{name}")
            file = TargetFile.from_file(ruta, str(folder / name), ["sha256"])
            file.unrecognized_fields["custom"] = custom
            files.append(file)
        if sha256_bytes(raw) not in {file.hashes["sha256"] for file in files if file.path.endswith(f"/{MANIFIESTO}")}:
            raise _no_cut(folder, "cambió mientras se firmaba")
        return manifest, files

    def _next(self, name: str) -> int:
        """The version with which a role is signed now; root and what was proposed to a ceremony have theirs already."""
        return self._numeros.version(name, self._newest(name) + 1)

    def _newest(self, name: str) -> int:
        """The highest version on disk of a role, signed into a snapshot or not; 0 when there is none."""
        if name == "timestamp":
            path = self._folder / "metadata" / "timestamp.json"
            return int(self._load("timestamp").signed.version) if path.exists() else 0
        matches = (_VERSIONED.fullmatch(path.name) for path in (self._folder / "metadata").glob(f"*.{name}.json"))
        return max((int(match[1]) for match in matches if match and match[2] == name), default=0)

    def _path(self, name: str, version: int) -> Path:
        return self._folder / "metadata" / f"{version}.{name}.json"

    def _load(self, name: str) -> Metadata[Any]:
        """The current version of a role: the one that timestamp.json leads to, or the newest root."""
        if name == "root":
            return self._parse(self._path("root", self._newest("root")))
        if name == "timestamp":
            return self._parse(self._folder / "metadata" / "timestamp.json")
        if name == "snapshot":
            return self._parse(self._path(name, self._load("timestamp").signed.snapshot_meta.version))
        return self._parse(self._path(name, self._load("snapshot").signed.meta[f"{name}.json"].version))

    def _parse(self, path: Path) -> Metadata[Any]:
        try:
            return Metadata.from_bytes(path.read_bytes())
        except OSError as exc:
            raise EntradaError(
                f"No hay un repositorio firmado completo en {self._folder}: falta {path.name}.",
                intacto="No se firmó nada.",
                que_hacer="Revise la carpeta, o cree el espacio con «pregon instituto inicia».",
            ) from exc
        except DeserializationError as exc:
            raise _damaged(path) from exc

    def _can_sign(self, name: str, delegator: Root | Targets) -> bool:
        return bool(self._ring.for_ids(delegator.get_delegated_role(name).keyids))


def _in_use(folder: Path) -> bool:
    """Whether ``folder`` holds more than a stopped ``create`` leaves: a first root, and roles nobody was offered."""
    versions = (_VERSIONED.fullmatch(path.name) for path in (folder / "metadata").glob("*.json"))
    cuts = folder / "targets" / "cortes"
    return any(match is None or (match[2] == "root" and match[1] != "1") for match in versions) or (
        cuts.is_dir() and any(cuts.iterdir())
    )


def _damaged(path: Path) -> DiscoError:
    return DiscoError(
        f"El archivo firmado {path} falta o está dañado.",
        intacto="No se firmó nada; lo que los difusores ya publicaron sigue como estaba.",
        que_hacer="Recupere el repositorio de su respaldo o de un difusor («pregon instituto recupera»).",
    )


def _no_cut(folder: Path, problem: str) -> EntradaError:
    return EntradaError(
        f"En {folder} no hay un corte que firmar: {problem}.",
        intacto="No se firmó nada; lo ya firmado sigue siendo válido.",
        que_hacer="Vuelva a generar el corte.",
    )
