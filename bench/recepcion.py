"""``recepcion``: from the repository to public, against a script with ``sha256sum``, ``unzip`` and ``sync -f``.

Verify, unpack to objects, the twins of a first sight, link the release, one ``syncfs``, switch the pointer: a whole new
process each time, like the script. ``corte 2`` is the next national cut by its archive of changes; the script, the
whole package. A difusor is there all night: that cut is timed from the pass that finds it; the process, recovery
included, beside it.

Nothing is deleted between rounds: an ext4 without journal is slow to make files for some minutes after many were
deleted, and the side that makes more of them would pay for it. Files are emptied instead.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cortes import composicion
from bench.informe import MIB, Limite
from bench.noche import NACIONAL, haz
from bench.paquetes import CASILLAS_40MB, Instituto, con_imagenes
from bench.procesos import corre

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.informe import Informe
    from bench.noche import Noche

RECIBIR = Limite(maximo=1.0)
SIGUIENTE = Limite(maximo=0.4)
MEMORIA_MIB = Limite(maximo=200)
RONDAS = 7
_LEAST = 1024
"""Files of up to so many bytes are left as they are."""
_GUION = """set -e
sha256sum -c --quiet "$1"
unzip -q "$2" -d "$3"
sync -f "$3"
"""


@dataclass
class _Tiempos:
    """Seconds of every round, of the wall clock and of processor, until the cut was public or the script ended."""

    reloj: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    pasada: list[float] = field(default_factory=list)
    """Ours, from the pass that finds the cut."""

    def suma(self, reloj: float, cpu: float, pasada: float = 0.0) -> None:
        self.reloj.append(reloj)
        self.cpu.append(cpu)
        self.pasada.append(pasada)


def mide(informe: Informe, folder: Path, nacional: Noche, rondas: int) -> None:
    """Run it and print; ``nacional`` is the night whose two cuts are the national pair."""
    folder.mkdir()
    informe.titulo("recepcion", "del repositorio a publicado, contra sha256sum + unzip + sync -f")
    casillas = max(100, CASILLAS_40MB * nacional.casillas // NACIONAL)
    small = haz(folder / "noche", casillas, nacional.elecciones)
    one = Instituto.nuevo(folder / "instituto-40", small).corte()
    _primero(informe, folder / "40", "paquete de 40 MB", one, rondas)
    heavy = Instituto.nuevo(folder / "instituto-550", small)
    heavy = heavy.firma(con_imagenes(one.paquetes[0], nacional.casillas))
    _primero(informe, folder / "550", "paquete de 550 MB", heavy, rondas)
    _segundo(informe, folder / "par", nacional, rondas)
    shutil.rmtree(folder)


def _primero(informe: Informe, folder: Path, name: str, institute: Instituto, rondas: int) -> None:
    """A package received by a new difusor, as its first cut."""
    _describe(informe, name, institute.paquetes[0])

    def fresh(number: int) -> Path:
        return institute.difusor(folder / f"difusor-{number}")

    folder.mkdir()
    _compara(informe, folder, name, institute.paquetes[0], fresh, rondas)


def _segundo(informe: Informe, folder: Path, noche: Noche, rondas: int) -> None:
    """The second cut of the national pair, by a difusor that has the first."""
    folder.mkdir()
    institute = Instituto.nuevo(folder / "instituto", noche).corte()
    before = institute.difusor(folder / "antes")
    corre("bench.hijos.recibe", before, "--completo")
    institute = institute.corte()
    name = "corte 2 nacional, por cambios"
    _describe(informe, name, institute.paquetes[1])

    def again(number: int) -> Path:
        place = folder / f"difusor-{number}"
        subprocess.run(["cp", "-a", before, place], check=True)
        return place

    _compara(informe, folder, name, institute.paquetes[1], again, rondas, siguiente=True)


def _compara(
    informe: Informe,
    folder: Path,
    name: str,
    archive: Path,
    difusor: Callable[[int], Path],
    rondas: int,
    *,
    siguiente: bool = False,
) -> None:
    """Rounds in turn; what is prepared for each, and what others left to be written, is on disk before its clock."""
    ours, peer = _Tiempos(), _Tiempos()
    sums = folder / "SUMA"
    with archive.open("rb") as file:
        sums.write_text(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {archive}\n", encoding="utf-8")
    for number in range(rondas):
        place, tree = difusor(number), folder / f"arbol-{number}"
        os.sync()
        ours.suma(*_recibe(place))
        os.sync()
        peer.suma(*_guion(sums, archive, tree))
        _vacia(place)
        _vacia(tree)
    if siguiente:
        informe.razon(f"{name} / guion", ours.pasada, peer.reloj, SIGUIENTE)
        informe.razon(f"{name}, con arranque / guion", ours.reloj, peer.reloj)
    else:
        informe.razon(f"{name} / guion", ours.reloj, peer.reloj, RECIBIR)
    informe.razon(f"{name} / guion, procesador", ours.cpu, peer.cpu)
    place = difusor(rondas)
    whole = corre("bench.hijos.recibe", place, "--completo", memoria=True)
    if whole.memoria is not None:
        informe.cifra(f"{name}: suma de PSS", whole.memoria.pss / MIB, MEMORIA_MIB, decimales=0, unidad=" MiB")
    _vacia(place)
    informe.segundos(name, ours.reloj)
    if siguiente:
        informe.segundos("  desde la pasada que lo encuentra", ours.pasada)
    informe.segundos("  de procesador", ours.cpu)
    informe.segundos("  guion", peer.reloj)
    informe.segundos("  guion, de procesador", peer.cpu)
    informe.segundos("  con las demás copias, hechas ya en público", [whole.total])


def _recibe(difusor: Path) -> tuple[float, float, float]:
    """Seconds from the start of the process until the cut was public; processor seconds; seconds of the pass alone."""
    run = corre("bench.hijos.recibe", difusor)
    seen = run.salida
    return seen["publico"] - run.inicio, seen["publico_cpu"], seen["publico"] - seen["abierto"]


def _guion(sums: Path, archive: Path, tree: Path) -> tuple[float, float]:
    """Seconds, and processor seconds, of what a careful shell script does today."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(["sh", "-c", _GUION, "sh", sums, archive, tree], check=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _vacia(tree: Path) -> None:
    """Give back the disk that the files of ``tree`` take, without deleting them."""
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size > _LEAST:
            path.chmod(0o600)
            os.truncate(path, 0)


def _describe(informe: Informe, name: str, archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        plain = sum(member.file_size for member in opened.infolist())
    informe.nota(f"{name}: {archive.stat().st_size:,} bytes; abierto, {plain:,}")
    for kind, part in composicion(archive).items():
        informe.nota(f"  {kind:<24} {part.archivos:>7,} archivos  {part.bytes:>14,} bytes")
