"""Deliver by rsync, over SSH or to its daemon, and collect acuses by it (DGO-II-net-c3, MOR-A1-3.4).

The rsync program does it; this module says what, in which order, and understands how it ended. What it leans on, of
rsync's own behaviour:

* a file arrives under another name and takes its own in one step;
* with ``--delay-updates``, what a cut delivery left is kept in ``.~tmp~`` beside the file, whole or in part, and is
  not sent again. ``--partial-dir`` would say the same, but ``rrsync`` of 3.5.0 turns its folder into a descriptor in
  which rsync then keeps nothing;
* a file of the same size and time there is not sent; of the metadata, which are few and small, the content is compared.

Accounts that can only write cannot be listed. So of what is left half done, what belongs to the files of a delivery
goes with it; ``.~tmp~`` of packages that will never be sent again is for the receiving side to sweep.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from pregon.base.errors import RedError
from pregon.base.procesos import start
from pregon.base.razones import razon
from pregon.transport.buzon import MAX_BYTES, NOMBRE
from pregon.transport.destino import Entregado
from pregon.transport.rsync.fallas import OCUPADO, NadieContestaError, failure
from pregon.transport.rsync.puertas import OUTPUT_MAX, Plazos, child_environment, puerta

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pregon.base.clock import Clock
    from pregon.base.procesos import Process
    from pregon.transport.caudal import Caudal
    from pregon.transport.destino import Envio
    from pregon.transport.lugar import Lugar
    from pregon.transport.rsync.puertas import Entrada, Puerta

CONNECT_S = 10.0
"""For reaching the other machine."""
STALL_S = 30.0
"""Without progress for so long, the delivery ends."""
AHEAD = 2
"""Sessions opened before their turn, besides the one that goes on; fewer where the other end takes fewer at once."""
WARM_S = 12.0
"""A session that was opened before its turn is used up to this age: the other end forgets those that say nothing."""
WARM_PART = 0.4
"""And up to this part of the limit without progress, which is the other end's limit too."""
BUSY_WAITS_S = (0.1, 0.3, 0.6, 1.2)
"""Waits when the other end takes one session at a time and another has not ended yet (the one of a cut delivery)."""

MAX_ACUSES = 2000
"""Acuses collected at once: the rest, the next time."""
MAX_LIST = 8 << 20
"""Bytes of the list of what is in a folder of acuses."""

BY_CONTENT = ("-c",)
BY_TIME = ("--delay-updates",)

_LISTED = re.compile(rf"-\S{{9}} +([0-9]+) \S+ \S+ ({NOMBRE.pattern})")
_SENT = re.compile(r"^Number of regular files transferred: ([0-9]+)$", re.MULTILINE)
_LITERAL = re.compile(r"^Literal data: ([0-9]+) bytes$", re.MULTILINE)
_GONE = (23, 24)
"""Statuses of rsync when some of the files could not be read; the others came."""

T = TypeVar("T")


