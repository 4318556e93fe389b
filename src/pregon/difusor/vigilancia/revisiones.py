"""What counts as wrong: pure functions of one look and the limits. Each names the codes that it can find."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import InstanciaError
from pregon.base.fechas import instante
from pregon.convocatoria.calendario import apremian
from pregon.difusor.decide import Estado
from pregon.difusor.integridad.barrido import CYCLE_PART
from pregon.difusor.reloj import VALID_FOR
from pregon.difusor.vigilancia.alarmas import Sintoma

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pregon.difusor.vigilancia.observa import Vista
    from pregon.difusor.workspace import Workspace

MB = 1_000_000
BARRIDOS = 3
"""Periods of the sweep without one that ended."""
ALTERADO_DURA = timedelta(hours=1)
"""How long an alteration that was found, and put right, is told."""
APARTADO_DURA = timedelta(hours=24)
"""How long a state database that was damaged, and made again, is told."""
NOMBRADAS = 5
"""Addresses that a text names."""
_FUERA_DE_LINEA = ("root", "targets")
_UN_DIA = timedelta(days=1)

Revision = tuple[tuple[str, ...], "Callable[[Vista, Workspace], Iterator[Sintoma]]"]


def _disco(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    limits = workspace.settings.vigilancia
    reserve = limits.disco_reserva_mb * MB
    detail = {"libre": vista.disco_libre, "reserva": int(reserve)}
    if vista.disco_libre < reserve:
        yield Sintoma(
            "DISCO", f"Quedan {_mb(vista.disco_libre)} libres y la reserva es de {_mb(reserve)}.", detalle=detail
        )
    # Some file systems (btrfs) count no inodes: then there are none to run out of.
    if vista.inodos and vista.inodos_libres < limits.inodos_reserva:
        yield Sintoma(
            "INODOS",
            f"Quedan {vista.inodos_libres:,} inodos libres y el límite es {limits.inodos_reserva:,}.",
            detalle={"libres": vista.inodos_libres},
        )


def _pronostico(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    forecast, reserve = vista.pronostico, workspace.settings.vigilancia.disco_reserva_mb * MB
    # Below the reserve it is too late for a forecast.
    if forecast is not None and forecast.cortes and reserve <= vista.disco_libre < forecast.falta + reserve:
        detail = {"libre": vista.disco_libre, "reserva": int(reserve), "falta": forecast.falta}
        yield Sintoma("DISCO_PRONTO", forecast.texto, detalle=detail)


def _memoria(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    limits = workspace.settings.vigilancia
    if vista.memoria_disponible is not None and vista.memoria_disponible < limits.memoria_min_mb * MB:
        yield Sintoma(
            "MEMORIA",
            f"El equipo tiene {_mb(vista.memoria_disponible)} disponibles y el límite es "
            f"{_mb(limits.memoria_min_mb * MB)}.",
            detalle={"disponible": vista.memoria_disponible},
        )
    if vista.memoria_propia is not None and vista.memoria_propia > limits.memoria_propia_max_mb * MB:
        yield Sintoma(
            "MEMORIA_PROPIA",
            f"Este proceso ocupa {_mb(vista.memoria_propia)} y el límite es {_mb(limits.memoria_propia_max_mb * MB)}.",
            detalle={"propia": vista.memoria_propia},
        )


def _reloj(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    settings, reading = workspace.settings.reloj, vista.reloj
    offset = None if reading is None else reading.desfase_s
    if offset is not None and not abs(offset) <= settings.max_desfase_s:
        yield Sintoma(
            "RELOJ",
            f"El reloj está a {offset:+.3f} s de su fuente y el límite es {settings.max_desfase_s:g} s.",
            detalle={"desfase_s": offset},
        )
    if settings.fuente != "ninguna":
        stale = reading is None or abs(vista.now - reading.hora) > VALID_FOR
        if offset is None or stale:
            when = "nunca se ha medido"
            if reading is not None:
                when = f"la última medición es del {instante(reading.hora, workspace.convocatoria.zona)}"
            why = f"{settings.fuente} no contesta o no está sincronizado" if not stale else when
            yield Sintoma("RELOJ_FUENTE", f"No se sabe si el reloj está en hora: {why}.")


def _salto(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    del workspace
    if vista.salto_s is not None:
        way = "adelante" if vista.salto_s > 0 else "atrás"
        yield Sintoma(
            "RELOJ_SALTO",
            f"La hora de este equipo saltó {abs(vista.salto_s):.1f} s hacia {way}.",
            detalle={"salto_s": vista.salto_s},
        )


def _bitacora(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    limits = workspace.settings.vigilancia
    detail = {"bytes": vista.bitacoras, "por_hora": vista.bitacora_por_hora}
    if vista.bitacora > limits.bitacora_max_mb * MB:
        yield Sintoma(
            "BITACORA",
            f"servidor/acceso.log mide {_mb(vista.bitacora)} y debió rotarse antes de "
            f"{_mb(limits.bitacora_max_mb * MB)}.",
            detalle=detail,
        )
    elif vista.bitacora_por_hora and vista.disco_libre / vista.bitacora_por_hora < limits.bitacora_horas:
        hours = vista.disco_libre / vista.bitacora_por_hora
        yield Sintoma(
            "BITACORA",
            f"Las bitácoras crecen {_mb(vista.bitacora_por_hora)} por hora: a ese paso el disco se llena en "
            f"{hours:.1f} h.",
            detalle=detail,
        )


def _cortes(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    decision, attempt = vista.decision, vista.intento
    if decision is not None and decision.estado is Estado.ATRASADO:
        yield Sintoma("ATRASADO", f"Se muestra el corte {decision.corte}. {decision.motivo}")
    if decision is not None and decision.estado is Estado.SUSPENDIDO:
        yield Sintoma("SUSPENDIDO", decision.motivo)
    if attempt is not None and attempt.get("codigo") is not None:
        when = datetime.fromisoformat(attempt["hora"]).astimezone(workspace.convocatoria.zona)
        why = attempt.get("que_paso")
        yield Sintoma(
            "INTENTO",
            f"El intento de las {when:%H:%M:%S} terminó en «{attempt.get('resultado')}», código {attempt['codigo']}"
            f"{'.' if why is None else f': {why}'}",
            detalle={"codigo": attempt["codigo"], "resultado": attempt.get("resultado")},
        )


def _barrido(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    period = timedelta(minutes=workspace.convocatoria.intervalo_min * CYCLE_PART)
    if vista.corte is not None and vista.barrido is not None and vista.now - vista.barrido > BARRIDOS * period:
        minutes = (vista.now - vista.barrido) // timedelta(minutes=1)
        yield Sintoma("BARRIDO_VENCIDO", f"Hace {minutes:,} min que no se comprueba entero lo publicado.")
    altered = vista.alterado
    if altered is not None and abs(vista.now - datetime.fromisoformat(altered["hora"])) <= ALTERADO_DURA:
        yield Sintoma(
            "ALTERADO",
            f"El barrido encontró {altered['total']} alteraciones en total; la última, {altered['ruta']}, el "
            f"{instante(altered['hora'], workspace.convocatoria.zona)}.",
            detalle={"total": altered["total"], "ruta": altered["ruta"]},
        )
    if vista.retirados:
        more = "…" if len(vista.retirados) > NOMBRADAS else ""
        yield Sintoma(
            "RETIRADO",
            f"No se sirven {len(vista.retirados)} direcciones: {', '.join(vista.retirados[:NOMBRADAS])}{more}.",
            detalle={"rutas": len(vista.retirados)},
        )


def _estado(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    found = vista.apartado
    if found is not None and abs(vista.now - datetime.fromisoformat(found["hora"])) <= APARTADO_DURA:
        where = "ya no estaba" if found["archivo"] is None else f"quedó como {found['archivo']}"
        when = instante(found["hora"], workspace.convocatoria.zona)
        yield Sintoma("ESTADO_REHECHO", f"La base de estado se rehízo el {when}; la anterior {where}.")


def _acuses(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    waits = vista.acuses_espera_s
    if waits is not None and waits > workspace.settings.vigilancia.acuses_min * 60:
        yield Sintoma(
            "ACUSES",
            f"Hay {vista.acuses_pendientes} acuses sin entregar; el más antiguo espera desde hace "
            f"{waits / 60:.0f} min.",
            detalle={"pendientes": vista.acuses_pendientes},
        )


def _nube(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    """Each target is told by its name; one that is left behind says since when, and why where it knows."""
    late, margin = [], timedelta(minutes=workspace.settings.vigilancia.nube_min)
    for each in vista.nube:
        since = each.pedido_desde if each.error is None else min(each.error.desde, each.pedido_desde or vista.now)
        replaced = each.error is not None and each.error.codigo == InstanciaError.codigo  # It will not mend by itself.
        if since is not None and (replaced or vista.now - since > margin):
            late.append((each, since))
    if late:
        said = "; ".join(
            f"«{each.nombre}» no está al día desde las {since.astimezone(workspace.convocatoria.zona):%H:%M:%S}; "
            f"muestra {each.muestra or 'nada todavía'}"
            + ("" if each.error is None else f" ({each.error.codigo}: {each.error.que_paso})")
            for each, since in late
        )
        yield Sintoma("NUBE", f"{said}.", detalle={"nombres": [each.nombre for each, _ in late]})


def _servidor(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    del workspace
    if vista.servidor is False:
        yield Sintoma("SERVIDOR", "No hay quien atienda el portal en este equipo.")


def _plazos(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    limits = workspace.settings.vigilancia
    # The closing cut of a call without an end of permanence (MOR-gap) is signed as any other: nobody signs it again.
    over = vista.decision is not None and vista.decision.estado is Estado.CERRADO
    lasts = over and workspace.convocatoria.permanencia_hasta is None
    due = []
    for role, until in vista.vigencias.items():
        if lasts and role not in _FUERA_DE_LINEA:
            continue
        if role in _FUERA_DE_LINEA:
            margin = timedelta(days=limits.vigencia_dias)
        else:
            # The timestamp is signed anew at each cut: before its end it says nothing.
            margin = timedelta() if role == "timestamp" else _UN_DIA
        if until - vista.now <= margin:
            due.append((role, until))
    if due:
        names = ", ".join(
            f"{role} ({'venció' if until <= vista.now else 'vence'} el {instante(until, workspace.convocatoria.zona)})"
            for role, until in due
        )
        late = any(until <= vista.now for _, until in due)
        yield Sintoma(
            "VIGENCIA", f"Firmas: {names}.", "alarma" if late else "aviso", {"roles": [role for role, _ in due]}
        )
    end = workspace.convocatoria.permanencia_hasta
    if end is not None and timedelta() < end - vista.now <= timedelta(days=limits.permanencia_dias):
        last = instante(end, workspace.convocatoria.zona)
        yield Sintoma("PERMANENCIA", f"El portal debe seguir hasta el {last}; después puede retirarse.")


def _calendario(vista: Vista, workspace: Workspace) -> Iterator[Sintoma]:
    """What the call asks of the difusor before the start. From then on the night is what matters, and the report of
    after it is due weeks later: whoever holds the night is not told of papers."""
    call = workspace.convocatoria
    due = () if vista.now >= call.inicio else apremian(call, vista.now)
    if due:
        text = "; ".join(f"{one.que}, {one.cuando()}" for one in due)
        yield Sintoma("PLAZO", f"{text}.", detalle={"claves": [one.clave for one in due]})


def de_equipo() -> tuple[Revision, ...]:
    """The checks that need no memory, each with the codes that it may find."""
    return (
        (("DISCO", "INODOS"), _disco),
        (("MEMORIA", "MEMORIA_PROPIA"), _memoria),
        (("RELOJ_SALTO",), _salto),
        (("BITACORA",), _bitacora),
        (("SERVIDOR",), _servidor),
        (("VIGENCIA", "PERMANENCIA"), _plazos),
        (("PLAZO",), _calendario),
    )


def de_memoria() -> tuple[Revision, ...]:
    """The checks of what the state database says."""
    return (
        (("DISCO_PRONTO",), _pronostico),
        (("RELOJ", "RELOJ_FUENTE"), _reloj),
        (("ATRASADO", "SUSPENDIDO", "INTENTO"), _cortes),
        (("BARRIDO_VENCIDO", "ALTERADO", "RETIRADO"), _barrido),
        (("ESTADO_REHECHO",), _estado),
        (("ACUSES",), _acuses),
        (("NUBE",), _nube),
    )


def _mb(size: float) -> str:
    return f"{size / MB:,.0f} MB"
