"""Warnings: written once, sent by every channel that reaches the difusor, and what each one answered.

For each try the journal has the intention, then the answer. Whoever dies between the two does not know whether it
arrived: that is noted (``en_duda``) and it is sent again with the same id, which is the mail's ``Message-ID``, so that
nothing is lost and who receives it twice sees that it is the same one.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pregon.base.clock import SystemClock
from pregon.base.errors import PregonError
from pregon.base.hilos import each
from pregon.instituto.proceso import textos
from pregon.instituto.proceso.ajustes import CanalDifusor
from pregon.instituto.proceso.regla import regla_de
from pregon.notifica.canal import abre
from pregon.notifica.mensaje import Mensaje

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pregon.base.estado import Estado
    from pregon.convocatoria.solicitud.modelo import Contacto
    from pregon.instituto.proceso.diario import Advertencia, Diario, Envio, OrdenDifusor
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.proceso.regla import Regla
    from pregon.instituto.registro.almacen import Registro
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.ajustes import AjustesCanal

ESPERAS_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0)
"""After each failed try of one channel, the last one for ever; of the workspace's clock."""
VIDA: Final = timedelta(hours=2)
"""What could not be delivered for so long warns of nothing any more; that it was not stays in the journal."""
_logger = logging.getLogger(__name__)

CANALES_MIN: Final = 2
"""Kinds of channel by which a warning goes."""
LUGARES: Final = 16
"""Places (a mail server, a webhook) that are delivered to at once, so that one that hangs delays no other."""
A_LA_VEZ: Final = 4
"""Deliveries at once to one place."""
LENTA_S: Final = 5.0
"""A failure that took longer is of the place: the others to it are left for the next time."""
PLAZO_S: Final = 20.0
"""After so long no more are begun: with one that hangs for its own limit, the whole stays within a minute."""
CONTACTOS_MAX: Final = 5
"""People that one warning is mailed to."""
CODIGO: Final = "ADVERTENCIA"


@dataclass(frozen=True)
class Via:
    """One way to a difusor. ``nombre`` is what the journal calls it; ``contacto``: which of ``con_correo`` (from 0) it
    is mailed to, None where the channel itself says who reads it."""

    nombre: str
    ajustes: AjustesCanal
    contacto: int | None = None

    @property
    def directa(self) -> bool:
        """Whether it ends at the difusor itself, and not at the institute's guard or in a log."""
        return self.contacto is not None or isinstance(self.ajustes, CanalDifusor)


def vias(workspace: Workspace, difusor: str, personas: int) -> tuple[Via, ...]:
    """The ways to ``difusor``: a mail to each of its ``personas``, its own channels, then the institute's other ones.

    Whoever reads the institute's own (a webhook that calls by telephone, a syslog) gets the contacts or not: see
    ``texto_para``.
    """
    found: list[Via] = []
    for one in workspace.settings.notifica:
        if one.canal == "correo":
            found += [Via(f"{one.nombre}, contacto {n + 1}", one, n) for n in range(personas)]
    found += [
        Via(f"{one.nombre} (del difusor)", one) for one in workspace.settings.proceso.canal if one.difusor == difusor
    ]
    found += [Via(one.nombre, one) for one in workspace.settings.notifica if one.canal != "correo"]
    return tuple(_told_apart(found))


def con_correo(personas: Iterable[Contacto]) -> tuple[Contacto, ...]:
    """Those who can be mailed, technical staff first, in an order that does not change with the hour."""
    order = sorted(personas, key=lambda one: (one.papel != "tecnico", one.nombre))
    return tuple(one for one in order if one.correo is not None)[:CONTACTOS_MAX]


def cuantos(registro: Registro, difusor: str, hora: datetime) -> int:
    """How many people of a difusor are mailed. Without the key of the registry one is waited for."""
    try:
        return len(con_correo(registro.contactos(difusor, hora)))
    except PregonError:
        return 1


def clases(found: Sequence[Via]) -> frozenset[str]:
    """The different kinds of channel among them: a warning goes by two at least."""
    return frozenset(one.ajustes.canal for one in found)


def identificador(difusor: str, periodo: int) -> str:
    """The id of the warning for one slot: the same whoever writes it and however often."""
    return f"A{periodo:04d}-{difusor}"


def de_orden(orden: OrdenDifusor) -> str:
    """The id of the word of an order."""
    return f"{orden.id}-{orden.difusor}"


