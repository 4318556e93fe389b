"""Pushing a repository into an account of OpenSSH by SFTP, several files at once over one connection.

How one delivery goes:

1. Ask about every file and make the folders, all in one turn of the link. What is there with the same length and time
   is not sent; ``timestamp.json``, which changes under its name, is compared by content.
2. Every file goes as ``<name>.<mark>.part``, of all steps at once: nobody reads those. The mark says which content it
   is, so a delivery goes on where another was cut, by the length of what is there. That the rest fits is what the mark
   promises; that the whole is right is proven by the difusor, by SHA-256: when it is not, ``completo`` sends it again.
3. Step by step, the files of a step get their names (``posix-rename@openssh.com``) when all of them are whole there.

A server without that extension gets a plain rename, and where a file of that name is there, removal and rename: for
one turn of the link there is none of that name, never half of one. A reader without a timestamp keeps what it has.

Two deliveries at once write the same bytes at the same places of the same ``.part``, and it is never truncated to
begin with; so what gets a final name is whole, whoever comes first. Only ``completo`` has a temporary name of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import asyncssh

from pregon.base.errors import DestinoError, RedError
from pregon.transport.destino import Entregado
from pregon.transport.pieza import Pieza, pieces
from pregon.transport.ssh.conexion import (
    ACUSE,
    CONNECT_S,
    MAX_ACUSE,
    MAX_ACUSES,
    STALL_S,
    Avance,
    access,
    border,
    connected,
    together,
)
from pregon.transport.ssh.sftp_entrega import SftpEntrega, read_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.transport.caudal import Caudal
    from pregon.transport.destino import Envio
    from pregon.transport.lugar import Lugar
    from pregon.transport.ssh.conexion import Acceso

AL_LEER = 8
"""Acuses read at once."""


class SftpDestination:
    """A folder of an account that takes SFTP; implements ``transport.destino.Destination``."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        completo: bool = False,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """``folder``: the workspace to which paths of ``lugar`` are relative.

        ``completo``: send every file whole under another temporary name, whatever is there: for a difusor that found
        bytes which are not the signed ones.
        """
        self._lugar = lugar
        self._folder = folder
        self._clock = clock
        self._completo = completo
        self._connect_s = connect_s
        self._stall_s = stall_s

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """Push what is missing or changed; see the module.

        Raises:
            RedError: the link, the server or the repository failed, or nothing moved for ``stall_s``.
            DestinoError: the key, the host or the folder is refused, or there is no room.
        """
        steps = pieces(envio)
        if not any(steps):
            return Entregado(0, 0)
        acceso = access(self._lugar, self._folder)
        with border(acceso, stall_s=self._stall_s, connect_s=self._connect_s):
            return asyncio.run(self._deliver(acceso, envio.repositorio, steps, caudal))

    async def _deliver(
        self, acceso: Acceso, repositorio: Path, steps: tuple[tuple[Pieza, ...], ...], caudal: Caudal
    ) -> Entregado:
        async with _session(acceso, connect_s=self._connect_s, stall_s=self._stall_s) as (client, avance):
            delivery = SftpEntrega(
                client,
                avance,
                caudal,
                nombre=acceso.nombre,
                base=self._lugar.carpeta,
                repositorio=repositorio,
                now=self._clock.now().timestamp(),
                completo=self._completo,
            )
            await delivery.run(steps)
            return Entregado(delivery.archivos, delivery.bytes)


class SftpAcuses:
    """A folder of acuses read by SFTP; implements ``transport.destino.AcuseBox``."""

    def __init__(self, lugar: Lugar, *, folder: Path, connect_s: float = CONNECT_S, stall_s: float = STALL_S) -> None:
        """``lugar``'s path is the folder of acuses; ``folder``, the workspace to which its files are relative."""
        self._lugar = lugar
        self._folder = folder
        self._connect_s = connect_s
        self._stall_s = stall_s

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Acuses there that are not in ``known``; see ``AcuseBox``. A folder that is not there yet has none.

        Raises:
            RedError, DestinoError: as ``SftpDestination.deliver``; nothing was given then.
        """
        acceso = access(self._lugar, self._folder)
        with border(acceso, stall_s=self._stall_s, connect_s=self._connect_s):
            return iter(asyncio.run(self._collect(acceso, known)))

    async def _collect(self, acceso: Acceso, known: Collection[str]) -> list[tuple[str, bytes]]:
        base = self._lugar.carpeta
        async with _session(acceso, connect_s=self._connect_s, stall_s=self._stall_s) as (client, avance):
            try:
                entries = await client.readdir(base)
            except asyncssh.SFTPNoSuchFile:
                return []
            except asyncssh.SFTPPermissionDenied as exc:
                raise DestinoError(
                    f"{acceso.nombre} no deja leer los acuses: la cuenta no tiene permiso.",
                    intacto="Sólo se leyó: nada cambió allá.",
                    que_hacer="Pida al difusor que dé a la cuenta permiso de leer su carpeta de acuses.",
                ) from exc
            names = sorted(
                str(entry.filename)
                for entry in entries
                if ACUSE.fullmatch(str(entry.filename))
                and entry.filename not in known
                and entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR
                and (entry.attrs.size or 0) <= MAX_ACUSE
            )[:MAX_ACUSES]
            slots = asyncio.Semaphore(AL_LEER)

            async def one(name: str) -> tuple[str, bytes | None]:
                async with slots:
                    avance.moved()
                    return name, await read_whole(client, f"{base.rstrip('/')}/{name}", MAX_ACUSE)

            read = await together(map(one, names))
            return [(name, data) for name, data in read if data is not None]


@contextlib.asynccontextmanager
async def _session(
    acceso: Acceso, *, connect_s: float, stall_s: float
) -> AsyncIterator[tuple[asyncssh.SFTPClient, Avance]]:
    async with connected(acceso, connect_s=connect_s) as connection:
        try:
            async with asyncio.timeout(connect_s):
                client = await connection.start_sftp_client()
        except TimeoutError as exc:
            # A forced scp waits for ever for what it understands; a silent link looks the same from here.
            raise RedError(
                f"{acceso.nombre} dejó entrar, pero no contestó en SFTP en {connect_s:g} s.",
                intacto="No se envió nada: lo que hay allá sigue como estaba.",
                que_hacer="Se intenta de nuevo; si se repite, la cuenta recibe por scp: escriba scp:// en los ajustes.",
            ) from exc
        except (asyncssh.SFTPError, asyncssh.ChannelOpenError) as exc:
            if connection.is_closed():
                raise
            raise DestinoError(
                f"{acceso.nombre} deja entrar a la cuenta, pero no le ofrece SFTP.",
                intacto="No se envió nada: lo que hay allá sigue como estaba.",
                que_hacer="Si la cuenta sólo recibe por scp, escriba scp:// en los ajustes; si no, pida al difusor "
                "«ForceCommand internal-sftp» (pregon difusor configura sshd).",
            ) from exc
        async with Avance(connection, stall_s) as avance:
            yield client, avance
        client.exit()
