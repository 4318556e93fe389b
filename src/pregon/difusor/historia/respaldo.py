"""A workspace in one file, taken while it works, and put back elsewhere.

What cannot be made again goes: settings, profile, state database, the verifier's memory, originals, acuses, keys. The
public tree, its contents and the server's files do not: recovery makes them from the originals, the same bytes. The
file is a tar; ``RESPALDO.json``, its last member, lists every other with its SHA-256, so a file that was cut short has
no list. It holds private keys: it is only for its owner (0600), and ``llaves=False`` leaves them out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base import state
from pregon.base.durable import PARCIAL
from pregon.base.errors import DiscoError, EscrituraError
from pregon.base.hashing import CHUNK, open_regular
from pregon.base.jsonio import canonical_json
from pregon.base.space import RESERVA, require_free
from pregon.difusor import pointer
from pregon.difusor.historia.auditoria import CUARTOS
from pregon.difusor.historia.compresion import compressed, kind_of
from pregon.difusor.historia.rescate import APARTADO
from pregon.difusor.workspace import MAQUINA, NOCHE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

FORMATO = "pregon/respaldo/1"
LISTA = "RESPALDO.json"
PERFIL = "perfil.respaldo.toml"
"""Where a profile that lies outside the workspace goes."""
ESTADO = "estado.sqlite"
MODE = 0o600
CONFIANZA_TRIES = 20
"""Times that the verifier's memory is read until nothing of it changed meanwhile."""
CONFIANZA_MAX_BYTES = 64 << 20
_REMADE = frozenset(
    {"objetos", "cortes", "recepcion", "entrada", "servidor", "puntero", "publico", CUARTOS, MAQUINA, NOCHE}
)
"""What recovery, the sender or the servers make again, what another machine must not call itself, and what must go."""
ESENCIAL = frozenset({"avisos", "personalizada", PERFIL})
"""What ``esencial`` takes of a workspace besides the verifier's memory and the state database."""
_SECRETS = frozenset({"llaves"})
"""Keys, what opens the origin and the accounts of the panel."""
_BLOCK = 512


@dataclass(frozen=True)
class Respaldado:
    """What went into a backup: files, their bytes, and what lies in the workspace and did not go (links, devices)."""

    archivos: int
    bytes: int
    omitidos: tuple[str, ...]


def respalda(workspace: Workspace, salida: Path, *, disk: Disk, now: datetime, llaves: bool = True) -> Respaldado:
    """Write the backup of ``workspace`` to ``salida`` (``.tar.zst`` or ``.tar.gz``); it may be working meanwhile.

    In this order, so that what is copied later never lacks what was copied before: the verifier's memory; the state
    database, as it is at one moment; the originals, of at least every cut that the database knows; the rest.

    Raises:
        UsoError: another end of the name.
        EscrituraError: ``salida`` is there already, or cannot be written.
        DiscoError: a file changed while it was read, or there is no room; nothing stays.
    """
    kind_of(salida)
    if os.path.lexists(salida):
        raise EscrituraError(
            f"Ya existe {salida}.",
            intacto="No se cambió nada.",
            que_hacer="Dé en --salida un nombre nuevo: un respaldo nunca se sobrescribe.",
        )
    return _make(_Maker(workspace, disk, now, llaves=llaves), salida, disk)


def esencial(workspace: Workspace, salida: Path, *, disk: Disk, now: datetime) -> Respaldado:
    """The same of what a difusor cannot get elsewhere once its originals and acuses are safe: no settings, no keys.

    The verifier's memory, the state database, the notices, the difusor's own view and the profile. Raises as
    ``respalda``.
    """
    profile = workspace.settings.convocatoria
    return _make(_Maker(workspace, disk, now, llaves=False, solo=ESENCIAL | {profile}), salida, disk)


def _make(maker: _Maker, salida: Path, disk: Disk) -> Respaldado:
    kind = kind_of(salida)
    copy = salida.with_name(f"{salida.name}.{ESTADO}{PARCIAL}")
    try:
        require_free(salida.absolute().parent, maker.weight() + RESERVA)
        disk.write(salida, compressed(maker.pieces(copy), kind), mode=MODE)
    finally:
        disk.remove_tree(copy)
    return Respaldado(len(maker.listed), sum(item["bytes"] for item in maker.listed), tuple(maker.left_out))