def redacta(
    workspace: Workspace,
    state: Estado,
    cierre: Cierre,
    cuenta: int,
    regla: Regla,
    *,
    nombre: str,
    personas: int,
    huellas: Sequence[str] = (),
) -> str:
    """Write in the journal the warning for a failed slot, to be sent by ``envia``; its id."""
    ident = identificador(cierre.difusor, cierre.periodo)
    ways = vias(workspace, cierre.difusor, personas)
    text = textos.advertencia(
        ident,
        nombre,
        cierre,
        cuenta,
        regla,
        workspace.convocatoria,
        contacto=workspace.settings.proceso.contacto,
        huellas=huellas,
    )
    state.record(
        "advertencia",
        fase="redactada",
        id=ident,
        difusor=cierre.difusor,
        periodo=cierre.periodo,
        corte=cierre.corte,
        cuenta=cuenta,
        motivos=list(cierre.motivos),
        porque=cierre.porque,
        evidencia=list(cierre.evidencia),
        huellas=list(huellas),
        clausula=regla.clausula,
        contacto=workspace.settings.proceso.contacto,
        titulo=textos.titulo(nombre, cuenta, regla),
        texto=text,
        canales=[one.nombre for one in ways],
        directos=[one.nombre for one in ways if one.directa],
    )
    return ident


def redacta_orden(workspace: Workspace, state: Estado, orden: OrdenDifusor, *, nombre: str, personas: int) -> str:
    """Write in the journal the word to a difusor of an order that is carried out; its id. It is sent as a warning."""
    ident, ways = de_orden(orden), vias(workspace, orden.difusor, personas)
    state.record(
        "advertencia",
        fase="redactada",
        id=ident,
        difusor=orden.difusor,
        periodo=None,
        corte=None,
        cuenta=orden.cuenta,
        motivos=[],
        porque=orden.porque,
        evidencia=[],
        huellas=[],
        clausula=orden.clausula,
        contacto=workspace.settings.proceso.contacto,
        titulo=f"Orden {orden.id}: {textos.ACCIONES[orden.accion]} a {nombre}",
        texto=textos.orden(
            orden,
            nombre,
            workspace.convocatoria,
            workspace.settings.proceso.contacto,
            regresa=regla_de(workspace.convocatoria).regresa,
        ),
        canales=[one.nombre for one in ways],
        directos=[one.nombre for one in ways if one.directa],
    )
    return ident


def por_enviar(diario: Diario, ahora: datetime) -> Iterator[tuple[Advertencia, str, Envio]]:
    """The deliveries that are to be tried at ``ahora``, oldest warning first."""
    for one in diario.advertencias.values():
        for name, delivery in one.envios.items():
            if not delivery.acabado and (delivery.fase != "fallo" or _due(delivery, ahora)):
                yield one, name, delivery


def envia(
    workspace: Workspace,
    state: Estado,
    diario: Diario,
    contactos: Callable[[str], Sequence[Contacto]],
) -> int:
    """Try every delivery that is due, several at once; how many were accepted. A failure is noted and raises nothing.

    ``contactos``: the people of a difusor, first whom to call now.
    """
    now = workspace.clock.now()
    places: dict[str, list[tuple[Advertencia, str]]] = {}
    for warning, name, delivery in por_enviar(diario, now):
        if delivery.fase == "enviando":
            _note(state, warning, name, "en_duda")
        if now - warning.hora >= VIDA:
            _note(state, warning, name, "perdida", f"no se pudo entregar en {VIDA / timedelta(hours=1):g} horas")
            continue
        places.setdefault(_place(name), []).append((warning, name))
    people = {who: _quietly(contactos, who) for who in {one.difusor for work in places.values() for one, _ in work}}
    taken: list[str] = []

    def by_place(work: list[tuple[Advertencia, str]]) -> None:
        real, slow = SystemClock(), threading.Event()
        since = real.monotonic()

        def one_of(item: tuple[Advertencia, str]) -> None:
            warning, name = item
            begun = real.monotonic()
            if slow.is_set() or begun - since > PLAZO_S:
                return  # The next time: who calls this has other things to do within the minute.
            if _delivers(workspace, state, warning, name, people[warning.difusor]):
                taken.append(name)
            elif real.monotonic() - begun > LENTA_S:
                slow.set()

        each(one_of, work, hilos=A_LA_VEZ, pocos=1)

    each(by_place, places.values(), hilos=LUGARES, pocos=1)
    diario.lee(state)
    return len(taken)


