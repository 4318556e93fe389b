"""``pregon paquete verifica`` over what a difusor really serves and keeps: what it proves, and what it does not."""

from __future__ import annotations

import contextlib
import json
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.hashing import grupos
from pregon.base.red import free_port
from pregon.cli.paquete import app
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.difusor.conftest import make_escena, tree_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def website(folder: Path) -> Iterator[str]:
    """A folder on the web, as an institute publishes its metadata."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def noche(escena: Escena) -> Escena:
    """Two cuts, the second one public."""
    for corte in (1, 2):
        escena.cut(corte)
        escena.receiver().run_once()
    return escena


@pytest.fixture
def raiz(escena: Escena, tmp_path: Path) -> Path:
    path = tmp_path / "root.json"
    path.write_bytes(escena.repository.root_bytes())
    return path


def verifica(escena: Escena, target: object, *options: object) -> tuple[int, dict[str, Any], str]:
    """Exit status, report and standard error of the command at the hour of the scene. The repository stays."""
    before = tree_hashes(escena.folder / "repositorio")
    words = ["verifica", str(target), "--hora", escena.clock.instant.isoformat(), "--json", *map(str, options)]
    result = CliRunner().invoke(app, words)
    assert tree_hashes(escena.folder / "repositorio") == before
    return result.exit_code, json.loads(result.stdout), result.stderr


def altered(escena: Escena, ruta: str, data: bytes | None) -> None:
    """Change a public file behind the difusor's back: its content is no longer the object's."""
    path = escena.workspace.cortes / "0002" / ruta
    path.unlink()
    for twin in (path.with_name(path.name + ".gz"), path.with_name(path.name + ".br")):
        twin.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)


# A portal.


def test_a_live_portal_is_proved_by_the_keys_of_the_published_root(noche: Escena, raiz: Path) -> None:
    listed = noche.manifest_hashes(2)
    with noche.served() as (url, _), website(noche.repository.folder) as signatures:
        status, report, err = verifica(noche, url, "--raiz", raiz, "--repositorio", signatures)
    assert (status, err) == (0, "")
    assert (report["clase"], report["codigo"], report["prueba"]) == ("portal", "OK", "firma")
    assert (report["corte"], report["ambiente"], report["vigente"]) == (2, "oficial", True)
    assert report["manifiesto_sha256"] == listed["manifiesto.json"]
    assert report["huella"] == grupos(listed["manifiesto.json"])
    assert len(report["huella"].split(" ")) == 16
    assert report["archivos_revisados"] == len(listed) - 1
    roles = {role["papel"]: role["llaves"] for role in report["firmas"]["papeles"]}
    assert roles["cortes"] == [noche.ring.named("cortes-1").keyid]
    assert len(roles["root"]) == 3
    assert any("desde fuera no se puede listar" in sentence for sentence in report["no_probado"])


def test_an_altered_page_of_a_portal_is_named(noche: Escena, raiz: Path) -> None:
    altered(noche, "gub/index.html", b"<h1>Otro resultado</h1>")
    altered(noche, "corte.json", None)
    with noche.served() as (url, _):
        status, report, err = verifica(noche, url, "--raiz", raiz, "--repositorio", noche.repository.folder)
    assert (status, report["codigo"], report["prueba"]) == (77, "HASH", "ninguna")
    assert {falla["ruta"]: falla["codigo"] for falla in report["fallas"]} == {
        "corte.json": "HASH",
        "gub/index.html": "HASH",
    }
    assert json.loads(err)["codigo"] == "HASH"


def test_without_signatures_a_portal_only_agrees_with_itself(noche: Escena, raiz: Path) -> None:
    with noche.served() as (url, _):
        status, report, _ = verifica(noche, url)
        assert (status, report["codigo"], report["prueba"], report["firmas"]) == (0, "OK", "suma", None)
        assert any("no se comprobó ninguna firma" in sentence for sentence in report["no_probado"])
        # Whoever asks for a root must not get a 0 that no signature backs.
        status, report, _ = verifica(noche, url, "--raiz", raiz)
        assert (status, report["codigo"], report["prueba"]) == (66, "ENTRADA", "ninguna")
        # A repository's own root vouches for nothing.
        status, report, _ = verifica(noche, url, "--repositorio", noche.repository.folder)
        assert (status, report["prueba"], report["firmas"]["raiz"]) == (0, "suma", "propia")
        assert any("la que trae el propio repositorio" in sentence for sentence in report["no_probado"])


def test_a_sample_says_that_it_is_one(noche: Escena, raiz: Path) -> None:
    with noche.served() as (url, _):
        _, report, _ = verifica(noche, url, "--raiz", raiz, "--repositorio", noche.repository.folder, "--muestra", 2)
    assert (report["codigo"], report["archivos_revisados"], report["completo"]) == ("OK", 2, False)
    assert any("una muestra" in sentence for sentence in report["no_probado"])


def test_a_portal_that_stayed_behind_is_told_apart(escena: Escena, raiz: Path) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    escena.cut(2)
    with escena.served() as (url, _):
        status, report, _ = verifica(escena, url, "--raiz", raiz, "--repositorio", escena.repository.folder)
    assert (status, report["codigo"], report["corte"], report["vigente"]) == (0, "OK", 1, False)
    assert any("llega al corte 2" in sentence for sentence in report["no_probado"])


def test_keys_of_another_root_prove_nothing(noche: Escena, tmp_path: Path) -> None:
    foreign = tmp_path / "ajena.json"
    strange = KeyRing(tuple(generate(name) for name in ring_names()))
    folder = tmp_path / "ajeno"
    folder.mkdir()
    foreign.write_bytes(make_escena(folder, strange).repository.root_bytes())
    with noche.served() as (url, _):
        status, report, _ = verifica(noche, url, "--raiz", foreign, "--repositorio", noche.repository.folder)
    assert (status, report["codigo"], report["prueba"]) == (77, "FIRMA", "ninguna")
    assert report["fallas"] == []


def test_a_site_that_does_not_answer_is_not_called_altered(escena: Escena) -> None:
    status, report, _ = verifica(escena, f"http://127.0.0.1:{free_port('127.0.0.1')}/")
    assert (status, report["codigo"]) == (69, "RED")
    assert "no prueba que esté alterado" in report["error"]["que_hacer"]


class _Odd(_Quiet):
    """A site with bad manners, by its first folder."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        self.send_response({"otro": 302, "roto": 500}.get(kind, 200))
        if kind == "otro":
            self.send_header("Location", "/bien/manifiesto.json")
        if kind == "comprimido":
            self.send_header("Content-Encoding", "gzip")
        if kind == "corto":
            self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(40 if kind == "sinfin" else 1):
                self.wfile.write(b"x" * ((1 << 20) if kind == "sinfin" else 10))


