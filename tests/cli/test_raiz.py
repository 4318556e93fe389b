"""What the command line says of itself: its help and its mistakes of use, in Spanish, and with the keys of §5."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from pregon.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

INGLES = re.compile(
    r"Usage|Options|Arguments|Commands|Show this|\[required\]|\[default|env var"
    r"|<(?:str|int|path|bool|float)|OPTIONS|ARGS\b|list\["
)


@pytest.fixture(scope="module")
def raiz() -> Any:
    return typer.main.get_command(app)


def _corre(raiz: Any, words: list[str]) -> int:
    """Run ``words`` as the program would; its exit status."""
    with pytest.raises(SystemExit) as ended:
        raiz.main(words, prog_name="pregon")
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _ordenes(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from _ordenes(each, (*path, name))


def test_every_help_is_in_spanish_and_shows_each_text_whole(
    raiz: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich takes «[tabla]» for markup and drops it: nothing that a help says may be lost."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 400)
    for path, command in list(_ordenes(raiz)):
        assert _corre(raiz, [*path, "--help"]) == 0, path
        text = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
        assert "Uso: " in text, path
        assert INGLES.search(text) is None, (path, INGLES.search(text))
        texts = [command.help or "", *(getattr(one, "help", None) or "" for one in command.params)]
        for each in texts:
            assert re.sub(r"\s+", " ", each).strip() in text, path


def test_help_of_a_command_after_a_folder_needs_no_folder(raiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["confirma"], ["/no/existe", "confirma"]):
        assert _corre(raiz, ["instituto", "proceso", *words, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "{carpeta} confirma" in shown
        assert "Confirma una orden que espera" in shown


def test_a_flag_is_not_shown_as_if_it_took_a_value(raiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _corre(raiz, ["instituto", "corte", "--help"])
    shown = capsys.readouterr().out
    assert re.search(r"--ultimo +Es el último corte", shown)
    assert re.search(r"--corte +ENTERO +Número del corte", shown)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["instituto", "corte"], "Falta carpeta."),
        (["prep", "totales", "a.csv", "--mal"], "No existe la opción --mal."),
        (["difusor", "recibe", "x", "--una-vezz"], "No existe la opción --una-vezz. ¿Quiso decir --una-vez?"),
        (["afor"], "No existe la orden «afor». ¿Quiso decir «aforo»?"),
        (["nada-de-eso"], "No existe la orden «nada-de-eso»."),
        (["version", "de", "más"], "Sobra: de más."),
        (["convocatoria", "calendario", "x", "--ics"], "Falta el valor de --ics."),
        (["simulacro", "--cortes", "dos"], "No sirve el valor de --cortes: hace falta un número entero."),
        (["simulacro", "--cortes", "0"], "No sirve el valor de --cortes: debe ser 1 o más."),
        (["simulacro", "--difusores", "99"], "No sirve el valor de --difusores: debe ser 20 o menos."),
        (["simulacro", "--acelerar", "x"], "No sirve el valor de --acelerar: hace falta un número."),
        (["difusor", "declara", "d", "carta", "--fecha", "3"], "No sirve el valor de --fecha: hace falta una fecha"),
    ],
)
def test_a_mistake_of_use_is_told_in_spanish_with_status_two(
    words: list[str], said: str, raiz: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _corre(raiz, words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"Error USO: {said}")
    assert "--help» dice cómo se usa." in shown.err


def test_with_json_a_mistake_has_the_keys_of_any_failure(raiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _corre(raiz, ["difusor", "estado", "--json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert json.loads(shown.err) == {
        "codigo": "USO",
        "que_paso": "Falta DIR.",
        "intacto": "No se hizo nada.",
        "que_hacer": "«pregon difusor estado --help» dice cómo se usa.",
    }


def test_a_group_alone_shows_its_commands_as_typer_does(raiz: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _corre(raiz, ["difusor", "configura"]) == 2
    shown = capsys.readouterr()
    assert "Órdenes" in shown.out
    assert shown.err == ""


def test_the_real_program_keeps_its_statuses() -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "pregon", *words], capture_output=True, text=True, check=False)

    assert (run("version").returncode, run("corte").returncode) == (0, 2)
    refused = run("prep", "totales", "/no/existe.csv", "--json")
    assert refused.returncode == 66
    assert json.loads(refused.stderr)["codigo"] == "ENTRADA"
