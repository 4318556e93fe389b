"""Institutes without Pregón: a bare archive, a folder, loose HTML, HASH and TXT, with sums or without any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import EntradaError, UsoError
from pregon.cli.difusor import app
from pregon.difusor import pointer, report
from pregon.difusor.acuse import Acuses
from pregon.difusor.comprueba import examine_workspace
from pregon.difusor.inicia import create
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.difusor.servidor.proceso import serving
from pregon.sonda.comprobacion import Pedido, examine
from pregon.trust.acuse import read_acuse
from tests.difusor.conftest import PERFIL, page, tree_hashes, without_twins
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.difusor.receive import Outcome, Receiver
    from pregon.difusor.workspace import Workspace
    from pregon.trust.verified import TargetRef

STAMP = "20270606_{}_PREP_CAMP"
RELOJ = 'fuente = "simulado"'
"""Measured, and right: a package that nobody signs has no other witness."""


def files_of(corte: int) -> dict[str, bytes]:
    """A small site that some other program made."""
    return {
        "index.html": page(corte),
        "datos/GUB.csv": b"SECCION,VOTOS\n" + b"".join(b"%d,%d\n" % (n, n * corte) for n in range(200)),
        "img/logo.png": b"\x89PNG" + bytes(range(256)),
    }


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a tree."""
    for ruta, data in files.items():
        (folder / ruta).parent.mkdir(parents=True, exist_ok=True)
        (folder / ruta).write_bytes(data)
    return folder


def run(folder: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60).stdout


@dataclass
class Ajena:
    """A difusor of an institute without Pregón; ``entrada`` is where that institute leaves its files."""

    folder: Path
    clock: ManualClock
    workspace: Workspace
    disk: Disk = field(default_factory=Disk)

    @property
    def entrada(self) -> Path:
        return self.workspace.entrada

    def receiver(self) -> Receiver:
        state = self.workspace.open_state(self.clock)
        return open_receiver(self.workspace, clock=self.clock, state=state, disk=self.disk)

    @property
    def libro(self) -> Libro:
        return Libro(self.workspace.open_state(self.clock))

    def at(self, hour: str, day: int = 6) -> None:
        """Set the clock to a local hour of the night."""
        hours, minutes = int(hour[:2]), int(hour[2:])
        self.clock.instant = INICIO + timedelta(days=day - 6, hours=hours - 20, minutes=minutes)

    def public(self) -> dict[str, str]:
        """What the pointer makes public, twins and manifest apart."""
        found = without_twins(tree_hashes(self.workspace.cortes / (pointer.read(self.workspace) or "")))
        found.pop("manifiesto.json", None)
        return found

    def manifest(self) -> dict[str, object]:
        name = pointer.read(self.workspace) or ""
        found: dict[str, object] = json.loads((self.workspace.cortes / name / "manifiesto.json").read_bytes())
        return found

    def zipped(self, hour: str, files: Mapping[str, bytes], name: str = STAMP) -> Path:
        """An archive with the institute's own zip, in ``entrada``."""
        stem = name.format(hour)
        work = put(self.folder / f"armado-{stem}-{len(list(self.folder.iterdir()))}", files)
        target = self.folder / f"{work.name}.zip"
        run(work, "zip", "-q", "-r", "-D", str(target), ".")
        return Path(shutil.copy(target, self.entrada / f"{stem}.zip"))

    def kept(self) -> tuple[object, ...]:
        """Everything that a refusal must not change."""
        return (
            tree_hashes(self.workspace.cortes),
            tree_hashes(self.workspace.historico),
            tree_hashes(self.workspace.objetos),
            self.libro.cortes(),
            pointer.read(self.workspace),
        )

    def refused(self, receiver: Receiver, code: str) -> Outcome:
        """One pass that must refuse with ``code`` and change nothing."""
        before = self.kept()
        outcome = receiver.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo == code, outcome.error.que_paso
        assert self.kept() == before
        return outcome

    def nothing_new(self, receiver: Receiver) -> None:
        """One pass in which nothing happens."""
        before = self.kept()
        outcome = receiver.run_once()
        assert (outcome.novedad, outcome.error, outcome.cambio) == (None, None, False)
        assert self.kept() == before


