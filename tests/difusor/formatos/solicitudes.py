"""A ``solicitud.toml`` that answers everything that any of the five calls asks, and what is made of it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pypdf
from typer.testing import CliRunner, Result

from pregon.cli.app import app
from tests.documentos.test_documentos import texto_de_docx

if TYPE_CHECKING:
    from pathlib import Path

PERFILES = ("gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021")
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40" fill="#8a1538"/>'
    '<circle cx="20" cy="20" r="12" fill="#fff"/></svg>'
)
SOLICITUD = """\
fecha = {fecha}
logo = "logo.svg"
nombre = "Diario Uno de la Montaña"
tipo = "medios"
url = "https://prep.diario-uno.example/prep2024"
sitio = "https://www.diario-uno.example"
vista_previa = "https://previa.diario-uno.example"

[domicilio]
direccion = "Calle Ocotillo 415, interior 3"
ciudad = "Chilapa"
estado = "Guerrero"

[[contacto]]
nombre = "Lucía Quiñones Ávila"
cargo = "Jefa de sistemas de redacción"
telefono = "747 555 0142"
celular = "747 555 0199"
correo = "lquinones@diario-uno.example"
desde = 08:00:00
hasta = 20:00:00

[[contacto]]
nombre = "Efraín Tlapanco"
cargo = "Guardia nocturna"
telefono = "747 555 0177"
correo = "etlapanco@nubes-del-sur.example"
desde = 20:00:00
hasta = 08:00:00
proveedor = "Nubes del Sur"

[[contacto]]
nombre = "Rosalba Iturbide Neri"
papel = "legal"
cargo = "Representante legal"
telefono = "747 555 0111"
celular = "747 555 0122"
correo = "legal@diario-uno.example"

[infraestructura]
software = "Caddy 2.11 sobre Debian 12"
hardware = "Dos servidores de 16 núcleos y SSD de 1 TB"
energia = "UPS de 6 KVA y planta de emergencia"
red = "Cortafuegos perimetral de la sala norte"
mbps = 250.0
ip = ["8.8.4.7"]
"""
FECHAS = {
    "gro-2021": "2021-05-01",
    "dgo-2024": "2024-05-17",
    "mor-2024": "2024-05-20",
    "mex-2021": "2021-05-28",
    "ine-2021": "2021-04-26",
}


def escribe_solicitud(folder: Path, perfil: str, *cambios: tuple[str, str], mas: str = "") -> Path:
    """The file in ``folder``, with its logo beside; each of ``cambios`` takes the place of a text that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    text = SOLICITUD.format(fecha=FECHAS[perfil]) + mas
    for before, after in cambios:
        assert before in text
        text = text.replace(before, after)
    (folder / "logo.svg").write_text(LOGO)
    path = folder / "solicitud.toml"
    path.write_text(text)
    return path


def pregon(*words: object) -> Result:
    """``pregon`` with these words, in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def hace(
    folder: Path, perfil: str, *cambios: tuple[str, str], mas: str = "", formas: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The papers of a call in ``folder/papeles``; the list of ``--json``."""
    path = escribe_solicitud(folder, perfil, *cambios, mas=mas)
    words: list[object] = ["formatos", "--solicitud", path, "--convocatoria", perfil, "--en", folder / "papeles"]
    done = pregon(*words, "--json", *(word for one in formas for word in ("--forma", one)))
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def lee(path: Path) -> str:
    """What a paper says, one blank between words; of a sheet, its shared texts."""
    data = path.read_bytes()
    match path.suffix:
        case ".pdf":
            text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
        case ".docx":
            text = texto_de_docx(data)
        case _:
            with zipfile.ZipFile(io.BytesIO(data)) as whole:
                text = whole.read("xl/sharedStrings.xml").decode().replace("<", " <")
    return " ".join(text.replace("\u200b", "").split())
