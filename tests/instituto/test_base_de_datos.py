"""The official database that goes out: in the form that the profile asks for, saying what the source said."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad, Paquete
from pregon.instituto import fuentes, workspace
from pregon.instituto.build import build_cut
from pregon.prep.reader import read_actas
from pregon.prep.synthetic.eleccion import election
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.build import BuiltCut

HORA = datetime(2021, 6, 6, 22, 40, tzinfo=ZoneInfo("America/Mexico_City"))


def _cut(folder: Path, paquete: Paquete, *, encabezado_falso: bool = False) -> tuple[BuiltCut, dict[str, bytes]]:
    """A cut of two synthetic elections under ``paquete``; the contents of ``base-de-datos/`` by name."""
    profile = profile_for_night(
        id="ensayo-2021",
        nombre="Ensayo 2021",
        instituto="iedemo",
        entidad=Entidad(numero=4, clave="CAMP", nombre="Campeche"),
        elecciones=("GUB", "DIP"),
        inicio=HORA.replace(hour=20, minute=0),
    ).model_copy(update={"paquete": paquete})
    path = folder / "perfil.toml"
    path.write_text(to_toml_text(profile))
    space = workspace.create(folder / "espacio", path, ambiente="simulacro", clock=ManualClock(HORA), disk=Disk())
    sources = []
    for code in ("GUB", "DIP"):
        made = election(
            code,
            casillas=40,
            unidades=3,
            cortes=[HORA - timedelta(hours=1), HORA],
            semilla=7,
            entidad=(4, "CAMPECHE"),
        )
        actas = folder / f"{made.file_stem}.csv"
        data = made.actas_csv(1)
        if encabezado_falso:
            lines = data.split(b"\n")
            values = 1 + next(i for i, line in enumerate(lines) if line.startswith(b"ACTAS_ESPERADAS"))
            lines[values] = lines[values].replace(b",", b",9", 1)
            data = b"\n".join(lines)
        actas.write_bytes(data)
        catalogue = folder / f"{made.file_stem}_CANDIDATURAS.csv"
        catalogue.write_bytes(made.candidaturas_csv())
        sources.append(fuentes.ContestSource(None, actas, catalogue))
    built = build_cut(space, sources, hora=HORA)
    with zipfile.ZipFile(built.carpeta / built.paquete.nombre) as whole:
        prefix = "base-de-datos/"
        return built, {
            name.removeprefix(prefix): whole.read(name)
            for name in whole.namelist()
            if name.startswith(prefix) and name.endswith(".zip")
        }


def _inner(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as inner:
        return {name: inner.read(name) for name in inner.namelist()}


def test_without_a_dialect_the_source_goes_out_byte_for_byte(tmp_path: Path) -> None:
    _, zips = _cut(tmp_path, Paquete())
    assert set(zips) == {"20210606_2240_PREP_GUB_CAMP.zip", "20210606_2240_PREP_DIP_LOC_CAMP.zip"}
    for data in zips.values():
        files = _inner(data)
        assert len(files) == 3
        assert "LEEME.txt" in files
        for name in files.keys() - {"LEEME.txt"}:
            assert files[name] == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("dialecto", ["puebla-2024", "qroo-2019", "federal-2024"])
def test_in_another_dialect_it_says_the_same(tmp_path: Path, dialecto: str) -> None:
    _, zips = _cut(tmp_path, Paquete.model_validate({"dialecto": dialecto}))
    files = _inner(zips["20210606_2240_PREP_DIP_LOC_CAMP.zip"])
    [actas] = [name for name in files if name.startswith("CAMP_DIP_LOC_2021")]
    assert "CAMP_DIP_LOC_CANDIDATURAS_2021.csv" in files
    (tmp_path / "fuera").mkdir()
    written = tmp_path / "fuera" / actas
    written.write_bytes(files[actas])
    [source] = tmp_path.glob("SIM_DIP_LOC_*[0-9].csv")
    assert written.read_bytes() != source.read_bytes()
    ours, theirs = (
        json.loads(json.dumps(totals(read_actas(path)).to_json(hasta="unidad")).replace('REGISTRADAS"', 'REGISTRADOS"'))
        for path in (written, source)
    )
    for key in ("encabezado", "recalculado", "partidos", "niveles"):
        assert ours[key] == theirs[key]
    delimiter = {"puebla-2024": "coma", "qroo-2019": "barra vertical", "federal-2024": "coma"}[dialecto]
    assert delimiter in files["LEEME.txt"].decode()


def test_recounted_header_is_the_one_of_the_rows(tmp_path: Path) -> None:
    built, zips = _cut(tmp_path, Paquete(encabezado="recalculado"), encabezado_falso=True)
    assert {finding.codigo for _, finding in built.hallazgos} >= {"ENCABEZADO_ORIGEN"}
    files = _inner(zips["20210606_2240_PREP_GUB_CAMP.zip"])
    [name] = [name for name in files if name.startswith("SIM_GUB") and "CANDIDATURA" not in name]
    (tmp_path / "fuera").mkdir()
    written = tmp_path / "fuera" / name
    written.write_bytes(files[name])
    table = read_actas(written)
    assert dict(table.encabezado) == dict(totals(table).recalculado)
    assert read_actas(tmp_path / name).encabezado != table.encabezado


def test_outer_zip_holds_those_of_the_elections(tmp_path: Path) -> None:
    _, zips = _cut(tmp_path, Paquete(zip_anidado=True))
    outer = _inner(zips.pop("20210606_2240_PREP_CAMP.zip"))
    assert outer == zips
