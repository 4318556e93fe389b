"""``pregon instituto llaves``: its document runs as written, the sheet is printed, passphrases come as they may."""

from __future__ import annotations

import base64
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from typer.testing import CliRunner, Result

from pregon.base import procesos
from pregon.base.clock import ManualClock
from pregon.base.errors import PregonError
from pregon.base.hashing import sha256_bytes
from pregon.cli.frases import Frases
from pregon.cli.instituto import app
from pregon.instituto.ceremonia import hoja, llaves
from pregon.instituto.ceremonia.inventario import renglones
from tests.docs.residente import residiendo
from tests.instituto.ceremonias import MEDIOS, Sala, cheap_phrases
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.paquete.manifest import Ambiente

COSTS = bytes.fromhex("02024000 020108 020105")
"""How a key file says scrypt's N = 16384, r = 8 and p = 5, in DER."""
ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "operacion" / "llaves.md"


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """Of this process: what runs the program, as the rehearsal does, pays the whole cost."""
    with cheap_phrases():
        yield


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["llaves", *(str(argument) for argument in arguments)], env=env)


def program(command: Sequence[str | Path], output: Path) -> str:
    with procesos.running(command, output=output) as process:
        assert process.wait(60) == 0, output.read_text()
    return output.read_text()


# The document.


