"""Whoever alters what is public is found within one interval, told in the journal, and undone byte by byte."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import brotli
import pytest

from pregon.base.clock import SystemClock
from pregon.base.hashing import CHUNK
from pregon.difusor import pointer
from pregon.difusor.integridad.barrido import Barrido
from pregon.difusor.night import open_both, receive_once, receive_until
from pregon.difusor.report import estado
from tests.difusor.conftest import files_of, make_escena, tree_hashes
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.difusor.receive import Receiver
    from pregon.trust.keys import KeyRing
    from tests.difusor.conftest import Escena

PASSES = 4
"""Passes in one interval, in these tests; a real difusor makes some hundreds."""


@dataclass
class Noche:
    """Three public cuts, the real web server before them, and a difusor that goes on making passes."""

    escena: Escena
    receiver: Receiver
    barrido: Barrido
    url: str

    @property
    def release(self) -> Path:
        return self.escena.workspace.cortes / "0003"

    def stored(self, ruta: str, twin: str = "") -> Path:
        sha256 = self.escena.manifest_hashes(3)[ruta]
        return self.escena.workspace.objetos / sha256[:2] / (sha256 + twin)

    def one_interval(self) -> None:
        """The sweeps of one interval of the profile, evenly spread, and what a pass of reception does after them."""
        for _ in range(PASSES):
            self.escena.clock.instant += INTERVALO / PASSES
            self.barrido.step()
        assert self.receiver.run_once().error is None

    def get(self, ruta: str, encoding: str = "identity", etag: str | None = None) -> tuple[int, bytes, str]:
        """Status, body as decoded, ETag: what a browser gets."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=10)
        headers = {"Accept-Encoding": encoding} | ({"If-None-Match": etag} if etag else {})
        connection.request("GET", "/" + ruta, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        coded = answer.getheader("Content-Encoding")
        connection.close()
        if coded == "gzip":
            body = gzip.decompress(body)
        elif coded == "br":
            body = brotli.decompress(body)
        return answer.status, body, answer.getheader("ETag") or ""

    def alterations(self) -> list[dict[str, Any]]:
        return [event.dato for event in self.escena.state().events() if event.tipo == "alterado"]

    def warnings(self) -> dict[str, str]:
        data = estado(self.escena.workspace, self.escena.libro, self.escena.clock.instant)
        return {warning["codigo"]: warning["texto"] for warning in data["avisos"]}


def files_with_a_large_one(corte: int) -> dict[str, bytes]:
    """The small package and a file of many blocks that stays the same; no text, so it has no twins."""
    return {
        **files_of(corte, INICIO + INTERVALO * corte),
        "base-de-datos/actas.zip": bytes(range(256)) * 4096 * 3,
        "logo.png": b"\x89PNG" + bytes(range(200)) * 3,
    }


@contextmanager
def published(escena: Escena) -> Iterator[Noche]:
    receiver, barrido = open_both(escena.workspace, clock=escena.clock, state=escena.state(), disk=escena.disk)
    for corte in (1, 2, 3):
        escena.cut(corte, files_with_a_large_one(corte))
        barrido.step()
        receiver.run_once()
    with escena.served() as (url, _):
        ready = Noche(escena, receiver, barrido, url)
        barrido.step()
        assert ready.alterations() == []
        yield ready


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory, ring: KeyRing) -> Iterator[Noche]:
    """One for all: each test leaves it whole, or the next one fails."""
    with published(make_escena(tmp_path_factory.mktemp("noche"), ring)) as ready:
        yield ready


@pytest.fixture
def propia(escena: Escena) -> Iterator[Noche]:
    """One of the test's own, for what is not to be undone."""
    with published(escena) as ready:
        yield ready


def marks(escena: Escena) -> dict[str, tuple[int, int, int]]:
    """Every name that a web server could reach, and of the store: file, time and mode."""
    found = {}
    for top in (escena.workspace.cortes, escena.workspace.objetos):
        for path in sorted(top.rglob("*")):
            if not path.is_dir():
                status = path.lstat()
                found[str(path.relative_to(escena.workspace.folder))] = (
                    status.st_ino,
                    status.st_mtime_ns,
                    status.st_mode,
                )
    return found


@dataclass(frozen=True)
class Places:
    """A content of the third cut and every name of it in the workspace, twins not counted."""

    sha256: str
    names: frozenset[str]


