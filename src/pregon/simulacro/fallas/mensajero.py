"""Takes the institute's repository to one difusor as the push carriers do, and spoils on the way what a fault asks for.

A delivery is the real one (``transport.local``): targets, metadata, timestamp. What is spoiled is a copy, made of links
to the institute's files, in which only the spoiled files are others. The institute's own repository is never touched.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from pregon.base.clock import SystemClock
from pregon.base.errors import PregonError, RedError
from pregon.base.jsonio import canonical_json
from pregon.transport.caudal import Caudal
from pregon.transport.local import FolderDestination, whole_repository
from pregon.transport.lugar import Lugar

if TYPE_CHECKING:
    from pregon.base.durable import Disk
    from pregon.simulacro.fallas.plan import Falla

LOOK_S = 0.1
"""Real seconds between looks at the institute's timestamp."""
PERDIDA = 0.3
"""Of the pieces of a lossy link, those at which the transfer breaks off."""
_TIMESTAMP = Path("metadata") / "timestamp.json"


class Mensajero(threading.Thread):
    """Delivers to one difusor whenever there is something new, until ``termina``."""

    def __init__(
        self, nombre: str, repositorio: Path, destino: Path, taller: Path, *, semilla: int, disk: Disk
    ) -> None:
        """``taller``: a folder of its own, in the file system of ``repositorio``."""
        super().__init__(name=f"mensajero {nombre}", daemon=True)
        self._repositorio = repositorio
        self._taller = taller
        self._clock = SystemClock()
        disk.make_folder(destino)
        self._destino = FolderDestination(Lugar(url=destino.as_uri()), folder=destino, clock=self._clock, disk=disk)
        self._random = random.Random(f"{semilla} {nombre}")  # noqa: S311 - where a transfer breaks off
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._falla: Falla | None = None
        self._done: tuple[bytes, int | None] | None = None
        self._efectos = 0

    def aplica(self, falla: Falla) -> None:
        """From now on, spoil what is carried so."""
        with self._lock:
            self._falla, self._efectos = falla, 0

    def quita(self) -> int:
        """Carry again as one should; how many times something was spoiled."""
        with self._lock:
            self._falla = None
            return self._efectos

    def recuerda(self, falla: Falla) -> None:
        """Keep the repository as it is now, for a ``corte_viejo`` of later."""
        _linked(self._repositorio, self._taller / f"viejo-{falla.n}")

    def termina(self) -> None:
        """Deliver nothing more."""
        self._end.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        while not self._end.wait(LOOK_S):
            with self._lock:
                try:
                    self._look()
                except PregonError:
                    continue  # A delivery that failed is made again: the next look finds it undone.
                except OSError:
                    continue  # The institute was writing what we linked; the same.

    def _look(self) -> None:
        try:
            offered = (self._repositorio / _TIMESTAMP).read_bytes()
        except FileNotFoundError:
            return
        fault = self._falla
        now = (offered, None if fault is None else fault.n)
        if now == self._done:
            return
        if fault is None:
            self._deliver(self._repositorio)
        else:
            self._spoil(fault)
        self._done = now

    def _deliver(self, source: Path, caudal: Caudal | None = None) -> None:
        self._destino.deliver(whole_repository(source), caudal or Caudal(self._clock))

    def _spoil(self, fault: Falla) -> None:
        match fault.clase:
            case "enlace_cortado":
                self._efectos += 1
            case "enlace_lento":
                self._efectos += 1
                self._deliver(self._repositorio, Caudal(self._clock, fault.bytes_s))
            case "enlace_con_perdidas":
                self._deliver_with_losses()
            case "corte_viejo":
                self._deliver(self._taller / f"viejo-{fault.n}")
                self._efectos += 1
            case "corrompido" | "truncado" | "llave_ajena":
                self._deliver(self._spoiled(fault))
                self._efectos += 1
            case _:
                self._deliver(self._repositorio)

    def _deliver_with_losses(self) -> None:
        first = True  # At least once: a link that by chance lost nothing would prove nothing.
        while not self._end.is_set():
            broken = _Roto(self._clock, self._random, seguro=first)
            first = False
            try:
                self._deliver(self._repositorio, broken)
            except RedError:
                self._efectos += 1
                continue
            return

    def _spoiled(self, fault: Falla) -> Path:
        copy = self._taller / "averiado"
        _linked(self._repositorio, copy)
        if fault.clase == "llave_ajena":
            _replace(copy / _TIMESTAMP, _signed_by_another((copy / _TIMESTAMP).read_bytes()))
            return copy
        for archive in newest_archives(copy):
            data = archive.read_bytes()
            half = len(data) // 2
            spoiled = data[:half]
            if fault.clase == "corrompido":
                spoiled += bytes([data[half] ^ 0xFF]) + data[half + 1 :]
            _replace(archive, spoiled)
        return copy


class _Roto(Caudal):
    """A link that loses the connection."""

    def __init__(self, clock: SystemClock, choose: random.Random, *, seguro: bool) -> None:
        """``seguro``: it breaks at the first piece, whatever chance says."""
        super().__init__(clock)
        self._choose = choose
        self._seguro = seguro

    def reserve(self, size: int) -> float:
        if self._seguro or self._choose.random() < PERDIDA:
            raise RedError(
                "El enlace se cortó a media transferencia.",
                intacto="El destino conserva el corte anterior completo.",
                que_hacer="Se intenta de nuevo.",
            )
        return super().reserve(size)


def newest_archives(repositorio: Path) -> tuple[Path, ...]:
    """The archives of the newest cut of a repository: all of its files but the manifest."""
    cuts = sorted(path for path in (repositorio / "targets" / "cortes").iterdir() if path.name.isdecimal())
    return tuple(path for path in sorted(cuts[-1].iterdir()) if path.suffix != ".json") if cuts else ()


def _linked(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    for part in ("targets", "metadata"):
        shutil.copytree(source / part, target / part, copy_function=os.link)


def _replace(path: Path, data: bytes) -> None:
    """Another file in its place: the one that was there is also the institute's."""
    path.unlink()
    path.write_bytes(data)


def _signed_by_another(data: bytes) -> bytes:
    """The same metadata, signed with a key that nobody delegated to, under the name of the one that was."""
    metadata: dict[str, Any] = json.loads(data)
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(canonical_json(metadata["signed"]), ec.ECDSA(hashes.SHA256())).hex()
    metadata["signatures"] = [{**one, "sig": signature} for one in metadata["signatures"]]
    return json.dumps(metadata).encode()
