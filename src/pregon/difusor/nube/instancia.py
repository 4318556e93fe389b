"""Which machine of a difusor publishes in a place of the cloud: the newest one; the one before it stops.

A machine that was replaced (its backup put back elsewhere, or ``rehace``) may come back: a cable plugged in again, a
virtual machine that somebody starts. Both have the same settings, the same keys and the same mark in the bucket, so
each would undo at every cut what the other published. Each place says who writes there; whoever is older leaves it.

::

    maquina.json               in the workspace and in no backup: what this machine is called, and since when
    historico/publica.json     in the bucket: who publishes there
    historico/instancia.json   who keeps its history there, and when it last said so (``historial``)

A name is new wherever ``maquina.json`` is not: after ``inicia``, ``restaura`` and ``rehace``. The state database, which
a backup has, remembers the first of the line: who has another one is another difusor, not this one on other iron.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.base.durable import PARCIAL
from pregon.base.errors import InstanciaError
from pregon.base.jsonio import canonical_json
from pregon.difusor.workspace import MAQUINA

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.libro import Libro

PUBLICA, INSTANCIA = "publica.json", "instancia.json"
MAX_BYTES = 4096


@dataclass(frozen=True)
class Instancia:
    """One machine of a difusor: its name, that of the first one of its line, and since when it is (None: unknown)."""

    nombre: str
    linaje: str
    nacida: datetime | None

    def cede(self, ahi: Instancia | None) -> bool:
        """Whether ``ahi``, who writes in a place, is another machine and not an older one."""
        if ahi is None or ahi.nombre == self.nombre or ahi.nacida is None:
            return False
        return self.nacida is None or (ahi.nacida, ahi.nombre) > (self.nacida, self.nombre)

    def to_bytes(self, hora: datetime | None = None) -> bytes:
        """What a place says of who writes there. ``hora``: when it last said so; None: it ended, or it never says."""
        return canonical_json(
            {"instancia": self.nombre, "linaje": self.linaje, "nacida": _text(self.nacida), "hora": _text(hora)}
        )


@dataclass(frozen=True)
class Dueno:
    """What a place says: who writes there, and when it last said so."""

    instancia: Instancia
    hora: datetime | None


def lee(data: bytes | None) -> Dueno | None:
    """Who writes in a place that says ``data``; None where it says nothing. What is not understood is nobody's."""
    if data is None:
        return None
    try:
        said = json.loads(data)
        name = str(said["instancia"])
        return Dueno(
            Instancia(name, str(said.get("linaje", name)), _instant(said.get("nacida"))), _instant(said["hora"])
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Dueno(Instancia("", "", None), None)


def propia(folder: Path, libro: Libro, disk: Disk) -> Instancia:
    """What the machine of the workspace ``folder`` is; it is given a name where it has none. From any thread.

    Raises:
        DiscoError, EscrituraError: it cannot be read or kept.
    """
    path = folder / MAQUINA
    known = _kept(path)
    if known is None:
        known = _give(path, secrets.token_hex(8), disk, replace=path.exists())
    if libro.instancia is None:
        libro.ser(known[0])
    return Instancia(known[0], libro.instancia or known[0], known[1])


def toma(folder: Path, libro: Libro, nombre: str, disk: Disk) -> Instancia:
    """Be ``nombre`` from now on, in the place of whoever the state database was of. Raises as ``propia``."""
    if (known := _kept(folder / MAQUINA)) is None or known[0] != nombre:
        _give(folder / MAQUINA, nombre, disk, replace=True)
    return propia(folder, libro, disk)


def exige(mia: Instancia, ahi: Instancia | None, lugar: str) -> None:
    """Refuse to publish where a newer machine does.

    Raises:
        InstanciaError: it does.
    """
    if ahi is None or not mia.cede(ahi):
        return
    since = "" if ahi.nacida is None else f", desde el {ahi.nacida:%Y-%m-%d %H:%M} UTC"
    raise InstanciaError(
        f"En {lugar} ya publica otra máquina de este difusor, más nueva que ésta{since}: ésta ya no publica ahí.",
        intacto="No se cambió nada ahí: se ve lo que publicó la otra. Lo que sirve este equipo sigue como estaba.",
        que_hacer=f"Apague este equipo, que ya fue reemplazado. Si es éste el que debe publicar, apague el otro, borre "
        f"{MAQUINA} de esta carpeta de trabajo y arranque de nuevo.",
    )


def _give(path: Path, nombre: str, disk: Disk, *, replace: bool) -> tuple[str, datetime]:
    # The real hour: that of a simulated night may be lived twice, and then the second would be the older.
    data = canonical_json({"instancia": nombre, "nacida": SystemClock().now().isoformat()})
    if replace:
        disk.write(path, data)
    else:
        provisional = path.with_name(f"{path.name}.{nombre}{PARCIAL}")
        disk.write(provisional, data)
        disk.link_new(str(provisional), str(path))  # Another thread may have been the first: what it wrote is ours too.
        disk.remove_tree(provisional)
    found = _kept(path)
    return found if found is not None else (nombre, SystemClock().now())


def _kept(path: Path) -> tuple[str, datetime] | None:
    try:
        said: Any = json.loads(path.read_bytes()[:MAX_BYTES])
        born = _instant(said["nacida"])
        return None if born is None else (str(said["instancia"]), born)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _instant(text: str | None) -> datetime | None:
    instant = None if text is None else datetime.fromisoformat(text)
    return None if instant is None or instant.tzinfo is None else instant


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