def names_of(escena: Escena, ruta: str) -> Places:
    folder = escena.workspace.folder
    path = escena.workspace.cortes / "0003" / ruta
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    found = [other for other in marks(escena) if (folder / other).lstat().st_ino == path.lstat().st_ino]
    return Places(sha256, frozenset(found))


def rewrite(path: Path, data: bytes | None = None) -> None:
    """Write over a file where it lies; then put back its times and mode, as a careful stranger would."""
    status = path.lstat()
    content = bytearray(path.read_bytes())
    path.chmod(0o644)
    if data is None:
        content[len(content) // 2] ^= 0x01
        data = bytes(content)
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
    path.chmod(status.st_mode & 0o7777)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace(path: Path, data: bytes) -> None:
    """Another file under that name, with the same mode and time."""
    status = path.lstat()
    other = path.with_name("otro")
    other.write_bytes(data)
    other.chmod(status.st_mode & 0o7777)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def as_link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def other_of_the_same_length(path: Path) -> bytes:
    return bytes(byte ^ 0x01 for byte in path.read_bytes())


def hard_link_of_another(noche: Noche) -> None:
    (noche.release / "index.html").unlink()
    os.link(noche.release / "corte.json", noche.release / "index.html")


def folder_in_its_place(noche: Noche) -> None:
    (noche.release / "corte.json").unlink()
    (noche.release / "corte.json/mas").mkdir(parents=True)


def pipe_in_its_place(noche: Noche) -> None:
    (noche.release / "corte.json").unlink()
    os.mkfifo(noche.release / "corte.json")


def folder_swapped_for_a_link(noche: Noche) -> None:
    shutil.rmtree(noche.release / "gub")
    (noche.release / "gub").symlink_to("/etc")


def release_swapped_for_a_link(noche: Noche) -> None:
    noche.release.rename(noche.release.with_name("movida"))
    noche.release.symlink_to("0001")


TAMPERINGS: dict[str, tuple[str, Callable[[Noche], object]]] = {
    "same length and time": ("gub/index.html", lambda n: rewrite(n.release / "gub/index.html")),
    "in the store": ("corte.json", lambda n: rewrite(n.stored("corte.json"))),
    "large file": ("base-de-datos/actas.zip", lambda n: rewrite(n.release / "base-de-datos/actas.zip")),
    "name swapped": (
        "gub/index.html",
        lambda n: replace(n.release / "gub/index.html", other_of_the_same_length(n.release / "gub/index.html")),
    ),
    "truncated": ("datos/0003/gub/entidad.json", lambda n: rewrite(n.release / "datos/0003/gub/entidad.json", b"{}")),
    "emptied": ("index.html", lambda n: rewrite(n.release / "index.html", b"")),
    "longer": ("index.html", lambda n: rewrite(n.release / "index.html", b"x" * 9999)),
    "deleted": ("index.html", lambda n: (n.release / "index.html").unlink()),
    "linked elsewhere": ("corte.json", lambda n: as_link(n.release / "corte.json", "/etc/hostname")),
    "linked to another page": ("index.html", lambda n: as_link(n.release / "index.html", "gub/index.html")),
    "touched": ("index.html", lambda n: os.utime(n.release / "index.html", ns=(0, 0))),
    "hard link of another": ("index.html", hard_link_of_another),
    "a folder in its place": ("corte.json", folder_in_its_place),
    "a pipe in its place": ("corte.json", pipe_in_its_place),
    "earlier cut's data": (
        "datos/0002/gub/entidad.json",
        lambda n: rewrite(n.release / "datos/0002/gub/entidad.json"),
    ),
    "the manifest": ("manifiesto.json", lambda n: rewrite(n.release / "manifiesto.json")),
    "folder swapped for a link": ("gub/index.html", folder_swapped_for_a_link),
    "folder gone": ("datos/0003/gub/entidad.json", lambda n: shutil.rmtree(n.release / "datos")),
    "the whole release gone": ("index.html", lambda n: shutil.rmtree(n.release)),
    "the whole release a link": ("index.html", release_swapped_for_a_link),
}


@pytest.mark.parametrize(("ruta", "tamper"), TAMPERINGS.values(), ids=list(TAMPERINGS))
def test_altered_file_is_found_told_and_made_again(
    noche: Noche, request: pytest.FixtureRequest, ruta: str, tamper: Callable[[Noche], object]
) -> None:
    escena, before = noche.escena, len(noche.alterations())
    wanted, stored = tree_hashes(escena.workspace.cortes), tree_hashes(escena.workspace.objetos)
    right = (noche.release / ruta).read_bytes()
    places, others = names_of(escena, ruta), marks(escena)
    tamper(noche)
    noche.one_interval()
    told = noche.alterations()[before:]
    assert told, "nobody noticed"
    assert {event["hecho"] for event in told} <= {"repuesto", "quitado"}
    assert {event["corte"] for event in told} == {3}
    named = {event["ruta"] for event in told if event["esperado"] == places.sha256}
    assert named
    assert named <= places.names
    shutil.rmtree(escena.workspace.cortes / "movida", ignore_errors=True)
    assert tree_hashes(escena.workspace.cortes) == wanted
    assert tree_hashes(escena.workspace.objetos) == stored
    for encoding in ("identity", "gzip", "br"):
        status, body, _ = noche.get(ruta.removesuffix("index.html"), encoding)
        assert (status, body) == (200, right)
    if "whole" not in request.node.name and "folder" not in request.node.name:
        after = marks(escena)
        touched = {name for name in others if others[name] != after.get(name)}
        assert touched <= places.names, "only the altered content was written again"
    assert "ALTERADO" in noche.warnings()
    assert "RETIRADO" not in noche.warnings()
    noche.one_interval()
    assert len(noche.alterations()) == before + len(told), "what was put right stays so and is not told again"


def served(noche: Noche, *rutas: str) -> dict[str, tuple[int, bytes]]:
    return {ruta: noche.get(ruta)[:2] for ruta in rutas}


def test_who_kept_the_altered_bytes_is_given_the_right_ones(noche: Noche) -> None:
    """A forged time gives the altered file the ETag of the good one: that ETag must never be answered 304 again."""
    for ruta, encoding in (("gub/index.html", "identity"), ("gub/index.html", "gzip"), ("logo.png", "identity")):
        right = noche.get(ruta, encoding)[1]
        altered = noche.release / (ruta + (".gz" if encoding == "gzip" else ""))
        rewrite(altered, gzip.compress(b"<h1>Otro</h1>") if encoding == "gzip" else None)
        status, wrong, etag = noche.get(ruta, encoding)
        assert (status, wrong == right) == (200, False)
        noche.one_interval()
        status, body, _ = noche.get(ruta, encoding, etag)
        assert (status, body) == (200, right), (ruta, encoding)
        assert wrong != right


def test_what_holds_the_altered_file_open_reaches_nothing_public(noche: Noche) -> None:
    page = noche.release / "index.html"
    right = page.read_bytes()
    page.chmod(0o644)
    with page.open("r+b") as held:
        held.write(b"X" * 10)
        held.flush()
        noche.one_interval()
        held.seek(0)
        held.write(b"Y" * 10)
    assert noche.get("")[1] == right
    assert page.read_bytes() == right
    assert noche.stored("index.html").read_bytes() == right
    assert page.stat().st_mode & 0o777 == 0o444


TWINS: dict[str, Callable[[Path], object]] = {
    "of another content": lambda path: rewrite(path, gzip.compress(b"<h1>Otro resultado</h1>")),
    "with more after its end": lambda path: rewrite(path, path.read_bytes() + gzip.compress(b"<p>y otra cosa</p>")),
    "cut": lambda path: rewrite(path, path.read_bytes()[:50]),
    "gone": lambda path: path.unlink(),
    "a link": lambda path: as_link(path, "manifiesto.json.gz"),
    "open to others": lambda path: path.chmod(0o666),
    "another file": lambda path: replace(path, gzip.compress(b"<h1>Otro</h1>")),
}


@pytest.mark.parametrize("tamper", TWINS.values(), ids=list(TWINS))
def test_altered_twin_is_made_again(noche: Noche, tamper: Callable[[Path], object]) -> None:
    before = len(noche.alterations())
    plain, right = noche.release / "gub/index.html", noche.get("gub/", "gzip")[1]
    was = (plain.stat().st_ino, plain.stat().st_mtime_ns)
    twin = noche.release / "gub/index.html.gz"
    tamper(twin)
    noche.one_interval()
    [told] = noche.alterations()[before:]
    assert (told["ruta"], told["hecho"]) == ("cortes/0003/gub/index.html.gz", "repuesto")
    assert told["gemelo_de"] == hashlib.sha256(plain.read_bytes()).hexdigest()
    assert gzip.decompress(twin.read_bytes()) == right == plain.read_bytes()
    assert (plain.stat().st_ino, plain.stat().st_mtime_ns) == was
    assert noche.get("gub/", "gzip")[:2] == (200, right)
    assert twin.stat().st_ino == noche.stored("gub/index.html", ".gz").stat().st_ino
    assert twin.stat().st_mode & 0o777 == 0o444


def test_brotli_twin_with_more_after_its_end_is_made_again(noche: Noche) -> None:
    twin = noche.release / "gub/index.html.br"
    right = twin.read_bytes()
    rewrite(twin, right + b"mas")
    noche.one_interval()
    assert twin.read_bytes() == right
    assert noche.alterations()[-1]["ruta"] == "cortes/0003/gub/index.html.br"


def test_added_files_and_folders_are_removed(noche: Noche) -> None:
    before, wanted = len(noche.alterations()), marks(noche.escena)
    (noche.release / "extra.html").write_bytes(b"<h1>ajeno</h1>")
    (noche.release / "gub/index.html.xz").write_bytes(b"ajeno")
    (noche.release / "ajena/dentro").mkdir(parents=True)
    (noche.release / "ajena/dentro/index.html").write_bytes(b"ajeno")
    os.link(noche.release / "corte.json", noche.release / "copia.json")
    assert noche.get("extra.html")[0] == 200
    noche.barrido.step()
    assert {
        event["ruta"].removeprefix("cortes/0003/"): event["hecho"] for event in noche.alterations()[before:]
    } == dict.fromkeys(("extra.html", "gub/index.html.xz", "ajena", "copia.json"), "quitado")
    assert {ruta: answer[0] for ruta, answer in served(noche, "extra.html", "ajena/dentro/", "copia.json").items()} == {
        "extra.html": 404, "ajena/dentro/": 404, "copia.json": 404
    }  # fmt: skip
    assert marks(noche.escena) == wanted


def test_what_others_may_write_is_closed_to_them(noche: Noche) -> None:
    before = len(noche.alterations())
    page, right = noche.release / "index.html", noche.get("")[1]
    page.chmod(0o666)
    (noche.release / "gub").chmod(0o777)
    noche.barrido.step()
    told = {event["ruta"]: (event["problema"], event["hecho"]) for event in noche.alterations()[before:]}
    assert told == {
        "cortes/0003/index.html": ("permisos", "repuesto"),
        "cortes/0003/gub": ("permisos", "repuesto"),
    }
    assert page.stat().st_mode & 0o777 == noche.stored("index.html").stat().st_mode & 0o777 == 0o444
    assert (noche.release / "gub").stat().st_mode & 0o022 == 0
    assert noche.get("")[:2] == (200, right)


def test_crude_changes_are_found_at_the_next_pass_and_a_forged_time_too(noche: Noche) -> None:
    """The clock does not move: one look at the names is enough. The change time of a file tells on who forges it."""
    for tamper in ("deleted", "truncated", "linked elsewhere", "same length and time", "touched"):
        before = len(noche.alterations())
        TAMPERINGS[tamper][1](noche)
        noche.barrido.step()
        assert len(noche.alterations()) == before + 1, tamper


def test_pointer_and_its_link_go_back_to_the_cut_that_was_decided(noche: Noche) -> None:
    workspace, right = noche.escena.workspace, noche.get("")[1]

    def older() -> None:
        workspace.puntero.write_bytes(b"0001\n")

    def elsewhere() -> None:
        as_link(workspace.puntero, "difusor.toml")

    def unknown() -> None:
        workspace.puntero.write_bytes(b"../..\n")

    def gone() -> None:
        workspace.puntero.unlink()

    def link() -> None:
        as_link(workspace.publico, "cortes/0001")

    for tamper in (older, elsewhere, unknown, gone, link):
        before = len(noche.alterations())
        tamper()
        noche.barrido.step()
        [told] = noche.alterations()[before:]
        assert (told["ruta"], told["esperado"], told["hecho"]) == ("puntero", "0003", "repuesto")
        assert pointer.sound(workspace, "0003")
        assert noche.get("")[:2] == (200, right)
        assert noche.receiver.run_once().cambio is False


def test_pages_of_ours_are_written_again(noche: Noche) -> None:
    cortes = noche.escena.workspace.cortes
    wanted = tree_hashes(cortes)
    missing = noche.get("nada.html")[1]
    before = len(noche.alterations())
    (cortes / "espera/index.html").write_bytes(b"<h1>Ya hay ganador</h1>")
    (cortes / "espera/otra.html").write_bytes(b"ajeno")
    shutil.rmtree(cortes / "aviso")
    (cortes / "aviso").symlink_to("0003")
    (noche.escena.workspace.servidor / "404.html").write_bytes(b"<h1>Otro</h1>")
    noche.barrido.step()
    assert sorted(event["ruta"] for event in noche.alterations()[before:]) == [
        "cortes/aviso/index.html", "cortes/espera/index.html", "cortes/espera/otra.html", "servidor/404.html"
    ]  # fmt: skip
    assert tree_hashes(cortes) == wanted
    assert noche.get("nada.html")[:2] == (404, missing)


def test_manifest_kept_in_the_history_is_put_back_from_the_public_one(noche: Noche) -> None:
    path = noche.escena.workspace.historico / "0003/manifiesto.json"
    right = path.read_bytes()
    path.write_bytes(b"{}")
    rewrite(noche.release / "index.html")
    again = Barrido(noche.barrido._publisher, noche.escena.clock)
    again.step()
    assert path.read_bytes() == right
    assert [event["ruta"] for event in noche.alterations()[-2:]] == [
        "historico/0003/manifiesto.json",
        "cortes/0003/index.html",
    ]


# What cannot be made again.


def damage_history(escena: Escena) -> dict[Path, bytes]:
    """Change a byte of every archive kept; gives the right ones."""
    kept = {path: path.read_bytes() for path in escena.workspace.historico.rglob("*.zip")}
    for path, data in kept.items():
        wrong = bytearray(data)
        for place in range(40, len(wrong) - 400, 97):
            wrong[place] ^= 0xFF
        path.write_bytes(wrong)
    return kept


def test_what_the_history_cannot_make_again_is_withdrawn_and_the_rest_stays(propia: Noche) -> None:
    escena = propia.escena
    rest = {"", "datos/0003/gub/entidad.json", "datos/0002/gub/entidad.json", "corte.json", "manifiesto.json"}
    right, rest_right = propia.get("gub/")[1], served(propia, *rest)
    kept = damage_history(escena)
    # So that the source cannot help either.
    shutil.move(escena.repository.folder, escena.folder / "lejos")
    rewrite(propia.release / "gub/index.html")
    propia.escena.clock.instant += INTERVALO / 2
    propia.barrido.step()
    [told] = propia.alterations()
    assert (told["ruta"], told["hecho"]) == ("cortes/0003/gub/index.html", "retirado")
    for encoding in ("identity", "gzip", "br"):
        status, body, _ = propia.get("gub/", encoding)
        assert (status, b"casilla" in body) == (404, False)
    assert served(propia, *rest) == rest_right
    assert pointer.read(escena.workspace) == "0003"
    assert "gub/index.html" in propia.warnings()["RETIRADO"]
    assert "historico/" in propia.warnings()["RETIRADO"]
    damaged = [event.dato for event in escena.state().events() if event.tipo == "dañado"]
    assert {event["archivo"] for event in damaged} == {path.name for path in kept}
    # A restart changes none of it; nor is it told again.
    receiver, barrido = open_both(escena.workspace, clock=escena.clock, state=escena.state(), disk=escena.disk)
    barrido.step()
    receiver.run_once()
    barrido.step(whole=True)
    assert propia.get("gub/")[0] == 404
    assert len(propia.alterations()) == 1
    assert served(propia, *rest) == rest_right
    # The good original comes back: so does the page, at the next pass.
    for path, data in kept.items():
        path.write_bytes(data)
    barrido.step()
    assert propia.get("gub/")[:2] == (200, right)
    assert "RETIRADO" not in propia.warnings()
    assert propia.alterations()[-1]["hecho"] == "repuesto"


def test_withdrawn_file_returns_with_the_next_cut(propia: Noche) -> None:
    damage_history(propia.escena)
    right = (propia.release / "assets/estilo.css").read_bytes()
    rewrite(propia.release / "assets/estilo.css")
    propia.escena.clock.instant += INTERVALO / 2
    propia.barrido.step()
    assert propia.get("assets/estilo.css")[0] == 404
    propia.escena.cut(4, files_with_a_large_one(4))
    propia.barrido.step()
    assert propia.receiver.run_once().novedad == 4
    propia.barrido.step()
    assert propia.get("assets/estilo.css")[:2] == (200, right)
    assert "RETIRADO" not in propia.warnings()


# When it is done.


def test_each_pass_hashes_its_share_and_half_an_interval_hashes_everything(propia: Noche) -> None:
    escena = propia.escena
    sweep = Barrido(propia.barrido._publisher, escena.clock, minimo=1)
    objects = [path for path in escena.workspace.objetos.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in objects)
    largest = max(path.stat().st_size for path in objects)
    # Between the first pass, which reads little, and the end of half an interval, in passes of a thirtieth.
    sweep.step()
    assert sweep.leidos < largest
    before = escena.libro.barrido
    shares = []
    for _ in range(15):
        escena.clock.instant += INTERVALO / 30
        seen = sweep.leidos
        sweep.step()
        shares.append(sweep.leidos - seen)
    assert total <= sweep.leidos < 2 * total
    assert max(shares) < 2 * CHUNK, "no pass does the work of many"
    assert escena.libro.barrido != before
    assert propia.alterations() == []


def test_cuts_that_come_faster_than_the_sweep_pass_over_no_file(propia: Noche) -> None:
    """The list begins anew with each cut, and what waited longest goes first: the last in the alphabet too."""
    escena = propia.escena
    files = {"zz.png": b"\x89PNG" + bytes(range(250))}
    escena.cut(4, {**files_with_a_large_one(4), **files})
    assert propia.receiver.run_once().novedad == 4
    rewrite(escena.workspace.cortes / "0004/zz.png")
    sweep = Barrido(propia.barrido._publisher, escena.clock, minimo=1)
    for corte in (5, 6, 7, 8):
        hora = INICIO + INTERVALO * 4 + timedelta(minutes=corte)
        escena.cut(corte, {**files_with_a_large_one(corte), **files}, hora_corte=hora)
        assert propia.receiver.run_once().novedad == corte
        for _ in range(2):
            escena.clock.instant += INTERVALO / 32
            sweep.step()
    assert [event["ruta"].rpartition("/")[2] for event in propia.alterations()] == ["zz.png"]


def test_one_pass_alone_sweeps_everything_when_the_last_time_is_old(escena: Escena) -> None:
    """``recibe --una-vez``, from a timer: each process begins with no memory of what was hashed."""
    escena.cut(1)
    escena.receiver().run_once()
    escena.libro.marcar_limpio(limpio=True)
    page = escena.workspace.cortes / "0001/gub/index.html"
    right = page.read_bytes()
    rewrite(page)
    receive_once(escena.workspace, disk=escena.disk)
    assert page.read_bytes() == right
    assert [event.dato["hecho"] for event in escena.state().events() if event.tipo == "alterado"] == ["repuesto"]
    swept = escena.libro.barrido
    assert swept is not None
    assert abs(swept - SystemClock().now()) < timedelta(minutes=5)


def test_the_night_sweeps_by_itself(escena: Escena) -> None:
    """``recibe``, as a process does it, with the machine's own clock: still before the start of this call."""
    page = escena.workspace.cortes / "espera/index.html"
    stop, clock = threading.Event(), SystemClock()
    night = threading.Thread(target=receive_until, args=(escena.workspace, stop), kwargs={"disk": escena.disk})
    night.start()
    try:
        until = clock.monotonic() + 20
        while escena.libro.intento is None and clock.monotonic() < until:
            stop.wait(0.02)
        right = page.read_bytes()
        page.write_bytes(b"<h1>Ya hay ganador</h1>")
        while page.read_bytes() != right and clock.monotonic() < until:
            stop.wait(0.02)
    finally:
        stop.set()
        night.join()
    assert page.read_bytes() == right
    [told] = [event.dato for event in escena.state().events() if event.tipo == "alterado"]
    assert told["ruta"] == "cortes/espera/index.html"
