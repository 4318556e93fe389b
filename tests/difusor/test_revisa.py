"""``difusor revisa``: what each check says of a difusor that is well, and of one that is not. Real servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base.red import free_port
from pregon.cli.app import app
from pregon.difusor import pointer
from pregon.difusor.preflight.revision import HOLGURA, POR_NUCLEO, Visita, capacidad, revisa, visita
from pregon.difusor.workspace import open_workspace
from tests.difusor.servidores import SERVIDORES, lend, sirviendo
from tests.red.servidores.nginx import Autoridad, NginxCon

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.convocatoria.comprobacion import Comprobacion
    from tests.difusor.conftest import Escena

HOST = "127.0.0.1"


@pytest.fixture
def published(escena_abierta: Escena) -> Escena:
    escena_abierta.cut(1)
    assert escena_abierta.receiver().run_once().error is None
    return escena_abierta


def checks(escena: Escena, *, visitantes: int = 1000) -> dict[str, Comprobacion]:
    workspace = open_workspace(escena.workspace.folder)
    found = revisa(workspace, escena.libro, clock=escena.clock, visitantes=visitantes, nucleos=2)
    return {one.codigo: one for one in found}


def with_url(escena: Escena, url: str) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().partition("url =")[0] + f'url = "{url}"\n')


def test_every_server_of_ours_passes_and_a_plain_one_does_not(published: Escena) -> None:
    before = published.public()
    for name in SERVIDORES:
        with sirviendo(name, published.workspace, published.folder / name) as url:
            with_url(published, url)
            found = checks(published)
            assert {one.codigo for one in found.values() if one.estado == "falla"} == set(), found["DIRECCION"]
            assert found["DIRECCION"].estado == "bien", name
    assert checks(published)["DIRECCION"].estado == "falla", "nobody answers there now"
    port = free_port(HOST)
    lend(published.workspace)
    text = f"server {{ listen {HOST}:{port}; root {published.workspace.publico}; }}"
    with NginxCon(published.folder / "simple", text, [port]):
        with_url(published, f"http://{HOST}:{port}/")
        plain = checks(published)["DIRECCION"]
    assert plain.estado == "falla"
    for missing in ("Content-Security-Policy", "Access-Control-Allow-Origin", "Last-Modified", "versión", "no-store"):
        assert missing in plain.medido
    assert "configura nginx" in (plain.arreglo or "")
    assert published.public() == before


def test_pointer_and_link_that_do_not_agree(published: Escena) -> None:
    assert checks(published)["PUNTERO"].estado == "bien"
    published.disk.symlink(published.workspace.publico, "cortes/espera")
    assert checks(published)["PUNTERO"].estado == "falla"
    assert pointer.read(published.workspace) == "0001", "it only looks"
    published.workspace.puntero.write_text("0009\n")
    answer = CliRunner().invoke(app, ["difusor", "revisa", str(published.workspace.folder), "--json"])
    assert answer.exit_code == 70
    data = json.loads(answer.stdout)
    assert data["ok"] is False
    wrong = next(one for one in data["comprobaciones"] if one["codigo"] == "PUNTERO")
    assert set(wrong) == {"codigo", "clausula", "que", "medido", "minimo", "estado", "arreglo"}
    assert "recibe --una-vez" in wrong["arreglo"]
    assert published.workspace.puntero.read_text() == "0009\n"


def test_capacity_names_nginx_above_what_caddy_carries_and_more_machines_above_that(published: Escena) -> None:
    what = Visita(bytes=60_000, peticiones=10, real=True)

    def of(visitantes: int, nucleos: int = 2) -> Comprobacion:
        return capacidad(published.workspace, what, visitantes=visitantes, nucleos=nucleos)

    most = int(POR_NUCLEO["caddy"] * 2 * HOLGURA * 60 / 10)
    assert of(most).estado == "bien"
    assert of(most + 1).estado == "aviso"
    assert of(most + 1, nucleos=4).estado == "bien"
    assert f"pregon difusor configura nginx {published.workspace.folder} --salida nginx" in (of(most + 1).arreglo or "")
    assert of(POR_NUCLEO["nginx"] * 2 * 60).estado == "falla"


def test_weight_of_a_visit_is_of_the_published_cut_in_its_smallest_coding(published: Escena) -> None:
    release = published.workspace.cortes / "0001"
    rutas = ("index.html", "corte.json", "assets/estilo.css", "datos/0001/gub/entidad.json")
    least = 0
    for ruta in rutas:
        codings = (release / f"{ruta}{twin}" for twin in ("", ".gz", ".br", ".zst"))
        least += min(path.stat().st_size for path in codings if path.is_file())
    found = visita(published.workspace)
    assert (found.peticiones, found.real) == (len(rutas), True)
    assert found.bytes == least
    pointer.switch(published.workspace, pointer.ESPERA, published.disk)
    assert visita(published.workspace).real is False


def test_certificate_of_other_names_or_out_of_date(published: Escena, carpeta_abierta: Path) -> None:
    authority = Autoridad(carpeta_abierta / "autoridad")
    toml = published.workspace.folder / "difusor.toml"
    plain = toml.read_text()
    assert checks(published)["CERTIFICADO"].estado == "aviso"
    for name, ident, expired, state in (
        ("bueno", "localhost", False, "falla"),  # the night of the tests is months after its end
        ("vencido", "localhost", True, "falla"),
        ("ajeno", "otro.example.mx", False, "falla"),
    ):
        certificate, key = authority.firma(name, ident, vencido=expired)
        toml.write_text(
            f'{plain}tls = "archivo"\ncertificado = "{certificate}"\nclave = "{key}"\nnombres = ["localhost"]\n'
        )
        found = checks(published)["CERTIFICADO"]
        assert found.estado == state, found
        assert name in found.medido
        assert found.arreglo