def test_the_rehearsal_of_the_document_works_from_an_empty_folder(tmp_path: Path) -> None:
    [walk] = re.findall(r"```sh\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    folder, output = tmp_path / "vacia", tmp_path / "salida"
    folder.mkdir()
    order = ["bash", "-c", f"set -e\n{walk}"]
    with residiendo(tmp_path / "ordenes") as environment:
        done = procesos.start(order, output=output, folder=folder, environment=environment)
        try:
            assert done.wait(240) == 0, output.read_text()
        finally:
            done.stop()
    text = output.read_text()
    told: dict[str, Any] = json.loads(text[text.rindex('\n{\n  "raiz"') :])
    assert told["raiz"]["version"] == 4  # made, robbed, lost, renewed; the planned rotation was of targets alone
    assert {one["nombre"] for one in told["llaves"] if one["rol"] == "raiz"} == {"raiz-2", "raiz-3", "raiz-4"}
    here = {one["nombre"] for one in told["llaves"] if one["en_equipo"]}
    assert here == {"cortes-2", "avisos-2", "snapshot-2", "timestamp-2"}
    assert {path.name for path in (folder / "ensayo" / "llaves").iterdir()} == {f"{name}.pem" for name in here}
    encrypted = [path for path in folder.rglob("*.pem") if b"ENCRYPTED" in path.read_bytes()]
    assert len(encrypted) >= 4
    for path in encrypted:
        _, body = path.read_text().split("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert COSTS in base64.b64decode(body.split("-----")[0]), path
    assert pypdf.PdfReader(folder / "hoja.pdf").pages[0].extract_text().startswith("SIMULACRO")


def test_every_command_of_the_document_exists_and_every_command_is_in_it() -> None:
    named = set(re.findall(r"pregon instituto llaves ([a-z]+)", DOC.read_text(encoding="utf-8")))
    known = {command.name for command in _commands()}
    assert named == known


def _commands() -> list[Any]:
    from pregon.cli.instituto import llaves, relevo

    return [*llaves.app.registered_commands, *relevo.app.registered_commands]


def test_document_names_the_limits_of_the_code() -> None:
    from pregon.instituto.ceremonia.medios import FRASE_MIN

    assert f"al menos {FRASE_MIN} caracteres" in DOC.read_text(encoding="utf-8")


# The sheet.


@pytest.fixture(scope="module")
def salas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sala]:
    """One ceremony of each ambiente, on a clock that stands still."""
    made: dict[str, Sala] = {}
    ambientes: tuple[Ambiente, ...] = ("oficial", "simulacro")
    for ambiente in ambientes:
        folder = tmp_path_factory.mktemp(ambiente)
        made[ambiente] = Sala(folder, ManualClock(INICIO - timedelta(days=30), simulado=False), ambiente)
        made[ambiente].genera()
    return made


@pytest.mark.parametrize("ambiente", ["oficial", "simulacro"])
@pytest.mark.parametrize("papel", ["carta", "a4"])
def test_sheet_is_one_tagged_page_with_every_fingerprint(
    salas: dict[str, Sala], tmp_path: Path, ambiente: str, papel: Any
) -> None:
    sala = salas[ambiente]
    inventory = llaves.show(sala.open())
    url = "https://prep.ejemplo.mx/raiz/root.json"
    quienes = [f"Persona Número {n} de Apellidos Larguísimos, cargo en el instituto o ente" for n in range(6)]
    data = hoja.render(sala.open(), inventory, url=url, presentes=quienes, papel=papel)
    assert data == hoja.render(sala.open(), inventory, url=url, presentes=quienes, papel=papel)
    (tmp_path / "hoja.pdf").write_bytes(data)
    reader = pypdf.PdfReader(tmp_path / "hoja.pdf")
    assert len(reader.pages) == 1
    catalog: Any = reader.trailer["/Root"]
    assert catalog["/Lang"] == "es-MX"
    assert catalog["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalog
    assert reader.metadata is not None
    assert reader.metadata.title == "Huellas de las llaves: demo-2027"
    assert round(float(reader.pages[0].mediabox.height)) == {"carta": 792, "a4": 842}[papel]
    text = program(["pdftotext", tmp_path / "hoja.pdf", "-"], tmp_path / "texto")
    squeezed = re.sub(r"\s+", " ", text)
    assert ("SIMULACRO" in text) is (ambiente == "simulacro")
    for digest in (inventory.raiz_sha256, *(llave.keyid for llave in inventory.of("raiz"))):
        assert " ".join(renglones(digest)) in squeezed
    assert all(quien in squeezed for quien in quienes)
    assert url in squeezed
    # The code, as a telephone reads it from the printed page.
    program(["pdftoppm", "-r", "150", "-png", tmp_path / "hoja.pdf", tmp_path / "hoja"], tmp_path / "nada")
    [image] = tmp_path.glob("hoja-*.png")
    seen = program(["zbarimg", "--raw", "--nodbus", "-q", image], tmp_path / "qr").strip()
    root = sha256_bytes((sala.espacio / "root.json").read_bytes())
    assert seen == f"sha256:{root}\n{url}"


@pytest.mark.parametrize("faults", [{"presentes": ["x"] * 7}, {"presentes": ["y" * 91]}, {"url": ""}])
def test_sheet_that_would_not_fit_is_refused(salas: dict[str, Sala], faults: dict[str, Any]) -> None:
    sala = salas["oficial"]
    with pytest.raises(PregonError) as refusal:
        hoja.render(sala.open(), llaves.show(sala.open()), **faults)
    assert refusal.value.codigo == "USO"


def test_texts_of_the_profile_are_text_on_the_sheet_and_not_instructions(tmp_path: Path) -> None:
    sala = Sala(tmp_path, ManualClock(INICIO, simulado=False))
    profile = sala.profile()
    evil = '#panic("x") $1/0$ *no* @nada'
    profile.write_text(profile.read_text().replace("Proceso Electoral de Demostración 2027", evil.replace('"', '\\"')))
    sala.genera()
    data = hoja.render(sala.open(), llaves.show(sala.open()), presentes=["#pagebreak() <x>"])
    (tmp_path / "hoja.pdf").write_bytes(data)
    text = program(["pdftotext", "-layout", tmp_path / "hoja.pdf", "-"], tmp_path / "texto")
    assert evil in re.sub("[“”]", '"', text)
    assert "#pagebreak() <x>" in text


# The commands.


def test_what_is_told_in_json(salas: dict[str, Sala], tmp_path: Path) -> None:
    sala = Sala(tmp_path / "s", salas["simulacro"].clock, "simulacro")
    shutil.copytree(salas["simulacro"].carpeta, sala.carpeta)
    told = json.loads(run("muestra", sala.espacio, "--json").stdout)
    assert told["raiz"]["sha256"] == sha256_bytes((sala.espacio / "root.json").read_bytes())
    assert told["raiz"]["huella"].replace(" ", "") == told["raiz"]["sha256"]
    assert [papel["papel"] for papel in told["papeles"]] == [
        "root", "targets", "cortes", "avisos", "snapshot", "timestamp",
    ]  # fmt: skip
    media = [sala.medio("ana"), sala.medio("luis")]
    phrases = {f"PREGON_FRASE_{n + 1}": f"la frase larga de {path.name}" for n, path in enumerate(media)}
    rest = ("--medios", *media, "--operador", "Ana", "--permitir-mismo-disco", "--json")
    done = run("rota", sala.espacio, "cortes", *rest, env=phrases)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["en_vigor"] is True
    assert told["retiradas_de_este_equipo"] == ["cortes-1"]
    assert "la frase larga" not in done.output
    checked = run("comprueba", sala.espacio, "--medios", *media, "--operador", "Ana", "--json", env=phrases)
    assert (checked.exit_code, [one["bien"] for one in json.loads(checked.stdout)]) == (0, [True, True])
    phrases["PREGON_FRASE_2"] = "otra"
    checked = run("comprueba", sala.espacio, "--medios", *media, "--operador", "Ana", "--json", env=phrases)
    assert (checked.exit_code, [one["bien"] for one in json.loads(checked.stdout)]) == (70, [True, False])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("rota", "E", "corte"), 2),
        (("revoca", "E", "cortes-1", "--operador", "A"), 2),
        (("hoja", "E", "--salida", "h.pdf", "--papel", "oficio"), 2),
        (("importa", "E", "x.json"), 66),
        (("firma", "x.json", "--medio", "E", "--salida", "y.json"), 66),
        (("genera", "otro", "--convocatoria", "gro-2021", "--ambiente", "prueba"), 2),
        (("genera", "otro", "--convocatoria", "gro-2021", "--operador", "A"), 2),
    ],
)
def test_command_that_is_not_in_order(salas: dict[str, Sala], words: tuple[str, ...], status: int) -> None:
    sala = salas["oficial"]
    before = sala.moment()
    result = run(*(sala.espacio if word == "E" else word for word in words))
    assert result.exit_code == status, result.output
    assert sala.moment() == before
    assert not Path("otro").exists()


