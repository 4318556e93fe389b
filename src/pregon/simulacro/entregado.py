"""What the cuts of a night really came by and in, read afterwards from what is there: servers' logs, received files.

A door says by which carrier a difusor should be served; the log of the server behind it says whether anything came that
way. A profile says in what a cut is packed and which formats it has; the originals that the difusor keeps say what it
got. Where the two differ, the night did not rehearse its call.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pregon.paquete.names import CAMBIOS, SIETE, SUMAS, ZIP
from pregon.paquete.reading import EXTENSIONES, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.convocatoria.secciones import Paquete
    from pregon.paquete.fuente import Member
    from pregon.simulacro.result import DifusorResult

_POR_SSH = ("sshd.log", re.compile(rb"Starting session: (?:forced-command|subsystem)"))
REGISTROS: Mapping[str, tuple[str, re.Pattern[bytes]]] = {
    "scp": _POR_SSH,
    "sftp": _POR_SSH,
    "rsync+ssh": _POR_SSH,
    "rsync": ("rsyncd.log", re.compile(rb"rsync (?:to|on) \S*entrada/")),
    "https": ("../almacen/accesos.log", re.compile(rb'"uri":"/targets/cortes/')),
}
"""By scheme: the log of the server that a door opened, from the difusor's own folder of carriers, and a visit in it."""
_FORMATOS = {".html": "html", ".json": "json", ".csv": "csv", ".js": "js", ".txt": "txt"}


@dataclass(frozen=True)
class Entregado:
    """How the cuts came to one difusor.

    ``sesiones``: how often its carrier's server was used, by that server's own log; None where a carrier is a folder
    and has no server. ``archivos``: kinds of the whole packages that it got (zip, 7z). ``contenido``: the formats in
    the first of them, as the profiles name them; «hash» is the list of SHA-256.
    """

    difusor: str
    transporte: str
    sesiones: int | None
    archivos: tuple[str, ...]
    contenido: tuple[str, ...]

    def cumple(self, pedido: Paquete) -> bool:
        """Whether the carrier was used, the packages are of the kind asked for and have every format asked for."""
        used = self.sesiones is None or self.sesiones > 0
        return used and self.archivos == (pedido.archivo,) and set(pedido.formatos) <= set(self.contenido)

    def to_json(self) -> dict[str, Any]:
        """A row of ``entregas`` of ``simulacro --json``."""
        return {**vars(self), "archivos": list(self.archivos), "contenido": list(self.contenido)}


def lee(difusor: DifusorResult, historico: Path, portadores: Path) -> Entregado:
    """What is there of one difusor: its originals, and the logs that its carrier's servers wrote in ``portadores``.

    Raises:
        ArchivoError: an original is no archive that is admitted.
    """
    whole = [path for path in sorted(historico.glob("[0-9]*/*")) if _is_whole(path)]
    kinds = sorted({SIETE.strip(".") if path.name.endswith(SIETE) else ZIP.strip(".") for path in whole})
    found = sorted(set(_formats(members(whole[0])))) if whole else []
    visits = _sessions(difusor.transporte, portadores / difusor.id)
    return Entregado(difusor.id, difusor.transporte, visits, tuple(kinds), tuple(found))


def _is_whole(path: Path) -> bool:
    return path.name.endswith(EXTENSIONES) and not path.name.endswith(CAMBIOS)


def _sessions(scheme: str, folder: Path) -> int | None:
    if scheme not in REGISTROS:
        return None
    name, visit = REGISTROS[scheme]
    path = folder.parent / name.removeprefix("../") if name.startswith("../") else folder / name
    return len(visit.findall(path.read_bytes())) if path.is_file() else 0


def _formats(found: Iterator[Member]) -> Iterator[str]:
    looked = False
    for member in found:
        path = PurePosixPath(member.ruta)
        if path.name == SUMAS:
            yield "hash"
        elif path.suffix in _FORMATOS:
            yield _FORMATOS[path.suffix]
        elif path.suffix == ZIP and not looked:
            # The database of an election travels as a zip of its own.
            looked = True
            with zipfile.ZipFile(io.BytesIO(b"".join(member.open()))) as inner:
                yield from _named(inner.namelist())


def _named(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if PurePosixPath(name).suffix in _FORMATOS:
            yield _FORMATOS[PurePosixPath(name).suffix]