@pytest.fixture
def nueva(tmp_path: Path) -> Callable[..., Ajena]:
    """Makes the difusor of a profile: ``verificacion``, ``recepcion``, kind of archive, formats."""

    def make(
        verificacion: str = "suma",
        recepcion: str = "renombrado",
        archivo: str = "zip",
        *,
        formatos: tuple[str, ...] = ("html",),
        ambiente: str = "simulacro",
        reloj: str = RELOJ,
        inicio: str = "2027-06-06T20:00:00",
    ) -> Ajena:
        folder = tmp_path / f"ajena-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        extra = f'verificacion = "{verificacion}"\nrecepcion = "{recepcion}"'
        text = PERFIL.format(convocatoria="ajena-2027", extra=extra)
        end = f"{inicio[:8]}{int(inicio[8:10]) + 1:02d}{inicio[10:]}"
        text = text.replace("2027-06-07T20:00:00", end).replace("2027-06-06T20:00:00", inicio)
        text += f'[paquete]\narchivo = "{archivo}"\nformatos = {json.dumps(formatos)}\n'
        (folder / "perfil.toml").write_text(text)
        toml = (
            f'convocatoria = "{folder / "perfil.toml"}"\nambiente = "{ambiente}"\nid = "diario-uno"\n'
            f'origen = "entrada"\n[reloj]\n{reloj}\n[servidor]\npuerto = 0\n'
        )
        workspace = create(folder / "difusor", toml, root=None, disk=Disk())
        clock = ManualClock(INICIO - timedelta(hours=1), simulado=ambiente == "simulacro")
        return Ajena(folder, clock, workspace)

    return make


def hashes(files: Mapping[str, bytes], tmp: Path) -> dict[str, str]:
    return tree_hashes(put(tmp, files))


# From an archive to served bytes.


def test_a_bare_zip_with_its_sum_is_published_as_it_is_and_every_paper_says_suma(
    nueva: Callable[..., Ajena], tmp_path: Path
) -> None:
    ajena = nueva("suma")
    archive = ajena.zipped("1955", files_of(1))
    (ajena.entrada / f"{archive.name}.sha256").write_bytes(run(ajena.entrada, "sha256sum", archive.name))
    ajena.at("1958")
    receiver = ajena.receiver()
    outcome = receiver.run_once()
    assert (outcome.error, outcome.novedad, outcome.decision.corte) == (None, 1, None)
    assert pointer.read(ajena.workspace) == "espera"
    ajena.at("2000")
    assert receiver.run_once().cambio
    assert ajena.public() == hashes(files_of(1), tmp_path / "sitio")

    manifest = ajena.manifest()
    assert manifest["prueba"] == "suma"
    assert manifest["hora_corte"] == "2027-06-06T19:55:00-06:00"
    assert manifest["ajeno"]["sumas"][0]["algoritmo"] == "sha256"  # type: ignore[index]
    libro = ajena.libro
    assert [cut.prueba for cut in libro.cortes()] == ["suma"]
    told = report.estado(ajena.workspace, libro, ajena.clock.now())
    assert (told["estado"], told["corte"]["prueba"]) == ("publicado", "suma")
    acuses = Acuses(ajena.workspace, ajena.disk)
    papers = [read_acuse(path.read_bytes(), acuses.public_key).payload for path in acuses.files()]
    assert [(paper["evento"], paper["prueba"]) for paper in papers] == [
        ("recibido", "suma"), ("verificado", "suma"), ("publicado", "suma")
    ]  # fmt: skip
    assert json.loads((ajena.workspace.historico / "0001" / "recibo.json").read_bytes())["prueba"] == "suma"
    original = ajena.workspace.historico / "0001" / archive.name
    assert original.read_bytes() == archive.read_bytes()
    ajena.nothing_new(receiver)
    assert [path.name for path in ajena.workspace.recepcion.rglob("*")] == []


