"""A view of the difusor's own is public only with the institute's permission, for these files, while a cut is.

GRO-1.3b, DGO-I-3b: with prior authorisation. MOR-I-3b, MEX-I-3b: never.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.durable import Disk
from pregon.base.errors import EntradaError, EscrituraError, UsoError
from pregon.difusor import personalizada, pointer
from pregon.difusor.integridad.barrido import Barrido
from pregon.difusor.publish import Publisher
from pregon.paquete.errors import NombreError
from tests.difusor.conftest import tree_hashes
from tests.difusor.test_cli import run
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory

PERMITE = 'personalizacion = "autorizada"'


@pytest.fixture
def diario(escena_factory: EscenaFactory) -> Escena:
    """A difusor of a call that allows a view of its own; one cut received, before the start of nothing."""
    escena = escena_factory(extra=PERMITE)
    (escena.folder / "vista" / "css").mkdir(parents=True)
    (escena.folder / "vista" / "index.html").write_text("<!doctype html><title>Así va</title><p data-propia>Diario")
    (escena.folder / "vista" / "css" / "a.css").write_text("p{color:#222}")
    return escena


def record(escena: Escena, **changes: object) -> Path:
    """The authorisation of the view in ``vista``, with some keys changed; None leaves a key out."""
    keys: dict[str, object] = {
        "id": "IEPC/DGIS/041/2027",
        "fecha": "2027-05-20",
        "autoriza": "Dirección General de Informática y Sistemas",
        "convocatoria": escena.workspace.convocatoria.id,
        "difusor": escena.workspace.settings.id,
        "vista_sha256": personalizada.read_view(escena.folder / "vista").huella,
        **changes,
    }
    dates = {"fecha", "hasta"}
    path = escena.folder / "autorizacion.toml"
    lines = [f"{key} = {value if key in dates else json.dumps(value)}" for key, value in keys.items() if value]
    path.write_text("\n".join(lines) + "\n")
    return path


def install(escena: Escena, **changes: object) -> personalizada.Vista:
    return personalizada.install(
        escena.workspace,
        escena.folder / "vista",
        record(escena, **changes),
        documento=None,
        disk=Disk(),
        now=escena.clock.now(),
    )


def pass_of(escena: Escena) -> str | None:
    """A start of the difusor, a pass and a step of the sweep; the view that is public then."""
    publisher = Publisher(escena.workspace, escena.libro, escena.disk)
    escena.receiver().run_once()
    publisher.mostrado = pointer.read(escena.workspace)
    Barrido(publisher, escena.clock).step()
    return personalizada.public_view(escena.workspace)


def test_view_waits_for_a_public_cut_and_leaves_with_it(diario: Escena) -> None:
    view = install(diario)
    assert pass_of(diario) is None, "before the start nothing of it is public"
    diario.cut(1)
    assert pass_of(diario) == view.huella
    assert (diario.workspace.personalizada / "publica").resolve().name == view.huella
    publisher = Publisher(diario.workspace, diario.libro, diario.disk)
    publisher.show(pointer.AVISO)
    assert personalizada.public_view(diario.workspace) is None, "not a moment under an aviso"
    assert not (diario.workspace.personalizada / "publica").exists()


def test_view_is_the_files_that_were_installed_whatever_their_author_edits(diario: Escena) -> None:
    view = install(diario)
    diario.cut(1)
    (diario.folder / "vista" / "index.html").write_text("otra cosa")
    assert pass_of(diario) == view.huella
    installed = tree_hashes(diario.workspace.personalizada / view.huella)
    assert installed == view.archivos
    assert b"data-propia" in (diario.workspace.personalizada / view.huella / "index.html").read_bytes()


@pytest.mark.parametrize("how", ["content", "added", "missing", "link"])
def test_view_whose_files_were_altered_is_taken_away_and_told(diario: Escena, how: str) -> None:
    view = install(diario)
    diario.cut(1)
    assert pass_of(diario) == view.huella
    page = diario.workspace.personalizada / view.huella / "index.html"
    if how == "content":
        stamp = page.stat()
        page.chmod(0o644)
        page.write_bytes(page.read_bytes().replace(b"Diario", b"Dlario"))
        os.utime(page, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    elif how == "added":
        page.with_name("mas.html").write_text("de otro")
    else:
        page.unlink()
        if how == "link":
            page.symlink_to(diario.workspace.folder / "difusor.toml")
    before = diario.public()
    assert pass_of(diario) is None
    told = [event.dato for event in diario.state().events() if event.tipo == "personalizada"]
    assert told[-1]["muestra"] is None
    assert told[-1]["motivo"]
    assert diario.public() == before, "the institute's pages stay as they were"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"convocatoria": "gro-2021"}, "convocatoria «gro-2021»"),
        ({"difusor": "otro-diario"}, "difusor «otro-diario»"),
        ({"vista_sha256": "0" * 64}, "otra vista"),
        ({"fecha": "2027-12-01"}, "fecha futura"),
        ({"hasta": "2027-06-05"}, "venció"),
    ],
)
def test_authorisation_of_something_else_installs_nothing(
    diario: Escena, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(UsoError, match=reason):
        install(diario, **changes)
    assert not diario.workspace.personalizada.exists()


def test_call_that_does_not_allow_it_admits_no_authorisation(escena: Escena) -> None:
    """MOR-I-3b, MEX-I-3b, and any call that says nothing of it."""
    (escena.folder / "vista").mkdir()
    (escena.folder / "vista" / "index.html").write_text("<p>")
    with pytest.raises(UsoError, match="no permite presentación personalizada"):
        install(escena)
    assert not escena.workspace.personalizada.exists()


def test_authorisation_that_ends_takes_the_view_away_by_itself(diario: Escena) -> None:
    view = install(diario, hasta="2027-06-07")
    diario.cut(1)
    assert pass_of(diario) == view.huella
    diario.clock.instant = INICIO + timedelta(days=2)
    assert pass_of(diario) is None
    assert pointer.read(diario.workspace) == "0001"


def test_paper_that_the_authorisation_cites_must_be_that_paper(diario: Escena) -> None:
    paper = diario.folder / "oficio.pdf"
    paper.write_bytes(b"%PDF-1.7 oficio")
    given = record(diario, documento_sha256=hashlib.sha256(b"%PDF-1.7 oficio").hexdigest())

    def put(documento: Path | None) -> None:
        personalizada.install(
            diario.workspace,
            diario.folder / "vista",
            given,
            documento=documento,
            disk=Disk(),
            now=diario.clock.now(),
        )

    for wrong in (None, given):
        with pytest.raises(EntradaError, match="documento"):
            put(wrong)
        assert not diario.workspace.personalizada.exists()
    put(paper)
    assert (diario.workspace.personalizada / "documento.pdf").read_bytes() == b"%PDF-1.7 oficio"


def test_folder_that_is_no_view_is_refused(diario: Escena, tmp_path: Path) -> None:
    view = diario.folder / "vista"
    (view / "enlace").symlink_to("/etc/passwd")
    with pytest.raises(EntradaError, match="enlace"):
        personalizada.read_view(view)
    (view / "enlace").unlink()
    (view / "CON").write_text("x")
    with pytest.raises(NombreError):
        personalizada.read_view(view)
    (view / "CON").unlink()
    (view / "index.html").rename(view / "portada.html")
    with pytest.raises(EntradaError, match=r"index\.html"):
        personalizada.read_view(view)
    with pytest.raises(EntradaError, match="no se puede leer"):
        personalizada.read_view(tmp_path / "no-esta")


def test_commands_from_the_folder_to_the_page(diario: Escena) -> None:
    """What a newspaper types, and what its readers get: the view at its own path, the institute's pages untouched."""
    folder, view = str(diario.workspace.folder), str(diario.folder / "vista")
    status, out, _ = run("personalizada", "huella", view)
    assert status == 0
    given = record(diario, vista_sha256=out.strip(), fecha="2026-01-05")  # the command reads the machine's clock
    status, out, err = run("personalizada", "instala", folder, view, "--autorizacion", str(given))
    assert status == 0, err
    diario.cut(1)
    assert pass_of(diario) is not None
    with diario.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        page = client.get("personalizada/")
        assert (page.status_code, "data-propia" in page.text) == (200, True)
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"] == client.get("").headers["content-security-policy"]
        assert client.get("personalizada/css/a.css").text == "p{color:#222}"
        assert 'data-corte="0001"' in client.get("").text
        for hidden in ("personalizada/puntero", "personalizada/autorizacion.toml", "personalizada/../puntero"):
            assert client.get(hidden).status_code == 404
        Publisher(diario.workspace, diario.libro, diario.disk).show(pointer.AVISO)
        assert client.get("personalizada/").status_code == 404
        Publisher(diario.workspace, diario.libro, diario.disk).show("0001")
        assert run("personalizada", "retira", folder)[0] == 0
        assert client.get("personalizada/").status_code == 404
    assert (diario.workspace.personalizada / "autorizacion.toml.retirada").exists(), "the evidence stays"


def test_view_edited_while_it_is_copied_is_not_installed(diario: Escena) -> None:
    class Editor(Disk):
        """Somebody saves the page after it was read and before it was copied."""

        def make_folder(self, path: Path, *, mode: int = 0o755) -> None:
            super().make_folder(path, mode=mode)
            (diario.folder / "vista" / "css" / "a.css").write_text("p{color:red}")

    with pytest.raises(EscrituraError, match="cambió mientras se copiaba"):
        personalizada.install(
            diario.workspace,
            diario.folder / "vista",
            record(diario),
            documento=None,
            disk=Editor(),
            now=INICIO + INTERVALO,
        )
    diario.cut(1)
    assert pass_of(diario) is None
