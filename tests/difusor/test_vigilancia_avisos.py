"""From what is wrong to who is told: the watch's own thread, with a real rsyslogd, mail server and webhook."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pregon.difusor.vigilancia.ajustes import AjustesVigilancia
from pregon.difusor.vigilancia.alarmas import vigentes
from pregon.difusor.vigilancia.vigia import FIN_S, vigilando
from pregon.notifica import mensajero
from pregon.notifica.ajustes import AjustesCanal
from tests.red.servidores.correo import HOST, Correo, Modales
from tests.red.servidores.gancho import Gancho
from tests.red.servidores.nginx import Autoridad
from tests.red.servidores.rsyslog import Rsyslog

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pregon.difusor.workspace import Workspace
    from tests.difusor.conftest import Escena

ENOUGH_MB = 1
NEVER_MB = 900_000


def having(workspace: Workspace, canales: tuple[AjustesCanal, ...], **limits: Any) -> Workspace:
    watch = AjustesVigilancia.model_validate({"cada_s": 0.1, "portal_cada_s": 0.1, **limits})
    return replace(workspace, settings=workspace.settings.model_copy(update={"vigilancia": watch, "notifica": canales}))


def told(server: Correo) -> list[str]:
    """Severity and code of each mail about the disk."""
    subjects = [mail.mensaje["subject"].split(" ", 1)[1] for mail in server.recibidos]
    return [text.split(":")[0] for text in subjects if " DISCO:" in f" {text}"]


def test_each_channel_is_told_once_of_a_beginning_and_once_of_its_end(
    escena: Escena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also across a restart, and beside a mail server that accepts and says nothing: nobody waits for it."""
    monkeypatch.setattr(mensajero, "FIN_S", 1.0)
    escena.cut(1)
    escena.receiver().run_once()
    authority, state = Autoridad(tmp_path / "ca"), escena.state()
    with (
        Rsyslog(tmp_path / "rsyslog") as rsyslog,
        Correo(Modales(authority.firma("correo"))) as mail,
        Correo(Modales(calla=True)) as silent,
        Gancho(authority.firma("gancho")) as hook,
        escena.served(),
    ):
        letters: dict[str, Any] = {
            "canal": "correo",
            "de": "p@ejemplo.mx",
            "para": ("g@ejemplo.mx",),
            "ca": authority.ca,
        }
        canales = (
            AjustesCanal(destino=f"smtp://{HOST}:{silent.puerto}", **letters),
            AjustesCanal(destino=f"smtp://{HOST}:{mail.puerto}", **letters),
            AjustesCanal(canal="syslog", destino=f"udp://{HOST}:{rsyslog.puerto}"),
            AjustesCanal(canal="webhook", destino=hook.url, ca=authority.ca, severidad="alarma"),
        )
        for _ in range(2):  # the second one starts with the alarm in force
            wrong = having(escena.workspace, canales, disco_reserva_mb=NEVER_MB)
            with vigilando(wrong, state, escena.clock, escena.disk):
                mail.espera(1)
                hook.espera(1)
                rsyslog.espera(1)
                time.sleep(0.5)  # several looks
            assert [each.codigo for each in vigentes(state)] == ["DISCO"]
        right = having(escena.workspace, canales, disco_reserva_mb=ENOUGH_MB)
        start = time.monotonic()
        with vigilando(right, state, escena.clock, escena.disk):
            mail.espera(2)
            hook.espera(2)
            lines = rsyslog.espera(2)
            time.sleep(0.3)
        assert time.monotonic() - start < FIN_S
        assert vigentes(state) == ()
        assert told(mail) == ["ALARMA DISCO", "RESUELTA DISCO"]
        assert [json.loads(body)["severidad"] for _, _, body in hook.recibidos] == ["alarma", "resuelta"]
        assert [line["msgid"] for line in lines] == ["DISCO", "DISCO"]
        assert not silent.recibidos
    noted = [event.dato for event in state.events() if event.tipo == "mensaje"]
    assert sum(each["resultado"] == "entregado" for each in noted) == 6
    assert [event.tipo for event in state.events() if event.tipo.startswith("alarma")] == ["alarma", "alarma_resuelta"]


def test_portal_that_hangs_delays_neither_the_other_checks_nor_the_end(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    state = escena.state()
    with Correo(Modales(calla=True)) as silent:
        server = escena.workspace.settings.servidor.model_copy(update={"url": f"http://{HOST}:{silent.puerto}/"})
        workspace = having(escena.workspace, (), disco_reserva_mb=NEVER_MB, respuesta_max_s=0.7)
        workspace = replace(workspace, settings=workspace.settings.model_copy(update={"servidor": server}))
        start = time.monotonic()
        with vigilando(workspace, state, escena.clock, escena.disk):
            while "DISCO" not in {each.codigo for each in vigentes(state)}:
                assert time.monotonic() - start < 5
                time.sleep(0.02)
            while "PORTAL_CAIDO" not in {each.codigo for each in vigentes(state)}:
                assert time.monotonic() - start < 10
                time.sleep(0.02)
            end = time.monotonic()
        assert time.monotonic() - end < 3
    assert vigentes(state)[0].texto