def test_request_that_nobody_confirms_is_not_signed(salas: dict[str, Sala], tmp_path: Path) -> None:
    sala = Sala(tmp_path / "s", salas["oficial"].clock)
    shutil.copytree(salas["oficial"].carpeta, sala.carpeta)
    request = tmp_path / "solicitud.json"
    run("rota", sala.espacio, "cortes", "--operador", "Ana", "--pide", request)
    words = ("llaves", "firma", request, "--medio", sala.medio("ana"), "--salida", tmp_path / "f.json")
    result = CliRunner().invoke(app, [str(word) for word in words], input="n\n")
    assert result.exit_code == 2
    assert not (tmp_path / "f.json").exists()
    for line in renglones(sha256_bytes(request.read_bytes())):
        assert line in result.stderr


# Passphrases.


def _code(frases: Any, medio: Path, *, nueva: bool = False) -> str:
    with pytest.raises(PregonError) as refusal:
        frases(medio, nueva=nueva)
    return refusal.value.codigo


def test_passphrases_come_from_files_or_the_environment_in_the_order_of_the_media(tmp_path: Path) -> None:
    media = [tmp_path / name for name in MEDIOS[:3]]
    files = []
    for medio in media:
        files.append(tmp_path / f"{medio.name}.frase")
        files[-1].write_text(f"frase de {medio.name} \n")
        files[-1].chmod(0o600)
    each = Frases(files, media, {"PREGON_FRASE": "no es ésta"})
    assert [each(medio, nueva=False) for medio in media] == [f"frase de {m.name} ".encode() for m in media]
    one = Frases(files[:1], media, {})
    assert {one(medio, nueva=True) for medio in media} == {b"frase de ana "}
    with pytest.raises(PregonError) as refusal:
        Frases(files[:2], media, {})
    assert refusal.value.codigo == "USO"
    environment = Frases([], media, {"PREGON_FRASE": "la de todos", "PREGON_FRASE_2": "la de luis ñ"})
    assert [environment(medio, nueva=False) for medio in media] == [
        b"la de todos",
        "la de luis ñ".encode(),
        b"la de todos",
    ]
    files[0].chmod(0o644)
    assert _code(each, media[0]) == "AJUSTES"
    files[1].unlink()
    assert _code(each, media[1]) == "ENTRADA"
    assert _code(Frases([], media, {}), media[0], nueva=True) == "ENTRADA"  # nobody at a terminal