class _Maker:
    """One backup while it is made. ``solo``: what goes, of the workspace; None: everything."""

    def __init__(
        self,
        workspace: Workspace,
        disk: Disk,
        now: datetime,
        *,
        llaves: bool,
        solo: frozenset[str] | None = None,
    ) -> None:
        self._solo = solo
        self._workspace = workspace
        self._disk = disk
        self._now = now
        self._llaves = llaves
        self.listed: list[dict[str, Any]] = []
        self.left_out: list[str] = []

    def weight(self) -> int:
        """About how many bytes it will take: the originals are archives already."""
        paths = [path for name in self._names() for path in self._files(name)]
        self.left_out.clear()
        return sum(path.lstat().st_size for path in paths)

    def pieces(self, copy: Path) -> Iterator[bytes]:
        """The tar. ``copy``: where the state database may be put meanwhile."""
        folder = self._workspace.folder
        for name, data, mode in self._confianza():
            yield from self._member(name, [data], len(data), mode)
        state.snapshot(self._workspace.estado, copy)
        yield from self._file(copy, ESTADO)
        for name in self._names():
            for path in self._files(name):
                yield from self._file(path, str(path.relative_to(folder)))
        profile = self._outside_profile()
        if profile is not None:
            yield from self._file(profile, PERFIL)
        listing = canonical_json(self._listing())
        yield _header(LISTA, len(listing), 0o644)
        yield listing
        yield bytes(-len(listing) % _BLOCK + 2 * _BLOCK)

    def _names(self) -> list[str]:
        """What goes, of what lies in the workspace itself: the originals first, all but what has its own turn."""
        left = {*_REMADE, self._workspace.confianza.name} | (set() if self._llaves else _SECRETS)
        if self._outside_profile() is not None:
            left.add(PERFIL)  # What ``restaura`` left of an earlier backup: this one takes the profile that is used.
        names = [
            path.name
            for path in sorted(self._workspace.folder.iterdir())
            if path.name not in left
            and (self._solo is None or path.name in self._solo)
            and not path.name.endswith((PARCIAL, ".lock"))
            and (not path.name.startswith(ESTADO) or APARTADO in path.name)
        ]
        first = self._workspace.historico.name
        return sorted(names, key=lambda name: name != first)

    def _files(self, name: str) -> Iterator[Path]:
        """The regular files there, in order; what is another thing, or has a name that no tar holds, is noted."""
        path = self._workspace.folder / name
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            for child in sorted(path.iterdir()):
                if not child.name.endswith(PARCIAL):
                    yield from self._files(f"{name}/{child.name}")
        elif stat.S_ISREG(mode) and name.isprintable():
            yield path
        else:
            self.left_out.append(name)

    def _confianza(self) -> list[tuple[str, bytes, int]]:
        """The verifier's memory, as it was at one moment: its files are of one version or it would be none."""
        folder = self._workspace.confianza
        for _ in range(CONFIANZA_TRIES):
            with contextlib.suppress(FileNotFoundError):
                before = self._stats(folder)
                if sum(status[1] for _, status in before) > CONFIANZA_MAX_BYTES:
                    break
                found = [
                    (f"{folder.name}/{path.relative_to(folder)}", path.read_bytes(), path.stat().st_mode & 0o777)
                    for path, _ in before
                ]
                if self._stats(folder) == before:
                    return found
        raise _moving(folder)

    @staticmethod
    def _stats(folder: Path) -> list[tuple[Path, tuple[int, ...]]]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(PARCIAL))
        found = [(path, path.lstat()) for path in paths]
        return [(path, (status.st_ino, status.st_size, status.st_mtime_ns)) for path, status in found]

    def _outside_profile(self) -> Path | None:
        name = self._workspace.settings.convocatoria
        path = self._workspace.folder / name
        outside = name.endswith(".toml") and not path.resolve().is_relative_to(self._workspace.folder.resolve())
        return path if outside else None

    def _file(self, path: Path, name: str) -> Iterator[bytes]:
        try:
            with open_regular(path) as file:
                status = os.fstat(file.fileno())
                chunks = iter(lambda: file.read(CHUNK), b"")
                yield from self._member(name, chunks, status.st_size, status.st_mode & 0o777)
        except OSError as exc:
            raise _moving(path) from exc

    def _member(self, name: str, chunks: Any, size: int, mode: int) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), size
        yield _header(name, size, mode)
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise _moving(Path(name))
            digest.update(chunk)
            yield chunk
        if left:
            raise _moving(Path(name))
        yield bytes(-size % _BLOCK)
        self.listed.append({"ruta": name, "bytes": size, "sha256": digest.hexdigest(), "modo": mode})

    def _listing(self) -> dict[str, Any]:
        settings = self._workspace.settings
        return {
            "formato": FORMATO,
            "convocatoria": self._workspace.convocatoria.id,
            "ambiente": settings.ambiente,
            "difusor": settings.id,
            "nodo": settings.nodo,
            "creado": self._now.isoformat(),
            "publico": pointer.read(self._workspace),
            "llaves": self._llaves,
            "archivos": self.listed,
        }


def _header(name: str, size: int, mode: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member.tobuf(tarfile.PAX_FORMAT)


def _moving(path: Path) -> DiscoError:
    return DiscoError(
        f"{path} cambió o desapareció mientras se respaldaba.",
        intacto="El difusor sigue como estaba; no quedó ningún respaldo a medias.",
        que_hacer="Repita la orden. Si vuelve a pasar, revise quién escribe en esa carpeta.",
    )
