"""The night held by the service, with difusores that really receive, cut by cut on a clock that is told."""

from __future__ import annotations

import json
import socket
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import UsoError
from pregon.instituto.opera import cierre
from pregon.paquete.manifest import parse_manifest
from pregon.trust.aviso import parse_aviso
from tests.instituto.conftest import INICIO, tree_digest
from tests.instituto.opera.mesa import hora, mesa_de

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.opera.mesa import Mesa


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    return mesa_de(tmp_path)


def retrasos(mesa: Mesa) -> list[tuple[int | None, str]]:
    found = [parse_aviso(data, n=n) for n, data in mesa.espacio.repository().notices()]
    return [(one.corte, one.texto) for one in found if one.tipo == "retraso"]


def test_a_night_by_the_clock_late_cut_announced_shown_and_ended(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    service = mesa.servicio()
    mesa.corre(service)
    assert mesa.firmados == []

    mesa.a_las(hora(0))
    mesa.corre(service)
    assert mesa.firmados == [], "no files yet"
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 20))
    mesa.corre(service)
    assert mesa.firmados == [1]
    assert uno.recibe() == 1
    mesa.ajusta(acuses_s=0.0)
    service = mesa.servicio()
    mesa.corre(service)
    assert {"recibido", "verificado"} <= {each["evento"] for each in mesa.sucesos("acuse")}
    assert retrasos(mesa) == []

    # The second cut does not come: within the minute a notice is signed, delivered and shown.
    mesa.a_las(hora(1))
    mesa.corre(service)
    mesa.a_las(hora(1, 44))
    mesa.corre(service)
    assert retrasos(mesa) == []
    mesa.a_las(hora(1, 45))
    mesa.corre(service)
    said = "El corte de las 20:20 h se retrasa. Los resultados que se muestran son los del corte de las 20:00 h."
    assert retrasos(mesa) == [(2, said)]
    (event,) = mesa.sucesos("retraso")
    assert (event["periodo"], event["corte"], event["aviso"]) == (1, 2, 1)
    assert event["segundos"] < 60
    assert "CORTE_RETRASADO" in mesa.codigos("alarma")
    uno.recibe()
    assert uno.retrasos == [said]
    kept = uno.libro.ultimo()
    assert kept is not None
    assert kept.corte == 1, "the portal keeps the cut that it has"

    # It goes on being said once, and ends with the cut.
    mesa.a_las(hora(1, 300))
    mesa.corre(service)
    assert len(retrasos(mesa)) == 1
    mesa.llegan(hora(1), votes="41")
    mesa.a_las(hora(1, 310))
    mesa.corre(service)
    assert mesa.firmados == [1, 2]
    assert uno.recibe() == 2
    assert uno.retrasos == []
    assert "CORTE_RETRASADO" in mesa.codigos("resuelta")
    assert mesa.sucesos("corte_perdido") == []
    assert [one["corte"] for one in mesa.sucesos("sello")] == [1, 2], "the journal is sealed at each cut"


def test_a_lost_cut_is_noted_once_and_the_next_takes_its_number(mesa: Mesa) -> None:
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 5))
    service = mesa.servicio()
    mesa.corre(service)
    mesa.a_las(hora(1, 50))
    mesa.corre(service)
    mesa.a_las(hora(2, 1))
    mesa.corre(service)
    assert [one["periodo"] for one in mesa.sucesos("corte_perdido")] == [1]
    assert "CORTE_PERDIDO" in mesa.codigos("alarma")
    # Another process goes on: nothing is said twice.
    again = mesa.servicio()
    mesa.a_las(hora(2, 30))
    mesa.corre(again)
    assert len(mesa.sucesos("corte_perdido")) == 1
    assert len(retrasos(mesa)) == 1
    mesa.a_las(hora(2, 46))
    mesa.corre(again)
    assert retrasos(mesa)[1][1].startswith("Los cortes de las 20:20 y 20:40 h se retrasan.")
    mesa.corre(mesa.servicio())
    assert len(retrasos(mesa)) == 2, "a third process reads it from what is signed"
    mesa.llegan(hora(2), votes="41")
    mesa.a_las(hora(2, 60))
    mesa.corre(again)
    assert mesa.firmados == [1, 2]
    cut = mesa.espacio.repository().cuts()[-1]
    assert cut.hora_corte == hora(2)


