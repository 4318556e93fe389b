"""The public folder of a real night: what its files say, that nothing leaks, and its one switch."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.clock import ManualClock
from pregon.base.errors import DiscoError, EscrituraError, UsoError
from pregon.cli.instituto import publico as cli
from pregon.instituto.build import build_cut
from pregon.instituto.publico.envio import envia
from pregon.instituto.publico.fuente import ultimos_dictamenes
from pregon.instituto.publico.modelo import Disponibilidad
from pregon.instituto.publico.paginas import Paginas
from pregon.instituto.publico.sitio import ENLACE, GUARDA, PUNTERO, VERSIONES, Publicador, vigente
from pregon.instituto.registro import orden
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import INICIO, Night, tree_digest
from tests.instituto.html import parse
from tests.instituto.publico.noche import INTERVALO, NochePublica, dictamen
from tests.instituto.registro.escaner import en_carpeta
from tests.instituto.registro.fichas import ANA, casa, funda
from tests.red.blancos import DiscoMortal, Pasos, killed
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.rsyncd import Modulo, Rsyncd
from tests.red.servidores.sshd import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.publico.sitio import Publicado

FILES = {"index.html", "difusores.json", "situacion.html", "situacion.json", "noche.html", "noche.json", "actual.json"}


def publica(noche: NochePublica, folder: Path, dictamenes: Iterable[Dictamen] | None = None) -> Publicado:
    told = ultimos_dictamenes(noche.espacio) if dictamenes is None else dictamenes
    return Publicador(noche.espacio, carpeta=folder).publica(noche.firmas(), told)


def leido(folder: Path, name: str) -> Any:
    return json.loads((folder / ENLACE / name).read_bytes())


@pytest.fixture(scope="module")
def sitio(hecha: NochePublica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after one state of that night; nobody writes there."""
    folder = tmp_path_factory.mktemp("sitio") / "publico"
    publica(hecha, folder)
    return folder


def test_the_night_of_the_files_is_that_of_the_signed_packages(hecha: NochePublica, sitio: Path) -> None:
    told = leido(sitio, "noche.json")
    assert [one["corte"] for one in told["cortes"]] == [1, 2, 3, 4]
    for one in told["cortes"]:
        [archive] = (
            path
            for path in (hecha.folder / "repositorio" / "targets" / "cortes" / f"{one['corte']:04d}").glob("*.zip")
            if not path.name.endswith(".cambios.zip")
        )
        with zipfile.ZipFile(archive) as package:
            for contest in ("gub", "dip"):
                signed = json.loads(package.read(f"datos/{one['corte']:04d}/{contest}/entidad.json"))["recalculado"]
                assert one["contiendas"][contest] == {
                    "esperadas": signed["ACTAS_ESPERADAS"],
                    "capturadas": signed["ACTAS_CAPTURADAS"],
                    "contabilizadas": signed["ACTAS_CONTABILIZADAS"],
                    "porcentaje_capturadas": signed["PORCENTAJE_ACTAS_CAPTURADAS"],
                    "porcentaje_contabilizadas": signed["PORCENTAJE_ACTAS_CONTABILIZADAS"],
                }
    assert told["contiendas"] == [
        {"id": "gub", "titulo": "Gubernatura"},
        {"id": "dip", "titulo": "Diputaciones locales"},
    ]
    lost, late = told["retrasos"]
    assert (lost["desenlace"], lost["vence"]) == ("perdido", "2021-06-06T20:40:00-05:00")
    assert (late["corte"], late["segundos"], late["porque"]) == (4, 440, "No habían llegado los datos del corte.")
    assert late["texto"].startswith("El corte de las 21:20 h se retrasa.")
    page = parse((sitio / ENLACE / "noche.html").read_bytes())
    assert [row.attrs["data-corte"] for row in page.one("table").all("tr", data_corte=None)] == ["4", "3", "2", "1"]
    assert "El corte de las 20:40 h no se hizo: el siguiente ya incluye sus actas." in page.text
    assert "El corte de las 21:20 h salió 7 min tarde. No habían llegado los datos del corte." in page.text
    assert {one.attrs["data-capturadas"] for one in page.all("dd", data_capturadas=None)} == {"2"}


