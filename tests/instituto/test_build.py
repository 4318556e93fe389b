"""One cut: what it leaves, what it refuses, and what stays when it fails or is killed."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base import locks, procesos
from pregon.base.durable import Disk
from pregon.base.errors import (
    AjustesError,
    CadenaError,
    DiscoError,
    EntradaError,
    FindingsError,
    FormatoError,
    InstanciaError,
    UsoError,
)
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.instituto import workspace as spaces
from pregon.instituto.build import build_cut
from pregon.instituto.fuentes import ContestSource
from pregon.instituto.workspace import CANDADO, PERFIL, create, offline_keys, open_workspace
from pregon.paquete.manifest import Autorizacion, parse_manifest
from pregon.transport.local import FolderSource
from pregon.trust.cliente import TrustClient
from pregon.trust.verified import Memory
from tests.instituto.conftest import HORA, INICIO, Night, tree_digest
from tests.red import vivero
from tests.red.blancos import MUERTO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.instituto.workspace import Workspace

LATER = HORA + timedelta(minutes=20)
ROOT = Path(__file__).resolve().parents[2]


def test_a_cut_lies_signed_in_the_repository_and_verifies(night: Night) -> None:
    night.ambiente = "simulacro"  # a verifier refuses a clock that is not the world's elsewhere
    space = night.create()
    built = night.cut(space)
    assert built.corte == 1
    raw = (built.carpeta / "manifiesto.json").read_bytes()
    manifest = parse_manifest(raw)
    assert sha256_bytes(raw) == built.manifiesto_sha256
    assert manifest.elecciones == ("GUB", "DIP")
    assert manifest.hora_corte == HORA
    assert manifest.hora_corte.isoformat() == "2021-06-06T22:40:00-05:00"
    assert manifest.proximo == LATER
    assert manifest.anterior is None
    assert built.cambios is None
    assert built.paquete.nombre == "20210606_2240_PREP_CAMP.zip"
    assert built.paquete.sha256 == sha256_file(built.carpeta / built.paquete.nombre)
    client = TrustClient(
        night.folder / "confianza",
        root=(space.folder / "root.json").read_bytes(),
        identity=space.identity,
        clock=night.clock,
        memory=Memory(),
    )
    verified = client.check(FolderSource(space.repositorio)).verified
    assert verified is not None
    assert verified.raw == raw


def test_contests_stand_in_one_order_whatever_the_order_of_the_files(night: Night) -> None:
    built = build_cut(night.create(), night.sources()[::-1])
    assert built.manifest.elecciones == ("GUB", "DIP")
    with zipfile.ZipFile(built.carpeta / built.paquete.nombre) as package:
        corte = json.loads(package.read("corte.json"))
    assert [contest["id"] for contest in corte["contiendas"]] == ["gub", "dip"]


def test_the_second_cut_is_chained_and_its_changes_bring_every_new_content(night: Night) -> None:
    space = night.create()
    first = night.cut(space)
    second = night.cut(space, LATER, votes="41")
    assert second.corte == 2
    assert second.manifest.anterior == first.manifiesto_sha256
    assert second.cambios is not None
    before = {entry.sha256 for entry in first.manifest.archivos}
    new = {entry.sha256 for entry in second.manifest.archivos} - before
    with zipfile.ZipFile(second.carpeta / second.cambios.nombre) as archive:
        brought = {sha256_bytes(archive.read(name)) for name in archive.namelist()}
    assert brought == new
    quiet = [entry for entry in second.manifest.archivos if "/distrito/002.json" in entry.ruta]
    assert len(quiet) == 2
    assert all(entry.sha256 in before for entry in quiet)  # nothing changed there: it does not travel again


def test_same_actas_and_same_cut_give_the_same_archive(night: Night, tmp_path: Path) -> None:
    built = night.cut(night.create())
    again = Night(tmp_path / "otra", night.clock)
    again.folder.mkdir()
    space = again.create()
    sources = again.sources()
    again.clock.instant = HORA + timedelta(minutes=3)  # made later: only the manifest says so
    other = build_cut(space, sources)
    assert other.paquete == built.paquete
    assert other.manifest == dataclasses.replace(built.manifest, generado=other.manifest.generado)


def test_processes_that_hash_differently_give_the_same_archive(night: Night, tmp_path: Path) -> None:
    """Python orders a set of texts by a number that is another in each process, unless it is fixed."""
    sources = night.sources()
    found, archives = [], []
    for seed in ("1", "2"):
        night.folder = tmp_path / seed
        night.folder.mkdir()
        space = night.create()
        command = [sys.executable, "-m", "pregon", "instituto", "corte", str(space.folder), "--hora", HORA.isoformat()]
        process = procesos.start(
            [*command, *(part for source in sources for part in ("--actas", str(source.actas)))],
            output=tmp_path / "salida",
            folder=tmp_path,
            environment={**os.environ, "PYTHONHASHSEED": seed},
        )
        try:
            assert process.wait(60) == 0, (tmp_path / "salida").read_text()
        finally:
            process.stop()
        (archive,) = (space.repositorio / "targets" / "cortes" / "0001").glob("*.zip")
        with zipfile.ZipFile(archive) as opened:
            found.append({member.filename: member.CRC for member in opened.infolist()})
        archives.append(archive.read_bytes())
    assert [name for name in found[0] if found[0][name] != found[1].get(name)] == []
    assert archives[0] == archives[1]


def test_numbering_starts_before_the_start_with_zero_and_after_it_with_one(night: Night) -> None:
    space = night.create()
    zero = night.cut(space, INICIO - timedelta(hours=2))
    assert zero.corte == 0
    assert night.cut(space).corte == 1


def test_the_last_cut_announces_none_includes_especiales_and_signs_to_the_end_of_permanence(night: Night) -> None:
    space = night.create()
    night.cut(space)
    for name in offline_keys():
        (space.llaves / f"{name}.pem").unlink()
    night.clock.instant = LATER
    built = build_cut(space, night.sources(LATER), ultimo=True)
    manifest = built.manifest
    assert (manifest.ultimo, manifest.cierre, manifest.proximo) == (True, "horario", None)
    assert manifest.incluye_especiales
    assert set(built.roles_por_firmar) == {"root", "targets"}  # their keys are in the safe
    timestamp = json.loads((space.repositorio / "metadata" / "timestamp.json").read_bytes())["signed"]
    assert timestamp["expires"].startswith("2031-07-0")
    with pytest.raises(CadenaError, match="último"):
        build_cut(space, night.sources(LATER + timedelta(minutes=20)))


def test_an_early_closing_needs_a_profile_that_allows_it_and_a_reason(night: Night) -> None:
    space = night.create()
    sources = night.sources()
    before = tree_digest(space.repositorio)
    with pytest.raises(UsoError, match="no permite"):
        build_cut(space, sources, ultimo=True, cierre="anticipado", motivo="100 % capturado")
    with pytest.raises(UsoError, match="sólo van con el último"):
        build_cut(space, sources, cierre="horario")
    allowed = dataclasses.replace(
        space, convocatoria=space.convocatoria.model_copy(update={"cierre_anticipado_permitido": True})
    )
    with pytest.raises(UsoError, match="motivo"):
        build_cut(allowed, sources, ultimo=True, cierre="anticipado")
    assert tree_digest(space.repositorio) == before
    night.clock.instant = HORA
    built = build_cut(allowed, sources, ultimo=True, cierre="anticipado", motivo="100 % capturado", operador="ana")
    assert built.manifest.cierre == "anticipado"
    assert [(a.codigo, a.motivo, a.operador) for a in built.manifest.autorizaciones] == [
        ("CIERRE_ANTICIPADO", "100 % capturado", "ana")
    ]


def _truncated(path: Path) -> None:
    path.write_text("GUBERNATURA\n06/06/2021 22:40 (UTC-5)\nCLAVE_CASILLA,SECCION\n040001B0100,0001\n")


def _strange_cell(path: Path) -> None:
    path.write_text(path.read_text().replace(",40,30,", ",¿?,30,", 1))


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "error"), [(_truncated, FormatoError), (_strange_cell, FindingsError), (_gone, EntradaError)]
)
def test_a_bad_file_leaves_the_repository_as_it_was(night: Night, spoil: object, error: type[Exception]) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    sources = night.sources(LATER)
    assert callable(spoil)
    spoil(sources[0].actas)
    with pytest.raises(error):
        build_cut(space, sources)
    assert tree_digest(space.repositorio) == before
    assert night.cut(space, LATER).corte == 2  # and the next attempt is not harmed


def test_files_of_another_hour_block_unless_a_person_answers_for_it(night: Night) -> None:
    space = night.create()
    sources = night.sources()
    before = tree_digest(space.repositorio)
    with pytest.raises(FindingsError, match="HORA_DISTINTA"):
        build_cut(space, sources, hora=LATER)
    assert tree_digest(space.repositorio) == before
    signed = Autorizacion("HORA_DISTINTA", "el reloj del sistema de captura", "ana", datetime(2021, 6, 7, tzinfo=UTC))
    night.clock.instant = LATER
    built = build_cut(space, sources, hora=LATER, autorizaciones=[signed])
    assert built.hora_corte == LATER
    assert [a.codigo for a in built.manifest.autorizaciones] == ["HORA_DISTINTA"]


def test_number_hour_and_repeated_election_out_of_order_are_refused(night: Night) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    with pytest.raises(CadenaError, match="no es posterior"):
        build_cut(space, night.sources())
    with pytest.raises(CadenaError, match="el 2, no el 7"):
        build_cut(space, night.sources(LATER), corte=7)
    with pytest.raises(FindingsError, match="CONTIENDA_REPETIDA"):
        build_cut(space, [*night.sources(LATER), night.sources(LATER)[0]])
    with pytest.raises(FindingsError, match="CONTIENDA_AJENA"):
        build_cut(space, [ContestSource("AYU", night.sources(LATER)[0].actas)])
    with pytest.raises(UsoError):
        build_cut(space, [])
    assert tree_digest(space.repositorio) == before


def test_a_workspace_in_use_is_refused(night: Night) -> None:
    space = night.create()
    with locks.exclusive(space.folder / CANDADO), pytest.raises(InstanciaError):
        night.cut(space)
    assert not list((space.repositorio / "targets" / "cortes").iterdir())


def test_a_second_workspace_in_the_same_folder_is_refused(night: Night) -> None:
    space = night.create()
    before = tree_digest(space.folder)
    with pytest.raises(AjustesError, match="ya es un espacio"):
        night.create()
    assert tree_digest(space.folder) == before


def test_a_call_that_sends_folders_is_not_signed_as_something_else(night: Night) -> None:
    made = night.create()
    path = night.folder / "carpetas.toml"
    text = re.sub(r'(?m)^archivo = "zip"\n', "", (made.folder / PERFIL).read_text())
    path.write_text(text.replace("[paquete]\n", '[paquete]\narchivo = "dir"\n'))
    with pytest.raises(AjustesError, match="carpetas sueltas"):
        create(night.folder / "otro", path, ambiente=night.ambiente, clock=night.clock)
    assert not (night.folder / "otro").exists()


def test_keys_stay_private_and_the_offline_ones_are_named(night: Night) -> None:
    space = night.create()
    assert space.llaves.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in space.llaves.iterdir())
    assert set(offline_keys()) < {path.stem for path in space.llaves.iterdir()}


def test_a_simulated_clock_is_refused_in_oficial(night: Night) -> None:
    space = night.create()
    settings = space.folder / "instituto.toml"
    settings.write_text(settings.read_text() + 'reloj_simulado = "reloj.json"\n')
    with pytest.raises(AjustesError, match="simulacro"):
        open_workspace(space.folder)


class FullDisk(Disk):
    """No space left from the n-th durable write on."""

    def __init__(self, room: int) -> None:
        self._room = room

    def write(self, path: Path, data: bytes | Iterator[bytes], *, mode: int = 0o644) -> None:  # type: ignore[override]
        self._room -= 1
        if self._room < 0:
            raise DiscoError("No hay espacio.", intacto="Nada.", que_hacer="Libere espacio.")
        super().write(path, data, mode=mode)


def test_disk_full_at_any_write_leaves_the_signed_state_and_no_unsigned_cut(night: Night) -> None:
    """At one write of each of eight cuts, which then follow one another: every second cut of a night is alike."""
    space = night.create()
    before, cuts = night.cut(space), space.repositorio / "targets" / "cortes"
    for room in range(8):
        reachable, made = _reachable(space), {path.name for path in cuts.iterdir()}
        hora = LATER + timedelta(minutes=20 * room)
        with pytest.raises(DiscoError):
            night.cut(dataclasses.replace(space, disk=FullDisk(room)), hora)
        assert _reachable(space) == reachable
        assert {path.name for path in cuts.iterdir()} == made == {f"{n:04d}" for n in range(1, room + 2)}
        after = night.cut(space, hora)
        assert after.manifest.anterior == before.manifiesto_sha256
        before = after


def test_a_closing_stopped_after_the_signature_is_finished_by_the_next_order(night: Night) -> None:
    space = night.create()
    night.cut(space)
    full = dataclasses.replace(space, disk=FullDisk(9))  # room for the whole cut and one role of the closing
    with pytest.raises(DiscoError):
        night.cut(full, LATER, ultimo=True)
    timestamp = space.repositorio / "metadata" / "timestamp.json"
    assert json.loads(timestamp.read_bytes())["signed"]["expires"].startswith("2021")
    with space.held() as repository:
        assert [cut.corte for cut in repository.cuts()] == [1, 2]
    assert json.loads(timestamp.read_bytes())["signed"]["expires"].startswith("2031")
    before = tree_digest(space.repositorio)
    with space.held():
        pass
    assert tree_digest(space.repositorio) == before  # once


def _reachable(space: Workspace) -> dict[str, str]:
    """What a reader can get to: everything but metadata that ``timestamp.json`` does not lead to."""
    metadata = space.repositorio / "metadata"
    snapshot = json.loads((metadata / "timestamp.json").read_bytes())["signed"]["meta"]["snapshot.json"]["version"]
    roles = json.loads((metadata / f"{snapshot}.snapshot.json").read_bytes())["signed"]["meta"]
    current = {f"metadata/{item['version']}.{name}" for name, item in roles.items()}
    current |= {"metadata/timestamp.json", f"metadata/{snapshot}.snapshot.json", "metadata/1.root.json"}
    return {
        ruta: digest
        for ruta, digest in tree_digest(space.repositorio).items()
        if ruta.startswith("targets/") or ruta in current
    }


def _run(space: Workspace, actas: Path, at: int, when: str, output: Path) -> int:
    """The status of a process that makes the cut of ``LATER`` and dies at a step."""
    output.unlink(missing_ok=True)
    words = (space.folder, actas, LATER.isoformat(), at, when)
    return vivero.compartido().corre("tests.instituto.muerte", *words, salida=output, limite=60)


@pytest.fixture
def steps(night: Night, tmp_path: Path) -> list[str]:
    """The durable steps of one cut, recorded from a process that ends well."""
    space = night.create()
    night.cut(space)
    night.sources(LATER)
    assert _run(space, night.folder / f"{LATER:%Y%m%d_%H%M}", -1, "antes", tmp_path / "pasos.txt") == 0
    return (tmp_path / "pasos.txt").read_text().splitlines()


def test_killed_before_and_after_each_step_from_the_rename_on_leaves_one_whole_cut(
    night: Night, steps: list[str], tmp_path: Path
) -> None:
    rename = next(n for n, line in enumerate(steps) if line.split()[1] == "replace")
    last = next(n for n, line in reversed(list(enumerate(steps))) if line.endswith("timestamp.json"))
    actas = night.folder / f"{LATER:%Y%m%d_%H%M}"
    start = Night(tmp_path / "inicio", night.clock)
    start.folder.mkdir()
    first = start.cut(start.create())
    for at in range(rename - 1, last + 1):
        # What one step leaves is what the next one finds.
        for when in ("antes", "despues") if at == last else ("antes",):
            again = Night(tmp_path / f"{at}-{when}", night.clock)
            shutil.copytree(start.folder, again.folder)
            space = open_workspace(again.folder / "espacio", clock=night.clock)
            old = _reachable(space)
            assert _run(space, actas, at, when, tmp_path / "salida.txt") == MUERTO
            with space.held() as repository:  # what any next order does first
                cuts = [cut.corte for cut in repository.cuts()]
            whole = at == last and when == "despues"
            assert cuts == ([1, 2] if whole else [1])
            assert (_reachable(space) == old) is not whole
            assert not list(space.trabajo.iterdir())
            if not whole:
                assert again.cut(space, LATER).manifest.anterior == first.manifiesto_sha256


def test_what_a_stopped_attempt_left_is_removed_before_the_next(night: Night) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    stray = space.repositorio / "targets" / "cortes" / "0002"
    stray.mkdir()
    (stray / "manifiesto.json").write_bytes(b"{}")
    (space.repositorio / "metadata" / "timestamp.json.parcial").write_bytes(b"")
    (space.trabajo / "0002").mkdir()
    with space.held():
        pass
    assert tree_digest(space.repositorio) == before
    assert not list(space.trabajo.iterdir())


def test_events_are_recorded(night: Night) -> None:
    space = night.create()
    built = night.cut(space)
    kinds = [(event.tipo, event.dato.get("manifiesto_sha256")) for event in space.state().events()]
    assert kinds == [("inicia", None), ("corte", built.manifiesto_sha256)]
    assert spaces.open_workspace(space.folder).convocatoria == space.convocatoria
