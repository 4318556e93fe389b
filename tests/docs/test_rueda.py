"""What is installed from a wheel is all that is here: a file that the build leaves out is missed only far from here."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from pregon.simulacro.modelo import calibracion

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_of_every_room_is_in_the_wheel() -> None:
    """The builder's own list, from pyproject.toml and what it is told to ignore; nothing is written."""
    package = ROOT / "src" / "pregon"
    there = {path.relative_to(ROOT / "src").as_posix() for path in package.rglob("*") if path.is_file()}
    there = {path for path in there if "__pycache__" not in path}
    taken = {one.distribution_path for one in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert there - taken == set()
    assert {Path(path).suffix for path in taken} >= {".py", ".toml", ".json", ".sql", ".css", ".js", ".typ", ".html"}
    assert f"pregon/simulacro/modelo/{calibracion.INCLUIDA}" in taken
