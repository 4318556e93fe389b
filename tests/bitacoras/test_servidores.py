"""Logs that real servers wrote with the settings that Pregón gives them: understood without any setting."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest
from typer.testing import CliRunner

from pregon.cli.app import app
from tests.bitacoras.medir import FIREFOX, Peticion, cuentas, escribe, mide, una
from tests.difusor.conftest import carpeta_abierta, escena_abierta, ring
from tests.difusor.servidores import SERVIDORES, sirviendo

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.configura.web import Programa
    from tests.difusor.conftest import Escena

__all__ = ["carpeta_abierta", "escena_abierta", "ring"]
HOSTIL = 'Mozilla/5.0 "\\ 200 999999 "-" "falso'


@pytest.mark.parametrize("name", SERVIDORES)
def test_the_log_of_each_of_our_servers_needs_no_setting(
    name: Programa, escena_abierta: Escena, carpeta_abierta: Path
) -> None:
    escena_abierta.cut(1)
    escena_abierta.receiver().run_once()
    workspace = escena_abierta.workspace
    folder = carpeta_abierta / f"servidor-{name}"
    sizes = []
    with sirviendo(name, workspace, folder) as url, httpx2.Client(base_url=url, trust_env=False) as client:
        client.get("", headers={"accept-encoding": "identity", "user-agent": "espera"})
        for path, agent in (("", FIREFOX), ("corte.json", FIREFOX), ("no-existe", FIREFOX), ("corte.json", HOSTIL)):
            answer = client.get(path, headers={"user-agent": agent, "accept-encoding": "identity"})
            sizes.append(len(answer.content))
    logs = sorted(workspace.servidor.glob("acceso*.log")) if name == "caddy" else sorted(folder.glob("pregon-*.log"))
    found = mide(*logs)
    one = una(found)
    assert found.malos == 0
    assert [row.formato for row in found.archivos] == ["caddy" if name == "caddy" else "combinado"]
    assert cuentas(one.estados)["404"] == 1
    assert cuentas(one.metodos) == {"GET": one.hits}
    assert [row for row in one.por_dia if row.dia] != []
    assert cuentas(one.perdidas) == {"/no-existe": 1}
    own = [row for row in one.navegadores if row.nombre == "Firefox"]
    assert [row.hits for row in own] == [1]
    assert one.bytes >= sum(sizes)
    assert one.bytes < sum(sizes) + 900_000  # what the hostile agent says is no size


@pytest.fixture
def difusor(escena_abierta: Escena) -> Path:
    """A difusor's folder with logs of both its sites, ordinary days and election night."""
    folder = escena_abierta.workspace.folder
    night = escena_abierta.workspace.convocatoria.inicio
    begin = datetime(2021, 6, 7, 1, 0, tzinfo=UTC)
    shift = int((night - begin) / timedelta(seconds=1)) + 3600
    before = shift - 14 * 86400
    logs = folder / "registros"
    logs.mkdir()
    escribe(logs / "portal-1.log", [Peticion(before + 4000 * n, ruta="/nota.html") for n in range(3)])
    escribe(logs / "portal-2.log", [Peticion(shift + 4000 * n, ruta="/nota.html") for n in range(5)])
    escribe(logs / "prep.log", [Peticion(at, ruta="/gub/") for at in (shift, before, before - 30 * 86400)])
    days = (night - timedelta(days=15)).date(), (night - timedelta(days=12)).date()
    settings = (
        '\n[[bitacora]]\nsitio = "portal"\narchivos = ["registros/portal-*.log"]\n'
        '\n[[bitacora]]\nsitio = "prep"\narchivos = ["registros/prep.log"]\nformato = "combinado"\n'
        f"\n[memoria]\nbase_desde = {days[0]}\nbase_hasta = {days[1]}\n"
        f"eleccion_desde = {night.date() - timedelta(days=1)}\neleccion_hasta = {night.date() + timedelta(days=1)}\n"
    )
    path = folder / "difusor.toml"
    path.write_text(path.read_text() + settings)
    return folder


def test_a_difusors_settings_say_which_logs_and_which_days(difusor: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pregon", "memoria", "medidas", difusor, "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["formato"] == "pregon/medidas/1"
    found = {(one["sitio"], one["ventana"]): (one["hits"], one["visitas"]) for one in told["medidas"]}
    assert found == {
        ("portal", "base"): (3, 3),
        ("portal", "eleccion"): (5, 5),
        ("prep", "base"): (1, 1),
        ("prep", "eleccion"): (1, 1),
    }
    assert [(one["nombre"], one["hits"]) for one in told["fuera"]] == [("prep", 1)]
    assert "198.51.100" not in done.stdout


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ('[[bitacora]]\nsitio = "otro"\narchivos = ["a"]\n', "bitacora[0].sitio"),
        ('[[bitacora]]\nsitio = "prep"\narchivos = []\n', "bitacora[0].archivos"),
        ('[[bitacora]]\nsitio = "prep"\narchivos = ["a"]\nformato = "rarisimo"\n', "no es un formato conocido"),
        ('[[bitacora]]\nsitio = "prep"\narchivos = ["a"]\napache = "%h %t"\n', "no dice: estado, pedido"),
        ('[[bitacora]]\nsitio = "prep"\narchivos = ["a"]\nformato = "s3"\nnginx = "$status"\n', "diga sólo uno"),
        ("[memoria]\nbase_desde = 2021-05-01\n", "van juntas"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_place(extra: str, told: str, escena_abierta: Escena) -> None:
    path = escena_abierta.workspace.folder / "difusor.toml"
    before = path.read_text()
    path.write_text(f"{before}\n{extra}")
    done = CliRunner().invoke(app, ["memoria", "medidas", str(path.parent)])
    assert done.exit_code == 78
    assert told in done.output
    assert path.read_text() == f"{before}\n{extra}"


def test_a_pattern_or_a_folder_without_a_file_is_told_and_nothing_is_counted(difusor: Path) -> None:
    for name in ("portal-1.log", "portal-2.log"):
        (difusor / "registros" / name).unlink()
    done = CliRunner().invoke(app, ["memoria", "medidas", str(difusor), "--json"])
    assert done.exit_code == 66
    assert "registros/portal-*.log" in done.output
    assert "visitas" not in done.output
    done = CliRunner().invoke(app, ["memoria", "medidas", str(difusor), "--formato", "s3"])
    assert (done.exit_code, "[[bitacora]]" in done.output) == (2, True)
    (difusor / "vacia").mkdir()
    assert CliRunner().invoke(app, ["memoria", "medidas", str(difusor / "vacia")]).exit_code == 66


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--sitio", "otro"], 2, "portal o prep"),
        (["--desde", "2021-06-06"], 2, "van juntos"),
        (["--desde", "2021-06-07", "--hasta", "2021-06-06"], 2, "es anterior"),
        (["--zona", "Marte/Olimpo"], 2, "zona horaria"),
        (["--formato", "rarisimo"], 78, "rarisimo"),
        (["--geoip", "pyproject.toml"], 66, "MMDB"),
    ],
)
def test_the_command_refuses_what_it_does_not_understand(
    arguments: list[str], status: int, told: str, tmp_path: Path
) -> None:
    path = escribe(tmp_path / "a.log", [Peticion()])
    done = CliRunner().invoke(app, ["memoria", "medidas", str(path), *arguments])
    assert (done.exit_code, told in done.output) == (status, True), done.output
    assert "No se" in done.output
