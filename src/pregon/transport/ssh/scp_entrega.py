"""One delivery by scp: which folders are entered, which files go, and what is remembered of them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.errors import DestinoError, DiscoError, EscrituraError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import compact_json
from pregon.transport.pieza import TIMESTAMP
from pregon.transport.ssh.scp_dialogo import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.transport.caudal import Caudal
    from pregon.transport.lugar import Lugar
    from pregon.transport.pieza import Pieza
    from pregon.transport.ssh.conexion import Avance
    from pregon.transport.ssh.scp_dialogo import Dialogo

BLOCK = 1 << 16
"""Bytes put on the link at once."""
MEMORIA = "entregas"
"""Folder of the workspace with what each place has received."""
FORMATO = "pregon/scp/1"
MAX_MEMORIA = 1 << 24
MAX_TIMESTAMP = 4096
"""Far more than one is long."""
_INTACTO = "Lo anterior sigue completo y la marca de terminado no se cambió; lo que quedó a medias no lo lee nadie."


class ScpEntrega:
    """What one delivery sends, and has sent."""

    def __init__(self, nombre: str, caudal: Caudal, memory: Memoria) -> None:
        self.archivos = 0
        self.bytes = 0
        self._nombre = nombre
        self._caudal = caudal
        self._memory = memory

    async def step(self, dialogue: Dialogo, avance: Avance, step: list[Pieza]) -> None:
        """One session: its folders and files, all answered for when it returns."""
        for piece in step:
            await self.enter(dialogue, piece)
            longest = self._memory.timestamp if piece.ruta == TIMESTAMP else 0
            if longest > piece.largo:
                await self._file(dialogue, avance, piece, length=longest)
            await self._file(dialogue, avance, piece, length=piece.largo)
        await self._settle(dialogue)
        avance.moved()
        dialogue.close()

    async def _file(self, dialogue: Dialogo, avance: Avance, piece: Pieza, *, length: int) -> None:
        """Send it, with spaces at its end up to ``length``."""
        with piece.lector() as read:
            # Bytes only after the answer: of a file that could not be opened they would be read as orders.
            dialogue.ask(f"T{max(piece.hora, 0)} 0 {max(piece.hora, 0)} 0\n", piece.ruta)
            dialogue.ask(f"C0644 {length} {piece.ruta.rpartition('/')[2]}\n", piece.ruta)
            await self._settle(dialogue)
            avance.moved()
            self.archivos += length == piece.largo
            for offset in range(0, length, BLOCK):
                data = read(max(0, min(BLOCK, piece.largo - offset)), offset)
                data += b" " * (min(BLOCK, length - offset) - len(data))
                await avance.turn(self._caudal, len(data))
                await dialogue.send(data)
                self.bytes += len(data)
                avance.moved()
            dialogue.ask("\0", piece.ruta, piece if length == piece.largo else None)

    async def enter(self, dialogue: Dialogo, piece: Pieza) -> None:
        """Go to the folder of ``piece``. Answers of folders that were entered before are not waited for.

        A folder that cannot be entered would leave us in the one before, and what is inside it would go there.
        """
        inside, wanted = dialogue.inside, piece.ruta.split("/")[:-1]
        common = 0
        while common < min(len(inside), len(wanted)) and inside[common] == wanted[common]:
            common += 1
        for _ in inside[common:]:
            dialogue.ask("E\n", piece.ruta)
        dialogue.inside = wanted
        for depth in range(common, len(wanted)):
            order = f"D0755 0 {wanted[depth]}\n"
            dialogue.ask(order, piece.ruta)
            if not self._memory.knows("/".join(wanted[: depth + 1])):
                try:
                    await self._settle(dialogue)
                except DestinoError as exc:
                    # Another session, or another delivery, made it between their looking and their making.
                    if not isinstance(exc.__cause__, Refused) or "File exists" not in str(exc.__cause__):
                        raise
                    dialogue.ask(order, piece.ruta)
                    await self._settle(dialogue)

    async def _settle(self, dialogue: Dialogo) -> None:
        """Wait for every answer that is owed; what they wrote is remembered."""
        while dialogue.owed:
            ruta, written = dialogue.owed.popleft()
            try:
                await dialogue.answer()
            except Refused as exc:
                raise self._refused(ruta, exc) from exc
            if written is not None:
                self._memory.add(written)

    def _refused(self, ruta: str, exc: Refused) -> DestinoError:
        said = str(exc)
        if "No space" in said or "quota" in said.lower():
            problem = "su disco está lleno"
            advice = "que libere espacio o amplíe su cuota; la entrega sigue con lo que falta."
        elif "without -r" in said:
            problem = "la cuenta sólo recibe archivos sueltos"
            advice = "la línea de la llave con «scp -r -d -t entrada» (pregon difusor configura sshd)."
        elif "ermission denied" in said or "Read-only" in said:
            problem = "la cuenta no tiene permiso"
            advice = "que dé a la cuenta permiso de escribir en su entrada."
        else:
            problem, advice = f"contestó «{said}»", "que revise la carpeta entrada y la línea de la llave."
        return DestinoError(
            f"{self._nombre} no recibe {ruta}: {problem}.", intacto=_INTACTO, que_hacer=f"Pida al difusor {advice}"
        )


class Memoria:
    """What one place has received, by path: length and time. Losing it costs sending again, no more."""

    def __init__(self, folder: Path, lugar: Lugar, *, empty: bool) -> None:
        host = lugar.partes.hostname or ""
        self._path = folder / MEMORIA / f"{host}-{sha256_bytes(lugar.url.encode())[:8]}.scp.json"
        self._files: dict[str, list[int]] = {} if empty else self._read()

    def _read(self) -> dict[str, list[int]]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            with self._path.open("rb") as file:
                found = json.loads(file.read(MAX_MEMORIA))
            if found["formato"] == FORMATO:
                return {str(ruta): [int(largo), int(hora)] for ruta, (largo, hora) in found["archivos"].items()}
        return {}

    def has(self, piece: Pieza) -> bool:
        # The timestamp goes always: of two deliveries at once, the one that ends last leaves its own there.
        return piece.ruta != TIMESTAMP and self._files.get(piece.ruta) == [piece.largo, piece.hora_ns]

    @property
    def timestamp(self) -> int:
        """How long the timestamp there may be."""
        return self._files[TIMESTAMP][0] if TIMESTAMP in self._files else MAX_TIMESTAMP

    def knows(self, folder: str) -> bool:
        """Whether something was delivered inside it: then it is there."""
        return any(ruta.startswith(f"{folder}/") for ruta in self._files)

    def add(self, piece: Pieza) -> None:
        self._files[piece.ruta] = [piece.largo, piece.hora_ns]

    def save(self, repositorio: Path) -> None:
        """Keep it, but for files that the repository no longer has."""
        kept = {ruta: seen for ruta, seen in sorted(self._files.items()) if (repositorio / ruta).exists()}
        with contextlib.suppress(DiscoError, EscrituraError, OSError):
            self._path.parent.mkdir(exist_ok=True)
            Disk().write(self._path, compact_json({"formato": FORMATO, "archivos": kept}))