def texto_para(via: Via, texto: str, personas: Sequence[Contacto]) -> str:
    """What goes by one way: only a webhook of the institute's own carries whom to call, because who reads it calls
    (GRO-3.2). It is confidential (INE-V-b): neither a log nor another difusor's mail has it."""
    if via.ajustes.canal != "webhook" or via.directa or not personas:
        return texto
    cards = (
        ", ".join(filter(None, (one.nombre, one.cargo, one.telefono, one.celular, one.correo))) for one in personas
    )
    return "\n".join((texto, "", "A quién llamar:", *(f"  {card}" for card in cards)))


def _delivers(
    workspace: Workspace,
    state: Estado,
    warning: Advertencia,
    name: str,
    personas: Sequence[Contacto] | PregonError,
) -> bool:
    known = () if isinstance(personas, PregonError) else personas
    mailed = con_correo(known)
    # Without the key of the registry nobody knows how many they are: none is taken for gone.
    how_many = CONTACTOS_MAX if isinstance(personas, PregonError) else len(mailed)
    way = next((one for one in vias(workspace, warning.difusor, how_many) if one.nombre == name), None)
    if way is None:
        _note(state, warning, name, "perdida", "ese canal ya no está en los ajustes ni en el registro")
        return False
    settings = way.ajustes
    if way.contacto is not None:
        mailbox = mailed[way.contacto].correo if way.contacto < len(mailed) else None
        if mailbox is None:
            why = personas.que_paso if isinstance(personas, PregonError) else "el difusor no tiene ese contacto"
            _note(state, warning, name, "fallo", why)
            return False
        settings = settings.model_copy(update={"para": (mailbox,)})
    message = Mensaje(
        codigo=CODIGO,
        severidad="alarma",
        titulo=warning.titulo,
        texto=texto_para(way, warning.texto, known),
        hora=warning.hora,
        origen=workspace.convocatoria.instituto,
        clave=warning.id,
    )
    _note(state, warning, name, "enviando")
    try:
        # The machine's own clock signs a webhook: who receives it lives in the world's time, in a simulacro too.
        abre(settings, workspace.folder, SystemClock()).envia(message)
    except PregonError as exc:
        why = _sin_direcciones(exc.que_paso, settings.para)
        # Also what was refused: an operator who corrects a password or an address is in time.
        _note(state, warning, name, "fallo", why)
        return False
    except Exception as exc:
        # The border of the thread: a bug in one channel must not keep the others from being delivered to.
        _logger.exception("falla interna al advertir por %s", settings.nombre)
        _note(state, warning, name, "fallo", f"falla interna: {type(exc).__name__}")
        return False
    _note(state, warning, name, "aceptada")
    return True


def _note(state: Estado, warning: Advertencia, name: str, fase: str, que_paso: str | None = None) -> None:
    state.record(CODIGO.lower(), fase=fase, id=warning.id, difusor=warning.difusor, canal=name, que_paso=que_paso)


def _sin_direcciones(que_paso: str, buzones: Sequence[str]) -> str:
    """What a mail server answered without the address that it repeats: the journal has nothing confidential."""
    for one in buzones:
        que_paso = re.sub(re.escape(one), "su dirección", que_paso, flags=re.IGNORECASE)
    return que_paso


def _place(name: str) -> str:
    return name.partition(", contacto ")[0]


def _due(delivery: Envio, ahora: datetime) -> bool:
    if delivery.hora is None:
        return True
    wait = ESPERAS_S[min(delivery.intentos, len(ESPERAS_S)) - 1] if delivery.intentos else ESPERAS_S[0]
    return (ahora - delivery.hora).total_seconds() >= wait


def _told_apart(found: Sequence[Via]) -> Iterator[Via]:
    """The ways with names that are not repeated: two gateways may be at one host."""
    seen: dict[str, int] = {}
    for one in found:
        times = seen[one.nombre] = seen.get(one.nombre, 0) + 1
        yield one if times == 1 else Via(f"{one.nombre} [{times}]", one.ajustes, one.contacto)


def _quietly(contactos: Callable[[str], Sequence[Contacto]], difusor: str) -> Sequence[Contacto] | PregonError:
    try:
        return contactos(difusor)
    except PregonError as exc:
        return exc
