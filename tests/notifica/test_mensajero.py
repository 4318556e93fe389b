"""The messenger: told once, told when it ends, nobody waits, nothing is forgotten by a restart."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.errors import DestinoError, RedError
from pregon.notifica import mensajero as modulo
from pregon.notifica.canal import abre
from pregon.notifica.mensajero import MAX_PENDIENTES, Mensajero
from tests.notifica.conftest import HORA, canal, mensaje
from tests.red.servidores.correo import HOST, Correo, Modales
from tests.red.servidores.gancho import Gancho

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.state import StateDatabase
    from pregon.notifica.mensaje import Mensaje
    from tests.red.servidores.nginx import Autoridad

TODO = canal(canal="syslog", destino="local")
SOLO_ALARMAS = canal(canal="syslog", destino="local", severidad="alarma")
PRONTO = (0.02,)


@dataclass
class Libreta:
    """A channel of ours that writes down what it carries; ``fallas`` are raised first."""

    fallas: list[Exception] = field(default_factory=list)
    dichos: list[tuple[str, str]] = field(default_factory=list)
    suelta: threading.Event | None = None
    turno: threading.Condition = field(default_factory=threading.Condition)

    def envia(self, mensaje: Mensaje) -> None:
        if self.suelta is not None:
            self.suelta.wait(30)
        with self.turno:
            if self.fallas:
                raise self.fallas.pop(0)
            self.dichos.append((mensaje.codigo, mensaje.severidad))
            self.turno.notify_all()

    def espera(self, cuantos: int) -> list[tuple[str, str]]:
        with self.turno:
            assert self.turno.wait_for(lambda: len(self.dichos) >= cuantos, 10), self.dichos
            return list(self.dichos)


def error(kind: type[RedError | DestinoError] = RedError) -> Exception:
    return kind("no contesta", intacto="", que_hacer="")


def results(state: StateDatabase) -> list[tuple[str, str]]:
    return [(event.dato["codigo"], event.dato["resultado"]) for event in state.events() if event.tipo == "mensaje"]


def test_told_once_again_while_it_lasts_and_its_end_once(state: StateDatabase) -> None:
    book, clock = Libreta(), ManualClock(HORA)
    with Mensajero([(TODO, book)], clock=clock, state=state, repite_s=1800) as told:
        for _ in range(5):
            told.manda(mensaje())
            clock.instant += timedelta(minutes=5)
        book.espera(1)
        clock.instant += timedelta(minutes=10)
        told.manda(mensaje())
        assert book.espera(2) == [("DISCO", "alarma")] * 2
        told.manda(mensaje(severidad="resuelta"))
        told.manda(mensaje(severidad="resuelta"))
        told.manda(mensaje("RELOJ", "resuelta"))  # its beginning was never told
        told.manda(mensaje())  # it begins again
    assert book.dichos == [("DISCO", "alarma")] * 2 + [("DISCO", "resuelta"), ("DISCO", "alarma")]
    assert results(state) == [("DISCO", "entregado")] * 4


def test_what_gets_worse_is_told_at_once(state: StateDatabase) -> None:
    book = Libreta()
    with Mensajero([(TODO, book)], clock=SystemClock(), state=state) as told:
        told.manda(mensaje(severidad="aviso"))
        told.manda(mensaje(severidad="alarma"))
        told.manda(mensaje(severidad="alarma"))
    assert book.dichos == [("DISCO", "aviso"), ("DISCO", "alarma")]


def test_channel_for_alarms_alone_hears_of_their_end_and_of_nothing_else() -> None:
    book = Libreta()
    with Mensajero([(SOLO_ALARMAS, book)], clock=SystemClock(), state=None) as told:
        told.manda(mensaje("UNO", "aviso"))
        told.manda(mensaje("UNO", "resuelta"))
        told.manda(mensaje("DOS", "alarma"))
        told.manda(mensaje("DOS", "resuelta"))
    assert book.dichos == [("DOS", "alarma"), ("DOS", "resuelta")]


def test_failures_are_tried_again_in_order_and_noted_once(state: StateDatabase) -> None:
    book = Libreta([error(), error(), error()])
    with Mensajero([(TODO, book)], clock=SystemClock(), state=state, esperas_s=PRONTO) as told:
        told.manda(mensaje("UNO"))
        told.manda(mensaje("DOS"))
        assert book.espera(2) == [("UNO", "alarma"), ("DOS", "alarma")]
        assert not told.fallas
    assert results(state) == [("UNO", "fallo"), ("UNO", "entregado"), ("DOS", "entregado")]


def test_what_is_refused_for_good_is_noted_and_delays_nothing(state: StateDatabase) -> None:
    book = Libreta([error(DestinoError)])
    with Mensajero([(TODO, book)], clock=SystemClock(), state=state, esperas_s=PRONTO) as told:
        told.manda(mensaje("UNO"))
        told.manda(mensaje("DOS"))
        assert book.espera(1) == [("DOS", "alarma")]
    assert results(state) == [("UNO", "perdido"), ("DOS", "entregado")]


def test_bug_in_a_channel_silences_nobody(caplog: pytest.LogCaptureFixture) -> None:
    book = Libreta([ZeroDivisionError("falla")])
    with Mensajero([(TODO, book)], clock=SystemClock(), state=None, esperas_s=PRONTO) as told:
        told.manda(mensaje())
        assert book.espera(1) == [("DISCO", "alarma")]
    assert "falla interna" in caplog.text


def test_restart_neither_forgets_nor_repeats(state: StateDatabase) -> None:
    down = Libreta([error()] * 9)
    with Mensajero([(TODO, down)], clock=SystemClock(), state=state, esperas_s=(30.0,)) as told:
        told.manda(mensaje("UNO"))
        told.manda(mensaje("DOS", "aviso"))
    assert not down.dichos
    up = Libreta()
    with Mensajero([(TODO, up)], clock=SystemClock(), state=state) as told:
        told.manda(mensaje("UNO"))  # still lasts
        assert up.espera(2) == [("UNO", "alarma"), ("DOS", "aviso")]
        told.manda(mensaje("UNO", "resuelta"))
    assert up.dichos[2:] == [("UNO", "resuelta")]
    last = Libreta()
    with Mensajero([(TODO, last)], clock=SystemClock(), state=state) as told:
        told.manda(mensaje("UNO", "resuelta"))
    assert not last.dichos


def test_channel_that_hangs_delays_neither_caller_nor_others_nor_the_end(
    autoridad: Autoridad, tmp_path: Path, state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real server that accepts and says nothing, beside a real one that answers."""
    monkeypatch.setattr(modulo, "FIN_S", 1.0)
    with Correo(Modales(calla=True)) as silent, Gancho(autoridad.firma("gancho")) as hook:
        keys: dict[str, Any] = {"de": "a@b.mx", "para": ["c@d.mx"], "ca": autoridad.ca}
        mail = canal(canal="correo", destino=f"smtp://{HOST}:{silent.puerto}", **keys)
        web = canal(canal="webhook", destino=hook.url, ca=autoridad.ca)
        channels = [(each, abre(each, tmp_path, SystemClock())) for each in (mail, web)]
        start = time.monotonic()
        with Mensajero(channels, clock=SystemClock(), state=state) as told:
            for n in range(MAX_PENDIENTES + 100):
                told.manda(mensaje(f"A{n}"))
            assert time.monotonic() - start < 1
            hook.espera(3)
            assert told.pendientes >= MAX_PENDIENTES  # of the silent one, and no more than its share
            assert told.pendientes <= 2 * MAX_PENDIENTES
            end = time.monotonic()
        assert time.monotonic() - end < 3


