"""Syslog, judged by a real rsyslogd: what it understood of what we sent (MEX-II-1e)."""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import RedError
from pregon.base.red import free_port
from pregon.notifica import registro
from pregon.notifica.canal import abre
from pregon.notifica.registro import MAX_LINEAS, a_syslog
from tests.notifica.conftest import HORA, canal, mensaje
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.rsyslog import Rsyslog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOM = "\ufeff"


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyslog]:
    with Rsyslog(tmp_path_factory.mktemp("rsyslog")) as server:
        yield server


def place(rsyslog: Rsyslog, how: str) -> str:
    return f"unix://{rsyslog.unix}" if how == "unix" else f"{how}://{HOST}:{rsyslog.puerto}"


@pytest.mark.parametrize("how", ["udp", "tcp"])
def test_message_arrives_as_rfc5424_with_its_fields(rsyslog: Rsyslog, tmp_path: Path, how: str) -> None:
    before = len(rsyslog.espera(0))
    ajustes = canal(canal="syslog", destino=place(rsyslog, how), facilidad="local3")
    abre(ajustes, tmp_path, SystemClock()).envia(mensaje(origen='di"ario]'))
    line = rsyslog.espera(before + 1)[-1]
    assert line["protocolo"] == "1"
    assert line["pri"] == str(19 * 8 + 1)  # local3, alert
    assert line["msgid"] == "DISCO"
    assert line["hora"].startswith(f"{HORA:%b} {HORA.day:2} ")
    assert line["sd"] == r'[pregon@32473 codigo="DISCO" severidad="alarma" origen="di\"ario\]"]'
    assert line["msg"].lstrip(BOM).startswith('[di"ario]] ALARMA DISCO: Queda poco disco. Quedan 12 MB')
    assert "señor" in line["msg"]


def test_local_socket_takes_program_priority_and_text(rsyslog: Rsyslog, tmp_path: Path) -> None:
    before = len(rsyslog.espera(0))
    abre(canal(canal="syslog", destino=place(rsyslog, "unix")), tmp_path, SystemClock()).envia(
        mensaje(severidad="aviso")
    )
    line = rsyslog.espera(before + 1)[-1]
    assert (line["app"], line["pri"]) == ("pregon", str(3 * 8 + 4))
    assert "AVISO DISCO: Queda poco disco. " in line["msg"]
    assert "señor" in line["msg"]


@pytest.mark.parametrize("how", ["unix", "udp", "tcp"])
def test_what_comes_from_outside_begins_no_other_line(rsyslog: Rsyslog, tmp_path: Path, how: str) -> None:
    """A path or the words of a server are attacker's bytes: they must not forge a second entry."""
    before, all_before = len(rsyslog.espera(0)), len(rsyslog.lineas())
    sender = abre(canal(canal="syslog", destino=place(rsyslog, how)), tmp_path, SystemClock())
    forged = f"x\n<8>1 2027-06-07T00:00:00Z h sshd 1 - - Accepted\r\n\0\x1b[2J\u2028{how}"
    sender.envia(mensaje(texto=forged, titulo="a\r\nb"))
    sender.envia(mensaje(codigo="SEGUNDO", texto="llegó"))
    lines = rsyslog.espera(before + 2)[before:]
    assert len(rsyslog.lineas()) == all_before + 2
    assert {line["app"] for line in rsyslog.lineas()} == {"pregon"}
    assert "#012<8>1 2027" in lines[0]["msg"]
    assert not any(char in lines[0]["msg"] for char in "\n\r\0\x1b\u2028")
    assert "SEGUNDO" in lines[1]["msg"]


def test_long_text_is_cut_at_a_character(rsyslog: Rsyslog, tmp_path: Path) -> None:
    before = len(rsyslog.espera(0))
    abre(canal(canal="syslog", destino=place(rsyslog, "udp")), tmp_path, SystemClock()).envia(mensaje(texto="ñ" * 9000))
    line = rsyslog.espera(before + 1)[-1]
    assert line["msg"].endswith("ñ")
    assert 1500 < len(line["msg"].encode()) < 2048


def test_tcp_goes_on_after_the_server_starts_again(tmp_path: Path) -> None:
    server = Rsyslog(tmp_path / "r")
    sender = abre(canal(canal="syslog", destino=f"tcp://{HOST}:{server.puerto}"), tmp_path, SystemClock())
    with server:
        sender.envia(mensaje(texto="uno"))
        server.espera(1)
    with pytest.raises(RedError) as caught:
        sender.envia(mensaje(texto="dos"))
    assert "sigue pendiente" in caught.value.intacto
    with server:
        sender.envia(mensaje(texto="tres"))
        assert [line["msg"][-4:] for line in server.espera(2)] == [" uno", "tres"]


def test_process_log_goes_to_syslog_too(rsyslog: Rsyslog) -> None:
    before = len(rsyslog.espera(0))
    ajustes = [canal(canal="syslog", destino=place(rsyslog, how)) for how in ("udp", "tcp", "unix")]
    silent = canal(canal="syslog", destino=place(rsyslog, "udp"), registro=False)
    logger = logging.getLogger("pregon.prueba")
    with a_syslog([*ajustes, silent], origen="diario-uno", clock=SystemClock()):
        logger.warning("corte %s\nrechazado", 7)
    logger.warning("después de cerrar")
    lines = rsyslog.espera(before + 3)[before:]
    assert len(lines) == 3
    assert all(line["msg"].endswith("corte 7#012rechazado") for line in lines)
    assert {line["pri"] for line in lines} == {str(3 * 8 + 4)}
    assert any('modulo="pregon.prueba"' in line["sd"] for line in lines)


def test_a_syslog_that_takes_nothing_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts and never reads, or is not there: the log goes on at its own pace, and its end is bounded."""
    monkeypatch.setattr(registro, "FIN_S", 1.0)
    with socket.create_server((HOST, 0)) as deaf:
        gone = f"tcp://{HOST}:{free_port(HOST)}"
        ajustes = [canal(canal="syslog", destino=each) for each in (f"tcp://{HOST}:{deaf.getsockname()[1]}", gone)]
        logger = logging.getLogger("pregon.prueba")
        start = time.monotonic()
        with a_syslog(ajustes, origen="diario-uno", clock=SystemClock()):
            for n in range(MAX_LINEAS + 1000):
                logger.warning("línea %s %s", n, "x" * 500)
            wrote = time.monotonic() - start
        assert wrote < 5
        assert time.monotonic() - start - wrote < 2 * 1.0 + 2
