"""The template of a new call: it is a profile as it comes, and names every key that a profile may have."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from pregon.cli.app import app
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import load, problems, template

if TYPE_CHECKING:
    from pathlib import Path

PROPUESTA = re.compile(r"^#: ", re.MULTILINE)


def model_in(annotation: object) -> type[BaseModel] | None:
    """The table that a key holds, once or many times."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := model_in(one)) is not None), None)


def keys_of(model: type[BaseModel], path: str = "") -> set[str]:
    keys = set()
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        keys |= {path + name} if inner is None else {path + name} | keys_of(inner, f"{path}{name}.")
    return keys


def keys_in(table: dict[str, object], path: str = "") -> set[str]:
    keys = set()
    for name, value in table.items():
        keys.add(path + name)
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                keys |= keys_in(row, f"{path}{name}.")
    return keys


def test_as_it_comes_it_is_a_profile(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["convocatoria", "plantilla"])
    assert (printed.exit_code, printed.stdout) == (0, template())
    copy = tmp_path / "mia.toml"
    copy.write_text(printed.stdout, encoding="utf-8")
    assert problems(copy) == ()
    shown = CliRunner().invoke(app, ["convocatoria", "muestra", str(copy)]).stdout
    assert "PREP Mi Entidad 2027" in shown


def test_every_key_of_the_model_is_in_it_and_goes_together_with_the_others(tmp_path: Path) -> None:
    whole = tmp_path / "todo.toml"
    whole.write_text(PROPUESTA.sub("", template()), encoding="utf-8")
    assert problems(whole) == ()
    shared = {"etapas.hora_desde", "etapas.hora_hasta"}  # told with «ventanas_prueba», the same table
    assert keys_in(tomllib.loads(whole.read_text(encoding="utf-8"))) == keys_of(Convocatoria) - shared
    assert load(whole).vistas == load("gro-2021").vistas


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [("intervalo_min = 20", "intervalo_min = 0", "intervalo_min"), ('"push"', '"empuja"', "transporte.modo")],
)
def test_a_wrong_value_of_a_copy_is_told_by_its_key(tmp_path: Path, key: str, value: str, told: str) -> None:
    copy = tmp_path / "mia.toml"
    copy.write_text(template().replace(key, value, 1), encoding="utf-8")
    assert [text for text in problems(copy) if text.startswith(told)]