def test_paquete_verifica_tells_what_a_foreign_portal_proves(nueva: Callable[..., Ajena]) -> None:
    for verificacion in ("suma", "ninguna"):
        ajena = nueva(verificacion)
        archive = ajena.zipped("2000", files_of(1))
        (ajena.entrada / "MD5SUMS").write_bytes(run(ajena.entrada, "md5sum", "--tag", archive.name))
        ajena.at("2001")
        assert ajena.receiver().run_once().novedad == 1
        found = examine_workspace(ajena.workspace.folder, Pedido(), clock=ajena.clock)
        assert (found.codigo, found.prueba, found.listing) == ("OK", verificacion, None)
        assert any("no firma" in text or "no envía firmas" in text for text in found.not_proved())
        with_root = examine_workspace(ajena.workspace.folder, Pedido(raiz=b"{}"), clock=ajena.clock)
        assert with_root.codigo == "ENTRADA"
        with serving([ajena.workspace], disk=ajena.disk, clock=ajena.clock, port=0) as server:
            portal = examine(server.urls[0], Pedido(), clock=ajena.clock)
        assert (portal.codigo, portal.prueba) == ("OK", verificacion)
        public = ajena.workspace.cortes / "0001" / "datos" / "GUB.csv"
        public.chmod(0o644)
        public.write_bytes(b"SECCION,VOTOS\n1,999\n")
        assert examine_workspace(ajena.workspace.folder, Pedido(), clock=ajena.clock).codigo == "HASH"


def test_a_7z_of_the_institute_is_published_and_remade_from_the_original(
    nueva: Callable[..., Ajena], tmp_path: Path
) -> None:
    """GRO-2.3d."""
    ajena = nueva("suma", archivo="7z")
    work = put(tmp_path / "arbol", files_of(1))
    archive = ajena.entrada / f"{STAMP.format('2000')}.7z"
    run(work, "7zz", "a", "-bd", "-mx3", str(archive), ".")
    (ajena.entrada / f"{archive.stem}.sha512").write_bytes(run(ajena.entrada, "sha512sum", archive.name).split()[0])
    ajena.at("2005")
    receiver = ajena.receiver()
    assert receiver.run_once().novedad == 1
    expected = tree_hashes(work)
    assert ajena.public() == expected
    store = receiver._publisher.store
    store.drop(expected["datos/GUB.csv"])
    lost = receiver._publisher.history.remake({expected["datos/GUB.csv"]}, ajena.libro.cortes(), store)
    assert (lost, store.intact(expected["datos/GUB.csv"])) == (set(), True)


def test_loose_html_hash_and_txt_are_published_whole_with_a_hash_file_each(
    nueva: Callable[..., Ajena], tmp_path: Path
) -> None:
    """MEX-II-3a: HTML, HASH and TXT, in a folder of their own; citizens can check with the institute's own sums."""
    ajena = nueva("suma", "suma", "dir", formatos=("html", "hash", "txt"))
    site = put(tmp_path / "sitio", {"index.html": page(1), "gub/index.html": page(2), "gub/votos.txt": b"A|12\n" * 99})
    for path in [path for path in site.rglob("*") if path.is_file()]:
        path.with_name(path.name + ".hash").write_bytes(run(path.parent, "sha256sum", path.name).split()[0] + b"\r\n")
    shutil.copytree(site, ajena.entrada / STAMP.format("2010"))
    ajena.at("2011")
    receiver = ajena.receiver()
    assert receiver.run_once().novedad == 1
    assert ajena.public() == tree_hashes(site)
    assert "gub/votos.txt.hash" in ajena.public()
    [original] = (ajena.workspace.historico / "0001").glob("*.zip")
    assert sorted(zipfile.ZipFile(original).namelist()) == sorted(tree_hashes(site))
    # Everything public is lost: it comes back from what was received.
    shutil.rmtree(ajena.workspace.objetos)
    ajena.workspace.objetos.mkdir()
    shutil.rmtree(ajena.workspace.cortes / "0001")
    ajena.receiver().run_once()
    assert ajena.public() == tree_hashes(site)


def test_the_same_in_one_zip_with_its_sums_inside(nueva: Callable[..., Ajena], tmp_path: Path) -> None:
    ajena = nueva("suma", formatos=("html", "hash", "txt"))
    files = files_of(1)
    work = put(tmp_path / "arbol", files)
    files["HASH.txt"] = run(work, "sha1sum", *files)
    ajena.zipped("2000", files)
    ajena.at("2001")
    receiver = ajena.receiver()
    assert receiver.run_once().novedad == 1
    assert ajena.public() == hashes(files, tmp_path / "sitio")
    ajena.at("2021")
    ajena.zipped("2020", {**files, "datos/GUB.csv": b"otro"})
    ajena.refused(receiver, "HASH")
    (ajena.entrada / f"{STAMP.format('2020')}.zip").unlink()
    ajena.zipped("2021", {**files, "de-mas.html": b"<p>"})
    ajena.refused(receiver, "SUMA")


