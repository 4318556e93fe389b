"""The database of a cut made again from the one of the cut before; a recipe that lies publishes nothing."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.base.durable import Disk
from pregon.base.errors import ArchivoError
from pregon.base.hashing import sha256_bytes
from pregon.difusor import pointer
from pregon.difusor.objects import ObjectStore
from pregon.difusor.unpack import missing, unpack
from pregon.paquete.archive import write_zip, zip_chunks
from pregon.paquete.diferencias import encode, is_worth, member_recipe, split_lines
from pregon.paquete.manifest import FileEntry, Manifest
from pregon.paquete.names import DIFERENCIA
from pregon.paquete.tree import PackageTree
from pregon.prep.synthetic.eleccion import election
from tests.difusor.conftest import files_of, tree_hashes, without_twins
from tests.difusor.test_refusals import everything_public
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.difusor.conftest import Escena

ACTAS = 6_000
FIRST = 20
"""Of 73 cuts: in the middle of the night, when most actas arrive."""


@cache
def csv(corte: int) -> bytes:
    """The CSV of ``ACTAS`` made-up actas at the cut ``corte``, more than 1 MiB."""
    start = datetime(2027, 6, 6, 20, tzinfo=timezone(timedelta(hours=-6)))
    made = election(
        "GUB",
        casillas=ACTAS,
        unidades=21,
        cortes=[start + timedelta(minutes=20 * n) for n in range(73)],
        semilla=7,
        entidad=(4, "Campeche"),
    )
    content = made.actas_csv(FIRST + corte)
    assert len(content) > 1 << 20
    return content


def hour(corte: int) -> datetime:
    return INICIO + INTERVALO * corte


def ruta(corte: int) -> str:
    return f"base-de-datos/{hour(corte):%Y%m%d_%H%M}_PREP_GUB_CAMP.zip"


@cache
def database(corte: int) -> bytes:
    tree = PackageTree()
    tree.add("GUB.csv", csv(corte))
    tree.add("LEEME.txt", b"Lea esto.\n")
    return b"".join(zip_chunks(tree, ["GUB.csv", "LEEME.txt"], stamp=hour(corte)))


def recipe(corte: int, whole: bytes | None = None) -> bytes:
    """From the database of the cut before."""
    whole = database(corte) if whole is None else whole
    before, after = split_lines(csv(corte - 1)), split_lines(csv(corte))
    made = encode(
        destino=FileEntry(ruta(corte), len(whole), sha256_bytes(whole)),
        base_sha256=sha256_bytes(database(corte - 1)),
        sello=hour(corte),
        miembros=[
            member_recipe("GUB.csv", "GUB.csv", before, after),
            member_recipe("LEEME.txt", "LEEME.txt", [b"Lea esto.\n"], [b"Lea esto.\n"]),
        ],
    )
    assert is_worth(len(whole), len(made), minimo=1 << 17)
    return made


def files(corte: int, whole: bytes | None = None) -> dict[str, bytes]:
    return {**files_of(corte, hour(corte)), ruta(corte): database(corte) if whole is None else whole}


def whole_archive(escena: Escena, corte: int) -> Path:
    (found,) = (
        path for path in escena.repository.cut_folder(corte).glob("*.zip") if not path.name.endswith(".cambios.zip")
    )
    return found


def kept(escena: Escena, corte: int) -> list[str]:
    folder = escena.workspace.historico / f"{corte:04d}"
    return sorted(path.name.partition("DEMO")[2] for path in folder.glob("*.zip"))


def objects(escena: Escena) -> dict[str, str]:
    return tree_hashes(escena.workspace.objetos)


def test_database_of_the_second_cut_is_made_again_without_the_whole_archive(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    assert receiver.run_once().error is None
    escena.cut(2, files(2), diferencias={ruta(2): recipe(2)})
    changes = next(escena.repository.cut_folder(2).glob("*.cambios.zip"))
    assert changes.stat().st_size < len(database(2)) / 2
    whole_archive(escena, 2).unlink()  # whoever asks for it fails
    outcome = receiver.run_once()
    assert (outcome.error, outcome.novedad) == (None, 2)
    assert kept(escena, 2) == [".cambios.zip"]
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(2).items()
    assert escena.public()[ruta(2)] == sha256_bytes(database(2))
    # Not one file under a name that nobody asked for.
    assert not [path for path in escena.public() if path.endswith(DIFERENCIA)]
    assert not list(escena.workspace.recepcion.iterdir())


def test_other_bytes_than_the_manifests_bring_the_whole_archive(escena: Escena) -> None:
    """The institute's compressor had another level: what is made again differs, and nobody is to blame."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("GUB.csv", csv(2))
        archive.writestr("LEEME.txt", b"Lea esto.\n")
    other = buffer.getvalue()
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    escena.cut(2, files(2, other), diferencias={ruta(2): recipe(2, other)})
    outcome = receiver.run_once()
    assert (outcome.error, outcome.novedad) == (None, 2)
    assert kept(escena, 2) == [".zip"]
    assert escena.public()[ruta(2)] == sha256_bytes(other)
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(2).items()
    assert not list(escena.workspace.recepcion.iterdir())


