"""The sweep: what is public is read again, all night, and compared with the manifests that were accepted.

Two looks, both from ``recibe``, between two looks at the source:

* At every pass, every name: kind, length, permissions, and whether it is still the very file that was hashed (inode
  and times). Finds at once what is missing, added, truncated, swapped for a link or open to others.
* In half an interval of the profile, every content: hashed whole again, and each twin decoded. Finds what was
  rewritten with the same length and a forged time. A file that had been hashed and whose inode or times moved goes
  first. A pass hashes only its share of the interval, so reception never waits for it.

Covered: the release that the pointer names (with the data and assets of earlier cuts that it carries, and the twins),
the stored contents of which the next release will be made, the pages espera and aviso and the server's own, the
pointer and its link. What is found is put right by ``reposicion``.
"""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING

from pregon.base.errors import DiscoError
from pregon.difusor import pointer
from pregon.difusor.gemelos import file_decodes_to
from pregon.difusor.integridad.propias import Propias
from pregon.difusor.integridad.reposicion import Hallazgo, Pieza, Reposicion
from pregon.difusor.integridad.sellos import WRITERS, at_sight, digest_of, file_of, lstat, seal, sha256_of
from pregon.difusor.release import folders, plan

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.integridad.sellos import Sello
    from pregon.difusor.publish import Publisher
    from pregon.difusor.release import Plan

CYCLE_PART = 0.5
"""Part of an interval in which every content is hashed once: the unluckiest file is found before a whole one."""

MIN_BYTES = 8 << 20
"""What a pass may hash however short it is: a small package is whole in one."""

SHARE = 0.1
"""Most of the real time that hashing may take. Only an accelerated night reaches it."""

LOOK_SHARE = 0.03
"""Most of the real time that looking at names may take: with very many of them, not every pass looks."""

_CONTENT = re.compile(r"[0-9a-f]{64}")
_STORED = "\0"
"""Before the name of what lies in the store: no path of a release has it."""


