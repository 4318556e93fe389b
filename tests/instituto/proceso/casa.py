"""An institute with two difusores in its registry, a real mail server and a real webhook, and a clock that is moved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pregon.convocatoria.solicitud.modelo import Contacto, Ficha
from pregon.instituto.monitor.modelo import Dictamen, Periodo
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.instituto.registro.orden import ordena
from pregon.instituto.workspace import open_workspace
from pregon.trust.aviso import parse_aviso
from tests.instituto.conftest import INICIO, Night

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.state import Event
    from pregon.instituto.monitor.modelo import Causa, Veredicto
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Mensaje
    from pregon.trust.aviso import Aviso
    from tests.red.servidores.correo import Correo
    from tests.red.servidores.gancho import Gancho
    from tests.red.servidores.nginx import Autoridad

RADIO, TELE = "radio-uno", "tele-dos"
TECNICA, LEGAL = "ana.ruiz@radio.ejemplo.mx", "legal@radio.ejemplo.mx"
TELEFONO = "747 111 2233"
GUARDIA = "la guardia del PREP, 747 000 0000"
INTERVALO = timedelta(minutes=20)
OPERADORA = "Irene Soto"
CONFIDENCIAL = (TECNICA, LEGAL, TELEFONO, "Ana Ruiz")
"""What must be nowhere but in what is sent to those people, or to the institute's own guard (INE-V-b)."""


def ficha(ident: str) -> Ficha:
    """A form with two contacts, of which one answers for the portal."""
    radio = ident == RADIO
    return Ficha(
        nombre="Radio Uno" if radio else "Tele Dos",
        tipo="medios",
        respuestas={},
        url=f"https://prep.{ident}.ejemplo.mx/",
        contacto=(
            Contacto(
                nombre="Ana Ruiz" if radio else "Luis Vega",
                telefono=TELEFONO if radio else "747 444 5566",
                correo=TECNICA if radio else "luis@tele.ejemplo.mx",
            ),
            Contacto(nombre="Eva Mora", papel="legal", correo=LEGAL if radio else "legal@tele.ejemplo.mx"),
        ),
    )


@dataclass
class Casa:
    """The institute. ``dichos``: what its operators were told."""

    night: Night
    folder: Path
    correo: Correo
    gancho: Gancho
    dichos: list[Mensaje] = field(default_factory=list)

    @property
    def espacio(self) -> Workspace:
        """The workspace, opened again as another process would."""
        return open_workspace(self.folder, clock=self.night.clock)

    def proceso(self) -> Proceso:
        return Proceso(self.espacio, alarma=self.oye)

    def oye(self, mensaje: Mensaje) -> None:
        """As ``Mensajero.manda``: the end is told once, and only of what was told."""
        last = next((one for one in reversed(self.dichos) if one.codigo == mensaje.codigo), None)
        if mensaje.severidad != "resuelta" or (last is not None and last.severidad != "resuelta"):
            self.dichos.append(mensaje)

    def en(self, indice: int, minuto: float = 0.0) -> None:
        """Put the clock so many minutes after slot ``indice`` was due."""
        self.night.clock.instant = INICIO + indice * INTERVALO + timedelta(minutes=minuto)

    def sin(self, canal: str) -> None:
        """Take one of the two channels out of the settings."""
        path = self.folder / "instituto.toml"
        text = path.read_text()
        start = text.index(f'[[notifica]]\ncanal = "{canal}"')
        path.write_text(text[:start] + text[text.index("\n[", start) + 1 :])

    def periodos(self, hasta: int, *, perdidos: tuple[int, ...] = ()) -> tuple[Periodo, ...]:
        """The slots from the first to ``hasta``, their cuts signed a minute after they were due."""
        made = []
        for index in range(hasta + 1):
            due = INICIO + index * INTERVALO
            cut = None if index in perdidos else index + 1
            signed = None if cut is None else due + timedelta(minutes=1)
            made.append(Periodo(index, due, due + INTERVALO, cut, signed))
        return tuple(made)

    def periodo(self, indice: int, **vistos: str) -> Proceso:
        """Let slot ``indice`` pass, each difusor seen so at its end, and run the due process as the service does.

        ``radio="inaccesible"``; who is not named was seen as it should be.
        """
        self.en(indice + 1, 0.1)
        process = self.proceso()
        seen = [self.visto(RADIO, indice, vistos.get("radio")), self.visto(TELE, indice, vistos.get("tele"))]
        process.cierra(self.periodos(indice + 1), seen)
        process.atiende()
        return process

    def fallan(self, cuantos: int) -> Proceso:
        """Let the first slots pass with the radio out of reach; the due process after the last one."""
        for index in range(cuantos - 1):
            self.periodo(index, radio="inaccesible")
        return self.periodo(cuantos - 1, radio="inaccesible")

    def visto(self, difusor: str, indice: int, how: str | None = None, **more: Any) -> Dictamen:
        """What is said of a difusor at the end of a slot; ``how``: a verdict, or ``aviso`` for who shows the notice."""
        verdict: Veredicto = "al_dia" if how in (None, "aviso") else how  # type: ignore[assignment]
        cause: Causa = "ninguna" if verdict == "al_dia" else "difusor"
        values: dict[str, Any] = {
            "motivos": ("SIN_RESPUESTA",) if verdict == "inaccesible" else (),
            "corte": indice + 1 if how is None else None,
            "evidencia": (100 * indice + 7, 100 * indice + 8),
            **more,
        }
        hora = INICIO + indice * INTERVALO + timedelta(minutes=19)
        return Dictamen(difusor=difusor, hora=hora, veredicto=verdict, causa=cause, **values)

    def estado(self, difusor: str = RADIO) -> str:
        return Registro(self.espacio).uno(difusor).estado

    def eventos(self, *tipos: str) -> list[Event]:
        state = self.espacio.state()
        return [one for one in state.events(limit=100_000) if one.tipo in tipos]

    def avisos(self) -> list[Aviso]:
        return [parse_aviso(data, n=n) for n, data in self.espacio.repository().notices()]

    def llamados(self) -> list[dict[str, Any]]:
        """What the institute's guard was sent."""
        return [json.loads(body) for _, _, body in self.gancho.recibidos]


def hecha(night: Night, correo: Correo, gancho: Gancho, autoridad: Autoridad) -> Casa:
    """The institute an hour before the start, both difusores active."""
    space = night.create()
    night.clock.instant = INICIO - timedelta(hours=1)
    settings = space.folder / "instituto.toml"
    settings.write_text(
        settings.read_text()
        + f'[[notifica]]\ncanal = "correo"\ndestino = "smtp://127.0.0.1:{correo.puerto}"\n'
        + 'de = "prep@instituto.ejemplo.mx"\npara = ["guardia@instituto.ejemplo.mx"]\n'
        + f'[[notifica]]\ncanal = "webhook"\ndestino = "{gancho.url}/guardia"\nca = "{autoridad.ca}"\n'
        + f'[proceso]\ncontacto = "{GUARDIA}"\n'
    )
    made = Casa(night, space.folder, correo, gancho)
    registro = Registro(made.espacio)
    rotacion.crea(registro)
    mandate = Mandato(quien="operador", operador=OPERADORA, motivo="Cumple.")
    for ident in (RADIO, TELE):
        registro.alta(ident, ficha(ident), mandate)
        for state in ("admitido", "activo"):
            ordena(made.espacio, ident, state, mandate)
    return made
