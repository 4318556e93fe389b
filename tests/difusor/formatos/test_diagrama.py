"""The diagram of the service: what ``difusor.toml`` makes, and nothing that opens it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from pregon.convocatoria import perfiles
from pregon.difusor.formatos import diagrama, servicio
from pregon.difusor.settings import DifusorSettings
from tests.difusor.formatos.solicitudes import escribe_solicitud, lee, pregon

if TYPE_CHECKING:
    from pathlib import Path

DIFUSOR = """\
convocatoria = "{perfil}"
id = "diario-uno"
nodo = "norte"
"""
NUBE = """\
origen = "https://prep.ine.example/repositorio"

[acceso]
secreto = "env:FICHA_INE"

[acuses]
envia = "https://acuses.ine.example"

[[nube]]
nombre = "norte"
url = "s3://cubeta-privada-77"
region = "us-west-2"
publica = "https://prep.diario-uno.example"
historial = true
clave_acceso = "AKIAPRIVADA"
secreto = "archivo:/etc/secretos/s3"

[nube.purga]
tipo = "cloudfront"
distribucion = "E2PRIVADA77"

[[nube]]
nombre = "respaldo"
url = "s3://cubeta-privada-78"
extremo = "https://s3.proveedor.example"
clave_acceso = "AKIAPRIVADA2"
secreto = "env:OTRO"
"""
SERVIDOR = """\
[servidor]
direccion = "0.0.0.0"
puerto = 443
tls = "automatico"
nombres = ["prep.diario-uno.example"]
"""


def ajustes(perfil: str, text: str) -> DifusorSettings:
    import tomllib

    return DifusorSettings.model_validate(tomllib.loads(DIFUSOR.format(perfil=perfil) + text))


def test_a_cloud_is_drawn_from_the_institute_to_the_citizens() -> None:
    """INE-V-a-i: what comes from where, over what, and what is kept and forgotten."""
    made = servicio.describe(ajustes("ine-2021", NUBE), perfiles.load("ine-2021"))
    arrows = {(one.de, one.a): one.texto for one in made.flechas}
    assert arrows == {
        ("instituto", "recepcion"): "HTTPS, TLS 1.2 o mayor",
        ("recepcion", "instituto"): "acuses, HTTPS",
        ("recepcion", "web"): "archivos",
        ("recepcion", "deposito-norte"): "HTTPS, cada corte",
        ("recepcion", "deposito-respaldo"): "HTTPS, cada corte",
        ("deposito-norte", "orilla-norte"): "HTTPS",
        ("orilla-norte", "personas"): "HTTPS",
        ("deposito-respaldo", "personas"): "HTTPS",
    }
    parts = {one.clave: one for one in made.elementos}
    assert parts["orilla-norte"].nombre == "Amazon CloudFront"
    assert parts["orilla-norte"].lineas == ("prep.diario-uno.example", "purga automática en cada corte")
    assert "Amazon S3, región us-west-2" in parts["deposito-norte"].lineas
    assert "guarda todos los paquetes" in parts["recepcion"].lineas  # INE-II-a-ii-3a
    assert parts["web"].lineas[0] == "sólo para este equipo"


def test_a_server_of_ones_own_is_pushed_to_and_answers_citizens_itself() -> None:
    """GRO-2.1a: SCP to port 22; DGO-II-net-c3: rsync and its other port."""
    for perfil, over in (("gro-2021", "SCP, TCP 22"), ("dgo-2024", "rsync, TCP 873, 2873, 22")):
        made = servicio.describe(ajustes(perfil, SERVIDOR), perfiles.load(perfil))
        arrows = {(one.de, one.a): one.texto for one in made.flechas}
        assert arrows == {
            ("instituto", "recepcion"): over,
            ("recepcion", "web"): "archivos",
            ("web", "personas"): "HTTPS",
        }
        [web] = [one for one in made.elementos if one.clave == "web"]
        assert web.lineas == ("prep.diario-uno.example", "TLS, certificado ACME", "TCP 80 lleva a HTTPS")


def _cajas(drawn: ET.Element) -> list[tuple[float, float, float, float]]:
    return [
        (float(one.attrib["x"]), float(one.attrib["y"]), float(one.attrib["width"]), float(one.attrib["height"]))
        for one in drawn.iter("{http://www.w3.org/2000/svg}rect")
        if "x" in one.attrib
    ]


@pytest.mark.parametrize("perfil", ["ine-2021", "gro-2021"])
def test_the_drawing_holds_everything_and_nothing_lies_over_another(perfil: str) -> None:
    made = servicio.describe(ajustes(perfil, NUBE if perfil == "ine-2021" else SERVIDOR), perfiles.load(perfil))
    drawn = ET.fromstring(diagrama.svg(made))  # noqa: S314 - our own drawing
    _, _, wide, high = (float(each) for each in drawn.attrib["viewBox"].split())
    boxes = _cajas(drawn)
    assert len(boxes) == len(made.elementos)
    for n, (x, y, w, h) in enumerate(boxes):
        assert x >= 0
        assert y >= 0
        assert x + w <= wide
        assert y + h <= high
        assert all(x + w <= a or a + c <= x or y + h <= b or b + d <= y for a, b, c, d in boxes[n + 1 :])
    said = " ".join(one.text or "" for one in drawn.iter("{http://www.w3.org/2000/svg}text"))
    for one in made.elementos:
        assert one.nombre in said
        for line in one.lineas:
            assert line.split()[0] in said


def test_the_paper_has_the_drawing_its_words_and_its_table_and_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "difusor"
    escribe_solicitud(folder, "ine-2021")
    (folder / "difusor.toml").write_text(DIFUSOR.format(perfil="ine-2021") + 'ambiente = "simulacro"\n' + NUBE)
    done = pregon("formatos", folder, "--json")
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["carpeta"] == str(folder / "formatos")
    [paper] = [one for one in told["papeles"] if one["clave"] == "diagrama"]
    assert paper["clausulas"] == ["INE-V-a-i"]
    assert told["blancos"] == []
    assert set(paper["archivos"]) == {"diagrama.pdf", "diagrama.docx", "diagrama.svg"}
    everything = "".join(lee(one) for one in (folder / "formatos").glob("*.pdf"))
    everything += "".join(lee(one) for one in (folder / "formatos").glob("*.docx"))
    everything += (folder / "formatos" / "diagrama.svg").read_text()
    for secret in ("AKIA", "cubeta-privada", "FICHA_INE", "/etc/secretos", "E2PRIVADA", "OTRO"):
        assert secret not in everything
    printed = lee(folder / "formatos" / "diagrama.pdf")
    assert "SIMULACRO" in printed
    assert "Dos servidores de 16 núcleos" in printed
    rows = re.findall(r"(Depósito «\w+»|Amazon CloudFront|Equipo «norte»)", printed)
    assert {"Depósito «norte»", "Depósito «respaldo»", "Amazon CloudFront", "Equipo «norte»"} <= set(rows)


def test_without_the_settings_the_ine_is_told_that_the_diagram_lacks(tmp_path: Path) -> None:
    path = escribe_solicitud(tmp_path, "ine-2021")
    words = (
        "formatos",
        "--solicitud",
        path,
        "--convocatoria",
        "ine-2021",
        "--en",
        tmp_path / "papeles",
        "--forma",
        "pdf",
    )
    done = pregon(*words)
    assert done.exit_code == 0
    assert "en blanco: difusor.toml: El diagrama del servicio sale de él" in done.stderr
    assert pregon(*words, "--completo").exit_code == 65
    assert pregon("formatos", "--solicitud", path, "--en", tmp_path / "x").exit_code == 2
    assert pregon("formatos", tmp_path, "--convocatoria", "ine-2021").exit_code == 2
    assert pregon("formatos", tmp_path / "nada").exit_code == 66