class Barrido:
    """The sweep of one workspace. One process at a time: the caller holds ``opera.lock``."""

    def __init__(self, publisher: Publisher, clock: Clock, *, minimo: int = MIN_BYTES) -> None:
        self.leidos = 0
        """Bytes hashed so far."""
        self._publisher = publisher
        self._workspace = publisher.workspace
        self._libro = publisher.libro
        self._clock = clock
        self._minimo = minimo
        self._reposicion = Reposicion(publisher)
        self._period_s = publisher.workspace.convocatoria.intervalo_min * 60 * CYCLE_PART
        self._own = Propias(publisher, clock)
        self._cut: Aceptado | None = None
        self._plan: Plan | None = None
        self._pieces: dict[str, Pieza] = {}
        self._twins: dict[str, Pieza] = {}
        self._twins_seen: set[str] = set()
        self._withdrawn: set[str] = set()
        self._originals: object = None
        self._seals: dict[tuple[int, int], Sello] = {}
        self._twin_hashes: dict[tuple[str, str], str] = {}
        self._turn: dict[str, float] = {}
        self._doubtful: dict[str, Pieza] = {}
        self._pending: deque[tuple[str, Pieza]] = deque()
        self._waiting: set[str] = set()
        self._hashed: set[tuple[int, int]] = set()
        self._found: list[Hallazgo] = []
        self._work: Generator[int] | None = None
        self._open = False
        self._began: float | None = None
        self._total = 0
        self._last = (clock.now().timestamp(), clock.monotonic())
        self._look_after = clock.monotonic()

    @property
    def vencido(self) -> bool:
        """Whether the last whole sweep, of this process or of one before, is older than it should be."""
        last = self._libro.barrido
        return last is None or abs((self._clock.now() - last).total_seconds()) >= self._period_s

    def step(self, *, whole: bool = False) -> int:
        """One pass of the sweep; how many things were found and dealt with. ``whole`` hashes everything now.

        Raises:
            DiscoError, EscrituraError: something could not be put right, for want of disk or permission.
        """
        found = self._own.check()
        cut = self._public_cut()
        if cut is None or not self._prepare(cut) or self._plan is None:
            return found
        if whole or self._clock.monotonic() >= self._look_after:
            self._look()
        self._begin(whole=whole)
        self._hash(whole=whole)
        wrong, self._found = list({each.path: each for each in reversed(self._found)}.values())[::-1], []
        if wrong:
            pieces = [*self._pieces.values(), *self._twins.values()]
            lost = self._reposicion.put_right(cut, self._plan, pieces, wrong, self._clock.now())
            # Their numbers may be given to other files.
            changed = {each.pieza.sha256 for each in wrong if each.pieza is not None}
            self._seals = {file: seal for file, seal in self._seals.items() if seal.sha256 not in changed}
            self._withdraw(cut, lost)
        return found + len(wrong)

    # What must be public.

    def _public_cut(self) -> Aceptado | None:
        name = self._publisher.mostrado or pointer.read(self._workspace)
        number = pointer.release_number(name or "")
        return next((cut for cut in self._libro.cortes() if cut.corte == number), None)

    def _prepare(self, cut: Aceptado) -> bool:
        """Have the list of what the release of ``cut`` holds; whether it can be had."""
        if self._cut is not None and self._cut.sha256 == cut.sha256:
            return True
        publisher = self._publisher
        try:
            own, raw = publisher.manifest(cut)
        except DiscoError as exc:
            if self._libro.anotar_intento(self._clock.now(), "fallo", exc.codigo, exc.que_paso):
                self._libro.evento("dañado", corte=cut.corte, codigo=exc.codigo, que_paso=exc.que_paso)
            return False
        older = []
        for past in publisher.visible(cut.corte):
            try:
                older.append(publisher.manifest(past)[0])
            except DiscoError:
                continue  # What only it listed can be verified by nothing: it is not public any more.
        sizes = {entry.sha256: entry.bytes for listed in (*older, own) for entry in listed.archivos}
        sizes[cut.sha256] = len(raw)
        what = plan(own, cut.sha256, older)
        root = publisher.releases.folder(cut.corte)
        self._cut, self._plan = cut, what
        self._pieces = {ruta: Pieza(root / ruta, sha, sizes[sha]) for ruta, sha in what.rutas.items()}
        self._twins = {ruta: Pieza(root / ruta, sha, sizes[sha], suffix) for ruta, sha, suffix in what.twin_paths()}
        self._twins_seen.clear()
        self._doubtful.clear()
        self._began, self._open = None, False  # The file that is being hashed goes on: it may be in this cut too.
        known = {what.rutas[ruta] for ruta in self._libro.retirados if ruta in what.rutas}
        self._withdrawn = {sha256 for sha256 in known if not publisher.store.intact(sha256)}
        self._withdraw(cut, set())
        return True

    # The look at every name.

    def _look(self) -> None:
        start = self._clock.monotonic()
        root = self._publisher.releases.folder(self._plan.corte if self._plan else 0)
        seen: set[str] = set()
        inner = set(folders(self._plan)) if self._plan else set()
        if root.is_symlink() or not root.is_dir():
            if os.path.lexists(root):
                self._found.append(Hallazgo(root, "enlace"))
        else:
            self._walk(root, inner, seen)
        for ruta, piece in self._pieces.items():
            if ruta not in seen and piece.sha256 not in self._withdrawn:
                self._found.append(Hallazgo(piece.path, "falta", piece))
        for ruta in self._twins_seen - seen:
            twin = self._twins[ruta]
            if twin.sha256 not in self._withdrawn:
                self._found.append(Hallazgo(twin.path, "falta", twin))
        self._twins_seen = {ruta for ruta in seen if ruta in self._twins}
        end = self._clock.monotonic()
        self._look_after = end + (end - start) * (1 / LOOK_SHARE - 1)

    def _walk(self, root: Path, inner: set[str], seen: set[str]) -> None:
        seals = self._seals
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            folder = root / prefix
            if folder.stat().st_mode & WRITERS:
                self._found.append(Hallazgo(folder, "permisos"))
            with os.scandir(folder) as entries:
                for entry in entries:
                    ruta = prefix + entry.name
                    if ruta in inner and entry.is_dir(follow_symlinks=False):
                        waiting.append(ruta + "/")
                        continue
                    piece = self._pieces.get(ruta) or self._twins.get(ruta)
                    if piece is None:
                        self._found.append(Hallazgo(root / ruta, "sobra"))
                        continue
                    seen.add(ruta)
                    status = entry.stat(follow_symlinks=False)
                    known = seals.get((status.st_dev, status.st_ino))
                    if known is not None and known.holds(piece, status):
                        continue
                    problem = at_sight(piece, status)
                    if problem is not None:
                        self._found.append(Hallazgo(piece.path, problem, piece))
                    elif ruta not in self._waiting:
                        self._doubtful[ruta] = piece

    # The hash of every content.

    def _begin(self, *, whole: bool) -> None:
        now = self._clock.now().timestamp()
        due = self._began is None or (not self._open and abs(now - self._began) >= self._period_s)
        if due or whole:
            self._began, self._open = now, True
            self._hashed.clear()
            store = self._publisher.store
            named = {piece.sha256: piece.bytes for piece in self._pieces.values()}
            rest = {sha: store.path(sha) for sha in store.stored() if sha not in named and _CONTENT.fullmatch(sha)}
            items = [*self._pieces.items(), *((ruta, self._twins[ruta]) for ruta in self._twins_seen)]
            items += [(_STORED + sha, Pieza(path, sha, path.lstat().st_size)) for sha, path in rest.items()]
            # Those that waited longest first: where cuts come faster than the sweep, none is passed over for ever.
            self._pending = deque(sorted(items, key=lambda item: (self._turn.get(item[0], 0.0), item[0])))
            self._waiting = {key for key, _ in items}
            self._doubtful.clear()
            self._turn = {key: self._turn.get(key, 0.0) for key in self._waiting}
            self._total = sum({piece.sha256 + piece.gemelo: piece.bytes for _, piece in items}.values())
        if self._withdrawn and (due or whole or self._originals != self._publisher.history.state(self._libro.cortes())):
            self._try_again()
        if self._work is None and (self._doubtful or self._pending):
            self._work = self._run()

    def _hash(self, *, whole: bool) -> None:
        now, start = self._clock.now().timestamp(), self._clock.monotonic()
        share = abs(now - self._last[0]) / self._period_s
        bytes_left = max(self._minimo, int(2 * self._total * share))
        until = start + SHARE * max(start - self._last[1], 0.1)
        self._last = (now, start)
        if self._work is not None:
            for count in self._work:
                self.leidos += count
                bytes_left -= count
                if not whole and (bytes_left <= 0 or self._clock.monotonic() > until):
                    return
        self._work = None
        if self._open:
            self._open = False
            self._seals = {file: seal for file, seal in self._seals.items() if file in self._hashed}
            self._libro.barrer(self._clock.now())

    def _run(self) -> Generator[int]:
        while self._doubtful or self._pending:
            if self._doubtful:
                key = next(iter(self._doubtful))
                piece = self._doubtful.pop(key)
            else:
                key, piece = self._pending.popleft()
                self._waiting.discard(key)
            yield from self._examine(key, piece)

    def _examine(self, key: str, piece: Pieza) -> Generator[int]:
        """Hash one file, unless it is under its seal and was hashed in this turn; note what is wrong."""
        status = lstat(piece.path)
        if status is None:
            return  # The look at the names tells it.
        file = file_of(status)
        if file not in self._hashed or self._seals.get(file) != seal(piece, status):
            digest, after = yield from digest_of(piece.path, status)
            if after is not None and (file_of(after), after.st_mtime_ns) != (file, status.st_mtime_ns):
                digest = None  # Somebody writes into it or swaps it this very moment: nobody of ours does.
            status = after or status
            right = digest is not None and self._right(key, piece, digest)
            if right is None:
                return  # Its content is wrong: it is judged when that is right again.
            problem = at_sight(piece, status) or (None if right else "contenido")
            before = self._seals.get(file)
            if problem is None and before and before[:3] == seal(piece, status)[:3]:
                problem = "fecha" if before.mtime_ns != status.st_mtime_ns else None
            if problem is not None:
                self._found.append(Hallazgo(piece.path, problem, piece))
                return
            self._seals[file] = seal(piece, status)
            self._hashed.add(file)
        self._turn[key] = self._began or 0.0
        if not key.startswith(_STORED):
            self._compare_with_stored(piece, file)

    def _right(self, key: str, piece: Pieza, digest: str) -> bool | None:
        """Whether a file of that digest is the piece; None where that cannot be known now."""
        if not piece.gemelo:
            return digest == piece.sha256
        name = (piece.sha256, piece.gemelo)
        if self._twin_hashes.get(name) == digest:
            return True
        plain = self._pieces.get(key.removesuffix(piece.gemelo))
        if plain is None or sha256_of(plain.path) != piece.sha256:
            return None
        try:
            right = file_decodes_to(piece.path, piece.gemelo, plain.path)
        except OSError:
            right = False
        if right:
            self._twin_hashes[name] = digest
        return right

    def _compare_with_stored(self, piece: Pieza, file: tuple[int, int]) -> None:
        """The content in the store, which is the same file as a rule, is looked at too where it is not."""
        path = self._publisher.store.path(piece.sha256, piece.gemelo)
        stored = Pieza(path, piece.sha256, piece.bytes, piece.gemelo)
        status = lstat(path)
        if status is None:
            self._found.append(Hallazgo(path, "falta", stored))
        elif file_of(status) != file and not piece.gemelo:
            self._pending.append((_STORED + piece.sha256, stored))

    # What could not be made again.

    def _withdraw(self, cut: Aceptado, lost: set[str]) -> None:
        """Remember what is withdrawn; its damaged originals go aside, and the source is asked for them again."""
        if self._plan is None:
            return
        self._withdrawn |= lost & set(self._plan.rutas.values())
        rutas = sorted(ruta for ruta, sha256 in self._plan.rutas.items() if sha256 in self._withdrawn)
        if tuple(rutas) != self._libro.retirados:
            self._libro.retirar(rutas)
        if lost:
            for each in (cut, *self._publisher.visible(cut.corte)):
                for name in self._publisher.history.set_aside_wrong(each):
                    self._libro.evento("dañado", corte=each.corte, archivo=name)
            self._libro.terminar(None)
        self._originals = self._publisher.history.state(self._libro.cortes())

    def _try_again(self) -> None:
        """Make again what is withdrawn, where its original is back."""
        publisher = self._publisher
        self._originals = publisher.history.state(self._libro.cortes())
        lost = publisher.history.remake(set(self._withdrawn), self._libro.cortes(), publisher.store)
        back = self._withdrawn - lost
        self._withdrawn = lost
        for piece in self._pieces.values():
            if piece.sha256 in back and not os.path.lexists(piece.path):
                self._found.append(Hallazgo(piece.path, "falta", piece))
        if back and self._cut is not None:
            self._withdraw(self._cut, set())
