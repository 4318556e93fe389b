"""A difusor some cuts behind: the changes of each cut since its own, or the whole, whichever weighs less (design 2)."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import DiscoError, RedError
from pregon.base.hashing import sha256_bytes
from pregon.base.hora import FixedSource
from pregon.difusor import caminos, pointer
from pregon.difusor.libro import Libro
from pregon.difusor.novedades import signed_news
from pregon.difusor.objects import ObjectStore
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.recover import recover
from pregon.transport.local import FolderSource
from tests.difusor.conftest import files_of, tree_hashes, without_twins
from tests.difusor.test_diferencias import files as files_with_database
from tests.difusor.test_diferencias import recipe, ruta
from tests.difusor.test_refusals import everything_public
from tests.difusor.test_siete import void
from tests.red.bancos import disco_chico
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena

PIECE = 4_000


@dataclass
class Contada:
    """Reads a repository and counts the bytes that it gives of each file; ``corta`` cuts the link after so many."""

    folder: Path
    dados: Counter[str] = field(default_factory=Counter)
    pedidos: list[tuple[str, int]] = field(default_factory=list)
    corta: int | None = None
    en: Callable[[str], None] = lambda ruta: None

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        self.pedidos.append((ruta, desde))
        self.en(ruta)
        found = FolderSource(self.folder).stream(ruta, desde=desde)
        return None if found is None else self._pieces(ruta, found)

    def _pieces(self, ruta: str, found: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in found:
            for start in range(0, len(chunk), PIECE):
                piece = chunk[start : start + PIECE]
                if self.corta is not None and ruta.endswith(".zip"):
                    if self.corta <= 0:
                        raise RedError("se cortó", intacto="-", que_hacer="-")
                    piece = piece[: self.corta]
                    self.corta -= len(piece)
                self.dados[ruta] += len(piece)
                yield piece

    @property
    def paquetes(self) -> dict[str, int]:
        """Bytes of archives, by name within the repository."""
        return {ruta.removeprefix("targets/cortes/"): size for ruta, size in self.dados.items() if ruta.endswith("zip")}


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def sign(escena: Escena, corte: int, *, changing: int = 6_000) -> None:
    """A cut with 60 kB that never change and ``changing`` that do, none of which is compressible."""
    hora = INICIO + INTERVALO * corte
    more = {"firme.bin": noise(0, 60_000), "nuevo.bin": noise(corte, changing)}
    escena.cut(corte, {**files_of(corte, hora), **more})


def behind(escena: Escena, *, upto: int = 4, changing: int = 6_000) -> None:
    """A difusor that has cut 1 and an institute that went on to ``upto``."""
    sign(escena, 1, changing=changing)
    assert escena.receiver().run_once().novedad == 1
    for corte in range(2, upto + 1):
        sign(escena, corte, changing=changing)


def receiver(escena: Escena, source: Contada) -> Receiver:
    publisher = Publisher(escena.workspace, Libro(escena.state()), escena.disk)
    recover(publisher, escena.clock.now())
    news = signed_news(publisher, source, escena.clock)
    return Receiver(publisher, news, clock=escena.clock, offset=FixedSource(None))


def archive(escena: Escena, corte: int, kind: str) -> Path:
    found = escena.repository.cut_folder(corte).glob("*.zip")
    [path] = [path for path in found if path.name.endswith(".cambios.zip") == (kind == "cambios")]
    return path


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def history(escena: Escena, corte: int) -> dict[str, str]:
    return tree_hashes(escena.workspace.historico / f"{corte:04d}")


def assert_published(escena: Escena, corte: int) -> None:
    assert pointer.read(escena.workspace) == f"{corte:04d}"
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(corte).items()
    assert not list(escena.workspace.recepcion.iterdir())


def test_a_chain_of_three_costs_the_sum_of_its_changes(escena: Escena) -> None:
    behind(escena)
    source = Contada(escena.repository.folder)
    outcome = receiver(escena, source).run_once()
    assert (outcome.novedad, outcome.error) == (4, None)
    changes = {corte: archive(escena, corte, "cambios") for corte in (2, 3, 4)}
    assert source.paquetes == {name(path): path.stat().st_size for path in changes.values()}
    assert sum(source.paquetes.values()) < archive(escena, 4, "completo").stat().st_size
    assert_published(escena, 4)
    # Only the newest was accepted; the history keeps what was received of the others.
    assert [cut.corte for cut in escena.libro.cortes()] == [1, 4]
    assert not (escena.workspace.historico / "0003").exists()
    kept = history(escena, 4)
    for corte in (2, 3):
        for path in (changes[corte], changes[corte].with_name("manifiesto.json")):
            assert kept[f"cadena/{name(path)}"] == sha256_bytes(path.read_bytes())
    assert kept[changes[4].name] == sha256_bytes(changes[4].read_bytes())
    # Of the cuts in between nothing is stored that the newest does not need.
    store = ObjectStore(escena.workspace.objetos, escena.disk)
    assert not store.has(sha256_bytes(noise(3, 6_000)), 6_000)


def test_the_whole_is_taken_where_it_weighs_less(escena: Escena) -> None:
    behind(escena, changing=50_000)
    source = Contada(escena.repository.folder)
    assert receiver(escena, source).run_once().novedad == 4
    whole = archive(escena, 4, "completo")
    assert source.paquetes == {name(whole): whole.stat().st_size}
    assert_published(escena, 4)
    assert "cadena" not in {path.name for path in (escena.workspace.historico / "0004").iterdir()}


@pytest.mark.parametrize("gone", ["cambios", "manifiesto"])
def test_a_link_that_the_source_lacks_brings_the_whole_in_the_same_pass(escena: Escena, gone: str) -> None:
    behind(escena)
    missing = archive(escena, 3, "cambios")
    (missing if gone == "cambios" else missing.with_name("manifiesto.json")).unlink()
    source = Contada(escena.repository.folder)
    outcome = receiver(escena, source).run_once()
    assert (outcome.novedad, outcome.error) == (4, None)
    whole = archive(escena, 4, "completo")
    assert source.paquetes[name(whole)] == whole.stat().st_size
    # Manifests come first: without one not a byte of the chain's archives is asked for.
    assert len(source.paquetes) == (2 if gone == "cambios" else 1)
    assert_published(escena, 4)
    assert sorted(history(escena, 4)) == sorted((whole.name, "manifiesto.json", "recibo.json"))


def test_the_chain_is_taken_where_the_source_lacks_the_whole(escena: Escena) -> None:
    behind(escena, changing=50_000)
    archive(escena, 4, "completo").unlink()
    source = Contada(escena.repository.folder)
    assert receiver(escena, source).run_once().novedad == 4
    assert len(source.paquetes) == 3
    assert_published(escena, 4)


def test_a_source_without_either_changes_nothing(escena: Escena) -> None:
    behind(escena)
    before = everything_public(escena)
    for path in (archive(escena, 4, "completo"), archive(escena, 2, "cambios")):
        path.unlink()
    outcome = receiver(escena, Contada(escena.repository.folder)).run_once()
    assert outcome.error is not None
    assert (outcome.novedad, outcome.error.codigo) == (None, "RED")
    assert everything_public(escena) == before


@pytest.mark.parametrize("damaged", ["cambios", "manifiesto"])
def test_a_damaged_link_is_refused_and_the_next_pass_takes_the_whole(escena: Escena, damaged: str) -> None:
    behind(escena)
    path = archive(escena, 3, "cambios")
    path = path if damaged == "cambios" else path.with_name("manifiesto.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before, objects = everything_public(escena), tree_hashes(escena.workspace.objetos)
    source = Contada(escena.repository.folder)
    difusor = receiver(escena, source)
    outcome = difusor.run_once()
    assert outcome.error is not None
    assert (outcome.novedad, outcome.error.codigo) == (None, "HASH")
    assert everything_public(escena) == before
    assert tree_hashes(escena.workspace.objetos) == objects
    assert not list(escena.workspace.recepcion.iterdir())
    assert [cut.corte for cut in escena.libro.cortes()] == [1]
    assert [event.tipo for event in escena.state().events()].count("rechazado") == 1
    whole = archive(escena, 4, "completo")
    assert difusor.run_once().novedad == 4
    assert source.paquetes[name(whole)] == whole.stat().st_size
    assert_published(escena, 4)


def test_a_link_of_another_history_is_refused(escena: Escena) -> None:
    """Every manifest of the chain is the one that the list signs: another one, whole and well formed, is not."""
    behind(escena)
    other = archive(escena, 2, "cambios").with_name("manifiesto.json").read_bytes()
    archive(escena, 3, "cambios").with_name("manifiesto.json").write_bytes(other)
    before = everything_public(escena)
    outcome = receiver(escena, Contada(escena.repository.folder)).run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "HASH"
    assert everything_public(escena) == before


def test_recipes_of_the_cuts_in_between_are_followed_in_order(escena: Escena) -> None:
    """The database of cut 4 is made from that of 3, which is made from that of 2, which is made from that of 1."""
    escena.cut(1, files_with_database(1))
    assert escena.receiver().run_once().novedad == 1
    for corte in (2, 3, 4):
        escena.cut(corte, files_with_database(corte), diferencias={ruta(corte): recipe(corte)})
    source = Contada(escena.repository.folder)
    difusor = receiver(escena, source)
    outcome = difusor.run_once()
    assert (outcome.novedad, outcome.error) == (4, None)
    assert {path.partition("/")[0] for path in source.paquetes} == {"0002", "0003", "0004"}
    assert_published(escena, 4)
    wanted = escena.manifest_hashes(4)[ruta(4)]
    # Lost from the store and from what is public, it is made again from the chain that the history keeps.
    publisher = difusor._publisher
    publisher.store.drop(wanted)
    for path in publisher.releases.folder(4).rglob("*.zip"):
        path.unlink()
    assert publisher.history.remake({wanted}, publisher.libro.cortes(), publisher.store) == set()
    assert publisher.store.intact(wanted)


def test_lost_objects_are_made_again_from_a_chained_history(escena: Escena) -> None:
    behind(escena)
    receiver(escena, Contada(escena.repository.folder)).run_once()
    wanted = escena.manifest_hashes(4)
    shutil.rmtree(escena.workspace.cortes / "0004")
    shutil.rmtree(escena.workspace.objetos)
    escena.workspace.objetos.mkdir()
    shutil.rmtree(escena.repository.folder)  # from nowhere else
    publisher = Publisher(escena.workspace, Libro(escena.state()), escena.disk)
    recover(publisher, escena.clock.now())
    assert without_twins(escena.public()).items() >= wanted.items()
    # A chain whose manifests were swapped makes nothing that is not what was accepted.
    lost = wanted["firme.bin"]
    for folder in (escena.workspace.historico / "0004" / "cadena").iterdir():
        (folder / "manifiesto.json").write_bytes(b"{}")
    publisher.store.drop(wanted["nuevo.bin"])
    assert publisher.history.remake({wanted["nuevo.bin"], lost}, publisher.libro.cortes(), publisher.store) == set()


def test_cut_link_goes_on_with_what_came_of_the_chain(escena: Escena) -> None:
    behind(escena)
    sizes = [archive(escena, corte, "cambios").stat().st_size for corte in (2, 3, 4)]
    before = everything_public(escena)
    source = Contada(escena.repository.folder, corta=sizes[0] + sizes[1] // 2)
    difusor = receiver(escena, source)
    outcome = difusor.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert everything_public(escena) == before
    # Another process, another link: the first archive and half of the second are not asked for again.
    again = Contada(escena.repository.folder)
    assert receiver(escena, again).run_once().novedad == 4
    assert sum(source.paquetes.values()) + sum(again.paquetes.values()) == sum(sizes)
    assert_published(escena, 4)


def test_stick_pulled_out_in_the_middle_of_the_chain_goes_on_when_it_is_back(escena: Escena) -> None:
    behind(escena)
    stick, away = escena.repository.folder, escena.folder / "bolsillo"
    second = f"targets/cortes/{name(archive(escena, 3, 'cambios'))}"
    before = everything_public(escena)
    source = Contada(stick, en=lambda asked: void(asked == second and stick.rename(away)))
    difusor = receiver(escena, source)
    for _ in range(2):
        outcome = difusor.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo == "RED"
    assert everything_public(escena) == before
    away.rename(stick)
    again = Contada(stick)
    assert receiver(escena, again).run_once().novedad == 4
    assert [path[:4] for path in again.paquetes] == ["0003", "0004"]
    assert_published(escena, 4)


@pytest.mark.parametrize("moment", ["targets/cortes/0003/manifiesto.json", "0003.cambios", "0004.cambios"])
def test_killed_in_the_middle_of_the_chain(escena: Escena, moment: str) -> None:
    behind(escena)
    before = everything_public(escena)

    def die(asked: str) -> None:
        corte, _, kind = moment.partition(".")
        if asked == moment or (corte in asked and asked.endswith(f".{kind}.zip")):
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            receiver(escena, Contada(escena.repository.folder, en=die)).run_once()
        finally:
            os._exit(70)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert everything_public(escena) == before
    source = Contada(escena.repository.folder)
    assert receiver(escena, source).run_once().novedad == 4
    came = {"targets/cortes/0003/manifiesto.json": 0, "0003.cambios": 1, "0004.cambios": 2}[moment]
    assert len(source.paquetes) == 3 - came
    assert_published(escena, 4)


def test_a_newer_cut_arrives_while_the_chain_was_on_its_way(escena: Escena) -> None:
    behind(escena, upto=3)
    sizes = {corte: archive(escena, corte, "cambios").stat().st_size for corte in (2, 3)}
    source = Contada(escena.repository.folder, corta=sizes[2] + 1_000)
    receiver(escena, source).run_once()
    sign(escena, 4)
    again = Contada(escena.repository.folder)
    assert receiver(escena, again).run_once().novedad == 4
    assert again.paquetes[name(archive(escena, 3, "cambios"))] == sizes[3] - 1_000
    assert name(archive(escena, 2, "cambios")) not in again.paquetes
    assert_published(escena, 4)


def test_full_disk_refuses_the_chain_before_a_byte_comes(escena: Escena) -> None:
    behind(escena)
    before = everything_public(escena)
    changes = sum(archive(escena, corte, "cambios").stat().st_size for corte in (2, 3, 4))
    with disco_chico(escena.workspace.folder, changes) as disk:  # room for the archives, not for their contents
        source = Contada(escena.repository.folder)
        difusor = receiver(escena, source)
        outcome = difusor.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo == "DISCO"
        assert source.paquetes == {}
        assert everything_public(escena) == before
        disk.crece(200 << 20)
        assert difusor.run_once().novedad == 4
        assert_published(escena, 4)


def test_whoever_is_too_far_behind_takes_the_whole(escena: Escena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caminos, "CADENA_MAX", 2)
    behind(escena)
    source = Contada(escena.repository.folder)
    assert receiver(escena, source).run_once().novedad == 4
    assert [*source.paquetes] == [name(archive(escena, 4, "completo"))]


class Roto(Disk):
    """A disk that finds no space at the first step that ``is_it`` says."""

    def __init__(self, is_it: Callable[[str, Path], bool]) -> None:
        self._is_it: Callable[[str, Path], bool] | None = is_it

    @contextlib.contextmanager
    def step(self, name: str, path: Path) -> Iterator[None]:
        if self._is_it is not None and self._is_it(name, path):
            self._is_it = None
            raise DiscoError("sin espacio", intacto="-", que_hacer="-")
        yield


def test_cut_that_could_not_be_kept_comes_again_with_its_archives(escena: Escena) -> None:
    """Its contents were stored: taken for had, the history would keep nothing to make them from."""
    behind(escena)
    before = escena.public()
    escena.disk = Roto(lambda name, path: name == "replace" and path.parent.name == "0003")  # into the chain's folder
    difusor = receiver(escena, Contada(escena.repository.folder))
    outcome = difusor.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "DISCO"
    assert escena.public() == before
    assert [cut.corte for cut in escena.libro.cortes()] == [1]
    assert difusor.run_once().novedad == 4
    assert_published(escena, 4)
    assert len([ruta for ruta in history(escena, 4) if ruta.endswith(".zip")]) == 3


def test_archive_that_is_signed_and_not_admissible_is_not_brought_again(escena: Escena) -> None:
    """Its bytes cannot change any more: asked for at each pass, it would only take the link from others."""
    sign(escena, 1)
    assert escena.receiver().run_once().novedad == 1
    before = everything_public(escena)
    escena.cut(2, diferencias={"index.html": b"no es una receta"})
    whole = archive(escena, 2, "completo")
    source = Contada(escena.repository.folder)
    difusor = receiver(escena, source)
    kept = whole.read_bytes()
    whole.unlink()
    codes = []
    for _ in range(4):
        outcome = difusor.run_once()
        assert outcome.error is not None
        codes.append(outcome.error.codigo)
    changes = archive(escena, 2, "cambios")
    assert codes == ["ARCHIVO_DIFERENCIA", "RED", "RED", "RED"]
    assert source.paquetes == {name(changes): changes.stat().st_size}
    assert everything_public(escena) == before
    whole.write_bytes(kept)
    assert difusor.run_once().novedad == 2
    assert_published(escena, 2)
