"""``pregon instituto proceso DIR``, as an operator uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner, Result

from pregon.base.clock import SimulatedClock
from pregon.cli.instituto import app
from tests.instituto.proceso.casa import CONFIDENCIAL, OPERADORA, RADIO

if TYPE_CHECKING:
    from tests.instituto.proceso.casa import Casa


def run(casa: Casa, *words: str) -> Result:
    return CliRunner().invoke(app, ["proceso", str(casa.folder), *words])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def en_simulacro(casa: Casa) -> None:
    """The commands open the workspace by themselves: their clock is the one that its settings name."""
    (casa.folder / "reloj.json").write_bytes(SimulatedClock.start(casa.night.clock.instant, 1.0).dump())
    settings = casa.folder / "instituto.toml"
    text = settings.read_text()
    assert 'ambiente = "simulacro"\n' in text
    settings.write_text(
        text.replace('ambiente = "simulacro"\n', 'ambiente = "simulacro"\nreloj_simulado = "reloj.json"\n')
    )


def test_table_confirm_and_what_was_answered(simulacro: Casa) -> None:
    casa = simulacro
    casa.fallan(3)
    en_simulacro(casa)
    text = run(casa)
    assert text.exit_code == 0, text.output
    assert "radio-uno (Radio Uno): activo; 3 de 3 cortes fallidos seguidos." in text.stdout
    assert "Advertencia A0001-radio-uno: correo smtp://127.0.0.1:" in text.stdout
    assert "Orden O0001 (espera su decisión): suspender a «radio-uno». 3 cortes fallidos seguidos" in text.stdout
    table = told(run(casa, "--json"))
    radio, tele = table["difusores"]
    assert (radio["difusor"], radio["seguidas"], radio["orden"]["id"]) == (RADIO, 3, "O0001")
    assert (tele["seguidas"], tele["orden"], tele["ultimo"]["resultado"]) == (0, None, "cumplio")
    assert (table["limite"], table["automatica"], table["sin_dos_canales"]) == (3, False, [])
    assert not [word for word in CONFIDENCIAL if word in str(table) + text.stdout]

    refused = run(casa, "descarta", "O0001", "--motivo", " ", "--operador", OPERADORA)
    assert refused.exit_code == 2
    assert casa.estado() == "activo"
    done = run(casa, "confirma", "O0001", "--operador", OPERADORA)
    assert done.exit_code == 0, done.output
    assert "Orden O0001 cumplida: suspender a «radio-uno»." in done.stdout
    assert casa.estado() == "suspendido"
    again = run(casa, "confirma", "O0001", "--operador", OPERADORA, "--json")
    assert again.exit_code == 2
    assert json.loads(again.stderr)["que_paso"] == f"La orden O0001 ya está cumplida por {OPERADORA}."
    assert len(casa.avisos()) == 1
    assert told(run(casa, "atiende", "--json")) == {"pasos": [], "entregadas": 3}
    listed = told(run(casa, "advertencias", "--json"))
    assert [one["id"] for one in listed] == ["A0000-radio-uno", "A0001-radio-uno", "O0001-radio-uno"]
    assert all(each["fase"] == "aceptada" for one in listed for each in one["envios"].values())
    assert "aceptada (1 intento)" in run(casa, "advertencias").stdout


def test_discard_says_that_nothing_was_signed(simulacro: Casa) -> None:
    casa = simulacro
    casa.fallan(3)
    en_simulacro(casa)
    done = run(casa, "descarta", "O0001", "--motivo", "Falla de la ciudad", "--operador", OPERADORA)
    assert "Orden O0001 descartada: Falla de la ciudad. No se firmó ningún aviso." in done.stdout
    assert (casa.avisos(), casa.estado()) == ([], "activo")


def test_without_difusores_it_says_so(simulacro: Casa, tmp_path: Any) -> None:
    from pregon.instituto.workspace import create

    space = create(tmp_path / "otro", "gro-2021", ambiente="simulacro", clock=simulacro.night.clock)
    assert "No hay difusores" in CliRunner().invoke(app, ["proceso", str(space.folder)]).stdout
    missing = CliRunner().invoke(app, ["proceso", str(tmp_path / "nada")])
    assert missing.exit_code == 66


def test_a_person_warns_in_their_own_words(simulacro: Casa) -> None:
    casa = simulacro
    casa.fallan(1)
    en_simulacro(casa)
    before = len(casa.correo.recibidos)
    words = ("advierte", RADIO, "--texto", "Su certificado vence hoy.", "--motivo", "Lo vio el monitor.")
    made = told(run(casa, *words, "--operador", OPERADORA, "--json"))
    assert (made["id"], made["texto"].count("Su certificado vence hoy.")) == (f"M0001-{RADIO}", 1)
    assert {one["fase"] for one in made["envios"].values()} == {"aceptada"}
    assert len(casa.correo.espera(before + 2)) == before + 2
    assert casa.proceso().diario.cuenta(RADIO).seguidas == 1, "the count is as it was"
    event = next(one.dato for one in casa.eventos("advertencia") if one.dato.get("id") == made["id"])
    assert (event["operador"], event["porque"], event["periodo"]) == (OPERADORA, "Lo vio el monitor.", None)
    for bad in (("advierte", "nadie", *words[2:]), ("advierte", RADIO, "--texto", " ", "--motivo", "x")):
        assert run(casa, *bad, "--operador", OPERADORA).exit_code > 0
    assert [one for one in casa.proceso().diario.advertencias if one.startswith("M")] == [made["id"]]
