"""``campeche``: the real cuts of 23:20 and 23:40 of 2021, when their files are at hand: how much the changes weigh."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cortes import corta, muestra_partes, parte_html
from bench.nacional import CAMBIOS_PAQUETE
from bench.procesos import RAIZ
from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import to_toml_text
from pregon.instituto.workspace import create
from pregon.simulacro.prepare import real_night

if TYPE_CHECKING:
    from bench.informe import Informe

DATOS = RAIZ.parent / "shared" / "datos"
_AUTORIZACIONES = RAIZ / "tests/instituto/autorizaciones-campeche.json"
_HORAS = ("2320", "2340")


def mide(informe: Informe, folder: Path, datos: Path) -> None:
    """Run it and print; where the files are absent, say so."""
    informe.titulo("campeche", "cortes reales de las 23:20 y las 23:40 de 2021")
    night = datos / "campeche-2021"
    if not night.is_dir():
        informe.nota(f"no se midió: falta {night}")
        return
    folder.mkdir()
    profile, plan = real_night(night)
    (folder / "convocatoria.toml").write_text(to_toml_text(profile), encoding="utf-8")
    espacio = folder / "instituto"
    clock = ManualClock(plan.cortes[0].hora)
    create(espacio, folder / "convocatoria.toml", ambiente="simulacro", clock=clock, disk=Disk())
    runs = []
    for cut in plan.cortes:
        if f"{cut.hora:%H%M}" in _HORAS:
            sources = [
                [None if path is None else str(path) for path in (one.actas, one.candidaturas, one.leeme)]
                for one in cut.fuentes
            ]
            runs.append(corta(espacio, cut.hora, sources, ultimo=cut.ultimo, autorizaciones=_AUTORIZACIONES))
    package, changes = Path(runs[-1].salida["paquete"]), Path(runs[-1].salida["cambios"])
    informe.cifra("cambios/paquete", changes.stat().st_size / package.stat().st_size, CAMBIOS_PAQUETE)
    informe.cifra("HTML en los bytes comprimidos", parte_html(package)[0], decimales=1, unidad=" %")
    muestra_partes(informe, package, changes)
    informe.segundos("los dos cortes, sin arranque", [run.trabajo for run in runs])
    shutil.rmtree(folder)