def test_a_synced_folder_without_stamps_goes_on_by_the_newest_time_inside(
    nueva: Callable[..., Ajena], tmp_path: Path
) -> None:
    """DGO-II-net-c3, MOR-A1-3.4: rsync into one folder."""
    ajena = nueva("ninguna", "quieto:30", "dir")
    ajena.at("2000")
    put(ajena.entrada, files_of(1))
    (ajena.entrada / "img" / ".logo.png.Xa31").write_bytes(b"a medias")

    def touch(instant: float) -> None:
        for path in ajena.entrada.rglob("*"):
            os.utime(path, (instant, instant))

    touch(ajena.clock.instant.timestamp())
    receiver = ajena.receiver()
    ajena.nothing_new(receiver)
    ajena.clock.sleep(29)
    ajena.nothing_new(receiver)
    ajena.clock.sleep(2)
    assert receiver.run_once().novedad == 1
    assert ajena.public() == hashes(files_of(1), tmp_path / "uno")
    assert (ajena.manifest()["prueba"], ajena.manifest()["hora_corte"]) == ("ninguna", "2027-06-06T20:00:00-06:00")
    # Touched and the same: not news. After a restart neither.
    touch(ajena.clock.instant.timestamp())
    ajena.clock.sleep(31)
    ajena.nothing_new(receiver)
    again = ajena.receiver()
    ajena.nothing_new(again)
    ajena.clock.sleep(31)
    ajena.nothing_new(again)
    # A page changed.
    ajena.at("2020")
    (ajena.entrada / "index.html").write_bytes(page(2))
    os.utime(ajena.entrada / "index.html", (ajena.clock.instant.timestamp(),) * 2)
    ajena.nothing_new(again)
    ajena.clock.sleep(31)
    assert again.run_once().novedad == 2
    assert ajena.public()["index.html"] == hashes({"index.html": page(2)}, tmp_path / "dos")["index.html"]
    # Taken away, with no newer time than before: still another content, and a later cut.
    (ajena.entrada / "img" / "logo.png").unlink()
    again.run_once()
    ajena.clock.sleep(31)
    assert again.run_once().novedad == 3
    assert "img/logo.png" not in ajena.public()
    hours = [cut.hora_corte for cut in ajena.libro.cortes()]
    assert hours == sorted(set(hours))
    # Older files put back: not published.
    put(ajena.entrada, files_of(1))
    touch((INICIO + timedelta(minutes=1)).timestamp())
    again.run_once()
    ajena.clock.sleep(31)
    ajena.refused(again, "RETROCESO")


def test_a_package_without_any_proof_is_taken_when_its_marker_changes(nueva: Callable[..., Ajena]) -> None:
    ajena = nueva("ninguna", "marcador:listo.txt")
    ajena.zipped("2000", files_of(1))
    ajena.at("2001")
    receiver = ajena.receiver()
    ajena.nothing_new(receiver)
    (ajena.entrada / "listo.txt").write_bytes(b"1")
    assert receiver.run_once().novedad == 1
    assert "listo.txt" not in ajena.public()
    ajena.at("2021")
    ajena.zipped("2020", files_of(2))
    ajena.nothing_new(receiver)
    # Not even one who starts now takes it: the marker is still the one of the first cut.
    again = ajena.receiver()
    ajena.nothing_new(again)
    (ajena.entrada / "listo.txt").write_bytes(b"22")
    assert again.run_once().novedad == 2


def test_waits_for_the_sums_and_tells_only_what_stays_wrong(nueva: Callable[..., Ajena]) -> None:
    ajena = nueva("suma", "suma")
    whole = ajena.zipped("2000", files_of(1)).read_bytes()
    archive = ajena.entrada / f"{STAMP.format('2000')}.zip"
    sums = run(ajena.entrada, "sha256sum", "-b", archive.name)
    archive.write_bytes(whole[:-700])
    ajena.at("2001")
    receiver = ajena.receiver()
    ajena.nothing_new(receiver)
    (ajena.entrada / "SHA256SUMS").write_bytes(sums)
    ajena.nothing_new(receiver)
    ajena.clock.sleep(45)
    archive.write_bytes(whole[:-10])
    ajena.nothing_new(receiver)
    ajena.clock.sleep(45)
    ajena.nothing_new(receiver)
    ajena.clock.sleep(16)
    ajena.refused(receiver, "HASH")
    archive.write_bytes(whole)
    assert receiver.run_once().novedad == 1


