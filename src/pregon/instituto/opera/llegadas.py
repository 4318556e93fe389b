"""The folder where the files of each cut arrive, written by the institute's own system whenever it will.

Taken as they come: always under the same names, with the hour in the name, or in a folder for each cut. A set is the
newest file of every election of the call that states the hour of the slot, all in one folder and all of one hour. It is
whole when nothing of it changed between two looks; what is read then is looked at again by the gate (``fuentes.read``
hashes a file before it reads it).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, PregonError
from pregon.base.razones import razon
from pregon.instituto.elecciones import identify
from pregon.instituto.fuentes import sources
from pregon.instituto.opera.programa import es_de
from pregon.prep.preambulo import parse_cut, read_preamble

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.monitor.modelo import Periodo

HEAD_BYTES = 64 << 10
"""What stands above the rows fits in a few thousand."""
MAX_FILES = 20_000
"""Looked at in one folder: a night of 72 cuts of four elections has some hundreds."""
MAX_FOLDERS = 1_000
_HALF_WRITTEN = (".part", ".parcial", ".tmp", ".filepart", ".crdownload")


@dataclass(frozen=True)
class Llegado:
    """One file of actas that is there: its election (contest id) and the hour that it states."""

    ruta: Path
    contienda: str
    hora: datetime
    marca: tuple[int, int]
    """Size and modification time, as the system gives them."""


@dataclass(frozen=True)
class Llegada:
    """What there is for a slot: the files of one hour, and the contests that are missing. ``quieta``: nobody writes."""

    hora: datetime | None
    archivos: tuple[Llegado, ...]
    faltan: tuple[str, ...]
    quieta: bool

    @property
    def lista(self) -> bool:
        """Whether a cut can be made of it."""
        return bool(self.archivos) and not self.faltan and self.quieta

    def fuentes(self) -> tuple[ContestSource, ...]:
        """The files with their catalogues, as ``build_cut`` wants them."""
        return sources([one.ruta for one in self.archivos])


@dataclass
class Llegadas:
    """The folder, between two looks. Files that did not change are not opened again."""

    folder: Path
    convocatoria: Convocatoria
    clock: Clock
    quieto_s: float
    _seen: dict[Path, tuple[tuple[int, int], Llegado | None]] = field(default_factory=dict)
    _still: tuple[tuple[Llegado, ...], float] = ((), 0.0)

    def mira(self, periodo: Periodo, *, despues: datetime | None) -> Llegada:
        """The newest set for ``periodo`` whose hour is after ``despues`` (that of the last signed cut).

        Where none is whole, the one that lacks least.

        Raises:
            EntradaError: the folder is not there, or cannot be read.
        """
        wanted = self.convocatoria.contiendas
        found: list[Llegada] = []
        for files in self._folders():
            fitting = [
                one
                for one in files
                if es_de(periodo, one.hora) and one.contienda in wanted and (despues is None or one.hora > despues)
            ]
            for hour in sorted({one.hora for one in fitting}):
                newest = {
                    one.contienda: one for one in sorted(fitting, key=lambda each: each.marca[1]) if one.hora == hour
                }
                chosen = tuple(newest[name] for name in wanted if name in newest)
                missing = tuple(name for name in wanted if name not in newest)
                found.append(Llegada(hour, chosen, missing, quieta=False))
        best = max(found, key=lambda one: (-len(one.faltan), one.hora), default=None)
        if best is None:
            return Llegada(None, (), wanted, quieta=False)
        return Llegada(best.hora, best.archivos, best.faltan, quieta=self._quiet(best.archivos))

    def _quiet(self, files: tuple[Llegado, ...]) -> bool:
        now = self.clock.monotonic()
        before, since = self._still
        if files != before:
            self._still = (files, now)
            return False
        return now - since >= self.quieto_s

    def _folders(self) -> Iterable[Sequence[Llegado]]:
        try:
            entries = sorted(self.folder.iterdir())
        except OSError as exc:
            raise EntradaError(
                f"No se puede leer la carpeta de llegadas {self.folder}: {razon(exc)}.",
                intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
                que_hacer="Revise «actas» de [opera] en instituto.toml, y que la carpeta exista y esta cuenta la lea.",
            ) from exc
        yield self._files(entries)
        for folder in [path for path in entries if path.is_dir() and not path.name.startswith(".")][-MAX_FOLDERS:]:
            with contextlib.suppress(OSError):  # One that is taken away meanwhile has nothing.
                yield self._files(sorted(folder.iterdir()))

    def _files(self, paths: Sequence[Path]) -> list[Llegado]:
        found = []
        for path in paths[:MAX_FILES]:
            name = path.name.lower()
            if name.startswith(".") or name.endswith(_HALF_WRITTEN) or not name.endswith((".csv", ".txt")):
                continue
            with contextlib.suppress(OSError):
                status = path.stat()
                mark = (status.st_size, status.st_mtime_ns)
                if self._seen.get(path, (None, None))[0] != mark:
                    self._seen[path] = (mark, _read(path, mark))
                one = self._seen[path][1]
                if one is not None:
                    found.append(one)
        return found


def _read(path: Path, mark: tuple[int, int]) -> Llegado | None:
    """What its first lines say; None where they are not those of a file of actas (yet)."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).decode("latin-1").removeprefix("\xef\xbb\xbf")
    with contextlib.suppress(PregonError):
        preamble = read_preamble(iter(head.splitlines(keepends=True)), path.name)
        hour = parse_cut(preamble.cut or "")
        if hour is not None:
            return Llegado(path, identify(path.name, preamble.titulo).eleccion.id, hour, mark)
    return None
