"""``nacional``: three elections of 171,000 actas, from CSV on disk to a signed package on disk, and the next cut."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cortes import corta, muestra_partes, parte_html
from bench.informe import MIB, Limite
from bench.noche import unidades
from bench.procesos import MUESTREO_S, cronometra

if TYPE_CHECKING:
    from bench.informe import Informe
    from bench.noche import Noche
    from bench.procesos import Corrida

PRIMERO_ZIP = Limite(maximo=2.5)
SIGUIENTE_PRIMERO = Limite(maximo=0.4)
CAMBIOS_PAQUETE = Limite(maximo=0.5)
MEMORIA_MIB = Limite(maximo=2048)
HTML_PARTE = Limite(maximo=15)
HTML_ARCHIVOS = Limite(maximo=3000)
NUEVAS = Limite(minimo=4.85, maximo=5.15)


def mide(informe: Informe, folder: Path, noche: Noche, rondas: int) -> None:
    """Run it and print."""
    folder.mkdir()
    hours = [f"{hora:%H:%M}" for hora in noche.horas]
    informe.titulo(
        "nacional",
        f"{len(noche.elecciones)} elecciones de {noche.casillas:,} actas, {unidades(noche.casillas)} distritos; "
        f"cortes de las {hours[0]} y las {hours[1]}",
    )
    # A round of its own for memory, not timed: sampling takes part of a core. It also leaves the tree for zip.
    memory = _round(folder / "memoria", noche, memoria=True)
    archives = [Path(run.salida["paquete"]) for run in memory]
    changes = Path(memory[1].salida["cambios"])
    tree = folder / "arbol"
    with zipfile.ZipFile(archives[0]) as opened:
        opened.extractall(tree)
        files = sum(1 for member in opened.infolist() if not member.is_dir())
    first: list[Corrida] = []
    second: list[Corrida] = []
    peer: list[float] = []
    for number in range(rondas):
        place = folder / f"ronda-{number}"
        espacio = noche.espacio(place)
        first.append(corta(espacio, noche.horas[0], noche.fuentes(0)))
        peer.append(cronometra(["zip", "-6", "-q", "-r", folder / "par.zip", "."], tree))
        (folder / "par.zip").unlink()
        second.append(corta(espacio, noche.horas[1], noche.fuentes(1)))
        shutil.rmtree(place)
    ours = [run.trabajo for run in first]
    following = [run.trabajo for run in second]
    informe.razon("primer corte / zip -6", ours, peer, PRIMERO_ZIP)
    informe.razon("primer corte con arranque / zip -6", [run.total for run in first], peer)
    informe.razon("corte siguiente / primero", following, ours, SIGUIENTE_PRIMERO)
    informe.cifra("actas nuevas en el siguiente", 100 * noche.nuevas, NUEVAS, unidad=" %")
    informe.cifra("renglones nuevos o cambiados", 100 * noche.cambiados, unidad=" %")
    for name, run in zip(("primer corte", "corte siguiente"), memory, strict=True):
        found = run.memoria
        if found is not None:
            informe.cifra(f"{name}: memoria, suma de PSS", found.pss / MIB, MEMORIA_MIB, decimales=0, unidad=" MiB")
            informe.cifra(f"{name}: memoria, mayor VmHWM", found.hwm / MIB, MEMORIA_MIB, decimales=0, unidad=" MiB")
            informe.nota(f"  (procesos a la vez: {found.procesos}; una muestra cada {MUESTREO_S * 1000:.0f} ms)")
    informe.cifra("cambios/paquete", changes.stat().st_size / archives[1].stat().st_size, CAMBIOS_PAQUETE)
    share, pages = parte_html(archives[0])
    informe.cifra("HTML en los bytes comprimidos", share, HTML_PARTE, decimales=1, unidad=" %")
    informe.cifra("HTML, archivos", pages, HTML_ARCHIVOS, decimales=0)
    informe.cifra("paquete del primer corte", archives[0].stat().st_size, decimales=0, unidad=" bytes")
    informe.cifra("cambios del siguiente", changes.stat().st_size, decimales=0, unidad=" bytes")
    informe.cifra("paquete, archivos", files, decimales=0)
    muestra_partes(informe, archives[1], changes)
    informe.segundos("primer corte", ours)
    informe.segundos("corte siguiente", following)
    informe.segundos("zip -6", peer)
    informe.segundos("arranque de Python e importaciones, aparte", [run.arranque for run in (*first, *second)])
    shutil.rmtree(folder)


def _round(place: Path, noche: Noche, *, memoria: bool) -> tuple[Corrida, Corrida]:
    espacio = noche.espacio(place)
    return (
        corta(espacio, noche.horas[0], noche.fuentes(0), memoria=memoria),
        corta(espacio, noche.horas[1], noche.fuentes(1), memoria=memoria),
    )
