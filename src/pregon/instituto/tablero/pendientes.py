"""What asks for a person now, gravest and oldest first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pregon.instituto.bitacora.frases import ACCIONES
from pregon.instituto.tablero.modelo import Pendiente

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pregon.base.state import Event
    from pregon.instituto.proceso.diario import Advertencia, Diario, OrdenDifusor
    from pregon.instituto.tablero.modelo import AlarmaVigente, Noche, Punto, Renglon, Tono

DICHAS: Final = frozenset({"CORTE_RETRASADO", "PUNTOS"})
"""Alarms whose subject is in the list by itself."""
_TONOS: Final[dict[Tono, int]] = {"mal": 0, "ojo": 1, "bien": 2, "calma": 3}


@dataclass(frozen=True, kw_only=True)
class Hechos:
    """What the list is made of. ``rechazos``: of each node, its refusal since its last good acuse.

    ``rondas`` and ``vida``: since when nobody looks at the difusores and the service of the night gives no sign of
    life; None where they do.
    """

    noche: Noche
    renglones: Sequence[Renglon]
    puntos: Sequence[Punto]
    alarmas: Sequence[AlarmaVigente]
    diario: Diario
    rechazos: Sequence[Event]
    rondas: datetime | None = None
    vida: datetime | None = None


def de(hechos: Hechos, nombre: Callable[[str], str], ahora: datetime) -> tuple[Pendiente, ...]:
    """The list. ``nombre``: how people call a difusor, by its id."""
    noche, diario = hechos.noche, hechos.diario
    found: list[Pendiente] = []
    if noche.debe_desde is not None:
        found.append(
            Pendiente(
                id="corte/debido",
                clase="corte",
                ref="debido",
                texto="El instituto debe un corte: no está firmado a su hora.",
                que_hacer="Revise de dónde vienen sus archivos o su base; los portales dicen que se retrasa.",
                desde=noche.debe_desde,
                tono="mal",
            )
        )
    found += [_order(one, nombre) for one in diario.ordenes.values() if one.fase in ("propuesta", "confirmada")]
    found += [made for one in diario.advertencias.values() if (made := _warning(one, nombre)) is not None]
    found += [
        _altered(one, ahora) for one in hechos.renglones if one.veredicto == "alterado" and one.causa == "difusor"
    ]
    if hechos.rondas is not None:
        found.append(_stopped("rondas", hechos.rondas, "Nadie mira a los difusores: no hay rondas nuevas."))
    if hechos.vida is not None:
        found.append(_stopped("vida", hechos.vida, "El servicio de la noche no da señales de vida."))
    # Where nobody makes rounds at all, no point in telling of each.
    points = () if hechos.rondas is not None else hechos.puntos
    found += [_point(one, ahora) for one in points if one.calla or (one.visto is not None and not one.con_red)]
    found += [_refusal(one, nombre) for one in hechos.rechazos]
    found += [_alarm(one) for one in hechos.alarmas if one.codigo not in DICHAS]
    return tuple(sorted(found, key=lambda one: (_TONOS[one.tono], one.desde, one.id)))


def _stopped(ref: str, desde: datetime, texto: str) -> Pendiente:
    return Pendiente(
        id=f"servicio/{ref}",
        clase="servicio",
        ref=ref,
        texto=texto,
        que_hacer="Revise «pregon instituto opera» en la máquina que tiene la noche.",
        desde=desde,
        tono="mal",
    )


def _order(one: OrdenDifusor, nombre: Callable[[str], str]) -> Pendiente:
    what, name = ACCIONES.get(one.accion, one.accion), nombre(one.difusor)
    if one.fase == "confirmada":
        text, do = f"Se cumple la orden {one.id}: {what} a {name}.", "Espere; si no avanza, revise la llave «avisos»."
    else:
        text, do = (
            f"Se propone {what} a {name}: {one.porque} ({one.clausula}).",
            "Confírmela o descártela, con su motivo.",
        )
    return Pendiente(
        id=f"orden/{one.id}",
        clase="orden",
        ref=one.id,
        texto=text,
        que_hacer=do,
        desde=one.decidida or one.hora,
        tono="mal" if one.fase == "propuesta" and one.accion != "regreso" else "ojo",
        difusor=one.difusor,
    )


def _warning(one: Advertencia, nombre: Callable[[str], str]) -> Pendiente | None:
    if one.llego:
        return None
    doubt = [name for name, sent in one.envios.items() if sent.fase == "en_duda"]
    lost = [name for name, sent in one.envios.items() if sent.fase == "perdida"]
    if not doubt and not lost:
        return None
    said = "No se sabe si llegó" if doubt else "No se pudo entregar"
    return Pendiente(
        id=f"advertencia/{one.id}",
        clase="advertencia",
        ref=one.id,
        texto=f"{said} la comunicación {one.id} a {nombre(one.difusor)} ({', '.join(doubt or lost)}).",
        que_hacer="Llame a su contacto técnico y anote la llamada.",
        desde=max((sent.hora for sent in one.envios.values() if sent.hora is not None), default=one.hora),
        tono="ojo",
        difusor=one.difusor,
    )


def _altered(one: Renglon, ahora: datetime) -> Pendiente:
    return Pendiente(
        id=f"difusor/{one.id}",
        clase="difusor",
        ref=one.id,
        texto=f"{one.nombre} muestra algo que el instituto no firmó.",
        que_hacer="Mire su evidencia; llámelo, y decida si se suspende.",
        desde=one.desde or ahora,
        tono="mal",
        difusor=one.id,
        corte=one.corte,
    )


def _point(one: Punto, ahora: datetime) -> Pendiente:
    said = "no se ha oído" if one.visto is None else "calla" if one.calla else "está sin su propia red"
    return Pendiente(
        id=f"punto/{one.nombre}",
        clase="punto",
        ref=one.nombre,
        texto=f"El punto de observación «{one.nombre}» {said}.",
        que_hacer="Revise su red y su servicio; mientras falte, el silencio de un difusor no se le achaca a él.",
        desde=one.visto or ahora,
        tono="ojo",
    )


def _refusal(one: Event, nombre: Callable[[str], str]) -> Pendiente:
    who, node = one.dato["difusor"], one.dato["nodo"]
    return Pendiente(
        id=f"nodo/{who}/{node}",
        clase="nodo",
        ref=f"{who}/{node}",
        texto=f"Se rechazan los acuses del nodo {node} de {nombre(who)} ({one.dato.get('codigo', '—')}).",
        que_hacer="Revise con el difusor la llave de sus acuses y su máquina.",
        desde=one.hora,
        tono="ojo",
        difusor=who,
    )


def _alarm(one: AlarmaVigente) -> Pendiente:
    return Pendiente(
        id=f"alarma/{one.codigo}",
        clase="alarma",
        ref=one.codigo,
        texto=f"{one.titulo}: {one.texto}",
        que_hacer=one.que_hacer,
        desde=one.desde,
        tono="mal" if one.grave else "ojo",
    )