def test_how_each_difusor_is_and_how_much_of_the_month_it_answered(sitio: Path) -> None:
    told = {one["id"]: one for one in leido(sitio, "situacion.json")["difusores"]}
    assert {ident: one["situacion"] for ident, one in told.items()} == {
        "diario-uno": "al_dia",
        "radio-dos": "atrasado",
        "tele-tres": "interrumpido",
        "zona-seis": "en_revision",
    }
    late = told["radio-dos"]
    assert (late["corte"], late["hora_corte"], late["atraso_s"]) == (3, "2021-06-06T21:00:00-05:00", 95)
    assert late["disponibilidad"] == [{"mes": "2021-06", "porcentaje": "100.0000", "observado_s": 3600}]
    off = told["tele-tres"]
    assert (off["url"], off["corte"], off["disponibilidad"]) == (None, None, [])
    listed = leido(sitio, "difusores.json")
    assert all(one.endswith("-05:00") for one in (listed["generado"], *(each["desde"] for each in listed["difusores"])))
    assert {"motivos", "causa", "evidencia", "punto", "veredicto"}.isdisjoint(late)
    page = parse((sitio / ENLACE / "situacion.html").read_bytes())
    rows = {row.attrs["id"]: row for row in page.all("tr", id=None)}
    assert "Muestra un corte anterior" in rows["d-radio-dos"].text
    assert "El de las 21:00 h 1 min 100.0000 %" in rows["d-radio-dos"].text
    assert rows["d-tele-tres"].all("a") == []
    assert rows["d-diario-uno"].one("a").attrs["href"] == "https://diario-uno.example/prep"
    assert (
        page.one("p", class_="titular").text
        == "El último corte es el 4, de las 21:20 h. El siguiente se espera a las 21:40 h."
    )


@pytest.mark.parametrize("antes", ["diario-uno", "radio-dos"])
def test_the_month_that_the_page_names_is_that_of_every_row(hecha: NochePublica, tmp_path: Path, antes: str) -> None:
    state = publica(hecha, tmp_path / "publico").publico
    # On the first of a month who was not looked at yet has only the one before.
    known = {ident: Disponibilidad("2021-06", "99.0000", 60) for ident in ("diario-uno", "radio-dos")}
    known[antes] = Disponibilidad("2021-05", "12.0000", 60)
    people = tuple(
        replace(one, disponibilidad=(known[one.renglon.id],)) for one in state.difusores if one.renglon.id in known
    )
    page = parse(Paginas(hecha.espacio).todas(replace(state, difusores=people), 1)["situacion.html"])
    rows = {row.attrs["id"].removeprefix("d-"): row.text for row in page.all("tr", id=None)}
    assert "Respondió en junio" in page.one("thead").text
    assert {ident: "99.0000" in text for ident, text in rows.items()} == {ident: ident != antes for ident in known}
    assert "12.0000" not in page.one("table").text


def test_nothing_confidential_is_in_any_public_file(hecha: NochePublica, sitio: Path) -> None:
    assert {path.name for path in (sitio / ENLACE).iterdir() if path.is_file()} >= FILES
    assert en_carpeta(sitio, hecha.secretos) == {}
    # And the scan sees: the reason of the notice is in what is signed, its file with it.
    assert en_carpeta(hecha.folder / "repositorio" / "targets" / "avisos", hecha.secretos) != {}
    whole = b"".join(path.read_bytes() for path in (sitio / ENLACE).rglob("*") if path.is_file())
    for word in (b"CONTENIDO", b"CORTE_VIEJO", b'difusor": "', b"advertencia", b"instituto.toml", b"falla"):
        assert word not in whole, word


