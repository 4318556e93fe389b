"""What of the people must be right before the night: the public list, whom to call at each stage, who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.convocatoria.comprobacion import Comprobacion
from pregon.convocatoria.solicitud import contactos
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.publico.sitio import vigente
from pregon.instituto.registro import lista
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pregon.convocatoria.comprobacion import Estado
    from pregon.instituto.workspace import Workspace

_PREPARATORIA = {"ine-2021": "INE-VI-a-ii", "gro-2021": "GRO-5.4", "dgo-2024": "DGO-III-5"}
"""The clause that asks for a technical contact of each stage."""


def todo(workspace: Workspace, environment: Mapping[str, str]) -> Iterator[Comprobacion]:
    """Every check of the people."""
    registro = Registro(workspace, entorno=environment)
    yield _list(workspace, registro)
    yield from _contacts(workspace, registro)
    yield _channels(workspace)
    yield _unregistered(workspace, registro)


def _list(workspace: Workspace, registro: Registro) -> Comprobacion:
    call = workspace.convocatoria
    listed = [one for one in registro.vigilables() if lista.como(call, one) is not None]
    where, public = workspace.settings.opera.lista, workspace.settings.publico.carpeta
    since = lista.abre(call)
    state: Estado = "bien"
    told, mend = f"{len(listed)} difusores en la lista", None
    if not listed:
        state, told, mend = "falla", "ningún difusor inscrito", "Inscríbalos con «pregon instituto difusor alta»."
    elif where is None and public is None:
        state, mend = "aviso", "Escriba «carpeta» en [publico] o «lista» en [opera], o publíquela a mano."
        told += "; no se dijo dónde se escribe"
    elif since is not None and workspace.clock.now() < since:
        state, told = "aviso", f"{told}; se abre el {since.astimezone(call.zona):%d/%m/%Y}"
        mend = "Antes de ese día no se publica."
    elif where is not None and not (workspace.folder / where / lista.PAGINA).is_file():
        state, mend = "falla", "Escríbala ya: «pregon instituto lista-publica»; después «opera» la mantiene."
        told += "; aún no se escribe"
    elif public is not None and vigente(workspace.folder / public) is None:
        state, mend = "falla", "Escríbala ya: «pregon instituto publica»; después «opera» la mantiene."
        told += "; aún no se escribe"
    return Comprobacion("LISTA", None, "La lista pública está lista", told, "publicada, con todos", state, mend)


def _contacts(workspace: Workspace, registro: Registro) -> Iterator[Comprobacion]:
    clause = _PREPARATORIA.get(workspace.convocatoria.id)
    for one in registro.vigilables():
        try:
            form = registro.ficha(one.id)
        except PregonError as exc:
            yield Comprobacion(
                "CONTACTOS",
                clause,
                f"Hay a quién llamar en {one.nombre}",
                exc.que_paso,
                "uno por etapa",
                "falla",
                exc.que_hacer,
            )
            continue
        missing = contactos.sin_contacto(form, workspace.convocatoria)
        hours = contactos.horas_sin_contacto(form, workspace.convocatoria)
        state: Estado = "falla" if missing else "aviso" if hours else "bien"
        told = "contacto técnico en todas las etapas y a toda hora"
        if missing:
            told = f"sin contacto técnico en: {'; '.join(missing)}"
        elif hours:
            told = f"nadie contesta a las {', '.join(f'{hour:02d}' for hour in hours)} h"
        yield Comprobacion(
            "CONTACTOS",
            clause,
            f"Hay a quién llamar en {one.nombre}",
            told,
            "uno por etapa, toda la noche",
            state,
            None if state == "bien" else "Complete su ficha con «pregon instituto difusor cambia».",
        )


def _channels(workspace: Workspace) -> Comprobacion:
    told = sorted({one.canal for one in workspace.settings.notifica})
    short = Proceso(workspace).sin_dos_canales()
    state: Estado = "falla" if not told else "aviso" if short else "bien"
    mend = None
    text = f"se avisa por {', '.join(told)}" if told else "ningún canal"
    if not told:
        mend = "Escriba [[notifica]] en instituto.toml: sin él nadie se entera de una alarma."
    elif short:
        text += f"; por un solo canal: {', '.join(short)}"
        mend = "A cada difusor se le advierte por dos canales: complete sus contactos, o [[proceso.canal]]."
    return Comprobacion("CANALES", None, "Las alarmas y las advertencias llegan", text, "dos canales", state, mend)


def _unregistered(workspace: Workspace, registro: Registro) -> Comprobacion:
    """INSCRITOS: who gets the cuts is in the registry, and who is in the registry gets the cuts."""
    nodes = {one.difusor for one in workspace.settings.destino}
    known = {one.id for one in registro.vigilables()}
    # An own store from which many read is a destination and no difusor.
    stores = {one.difusor for one in workspace.settings.destino if one.almacen}
    alone, without = sorted(nodes - known - stores), sorted(known - nodes)
    named = (("sin ficha", alone), ("sin [[destino]]", without))
    parts = [f"{what}: {', '.join(who)}" for what, who in named if who]
    return Comprobacion(
        "INSCRITOS",
        None,
        "El registro y los destinos nombran a los mismos",
        "; ".join(parts) or f"{len(known)} difusores",
        "los mismos",
        "falla" if parts else "bien",
        "Inscriba a unos y escriba la tabla [[destino]] de los otros." if parts else None,
    )
