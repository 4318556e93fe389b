"""The public folder, and its one switch.

::

    publico/
      puntero                        «000042»: the state in force, for servers that read it once per request
      sitio -> versiones/000042      the same for the others; each is replaced in one step
      versiones/000042/              one state, whole:
        index.html difusores.json  situacion.html situacion.json  noche.html noche.json
        actual.json                  its hour, for how long it is fresh, the SHA-256 of each file
        publico-<hash>.css publico-<hash>.js incrusta.js logos/

A state is written beside the one in force, made durable, and then the pointer and the link are replaced: who dies in
between leaves whole ones. The states before it stay for whoever is still reading them. Contents with their hash in
their name are the same file in each.
"""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.clock import SystemClock
from pregon.base.errors import DiscoError, EscrituraError, UsoError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto.publico import formas
from pregon.instituto.publico.fuente import Fuente
from pregon.instituto.publico.paginas import Paginas
from pregon.instituto.registro import lista

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.publico.modelo import Publico
    from pregon.instituto.workspace import Workspace

_logger = logging.getLogger(__name__)

ENLACE = "sitio"
PUNTERO = "puntero"
"""Caddy and Apache look at a file and open it apart: under a link that moves in between, the length of one state goes
with the bytes of another (docs/adr/0002)."""
VERSIONES = "versiones"
CANDADO = ".candado"
CANDADO_S = 20.0
"""How long one who publishes waits for another."""
GUARDA = 3
"""States that stay, the one in force included."""
ACTUAL = "actual.json"
SITUACION, NOCHE = "situacion.json", "noche.json"
FRESCOS = 4
"""A state counts as fresh for so many paces: then its pages say that nobody renews it."""
FRESCO_MIN_S = 120
INTACTO = "Las páginas públicas siguen como estaban."
_NUMERO = re.compile(r"[0-9]{6,}")


@dataclass(frozen=True)
class Publicado:
    """What was switched to. ``bytes``: of all its files."""

    version: int
    carpeta: Path
    bytes: int
    publico: Publico


class Publicador:
    """Publishes one workspace's states, one at a time. ``carpeta`` None takes that of the settings."""

    def __init__(self, workspace: Workspace, *, carpeta: Path | None = None, real: Clock | None = None) -> None:
        """``real``: the machine's clock, for the pace.

        Raises:
            UsoError: no folder is named.
        """
        named = carpeta if carpeta is not None else _configured(workspace)
        if named is None:
            raise UsoError(
                "No se dijo en qué carpeta se publica.",
                intacto=INTACTO,
                que_hacer="Use --en CARPETA, o escriba «carpeta» en [publico] de instituto.toml.",
            )
        self.carpeta = named
        self._workspace = workspace
        self._real = real or SystemClock()
        self._source = Fuente(workspace)
        self._pages = Paginas(workspace)
        self._told: tuple[str, float] | None = None

    def toca(self, firmas: Firmas) -> bool:
        """Whether something was signed since the last state, or its pace passed; never before the list is public."""
        if not lista.abierta(self._workspace.convocatoria, self._workspace.clock.now()):
            return False
        if self._told is None or self._told[0] != firmas.huella:
            return True
        return self._real.monotonic() - self._told[1] >= self._workspace.settings.publico.cada_s

    def publica(self, firmas: Firmas, dictamenes: Iterable[Dictamen]) -> Publicado:
        """Write the state of now and switch to it.

        Args:
            dictamenes: the last verdict on each difusor.

        Raises:
            UsoError: it is not public yet; nothing was written.
            DiscoError, EscrituraError, InstanciaError: the state before stays in force.
        """
        space = self._workspace
        lista.exige_abierta(space.convocatoria, space.clock.now(), intacto=INTACTO)
        self._told = (firmas.huella, self._real.monotonic())  # Also of a try that fails: the next one at its pace.
        state = self._source.lee(firmas, dictamenes)
        space.disk.make_folder(self.carpeta / VERSIONES)
        with locks.turn(self.carpeta / CANDADO, seconds=CANDADO_S):
            version = 1 + max(_versions(self.carpeta), default=0)
            made = self._files(state, version)
            folder = self.carpeta / VERSIONES / f"{version:06d}"
            self._write(folder, made)
            space.disk.write(self.carpeta / PUNTERO, f"{folder.name}\n".encode())
            space.disk.symlink(self.carpeta / ENLACE, f"{VERSIONES}/{folder.name}")
            self._forget(version)
        _logger.info("páginas públicas: versión %d", version)
        return Publicado(version, folder, sum(map(len, made.values())), state)

    def _files(self, state: Publico, version: int) -> dict[str, bytes]:
        space = self._workspace
        lines = [one.renglon for one in state.difusores]
        listing = lista.en_json(space, lines, state.hora) | {"version": version}
        files = {
            **self._pages.recursos,
            **self._source.logos(lines),
            **self._pages.todas(state, version),
            lista.DATOS: canonical_json(listing),
            SITUACION: canonical_json(formas.situacion(space, state, version)),
            NOCHE: compact_json(formas.noche(space, state, version)),
        }
        sums = {name: sha256_bytes(data) for name, data in files.items()}
        fresh = timedelta(seconds=max(FRESCO_MIN_S, FRESCOS * space.settings.publico.cada_s))
        told = formas.actual(space, state, version, vigencia=fresh, sumas=sums)
        return files | {ACTUAL: canonical_json(told)}

    def _write(self, folder: Path, files: Mapping[str, bytes]) -> None:
        disk, before = self._workspace.disk, vigente(self.carpeta)
        disk.make_folder(folder / lista.LOGOS)
        stamp = self._stamp(before)
        for name, data in files.items():
            kept = None if before is None or not name.startswith(lista.LOGOS) else before / name
            if kept is not None and kept.is_file():
                disk.link(kept, folder / name)
            else:
                disk.create(folder / name, data, mtime_ns=stamp)
        disk.sync_filesystem(folder)

    def _stamp(self, before: Path | None) -> int:
        """The modification time of a state's files: whole seconds, later than those of the one before.

        Web servers make ETag and Last-Modified of size and second, and SFTP, SCP and rsync tell by them what changed:
        two states of one second and one size would pass for the same.
        """
        now = int(self._workspace.clock.now().timestamp())
        if before is not None and (known := before / ACTUAL).is_file():
            now = max(now, int(known.stat().st_mtime) + 1)
        return now * 1_000_000_000

    def _forget(self, version: int) -> None:
        for one in sorted(_versions(self.carpeta)):
            if one <= version - GUARDA:
                # What is left over does nobody any harm: the next state tries again.
                with contextlib.suppress(DiscoError, EscrituraError):
                    self._workspace.disk.remove_tree(self.carpeta / VERSIONES / f"{one:06d}")


def vigente(carpeta: Path) -> Path | None:
    """The folder of the state in force, as the link says now; None where there is none."""
    try:
        target = (carpeta / ENLACE).readlink()
    except OSError:
        return None
    found = carpeta / target
    return found if found.is_dir() else None


def _configured(workspace: Workspace) -> Path | None:
    named = workspace.settings.publico.carpeta
    return None if named is None else workspace.folder / named


def _versions(folder: Path) -> list[int]:
    return [int(path.name) for path in (folder / VERSIONES).iterdir() if _NUMERO.fullmatch(path.name)]
