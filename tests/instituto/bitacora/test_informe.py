"""The report of the night, and the command line of the evidence."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import typer
from typer.testing import CliRunner, Result

from pregon.cli.instituto import bitacora
from pregon.instituto.bitacora import frases, informe, revisa
from tests.instituto.proceso.casa import CONFIDENCIAL, RADIO, TELE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.bitacora.noche import Noche

_APP = typer.Typer()
_APP.add_typer(bitacora.app, name="bitacora")
_APP.add_typer(bitacora.papeles)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(_APP, [str(argument) for argument in arguments])


def test_the_report_of_the_night(noche: Noche, tmp_path: Path) -> None:
    made = informe.escribe(noche.espacio, tmp_path / "informe")
    told = json.loads((made.carpeta / "informe.json").read_bytes())
    assert [(one["corte"], one["cumplio"], one["fallo"]) for one in told["cortes"]] == [
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
        (4, 1, 0),
    ]
    assert [one["periodo"] for one in told["perdidos"]] == [4]
    by_id = {one["difusor"]: one for one in told["difusores"]}
    assert (by_id[RADIO]["estado"], by_id[RADIO]["fallo"], by_id[RADIO]["advertencias"]) == ("suspendido", 3, 2)
    assert (by_id[TELE]["estado"], by_id[TELE]["cumplio"], by_id[TELE]["fallo"]) == ("activo", 4, 0)
    assert {"corte_perdido", "nota"} <= {one["tipo"] for one in told["incidentes"]}
    assert told["integridad"]["ok"]
    for secret in CONFIDENCIAL:
        for path in made.carpeta.iterdir():
            assert secret.encode() not in path.read_bytes()
    metadata = noche.casa.folder / "repositorio" / "metadata"
    assert revisa.examina(made.carpeta, noche.raiz, metadata).ok
    (made.carpeta / "informe.pdf").write_bytes(b"otro")
    assert not revisa.examina(made.carpeta, noche.raiz, metadata).ok


def test_the_commands(noche: Noche, tmp_path: Path) -> None:
    folder = noche.casa.folder
    done = run("expediente", folder, "--difusor", RADIO, "--salida", tmp_path / "e", "--sin-pdf", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["bitacora_integra"] is True
    raiz = tmp_path / "root.json"
    raiz.write_bytes(noche.raiz)
    checked = run("bitacora", "comprueba", tmp_path / "e", "--raiz", raiz)
    assert (checked.exit_code, "Todo es lo que el instituto firmó" in checked.stdout) == (0, True)
    (tmp_path / "e" / "LEEME.txt").write_text("otro")
    checked = run("bitacora", "comprueba", tmp_path / "e", "--raiz", raiz)
    assert (checked.exit_code, "LEEME.txt no es el que se firmó" in checked.stderr) == (70, True)
    for words in ((), ("--difusor", RADIO, "--corte", "1")):
        refused = run("expediente", folder, *words, "--salida", tmp_path / "otro")
        assert (refused.exit_code, (tmp_path / "otro").exists()) == (2, False)
    done = run("informe", folder, "--salida", tmp_path / "i", "--sin-pdf")
    assert (done.exit_code, sorted(path.name for path in (tmp_path / "i").iterdir())) == (
        0,
        ["SHA256SUMS", "SHA256SUMS.firma.json", "informe.html", "informe.json"],
    )
    shown = run("bitacora", "muestra", folder, "--difusor", RADIO, "--tipo", "periodo")
    assert len(shown.stdout.splitlines()) == 3
    assert "falló" in shown.stdout
    one = json.loads(run("bitacora", "muestra", folder, "--ultimos", "1", "--json").stdout)
    assert one[0]["tipo"] == "informe"


def test_verifica_says_where_and_takes_what_was_kept_outside(noche: Noche, tmp_path: Path) -> None:
    folder = noche.casa.folder
    sealed = run("bitacora", "sella", folder)
    line = sealed.stdout.splitlines()[-1]
    assert run("bitacora", "verifica", folder, "--sello", noche.afuera, "--eslabon", line).exit_code == 0
    number = line.partition(":")[0]
    other = run("bitacora", "verifica", folder, "--eslabon", f"{number}:{'0' * 64}", "--json")
    assert other.exit_code == 70
    assert [one["codigo"] for one in json.loads(other.stdout)["fallas"]] == ["REESCRITA"]
    with closing(sqlite3.connect(folder / "estado.sqlite")) as connection, connection:
        connection.execute("DELETE FROM evento WHERE n = 20")
    found = run("bitacora", "verifica", folder)
    assert (found.exit_code, "FALTAN: No está el suceso 20" in found.stderr) == (70, True)
    assert "no está como se escribió" in found.stdout
    strange = tmp_path / "no-es.json"
    strange.write_text("{}")
    assert run("bitacora", "verifica", folder, "--sello", strange).exit_code == 65
    assert run("bitacora", "verifica", folder, "--eslabon", "nada").exit_code == 2


def test_every_event_that_the_night_wrote_has_its_words(noche: Noche) -> None:
    for event in noche.espacio.state().events(limit=100_000):
        said = frases.suceso(event.tipo, event.dato)
        assert event.tipo in frases.SUCESOS
        assert said
        assert "—" not in said
        assert "{" not in said


def test_an_alarm_says_which_and_a_cut_that_nobody_signed_for_says_so() -> None:
    blocked = {"codigo": "CORTE_BLOQUEADO", "texto": "Hay 2 hallazgo(s):\n  gub: SIN_ACTAS en actas."}
    assert frases.suceso("alarma", blocked) == "Alarma CORTE_BLOQUEADO: Hay 2 hallazgo(s): gub: SIN_ACTAS en actas."
    assert frases.suceso("alarma_resuelta", blocked) == "Terminó la alarma CORTE_BLOQUEADO."
    cut = {"corte": 3, "segundos": 1.5, "operador": ""}
    assert frases.suceso("corte", cut) == "Se firmó el corte 0003, hecho en 1.5 s; lo ordenó —."
