"""What the documents say exists, exists: links, commands, make targets; and the twins tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pregon.base.procesos import start
from pregon.cli.app import app
from tests.docs.residente import residiendo

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.is_file())
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"\bpregon ([a-z]+(?: [a-z][a-z-]*)?)")
_MAKE = re.compile(r"(?:`|^)make ([a-z]+)", re.MULTILINE)


def _commands() -> set[str]:
    root = typer.main.get_command(app)
    names: set[str] = set()
    for name, group in getattr(root, "commands", {}).items():
        names.add(name)
        names.update(f"{name} {sub}" for sub in getattr(group, "commands", {}))
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    links = [link for link in _LINK.findall(document.read_text()) if ":" not in link]
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "LEEME.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_command_named_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    known = _commands()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    named = set(_COMMAND.findall(blocks))
    assert named - known == set()
    assert set(_MAKE.findall(text)) - targets == set()


def test_readme_and_leeme_show_the_same_commands() -> None:
    def shell(name: str) -> list[str]:
        lines = "\n".join(re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)).splitlines()
        return [line.split("#")[0].strip() for line in lines]

    assert shell("README.md") == shell("LEEME.md")


def test_the_walk_through_of_the_readme_works_from_an_empty_folder(tmp_path: Path) -> None:
    """Each line in turn, in bash, a process of ``pregon`` each; the next runs only if it succeeded."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [walk] = [block for block in blocks if "prep genera" in block]
    output = tmp_path / "salida"
    folder = tmp_path / "vacia"
    folder.mkdir()
    with residiendo(tmp_path / "ordenes") as environment:
        process = start(["bash", "-c", f"set -e\n{walk}"], output=output, folder=folder, environment=environment)
        try:
            status = process.wait(120)
        finally:
            process.stop()
    text = output.read_text()
    assert status == 0, text
    assert (folder / "difusor" / "puntero").read_text() == "0002\n", text
    assert "Corte: 2 de 2021-06-06T20:40" in text
