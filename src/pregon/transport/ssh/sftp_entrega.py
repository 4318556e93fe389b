"""One delivery over an open session of SFTP: what is there, what is sent, and when it gets its name (see ``sftp``)."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import re
import secrets
from typing import TYPE_CHECKING, cast

import asyncssh

from pregon.base.errors import DestinoError, PregonError, RedError
from pregon.transport.destino import PART
from pregon.transport.pieza import TIMESTAMP, Pieza
from pregon.transport.ssh.conexion import tasks, together

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pregon.transport.caudal import Caudal
    from pregon.transport.ssh.conexion import Avance

BLOCK = 1 << 15
"""Bytes of one write: what every server must take, and all that a cut of the link can lose of a file."""
EN_VUELO = 64
"""Writes not yet answered, all files together: 2 MiB, which is also what an OpenSSH channel takes unread.

A link of 100 Mbps and 80 ms holds 1 MB, one of 20 Mbps 200 kB: 2 MiB keep 200 Mbps busy at 80 ms.
"""
A_LA_VEZ = 8
"""Files open at once over one connection: small ones do not wait for the turns of the link of each other."""
SOBRA_S = 24 * 3600.0
"""A leftover of ours this old belongs to nobody who still works."""
_OURS = re.compile(r"(?P<name>.+)\.(?P<mark>[0-9a-f]{8})" + re.escape(PART))
_INTACTO = "Lo que ya estaba allá sigue completo y la marca de terminado no se cambió: va al final."
_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


class SftpEntrega:
    """One delivery over one open session."""

    def __init__(
        self,
        client: asyncssh.SFTPClient,
        avance: Avance,
        caudal: Caudal,
        *,
        nombre: str,
        base: str,
        repositorio: Path,
        now: float,
        completo: bool,
    ) -> None:
        self.archivos = 0
        self.bytes = 0
        self._client = client
        self._avance = avance
        self._caudal = caudal
        self._nombre = nombre
        self._base = base
        self._repositorio = repositorio
        self._now = now
        self._own_mark = secrets.token_hex(4) if completo else None
        self._block = min(BLOCK, client.limits.max_write_len or BLOCK)
        self._slots = asyncio.Semaphore(EN_VUELO * (BLOCK // self._block))
        self._files = asyncio.Semaphore(A_LA_VEZ)
        self._there: set[Pieza] = set()
        self._missing: list[Pieza] = []
        self._halves: dict[Pieza, int] = {}
        self._open: dict[Pieza, tuple[asyncssh.SFTPClientFile, set[int]]] = {}

    async def run(self, steps: tuple[tuple[Pieza, ...], ...]) -> None:
        """All of it."""
        every = [piece for step in steps for piece in step]
        # The server answers in the order of the questions: a folder is made before what is inside it is asked.
        await together([*map(self._make_folder, _folders(every)), *map(self._look, every)])
        self._missing = [piece for piece in every if piece not in self._there]
        try:
            await together([self._steps(steps), self._clean({posixpath.dirname(piece.ruta) for piece in every})])
        except DestinoError:
            await together([self._shorten(*state) for state in self._open.values()])
            raise

    async def _steps(self, steps: tuple[tuple[Pieza, ...], ...]) -> None:
        async with tasks() as group:
            sending = {piece: group.create_task(self._send(piece)) for piece in self._missing}
            for step in steps:
                new = [piece for piece in step if piece in sending]
                for piece in new:
                    await sending[piece]
                await together(self._replace(piece) for piece in new if piece not in self._there)

    # 1. What is there.

    async def _make_folder(self, ruta: str) -> None:
        # Mostly it is there already; what cannot be made shows when a file of it is opened.
        with UnlessLost():
            await self._client.mkdir(self._remote(ruta))
        self._avance.moved()

    async def _look(self, piece: Pieza) -> None:
        """Whether it is there whole, and else how much of it."""
        if self._own_mark is not None:
            return
        whole, half = await together([self._stat(self._remote(piece.ruta)), self._stat(self._part(piece))])
        if await self._whole(piece, whole):
            self._there.add(piece)
        elif half is not None and half.type == asyncssh.FILEXFER_TYPE_REGULAR and half.size:
            self._halves[piece] = half.size

    async def _stat(self, path: str) -> asyncssh.SFTPAttrs | None:
        try:
            return await self._client.lstat(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        except asyncssh.SFTPError as exc:
            raise self._refused(path, exc) from exc
        finally:
            self._avance.moved()

    async def _whole(self, piece: Pieza, there: asyncssh.SFTPAttrs | None) -> bool:
        if there is None or not _same(piece, there):
            return False
        if piece.ruta != TIMESTAMP:
            return True
        # Two of them may be signed within a second and be as long.
        with piece.lector() as read:
            return await read_whole(self._client, self._remote(piece.ruta), piece.largo) == read(piece.largo, 0)

    # 2. Sending.

    async def _send(self, piece: Pieza) -> None:
        async with self._files:
            start = self._halves.get(piece, 0)
            if start > piece.largo:  # Nobody writes more than there is: whatever it is, it is not to be continued.
                await self._drop(piece)
                start = 0
            try:
                file = await self._open_part(piece, start)
                if file is None:
                    return
                await self._fill(piece, file, start if piece in self._halves else 0)
                # In the order of the questions: the time after the last byte, the length before it is closed.
                times = asyncssh.SFTPAttrs(atime=piece.hora, mtime=piece.hora)
                async with tasks() as group:
                    group.create_task(file.setstat(times))
                    status = group.create_task(file.stat())
                    group.create_task(file.close())
            except _LOST:
                raise
            except asyncssh.SFTPError as exc:
                raise await self._not_written(piece, exc) from exc
            self._avance.moved()
            del self._open[piece]
            if status.result().size != piece.largo:
                await self._drop(piece)
                raise _other_length(self._nombre, piece)

    async def _drop(self, piece: Pieza) -> None:
        with UnlessLost():
            await self._client.remove(self._part(piece))

    async def _open_part(self, piece: Pieza, start: int) -> asyncssh.SFTPClientFile | None:
        """Open what is half there, or make it; None when another delivery has just finished it."""
        if start:
            try:
                # Not made anew: at this place of a new file everything before would be missing.
                return await self._opened(piece, asyncssh.FXF_WRITE)
            except asyncssh.SFTPNoSuchFile:
                del self._halves[piece]
                await self._look(piece)
                if piece in self._there:
                    return None
                self._halves.pop(piece, None)
        return await self._opened(piece, asyncssh.FXF_WRITE | asyncssh.FXF_CREAT)

    async def _opened(self, piece: Pieza, flags: int) -> asyncssh.SFTPClientFile:
        file = await self._client.open(self._part(piece), flags, encoding=None, block_size=0)
        self._open[piece] = (file, set())
        self._avance.moved()
        return file

    async def _fill(self, piece: Pieza, file: asyncssh.SFTPClientFile, start: int) -> None:
        waiting = self._open[piece][1]
        self.archivos += 1
        with piece.lector() as read:
            async with tasks() as group:
                for offset in range(start, piece.largo, self._block):
                    await self._slots.acquire()
                    data = read(min(self._block, piece.largo - offset), offset)
                    await self._avance.turn(self._caudal, len(data))
                    waiting.add(offset)
                    group.create_task(self._write(file, offset, data, waiting))
                    await asyncio.sleep(0)  # That answers, and the end of the connection, are seen between two writes.

    async def _write(self, file: asyncssh.SFTPClientFile, offset: int, data: bytes, waiting: set[int]) -> None:
        self.bytes += len(data)
        await file.write(data, offset)
        waiting.discard(offset)
        self._slots.release()
        self._avance.moved()

    async def _shorten(self, file: asyncssh.SFTPClientFile, waiting: set[int]) -> None:
        """Leave only what is surely without gaps: after a full disk a later write may have found room again."""
        if waiting:
            with UnlessLost():
                await file.truncate(min(waiting))

    # 3. Names.

    async def _replace(self, piece: Pieza) -> None:
        part, final = self._part(piece), self._remote(piece.ruta)
        try:
            try:
                await self._client.posix_rename(part, final)
            except asyncssh.SFTPOpUnsupported:
                await self._rename_plainly(part, final)
        except asyncssh.SFTPNoSuchFile as exc:
            if not await self._whole(piece, await self._stat(final)):
                raise RedError(
                    f"Otra entrega a {self._nombre} quitó lo que ésta llevaba de {piece.ruta}.",
                    intacto=_INTACTO,
                    que_hacer="Deje que termine la otra; ésta se reanuda sola en el siguiente intento.",
                ) from exc
        except _LOST:
            raise
        except asyncssh.SFTPError as exc:
            raise self._refused(piece.ruta, exc) from exc
        self._avance.moved()

    async def _rename_plainly(self, part: str, final: str) -> None:
        try:
            await self._client.rename(part, final)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            with contextlib.suppress(asyncssh.SFTPNoSuchFile):
                await self._client.remove(final)
            await self._client.rename(part, final)

    # Leftovers.

    async def _clean(self, folders: Collection[str]) -> None:
        await together(self._clean_folder(folder) for folder in sorted(folders))

    async def _clean_folder(self, folder: str) -> None:
        with UnlessLost():
            entries = {str(entry.filename): entry.attrs for entry in await self._client.readdir(self._remote(folder))}
            self._avance.moved()
            for name, attrs in entries.items():
                match = _OURS.fullmatch(name)
                if match is None or attrs.type != asyncssh.FILEXFER_TYPE_REGULAR:
                    continue
                if self._left_over(folder, match["name"], match["mark"], attrs, entries.get(match["name"])):
                    await self._client.remove(self._remote(posixpath.join(folder, name)))
                    self._avance.moved()

    def _left_over(
        self, folder: str, name: str, mark: str, attrs: asyncssh.SFTPAttrs, whole: asyncssh.SFTPAttrs | None
    ) -> bool:
        """Whether it is of a file of this repository, and old or of no more use. Anybody else's stays."""
        path = self._repositorio / folder / name
        try:
            status = path.lstat()
        except OSError:
            return False
        piece = Pieza(posixpath.join(folder, name), path, status.st_size, status.st_mtime_ns)
        if piece in self._missing and mark == piece.marca:
            return False
        if attrs.mtime is not None and self._now - attrs.mtime > SOBRA_S:
            return True
        return mark == piece.marca and whole is not None and _same(piece, whole) and piece.ruta != TIMESTAMP

    # Paths and refusals.

    def _remote(self, ruta: str) -> str:
        return f"{self._base.rstrip('/')}/{ruta}" if ruta else self._base

    def _part(self, piece: Pieza) -> str:
        return f"{self._remote(piece.ruta)}.{self._own_mark or piece.marca}{PART}"

    async def _not_written(self, piece: Pieza, exc: asyncssh.SFTPError) -> PregonError:
        """SFTP version 3 says «failure» of a full disk: ask how much room there is."""
        full = isinstance(exc, (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded))
        if isinstance(exc, asyncssh.SFTPFailure):
            with UnlessLost():
                room = await self._client.statvfs(self._base)
                full = room.bavail * room.frsize < self._block
        if full:
            return DestinoError(
                f"El disco de {self._nombre} está lleno: no cupo {piece.ruta} ({piece.largo:,} bytes).",
                intacto=_INTACTO,
                que_hacer="Pida al difusor que libere espacio o amplíe su cuota; la entrega sigue donde se quedó.",
            )
        return self._refused(piece.ruta, exc)

    def _refused(self, ruta: str, exc: asyncssh.SFTPError) -> PregonError:
        if isinstance(exc, _LOST):
            raise exc
        if isinstance(exc, (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)):
            problem, advice = "la cuenta no tiene permiso", "que dé a la cuenta permiso de escribir en su entrada"
        elif isinstance(exc, (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)):
            problem, advice = (
                f"no existe la carpeta {self._base}",
                "que cree la carpeta, o corrija «url» en los ajustes",
            )
        else:
            problem, advice = (
                f"el servidor contestó «{exc.reason}»",
                "que revise espacio, cuota y permisos de su entrada",
            )
        return DestinoError(
            f"{self._nombre} no recibe {ruta}: {problem}.", intacto=_INTACTO, que_hacer=f"Pida al difusor {advice}."
        )


