"""What a difusor says of itself: ``estado`` (design §7) and the list of its cuts. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.fechas import instante
from pregon.base.space import free_bytes
from pregon.difusor import pointer
from pregon.difusor.decide import Decision, Estado, decide, overdue_at
from pregon.difusor.nube.estado import estados
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.situacion import situation_of
from pregon.difusor.vigilancia.alarmas import leidas

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.decide import Situacion
    from pregon.difusor.libro import Libro
    from pregon.difusor.nube.estado import EstadoNube
    from pregon.difusor.workspace import Workspace


MAX_NAMED = 5
"""Withdrawn addresses that a warning names."""


def estado(workspace: Workspace, libro: Libro, now: datetime) -> dict[str, Any]:
    """The object of ``difusor estado --json``: the keys of design §7 and ``nube``, a row for each target of it.

    ``estado`` is what the public sees now, by the pointer: what is due but not yet switched is not said. ``desde`` is
    since when. ``avisos`` are codes that ask for the administrator's attention, each with its text.
    """
    situation = situation_of(workspace, libro, now)
    decision = decide(situation)
    public = pointer.read(workspace)
    number = pointer.release_number(public or "")
    shown = next((cut for cut in libro.cortes() if cut.corte == number), None)
    state = _visible_state(decision, public)
    reading = libro.reloj
    url = public_url(workspace)
    clouds = estados(workspace, libro)
    return {
        "convocatoria": workspace.convocatoria.id,
        "ambiente": workspace.settings.ambiente,
        "estado": str(state),
        "corte": None if shown is None else _cut(shown),
        "desde": _text(_since(state, situation, libro)),
        "ultimo_intento": {key: (libro.intento or {}).get(key) for key in ("hora", "resultado", "codigo")},
        "reloj": {
            "fuente": workspace.settings.reloj.fuente,
            "desfase_s": None if reading is None else reading.desfase_s,
            "fiable": situation.reloj_fiable,
        },
        "urls": [] if url is None else [url],
        "disco_libre": free_bytes(workspace.folder),
        "avisos": _warnings(decision, public, libro, clouds, workspace.convocatoria.zona),
        "nube": [each.dicho() for each in clouds],
    }


def _visible_state(decision: Decision, public: str | None) -> Estado:
    if public == pointer.AVISO:
        return Estado.SUSPENDIDO
    if public is None or public == pointer.ESPERA:
        return Estado.ESPERA
    return decision.estado if decision.corte is not None else Estado.PUBLICADO


def _since(state: Estado, situation: Situacion, libro: Libro) -> datetime | None:
    if state is Estado.ESPERA:
        return libro.inicio
    if state is Estado.SUSPENDIDO and libro.interrupcion is not None:
        return libro.interrupcion.hora
    if state is Estado.ATRASADO and situation.corte is not None:
        return overdue_at(situation.corte, situation.tiempos)
    return libro.desde


def _warnings(
    decision: Decision, public: str | None, libro: Libro, clouds: tuple[EstadoNube, ...], zona: ZoneInfo
) -> list[dict[str, str]]:
    found = []
    attempt = libro.intento
    if attempt is not None and attempt["codigo"] is not None:
        why = attempt.get("que_paso")  # One that an earlier program noted has none.
        text = f"El último intento de recibir un corte falló{'.' if why is None else f': {why}'}"
        found.append({"codigo": attempt["codigo"], "texto": text})
    if decision.estado is Estado.ATRASADO:
        found.append({"codigo": "ATRASADO", "texto": decision.motivo})
    if decision.estado is Estado.ESPERA and decision.revisa is None and libro.ultimo() is not None:
        found.append({"codigo": "RELOJ", "texto": decision.motivo})
    found.extend(_notices(libro))
    found.extend(_alterations(libro, zona))
    found.extend(_set_aside(libro, zona))
    due = None if decision.corte is None else pointer.release_name(decision.corte)
    if due is not None and due != public:
        found.append({"codigo": "PENDIENTE", "texto": f"El corte {decision.corte} está listo y aún no se publica."})
    found.extend(
        {"codigo": "NUBE", "texto": f"La nube «{each.nombre}» falla ({each.error.codigo}): {each.error.que_paso}"}
        for each in clouds
        if each.error is not None
    )
    found.extend(
        {"codigo": "NUBE", "texto": f"Los originales no llegan a la nube «{each.nombre}»: {each.historial['que_paso']}"}
        for each in clouds
        if each.historial is not None
    )
    told = {each["codigo"] for each in found}
    alarms = leidas(libro.alarmas)
    found.extend({"codigo": each.codigo, "texto": each.texto} for each in alarms if each.codigo not in told)
    return found


def _set_aside(libro: Libro, zona: ZoneInfo) -> list[dict[str, str]]:
    """A state database that was damaged, and what a person must do."""
    found = libro.apartado
    if found is None:
        return []
    where = "ya no estaba" if found["archivo"] is None else f"quedó aparte como {found['archivo']}"
    text = (
        f"La base de estado se rehízo el {instante(found['hora'], zona)} con los cortes guardados; la anterior "
        f"{where}. Motivo: {found['motivo']} Revise el disco de este equipo."
    )
    return [{"codigo": "ESTADO", "texto": text}]


def _notices(libro: Libro) -> list[dict[str, str]]:
    """What the institute's notices ask, what of them could not be read, and periods that ran out."""
    found = []
    dicho = libro.dicho
    interruption = dicho.interrupcion
    if interruption is not None:
        words = "" if interruption.texto is None else f" Dice: «{interruption.texto}»."
        back = (
            "Volverá solo con el siguiente corte verificado: revise el enlace con el instituto."
            if interruption.causa == "periodos"
            else "Volverá cuando el instituto firme la reinstalación y se tenga su corte más reciente."
        )
        text = f"{interruption.motivo} El portal muestra la página de aviso.{words} {back}"
        found.append({"codigo": interruption.causa.upper(), "texto": text})
    delays = (f"El instituto anunció un retraso: «{aviso.texto}»." for aviso in dicho.retrasos)
    found.extend({"codigo": "RETRASO", "texto": text} for text in delays)
    for seen in libro.avisos():
        if seen.problema is not None:
            found.append({"codigo": "AVISO", "texto": f"{seen.problema} No tuvo efecto; pregunte al instituto."})
        if seen.otro is not None:
            text = f"El aviso {seen.n:06d} cambió después de leerse. Vale el primero; pregunte al instituto."
            found.append({"codigo": "AVISO_CAMBIADO", "texto": text})
    trouble = libro.avisos_problema
    if trouble is not None:
        text = f"Hay avisos del instituto que no se pueden leer ({trouble['codigo']}): {trouble['que_paso']}"
        found.append({"codigo": "AVISOS", "texto": text})
    return found


