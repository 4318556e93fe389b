"""What of the difusores must be right before the night: each reached, with the dry cut, its clock right, its portal."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.errors import InstanciaError, PregonError
from pregon.convocatoria.comprobacion import Comprobacion
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.entrega.memoria import ENTREGADO
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.instituto.entrega.recoleccion import collect_all
from pregon.instituto.monitor.almacen import Almacen
from pregon.instituto.opera.noche import CANDADO
from pregon.instituto.opera.vigilancia import Vigilancia

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Estado
    from pregon.instituto.entrega.corrida import Linea
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.workspace import Workspace
    from pregon.trust.acuse import Acuse

ESPERA_S = 60.0
"""How long the acuses of the dry cut are waited for."""
CADA_S = 1.0
PAGINA = 1000
RECIENTE = timedelta(minutes=5)
"""Where the night's service runs already, its last rounds are read instead of making another."""


def alcanzados(workspace: Workspace, environment: Mapping[str, str]) -> list[Comprobacion]:
    """DESTINO: what is signed now is delivered to every node, through its own carrier, with its own keys."""
    pushed = [one for one in workspace.settings.destino if one.empuja and not one.pausado]
    if not workspace.settings.destino:
        return [
            Comprobacion(
                "DESTINO",
                None,
                "Hay difusores a quienes entregar",
                "ninguna tabla [[destino]]",
                "al menos uno",
                "falla",
                "Escriba los destinos en instituto.toml (docs/operacion/entrega.md).",
            )
        ]
    lines: Sequence[Linea] = Corrida(workspace, environment).run() if pushed else ()
    found = [_reached(line) for line in lines]
    found += [
        Comprobacion(
            "DESTINO",
            None,
            f"{one.nombre} recibe",
            "está en pausa",
            "activo",
            "aviso",
            "Quite «pausado» de su tabla si debe recibir esta noche.",
        )
        for one in workspace.settings.destino
        if one.pausado
    ]
    return found


def _reached(line: Linea) -> Comprobacion:
    name = f"{line.difusor}/{line.nodo}"
    if line.codigo == ENTREGADO:
        told = f"{line.bytes:,} bytes en {line.segundos:.1f} s"
        return Comprobacion("DESTINO", None, f"{name} recibe", told, "entregado", "bien")
    error = line.error
    return Comprobacion(
        "DESTINO",
        None,
        f"{name} recibe",
        line.codigo if error is None else f"{line.codigo}: {error.que_paso}",
        "entregado",
        "falla",
        "Revise con su contacto técnico." if error is None else error.que_hacer,
    )


def en_seco(
    workspace: Workspace,
    firmas: Firmas,
    environment: Mapping[str, str],
    *,
    espera_s: float,
    real: Clock,
) -> list[Comprobacion]:
    """EN_SECO and RELOJ_NODO: every node verified the newest cut, said so with its own key, and its clock agrees."""
    newest = firmas.ultimo
    if newest is None:
        return [
            Comprobacion(
                "EN_SECO",
                None,
                "Un corte en seco llegó entero a cada nodo",
                "no hay corte 0000 firmado",
                "el 0000, verificado por todos",
                "falla",
                "Hágalo con --en-seco y los archivos de la puesta en ceros, y repita la revisión.",
            )
        ]
    nodes = [one for one in workspace.settings.destino if not one.pausado]
    received = Recibidos(workspace)
    cuts = {one.corte: one.manifiesto_sha256 for one in firmas.cortes}
    pause, end = threading.Event(), real.monotonic() + espera_s
    collects = any(one.acuses is not None for one in nodes)
    while True:
        if collects:
            with contextlib.suppress(PregonError):
                collect_all(workspace, environment)
        late = [one for one in nodes if not _has(received, one, cuts, newest.corte)]
        if not late or real.monotonic() >= end:
            break
        pause.wait(min(CADA_S, max(0.01, end - real.monotonic())))
    journal = _Diario(workspace)
    found = []
    for one in nodes:
        there = one not in late
        found.append(
            Comprobacion(
                "EN_SECO",
                None,
                f"{one.nombre} verificó el corte {newest.corte:04d}",
                "lo acusa, con su firma" if there else _why(received, one, cuts),
                "su acuse «verificado»",
                "bien" if there else "falla",
                None if there else "Llame a su contacto técnico: «pregon difusor revisa» en ese nodo dice qué falta.",
            )
        )
        if there:
            acuse = received.situation(one, cuts).eventos["verificado"]
            found.append(reloj_de(one, acuse, journal, firmas, workspace.settings.opera.desfase_max_s))
    return found


def _has(received: Recibidos, destino: Destino, cuts: Mapping[int, str], corte: int) -> bool:
    if destino.clave_acuses is None:
        return False
    try:
        return received.situation(destino, cuts).tiene == corte
    except PregonError:
        return False


def _why(received: Recibidos, destino: Destino, cuts: Mapping[int, str]) -> str:
    if destino.clave_acuses is None:
        return "no se registró la llave de sus acuses («clave_acuses»)"
    try:
        known = received.situation(destino, cuts)
    except PregonError as exc:
        return exc.que_paso
    if known.rechazo is not None:
        return f"lo último suyo se rechazó ({known.rechazo})"
    return "no llegó ningún acuse" if not known.recibidos else f"tiene el corte {known.tiene}"


