"""A night to be told to everybody: real cuts of two contests, one late and announced, one lost, and four difusores."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.convocatoria.solicitud import logo
from pregon.instituto import avisos
from pregon.instituto.build import build_cut
from pregon.instituto.monitor.almacen import Almacen, Guardada
from pregon.instituto.monitor.disponibilidad import suma
from pregon.instituto.monitor.modelo import Dictamen, Vista
from pregon.instituto.opera.turno import Turno
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import INICIO, Night
from tests.instituto.registro.fichas import ANA, confidenciales, ficha
from tests.instituto.registro.test_logo import SVG

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.workspace import Workspace

INTERVALO = timedelta(minutes=20)
PERDIDO, TARDE = 2, 4
"""Slots: of 20:40 no cut was made; that of 21:20 came seven minutes late."""
CORTES = 5
MOTIVO = "Servidor jicama-03 de la Sala B sin respuesta, lo revisa Ofelia Xochihua"
"""What nobody outside may read: of the order and of the journal."""
PORQUE = "ENTRADA: No hay archivos en /srv/jicama-03/actas, avisó Ofelia Xochihua"
TEXTO = "El corte de las 21:20 h se retrasa. Los resultados que se muestran son los del corte de las 21:00 h."


@dataclass
class NochePublica:
    """The workspace after the cut of 21:20. ``secretos``: what must be in no public file."""

    folder: Path
    clock: ManualClock
    secretos: tuple[str, ...] = ()

    @property
    def espacio(self) -> Workspace:
        return open_workspace(self.folder, clock=self.clock)

    def firmas(self) -> Firmas:
        return Turno(self.espacio, {}, threading.Event()).firmas()


def dictamen(ident: str, hora: object, **cambios: object) -> Dictamen:
    """What the last round says of somebody."""
    return Dictamen(**{"difusor": ident, "hora": hora, "veredicto": "al_dia", "causa": "ninguna", "corte": 4} | cambios)  # type: ignore[arg-type]


def hace(folder: Path, *, ambiente: str = "oficial", votes: int = 40) -> NochePublica:
    """The night, in ``folder``."""
    clock = ManualClock(INICIO - timedelta(hours=4))
    night = Night(folder, clock, ambiente)  # type: ignore[arg-type]
    space = night.create()
    registro = Registro(space, entorno={})
    rotacion.crea(registro)
    secrets: list[str] = [MOTIVO, PORQUE, "jicama-03", "Ofelia Xochihua"]
    for ident, name in (
        ("diario-uno", "Diario Uno"),
        ("radio-dos", "Radio Dos de Champotón"),
        ("tele-tres", "Tele Tres"),
        ("zona-seis", "Zona Seis"),
    ):
        form = ficha(space.convocatoria, nombre=name, url=f"https://{ident}.example/prep")
        secrets += confidenciales(form)
        registro.alta(ident, form, ANA)
        registro.pasa(ident, "admitido", ANA)
        registro.pasa(ident, "activo", ANA)
        registro.pone_logo(ident, SVG, logo.admite(SVG, ()), ANA)
    registro.pasa("tele-tres", "suspendido", ANA)
    state = space.state()
    for slot in range(CORTES):
        due = INICIO + slot * INTERVALO
        if slot == PERDIDO:
            clock.instant = due + INTERVALO + timedelta(seconds=1)
            state.record("corte_perdido", periodo=slot, vence=due.isoformat())
            continue
        if slot == TARDE:
            clock.instant = due + timedelta(seconds=46)
            notice = avisos.announce_delay(space, avisos.Orden(MOTIVO, "opera"), texto=TEXTO, corte=4)
            state.record("retraso", periodo=slot, corte=4, aviso=notice.n, segundos=46.0, porque=PORQUE)
        clock.instant = due + timedelta(minutes=7 if slot == TARDE else 0, seconds=20)
        build_cut(space, night.sources(due, votes=str(votes + slot)))
    clock.instant = INICIO + (CORTES - 1) * INTERVALO + timedelta(minutes=9)
    mira(space)
    return NochePublica(space.folder, clock, tuple(secrets))


def mira(space: Workspace) -> tuple[Dictamen, ...]:
    """One round: one is up to date, one shows an old cut, one is seen changed; and an hour of availability."""
    now = space.clock.now()
    told = (
        dictamen("diario-uno", now),
        dictamen(
            "radio-dos", now, veredicto="atrasado", causa="difusor", motivos=("CORTE_VIEJO",), corte=3, atraso_s=95.4
        ),
        dictamen("zona-seis", now, veredicto="alterado", causa="difusor", motivos=("CONTENIDO",)),
    )
    kept = Almacen(space)
    with kept.turno():
        kept.guarda(Guardada(kept.ronda + 1, now, (Vista("instituto", now, con_red=True),), (), told))
    suma(space.state(), now, told, 3600)
    return told