def _alterations(libro: Libro, zona: ZoneInfo) -> list[dict[str, str]]:
    """What the sweep found altered, put right or not, and what a person must do."""
    found = []
    altered, withdrawn = libro.alterado, libro.retirados
    if altered is not None:
        text = (
            f"Alguien alteró lo publicado ({altered['total']} hallazgos; el último, {altered['ruta']}, el "
            f"{instante(altered['hora'], zona)}). Lo que se pudo se repuso. Revise quién entra a este equipo y "
            "conserve estado.sqlite."
        )
        found.append({"codigo": "ALTERADO", "texto": text})
    if withdrawn:
        text = (
            f"Direcciones que no se sirven ({len(withdrawn)}) porque se alteraron su contenido y el original guardado: "
            f"{', '.join(withdrawn[:MAX_NAMED])}{'…' if len(withdrawn) > MAX_NAMED else ''}. Ponga en historico/ el "
            "archivo original del corte, copiado del instituto o de otro difusor; se reponen solas."
        )
        found.append({"codigo": "RETIRADO", "texto": text})
    return found


def _cut(cut: Aceptado) -> dict[str, Any]:
    return {
        "numero": cut.corte,
        "hora_corte": cut.hora_corte.isoformat(),
        "manifiesto_sha256": cut.sha256,
        "prueba": cut.prueba,
    }


def cortes(libro: Libro) -> list[dict[str, Any]]:
    """Every accepted cut, oldest first: the keys of ``estado.corte``, when it was signed and received, if last."""
    return [
        {
            **_cut(cut),
            "firmado": _text(cut.firmado),
            "recibido": cut.recibido.isoformat(),
            "ultimo": cut.ultimo,
            "publicado": cut.corte == libro.publicado,
        }
        for cut in libro.cortes()
    ]


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
