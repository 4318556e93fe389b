"""The observations, kept: one file each round while its hour lasts, then one compressed file of JSON lines by hour.

::

    observaciones/
      20210606T20/000123.json        the rounds of the hour in course (UTC), each naming the SHA-256 of the one before
      20210606T20/<punto>-000077.json   the envelopes of other points that came in it, as they came
      20210606T19.jsonl.gz           an hour that ended: its files, one a line, in order of name

The SHA-256 of each closed hour is in the journal (``nota``, ``clase`` «observaciones»), so that whoever changes one
changes the journal too, whose chain shows it. Where they take more than they may, the oldest hours go, and that is
written in the journal as well.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.base import locks
from pregon.base.errors import DanadoError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import compact_json
from pregon.instituto.monitor import formas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Dictamen, Observacion, Vista
    from pregon.instituto.monitor.puntos import Sobre
    from pregon.instituto.workspace import Workspace

CARPETA = "observaciones"
FORMATO = "pregon/ronda/1"
CANDADO = ".candado"
CLAVE = "monitor"
"""Key of the state: the last round, the last number of an observation, the hash of the last file."""
HORA_MAX = 256 << 20
"""Bytes of an hour, expanded."""
MB = 1_000_000
_HORA = re.compile(r"[0-9]{8}T[0-9]{2}")
_NUMERO = re.compile(r"[0-9]{6}\.json")
_RONDA = b'{"formato":"' + FORMATO.encode() + b'"'
_CERRADA = re.compile(r"([0-9]{8}T[0-9]{2})\.jsonl\.gz")


@dataclass(frozen=True)
class Guardada:
    """One round as it is kept."""

    ronda: int
    hora: datetime
    vistas: tuple[Vista, ...]
    observaciones: tuple[Observacion, ...]
    dictamenes: tuple[Dictamen, ...]


class Almacen:
    """The observations of one workspace. One writer (who runs the rounds); anybody may read."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._disk = workspace.disk
        self._folder = workspace.folder / CARPETA
        self.ronda = 0
        self._n = 0
        self._before: str | None = None

    @contextlib.contextmanager
    def turno(self) -> Iterator[None]:
        """Hold the observations for one round, and know where the last one ended, whoever made it.

        Raises:
            InstanciaError: another process is at it.
        """
        self._disk.make_folder(self._folder, mode=0o750)
        with locks.exclusive(self._folder / CANDADO):
            known = self._workspace.state().get(CLAVE) or {"ronda": 0, "n": 0, "sha256": None}
            self.ronda, self._n, self._before = known["ronda"], known["n"], known["sha256"]
            yield

    def numera(self, seen: Sequence[Observacion]) -> tuple[Observacion, ...]:
        """The same with the numbers that evidence cites."""
        made = tuple(replace(one, n=self._n + place) for place, one in enumerate(seen, 1))
        self._n += len(seen)
        return made

    def guarda(self, one: Guardada, sobres: Sequence[tuple[str, Sobre]] = ()) -> str:
        """Keep a round and the envelopes that came with it (point, envelope); its SHA-256.

        Hours that ended are closed first.

        Raises:
            DiscoError, EscrituraError: nothing of this round counts as kept.
        """
        name = _hour(one.hora)
        self.cierra(antes=name)
        folder = self._folder / name
        self._disk.make_folder(folder)
        for punto, sobre in sobres:
            self._disk.write(folder / f"{punto}-{sobre.nombre[:6]}.json", sobre.data)
        data = compact_json(
            {
                "formato": FORMATO,
                "ronda": one.ronda,
                "hora": one.hora.isoformat(),
                "anterior": self._before,
                "vistas": [formas.de_vista(each) for each in one.vistas],
                "observaciones": [formas.de_observacion(each) for each in one.observaciones],
                "dictamenes": [formas.de_dictamen(each) for each in one.dictamenes],
            }
        )
        self._disk.write(folder / f"{one.ronda:06d}.json", data)
        self.ronda, self._before = one.ronda, sha256_bytes(data)
        self._workspace.state().put(**{CLAVE: {"ronda": one.ronda, "n": self._n, "sha256": self._before}})
        return self._before

    def cierra(self, *, antes: str) -> None:
        """Put each hour before ``antes`` into one compressed file, its hash in the journal; then keep to the size."""
        if not self._folder.is_dir():
            return
        closed = False
        for folder in sorted(self._folder.iterdir()):
            if not folder.is_dir() or _HORA.fullmatch(folder.name) is None or folder.name >= antes:
                continue
            files = sorted(path for path in folder.iterdir() if path.suffix == ".json")
            lines = [_line(path.read_bytes()) for path in files]
            packed = gzip.compress(b"".join(line + b"\n" for line in lines), 6, mtime=0)
            target = self._folder / f"{folder.name}.jsonl.gz"
            self._disk.write(target, packed)
            self._workspace.state().record(
                "nota",
                clase="observaciones",
                archivo=target.name,
                sha256=sha256_bytes(packed),
                lineas=len(lines),
                texto=f"Se cerró la hora de observaciones {folder.name}.",
            )
            self._disk.remove_tree(folder)
            closed = True
        if closed:
            self._fit()

    def _fit(self) -> None:
        limit = self._workspace.settings.monitor.guarda_mb * MB
        files = sorted(path for path in self._folder.iterdir() if _CERRADA.fullmatch(path.name))
        sizes = {path: path.stat().st_size for path in files}
        total = sum(sizes.values())
        for path in files[:-1]:
            if total <= limit:
                break
            self._workspace.state().record(
                "nota",
                clase="observaciones",
                archivo=path.name,
                sha256=sha256_bytes(path.read_bytes()),
                texto=f"Se retiró {path.name}: las observaciones pasaban de {limit // MB:,} MB.",
            )
            self._disk.remove_tree(path)
            total -= sizes[path]

    # Reading.

    def lee(self, desde: datetime, hasta: datetime, *, difusor: str | None = None) -> Iterator[Guardada]:
        """The rounds between two instants, in order; of one difusor where it is named.

        Raises:
            DanadoError: a file of them is not as it was written.
        """
        for data in self._lines(desde, hasta):
            try:
                table = json.loads(data)
                if table.get("formato") != FORMATO:
                    continue  # An envelope of another point: what it says is in the round in which it came.
                found = _guardada(table, difusor)
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as exc:
                raise _damaged(self._folder) from exc
            if desde <= found.hora <= hasta:
                yield found

    def dictadas(self, desde: datetime, hasta: datetime, *, tras: int = 0) -> Iterator[Guardada]:
        """The rounds numbered above ``tras`` between two instants, in order, without their observations: what was said
        of each difusor. Of an hour in course, files of before are not read again. Raises as ``lee``.
        """
        for data in self._lines(desde, hasta, tras=tras):
            if not data.startswith(_RONDA):
                continue
            try:
                table = json.loads(data)
                if table["ronda"] <= tras:
                    continue
                found = _guardada({**table, "observaciones": ()}, None)
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as exc:
                raise _damaged(self._folder) from exc
            if desde <= found.hora <= hasta:
                yield found

    def citadas(self, numeros: Collection[int], desde: datetime, hasta: datetime) -> dict[int, Observacion]:
        """The observations of those numbers: what an evidence cites."""
        wanted = set(numeros)
        return {one.n: one for each in self.lee(desde, hasta) for one in each.observaciones if one.n in wanted}

    def archivos(self) -> tuple[Path, ...]:
        """The closed hours, oldest first."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(path for path in self._folder.iterdir() if _CERRADA.fullmatch(path.name)))

    def _lines(self, desde: datetime, hasta: datetime, *, tras: int = 0) -> Iterator[bytes]:
        if not self._folder.is_dir():
            return
        first, last = _hour(desde), _hour(hasta)
        names = {path.name[:11] for path in self._folder.iterdir() if _HORA.fullmatch(path.name[:11])}
        for name in sorted(one for one in names if first <= one <= last):
            packed, folder = self._folder / f"{name}.jsonl.gz", self._folder / name
            if packed.is_file():
                try:
                    with gzip.open(packed) as file:
                        data = file.read(HORA_MAX + 1)
                except (OSError, EOFError) as exc:
                    raise _damaged(packed) from exc
                yield from data.splitlines()
            else:
                known = f"{tras:06d}.json"
                for path in sorted(folder.glob("*.json")):
                    if path.name > known or _NUMERO.fullmatch(path.name) is None:
                        yield path.read_bytes()


def _guardada(table: Any, difusor: str | None) -> Guardada:
    def mine(one: Any) -> bool:
        return difusor is None or one["difusor"] == difusor

    return Guardada(
        ronda=table["ronda"],
        hora=datetime.fromisoformat(table["hora"]),
        vistas=tuple(formas.a_vista(one) for one in table["vistas"]),
        observaciones=tuple(formas.a_observacion(one) for one in table["observaciones"] if mine(one)),
        dictamenes=tuple(formas.a_dictamen(one) for one in table["dictamenes"] if mine(one)),
    )


def _line(data: bytes) -> bytes:
    """One file in one line: an envelope of another point is written in several, and none of its texts holds an end."""
    return data.rstrip(b"\n").replace(b"\n", b"")


def _hour(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H}"


def _damaged(path: Path) -> DanadoError:
    return DanadoError(
        f"Las observaciones de {path} están dañadas.",
        intacto="Lo publicado y lo firmado siguen como estaban.",
        que_hacer="Compare el archivo con su SHA-256 en la bitácora («pregon instituto bitacora») y use el respaldo.",
    )
