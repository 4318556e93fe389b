"""Reads what a rehearsal leaves in its folder, while it happens. It writes nothing, and nobody waits for it.

What must be on screen at once (the journal of faults, pointers, acuses, the clock, what is signed) is looked at several
times a second, by names and dates of files; what a difusor notes in its state, once a second. What cannot be read is
told in ``faltan``, what was known of it stays, and it is tried again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pregon.base import esquema
from pregon.base.clock import SimulatedClock, SystemClock
from pregon.base.errors import PregonError
from pregon.base.state import LATERALES, version
from pregon.difusor import pointer
from pregon.difusor.acuse import files_in
from pregon.difusor.libro import Libro
from pregon.difusor.nube.estado import estados
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.workspace import AJUSTES, open_workspace
from pregon.simulacro.fallas.diario import Diario
from pregon.simulacro.institute import Post
from pregon.simulacro.vivo import encargo as papeles
from pregon.simulacro.vivo.modelo import AcuseLeido, Dicho, DifusorLeido, Leido
from pregon.trust.acuse import MAX_BYTES, load_public_key, read_acuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.clock import Clock
    from pregon.base.state import StateDatabase
    from pregon.difusor.workspace import Workspace
    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.result import SignedCut
    from pregon.simulacro.vivo.encargo import Encargo

DIARIO: Final = "fallas.sqlite"
DESPACIO_S: Final = 1.0
"""Between two looks at what each difusor notes in its state: it is opened for each, and there are twenty of them."""
_RECHAZOS: Final = frozenset({"rechazado", "fallo"})
"""Events of a difusor that carry the code of what went wrong."""


class Lector:
    """The folder of one night, read again and again by one thread."""

    def __init__(self, folder: Path, *, real: Clock | None = None) -> None:
        """Read ``vivo.json``; nothing else need be there yet.

        Raises:
            EntradaError, DanadoError: as ``encargo.lee``.
        """
        self._post = Post(folder)
        self._real = real or SystemClock()
        self._diary: Diario | None = None
        self._diary_seen: Any = None
        self._signed_seen: Any = None
        self._missing: dict[str, str] = {}
        encargo = papeles.lee(folder)
        self._difusores = [_Difusor(name, folder / name) for name in encargo.difusores]
        self._slow_at = float("-inf")
        self._leido = Leido(encargo, difusores=tuple(one.leido for one in self._difusores))

    @property
    def encargo(self) -> Encargo:
        """What was planned."""
        return self._leido.encargo

    @property
    def reloj(self) -> SimulatedClock | None:
        """The clock of the rehearsal as it goes now; None before it was set."""
        try:
            return SimulatedClock.load(self._post.reloj)
        except PregonError:
            return None

    def lee(self, *, todo: bool = False) -> Leido:
        """What the folder says now. ``todo``: also what is not looked at each time."""
        now = self._real.now()
        slow = todo or self._real.monotonic() - self._slow_at >= DESPACIO_S
        if slow:
            self._slow_at = self._real.monotonic()
        clock = self.reloj
        known = self._leido
        signed = self._try("lo firmado", self._signed, known.firmados)
        happened = self._try("el diario de fallas", self._happened, known.ocurridas)
        for one in self._difusores:
            self._try(f"{one.id}", lambda one=one: one.mira(now, despacio=slow), None)  # type: ignore[misc]
        result = self._try("el resultado", lambda: papeles.resultado(self._post.folder), known.resultado)
        self._leido = replace(
            known,
            ahora=None if clock is None else clock.now(),
            firmados=signed,
            ocurridas=happened,
            difusores=tuple(one.leido for one in self._difusores),
            resultado=result,
            faltan=tuple(f"{what}: {why}" for what, why in sorted(self._missing.items())),
        )
        return self._leido

    def _try(self, what: str, read: Callable[[], Any], known: Any) -> Any:
        try:
            found = read()
        except PregonError as exc:
            self._missing[what] = exc.que_paso
        except (OSError, ValueError, KeyError, TypeError) as exc:
            # A file of the night that is not whole yet, or no more: the next look decides.
            self._missing[what] = f"{type(exc).__name__}: {exc}"
        else:
            self._missing.pop(what, None)
            return found
        return known

    def _signed(self) -> tuple[SignedCut, ...]:
        seen = _sello(self._post.firmados)
        if seen != self._signed_seen:
            found = self._post.signed()
            self._signed_seen = seen
            return found
        return self._leido.firmados

    def _happened(self) -> tuple[Ocurrida, ...]:
        path = self._post.folder / DIARIO
        if not self.encargo.fallas or not path.exists():
            return ()
        seen = (_sello(path), *(_sello(path.with_name(path.name + side)) for side in LATERALES))
        if seen == self._diary_seen:
            return self._leido.ocurridas
        if self._diary is None:
            if version(path) != esquema.VERSION:
                return ()  # It is being made: whoever writes it gives it its shape, not we.
            self._diary = Diario(path, self._real)
        found = self._diary.ocurridas(self.encargo.fallas)
        self._diary_seen = seen
        return found


class _Difusor:
    """One difusor of the night, by the files of its workspace."""

    def __init__(self, ident: str, folder: Path) -> None:
        self.id = ident
        self.leido = DifusorLeido(ident)
        self._folder = folder
        self._workspace: Workspace | None = None
        self._key: Key | None = None
        self._state: StateDatabase | None = None
        self._after = 0
        self._acuses: dict[str, AcuseLeido] = {}
        self._dichos: list[Dicho] = []

    def mira(self, now: datetime, *, despacio: bool) -> None:
        """Look again; ``despacio``: also at what it notes in its state. ``now``: the machine's hour."""
        if self._workspace is None:
            if not (self._folder / AJUSTES).exists():
                return  # It is being made; its settings are written last.
            self._workspace = open_workspace(self._folder)
            self._key = load_public_key(self._folder / "llaves" / "acuse.pub.pem")
        self._read_acuses()
        if despacio:
            self._read_state(now)
        self.leido = DifusorLeido(
            self.id,
            public_url(self._workspace) or self.leido.url,  # Who stopped serving is still found at the same place.
            pointer.read(self._workspace),
            tuple(self._acuses.values()),
            tuple(self._dichos),
        )

    def _read_acuses(self) -> None:
        if self._workspace is None or self._key is None:
            return
        for path in files_in(self._workspace.acuses):
            if path.name in self._acuses:
                continue
            with path.open("rb") as file:
                acuse = read_acuse(file.read(MAX_BYTES + 1), self._key)
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            self._acuses[path.name] = AcuseLeido(acuse.corte, acuse.evento, acuse.codigo, written)

    def _read_state(self, now: datetime) -> None:
        workspace = self._workspace
        if workspace is None:
            return
        if self._state is None:
            if not workspace.estado.exists() or version(workspace.estado) != esquema.VERSION:
                return
            self._state = workspace.open_state(workspace.open_clock())
        told = set()
        for event in self._state.events(after=self._after):
            self._after = event.n
            if event.tipo in _RECHAZOS and event.dato.get("codigo"):
                told.add(str(event.dato["codigo"]))
        book = Libro(self._state, solo=False)
        # The same refusal again is no event: that it goes on is what it says of its last attempt.
        attempt = book.intento
        if attempt is not None and attempt["codigo"]:
            told.add(str(attempt["codigo"]))
        if workspace.settings.nube:
            told.update(one.error.codigo for one in estados(workspace, book) if one.error is not None)
        self._says(told, now)

    def _says(self, codes: set[str], now: datetime) -> None:
        """Keep since when and until when each code was said: one that is said again at the next look goes on."""
        going = {one.codigo: place for place, one in enumerate(self._dichos) if _goes_on(one, now)}
        for code in sorted(codes):
            if code in going:
                self._dichos[going[code]] = replace(self._dichos[going[code]], hasta=now)
            else:
                self._dichos.append(Dicho(code, now, now))


def _goes_on(one: Dicho, now: datetime) -> bool:
    return (now - one.hasta).total_seconds() <= 3 * DESPACIO_S


def _sello(path: Path) -> tuple[int, int] | None:
    """What tells that a file is another one than before; None where it is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