def test_the_real_archives_of_a_night_are_published_byte_by_byte(
    nueva: Callable[..., Ajena], datos: Path, tmp_path: Path
) -> None:
    """Campeche 2021: a zip of zips before the day, and three cuts of one election as folders with their sums."""
    campeche = datos / "campeche-2021"
    ajena = nueva("ninguna", formatos=("csv", "txt"), inicio="2021-06-01T18:00:00")
    shutil.copy(campeche / "20210601_1852_PREP_CAMP.zip", ajena.entrada)
    ajena.clock.instant = datetime(2021, 6, 1, 23, 53, tzinfo=UTC)
    assert ajena.receiver().run_once().novedad == 1
    with zipfile.ZipFile(campeche / "20210601_1852_PREP_CAMP.zip") as opened:
        opened.extractall(tmp_path / "abierto")
    assert ajena.public() == tree_hashes(tmp_path / "abierto")
    assert ajena.manifest()["hora_corte"] == "2021-06-01T18:52:00-05:00"

    ajena = nueva("suma", "suma", "dir", formatos=("csv", "txt"), inicio="2021-06-06T20:00:00")
    receiver = ajena.receiver()
    for corte, stamp in enumerate(("20210606_2240", "20210606_2320", "20210607_2000"), 1):
        source = campeche / f"{stamp}_PREP_GOB_CAMP"
        target = Path(shutil.copytree(source, ajena.entrada / source.name))
        target.chmod(0o755)
        (target / "SHA256SUMS").write_bytes(run(target, "sha256sum", *(path.name for path in source.iterdir())))
        ajena.clock.instant = datetime.strptime(f"{stamp}-0500", "%Y%m%d_%H%M%z").astimezone(UTC)
        assert receiver.run_once().novedad == corte
        assert ajena.public() == tree_hashes(target)


# Order.


@pytest.fixture
def publica(nueva: Callable[..., Ajena]) -> tuple[Ajena, Receiver]:
    """A difusor whose first foreign cut, of 20:00, is public; no sums, complete by renaming."""
    ajena = nueva("ninguna")
    ajena.zipped("2000", files_of(1))
    ajena.at("2001")
    receiver = ajena.receiver()
    assert receiver.run_once().novedad == 1
    ajena.at("2025")
    return ajena, receiver


def test_each_stamp_is_a_cut_chained_to_the_one_before_and_identical_contents_are_no_news(
    publica: tuple[Ajena, Receiver],
) -> None:
    ajena, receiver = publica
    first = ajena.libro.cortes()[0]
    ajena.zipped("2020", files_of(1))
    ajena.nothing_new(receiver)
    ajena.nothing_new(ajena.receiver())
    ajena.zipped("2025", files_of(2))
    assert receiver.run_once().novedad == 2
    assert (ajena.manifest()["corte"], ajena.manifest()["anterior"]) == (2, first.sha256)
    assert ajena.manifest()["proximo"] == "2027-06-06T20:45:00-06:00"