@pytest.mark.parametrize(
    ("kind", "codigo"),
    [
        ("otro", "RED"),
        ("roto", "RED"),
        ("comprimido", "RED"),
        ("corto", "RED"),
        ("sinfin", "ARCHIVO_MANIFIESTO"),
        ("basura", "ARCHIVO_MANIFIESTO"),
    ],
)
def test_a_site_with_bad_manners_proves_nothing(escena: Escena, kind: str, codigo: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        _, report, _ = verifica(escena, f"http://127.0.0.1:{server.server_address[1]}/{kind}/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (report["codigo"], report["prueba"], report["corte"]) == (codigo, "ninguna", None)


@pytest.mark.parametrize("address", ["http://", "https://a.mx/?x=1", "http://[", "https://a.mx/#x"])
def test_what_is_no_address_is_a_wrong_command(address: str) -> None:
    result = CliRunner().invoke(app, ["verifica", address])
    assert result.exit_code == 2
    assert "https://" in result.stderr


def test_a_page_of_waiting_is_no_cut(escena: Escena) -> None:
    escena.receiver().run_once()
    with escena.served() as (url, _):
        status, report, _ = verifica(escena, url)
    assert (status, report["codigo"]) == (66, "ENTRADA")


# A difusor's folder.


def test_the_folder_of_a_difusor_is_proved_by_its_own_root(noche: Escena) -> None:
    before = tree_hashes(noche.workspace.folder)
    status, report, err = verifica(noche, noche.workspace.folder)
    assert (status, err) == (0, "")
    assert (report["clase"], report["prueba"], report["corte"]) == ("difusor", "firma", 2)
    assert report["firmas"]["raiz"] == "difusor"
    assert tree_hashes(noche.workspace.folder) == before


@pytest.mark.parametrize(
    ("ruta", "data", "codigo"),
    [
        ("index.html", b"<h1>Otro</h1>", "HASH"),
        ("index.html.gz", b"no", "ARCHIVO_MANIFIESTO"),
        ("intruso.html", b"<h1>Otro</h1>", "ARCHIVO_MANIFIESTO"),
        ("datos/0001/gub/entidad.json", b"{}", "HASH"),
    ],
)
def test_what_was_changed_in_the_folder_of_a_difusor_is_named(
    noche: Escena, ruta: str, data: bytes, codigo: str
) -> None:
    path = noche.workspace.cortes / "0002" / ruta
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    _, report, _ = verifica(noche, noche.workspace.folder)
    assert {falla["ruta"]: falla["codigo"] for falla in report["fallas"]}[ruta] == codigo
    assert report["prueba"] == "ninguna"


# Archives, and what a package says.


def test_an_archive_alone_agrees_with_its_own_list_and_no_more(noche: Escena, tmp_path: Path, raiz: Path) -> None:
    (archive,) = (p for p in noche.repository.cut_folder(2).glob("*.zip") if ".cambios" not in p.name)
    alone = tmp_path / archive.name
    alone.write_bytes(archive.read_bytes())
    status, report, _ = verifica(noche, alone)
    assert (status, report["codigo"], report["prueba"], report["corte"]) == (0, "OK", "suma", None)
    # With the signatures, the same file is the institute's second cut.
    status, report, _ = verifica(noche, alone, "--raiz", raiz, "--repositorio", noche.repository.folder)
    assert (status, report["prueba"], report["corte"]) == (0, "firma", 2)
    data = bytearray(alone.read_bytes())
    data[len(data) // 3] ^= 1
    alone.write_bytes(data)
    status, report, _ = verifica(noche, alone, "--raiz", raiz, "--repositorio", noche.repository.folder)
    assert (status, report["codigo"]) == (77, "HASH")
    assert [falla["ruta"] for falla in report["fallas"]] == [alone.name]


def test_words_say_the_digest_the_keys_and_the_verdict(noche: Escena, raiz: Path) -> None:
    words = ["verifica", str(noche.repository.folder), "--raiz", str(raiz), "--hora", noche.clock.instant.isoformat()]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0
    digest = noche.manifest_hashes(2)["manifiesto.json"]
    assert grupos(digest)[:39] in result.stdout
    assert noche.ring.named("timestamp-1").keyid in result.stdout
    assert result.stdout.rstrip().endswith("Veredicto: OK, probado con firmas")


def test_muestra_says_that_it_checks_nothing(noche: Escena) -> None:
    folder = noche.repository.cut_folder(2)
    shown = json.loads(CliRunner().invoke(app, ["muestra", str(folder), "--json"]).stdout)
    assert (shown["corte"], shown["comprobado"]) == (2, False)
    assert shown["manifiesto_sha256"] == noche.manifest_hashes(2)["manifiesto.json"]
    assert "nada se comprobó" in CliRunner().invoke(app, ["muestra", str(folder)]).stdout
    assert CliRunner().invoke(app, ["muestra", str(noche.folder)]).exit_code == 66


def test_an_hour_without_offset_is_refused(noche: Escena) -> None:
    result = CliRunner().invoke(app, ["verifica", str(noche.repository.folder), "--hora", "2027-06-06T20:00"])
    assert result.exit_code == 2
    assert "desfase" in result.stderr
