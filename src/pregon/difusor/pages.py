"""The pages that are ours: espera, aviso, and what the server says when it has no answer. Small and whole."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pregon.base.fechas import fecha_larga
from pregon.base.jsonio import canonical_json
from pregon.difusor.interrupcion import Dicho
from pregon.difusor.pointer import AVISO, ESPERA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from jinja2 import Template

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.interrupcion import Interrupcion
    from pregon.difusor.workspace import Workspace
    from pregon.trust.aviso import Aviso

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

AVISOS = "avisos.json"
"""In the server's folder: the announced delays, for the script of the portal (``notices``)."""
FORMATO_AVISOS = "pregon/avisos/1"
NO_ENCONTRADA = "404.html"
NO_DISPONIBLE = "503.html"
RESTRINGIDA = "401.html"


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


def aviso(convocatoria: Convocatoria, interrupcion: Interrupcion | None = None) -> Pagina:
    """In the place of the portal: what happened, since when, and where else to look (GRO-3.3b, MEX-I-13).

    The institute's words are text, whatever is in them: the template escapes them.
    """
    institute = convocatoria.instituto_nombre or f"instituto electoral ({convocatoria.instituto.upper()})"
    elsewhere = f"Consulte los resultados preliminares en el sitio del {institute} o en otro difusor oficial."
    if interrupcion is None:
        why = "La publicación en este sitio está suspendida por aviso del instituto electoral."
        return Pagina("Este sitio no muestra resultados por el momento", (why, elsewhere))
    since = local_hour(interrupcion.desde, convocatoria)
    if interrupcion.causa == "periodos":
        return Pagina(
            "Se interrumpió la transmisión de resultados a este sitio",
            (
                f"La última señal del instituto que llegó a este sitio es del {since}.",
                "No llegó nada más en los periodos que fija la convocatoria: aquí dejaron de mostrarse resultados.",
                "Volverán a mostrarse aquí cuando llegue el siguiente corte.",
                elsewhere,
            ),
        )
    words = f"Aviso del instituto: «{interrupcion.texto}»"
    if interrupcion.causa == "ataque":
        return Pagina(
            "Este sitio ya no es un difusor oficial de los resultados",
            (
                f"El instituto avisó que este sitio dejó de ser un difusor válido desde el {since}.",
                "La causa es un ataque informático: no tome por oficial lo que aquí se haya visto desde entonces.",
                words,
                elsewhere,
            ),
        )
    end = interrupcion.hasta
    expected = () if end is None else (f"El instituto prevé reanudarla después del {local_hour(end, convocatoria)}.",)
    return Pagina(
        "Este sitio no muestra resultados por el momento",
        (
            f"La publicación en este sitio está suspendida por aviso del instituto electoral desde el {since}.",
            words,
            *expected,
            elsewhere,
        ),
    )


def notices(retrasos: Sequence[Aviso]) -> bytes:
    """``avisos.json``: the delays that the institute announced and still hold, for the script of the portal.

    ``{formato: "pregon/avisos/1", vigentes: [{n, tipo, texto, desde, hasta, corte}]}``; instants in UTC.
    """
    keys = ("n", "tipo", "texto", "desde", "hasta", "corte")
    told = [aviso.to_json() for aviso in retrasos]
    return canonical_json({"formato": FORMATO_AVISOS, "vigentes": [{key: each[key] for key in keys} for each in told]})


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


def restringida() -> Pagina:
    """A simulacro that is not for everyone, to whoever may not enter."""
    return Pagina(
        "Este ejercicio no es público",
        ("Entre con el usuario y la contraseña que le dio el difusor, o desde una red autorizada.",),
    )


def local_hour(instant: datetime, convocatoria: Convocatoria) -> str:
    """An instant as people of the call read it: day, hour, and the zone's name."""
    local = instant.astimezone(convocatoria.zona)
    city = convocatoria.zona_horaria.rsplit("/", 1)[-1].replace("_", " ")
    where = "tiempo del centro de México" if convocatoria.zona_horaria == "America/Mexico_City" else f"hora de {city}"
    return f"{fecha_larga(local)} a las {local:%H:%M} horas ({where})"


@cache
def _plantilla() -> Template:
    """The template of all of them, compiled once for the process: that takes ten times what a page does."""
    environment = Environment(
        loader=PackageLoader("pregon.difusor", "plantillas"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("pagina.html")


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


def contents(workspace: Workspace, dicho: Dicho) -> Mapping[Path, bytes]:
    """Every page of ours with its bytes: the releases ``espera`` and ``aviso``, and the server's own answers.

    ``dicho`` is what they must say of notices. ``avisos.json`` is there only where somebody signs notices.
    """
    call = workspace.convocatoria
    pages = {
        workspace.cortes / ESPERA / "index.html": espera(call),
        workspace.cortes / AVISO / "index.html": aviso(call, dicho.interrupcion),
        workspace.servidor / NO_ENCONTRADA: no_encontrada(),
        workspace.servidor / NO_DISPONIBLE: no_disponible(),
        workspace.servidor / RESTRINGIDA: restringida(),
    }
    made = {path: _render(page, _plantilla(), workspace) for path, page in pages.items()}
    return {**made, workspace.servidor / AVISOS: notices(dicho.retrasos)} if workspace.firmado else made


def ensure(workspace: Workspace, disk: Disk, dicho: Dicho | None = None) -> None:
    """Write those pages where they differ from what is there.

    ``dicho`` None: whoever asks does not know (it serves, and another process receives): what the notices decide is
    written only where it is not there at all.
    """
    told = {workspace.cortes / AVISO / "index.html", workspace.servidor / AVISOS}
    for path, content in contents(workspace, dicho or Dicho()).items():
        if not path.is_file() or (path.read_bytes() != content and not (dicho is None and path in told)):
            disk.make_folder(path.parent)
            disk.write(path, content)