def test_an_older_stamp_is_refused_though_the_newer_file_is_gone(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    ajena.zipped("2020", files_of(2))
    assert receiver.run_once().novedad == 2
    ajena.nothing_new(receiver)
    (ajena.entrada / f"{STAMP.format('2020')}.zip").unlink()
    ajena.refused(receiver, "RETROCESO")
    ajena.refused(ajena.receiver(), "RETROCESO")


def test_other_contents_under_an_accepted_stamp_are_refused(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    ajena.zipped("2000", files_of(7))
    ajena.refused(receiver, "EQUIVOCO")
    ajena.refused(ajena.receiver(), "EQUIVOCO")


def test_two_packages_with_one_stamp_are_refused_until_one_is_left(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    one, other = ajena.zipped("2020", files_of(2)), ajena.zipped("2020", files_of(3), "20270606_{}_OTRO")
    ajena.refused(receiver, "EQUIVOCO")
    other.unlink()
    assert one.exists()
    assert receiver.run_once().novedad == 2


def test_a_stamp_of_tomorrow_is_refused_until_it_is_that_hour(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    ajena.zipped("2050", files_of(3))
    ajena.refused(receiver, "CADENA")
    ajena.zipped("2020", files_of(2))
    assert receiver.run_once().novedad == 2
    ajena.refused(receiver, "CADENA")
    ajena.at("2045")
    assert receiver.run_once().novedad == 3


def test_a_damaged_newest_package_does_not_hold_back_the_good_one_before_it(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    ajena.zipped("2015", files_of(2))
    damaged = ajena.zipped("2020", files_of(3))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    assert receiver.run_once().novedad == 2
    ajena.refused(receiver, "ARCHIVO_TRUNCADO")
    assert ajena.libro.intento == {
        "hora": ajena.clock.instant.isoformat(), "resultado": "rechazado", "codigo": "ARCHIVO_TRUNCADO",
        "que_paso": "El archivo está incompleto: le falta el final.",
    }  # fmt: skip


def test_without_a_stamp_the_newest_entry_of_the_zip_is_the_hour(nueva: Callable[..., Ajena]) -> None:
    ajena = nueva("ninguna")
    archive = ajena.entrada / "paquete.zip"

    def pack(corte: int, when: tuple[int, int, int, int, int, int]) -> None:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
            for ruta, data in files_of(corte).items():
                made.writestr(zipfile.ZipInfo(ruta, when if ruta == "index.html" else (2027, 1, 1, 0, 0, 0)), data)

    ajena.at("2005")
    pack(1, (2027, 6, 6, 20, 4, 0))
    receiver = ajena.receiver()
    assert receiver.run_once().novedad == 1
    assert ajena.manifest()["hora_corte"] == "2027-06-06T20:04:00-06:00"
    ajena.at("2025")
    pack(2, (2027, 6, 6, 20, 2, 0))
    ajena.refused(receiver, "RETROCESO")
    pack(2, (2027, 6, 6, 20, 24, 0))
    assert receiver.run_once().novedad == 2


# What arrives is not what it should be.


def test_a_package_of_the_rehearsal_left_in_the_folder_is_never_official(nueva: Callable[..., Ajena]) -> None:
    """Campeche 2021: the archive of 1 June stood beside those of the night."""
    ajena = nueva("ninguna", ambiente="oficial", reloj='fuente = "ninguna"')
    ajena.zipped("2000", files_of(1), "20270601_{}_PREP_CAMP")
    ajena.at("2001")
    ajena.refused(ajena.receiver(), "AMBIENTE")


def test_nothing_opens_the_embargo_of_a_package_without_signature_but_a_measured_clock(
    nueva: Callable[..., Ajena],
) -> None:
    ajena = nueva("ninguna", ambiente="oficial", reloj='fuente = "ninguna"')
    ajena.zipped("2000", files_of(1))
    ajena.at("2001")
    outcome = ajena.receiver().run_once()
    assert (outcome.novedad, outcome.decision.corte, pointer.read(ajena.workspace)) == (1, None, "espera")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"datos/GUB.csv": b"1,2"}, "ARCHIVO_PORTADA"),
        ({"PREP/index.html": b"<p>", "PREP/datos.csv": b"1"}, "ARCHIVO_PORTADA"),
        ({"index.html": b"<p>", "manifiesto.json": b"{}"}, "ARCHIVO_RESERVADO"),
        ({"index.html": b"<p>", "a\\b.html": b"1"}, "ARCHIVO_DIAGONAL"),
    ],
)
def test_a_package_that_would_harm_the_site_leaves_it_as_it_was(
    publica: tuple[Ajena, Receiver], files: dict[str, bytes], code: str
) -> None:
    ajena, receiver = publica
    ajena.zipped("2020", files)
    ajena.refused(receiver, code)
    ajena.refused(receiver, code)
    ajena.zipped("2021", files_of(2))
    assert receiver.run_once().novedad == 2


def test_a_package_refused_after_it_was_copied_is_looked_at_again(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    public, cuts = ajena.public(), ajena.libro.cortes()
    ajena.zipped("2020", {"index.html": b"<p>", "index.html.gz": b"otra cosa"})
    for _ in range(2):
        outcome = receiver.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo == "ARCHIVO_GEMELO"
        assert (ajena.public(), ajena.libro.cortes()) == (public, cuts)


@pytest.mark.parametrize(
    ("sums", "code"),
    [
        (None, "SUMA"),
        (lambda name, _: f"{'0' * 64}  otro.zip\n", "SUMA"),
        (lambda name, _: "esto no es una lista\n", "SUMA"),
        (lambda name, _: f"{'0' * 64}  {name}\n", "HASH"),
        (lambda name, good: f"{good}\n{'0' * 64}  {name}\n", "SUMA"),
        (lambda name, good: f"{good}\n{'0' * 64}  ../{name}\n", "ARCHIVO_SUPERIOR"),
    ],
)
def test_sums_that_prove_nothing_are_refused(
    nueva: Callable[..., Ajena], sums: Callable[[str, str], str] | None, code: str
) -> None:
    ajena = nueva("suma")
    archive = ajena.zipped("2000", files_of(1))
    good = run(ajena.entrada, "sha256sum", archive.name).decode()
    if sums is not None:
        (ajena.entrada / "SHA256SUMS").write_text(sums(archive.name, good.strip()))
    ajena.at("2001")
    receiver = ajena.receiver()
    ajena.refused(receiver, code)
    (ajena.entrada / "SHA256SUMS").write_text(good)
    assert receiver.run_once().novedad == 1


@pytest.mark.parametrize("kind", ["link", "fifo", "link in a folder"])
def test_what_is_no_file_is_not_followed(nueva: Callable[..., Ajena], tmp_path: Path, kind: str) -> None:
    ajena = nueva("ninguna", archivo="dir" if kind == "link in a folder" else "zip")
    honest = tmp_path / "fuera.zip"
    ajena.zipped("2000", files_of(1)).rename(honest)
    ajena.at("2001")
    name = ajena.entrada / f"{STAMP.format('2000')}.zip"
    if kind == "link":
        name.symlink_to(honest)
    elif kind == "fifo":
        os.mkfifo(name)
    else:
        put(ajena.entrada, files_of(1))
        (ajena.entrada / "clave.txt").symlink_to("/etc/passwd")
    ajena.refused(ajena.receiver(), "ARCHIVO_ESPECIAL" if kind == "fifo" else "ARCHIVO_ENLACE")
    assert list(ajena.workspace.recepcion.rglob("*")) == []


# The sender still holds the file.


def meddle(receiver: Receiver, ruta: str, change: Callable[[], object], *, after: bool) -> None:
    """Run ``change`` once, when ``ruta`` begins to be read or has been read to its end."""
    client = receiver._news
    source = client._source  # type: ignore[attr-defined]
    honest, left = source.stream, [change]

    def stream(asked: str, *, desde: int = 0) -> object:
        pieces = honest(asked, desde=desde)
        if asked != ruta or not left:
            return pieces
        act = left.pop()
        if not after:
            act()
            return honest(asked, desde=desde)

        def watched() -> object:
            yield from pieces
            act()

        return watched()

    source.stream = stream


def test_a_file_changed_after_it_was_copied_is_not_what_is_published(
    nueva: Callable[..., Ajena], tmp_path: Path
) -> None:
    """The attack on a check in place: the right bytes are checked, other bytes are opened."""
    ajena = nueva("suma")
    archive = ajena.zipped("2000", files_of(1))
    (ajena.entrada / f"{archive.name}.md5").write_bytes(run(ajena.entrada, "md5sum", archive.name))
    forged = ajena.zipped("1900", {**files_of(1), "index.html": page(9)}).read_bytes()
    (ajena.entrada / f"{STAMP.format('1900')}.zip").unlink()
    ajena.at("2001")
    receiver = ajena.receiver()
    before = archive.stat()

    def forge() -> None:
        # The sender puts back size and date: the look after the copy still sees that somebody wrote.
        archive.write_bytes(forged.ljust(before.st_size, b"\0")[: before.st_size])
        os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))

    meddle(receiver, archive.name, forge, after=True)
    ajena.refused(receiver, "RED")
    ajena.refused(receiver, "HASH")
    assert pointer.read(ajena.workspace) == "espera"