class _Diario:
    """When each acuse came, and when each delivery that went well began and ended, by node."""

    def __init__(self, workspace: Workspace) -> None:
        self.llegadas: dict[tuple[str, int | None, str], datetime] = {}
        self.entregas: dict[str, list[tuple[datetime, datetime]]] = {}
        after, state = 0, workspace.state()
        while True:
            events = state.events(after=after, limit=PAGINA)
            for event in events:
                after, data = event.n, event.dato
                if event.tipo == "acuse":
                    key = (f"{data['difusor']}/{data['nodo']}", data["corte"], data["evento"])
                    self.llegadas.setdefault(key, event.hora)
                elif event.tipo == "entrega" and data.get("codigo") == ENTREGADO:
                    begun = event.hora - timedelta(seconds=data["segundos"])
                    self.entregas.setdefault(data["destino"], []).append((begun, event.hora))
            if len(events) < PAGINA:
                return


def reloj_de(destino: Destino, acuse: Acuse, diario: _Diario, firmas: Firmas, desfase_max_s: float) -> Comprobacion:
    """RELOJ_NODO: the hour that a node signed lies between our sending the cut and our having its acuse.

    So much is known of its clock without asking it, and no more: it is at least so far off, or it may be right.
    """
    cut = next((one for one in firmas.cortes if one.corte == acuse.corte), None)
    came = diario.llegadas.get((destino.nombre, acuse.corte, "verificado"))
    first = None if cut is None else cut.firmado
    sent = [begun for begun, _ in diario.entregas.get(destino.nombre, []) if first is None or begun >= first]
    since = min(sent, default=first)
    off = 0.0
    if since is not None and acuse.hora < since:
        off = (acuse.hora - since).total_seconds()
    elif came is not None and acuse.hora > came:
        off = (acuse.hora - came).total_seconds()
    state: Estado = "bien" if abs(off) <= desfase_max_s else "falla"
    span = "" if since is None or came is None else f" (se sabe con {(came - since).total_seconds():.0f} s de margen)"
    told = f"concuerda{span}" if state == "bien" else f"va {abs(off):.1f} s {'atrasado' if off < 0 else 'adelantado'}"
    return Comprobacion(
        "RELOJ_NODO",
        None,
        f"El reloj de {destino.nombre} está en hora",
        told,
        f"a lo sumo {desfase_max_s:g} s",
        state,
        None if state == "bien" else "Pida a su contacto técnico que revise su cliente NTP.",
    )


def puntos(workspace: Workspace) -> Comprobacion:
    """PUNTOS: more than one machine looks at the portals, and this one can tell its own network's loss from theirs."""
    ours = workspace.settings.monitor
    count, mend = 1 + len(ours.remoto), []
    if not ours.remoto:
        mend.append(
            "Ponga otro en otra red («pregon instituto observa --inicia») y su tabla [[monitor.remoto]]: con uno solo, "
            "toda orden espera a una persona."
        )
    if not ours.testigos:
        mend.append(
            "Escriba «testigos» en [monitor]: sin ellos no se distingue un difusor que calla de esta red caída."
        )
    told = f"{count} {'punto' if count == 1 else 'puntos'}, {len(ours.testigos)} testigos"
    return Comprobacion(
        "PUNTOS",
        None,
        "Se mira desde varias redes, y se nota si falla la propia",
        told,
        "2 puntos y 1 testigo",
        "aviso" if mend else "bien",
        " ".join(mend) or None,
    )


def portales(
    workspace: Workspace, firmas: Firmas, environment: Mapping[str, str], *, real: Clock
) -> Iterator[Comprobacion]:
    """PORTAL: each public address seen from here, as the night's watch will see it."""
    if not workspace.settings.opera.vigila:
        yield Comprobacion(
            "PORTAL",
            None,
            "Se vigila a los difusores",
            "no: «vigila = false»",
            "sí",
            "aviso",
            "Quite «vigila» de [opera], o ejecute «pregon instituto vigila» aparte.",
        )
        return
    now = workspace.clock.now()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(locks.exclusive(workspace.folder / CANDADO))
            watch = Vigilancia(workspace, lambda _: None, environment=environment, real=real)
            stack.callback(watch.close)
            watch.ronda(firmas)
            told = watch.ultimos
    except InstanciaError:
        kept = list(Almacen(workspace).lee(now - RECIENTE, now))
        told = kept[-1].dictamenes if kept else ()
    if not told:
        yield Comprobacion(
            "PORTAL",
            None,
            "Se vigila a los difusores",
            "no hay ninguno que vigilar",
            "al menos uno",
            "falla",
            "Inscríbalos («pregon instituto difusor alta»), o escriba [[monitor.portal]].",
        )
    for one in told:
        good = one.veredicto == "al_dia"
        why = f": {', '.join(one.motivos)}" if one.motivos else ""
        yield Comprobacion(
            "PORTAL",
            None,
            f"El portal de {one.difusor} se ve como debe",
            f"{one.veredicto}{why}",
            "al_dia",
            "bien" if good else "falla" if one.falla else "aviso",
            None if good else f"Causa: {one.causa}. Vea «pregon instituto vigila» y hable con su contacto técnico.",
        )
