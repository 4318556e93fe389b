"""What travels between two real cuts of the night of Campeche: little, and nothing that did not change."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.hashing import sha256_bytes
from pregon.instituto.autorizaciones import load
from pregon.instituto.build import build_cut
from pregon.prep.reader import read_actas
from tests.instituto.conftest import AUTORIZACIONES, CAMPECHE, INICIO, Night, campeche_sources

if TYPE_CHECKING:
    from pathlib import Path

MOST = 0.5
"""Of the whole archive, what the archive of changes may weigh from 23:20 to 23:40, the fullest of the night."""


@pytest.mark.datos
def test_changes_of_a_full_hour_are_half_of_the_whole_and_quiet_units_stay_as_they_were(
    datos: Path, tmp_path: Path
) -> None:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)), "simulacro", elecciones=CAMPECHE)
    space = night.create()
    built = []
    for cut in ("20210606_2320", "20210606_2340"):
        sources = campeche_sources(datos, cut)
        night.clock.instant = read_actas(sources[0].actas).hora_corte + timedelta(seconds=30)
        built.append(build_cut(space, sources, autorizaciones=load(AUTORIZACIONES)))
    second = built[-1]
    assert second.cambios is not None
    assert second.cambios.bytes <= MOST * second.paquete.bytes
    before, now = ({entry.ruta: entry.sha256 for entry in cut.manifest.archivos} for cut in built)
    with zipfile.ZipFile(second.carpeta / second.cambios.nombre) as archive:
        brought = {sha256_bytes(archive.read(name)) for name in archive.namelist()}
    assert not brought & set(before.values())
    quiet = []
    for ruta, sha256 in before.items():
        _, _, contest, level, *rest = (*ruta.split("/"), "", "", "")
        if level in ("distrito", "municipio") and now[ruta.replace("datos/0001/", "datos/0002/")] == sha256:
            page = f"{contest}/{level}-{rest[0].removesuffix('.json')}/index.html"
            assert before[page] == now[page], page
            quiet.append(page)
    assert quiet
    assert any(before[ruta] != now[ruta] for ruta in before if ruta.endswith("index.html") and "-" in ruta)