@pytest.mark.parametrize("fault", ["gone", "damaged"])
def test_base_that_is_not_here_or_is_damaged_brings_the_whole_archive(escena: Escena, fault: str) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    escena.cut(2, files(2), diferencias={ruta(2): recipe(2)})
    store = ObjectStore(escena.workspace.objetos, Disk())
    base = store.path(sha256_bytes(database(1)))
    content = base.read_bytes()
    base.unlink()
    if fault == "damaged":
        base.write_bytes(content[:5_000] + b"x" + content[5_001:])
    assert receiver.run_once().novedad == 2
    assert kept(escena, 2) == [".zip"]
    assert escena.public()[ruta(2)] == sha256_bytes(database(2))


def test_damaged_whole_archive_after_a_recipe_that_does_not_serve_publishes_nothing(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    other = database(2) + b"\0"
    escena.cut(2, files(2, other), diferencias={ruta(2): recipe(2, other)})
    before = everything_public(escena)
    whole_archive(escena, 2).unlink()
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.novedad is None
    assert everything_public(escena) == before
    assert not list(escena.workspace.recepcion.iterdir())


def opened(content: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, literals = zlib.decompress(content, -15).partition(b"\n")
    return json.loads(head), literals


def closed(header: dict[str, Any], literals: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(json.dumps(header).encode() + b"\n" + literals) + deflater.flush()


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    header, literals = opened(recipe(2))
    change(header)
    return closed(header, literals)


def bomb() -> bytes:
    header, _ = opened(recipe(2))
    deflater = zlib.compressobj(9, wbits=-15)
    head = deflater.compress(json.dumps(header).encode() + b"\n")
    return head + b"".join(deflater.compress(b"\0" * (1 << 20)) for _ in range(200)) + deflater.flush()


def first(header: dict[str, Any]) -> list[int]:
    found: list[int] = header["miembros"][0]["operaciones"][0]
    return found


def beyond(header: dict[str, Any]) -> None:
    member = header["miembros"][0]
    member["operaciones"] = [[6_100, 1, sum(literal for _, _, literal in member["operaciones"])]]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "huge copy": lambda: changed(lambda h: first(h).__setitem__(1, 10**9)),
    "lines that the base lacks": lambda: changed(beyond),
    "negative place": lambda: changed(lambda h: first(h).__setitem__(0, -5)),
    "negative copy": lambda: changed(lambda h: first(h).__setitem__(1, -5)),
    "a member of the base that is not there": lambda: changed(lambda h: h["miembros"][0].update(de="DIP.csv")),
    "bomb": bomb,
    "truncated": lambda: recipe(2)[:-100],
    "not a recipe": lambda: b"PK\x05\x06" + b"\0" * 18,
    "empty": lambda: b"",
    "another target": lambda: changed(lambda h: h["destino"].update(ruta="index.html")),
    "another hash": lambda: changed(lambda h: h["destino"].update(sha256="0" * 64)),
    "another size": lambda: changed(lambda h: h["destino"].update(bytes=1 << 39)),
    "target outside": lambda: changed(lambda h: h["destino"].update(ruta="../../x")),
    "unknown key": lambda: changed(lambda h: h.update(otra=1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_recipe_publishes_nothing_and_leaves_nothing(escena: Escena, name: str) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    escena.cut(2, files(2), diferencias={ruta(2): HOSTILE[name]()})
    before, stored = everything_public(escena), objects(escena)
    for again in (receiver, escena.receiver()):
        outcome = again.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo in {"ARCHIVO_DIFERENCIA", "ARCHIVO_SUPERIOR"}
        assert everything_public(escena) == before
        assert objects(escena) == stored
        assert not list(escena.workspace.recepcion.iterdir())
    assert pointer.read(escena.workspace) == "0001"
    # The next cut, honest, is published.
    escena.cut(3, files(3))
    assert receiver.run_once().novedad == 3


@pytest.mark.parametrize(
    "name", ["otra.zip" + DIFERENCIA, DIFERENCIA, "index.html" + DIFERENCIA + DIFERENCIA, "manifiesto.json.diferencia"]
)
def test_recipe_of_what_the_manifest_does_not_list_is_refused(tmp_path: Path, name: str) -> None:
    manifest, store, archive = small(tmp_path, recipe(2), name=name)
    with pytest.raises(ArchivoError) as refusal:
        unpack(archive, manifest, store)
    assert refusal.value.codigo == "ARCHIVO_MANIFIESTO"
    assert set(store.stored()) == {sha256_bytes(database(1))}


def small(folder: Path, given: bytes, *, name: str = "") -> tuple[Manifest, ObjectStore, Path]:
    """A store that has the first database, and an archive of changes with a page and one recipe."""
    store = ObjectStore(folder / "objetos", Disk())
    base = database(1)
    store.put(sha256_bytes(base), len(base), [base])
    page = b"<p>pagina</p>" * 50
    manifest = Manifest(
        convocatoria="demo",
        instituto="ie",
        ambiente="oficial",
        elecciones=("GUB",),
        corte=2,
        hora_corte=hour(2),
        generado=hour(2),
        anterior=None,
        archivos=(
            FileEntry(ruta(2), len(database(2)), sha256_bytes(database(2))),
            FileEntry("index.html", len(page), sha256_bytes(page)),
        ),
    )
    tree = PackageTree()
    tree.add(name or ruta(2) + DIFERENCIA, given)
    tree.add("index.html", page)
    archive = folder / "x.cambios.zip"
    write_zip(archive, tree, [entry.ruta for entry in tree.entries()], stamp=hour(2))
    return manifest, store, archive


def test_content_and_recipe_together_are_one_content(tmp_path: Path) -> None:
    manifest, store, archive = small(tmp_path, recipe(2))
    unpack(archive, manifest, store)
    assert not missing(manifest, store)
    assert all(store.intact(sha256) for sha256 in store.stored())
    before = tree_hashes(tmp_path)
    unpack(archive, manifest, store)
    assert tree_hashes(tmp_path) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_damage_never_stores_what_is_not_listed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(zlib.decompress(recipe(2), -15))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 1_500))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    deflater = zlib.compressobj(wbits=-15)
    folder = tmp_path_factory.mktemp("unpack")
    manifest, store, archive = small(folder, deflater.compress(bytes(content)) + deflater.flush())
    try:
        unpack(archive, manifest, store)
    except ArchivoError:
        assert set(store.stored()) == {sha256_bytes(database(1))}
    else:
        assert not missing(manifest, store).keys() - {sha256_bytes(database(2))}
    assert all(store.intact(sha256) for sha256 in store.stored())
    assert not list((folder / "objetos").rglob("*.parcial"))


def test_lost_databases_are_made_again_from_the_originals(escena: Escena) -> None:
    """Three cuts of which only the first brought its database whole; then the disk loses all three."""
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    for corte in (2, 3):
        escena.cut(corte, files(corte), diferencias={ruta(corte): recipe(corte)})
        assert receiver.run_once().error is None
        assert kept(escena, corte) == [".cambios.zip"]
    store = ObjectStore(escena.workspace.objetos, Disk())
    wanted = {sha256_bytes(database(corte)) for corte in (1, 2, 3)}
    assert wanted <= set(store.stored())
    public = escena.public()
    for sha256 in wanted:
        store.drop(sha256)
    (escena.workspace.cortes / "0003" / ruta(3)).unlink()
    assert escena.receiver().run_once().error is None
    assert all(store.intact(sha256) for sha256 in wanted)
    assert escena.public() == public


def test_recipes_are_followed_from_the_oldest_on(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    for corte in (2, 3, 4):
        escena.cut(corte, files(corte), diferencias={ruta(corte): recipe(corte)})
        receiver.run_once()
    history, store = receiver._publisher.history, receiver._publisher.store
    for corte in (1, 2, 3, 4):
        store.drop(sha256_bytes(database(corte)))
    newest = sha256_bytes(database(4))
    assert history.remake({newest}, escena.libro.cortes(), store) == set()
    assert store.intact(newest)


def test_what_a_lost_recipe_begins_from_is_told_and_stays_lost(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    receiver.run_once()
    escena.cut(2, files(2), diferencias={ruta(2): recipe(2)})
    receiver.run_once()
    history, store = receiver._publisher.history, receiver._publisher.store
    for corte in (1, 2):
        store.drop(sha256_bytes(database(corte)))
    for archive in history.archives(1):
        archive.unlink()
    lost = sha256_bytes(database(2))
    assert history.remake({lost}, escena.libro.cortes(), store) == {lost}
    assert lost not in set(store.stored())
