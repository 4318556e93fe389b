"""The process dies (SIGKILL) before and after each durable step of a publication; the public tree is one whole cut."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base import procesos
from pregon.base.durable import PARCIAL
from pregon.difusor import pointer
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.difusor.publish import Publisher
from pregon.difusor.recover import recover
from tests.difusor.conftest import files_of, make_escena, page, tree_hashes, without_twins
from tests.red.blancos import DiscoMortal, EstadoMortal, Pasos, killed
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.difusor.workspace import Workspace
    from pregon.trust.keys import KeyRing
    from tests.difusor.conftest import Escena


def publication(workspace: Workspace, escena: Escena, steps: Pasos) -> None:
    """A start of the difusor and one pass, as ``recibe --una-vez`` does them."""
    state = EstadoMortal(workspace.estado, escena.clock, steps)
    open_receiver(workspace, clock=escena.clock, state=state, disk=DiscoMortal(steps)).run_once()


def recovery(workspace: Workspace, escena: Escena, steps: Pasos) -> None:
    """A start of the difusor alone."""
    state = EstadoMortal(workspace.estado, escena.clock, steps)
    recover(Publisher(workspace, Libro(state), DiscoMortal(steps)), escena.clock.now())


def copy_of(workspace: Workspace, folder: Path) -> Workspace:
    """The same workspace elsewhere, hard links and times kept. The repository that it reads stays the same."""
    shutil.rmtree(folder, ignore_errors=True)
    assert procesos.capture(["cp", "-a", workspace.folder, folder], timeout=30) is not None
    return replace(workspace, folder=folder)


def public_tree(workspace: Workspace) -> dict[str, str]:
    name = pointer.read(workspace)
    assert name is not None
    return tree_hashes(workspace.cortes / name)


def assert_whole(workspace: Workspace, allowed: tuple[Mapping[str, str], ...]) -> None:
    assert without_twins(public_tree(workspace)) in allowed


def assert_in_order(workspace: Workspace) -> None:
    """What a start leaves: the link agrees, nothing half-written, every object under its own hash."""
    assert pointer.link_agrees(workspace)
    assert not [path for path in workspace.folder.rglob(f"*{PARCIAL}") if "servidor" not in path.parts]
    for name, sha256 in tree_hashes(workspace.objetos).items():
        file = Path(name).name
        assert "." in file or file == sha256


def prepared(tmp_path: Path, ring: KeyRing, cortes: int) -> Escena:
    """A difusor with ``cortes`` cuts published, and one more waiting at its source."""
    folder = tmp_path / "noche"
    folder.mkdir()
    escena = make_escena(folder, ring)
    escena.receiver().run_once()
    for corte in range(1, cortes + 2):
        hora = INICIO + INTERVALO * corte
        small = {ruta: data for ruta, data in files_of(corte, hora).items() if not ruta.startswith("gub/")}
        escena.cut(corte, small)
        if corte <= cortes:
            escena.receiver().run_once()
    return escena


MANY = 8
"""Steps of one kind from here on are alike: those of the objects and the links of a package, one for each file."""


@pytest.mark.parametrize("cortes", [0, 1], ids=["first", "next"])
def test_killed_at_every_kind_of_durable_step(fast: Path, ring: KeyRing, cortes: int) -> None:
    """Every step, but of the many of one kind: of the first cut one in four, and of the next one those between them."""
    _killed_at_each(fast, ring, cortes, sampled=True)


@pytest.mark.aguante
@pytest.mark.parametrize("cortes", [0, 1], ids=["first", "next"])
def test_killed_at_every_durable_step(fast: Path, ring: KeyRing, cortes: int) -> None:
    _killed_at_each(fast, ring, cortes, sampled=False)


def _killed_at_each(fast: Path, ring: KeyRing, cortes: int, *, sampled: bool) -> None:
    escena = prepared(fast, ring, cortes)
    origin, case = escena.workspace, fast / "caso"
    old = without_twins(public_tree(origin))
    reference = copy_of(origin, fast / "entero")
    counted = Pasos()
    publication(reference, escena, counted)
    wanted = public_tree(reference)
    new = without_twins(wanted)
    assert new != old
    assert len([name for name in counted.nombres if name == "write puntero"]) == 1
    kinds = [name.split()[0] for name in counted.nombres]
    chosen = [n for n, kind in enumerate(kinds) if not sampled or kinds.count(kind) < MANY or n % 4 == 2 * cortes]
    assert {kinds[n] for n in chosen} == set(kinds)
    for number in chosen:
        # What one step leaves is what the next one finds.
        for after in (False, True) if number == chosen[-1] else (False,):
            workspace = copy_of(origin, case)
            where = f"{'after' if after else 'before'} {number} {counted.nombres[number]}"

            def work(steps: Pasos, workspace: Workspace = workspace) -> None:
                publication(workspace, escena, steps)

            assert killed(work, Pasos(number, despues=after)), where
            assert_whole(workspace, (old, new))  # What the web server shows while nobody is at home.
            recovery(workspace, escena, Pasos())
            assert_whole(workspace, (old, new))
            assert_in_order(workspace)
            publication(workspace, escena, Pasos())
            assert public_tree(workspace) == wanted, where
            assert_in_order(workspace)


def test_killed_while_two_threads_write(fast: Path, ring: KeyRing) -> None:
    """The same of a package with enough files for two threads, at some of its steps."""
    escena = prepared(fast, ring, 0)
    many = {f"datos/0002/gub/{n:03d}.json": f'{{"seccion": {n}, "votos": "{"0" * 300}"}}'.encode() for n in range(120)}
    escena.receiver().run_once()
    escena.cut(2, {**files_of(2, INICIO + INTERVALO * 2), **many})
    old = without_twins(public_tree(escena.workspace))
    reference = copy_of(escena.workspace, fast / "entero")
    counted = Pasos()
    publication(reference, escena, counted)
    wanted = public_tree(reference)
    creates = [n for n, name in enumerate(counted.nombres) if name.startswith("create ")]
    links = [n for n, name in enumerate(counted.nombres) if name.startswith("link ")]
    assert len(creates) > 240
    for number in (creates[30], creates[150], creates[-40], links[60], links[-30]):
        workspace = copy_of(escena.workspace, fast / "caso")

        def work(steps: Pasos, workspace: Workspace = workspace) -> None:
            publication(workspace, escena, steps)

        assert killed(work, Pasos(number))
        half = next(
            path for path in sorted(workspace.objetos.rglob("*")) if path.is_file() and path.stat().st_nlink == 1
        )
        half.chmod(0o644)
        os.truncate(half, half.stat().st_size // 2)  # the write that was under way
        assert_whole(workspace, (old, without_twins(wanted)))
        recovery(workspace, escena, Pasos())
        assert_whole(workspace, (old, without_twins(wanted)))
        assert_in_order(workspace)
        publication(workspace, escena, Pasos())
        assert public_tree(workspace) == wanted
        assert_in_order(workspace)


def test_killed_while_the_twins_of_a_public_cut_are_made(fast: Path, ring: KeyRing) -> None:
    """The twins that no first sight asks for (docs/adr/0011): the cut is public already, and the next start ends it."""
    escena = prepared(fast, ring, 0)
    escena.receiver().run_once()
    deep = {f"datos/0002/gub/seccion/{n:04d}.json": page(n, f"<p>{n}</p>") for n in range(40)}
    escena.cut(2, {**files_of(2, INICIO + INTERVALO * 2), **deep})
    reference = copy_of(escena.workspace, fast / "entero")
    counted = Pasos()
    publication(reference, escena, counted)
    wanted = public_tree(reference)
    assert {ruta + ".gz" for ruta in deep} < wanted.keys()
    switched = counted.nombres.index("write puntero")
    later = list(enumerate(counted.nombres))[switched:]
    creates = [n for n, name in later if name.startswith("create ") and name.endswith(".gz")]
    links = [n for n, name in later if name.startswith("link ") and name.endswith(".json.gz")]
    assert len(creates) >= len(deep)
    for number in (creates[0], creates[20], links[0], links[-1]):
        workspace = copy_of(escena.workspace, fast / "caso")

        def work(steps: Pasos, workspace: Workspace = workspace) -> None:
            publication(workspace, escena, steps)

        assert killed(work, Pasos(number))
        assert without_twins(public_tree(workspace)) == without_twins(wanted)
        halves = [path for path in workspace.objetos.rglob("*.gz") if path.stat().st_nlink == 1][:1]
        for half in halves:
            half.chmod(0o644)
            os.truncate(half, half.stat().st_size // 2)  # the write that was under way
        recovery(workspace, escena, Pasos())
        assert public_tree(workspace).items() <= wanted.items()
        assert not [half for half in halves if half.exists()]
        publication(workspace, escena, Pasos())
        assert public_tree(workspace) == wanted
        assert_in_order(workspace)


def test_killed_at_every_step_of_recovery(fast: Path, ring: KeyRing) -> None:
    escena = prepared(fast, ring, 1)
    origin = escena.workspace
    old = without_twins(public_tree(origin))
    reference = copy_of(origin, fast / "entero")
    counted = Pasos()
    publication(reference, escena, counted)
    wanted = public_tree(reference)
    new = without_twins(wanted)
    # The three worst places: objects written, release named but not accepted, pointer switched but not noted.
    places = [
        next(n for n, name in enumerate(counted.nombres) if name == "sync_filesystem noche" or name.endswith("entero")),
        next(n for n, name in enumerate(counted.nombres) if name == "replace 0002"),
        next(n for n, name in enumerate(counted.nombres) if name == "symlink publico"),
    ]
    for place in places:
        half = copy_of(origin, fast / "mitad")

        def stop_there(steps: Pasos, half: Workspace = half) -> None:
            publication(half, escena, steps)

        assert killed(stop_there, Pasos(place))
        whole = Pasos()
        recovery(copy_of(half, fast / "cuenta"), escena, whole)
        for number in range(len(whole.nombres)):
            workspace = copy_of(half, fast / "caso")

            def again(steps: Pasos, workspace: Workspace = workspace) -> None:
                recovery(workspace, escena, steps)

            assert killed(again, Pasos(number, despues=True))
            assert_whole(workspace, (old, new))
            recovery(workspace, escena, Pasos())
            assert_whole(workspace, (old, new))
            assert_in_order(workspace)
        publication(half, escena, Pasos())
        assert public_tree(half) == wanted


def test_recovery_fills_a_hole_and_undoes_a_change(tmp_path: Path, ring: KeyRing) -> None:
    escena = prepared(tmp_path, ring, 1)
    workspace = escena.workspace
    wanted = without_twins(public_tree(workspace))
    release = workspace.cortes / "0001"
    # A stranger with the disk in his hands: one file changed in place, one gone, one more, one made a link.
    page = release / "index.html"
    page.chmod(0o644)
    page.write_bytes(page.read_bytes().replace(b"casilla", b"CASILLA"))
    (release / "datos/0001/gub/entidad.json").unlink()
    (release / "extra.html").write_bytes(b"ajeno")
    (release / "corte.json").unlink()
    (release / "corte.json").symlink_to("/etc/hostname")
    escena.libro.marcar_limpio(limpio=False)
    recovery(workspace, escena, Pasos())
    assert without_twins(public_tree(workspace)) == wanted
    assert_in_order(workspace)


def test_lost_state_database_keeps_what_is_public_and_the_memory(tmp_path: Path, ring: KeyRing) -> None:
    escena = prepared(tmp_path, ring, 2)
    workspace = escena.workspace
    before = public_tree(workspace)
    workspace.estado.unlink()
    for leftover in workspace.folder.glob("estado.sqlite-*"):
        leftover.unlink()
    recovery(workspace, escena, Pasos())
    assert public_tree(workspace) == before
    assert [cut.corte for cut in escena.libro.cortes()] == [1, 2]
    publication(workspace, escena, Pasos())
    assert pointer.read(workspace) == "0003"