def test_a_file_changed_after_it_was_verified_is_not_opened_again(
    publica: tuple[Ajena, Receiver], tmp_path: Path
) -> None:
    ajena, receiver = publica
    archive = ajena.zipped("2020", files_of(2))
    honest, forged = archive.read_bytes(), ajena.zipped("1900", files_of(9)).read_bytes()
    (ajena.entrada / f"{STAMP.format('1900')}.zip").unlink()
    client = receiver._news
    take = client.download

    def download(target: TargetRef, destination: Path) -> None:
        archive.write_bytes(forged)
        take(target, destination)

    client.download = download  # type: ignore[method-assign]
    assert receiver.run_once().novedad == 2
    assert ajena.public() == hashes(files_of(2), tmp_path / "dos")
    assert (ajena.workspace.historico / "0002" / archive.name).read_bytes() == honest
    ajena.refused(receiver, "EQUIVOCO")


def test_a_file_that_grows_while_it_is_copied_is_left_for_the_next_pass(nueva: Callable[..., Ajena]) -> None:
    ajena = nueva("ninguna")
    archive = ajena.zipped("2000", files_of(1))
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-100])
    ajena.at("2001")
    receiver = ajena.receiver()
    meddle(receiver, archive.name, lambda: archive.write_bytes(whole), after=False)
    ajena.refused(receiver, "RED")
    assert receiver.run_once().novedad == 1


