"""Pushing by the old protocol of scp, for an account whose key may do nothing but ``scp -r -d -t entrada`` (GRO-2.1a).

It is what ``scp -O`` speaks: lines that announce folders and files, an answer to each, and the bytes. There is no
listing, no rename and no going on from the middle, so:

* What was delivered is remembered here, in ``entregas/<host>-<hash>.scp.json`` of the workspace, and not sent again.
  A difusor that lacks something, or finds wrong bytes, gets everything with ``completo``.
* A file that is cut is sent whole the next time.
* One session for each step, so the folders of a step are made; ``timestamp.json`` in a session of its own, last, and
  always sent.

scp writes in place, under the final name, so for a while a half file is there; nobody takes it for a whole one. What
travels before the timestamp is named by nothing that a difusor has read, files of cuts and metadata have new names in
each cut, and whatever is read is checked by SHA-256. OpenSSH overwrites from the beginning and cuts the rest at the
end: sending again what is right never spoils it, but a timestamp shorter than the old one would for a moment end in
the rest of that, and look forged. So such a one goes twice: first with spaces up to the old length, which JSON
ignores, then as it is. Each fits in one write of the other side.

asyncssh speaks scp too, but waits for each answer before the next line and walks folders of its own choosing; at 80 ms
that is seconds in each cut, so the few lines of the dialogue are ours.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncssh

from pregon.base.errors import DestinoError, PregonError
from pregon.transport.destino import Entregado
from pregon.transport.pieza import pieces
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
from pregon.transport.ssh.scp_dialogo import Dialogo, Refused, scp_command
from pregon.transport.ssh.scp_entrega import Memoria, ScpEntrega

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.transport.caudal import Caudal
    from pregon.transport.destino import Envio
    from pregon.transport.lugar import Lugar
    from pregon.transport.pieza import Pieza
    from pregon.transport.ssh.conexion import Acceso

RETRY_S = (0.0, 0.05, 0.2, 1.0)
"""Pauses before each try of a session that the server did not open with the others."""
_DECLINED = b"\x01pregon: no\n"
_SOLO_LECTURA = "Sólo se leyó: nada cambió allá."


class ScpDestination:
    """The ``entrada`` of an account that takes scp; implements ``transport.destino.Destination``."""

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
        """``folder``: the workspace to which paths of ``lugar`` are relative; what was delivered is kept there.

        ``completo``: forget what was delivered and send everything again.
        """
        del clock  # Nothing here has an age; every carrier is made alike.
        self._lugar = lugar
        self._folder = folder
        self._completo = completo
        self._connect_s = connect_s
        self._stall_s = stall_s

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """Push what was not delivered yet, and the timestamp; see the module.

        Raises:
            RedError: the link, the server or the repository failed, or nothing moved for ``stall_s``.
            DestinoError: the key, the host or the folder is refused, or there is no room.
        """
        steps = pieces(envio)
        acceso = access(self._lugar, self._folder)
        memory = Memoria(self._folder, self._lugar, empty=self._completo)
        wanted = ([piece for piece in sorted(step, key=_by_folder) if not memory.has(piece)] for step in steps)
        missing = [step for step in wanted if step]
        if not missing:
            return Entregado(0, 0)
        sender = ScpEntrega(acceso.nombre, caudal, memory)
        try:
            with border(acceso, stall_s=self._stall_s, connect_s=self._connect_s):
                asyncio.run(self._deliver(acceso, sender, missing))
        finally:
            memory.save(envio.repositorio)
        return Entregado(sender.archivos, sender.bytes)

    async def _deliver(self, acceso: Acceso, sender: ScpEntrega, steps: list[list[Pieza]]) -> None:
        command = scp_command("-r -d -t", self._lugar.carpeta)

        async def begun(step: list[Pieza], *, may_fail: bool) -> Dialogo | None:
            dialogue = await Dialogo.open(connection, command, acceso, connect_s=self._connect_s, may_fail=may_fail)
            if dialogue is not None:
                await sender.enter(dialogue, step[0])
            return dialogue

        async with (
            connected(acceso, connect_s=self._connect_s) as connection,
            Avance(connection, self._stall_s) as avance,
        ):
            # All sessions at once, and each in its first folder: opening one takes three turns of the link.
            early = await together(begun(step, may_fail=number > 0) for number, step in enumerate(steps))
            last: Dialogo | None = None
            for step, dialogue in zip(steps, early, strict=True):
                ready = dialogue
                if ready is None and last is not None:
                    await last.ended()
                for wait in RETRY_S:  # sshd counts a session for a moment after it closed it.
                    if ready is None:
                        await asyncio.sleep(wait)
                        ready = await begun(step, may_fail=wait != RETRY_S[-1])
                assert ready is not None  # noqa: S101 # the last try does not give None
                await sender.step(ready, avance, step)
                last = ready


class ScpAcuses:
    """A folder of acuses read by ``scp -r -f acuses``; implements ``transport.destino.AcuseBox``."""

    def __init__(self, lugar: Lugar, *, folder: Path, connect_s: float = CONNECT_S, stall_s: float = STALL_S) -> None:
        """``lugar``'s path is the folder of acuses; ``folder``, the workspace to which its files are relative."""
        self._lugar = lugar
        self._folder = folder
        self._connect_s = connect_s
        self._stall_s = stall_s

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Acuses there that are not in ``known``; see ``AcuseBox``. Those in ``known`` are announced and not sent.

        Raises:
            RedError, DestinoError: as ``ScpDestination.deliver``; nothing was given then.
        """
        acceso = access(self._lugar, self._folder)
        with border(acceso, stall_s=self._stall_s, connect_s=self._connect_s):
            return iter(sorted(asyncio.run(self._collect(acceso, known))))

    async def _collect(self, acceso: Acceso, known: Collection[str]) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        command = scp_command("-r -f", self._lugar.carpeta)
        async with (
            connected(acceso, connect_s=self._connect_s) as connection,
            Avance(connection, self._stall_s) as avance,
        ):
            dialogue = await Dialogo.open(connection, command, acceso, connect_s=self._connect_s)
            assert dialogue is not None  # noqa: S101 # only one that may fail is None
            dialogue.say(b"\0")
            depth = 0
            while True:
                try:
                    order = await dialogue.byte()
                except (asyncssh.SFTPConnectionLost, Refused):
                    if depth or connection.is_closed():
                        raise
                    return found
                said = await dialogue.line()
                avance.moved()
                if order in b"\x01\x02":
                    if "No such file" in said:
                        return found
                    raise _no_acuses(acceso, said)
                if order == b"D":
                    # One folder, theirs; what is inside another is not ours to read.
                    dialogue.say(b"\0" if depth == 0 else _DECLINED)
                    depth = 1
                elif order == b"E":
                    dialogue.say(b"\0")
                    return found
                elif order == b"C":
                    acuse = await _acuse(dialogue, said, known if len(found) < MAX_ACUSES else None)
                    found += [] if acuse is None else [acuse]
                else:
                    raise _no_acuses(acceso, said)


async def _acuse(dialogue: Dialogo, said: str, known: Collection[str] | None) -> tuple[str, bytes] | None:
    """Take the file that was announced, or say that it is not wanted."""
    _, _, rest = said.partition(" ")
    size, _, name = rest.partition(" ")
    wanted = known is not None and name not in known and ACUSE.fullmatch(name) is not None
    if not wanted or not size.isascii() or not size.isdigit() or int(size) > MAX_ACUSE:
        dialogue.say(_DECLINED)
        return None
    dialogue.say(b"\0")
    data = await dialogue.content(int(size))
    try:
        await dialogue.answer()
    except Refused:
        data = b""  # It changed while they read it: it comes whole next time.
    dialogue.say(b"\0")
    return (name, data) if data else None


def _no_acuses(acceso: Acceso, said: str) -> PregonError:
    return DestinoError(
        f"{acceso.nombre} no deja leer los acuses: «{said.removeprefix('scp: ')}».",
        intacto=_SOLO_LECTURA,
        que_hacer="Pida al difusor la línea de la llave con «scp -r -f acuses» (pregon difusor configura sshd).",
    )


def _by_folder(piece: Pieza) -> list[str]:
    return piece.ruta.split("/")
