"""An institute of two contests on small files, and the real night of Campeche 2021."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.instituto import fuentes, workspace
from pregon.instituto.autorizaciones import load
from pregon.instituto.build import BuiltCut, build_cut
from pregon.prep.percent import trunc4
from tests.instituto.navegador import chromium, serving
from tests.prep.muestras import SUMMARY, Sample, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Ambiente

ZONA = ZoneInfo("America/Mexico_City")
INICIO = datetime(2021, 6, 6, 20, 0, tzinfo=ZONA)
HORA = datetime(2021, 6, 6, 22, 40, tzinfo=ZONA)
FIN = INICIO + timedelta(hours=24)
AUTORIZACIONES = Path(__file__).with_name("autorizaciones-campeche.json")
"""What a person answers for on the night of Campeche (real-data.md §4)."""
CAMPECHE = ("GOB", "DIP_LOC", "AYUN", "JUNTAS")


def tree_digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under ``folder``: what «unchanged byte by byte» is measured with."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass
class Night:
    """A folder for files and a workspace on a clock that stands still."""

    folder: Path
    clock: ManualClock
    ambiente: Ambiente = "oficial"
    disk: Disk = field(default_factory=Disk)
    elecciones: tuple[str, ...] = ("GUB", "DIP")
    extra: str = ""

    def create(self) -> Workspace:
        profile = profile_for_night(
            id="ensayo-2021",
            nombre="Proceso Electoral de Ensayo 2021",
            instituto="iedemo",
            entidad=Entidad(numero=4, clave="CAMP", nombre="Campeche"),
            elecciones=self.elecciones,
            inicio=INICIO,
            permanencia_hasta=INICIO + timedelta(days=25),
        )
        path = self.folder / "perfil.toml"
        path.write_text(to_toml_text(profile))
        return workspace.create(self.folder / "espacio", path, ambiente=self.ambiente, clock=self.clock, disk=self.disk)

    def sources(self, hora: datetime = HORA, *, votes: str = "40") -> tuple[fuentes.ContestSource, ...]:
        """Gubernatura and diputaciones of two districts, as published at ``hora``; ``votes`` are PAN's in one acta."""
        folder = self.folder / f"{hora:%Y%m%d_%H%M}"
        folder.mkdir(exist_ok=True)
        total = str(60 + int(votes))
        rows = [
            row(1, PAN=votes, TOTAL_VOTOS_CALCULADO=total),
            row(2, ID_DISTRITO_LOCAL="002", DISTRITO_LOCAL="002. HOPELCHÉN", SECCION="0150", MC="11", NULOS="3"),
            row(
                3,
                CONTABILIZADA="",
                **dict.fromkeys(("PAN", "PRI", "PRD", "MC", "NULOS", "TOTAL_VOTOS_CALCULADO"), ""),
                SHA="",
            ),
        ]
        for name, titulo in (("GUB", "GUBERNATURA"), ("DIP_LOC", "DIPUTACIONES LOCALES")):
            summary = SUMMARY | {
                "ACTAS_ESPERADAS": "3",
                "PORCENTAJE_ACTAS_CAPTURADAS": "66.6666",
                "PORCENTAJE_ACTAS_CONTABILIZADAS": "66.6666",
                "TOTAL_VOTOS_C_CS": str(160 + int(votes)),
                "TOTAL_VOTOS_S_CS": str(160 + int(votes)),
                "PORCENTAJE_PARTICIPACION_CIUDADANA": trunc4(160 + int(votes), 800),
            }
            sample = Sample(titulo=titulo, corte=f"{hora:%d/%m/%Y %H:%M} (UTC-5)", summary=summary, rows=rows)
            sample.write(folder / f"CAMP_{name}_2021.csv")
        return fuentes.sources([folder / "CAMP_GUB_2021.csv", folder / "CAMP_DIP_LOC_2021.csv"])

    def cut(self, space: Workspace, hora: datetime = HORA, *, votes: str = "40", ultimo: bool = False) -> BuiltCut:
        self.clock.instant = hora + timedelta(seconds=30)
        return build_cut(space, self.sources(hora, votes=votes), ultimo=ultimo)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))


def unpack(built: BuiltCut, folder: Path) -> Path:
    """The package of a cut, as a difusor would publish it. The archive is our own: plain extraction will do."""
    with zipfile.ZipFile(built.carpeta / built.paquete.nombre) as archive:
        archive.extractall(folder)
    return folder


@dataclass(frozen=True)
class Published:
    """A cut of Campeche 2021 and its unpacked package."""

    built: BuiltCut
    sources: tuple[fuentes.ContestSource, ...]
    folder: Path


def campeche_sources(datos: Path, cut: str) -> tuple[fuentes.ContestSource, ...]:
    folder = datos / "campeche-2021"
    return fuentes.sources([folder / f"{cut}_PREP_{name}_CAMP" / f"CAMP_{name}_2021.csv" for name in CAMPECHE])


@pytest.fixture(scope="session")
def campeche(datos: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The cut of 13:20, four elections, ambiente simulacro."""
    folder = tmp_path_factory.mktemp("campeche")
    clock = ManualClock(INICIO - timedelta(hours=4))
    night = Night(folder, clock, "simulacro", elecciones=CAMPECHE)
    space = night.create()
    clock.instant = datetime(2021, 6, 7, 13, 21, tzinfo=ZONA)
    sources = campeche_sources(datos, "20210607_1320")
    built = build_cut(space, sources, autorizaciones=load(AUTORIZACIONES))
    return Published(built, sources, unpack(built, folder / "sitio"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(campeche: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The package of Campeche under ``/prep2021/`` of a server, as inside a medium's own portal."""
    root = tmp_path_factory.mktemp("servidor")
    (root / "prep2021").symlink_to(campeche.folder, target_is_directory=True)
    frame = "<!doctype html><title>Medio</title><iframe src='prep2021/gub/index.html' width=600 height=700></iframe>"
    (root / "medio.html").write_text(frame)
    with serving(root) as url:
        yield url
