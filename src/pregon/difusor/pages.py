"""The pages that are ours: espera, aviso, and what the server says when it has no answer. Small and whole."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pregon.base.fechas import fecha_larga
from pregon.difusor.pointer import AVISO, ESPERA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from jinja2 import Template

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.workspace import Workspace

ESTILO = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1.125rem/1.6 system-ui,sans-serif;color:#1b1b1f;background:#fbfaf7}"
    "main{max-width:38rem;margin:0 auto;padding:3rem 1.25rem}"
    "h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem}"
    ".marca{color:#4c4a55}"
    ".simulacro{border:2px solid #8a2d00;padding:.5rem .75rem}"
    "@media(prefers-color-scheme:dark){body{color:#f1eff7;background:#17161b}.marca{color:#c9c5d3}"
    ".simulacro{border-color:#ffb694}}"
)
"""The only style of these pages, inside them; the CSP admits it by its hash."""

NO_ENCONTRADA = "404.html"
NO_DISPONIBLE = "503.html"


def style_source() -> str:
    """The CSP source that admits ``ESTILO`` and no other inline style."""
    digest = base64.b64encode(hashlib.sha256(ESTILO.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@dataclass(frozen=True)
class Pagina:
    """What one page says."""

    titulo: str
    parrafos: tuple[str, ...]


def espera(convocatoria: Convocatoria) -> Pagina:
    """Before the start: when and that it will be here."""
    return Pagina(
        "Los resultados preliminares todavía no se publican",
        (
            f"Aquí se publicarán a partir del {local_hour(convocatoria.inicio, convocatoria)}.",
            "Esta página no se actualiza sola: vuelva a cargarla a partir de esa hora.",
        ),
    )


def aviso(convocatoria: Convocatoria) -> Pagina:
    """Suspended: where else to look."""
    return Pagina(
        "Este sitio no muestra resultados por el momento",
        (
            "La publicación en este sitio está suspendida por aviso del instituto electoral.",
            (
                f"Consulte los resultados preliminares en el sitio del instituto ({convocatoria.instituto.upper()}) "
                "o en otro difusor oficial."
            ),
        ),
    )


def no_encontrada() -> Pagina:
    """An address that is not here."""
    return Pagina(
        "Esta página no existe aquí",
        ("Revise la dirección, o vuelva a la portada del sitio.",),
    )


def no_disponible() -> Pagina:
    """The server cannot answer: its pointer is not there, or the disk fails."""
    return Pagina(
        "El sitio no está disponible por el momento",
        ("Vuelva a intentarlo en unos minutos, o consulte otro difusor oficial.",),
    )


def local_hour(instant: datetime, convocatoria: Convocatoria) -> str:
    """An instant as people of the call read it: day, hour, and the zone's name."""
    local = instant.astimezone(convocatoria.zona)
    city = convocatoria.zona_horaria.rsplit("/", 1)[-1].replace("_", " ")
    where = "tiempo del centro de México" if convocatoria.zona_horaria == "America/Mexico_City" else f"hora de {city}"
    return f"{fecha_larga(local)} a las {local:%H:%M} horas ({where})"


def _render(page: Pagina, template: Template, workspace: Workspace) -> bytes:
    """The page's HTML."""
    text = template.render(
        titulo=page.titulo,
        parrafos=page.parrafos,
        estilo=Markup(ESTILO),  # noqa: S704 (our own constant)
        convocatoria=workspace.convocatoria,
        ambiente=workspace.settings.ambiente,
    )
    return text.encode()


def contents(workspace: Workspace) -> Mapping[Path, bytes]:
    """Every page of ours with its bytes: the releases ``espera`` and ``aviso``, and the server's own answers."""
    call = workspace.convocatoria
    pages = {
        workspace.cortes / ESPERA / "index.html": espera(call),
        workspace.cortes / AVISO / "index.html": aviso(call),
        workspace.servidor / NO_ENCONTRADA: no_encontrada(),
        workspace.servidor / NO_DISPONIBLE: no_disponible(),
    }
    environment = Environment(
        loader=PackageLoader("pregon.difusor", "plantillas"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("pagina.html")
    return {path: _render(page, template, workspace) for path, page in pages.items()}


def ensure(workspace: Workspace, disk: Disk) -> None:
    """Write those pages where they differ from what is there."""
    for path, content in contents(workspace).items():
        if not path.is_file() or path.read_bytes() != content:
            disk.make_folder(path.parent)
            disk.write(path, content)