def test_every_file_is_of_one_state_and_the_index_has_its_hash(sitio: Path) -> None:
    told = leido(sitio, "actual.json")
    here = {
        str(path.relative_to(sitio / ENLACE / ".")): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (sitio / ENLACE / ".").rglob("*")
        if path.is_file()
    }
    assert told["archivos"] == {name: one for name, one in here.items() if name != "actual.json"}
    assert told["vigente_hasta"] == "2021-06-06T21:31:00-05:00"
    for name in ("situacion.json", "noche.json", "difusores.json"):
        assert leido(sitio, name)["version"] == told["version"] == 1
    for name in ("index.html", "situacion.html", "noche.html"):
        page = parse((sitio / ENLACE / name).read_bytes())
        assert page.one("html").attrs["data-version"] == "1"
        [policy] = page.all("meta", http_equiv="Content-Security-Policy")
        assert policy.attrs["content"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        asked = [
            item.attrs.get("src") or item.attrs.get("href")
            for item in page.all()
            if item.name in ("img", "link", "script")
        ]
        assert asked
        for route in asked:
            assert route is not None
            assert (sitio / ENLACE / route).is_file(), route
            assert re.search(r"-[0-9a-f]{12}\.", route), "what a page asks for has its hash in its name"
        assert "style=" not in (sitio / ENLACE / name).read_text()


def test_not_before_the_day_of_the_list_and_nothing_is_written(tmp_path: Path) -> None:
    """GRO-1.6a: from 3 June; before the start the pages tell no cut."""
    house = casa(funda(tmp_path / "modelo", "gro-2021"), tmp_path / "espacio")
    house.alta()
    house.lleva("diario-uno", "admitido")
    noche = NochePublica(house.folder, house.clock)
    house.clock.instant = datetime.fromisoformat("2021-06-02T23:59:59-05:00")
    publisher = Publicador(noche.espacio, carpeta=tmp_path / "publico")
    assert not publisher.toca(noche.firmas())
    with pytest.raises(UsoError, match="es pública a partir del"):
        publisher.publica(noche.firmas(), ())
    assert not (tmp_path / "publico").exists()
    house.clock.instant += timedelta(seconds=1)
    assert publisher.toca(noche.firmas())
    publisher.publica(noche.firmas(), ())
    told = leido(tmp_path / "publico", "situacion.json")
    assert (told["noche"]["fase"], told["noche"]["corte"]) == ("antes", None)
    assert [one["situacion"] for one in told["difusores"]] == ["antes"]
    assert leido(tmp_path / "publico", "noche.json")["cortes"] == []
    page = parse((tmp_path / "publico" / ENLACE / "noche.html").read_bytes())
    assert "Los resultados comienzan el 6 de junio de 2021 a las 20:00 h." in page.text
    until = leido(tmp_path / "publico", "actual.json")["vigente_hasta"]
    assert until == "2021-06-06T20:02:00-05:00", "whoever wrote the list days before need not renew it"


def test_an_order_takes_the_link_off_and_gives_it_back(noche: NochePublica, tmp_path: Path) -> None:
    """GRO-3.3c; the notice that is signed makes the next state due at once."""
    real = ManualClock(noche.clock.instant)
    publisher = Publicador(noche.espacio, carpeta=tmp_path / "p", real=real)
    publisher.publica(noche.firmas(), ())
    assert not publisher.toca(noche.firmas())
    orden.ordena(noche.espacio, "diario-uno", "suspendido", ANA)
    assert publisher.toca(noche.firmas())
    publisher.publica(noche.firmas(), ())
    whole = b"".join(path.read_bytes() for path in (tmp_path / "p" / ENLACE / ".").rglob("*") if path.is_file())
    assert b"diario-uno.example" not in whole
    assert b"radio-dos.example" in whole
    orden.ordena(noche.espacio, "diario-uno", "activo", ANA)
    publisher.publica(noche.firmas(), ())
    assert b"https://diario-uno.example/prep" in (tmp_path / "p" / ENLACE / "situacion.html").read_bytes()
    assert not publisher.toca(noche.firmas())
    real.instant += timedelta(seconds=30)
    assert publisher.toca(noche.firmas()), "and each half minute it says its hour again"


def test_killed_at_any_step_the_state_before_or_the_new_one_is_whole(noche: NochePublica, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    publica(noche, folder)
    counted = Pasos()
    space = open_workspace(noche.folder, clock=noche.clock, disk=DiscoMortal(counted))
    firmas, told = noche.firmas(), ultimos_dictamenes(space)
    Publicador(space, carpeta=folder).publica(firmas, told)
    steps = len(counted.nombres)
    assert "symlink sitio" in counted.nombres
    switched = set()
    for at in range(steps):
        before = leido(folder, "actual.json")["version"]

        def work(steps: Pasos) -> None:
            mortal = open_workspace(noche.folder, clock=noche.clock, disk=DiscoMortal(steps))
            Publicador(mortal, carpeta=folder).publica(firmas, told)

        assert killed(work, Pasos(at, despues=True)), counted.nombres[at]
        now = leido(folder, "actual.json")
        if now["version"] != before:
            switched.add(counted.nombres[at])
        pointed = folder / VERSIONES / (folder / PUNTERO).read_text().strip()
        for state in (folder / ENLACE, pointed):
            for name, digest in json.loads((state / "actual.json").read_bytes())["archivos"].items():
                assert hashlib.sha256((state / name).read_bytes()).hexdigest() == digest, (at, state, name)
    assert "symlink sitio" in switched
    assert all(name.startswith(("symlink", "remove_tree")) for name in switched)
    publica(noche, folder)
    left = sorted(path.name for path in (folder / VERSIONES).iterdir())
    assert len(left) == GUARDA, "what the dead left is gone"
    assert not list(folder.glob("*.parcial"))


def test_who_reads_while_states_change_sees_each_file_of_one_state(noche: NochePublica, tmp_path: Path) -> None:
    """Even states show the third cut there, odd ones the fourth; whoever resolves the link once has one whole state."""
    folder = tmp_path / "p"
    publica(noche, folder, (dictamen("diario-uno", noche.clock.instant, corte=4),))
    stop, wrong, seen = threading.Event(), list[object](), set[int]()

    def reader() -> None:
        while not stop.is_set():
            text = (folder / ENLACE / "situacion.html").read_bytes().decode()
            version = int(parse(text.encode()).one("html").attrs["data-version"])
            row = parse(text.encode()).one("tr", id="d-diario-uno")
            if ("21:20" in row.text) != (version % 2 == 1) or not text.rstrip().endswith("</html>"):
                wrong.append((version, row.text))
            data = json.loads((folder / ENLACE / "situacion.json").read_bytes())
            [told] = [one["corte"] for one in data["difusores"] if one["id"] == "diario-uno"]
            if told != 3 + data["version"] % 2:
                wrong.append((data["version"], told))
            seen.add(version)
            state = vigente(folder)
            if state is None:
                wrong.append("nothing in force")
                continue
            with contextlib.suppress(FileNotFoundError):  # three states later it may go
                for name, digest in json.loads((state / "actual.json").read_bytes())["archivos"].items():
                    if hashlib.sha256((state / name).read_bytes()).hexdigest() != digest:
                        wrong.append((str(state), name))

    thread = threading.Thread(target=reader)
    thread.start()
    publisher = Publicador(noche.espacio, carpeta=folder)
    for turn in range(2, 22):
        publisher.publica(noche.firmas(), (dictamen("diario-uno", noche.clock.instant, corte=3 + turn % 2),))
    stop.set()
    thread.join()
    assert wrong == []
    assert len(seen) > 1
    assert len(list((folder / VERSIONES).iterdir())) == GUARDA


def test_a_failure_leaves_the_state_before_in_force(noche: NochePublica, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    publica(noche, folder)
    before = tree_digest(folder / ENLACE / ".")
    [package] = (
        path
        for path in (noche.folder / "repositorio" / "targets" / "cortes" / "0004").glob("*.zip")
        if not path.name.endswith(".cambios.zip")
    )
    package.write_bytes(package.read_bytes()[:-400])
    with pytest.raises(DiscoError):
        publica(noche, folder)
    assert tree_digest(folder / ENLACE / ".") == before
    blocked = tmp_path / "ocupada"
    blocked.write_text("esto no es una carpeta")
    with pytest.raises(EscrituraError):
        publica_sin_paquete(noche, blocked)
    assert blocked.read_text() == "esto no es una carpeta"


def publica_sin_paquete(noche: NochePublica, folder: Path) -> None:
    noche.clock.instant = INICIO - timedelta(hours=1)  # no package is read
    publica(noche, folder, ())


def test_the_night_of_a_7z_is_read_too(tmp_path: Path) -> None:
    """GRO-2.3d."""
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))
    space = night.create()
    profile = space.folder / "convocatoria.toml"
    text = re.sub(r'(?m)^archivo = "zip"\n', "", profile.read_text())
    profile.write_text(text.replace("[paquete]\n", '[paquete]\narchivo = "7z"\n'))
    space = open_workspace(space.folder, clock=night.clock)
    for slot in range(2):
        night.clock.instant = INICIO + slot * INTERVALO + timedelta(seconds=20)
        build_cut(space, night.sources(INICIO + slot * INTERVALO, votes=str(40 + slot)))
    noche = NochePublica(space.folder, night.clock)
    publica(noche, tmp_path / "p", ())
    told = leido(tmp_path / "p", "noche.json")["cortes"]
    assert [one["contiendas"]["gub"]["capturadas"] for one in told] == [2, 2]


def test_states_of_one_second_and_one_size_travel_and_no_server_says_that_nothing_changed(
    noche: NochePublica, tmp_path: Path
) -> None:
    """By SFTP and by rsync to real servers; the ETag of nginx and Apache is made of size and second."""
    settings = noche.folder / "instituto.toml"
    by_sftp, by_rsync = tmp_path / "por-sftp", tmp_path / "por-rsync"
    by_sftp.mkdir()
    by_rsync.mkdir()
    with Sshd(tmp_path / "sshd") as ssh, Rsyncd(tmp_path / "rsyncd", Modulo("www", by_rsync)) as daemon:
        secret = tmp_path / "secreto"
        secret.write_text(f"{daemon.clave}\n")
        secret.chmod(0o600)
        settings.write_text(
            settings.read_text() + f'[publico]\ncarpeta = "publico"\n[[publico.destino]]\n'
            f'url = "sftp://{ssh.usuario}@{HOST}:{ssh.puerto}{by_sftp}"\nllave = "{ssh.llave}"\n'
            f'anfitriones = "{ssh.anfitriones}"\n[[publico.destino]]\n'
            f'url = "rsync://{daemon.usuario}@{HOST}:{daemon.puerto}/www"\nsecreto = "archivo:{secret}"\n'
        )
        folder, tags = noche.folder / "publico", set()
        for turn in range(3):
            publica(noche, folder, (dictamen("diario-uno", noche.clock.instant, corte=3 + turn % 2),))
            status = (folder / ENLACE / "situacion.json").stat()
            tags.add((status.st_size, int(status.st_mtime)))
            assert len(envia(noche.espacio, folder, {})) == 2
            here = tree_digest(folder / ENLACE / ".")
            assert tree_digest(by_sftp) == here
            assert tree_digest(by_rsync) == here
        assert len(tags) == 3
        assert len({size for size, _ in tags}) == 1


def test_by_hand(noche: NochePublica, tmp_path: Path) -> None:
    """``pregon instituto publica``; its workspace says where, or ``--en``."""
    settings = noche.folder / "instituto.toml"
    (noche.folder / "reloj.json").unlink(missing_ok=True)
    refused = CliRunner().invoke(cli.app, [str(noche.folder)])
    assert refused.exit_code == UsoError.salida
    assert "No se dijo en qué carpeta se publica." in refused.output
    assert vigente(noche.folder / "publico") is None
    settings.write_text(settings.read_text() + '[publico]\ncarpeta = "publico"\n')
    done = CliRunner().invoke(cli.app, [str(noche.folder), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["version"], told["difusores"]) == (1, 4)
    assert leido(noche.folder / "publico", "situacion.json")["version"] == 1
    elsewhere = CliRunner().invoke(cli.app, [str(noche.folder), "--en", str(tmp_path / "otra")])
    assert elsewhere.exit_code == 0, elsewhere.output
    assert leido(tmp_path / "otra", "situacion.json")["version"] == 1
    assert leido(noche.folder / "publico", "situacion.json")["version"] == 1