def test_a_folder_half_of_one_cut_and_half_of_the_next_is_no_cut(nueva: Callable[..., Ajena], tmp_path: Path) -> None:
    ajena = nueva("ninguna", archivo="dir")
    put(ajena.entrada, files_of(1))
    ajena.at("2001")
    receiver = ajena.receiver()
    for path in ajena.entrada.rglob("*"):
        os.utime(path, (INICIO.timestamp(),) * 2)
    meddle(receiver, "index.html", lambda: put(ajena.entrada, files_of(2)), after=True)
    ajena.refused(receiver, "RED")
    for path in ajena.entrada.rglob("*"):
        os.utime(path, (INICIO.timestamp(),) * 2)
    assert receiver.run_once().novedad == 1
    assert ajena.public() == hashes(files_of(2), tmp_path / "dos")


def test_temporary_names_are_never_opened(publica: tuple[Ajena, Receiver]) -> None:
    ajena, receiver = publica
    archive = ajena.zipped("2020", files_of(2))
    for name in (f"{archive.name}.part", f"{archive.name}.filepart", f".{archive.name}", f"{archive.name}.tmp"):
        archive.rename(ajena.entrada / name)
        ajena.nothing_new(receiver)
        (ajena.entrada / name).rename(archive)
    assert receiver.run_once().novedad == 2


# The workspace.


def test_the_commands_make_the_difusor_without_a_root_and_say_what_is_proved(nueva: Callable[..., Ajena]) -> None:
    ajena = nueva("ninguna")
    folder = ajena.folder / "otro"
    arguments = ["inicia", str(folder), "--convocatoria", str(ajena.folder / "perfil.toml"), "--origen", "entrada"]
    made = CliRunner().invoke(app, [*arguments, "--ambiente", "simulacro"])
    assert (made.exit_code, (folder / "confianza" / "raiz.json").exists()) == (0, False)
    again = CliRunner().invoke(app, ["recibe", str(folder), "--una-vez", "--json"])
    assert json.loads(again.stdout) == {"novedad": False}
    ajena.zipped("2000", files_of(1))
    ajena.at("2001")
    ajena.receiver().run_once()
    told = CliRunner().invoke(app, ["estado", str(ajena.workspace.folder)]).stdout
    assert "Prueba: ninguna (se publica como llegó)" in told
    assert " ninguna  ← público" in CliRunner().invoke(app, ["cortes", str(ajena.workspace.folder)]).stdout
    assert CliRunner().invoke(app, ["cortes", str(ajena.workspace.folder), "--verifica"]).exit_code == 0


def test_a_difusor_of_an_institute_that_signs_needs_its_root_and_of_another_takes_none(tmp_path: Path) -> None:
    profile = tmp_path / "perfil.toml"
    toml = f'convocatoria = "{profile}"\nid = "uno"\n'
    profile.write_text(PERFIL.format(convocatoria="demo", extra=""))
    with pytest.raises(EntradaError, match=r"root\.json"):
        create(tmp_path / "difusor", toml, root=None, disk=Disk())
    profile.write_text(PERFIL.format(convocatoria="demo", extra='verificacion = "suma"\nrecepcion = "suma"'))
    with pytest.raises(UsoError, match="no firma"):
        create(tmp_path / "difusor", toml, root=b'{"signed": {"_type": "root"}}', disk=Disk())
    assert not (tmp_path / "difusor").exists()
