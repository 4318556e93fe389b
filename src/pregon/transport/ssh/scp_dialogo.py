"""The dialogue of the old scp: orders, an answer to each, and what a server says instead of answering."""

from __future__ import annotations

import asyncio
import shlex
from collections import deque
from typing import TYPE_CHECKING

import asyncssh

from pregon.base.errors import DestinoError, RedError

if TYPE_CHECKING:
    from pregon.transport.pieza import Pieza
    from pregon.transport.ssh.conexion import Acceso

MAX_LINE = 4096
"""Of what the other side says."""


class Refused(Exception):  # never leaves this module
    """Never leaves the carrier: what the other scp said no with."""


class Dialogo:
    """One session with an scp at the other side: lines and answers."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self.inside: list[str] = []
        """Folders that were entered."""
        self.owed: deque[tuple[str, Pieza | None]] = deque()
        """Answers not yet read: the path that each is about, and the file that it says to be written."""

    @classmethod
    async def open(
        cls,
        connection: asyncssh.SSHClientConnection,
        command: str,
        acceso: Acceso,
        *,
        connect_s: float,
        may_fail: bool = False,
    ) -> Dialogo | None:
        """Start it; a sink has said that it is ready. None where ``may_fail`` and no more sessions may be open."""
        try:
            async with asyncio.timeout(connect_s):
                process = await connection.create_process(command, encoding=None)
                dialogue = cls(process)
                if " -t " in command:
                    await dialogue.answer()
                return dialogue
        except asyncssh.ChannelOpenError:
            if may_fail and not connection.is_closed():
                return None
            raise
        except Refused as exc:
            raise DestinoError(
                f"{acceso.nombre} deja entrar, pero su scp no recibe: «{exc}».",
                intacto="No se envió nada: lo que hay allá sigue como estaba.",
                que_hacer="Pida al difusor que cree la carpeta y revise la línea de la llave (pregon difusor "
                "configura sshd).",
            ) from exc
        except TimeoutError as exc:
            raise RedError(
                f"{acceso.nombre} dejó entrar, pero no contestó en scp en {connect_s:g} s.",
                intacto="No se envió nada: lo que hay allá sigue como estaba.",
                que_hacer="Se intenta de nuevo; si se repite, la cuenta recibe por SFTP: escriba sftp:// en «url».",
            ) from exc

    def ask(self, order: str, ruta: str, written: Pieza | None = None) -> None:
        """Send an order whose answer is read later."""
        self._process.stdin.write(order.encode())
        self.owed.append((ruta, written))

    async def send(self, data: bytes) -> None:
        """Put bytes of a file on the link; returns when there is room for more."""
        self._process.stdin.write(data)
        await self._process.stdin.drain()
        await asyncio.sleep(0)  # That the connection ended is seen between two writes.

    def close(self) -> None:
        """Nothing more in this session."""
        self._process.stdin.write_eof()

    async def ended(self) -> None:
        """Wait until the server has closed it too, and may open another."""
        await self._process.wait_closed()

    async def answer(self) -> None:
        """One answer: go on, or a line that says why not."""
        kind = await self.byte()
        if kind == b"\0":
            return
        said = await self.line()
        if kind in b"\x01\x02":
            raise Refused(said.removeprefix("scp: "))
        raise Refused(kind.decode(errors="replace") + said)

    async def byte(self) -> bytes:
        """The next byte that they say."""
        found = await self._process.stdout.read(1)
        if found:
            return found
        # The session ended by itself, the connection did not: what scp or a shell complained of is in the other pipe.
        complaint = await self._process.stderr.read(MAX_LINE)
        if complaint.strip():
            raise Refused(_clean(complaint))
        raise asyncssh.SFTPConnectionLost("scp ended")

    async def line(self) -> str:
        """The rest of a line, at most ``MAX_LINE`` bytes, fit for a message."""
        found = bytearray()
        while len(found) < MAX_LINE and (more := await self._process.stdout.read(1)) not in (b"", b"\n"):
            found += more
        return _clean(bytes(found))

    async def content(self, size: int) -> bytes:
        """Exactly so many bytes."""
        return await self._process.stdout.readexactly(size)

    def say(self, data: bytes) -> None:
        """Answer them."""
        self._process.stdin.write(data)


def scp_command(options: str, folder: str) -> str:
    """What we ask for; a forced command does its own, whatever this says."""
    quoted = shlex.quote(folder)
    return f"scp {options} {'-- ' if folder.startswith('-') else ''}{quoted}"


def _clean(said: bytes) -> str:
    """Something that the other side says, fit for a message of ours."""
    text = said[:200].decode(errors="replace").strip()
    return "".join(char if char.isprintable() else " " for char in text)