def test_files_of_another_hour_or_that_are_missing_make_no_cut(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path, "GUB", "DIP")
    service = mesa.servicio()
    mesa.a_las(hora(1, 1))
    mesa.llegan(hora(0))  # Of the slot before: it ended.
    mesa.corre(service)
    assert mesa.firmados == []
    mesa.llegan(hora(1), carpeta="a medias")
    (mesa.llegadas / "a medias" / "CAMP_DIP_LOC_2021.csv").unlink()
    before = tree_digest(mesa.espacio.repositorio)
    mesa.corre(service)
    assert mesa.firmados == []
    assert tree_digest(mesa.espacio.repositorio) == before
    mesa.a_las(hora(1, 46))
    mesa.corre(service)
    notice = parse_aviso(mesa.espacio.repository().notices()[0][1], n=1)
    assert "dip" in notice.motivo, "whoever reads the record knows what was missing"
    mesa.llegan(hora(1), carpeta="enteros")
    mesa.corre(service)
    assert mesa.firmados == [1]


def test_a_blocked_cut_alarms_once_and_goes_on_when_a_person_answers_for_it(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    mesa.ajusta(autorizaciones="autorizaciones.json")
    answers = mesa.carpeta / "autorizaciones.json"
    answers.write_text("[]")
    service = mesa.servicio()
    mesa.llegan(hora(0))
    gub = mesa.llegadas / "CAMP_GUB_2021.csv"
    gub.write_bytes(gub.read_bytes().replace(b"PORCENTAJE_ACTAS", b"PORCENTAJE_ACTAS").replace(b",200,", b",201,"))
    mesa.a_las(hora(0, 3))
    mesa.corre(service, vueltas=6)
    assert mesa.firmados == []
    blocked = mesa.sucesos("corte_bloqueado")
    assert len(blocked) == 1, "told once however often it is tried"
    assert "ENCABEZADO_ORIGEN" in blocked[0]["que_paso"]
    assert "CORTE_BLOQUEADO" in mesa.codigos("alarma")
    mesa.a_las(hora(0, 45))
    mesa.corre(service)
    assert len(retrasos(mesa)) == 1
    uno.recibe()
    assert len(uno.retrasos) == 1
    answers.write_text(
        json.dumps(
            [
                {
                    "codigo": "ENCABEZADO_ORIGEN",
                    "motivo": "El resumen de origen trae un error conocido",
                    "operador": "Ana",
                    "hora": hora(0, 60).isoformat(),
                }
            ]
        )
    )
    mesa.a_las(hora(0, 70))
    mesa.corre(service)
    assert mesa.firmados == [1]
    manifest = parse_manifest(mesa.espacio.repository().last_manifest() or b"")
    assert [one.codigo for one in manifest.autorizaciones] == ["ENCABEZADO_ORIGEN"]
    assert uno.recibe() == 1
    assert uno.retrasos == []
    assert "CORTE_BLOQUEADO" in mesa.codigos("resuelta")


def test_a_delay_is_announced_while_its_cut_is_still_being_made(mesa: Mesa) -> None:
    service = mesa.servicio()
    mesa.a_las(hora(0, 46))
    with mesa.espacio.making():  # As a cut that takes long, or a base that does not answer.
        mesa.corre(service, vueltas=2)
        assert len(retrasos(mesa)) == 1
    mesa.llegan(hora(0))
    mesa.corre(service)
    assert mesa.firmados == [1]


def test_the_sign_of_life_is_signed_each_interval_and_never_after_the_closing(mesa: Mesa) -> None:
    service = mesa.servicio()
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 1))
    mesa.corre(service)
    stamp = mesa.espacio.repositorio / "metadata" / "timestamp.json"
    first = stamp.read_bytes()
    mesa.a_las(hora(0, 1000))
    mesa.corre(service)
    assert stamp.read_bytes() == first
    cierre.pide(mesa.espacio, motivo=None, operador="Ana")  # Confirms that of the hour: nothing closes before it.
    # Slots pass without files: the timestamp is signed by each notice, or again.
    for slot in (1, 2):
        before = stamp.read_bytes()
        mesa.a_las(hora(slot, 50))
        mesa.corre(service, vueltas=2)
        assert stamp.read_bytes() != before
    last = len(mesa.espacio.repository().cuts())
    mesa.a_las(INICIO + timedelta(hours=24, seconds=5))
    mesa.llegan(INICIO + timedelta(hours=24), votes="43")
    mesa.corre(service)
    manifest = parse_manifest(mesa.espacio.repository().last_manifest() or b"")
    assert (manifest.corte, manifest.ultimo, manifest.cierre) == (last + 1, True, "horario")
    signed = stamp.read_bytes()
    mesa.a_las(INICIO + timedelta(hours=30))
    mesa.corre(service)
    assert stamp.read_bytes() == signed


