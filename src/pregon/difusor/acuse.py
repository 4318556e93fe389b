"""Signed receipts: what happened to each cut here, in order, each naming the one before (design §7).

An acuse is a DSSE envelope over ``pregon/acuse/1``, signed with this difusor's own key. Files are
``acuses/<n>-<corte>-<evento>.json``; ``anterior`` is the SHA-256 of the previous file's bytes, so that none can be
taken out or changed without it showing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from securesystemslib.dsse import Envelope

from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.trust import keys
from pregon.trust.acuse import FORMATO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace
    from pregon.trust.acuse import Evento

_NAME = re.compile(r"([0-9]{6})-([0-9]{4}|----)-([a-z]+)\.json")


def create_key(path: Path, disk: Disk) -> None:
    """Make the key that signs this difusor's acuses (ECDSA P-256, mode 0600) and, beside it, its public part.

    ``acuse.pub.pem`` is what the institute registers (``clave_acuses``) to verify them.

    Raises:
        AjustesError: there is one already.
    """
    key = keys.generate(path.stem)
    keys.save(key, path.parent, disk=disk)
    disk.write(path.with_suffix(".pub.pem"), key.public.keyval["public"].encode())


def files_in(folder: Path) -> tuple[Path, ...]:
    """Every acuse in ``folder``, oldest first."""
    return tuple(sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) is not None))


@dataclass(frozen=True)
class Hecho:
    """What happened: the event, to which cut, when, how many seconds after its signing, and what proves the cut.

    ``nube``: of ``visible``, the times of each target of ``[[nube]]``, as ``Nube.visible`` gives them; such a key is
    in the acuse only where there is a target.
    """

    evento: Evento
    hora: datetime
    corte: int | None = None
    manifiesto_sha256: str | None = None
    codigo: str | None = None
    segundos: float | None = None
    prueba: str | None = None
    nube: tuple[Mapping[str, Any], ...] = ()


class Acuses:
    """The chain of receipts of one workspace."""

    def __init__(self, workspace: Workspace, disk: Disk) -> None:
        self._workspace = workspace
        self._disk = disk
        self._key = keys.load(workspace.llave)

    @property
    def public_key(self) -> Key:
        """The key with which others verify these acuses."""
        return self._key.public

    def files(self) -> tuple[Path, ...]:
        """Every acuse, oldest first."""
        return files_in(self._workspace.acuses)

    def has(self, evento: Evento, corte: int) -> bool:
        """Whether the cut has an acuse of that event."""
        return any(path.name.endswith(f"-{corte:04d}-{evento}.json") for path in self.files())

    def issue(self, fact: Hecho) -> Path | None:
        """Sign and write the acuse of ``fact``. None where the cut has one of that event already.

        ``rechazado`` may repeat: the caller says only what is new.
        """
        corte = "----" if fact.corte is None else f"{fact.corte:04d}"
        known = self.files()
        if fact.evento != "rechazado" and any(path.name.endswith(f"-{corte}-{fact.evento}.json") for path in known):
            return None
        settings = self._workspace.settings
        payload = canonical_json(
            {
                "convocatoria": self._workspace.convocatoria.id,
                "ambiente": settings.ambiente,
                "difusor": settings.id,
                "nodo": settings.nodo,
                "corte": fact.corte,
                "manifiesto_sha256": fact.manifiesto_sha256,
                "prueba": fact.prueba,
                "evento": fact.evento,
                "codigo": fact.codigo,
                "hora": fact.hora.isoformat(),
                "segundos": None if fact.segundos is None else round(fact.segundos, 3),
                "anterior": sha256_bytes(known[-1].read_bytes()) if known else None,
                **({"nube": [dict(target) for target in fact.nube]} if fact.nube else {}),
            }
        )
        envelope = Envelope(payload, FORMATO, {})
        envelope.sign(self._key.signer)
        number = int(known[-1].name[:6]) + 1 if known else 1
        path = self._workspace.acuses / f"{number:06d}-{corte}-{fact.evento}.json"
        self._disk.write(path, canonical_json(envelope.to_dict()))
        return path
