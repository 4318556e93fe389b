"""The state folder of python-tuf and the copy of it on which a look works (``trust.cliente`` says why there is one).

``tuf/`` is what the last look that passed every check left; ``trabajo/`` what python-tuf stores as it verifies.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from pregon.base.durable import PARCIAL
from pregon.base.errors import FirmaError
from pregon.trust import orden
from pregon.trust.frontera import SourceFetcher, tuf_border
from pregon.trust.papeles import DELEGATED, KEY_KIND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.trust.origen import RepositorySource

TIMESTAMP = "metadata/timestamp.json"
TIMESTAMP_MAX_BYTES = 16 << 10
SNAPSHOT_MAX_BYTES = 256 << 10
ROOT_MAX_BYTES = 256 << 10
TARGETS_MAX_BYTES = 8 << 20
"""The list of cuts: some 900 bytes a cut, ``CORTE_MAX`` of them."""
MAX_ROOT_ROTATIONS = 64

_STATE_FILES = ("targets.json", "cortes.json", "avisos.json", "snapshot.json", "timestamp.json")
_PROBE = "cortes/0000/manifiesto.json"
_PROBE_NOTICE = "avisos/000000.json"


def _inexact(what: str) -> FirmaError:
    return FirmaError(
        f"Los metadatos recibidos no son admisibles: {what}.",
        intacto=orden.INTACTO,
        que_hacer="Conserve lo recibido como evidencia y avise al instituto.",
    )


class Metadatos:
    """The metadata of one client. ``verify`` makes the copy, ``commit`` makes it the state, ``drop`` forgets it."""

    def __init__(self, folder: Path, *, root: bytes, disk: Disk) -> None:
        """``root``: the bytes of the pinned ``root.json``. ``folder`` is created when missing."""
        self._root = root
        self._disk = disk
        self._state = folder / "tuf"
        self._work = folder / "trabajo"
        disk.make_folder(self._state / "root_history", mode=0o700)
        self.drop()

    def verify(self, source: RepositorySource, offered: bytes, now: datetime) -> Updater:
        """Checks 4 to 7, by python-tuf, on a copy of the state; ``offered`` are the bytes of ``timestamp.json``.

        Raises:
            TrustError, RedError, DiscoError: as ``TrustClient.check``.
        """
        self.drop()
        with tuf_border():
            shutil.copytree(self._state, self._work, ignore=shutil.ignore_patterns(f"*{PARCIAL}"))
            updater = Updater(
                str(self._work),
                metadata_base_url="metadata/",
                fetcher=SourceFetcher(source, {TIMESTAMP: offered}),
                config=UpdaterConfig(
                    max_root_rotations=MAX_ROOT_ROTATIONS,
                    root_max_length=ROOT_MAX_BYTES,
                    timestamp_max_length=TIMESTAMP_MAX_BYTES,
                    snapshot_max_length=SNAPSHOT_MAX_BYTES,
                    targets_max_length=TARGETS_MAX_BYTES,
                    prefix_targets_with_hash=False,
                ),
                bootstrap=self._root,
            )
            # The only private attribute of python-tuf used here: it has no public way to say what time it is, and
            # nothing in this house but a Clock tells the time (in the simulacro it is not the machine's).
            updater._trusted_set.reference_time = now  # noqa: SLF001
            updater.refresh()
            updater.get_targetinfo(_PROBE)
        return updater

    def notices(self, updater: Updater) -> Any:
        """The signed list of notices, apart: one that is refused takes no cut with it.

        Raises:
            TrustError, RedError: it is not there, or not as the snapshot says.
        """
        with tuf_border():
            updater.get_targetinfo(_PROBE_NOTICE)
        return self.of("avisos").signed

    def check_listed(self, snapshot: Any) -> None:
        """That the stored ``cortes.json`` is the one this snapshot names, whatever path the probe took.

        Raises:
            FirmaError: it is not, or there is none.
            HashError: it is another one.
        """
        meta = snapshot.meta.get("cortes.json")
        if meta is None:
            raise FirmaError(
                "Los metadatos recibidos no tienen lista de cortes.",
                intacto=orden.INTACTO,
                que_hacer="Avise al instituto: el repositorio está incompleto.",
            )
        with tuf_border():
            meta.verify_length_and_hashes(self.bytes_of("cortes"))

    def of(self, role: str) -> Any:
        """The document of a role as python-tuf just verified and stored it."""
        kinds: dict[str, Callable[[bytes], Any]] = {
            "root": Metadata[Root].from_bytes,
            "timestamp": Metadata[Timestamp].from_bytes,
            "snapshot": Metadata[Snapshot].from_bytes,
        }
        with tuf_border():
            parse = kinds.get(role, Metadata[Targets].from_bytes)
            return parse(self.bytes_of(role))

    def bytes_of(self, role: str) -> bytes:
        """The same as bytes. Where targets lead to no such role python-tuf asks for none, and stores none."""
        try:
            return (self._work / f"{role}.json").read_bytes()
        except FileNotFoundError as exc:
            raise FirmaError(
                f"Los metadatos recibidos no autorizan la lista «{role}».",
                intacto=orden.INTACTO,
                que_hacer="Avise al instituto: el repositorio está incompleto.",
            ) from exc

    def check_exact(self, signed: Mapping[str, Any]) -> None:
        """What python-tuf leaves open: that nothing is beside what was signed, and that each document names the next
        by size and SHA-256, with the keys and the delegation of ``docs/verificacion.md``.

        python-tuf checks signatures over what it understood, written again: what it leaves out may be anything.

        Raises:
            FirmaError: it is not so.
        """
        for role, part in signed.items():
            if json.loads(self.bytes_of(role))["signed"] != part.to_dict():
                raise _inexact(f"«{role}» trae algo que no se firmó")
        snapshot, delegations = signed["snapshot"], signed["targets"].delegations
        named = (signed["timestamp"].snapshot_meta, snapshot.meta.get("targets.json"), snapshot.meta.get("cortes.json"))
        if any(meta is None or meta.length is None or "sha256" not in (meta.hashes or {}) for meta in named):
            raise _inexact("un documento nombra al que sigue sin su tamaño o sin su SHA-256")
        delegated = (delegations.roles or {}).get("cortes") if delegations is not None else None
        if delegated is None or delegated.paths != [DELEGATED["cortes"]]:
            raise _inexact("la lista de cortes no es del papel «cortes»")
        keys = (*signed["root"].keys.values(), *delegations.keys.values())
        if any((key.keytype, key.scheme) != KEY_KIND for key in keys):
            raise _inexact("una llave no es ECDSA P-256")

    def commit(self) -> None:
        """Make the verified copy the state. Any mixture of old and new that a crash leaves is verified again."""
        roots = sorted((self._work / "root_history").glob("*.root.json"))
        for path in [*roots, *(self._work / name for name in _STATE_FILES)]:
            with tuf_border():
                if not path.is_file():
                    continue
                data = path.read_bytes()
                target = self._state / path.relative_to(self._work)
                changed = not target.is_file() or target.read_bytes() != data
            if changed:
                self._disk.write(target, data, mode=0o600)

    def drop(self) -> None:
        """Remove the copy; the state stays."""
        self._disk.remove_tree(self._work)

    def known(self, offered: bytes) -> bool:
        """Whether it is the timestamp of the state: what only a look that passed all the checks leaves there."""
        with tuf_border():
            path = self._state / "timestamp.json"
            return path.is_file() and path.read_bytes() == offered
