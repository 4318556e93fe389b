"""The verifier of a difusor: keeps the TUF state folder and follows the numbered order of ``docs/verificacion.md``.

1.  Read ``timestamp.json``, at most 16 KiB.
2.  If it is byte by byte the last one verified, and a full look is not due: judge its expiry and stop.
3.  What it claims, before any signature: same ambiente, same convocatoria. Refusing on a claim is always safe.
4.  Root: each new one signed by the threshold of the one before and by its own.
5.  Timestamp: signed, not older, not expired.
6.  Snapshot: the one the timestamp names, by hash; signed; nothing in it goes back.
7.  Targets and the role cortes: the ones the snapshot names, by hash; signed; not expired.
8.  What the signed root and timestamp claim: same ambiente, same convocatoria.
9.  The signed list of cuts: well formed, hours that increase.
10. No accepted number signed again with another content.
11. The newest cut is not older than the last accepted; if it is the same there is no novelty.
12. The manifest: length and SHA-256 of the signed list.
13. The manifest read strictly: same ambiente, same convocatoria, admitted paths.
14. Number and hour as listed; chained to the cut before it; the last accepted still listed, and earlier.
15. An archive to unpack is in the signed list. Only here is a ``VerifiedManifest`` made.
16. Where the cuts in between are taken by their changes: the manifest of each, as 12 and 13, with the number and hour
    of the list, chained to the cut before it.

python-tuf (checks 4 to 7) stores what it verifies as it goes, without fsync, and a later check may fail. So it works on
a copy, and the copy becomes the state, file by file and durably, only when all the checks hold: a refusal changes
nothing, a power cut leaves whole files, and a damaged state file is fetched again. If the whole folder is lost, the
``Memory`` still refuses to go back.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Metadata, Root

from pregon.base.durable import Disk
from pregon.base.errors import CadenaError, ExpiradoError, PregonError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, parse_manifest
from pregon.trust import orden
from pregon.trust.descarga import Cuenta, altered, download, stream
from pregon.trust.frontera import expired, tuf_border
from pregon.trust.metadatos import TIMESTAMP, TIMESTAMP_MAX_BYTES, Metadatos
from pregon.trust.papeles import signed_files
from pregon.trust.prueba import Listing, proofs
from pregon.trust.ritmo import LOOK_S, Ritmo
from pregon.trust.verified import Firmado, Identity, Memory, Novelty, TargetRef, VerifiedManifest, certify

if TYPE_CHECKING:
    from pathlib import Path

    from tuf.ngclient import Updater

    from pregon.base.clock import Clock
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import CutRef

_logger = logging.getLogger(__name__)

REFRESH_S = 3600.0
"""A full look at least hourly, even if the timestamp did not change (design §2): a new root may wait."""

_ROLES = ("root", "timestamp", "snapshot", "targets", "cortes")


@dataclass(frozen=True)
class _Seen:
    """The last look that passed: the bytes of its timestamp, when it was, and the first expiry with its role."""

    timestamp: bytes
    at: float
    novelty: Novelty
    newest: int | None
    expires: datetime
    expires_role: str


class TrustClient:
    """Verifies what a source offers against a pinned root, the TUF state in ``folder`` and a ``Memory``.

    One process at a time per folder (the caller holds the workspace's lock).
    """

    def __init__(
        self,
        folder: Path,
        *,
        root: bytes,
        identity: Identity,
        clock: Clock,
        memory: Memory,
        disk: Disk | None = None,
    ) -> None:
        """``root`` are the bytes of the pinned ``root.json``; ``folder`` is created when missing.

        Raises:
            AjustesError: a simulated clock in the ambiente «oficial».
            FirmaError, AmbienteError, ConvocatoriaError: ``root`` is not a root, or not of this ``identity``.
        """
        orden.check_clock(identity, clock)
        orden.check_identity(identity, root_identity(root), where="root.json de este difusor")
        self._identity = identity
        self._clock = clock
        self._memory = memory
        self._disk = disk or Disk()
        self._metadata = Metadatos(folder, root=root, disk=self._disk)
        self._last: _Seen | None = None
        self._besides = Firmado()

    @property
    def firmado(self) -> Firmado:
        """What the last verified signatures said besides cuts, although the cut that they list was refused."""
        return self._besides

    @property
    def memory(self) -> Memory:
        """What was last accepted, as this client knows it."""
        return self._memory

    def accept(self, verified: VerifiedManifest) -> Memory:
        """Remember ``verified`` as accepted; gives the memory that the caller stores in its state database."""
        self._memory = self._memory.after(verified)
        return self._memory

    def check(self, source: RepositorySource) -> Novelty:
        """Look at ``source`` once, in the order above.

        ``Novelty.verified`` is None when the newest cut is the one in the memory. A cut stays news until ``accept``
        (or a new client with a new memory), so a publication that failed is tried again at the next look.

        Raises:
            TrustError: a check refused; state folder and memory are as they were.
            ArchivoError: the manifest is not admitted; same.
            RedError: the source failed, or its delivery is incomplete; same.
            DiscoError, EscrituraError: the state cannot be written; the files in it are whole.
        """
        source = Ritmo(source, self._clock, LOOK_S)
        offered = self._read(source, TIMESTAMP, TIMESTAMP_MAX_BYTES)  # 1
        try:
            return self._check(source, offered)
        except ExpiradoError as exc:
            exc.conocido = self._metadata.known(offered)
            raise

    def _check(self, source: RepositorySource, offered: bytes) -> Novelty:
        last = self._last
        if last is not None and last.timestamp == offered and not self._due(last):  # 2
            self._judge(last.expires, last.expires_role)
            return dataclasses.replace(last.novelty, verified=None, completa=False)
        claim = orden.unverified_claim(offered)  # 3
        if claim is not None:
            orden.check_identity(self._identity, claim.identity, where="según timestamp.json, sin verificar")
        try:
            seen = self._look(source, offered)
            self._metadata.commit()
        finally:
            self._metadata.drop()
        self._last = seen
        return seen.novelty

    def listing(self, source: RepositorySource) -> Listing:
        """The signed list of cuts of ``source`` and who signed it: checks 1 and 3 to 11. Remembers nothing.

        For whoever has the files of a cut elsewhere (an archive, a portal) and wants to know whether they are signed.

        Raises:
            TrustError, RedError, DiscoError, EscrituraError: as ``check``; state folder and memory are as they were.
        """
        source = Ritmo(source, self._clock, LOOK_S)
        offered = self._read(source, TIMESTAMP, TIMESTAMP_MAX_BYTES)  # 1
        claim = orden.unverified_claim(offered)  # 3
        if claim is not None:
            orden.check_identity(self._identity, claim.identity, where="según timestamp.json, sin verificar")
        try:
            self._metadata.verify(source, offered, self._clock.now())  # 4 5 6 7
            signed = self._signed()  # 8
            cuts = orden.list_cuts(signed_files(self._metadata.of("cortes").signed))  # 9
            orden.check_memory(cuts, self._memory)  # 10 11
            documents = {role: self._metadata.of(role) for role in _ROLES}
            root = self._metadata.bytes_of("root")
            with tuf_border():
                papeles = proofs(documents)
        finally:
            self._metadata.drop()
        return Listing(
            identity=self._identity,
            cuts=cuts,
            firmado=orden.claim_of(signed["timestamp"].unrecognized_fields).firmado.astimezone(UTC),
            papeles=papeles,
            raiz_version=signed["root"].version,
            raiz_sha256=sha256_bytes(root),
        )

    def download(self, source: RepositorySource, target: TargetRef, destination: Path) -> None:
        """Copy a verified target to ``destination``, hashing what is written; whole, or not there at all.

        What came of it before a failure of the link stays beside it and is not asked for again (``descarga``). Durable
        only after the caller's own ``sync_filesystem`` (style 4: one ``syncfs`` for a release).

        Raises:
            HashError: more bytes than signed, or other bytes.
            AusenteError: the source does not have it.
            RedError: the source failed or gave fewer bytes.
            DiscoError, EscrituraError: could not write.
        """
        download(source, target, destination, self._clock)

    def download_link(self, source: RepositorySource, cut: CutRef, anterior: str, destination: Path) -> None:
        """Check 16: copy to ``destination`` the manifest of a cut of ``VerifiedManifest.tramo``, verified.

        ``anterior`` is the SHA-256 of the manifest before it. Nothing is remembered: the cut is not accepted.

        Raises:
            TrustError, ArchivoError: it is not the one listed, or is not admitted; nothing stays.
            AusenteError, RedError, DiscoError, EscrituraError: as ``download``.
        """
        _check_size(cut.manifiesto)
        self.download(source, cut.manifiesto, destination)
        try:
            manifest = parse_manifest(destination.read_bytes())
            orden.check_identity(self._identity, orden.identity_of(manifest), where="según el manifiesto firmado")
            orden.check_link(manifest, cut, anterior)  # 16
        except BaseException:
            self._disk.remove_tree(destination)
            raise

    def read(self, source: RepositorySource, target: TargetRef, *, limit: int) -> bytes:
        """The bytes of a small verified target (a manifest, a notice).

        Raises:
            HashError, RedError: as ``download``; HashError too when ``target`` is larger than ``limit``.
        """
        if target.bytes > limit:
            raise altered(f"«{target.ruta}» mide {target.bytes:,} bytes y el límite es {limit:,}")
        count, pieces = Cuenta(target), []
        for piece in stream(Ritmo(source, self._clock, LOOK_S), f"targets/{target.ruta}"):
            count.add(piece)
            pieces.append(piece)
        count.check()
        return b"".join(pieces)

    # The look at a source, checks 4 to 15.

    def _look(self, source: RepositorySource, offered: bytes) -> _Seen:
        updater = self._metadata.verify(source, offered, self._clock.now())  # 4 5 6 7
        signed = self._signed()  # 8
        firmado = orden.claim_of(signed["timestamp"].unrecognized_fields).firmado.astimezone(UTC)
        # Before the cuts: a suspension must not wait for a cut that can be accepted.
        avisos, avisos_error = self._notices(updater)
        self._besides = Firmado(firmado, avisos, avisos_error)
        # The list of cuts is what grows in a night. One copy of it at a time, and none while the manifest comes: what
        # a look holds at most is what the process keeps from then on (docs/confiabilidad.md, «Lo que no crece»).
        del updater
        cortes = self._metadata.of("cortes").signed
        expires = {role: signed[role].expires for role in signed} | {"cortes": cortes.expires}
        cuts = orden.list_cuts(signed_files(cortes))  # 9
        del cortes
        newest = orden.check_memory(cuts, self._memory)  # 10 11
        verified = None if newest is None else self._verify(source, newest, cuts, firmado)
        role = min(_ROLES, key=lambda name: expires[name])
        novelty = Novelty(
            verified=verified,
            firmado=firmado,
            expira=expires[role],
            avisos=avisos,
            avisos_error=avisos_error,
        )
        return _Seen(
            timestamp=offered,
            at=self._clock.monotonic(),
            novelty=novelty,
            newest=None if newest is None else newest.corte,
            expires=expires[role],
            expires_role=role,
        )

    def _signed(self) -> dict[str, Any]:
        """The signed part of every role but the list of cuts, as they were just verified, of this identity."""
        signed = {role: self._metadata.of(role).signed for role in _ROLES if role != "cortes"}
        self._metadata.check_listed(signed["snapshot"])
        self._metadata.check_exact(signed)
        for role in ("root", "timestamp"):  # 8
            claim = orden.claim_of(signed[role].unrecognized_fields)
            orden.check_identity(self._identity, claim.identity, where=f"según {role}.json, verificado")
        return signed

    def _verify(
        self, source: RepositorySource, cut: CutRef, cuts: tuple[CutRef, ...], firmado: datetime
    ) -> VerifiedManifest:
        _check_size(cut.manifiesto)
        raw = self.read(source, cut.manifiesto, limit=MANIFEST_MAX_BYTES)  # 12
        manifest = parse_manifest(raw)  # 13
        orden.check_identity(self._identity, orden.identity_of(manifest), where="según el manifiesto firmado")
        orden.check_chain(manifest, cut, cuts, self._memory)  # 14
        if not cut.archives:  # 15
            raise CadenaError(
                f"El corte {cut.corte} se firmó sin ningún archivo que abrir.",
                intacto=orden.INTACTO,
                que_hacer="Avise al instituto: el corte debe volver a generarse y firmarse.",
            )
        _logger.info("corte %04d verificado: %s", cut.corte, cut.manifiesto.sha256)
        known = self._memory.corte
        tramo = None if known is None else tuple(each for each in cuts if known < each.corte < cut.corte)
        return certify(
            manifest,
            raw,
            cut.manifiesto.sha256,
            prueba="firma",
            archives=cut.archives,
            firmado=firmado,
            tramo=tramo,
        )

    def _notices(self, updater: Updater) -> tuple[tuple[TargetRef, ...], PregonError | None]:
        try:
            files = tuple(file.target for file in signed_files(self._metadata.notices(updater)))
        except PregonError as exc:
            _logger.warning("avisos no verificados: %s %s", exc.codigo, exc)
            return (), exc
        return tuple(sorted(files, key=lambda target: target.ruta)), None

    def _due(self, last: _Seen) -> bool:
        if self._clock.monotonic() - last.at >= REFRESH_S:
            return True
        return last.newest is not None and last.newest != self._memory.corte

    def _judge(self, expires: datetime, role: str) -> None:
        if self._clock.now() >= expires:
            raise expired(f"{role}.json, el {expires:%d/%m/%Y a las %H:%M:%S} UTC")

    # Reading with limits.

    def _read(self, source: RepositorySource, ruta: str, limit: int) -> bytes:
        data = b""
        for chunk in stream(source, ruta):
            data += chunk
            if len(data) > limit:
                raise altered(f"«{ruta}» mide más de {limit:,} bytes")
        return data


def _check_size(manifest: TargetRef) -> None:
    if manifest.bytes > MANIFEST_MAX_BYTES:
        raise ManifiestoError(f"El manifiesto mide {manifest.bytes:,} bytes; el límite es {MANIFEST_MAX_BYTES:,}.")


def root_identity(root: bytes) -> Identity:
    """Whose repository a ``root.json`` is, by what it says of itself (signed by its own keys, nothing more).

    Raises:
        FirmaError: it is not a root, or says nothing.
    """
    with tuf_border():
        pinned: Metadata[Root] = Metadata.from_bytes(root)
        if pinned.signed.type != Root.type:
            raise ValueError("not a root")
        return orden.claim_of(pinned.signed.unrecognized_fields).identity
