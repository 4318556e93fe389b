"""The commands: what is refused and with which status, and ``suspende``/``reactiva`` through the states."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pregon.instituto.registro import sello
from tests.instituto.conftest import tree_digest
from tests.instituto.registro.fichas import ANA, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.instituto.registro.fichas import Casa


ANYBODY = ("--operador", "Ana Ruiz")
WHY = ("--motivo", "m")

REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("suspende", *WHY, "--texto", "t", *ANYBODY), 2, "de ahí no pasa a «suspendido»"),
    (("reactiva", *WHY, *ANYBODY), 2, "de ahí no pasa a «activo»"),
    (("exceptua", *WHY, "--evidencia", "e", *ANYBODY), 2, "con esta orden"),
    (("activa", *ANYBODY), 2, "admitido («difusor admite»), rechazado («difusor rechaza»)"),
    (("admite", "--operador", ""), 65, "Ciudad"),
    (("admite", "--aunque-falte", *ANYBODY), 65, "Ciudad"),  # without a reason
    (("rechaza", *WHY, "--operador", ""), 2, "falta quién lo ordena"),
    (("concluye", *WHY, *ANYBODY), 2, "no pasa a «concluido»"),
)
"""To an applicant whose form lacks its address: the order, its status and words of it."""


def test_refused_orders_change_nothing(gro: Casa) -> None:
    gro.alta(domicilio=None)
    before = (gro.registro.todos(), tree_digest(gro.folder / "repositorio"))
    for (order, *words), status, said in REFUSED:
        result = run("difusor", order, gro.folder, "diario-uno", *words)
        assert result.exit_code == status, result.output
        assert said in result.stderr
        assert "sigue como estaba" in result.stderr
        assert (gro.registro.todos(), tree_digest(gro.folder / "repositorio")) == before


def test_suspension_by_command_walks_the_states_and_its_return_too(gro: Casa) -> None:
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    words = ("difusor", "suspende", gro.folder, "diario-uno", *WHY, "--texto", "Por ahora no.", *ANYBODY, "--json")
    lacking = run(*words)
    assert lacking.exit_code == 2
    assert json.loads(lacking.stderr)["que_paso"].count("falta la evidencia") == 1
    told = json.loads(run(*words, "--evidencia", "observación 4").stdout)
    assert (told["tipo"], told["texto"], told["n"], told["estado"]) == ("suspension", "Por ahora no.", 1, "suspendido")
    attacked = run(*words, "--evidencia", "x", "--ataque")
    assert json.loads(attacked.stdout)["estado"] == "bloqueado"
    back = run("difusor", "reactiva", gro.folder, "diario-uno", *WHY, "--evidencia", "peritaje 3", *ANYBODY, "--json")
    assert json.loads(back.stdout)["estado"] == "activo"
    assert [step.aviso for step in gro.registro.uno("diario-uno").historia[3:]] == [1, 2, 3]


def test_one_that_is_only_a_node_has_no_state(gro: Casa) -> None:
    settings = gro.folder / "instituto.toml"
    settings.write_text(settings.read_text() + '[[destino]]\ndifusor = "radio-2"\nurl = "/mnt/usb"\n')
    told = run("difusor", "suspende", gro.folder, "radio-2", *WHY, "--texto", "t", *ANYBODY, "--json")
    assert json.loads(told.stdout)["difusores"] == ["radio-2"]
    assert gro.registro.todos() == ()
    assert run("difusor", "baja", gro.folder, "radio-2", *WHY, *ANYBODY).exit_code == 66


def test_the_list_before_its_day_is_refused_and_written_nowhere(gro: Casa, tmp_path: Path) -> None:
    gro.alta()
    shown = run("lista-publica", gro.folder, "--salida", tmp_path / "publica", "--json")
    assert json.loads(shown.stdout)["difusores"] == []  # an applicant is nobody yet
    assert (tmp_path / "publica" / "index.html").exists()


def test_the_key_by_command(gro: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once, changed in its file, and changed in a variable."""
    form = gro.alta()
    gro.registro.pasa("diario-uno", "admitido", ANA)
    path = gro.folder / sello.ARCHIVO
    assert run("difusor", "clave", gro.folder).exit_code == 78
    assert run("difusor", "clave", gro.folder, "--rota", "--imprime").exit_code == 2
    told = json.loads(run("difusor", "clave", gro.folder, "--rota", "--json").stdout)
    assert (told["archivo"], told["sellos"]) == (str(path), 1)
    old, new = path.read_text().strip(), run("difusor", "clave", gro.folder, "--imprime").stdout.strip()
    assert told["clave"] in old
    path.unlink()
    monkeypatch.setenv(sello.VARIABLE, f"{new},{old}")
    assert json.loads(run("difusor", "clave", gro.folder, "--resella", "--json").stdout)["sellos"] == 1
    monkeypatch.setenv(sello.VARIABLE, new)
    shown = run("difusor", "ficha", gro.folder, "diario-uno", "--json")
    assert json.loads(shown.stdout)["ficha"] == form.model_dump(mode="json")
    assert not path.exists()


def test_a_wrong_file_is_refused_before_anything_is_written(gro: Casa, tmp_path: Path) -> None:
    bad, logo = tmp_path / "ficha.toml", tmp_path / "logo.svg"
    bad.write_text('nombre = "Uno"\ntipo = "medios"\nurl = "ftp://x"\nclave = "y"\n')
    logo.write_text("<svg/>")
    words = ("difusor", "alta", gro.folder, "uno", *ANYBODY)
    refused = run(*words, "--ficha", bad)
    assert refused.exit_code == 78
    assert "url: no es una dirección web" in refused.stderr
    assert "clave: clave desconocida" in refused.stderr
    bad.write_text('nombre = "Uno"\ntipo = "medios"\nurl = "https://uno.example"\n')
    assert run(*words, "--ficha", bad, "--logo", logo).exit_code == 65
    assert run(*words, "--ficha", bad, "--logo", tmp_path / "no-hay.svg").exit_code == 66
    assert run(*words, "--ficha", tmp_path / "no-hay.toml").exit_code == 66
    assert run("difusor", "cambia", gro.folder, "uno", *ANYBODY).exit_code == 2
    assert gro.registro.todos() == ()
    assert gro.eventos("alta") == []