class RsyncDestination:
    """A folder at the other end of ``rsync+ssh://`` or ``rsync://``; implements ``destino.Destination``."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str] | None = None,
        puertos: Sequence[int] = (),
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """Paths and secrets of ``lugar`` are relative to the workspace ``folder``.

        ``environment``: where its secret is, if it is a variable (None: this process's own). ``puertos``: the call's
        alternatives (2873), tried in order where nobody takes the connection at the port of the address.
        ``connect_s``, ``stall_s``: limits for being let in, and without progress.
        """
        self._lugar = lugar
        self._folder = folder
        self._clock = clock
        self._environment = os.environ if environment is None else environment
        self._puertos = tuple(puertos)
        self._plazos = Plazos(connect_s, stall_s)
        self._ahead = AHEAD

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """As ``Destination``; the rate is ``caudal.share``, in whole KiB per second.

        Raises:
            RedError: also, a file of ``envio`` is not here; nothing was sent.
            AjustesError: the password of the daemon is not where the settings say.
        """
        _require(envio)

        def steps(entrada: Entrada, work: Path) -> Entregado:
            return self._steps(entrada, work, envio, caudal)

        return _through(self._door(), steps)

    def _door(self) -> Puerta:
        secret = self._lugar.secret(self._folder, self._environment)
        return puerta(self._lugar, self._folder, secret, self._puertos, self._plazos)

    def _steps(self, entrada: Entrada, work: Path, envio: Envio, caudal: Caudal) -> Entregado:
        # The sessions of later steps are opened while the first goes on, and wait there for their lists: of the 8 round
        # trips of a small step, 5 are saying hello. Nothing of a step is sent before the one before ended well.
        pasos = [paso for paso in envio.pasos if paso]
        archivos = size = 0
        ready: dict[int, _Session] = {}

        def opened(number: int) -> _Session:
            return self._usable(ready.pop(number, None)) or self._open(entrada, work, envio, caudal, number, pasos)

        try:
            for number, paso in enumerate(pasos):
                session = opened(number)
                session.give(paso)
                for later in range(number + 1, min(number + 1 + self._ahead, len(pasos))):
                    ready[later] = opened(later)
                self._keep_fresh(session, ready, opened)
                status, text = session.result()
                waits = iter(BUSY_WAITS_S)
                while status != 0 and OCUPADO.search(text) and (wait := next(waits, None)) is not None:
                    self._ahead = 0
                    _end(ready)
                    self._clock.sleep(wait)
                    session = opened(number)
                    session.give(paso)
                    status, text = session.result()
                if status != 0:
                    raise failure(self._lugar.sin_secretos, status, text)
                archivos += _number(_SENT, text)
                size += _number(_LITERAL, text)
        finally:
            _end(ready)
        return Entregado(archivos, size)

    def _keep_fresh(self, going: _Session, ready: dict[int, _Session], opened: Callable[[int], _Session]) -> None:
        """While a step goes on, open again the sessions that wait for theirs before they are too old to be used."""
        pause = self._warm / 3
        while ready and not going.process.ends_within(pause):
            for number, session in tuple(ready.items()):
                if not session.running:
                    continue  # Its turn will tell why.
                if self._clock.monotonic() - session.since + pause >= self._warm:
                    del ready[number]
                    session.end()
                    ready[number] = opened(number)

    @property
    def _warm(self) -> float:
        return min(WARM_S, self._plazos.stall * WARM_PART)

    def _usable(self, session: _Session | None) -> _Session | None:
        """A session opened before, if it can still be used; otherwise it is ended."""
        if session is None:
            return None
        if session.running and self._clock.monotonic() - session.since < self._warm:
            return session
        if OCUPADO.search(session.end()):
            self._ahead = max(0, self._ahead - 1)
        return None

    def _open(
        self, entrada: Entrada, work: Path, envio: Envio, caudal: Caudal, number: int, pasos: Sequence[Sequence[str]]
    ) -> _Session:
        targets = all(PurePosixPath(ruta).parts[0] == "targets" for ruta in pasos[number])
        rate = [] if caudal.share is None else [f"--bwlimit={max(1, caudal.share >> 10)}"]
        command = [
            *("rsync", "--times", "--files-from=-", "--from0", "--no-implied-dirs", "--omit-dir-times"),
            # No owner, group or mode of ours; a new file is readable as far as their umask lets.
            "--chmod=F644",
            *(BY_TIME if targets else BY_CONTENT),
            *rate,
            *("--stats", "--no-human-readable", f"--timeout={self._plazos.stall}"),
            *entrada.opciones,
            f"{envio.repositorio.absolute()}/",
            entrada.remoto,
        ]
        return _Session.start(command, work / f"paso-{number}.txt", entrada, self._clock.monotonic())


class RsyncAcuses:
    """A folder of acuses that an account or module may only read; implements ``destino.AcuseBox``."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        puertos: Sequence[int] = (),
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """As ``RsyncDestination``."""
        self._lugar = lugar
        self._folder = folder
        self._environment = os.environ if environment is None else environment
        self._puertos = tuple(puertos)
        self._plazos = Plazos(connect_s, stall_s)

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """As ``AcuseBox``; at most ``MAX_ACUSES`` at once. Everything has come before the first is given."""

        def fetch(entrada: Entrada, work: Path) -> list[tuple[str, bytes]]:
            names = self._names(entrada, work, known)
            return self._read(entrada, work, names) if names else []

        yield from _through(self._door(), fetch)

    def _door(self) -> Puerta:
        secret = self._lugar.secret(self._folder, self._environment)
        return puerta(self._lugar, self._folder, secret, self._puertos, self._plazos)

    def _names(self, entrada: Entrada, work: Path, known: Collection[str]) -> list[str]:
        command = ["rsync", "--list-only", "--no-human-readable", *self._common(entrada), entrada.remoto]
        session = _Session.start(command, work / "lista.txt", entrada, 0.0, limit=MAX_LIST)
        session.give(())
        status, text = session.result(whole=True)
        if status != 0:
            raise failure(self._lugar.sin_secretos, status, text)
        found = (match for line in text.splitlines() if (match := _LISTED.fullmatch(line)))
        names = {match[2] for match in found if int(match[1]) <= MAX_BYTES}
        return sorted(names.difference(known))[:MAX_ACUSES]

    def _read(self, entrada: Entrada, work: Path, names: list[str]) -> list[tuple[str, bytes]]:
        inside = work / "acuses"
        inside.mkdir()
        command = [
            # By filters and not by --files-from, which here would be an option of the other end's too.
            *("rsync", "--dirs", "--from0", "--include-from=-", "--exclude=*", f"--max-size={MAX_BYTES}"),
            *self._common(entrada),
            entrada.remoto,
            f"{inside}/",
        ]
        # Whatever the other end says of their sizes, none grows over the limit here.
        session = _Session.start(command, work / "acuses.txt", entrada, 0.0, limit=MAX_BYTES)
        session.give([f"/{name}" for name in names])
        status, text = session.result()
        read = [(name, data) for name in names if (data := _regular(inside / name)) is not None]
        if status != 0 and not (status in _GONE and read):
            raise failure(self._lugar.sin_secretos, status, text)
        return read

    def _common(self, entrada: Entrada) -> tuple[str, ...]:
        return (f"--timeout={self._plazos.stall}", *entrada.opciones)


@dataclass(frozen=True)
class _Session:
    """One running rsync that reads the names of its files, ended by NUL, from us."""

    process: Process
    since: float

    @classmethod
    def start(
        cls, command: Sequence[str], output: Path, entrada: Entrada, since: float, *, limit: int = OUTPUT_MAX
    ) -> _Session:
        output.unlink(missing_ok=True)  # of an attempt before
        process = start(
            command,
            output=output,
            environment=child_environment(output.parent),
            folder=output.parent,
            inherits=False,
            feeds=True,
            file_limit=limit,
        )
        return cls(process, since)

    @property
    def running(self) -> bool:
        return self.process.returncode() is None

    def give(self, names: Sequence[str]) -> None:
        self.process.feed(b"".join(os.fsencode(name) + b"\0" for name in names))

    def result(self, *, whole: bool = False) -> tuple[int, str]:
        """Exit status and what it printed (the end of it, or everything). Ended too if we are interrupted."""
        try:
            status = self.process.wait(None)  # rsync has its own limit: --timeout
        finally:
            self.process.stop()
        return status, self.process.tail(MAX_LIST if whole else 20_000)

    def end(self) -> str:
        """Stop it; what it had printed."""
        self.process.stop()
        return self.process.tail()


def _end(sessions: dict[int, _Session]) -> None:
    while sessions:
        sessions.popitem()[1].end()


def _through(door: Puerta, work_there: Callable[[Entrada, Path], T]) -> T:
    """``work_there`` by the first way in where somebody takes the connection; in a private folder, gone afterwards."""
    first: NadieContestaError | None = None
    with tempfile.TemporaryDirectory(prefix="pregon-rsync-") as name:
        work = Path(name)
        for way in door.entradas(work):
            try:
                with way as entrada:
                    return work_there(entrada, work)
            except NadieContestaError as exc:
                first = first or exc
    assert first is not None  # noqa: S101 # a door has one way in at least
    raise first


def _require(envio: Envio) -> None:
    """All that is to be sent is here: rsync would find out step by step, and pass over what is no regular file."""
    for paso in envio.pasos:
        for ruta in paso:
            problem = None
            if PurePosixPath(ruta).is_absolute() or ".." in PurePosixPath(ruta).parts:
                problem = "la ruta no es relativa y simple"
            else:
                try:
                    problem = None if stat.S_ISREG((envio.repositorio / ruta).lstat().st_mode) else "no es un archivo"
                except OSError as exc:
                    problem = razon(exc)
            if problem is not None:
                raise RedError(
                    f"No se pudo leer {ruta!r} en {envio.repositorio}: {problem}.",
                    intacto="No se envió nada: lo que hay allá sigue como estaba.",
                    que_hacer="Repita la entrega cuando nadie más escriba en el repositorio.",
                )


def _regular(path: Path) -> bytes | None:
    """The contents of a regular file that is not too long; None for anything else."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 # a descriptor
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                data = file.read(MAX_BYTES + 1)
                return data if len(data) <= MAX_BYTES else None
    return None


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.findall(text)
    return int(found[-1]) if found else 0
