"""Cuts signed as 7z (GRO-2.3d): the same contents; the next cut is the same with its notes, without or damaged."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import DiscoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto import previo
from pregon.instituto.workspace import PERFIL, open_workspace
from pregon.paquete.reading import members
from tests.instituto.conftest import HORA, Night, tree_digest

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.workspace import Workspace

LATER = HORA + timedelta(minutes=20)


@pytest.fixture
def space(night: Night) -> Workspace:
    """A workspace whose call asks for 7z, with its first cut signed."""
    made = night.create()
    profile = made.folder / PERFIL
    text = re.sub(r'(?m)^archivo = "zip"\n', "", profile.read_text())
    profile.write_text(text.replace("[paquete]\n", '[paquete]\narchivo = "7z"\n'))
    opened = open_workspace(made.folder, clock=night.clock)
    night.cut(opened)
    return opened


def contents(archive: Path) -> dict[str, str]:
    return {member.ruta: sha256_bytes(b"".join(member.open())) for member in members(archive)}


def test_the_archive_is_a_7z_with_what_the_manifest_lists_and_changes_stay_a_zip(
    night: Night, space: Workspace
) -> None:
    built = night.cut(space, LATER, votes="41")
    assert built.paquete.nombre == "20210606_2300_PREP_CAMP.7z"
    assert built.cambios is not None
    assert built.cambios.nombre == "20210606_2300_PREP_CAMP.cambios.zip"
    assert sorted(path.name for path in built.carpeta.iterdir()) == [
        built.paquete.nombre,
        built.cambios.nombre,
        "manifiesto.json",
    ]
    assert contents(built.carpeta / built.paquete.nombre) == {e.ruta: e.sha256 for e in built.manifest.archivos}
    changed = contents(built.carpeta / built.cambios.nombre)
    assert 0 < len(changed) < len(built.manifest.archivos)
    assert not list(space.trabajo.iterdir())


@pytest.mark.parametrize("notes", ["borrado", "dañado", "de otro corte"])
def test_without_its_zip_the_next_cut_is_the_same_byte_for_byte(notes: str, night: Night, space: Workspace) -> None:
    twin = night.folder / "gemelo"
    shutil.copytree(space.folder, twin)
    kept = twin / "apuntes" / previo.ZIP
    assert kept.is_file()
    if notes == "borrado":
        kept.unlink()
    elif notes == "dañado":
        kept.write_bytes(kept.read_bytes()[:-7])
    else:
        other = open_workspace(twin, clock=night.clock)
        other.state().put(zip_del_corte={"manifiesto": "0" * 64, "sha256": "0" * 64})
    with_it = night.cut(space, LATER, votes="41")
    without = night.cut(open_workspace(twin, clock=night.clock), LATER, votes="41")
    assert tree_digest(without.carpeta) == tree_digest(with_it.carpeta)


def test_a_signed_7z_that_is_damaged_stops_the_cut_and_nothing_changes(night: Night, space: Workspace) -> None:
    (space.apuntes / previo.ZIP).unlink()
    [archive] = (space.repositorio / "targets" / "cortes" / "0001").glob("*.7z")
    archive.write_bytes(archive.read_bytes()[:-1] + b"?")
    before = tree_digest(space.repositorio)
    with pytest.raises(DiscoError, match="corte anterior"):
        night.cut(space, LATER, votes="41")
    assert tree_digest(space.repositorio) == before