def test_a_closed_night_without_an_end_of_permanence_goes_on_signing_that_it_is_current(mesa: Mesa) -> None:
    """MOR names no day on which the last cut goes: its timestamp would expire two intervals after the close."""
    profile = mesa.carpeta / "convocatoria.toml"
    lines = [line for line in profile.read_text().splitlines() if not line.startswith("permanencia_hasta")]
    profile.write_text("\n".join(lines) + "\n")
    assert mesa.espacio.convocatoria.permanencia_hasta is None
    service = mesa.servicio()
    stamp = mesa.espacio.repositorio / "metadata" / "timestamp.json"
    mesa.a_las(INICIO + timedelta(hours=24, seconds=5))
    mesa.llegan(INICIO + timedelta(hours=24))
    mesa.corre(service)
    assert parse_manifest(mesa.espacio.repository().last_manifest() or b"").ultimo
    assert mesa.sucesos("nota") == []  # without difusores nobody confirmed that it shows the closing cut
    for hours in (25, 26):
        before = stamp.read_bytes()
        mesa.a_las(INICIO + timedelta(hours=hours))
        mesa.corre(service)
        assert stamp.read_bytes() != before
        expires = datetime.fromisoformat(json.loads(stamp.read_bytes())["signed"]["expires"])
        assert expires > INICIO + timedelta(hours=hours)


def test_the_closing_waits_for_a_person_where_the_settings_say_so(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    mesa.ajusta(cierre="confirmado", acuses_s=0.0)
    service = mesa.servicio()
    end = INICIO + timedelta(hours=24)
    mesa.llegan(end)
    mesa.a_las(end + timedelta(seconds=2))
    mesa.corre(service)
    assert mesa.firmados == []
    assert "CIERRE_SIN_CONFIRMAR" in mesa.codigos("alarma")
    cierre.pide(mesa.espacio, motivo=None, operador="Ana")
    mesa.corre(service)
    assert mesa.firmados == [1]
    manifest = parse_manifest(mesa.espacio.repository().last_manifest() or b"")
    assert (manifest.ultimo, manifest.cierre) == (True, "horario")
    assert cierre.ordenado(mesa.espacio.state()) is None
    # Who does not say that it shows it is told of, until it does.
    assert uno.recibe() == 1
    mesa.a_las(end + timedelta(minutes=31))
    mesa.corre(service)
    assert "CIERRE_INCOMPLETO" in mesa.codigos("aviso")
    assert not [one for one in mesa.sucesos("nota") if one["que"] == "cierre_confirmado"]


def test_an_early_closing_needs_a_call_that_allows_it(mesa: Mesa) -> None:
    state = mesa.espacio.state()
    with pytest.raises(UsoError, match="no permite el cierre anticipado"):
        cierre.pide(mesa.espacio, motivo="100 % capturado", operador="Ana")
    assert cierre.ordenado(state) is None
    profile = mesa.carpeta / "convocatoria.toml"
    profile.write_text(
        profile.read_text().replace("cierre_anticipado_permitido = false", "cierre_anticipado_permitido = true")
    )
    mesa.ajusta()
    with pytest.raises(UsoError, match="falta --operador"):
        cierre.pide(mesa.espacio, motivo="100 % capturado", operador=" ")
    cierre.pide(mesa.espacio, motivo="100 % capturado y agotada la recuperación", operador="Ana")
    assert cierre.retira(mesa.espacio, operador="Ana")
    cierre.pide(mesa.espacio, motivo="100 % capturado y agotada la recuperación", operador="Ana")
    service = mesa.servicio()
    mesa.llegan(hora(3))
    mesa.a_las(hora(3, 1))
    mesa.corre(service)
    manifest = parse_manifest(mesa.espacio.repository().last_manifest() or b"")
    assert (manifest.corte, manifest.ultimo, manifest.cierre) == (1, True, "anticipado")
    (answer,) = [one for one in manifest.autorizaciones if one.codigo == "CIERRE_ANTICIPADO"]
    assert (answer.operador, answer.motivo) == ("Ana", "100 % capturado y agotada la recuperación")
    mesa.a_las(hora(6, 50))
    mesa.corre(service)
    assert retrasos(mesa) == [], "nothing is owed after it"
    with pytest.raises(UsoError, match="ya cerró"):
        cierre.pide(mesa.espacio, motivo=None, operador="Ana")


def test_a_node_that_hangs_keeps_no_notice_from_the_others(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    with socket.create_server(("127.0.0.1", 0)) as dead:  # It takes the connection and never says a word.
        mesa.difusor("diario-dos", url=f"rsync://prep@127.0.0.1:{dead.getsockname()[1]}/prep")
        service = mesa.servicio()
        mesa.llegan(hora(0))
        mesa.a_las(hora(0, 1))
        service.pasada()
        assert service._jobs.espera("corte", 60)
        service.pasada()  # The delivery of the cut begins, and one node holds it.
        wait_for(lambda: uno.recibe() == 1)  # A timestamp without the cut may have come before.
        mesa.a_las(hora(1, 46))
        service.pasada()
        assert len(retrasos(mesa)) == 1
        service.pasada()
        wait_for(lambda: (uno.entrada / "targets" / "avisos" / "000001.json").exists())
        mesa.stop.set()


def wait_for(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come")
