"""The public list of difusores: a page of logos that link, and the same in JSON, for the institute's own site.

Each state decides whether one is listed and linked (``como``). It is not written before the day of the call
(``plazos.lista``). Nothing of it is confidential: it is made of ``Inscrito`` alone, which has nothing that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from pregon.base.errors import UsoError
from pregon.base.fechas import fecha_larga
from pregon.base.jsonio import canonical_json
from pregon.convocatoria.solicitud.logo import DIBUJABLES
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace

FORMATO = "pregon/difusores/1"
PAGINA = "index.html"
DATOS = "difusores.json"
ESTILO = "lista.css"
"""A file of its own: an institute's site may admit no style within a page."""
LOGOS = "logos"
INTACTO = "La lista publicada sigue como estaba."
POLITICA = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
"""The CSP of the page, which needs no script; whoever serves it may say more (``frame-ancestors``)."""

Como = Literal["enlazado", "interrumpido", "no_valido", "concluido"]
"""How one appears: with its link; without it; among those that are no difusores any more; without link, over."""


@dataclass(frozen=True)
class Renglon:
    """One line of the list. ``url`` None: there is no link. ``logo``: path of its image, None where it has none."""

    nombre: str
    id: str
    como: Como
    url: str | None
    desde: datetime
    logo: str | None


def como(convocatoria: Convocatoria, inscrito: Inscrito) -> Como | None:
    """How a difusor appears in the list of its call; None where it does not.

    GRO-3.3c and DGO-I-12 disable the link; MOR-I-12 and MEX-I-12 take it off the list, and so does INE-I-d-3. An
    attacked one is told to everybody where the call says so (MEX-I-13).
    """
    if inscrito.estado in ("admitido", "activo"):
        return "enlazado"
    if inscrito.estado == "concluido":
        # From a failure to the end it stays as the failure left it.
        return "concluido" if inscrito.historia[-1].de in ("admitido", "activo") else None
    if inscrito.estado == "suspendido":
        return "interrumpido" if convocatoria.fallo.accion == "interrumpir" else None
    if inscrito.estado == "bloqueado":
        return "no_valido" if convocatoria.fallo.aviso_publico else None
    return None


def abre(convocatoria: Convocatoria) -> datetime | None:
    """The instant from which the list is public; None where the call gives no day, or gives it as the last one to
    publish it by (DGO-III-3: «a más tardar»)."""
    day = None if convocatoria.lista_antes else convocatoria.plazos.lista
    if day is None or isinstance(day, datetime):
        return day
    return datetime.combine(day, time(), convocatoria.zona)


def abierta(convocatoria: Convocatoria, hora: datetime) -> bool:
    """Whether the list may be public at ``hora`` (GRO-1.6a, MOR-I-8a, MEX-I-8a, INE-I-f-1)."""
    first = abre(convocatoria)
    return first is None or hora >= first


def exige_abierta(convocatoria: Convocatoria, hora: datetime, *, intacto: str) -> None:
    """Check that the list may be public at ``hora``. Raises ``UsoError``, which says from when."""
    first = abre(convocatoria)
    if first is not None and hora < first:
        raise UsoError(
            f"La lista de difusores es pública a partir del {largo(first, convocatoria)}.",
            intacto=intacto,
            que_hacer="Repita la orden desde ese día; mientras, «pregon instituto difusor lista» la muestra aquí.",
        )


def renglones(convocatoria: Convocatoria, inscritos: Sequence[Inscrito]) -> tuple[Renglon, ...]:
    """The lines of the list, by name as people look them up."""
    found = []
    for one in inscritos:
        how = como(convocatoria, one)
        if how is not None:
            logo = None if one.logo is None or how == "no_valido" else f"{LOGOS}/{one.logo}"
            found.append(Renglon(one.nombre, one.id, how, one.url if how == "enlazado" else None, one.desde, logo))
    return tuple(sorted(found, key=lambda line: (line.nombre.casefold(), line.id)))


def escribe(workspace: Workspace, folder: Path) -> tuple[Renglon, ...]:
    """Write the list in ``folder``: the logos first, the page last; logos that nobody has any more are removed.

    Raises:
        UsoError: it is not public yet; nothing was written.
        DiscoError, EscrituraError: could not write.
    """
    convocatoria, now, disk = workspace.convocatoria, workspace.clock.now(), workspace.disk
    exige_abierta(convocatoria, now, intacto=INTACTO)
    registro = Registro(workspace)
    lines = renglones(convocatoria, registro.todos())
    disk.make_folder(folder / LOGOS)
    logos = registro.logos()
    for line in lines:
        if line.logo is not None:
            disk.write(folder / line.logo, logos[line.id])
    disk.write(folder / ESTILO, (files("pregon.instituto.registro") / "plantillas" / ESTILO).read_bytes())
    disk.write(folder / DATOS, canonical_json(en_json(workspace, lines, now)))
    disk.write(folder / PAGINA, _page(workspace, lines, now))
    wanted = {line.logo for line in lines}
    for path in sorted((folder / LOGOS).iterdir()):
        # Only what this wrote: somebody may keep other images there.
        if path.suffix[1:] in DIBUJABLES and f"{LOGOS}/{path.name}" not in wanted and _ours(path.name):
            disk.remove_tree(path)
    return lines


def _ours(name: str) -> bool:
    digest = name.rpartition(".")[0].rpartition("-")[2]
    return len(digest) == 12 and set(digest) <= set("0123456789abcdef")


def en_json(workspace: Workspace, lines: Sequence[Renglon], now: datetime) -> dict[str, Any]:
    """The list as ``difusores.json``; hours are local, with their offset."""
    zone = workspace.convocatoria.zona
    return {
        "formato": FORMATO,
        "convocatoria": workspace.convocatoria.id,
        "instituto": workspace.convocatoria.instituto,
        "ambiente": workspace.settings.ambiente,
        "generado": now.astimezone(zone).isoformat(timespec="seconds"),
        "difusores": [
            {
                "id": line.id,
                "nombre": line.nombre,
                "estado": line.como,
                "url": line.url,
                "logo": line.logo,
                "desde": line.desde.astimezone(zone).isoformat(timespec="seconds"),
            }
            for line in lines
        ],
    }


def _page(workspace: Workspace, lines: Sequence[Renglon], now: datetime) -> bytes:
    convocatoria = workspace.convocatoria
    environment = Environment(
        loader=PackageLoader("pregon.instituto.registro", "plantillas"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["largo"] = lambda instant: largo(instant, convocatoria)
    text = environment.get_template("lista.html").render(
        convocatoria=convocatoria,
        instituto=convocatoria.instituto_nombre or f"instituto electoral ({convocatoria.instituto.upper()})",
        simulacro=workspace.settings.ambiente == "simulacro",
        listados=[line for line in lines if line.como != "no_valido"],
        no_validos=[line for line in lines if line.como == "no_valido"],
        ahora=now,
        datos=DATOS,
        estilo=ESTILO,
        politica=POLITICA,
    )
    return text.encode()


def largo(instant: datetime, convocatoria: Convocatoria) -> str:
    """An instant for people: ``6 de junio de 2021 a las 22:40 h``."""
    local = instant.astimezone(convocatoria.zona)
    return f"{fecha_larga(local)} a las {local:%H:%M} h"
