"""The origins that a difusor's settings may name: read over HTTPS from a real nginx; what must not be is refused."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.base.settings import parse_toml
from pregon.difusor import pointer
from pregon.difusor.inicia import create, settings_text
from pregon.difusor.night import receive_once
from pregon.difusor.settings import DifusorSettings
from pregon.difusor.workspace import AJUSTES, open_workspace
from tests.difusor.conftest import without_twins
from tests.difusor.test_cadena import archive, sign
from tests.difusor.test_cli import run
from tests.difusor.test_refusals import everything_public
from tests.red.enlace import Enlace
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import TOKEN, Autoridad, Nginx, Sitio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena

MINIMUM = 'convocatoria = "x"\nid = "diario-uno"\n'


@pytest.fixture
def autoridad(tmp_path: Path) -> Autoridad:
    return Autoridad(tmp_path / "autoridad")


@pytest.fixture
def nginx(escena: Escena, autoridad: Autoridad, tmp_path: Path) -> Iterator[Nginx]:
    """The institute's repository, open to whoever has a certificate of the authority, or the token."""
    pair = autoridad.firma("servidor")
    both = (f"ssl_client_certificate {autoridad.ca};", "ssl_verify_client on;")
    asks = f'if ($http_authorization != "Bearer {TOKEN}") {{ return 401; }}'
    sites = {"certificado": Sitio(pair, both), "token": Sitio(pair, (), (asks,))}
    with Nginx(tmp_path / "nginx", escena.repository.folder, sites) as server:
        yield server


def reads(escena: Escena, url: str, acceso: str) -> None:
    """Change the settings of the workspace, as its administrator would."""
    path = escena.workspace.folder / AJUSTES
    text = path.read_text().replace(f'origen = "{escena.repository.folder}"', f'origen = "{url}"')
    path.write_text(f"{text}\n[acceso]\n{acceso}\n")
    escena.workspace = open_workspace(escena.workspace.folder)
    assert escena.workspace.settings.en_red


def test_reads_over_https_with_its_certificate_or_its_token(escena: Escena, nginx: Nginx, autoridad: Autoridad) -> None:
    certificate, key = autoridad.firma("difusor", "difusor.ejemplo.mx")
    keys = escena.workspace.folder / "llaves"
    (keys / "token.txt").write_text(TOKEN + "\n")
    reads(
        escena,
        nginx.url("certificado"),
        f'ca = "{autoridad.ca}"\ncertificado = "{certificate}"\nclave_certificado = "{key}"',
    )
    sign(escena, 1)
    receiver = escena.receiver()
    assert receiver.run_once().novedad == 1
    # Nothing new is one conditional question, and its answer has no body.
    asked = len(nginx.peticiones())
    assert receiver.run_once().novedad is None
    [[_, ruta, status, size, _, condition]] = nginx.peticiones()[asked:]
    assert (ruta, status, size) == ("/repositorio/metadata/timestamp.json", "304", "0")
    assert condition not in ("", "-")
    receiver.close()
    # Three cuts later, by the token: the chain of changes, which weighs less than the whole.
    for corte in (2, 3, 4):
        sign(escena, corte)
    path = escena.workspace.folder / AJUSTES
    text = path.read_text().replace(nginx.url("certificado"), nginx.url("token"))
    path.write_text(text.partition("certificado =")[0] + 'secreto = "archivo:llaves/token.txt"\n')
    escena.workspace = open_workspace(escena.workspace.folder)
    asked = len(nginx.peticiones())
    receiver = escena.receiver()
    assert receiver.run_once().novedad == 4
    receiver.close()
    packages = {
        ruta.rpartition("/")[2]: int(size) for _, ruta, _, size, *_ in nginx.peticiones()[asked:] if "zip" in ruta
    }
    changes = [archive(escena, corte, "cambios") for corte in (2, 3, 4)]
    assert packages == {path.name: path.stat().st_size for path in changes}
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(4).items()