async def read_whole(client: asyncssh.SFTPClient, path: str, limit: int) -> bytes | None:
    """The whole file; None for what is longer than ``limit``, cannot be read or went away."""
    with UnlessLost():
        async with client.open(path, "rb") as file:
            data = cast("bytes", await file.read(limit + 1, 0))
            return data if len(data) <= limit else None
    return None


class UnlessLost:
    """Pass over a refusal of the server; a lost connection is not one."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        return isinstance(error, asyncssh.SFTPError) and not isinstance(error, _LOST)


def _same(piece: Pieza, attrs: asyncssh.SFTPAttrs) -> bool:
    return attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and attrs.size == piece.largo and attrs.mtime == piece.hora


def _folders(every: list[Pieza]) -> list[str]:
    """Every folder of the pieces, outer ones first."""
    found: set[str] = set()
    for piece in every:
        folder = posixpath.dirname(piece.ruta)
        while folder:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return sorted(found)


def _other_length(nombre: str, piece: Pieza) -> RedError:
    return RedError(
        f"{piece.ruta} quedó en {nombre} con otro tamaño: alguien más escribe ahí.",
        intacto=_INTACTO,
        que_hacer="Se envía de nuevo en el siguiente intento; si se repite, revise quién más entra a esa cuenta.",
    )
