"""Packages of the size that the calls foresee, made by the institute's own code and signed by its repository.

A federal file averages 40 MB (INE-II-a-ii-3b); a local one has from 40 to 550 (GRO-2.2c). Ours of 40 MB is a whole
national cut of fewer actas. The one of 550 MB is that same tree with what swells such packages: the images of actas
and some scanned papers, which no compressor makes smaller.
"""

from __future__ import annotations

import random
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cortes import corta
from bench.noche import NACIONAL, SEMILLA
from pregon.base.clock import ManualClock, SimulatedClock
from pregon.base.durable import Disk
from pregon.difusor.inicia import create as create_difusor
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.instituto.workspace import create as create_institute
from pregon.paquete.cut import RESUMEN, stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.names import SUMAS
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from bench.noche import Noche

CASILLAS_40MB = 73_000
"""Actas of each of the three elections of the package of about 40 MB."""
IMAGENES, IMAGEN_BYTES = 3_000, 150_000
"""Images of actas (``.jpg``: stored) of the package of about 550 MB, and how long each is, give or take a half."""
OFICIOS, OFICIO_BYTES = 60, 1_000_000
"""Scanned papers (``.pdf``: deflated, in vain)."""


@dataclass(frozen=True)
class Instituto:
    """A workspace of an institute and its signed cuts so far: the whole archive of each."""

    folder: Path
    noche: Noche
    paquetes: tuple[Path, ...] = ()

    @classmethod
    def nuevo(cls, folder: Path, noche: Noche) -> Instituto:
        """An institute in the ambiente «simulacro»: its difusores may have the clock of the night."""
        create_institute(folder, noche.perfil, ambiente="simulacro", clock=ManualClock(noche.horas[0]), disk=Disk())
        return cls(folder, noche)

    def corte(self) -> Instituto:
        """With the next cut of the night."""
        number = len(self.paquetes)
        run = corta(self.folder, self.noche.horas[number], self.noche.fuentes(number))
        return Instituto(self.folder, self.noche, (*self.paquetes, Path(run.salida["paquete"])))

    def firma(self, tree: PackageTree) -> Instituto:
        """With one more cut: whatever ``tree`` holds."""
        hour = self.noche.horas[len(self.paquetes)]
        workspace = open_workspace(self.folder, clock=ManualClock(hour))
        call, number = workspace.convocatoria, len(self.paquetes) + 1
        with workspace.held() as repository:
            folder, name = repository.cut_folder(number), stamped_name(hour, "PREP_IMAGENES")
            head = ManifestHead(
                convocatoria=call.id,
                instituto=call.instituto,
                ambiente="simulacro",
                elecciones=tuple(call.elecciones),
                corte=number,
                hora_corte=hour,
                generado=hour,
                proximo=hour + workspace.intervalo,
            )
            write_cut(folder, tree, head, repository.last_manifest(), name)
            repository.publish_cut(
                number,
                now=hour,
                expira=workspace.online_until(hour),
                siguiente=hour + workspace.intervalo,
                intervalo=workspace.intervalo,
            )
        return Instituto(self.folder, self.noche, (*self.paquetes, folder / f"{name}.zip"))

    def difusor(self, folder: Path) -> Path:
        """A new difusor that reads this institute's repository, at an hour when what it accepts is public at once."""
        clock = folder.with_name(f"{folder.name}.reloj.json")
        clock.write_bytes(SimulatedClock.start(self.noche.horas[-1] + timedelta(minutes=1), 1).dump())
        toml = (
            f'convocatoria = "{self.noche.perfil}"\nambiente = "simulacro"\nid = "prueba"\n'
            f'origen = "{self.folder / "repositorio"}"\n[reloj]\nfuente = "simulado"\nsimulado = "{clock}"\n'
        )
        create_difusor(folder, toml, root=(self.folder / RAIZ).read_bytes(), disk=Disk())
        return folder


def con_imagenes(paquete: Path, casillas: int) -> PackageTree:
    """The tree of ``paquete`` and what is heavy beside it; fewer of it for a rehearsal. The same each time."""
    tree = PackageTree()
    with zipfile.ZipFile(paquete) as archive:
        for name in archive.namelist():
            if name not in (RESUMEN, SUMAS):
                tree.add(name, archive.read(name))
    chance = random.Random(SEMILLA)  # noqa: S311 (bytes that must be the same each time)
    share = min(1.0, casillas / NACIONAL)
    for number in range(max(3, int(IMAGENES * share))):
        size = chance.randint(IMAGEN_BYTES // 2, 3 * IMAGEN_BYTES // 2)
        tree.add(f"actas/{number // 300:02d}/{number:06d}.jpg", chance.randbytes(size))
    for number in range(max(1, int(OFICIOS * share))):
        tree.add(f"oficios/{number:03d}.pdf", chance.randbytes(OFICIO_BYTES))
    return tree