def test_link_cut_half_way_through_an_archive_goes_on_by_range(
    escena: Escena, nginx: Nginx, autoridad: Autoridad
) -> None:
    certificate, key = autoridad.firma("difusor", "difusor.ejemplo.mx")
    sign(escena, 1)
    whole = archive(escena, 1, "completo").stat().st_size
    with Enlace(HOST, nginx.puertos["certificado"]) as link:
        reads(
            escena,
            f"https://{HOST}:{link.puerto}/repositorio",
            f'ca = "{autoridad.ca}"\ncertificado = "{certificate}"\nclave_certificado = "{key}"',
        )
        receiver = escena.receiver()
        before = everything_public(escena)
        link.corta_tras(whole // 2 + 20_000)  # metadata and handshake are some 20 kB
        outcome = receiver.run_once()
        assert outcome.error is not None
        assert outcome.error.codigo == "RED"
        assert everything_public(escena) == before
        receiver.close()
        [kept] = escena.workspace.recepcion.iterdir()
        size = kept.stat().st_size
        assert 0 < size < whole
        link.abre()
        receiver = escena.receiver()
        assert receiver.run_once().novedad == 1
        receiver.close()
    last = [line for line in nginx.peticiones() if "zip" in line[1]][-1]
    assert (last[2], last[3], last[4]) == ("206", str(whole - size), f"bytes={size}-")


def test_store_that_does_not_answer_leaves_what_is_public(escena: Escena) -> None:
    sign(escena, 1)
    escena.receiver().run_once()
    before = everything_public(escena)
    (escena.workspace.folder / "llaves" / "s3.txt").write_text("secreto")
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    keys = f'clave_acceso = "AKIA"\nsecreto = "archivo:llaves/s3.txt"\nextremo = "http://{HOST}:{port}"'
    reads(escena, "s3://urna/prep", keys)
    receiver = escena.receiver()
    outcome = receiver.run_once()
    receiver.close()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert everything_public(escena) == before


def test_certificate_that_is_not_there_stops_the_start_and_not_what_is_public(
    escena: Escena, nginx: Nginx, autoridad: Autoridad
) -> None:
    sign(escena, 1)
    escena.receiver().run_once()
    before = everything_public(escena)
    reads(escena, nginx.url("certificado"), f'ca = "{autoridad.ca}.no-hay"')
    with pytest.raises(AjustesError, match="certificados"):
        receive_once(escena.workspace, disk=Disk())
    assert everything_public(escena) == before
    assert pointer.read(escena.workspace) == "0001"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('origen = "http://prep.ejemplo.mx/repositorio"', "escriba https://"),
        ('origen = "sftp://cuenta@prep.ejemplo.mx/entrada"', "es el instituto quien deposita en «entrada»"),
        ('origen = "ftp://prep.ejemplo.mx/entrada"', "es el instituto quien deposita"),
        ('origen = "https:///repositorio"', "le falta el nombre"),
        ('origen = "https://u:clave@prep.ejemplo.mx/"', "no lleva contraseña"),
        ('origen = "https://prep.ejemplo.mx/"\n[acceso]\ncertificado = "a.pem"', "van juntos"),
        ('origen = "https://prep.ejemplo.mx/"\n[acceso]\nsecreto = "hola"', "acceso.secreto"),
        ('origen = "https://prep.ejemplo.mx/"\n[acceso]\nurl = "https://otra.mx/"', "acceso.url"),
        ('origen = "entrada"\n[acceso]\nca = "a.pem"', "es de un origen https"),
        ('[acuses]\nenvia = "http://prep.ejemplo.mx"', "debe comenzar con https://"),
        ('[acuses]\nenvia = "https://prep.ejemplo.mx"\ncertificado = "a.pem"', "van juntos"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_say_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(AjustesError) as refusal:
        parse_toml(f"{MINIMUM}{text}\n".encode(), DifusorSettings, where=AJUSTES)
    assert problem in refusal.value.que_paso
    assert "u:clave" not in refusal.value.que_paso


def test_network_origins_take_what_opens_them() -> None:
    text = (
        f'{MINIMUM}origen = "s3://urna/prep"\n[acceso]\nclave_acceso = "AKIA"\nsecreto = "env:S3"\n'
        'extremo = "https://s3.ejemplo.mx"\nregion = "mx-1"\n'
    )
    settings = parse_toml(text.encode(), DifusorSettings, where=AJUSTES)
    place = settings.lugar_origen
    assert (place.esquema, place.url, place.extremo) == ("s3", "s3://urna/prep", "https://s3.ejemplo.mx")
    assert (place.clave_acceso, place.secreto, place.region) == ("AKIA", "env:S3", "mx-1")
    # Looks at somebody else's server are not closer than this unless its administrator says so.
    assert timedelta(seconds=settings.sondeo_s) == timedelta(seconds=5)


def test_inicia_takes_an_address_and_refuses_one_in_clear(escena: Escena, tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(escena.repository.root_bytes())
    profile = escena.folder / "perfil.toml"
    for url, expected in (("https://prep.ejemplo.mx/repositorio", 0), ("s3://urna/prep", 0), ("http://prep.mx/", 78)):
        folder = tmp_path / url.partition(":")[0]
        status, _, err = run("inicia", folder, "--convocatoria", profile, "--raiz", root, "--origen", url)
        assert status == expected, err
        if expected:
            assert "https://" in err
            assert not folder.exists()
            continue
        assert open_workspace(folder).settings.lugar_origen.url == url
        # What the commented lines say can be written: without the «#» they are keys that exist.
        text = (folder / AJUSTES).read_text()
        parse_toml(
            text.replace("# ca =", "ca =").replace("# region", "region").encode(), DifusorSettings, where=AJUSTES
        )


def test_who_does_not_sign_is_not_read_over_the_network(escena: Escena, tmp_path: Path) -> None:
    profile = tmp_path / "sin-firma.toml"
    text = (escena.folder / "perfil.toml").read_text()
    profile.write_text('verificacion = "suma"\nrecepcion = "suma"\n' + text)
    toml = settings_text(
        convocatoria=str(profile), ambiente="oficial", ident="diario-uno", origen="https://prep.ejemplo.mx/"
    )
    with pytest.raises(AjustesError, match="no firma"):
        create(tmp_path / "nuevo", toml, root=None, disk=Disk())
    assert not (tmp_path / "nuevo").exists()