def test_disk_that_refuses_does_not_stop_the_telling(tmp_path: Path, state: StateDatabase) -> None:
    state.path.unlink()
    state.path.mkdir()  # nothing can be opened there any more
    book = Libreta()
    with Mensajero([(TODO, book)], clock=SystemClock(), state=state) as told:
        told.manda(mensaje())
        assert book.espera(1) == [("DISCO", "alarma")]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"canal": "correo", "destino": "smtp://h"}, "«de» y «para»"),
        ({"canal": "correo", "destino": "smtp://u:p@h", "de": "a@b", "para": ["c@d"]}, "secreto"),
        ({"canal": "correo", "destino": "https://h", "de": "a@b", "para": ["c@d"]}, "smtp://"),
        ({"canal": "correo", "destino": "smtp://h", "de": "a@b\r\nx", "para": ["c@d"]}, "de"),
        ({"canal": "correo", "destino": "smtp://h", "de": "a@b", "para": ["c@d"], "usuario": "u"}, "van juntos"),
        ({"canal": "webhook", "destino": "http://h/x"}, "https://"),
        ({"canal": "webhook", "destino": "https://h/\r\nx"}, "caracteres"),
        ({"canal": "syslog", "destino": "udp://h", "secreto": "env:X"}, "no lleva"),
        ({"canal": "syslog", "destino": "udp://"}, "le falta"),
        ({"canal": "syslog", "destino": "udp://h", "otra": 1}, "otra"),
        (
            {"canal": "correo", "destino": "smtp://h", "de": "a@b", "para": ["c@d"], "usuario": "u", "secreto": "abc"},
            "secreto",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        canal(**keys)


def test_name_of_a_channel_shows_no_secret() -> None:
    web = canal(canal="webhook", destino="https://chat.ejemplo.mx/gancho/FICHA?clave=OTRA")
    assert web.nombre == "webhook https://chat.ejemplo.mx"
