"""The image and its compose file: the Dockerfile's own steps, run; what they make, run as compose.yaml binds it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pregon.base.durable import Disk
from pregon.base.red import free_port
from pregon.difusor import pointer
from pregon.difusor.configura.docker import SALUD_SIRVE, compose
from pregon.difusor.night import receive_once
from pregon.difusor.workspace import open_workspace
from tests.difusor.conftest import tree_hashes, without_twins
from tests.difusor.test_opera import noche
from tests.difusor.test_unidades import ajusta, pregon
from tests.red.servidores.s3 import DEPOSITO, ESCRIBE, compartido

if TYPE_CHECKING:
    from types import ModuleType

    from tests.difusor.conftest import Escena, EscenaFactory
    from tests.red.servidores.s3 import Seaweed

RAIZ = Path(__file__).resolve().parents[2]
PASOS = RAIZ / "scripts" / "dockerfile_pasos.py"
SITIO = Path(sysconfig.get_paths()["purelib"])


def pasos() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dockerfile_pasos", PASOS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def dentro_de_la_carpeta(factory: EscenaFactory) -> Escena:
    """A simulacro in which everything that the difusor reads is in its own folder, the account's of the image."""
    escena = noche(factory, origen="entrada")
    folder = escena.workspace.folder
    shutil.copytree(escena.repository.folder, folder / "entrada", dirs_exist_ok=True)
    profile = escena.folder / "perfil.toml"
    shutil.copy(profile, folder / "perfil.toml")
    toml = folder / "difusor.toml"
    toml.write_text(toml.read_text().replace(str(profile), "perfil.toml"))
    ajusta(escena, f'direccion = "127.0.0.1"\npuerto = {free_port("127.0.0.1")}')
    return escena


def vista(folder: Path) -> dict[str, str]:
    workspace = open_workspace(folder)
    return without_twins(tree_hashes(workspace.cortes / str(pointer.read(workspace))))


def construye(escena: Escena, trabajo: Path, *more: str | Path) -> str:
    trabajo.mkdir()
    subprocess.run(["chown", "-R", "10001:10001", str(escena.workspace.folder)], check=True)
    folder = str(escena.workspace.folder)
    done = subprocess.run(
        [sys.executable, str(PASOS), "--trabajo", str(trabajo), "--difusor", folder, *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert not any(trabajo.iterdir()), "what it mounted went with it"
    return done.stdout


def judged(text: str, escena: Escena) -> None:
    assert "CONSTRUIDA" in text
    assert text.rstrip().endswith("LISTO")
    assert "opera: sano (usuario 10001)" in text
    assert "sirve: sano (usuario 10001)" in text
    assert "opera: terminó con estado 0" in text
    assert "sirve: terminó con estado 0" in text
    assert without_twins(escena.public()) == escena.manifest_hashes(1)
    owners = {path.lstat().st_uid for path in escena.workspace.folder.rglob("*")}
    assert owners == {10001}, "nobody wrote there as root"


def volumen_vacio(escena: Escena, tmp_path: Path, server: Seaweed, prefijo: str) -> Path:
    """The same difusor, kept in a bucket and lost: only its settings, its profile and its clock are left."""
    here, volume = tmp_path / "perdido", tmp_path / "volumen"
    shutil.copytree(escena.workspace.folder, here, symlinks=True)
    toml = here / "difusor.toml"
    toml.write_text(f"""{toml.read_text()}
[[nube]]
nombre = "nube-uno"
url = "s3://{DEPOSITO}/{prefijo}"
extremo = "{server.extremo}"
clave_acceso = "{ESCRIBE[0]}"
secreto = "env:S3_ESCRIBE"
historial = true
frase = "env:PREGON_FRASE"
""")
    receive_once(open_workspace(here), disk=Disk())
    volume.mkdir()
    for name in ("difusor.toml", "perfil.toml", "reloj.json"):
        shutil.copy(here / name, volume)
    subprocess.run(["chown", "-R", "10001:10001", str(volume)], check=True)
    shutil.rmtree(here)
    return volume


def test_the_steps_of_the_dockerfile_make_an_image_that_works(
    escena_factory: EscenaFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps as they are, but for pip's downloads: what is installed here already stands in for them.

    And of all that a container has only the volume matters: an empty one is made again from the bucket.
    """
    server, prefijo = compartido(), f"docker-{os.getpid()}"
    variables = {"S3_ESCRIBE": ESCRIBE[1], "PREGON_FRASE": "frase de la prueba"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    escena = dentro_de_la_carpeta(escena_factory)
    volume = volumen_vacio(escena, tmp_path, server, prefijo)
    words = [f"--variable={name}={value}" for name, value in variables.items()]
    more: list[str | Path] = ["--vacio", volume, "--desde", "nube-uno", *words]
    text = construye(escena, tmp_path / "obra", "--entorno", SITIO, *more)
    judged(text, escena)
    assert "rehace: acabó con estado 0" in text
    assert vista(volume) == escena.manifest_hashes(1)
    assert {path.lstat().st_uid for path in volume.rglob("*")} == {10001}
    server.vacia(prefijo)


@pytest.mark.aguante
def test_the_steps_of_the_dockerfile_with_the_locked_packages(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    """Every step as it is: pip brings what requirements/difusor.txt locks, by its hashes, and nothing else."""
    escena = dentro_de_la_carpeta(escena_factory)
    judged(construye(escena, tmp_path / "obra"), escena)


def test_the_dockerfile_names_no_server_no_root_and_no_loose_version() -> None:
    words = pasos().instrucciones((RAIZ / "Dockerfile").read_text(encoding="utf-8"))
    named = dict(words)
    assert named["USER"] == "pregon"
    assert re.fullmatch(r"BASE=python:3\.\d+-slim-bookworm", next(rest for word, rest in words if word == "ARG"))
    bare = re.compile(r"https?://|index-url|:latest|\bsudo\b|curl|wget|apt-get")
    assert not [rest for _, rest in words if bare.search(rest)]
    installs = [rest for word, rest in words if word == "RUN" and " install " in rest and "pip" in rest]
    assert installs
    for rest in installs:
        for order in rest.split("&&"):
            if "pip" in order and " install " in order:
                assert "--require-hashes" in order or "--no-index" in order, order
    assert json.loads(named["ENTRYPOINT"]) == ["pregon", "difusor"]


def test_the_image_for_a_cdn_is_the_same_with_what_purges_it_and_nothing_else() -> None:
    """INE-II-a: ``--build-arg PAQUETES=nube``. Every version of the other list, by the same hashes."""

    def locked(name: str) -> dict[str, str]:
        text = (RAIZ / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        return dict(re.findall(r"(?ms)^([\w.-]+)==(.*?)(?=^[\w.-]+==|\Z)", text))

    plain, cloud = locked("difusor"), locked("nube")
    assert cloud.keys() - plain.keys() == {"boto3", "botocore", "jmespath", "s3transfer"}
    assert {name: cloud.get(name) for name in plain} == plain
    assert all("--hash=sha256:" in lines for lines in cloud.values())
    words = pasos().instrucciones((RAIZ / "Dockerfile").read_text(encoding="utf-8"))
    assert ("ARG", "PAQUETES=difusor") in words
    copied = next(rest for word, rest in words if word == "COPY" and "difusor.txt" in rest)
    assert "requirements/nube.txt" in copied
    assert any('-r "requirements/$PAQUETES.txt"' in rest for _, rest in words)


def test_an_instruction_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    """The script would prove nothing if it passed over what it does not do."""
    (tmp_path / "Dockerfile").write_text("ARG BASE=python:3.11-slim-bookworm\nADD x /x\n")
    (tmp_path / "obra").mkdir()
    done = subprocess.run(
        [sys.executable, str(PASOS), "--contexto", str(tmp_path), "--trabajo", str(tmp_path / "obra")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "No se conoce la instrucción ADD" in done.stderr


SERVICIO: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["<<", "command", "stop_grace_period", "pids_limit"],
    "properties": {
        "<<": {"const": "*comun"},
        "build": {"const": "."},
        "command": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "stop_grace_period": {"type": "string", "pattern": r"^\d+s$"},
        "env_file": {"const": [{"path": "secretos.env", "required": False}]},
        "mem_limit": {"type": "string", "pattern": r"^\d+g$"},
        "pids_limit": {"type": "string", "pattern": r"^\d+$"},
        "ulimits": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^\d+:\d{4,5}$"}, "minItems": 1},
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test", "interval", "timeout", "start_period", "retries"],
            "properties": {"test": {"type": "array"}, "interval": {}, "timeout": {}, "start_period": {}, "retries": {}},
        },
    },
}
ARCHIVO: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "x-comun", "services"],
    "properties": {
        "name": {"const": "pregon"},
        "x-comun": {
            "type": "object",
            "additionalProperties": False,
            "required": ["read_only", "cap_drop", "security_opt", "user", "tmpfs", "volumes"],
            "properties": {
                "": {"const": "&comun"},
                "image": {"const": "pregon"},
                "restart": {"const": "unless-stopped"},
                "init": {"const": "true"},
                "user": {"type": "string", "pattern": r"^[1-9]\d*:\d+$"},
                "read_only": {"const": "true"},
                "cap_drop": {"const": ["ALL"]},
                "security_opt": {"const": ["no-new-privileges:true"]},
                "tmpfs": {"type": "array"},
                "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[\w./-]+:/srv/pregon$"}},
                "logging": {"type": "object"},
            },
        },
        "services": {
            "type": "object",
            "additionalProperties": False,
            "required": ["opera", "sirve"],
            "properties": {"opera": SERVICIO, "sirve": SERVICIO},
        },
        "volumes": {"type": "object"},
    },
}


def yaml(text: str) -> dict[str, Any]:
    """The part of YAML that compose.yaml uses: mappings by indentation, words, and lists of JSON; all else fails."""
    root: dict[str, Any] = {}
    stack: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"( *)([\w<-]+):(?: (.*))?", line)
        assert found, line
        depth, key, value = len(found[1]), found[2], found[3]
        while depth <= stack[-1][0]:
            stack.pop()
        holder = stack[-1][1]
        assert key not in holder, f"{key} twice"
        if value is None or value.startswith("&"):
            holder[key] = {} if value is None else {"": value}
            stack.append((depth, holder[key]))
        else:
            holder[key] = json.loads(value) if value[0] in '["' else value
    return root


def test_the_compose_file_is_the_one_that_configura_makes_and_bounds_both() -> None:
    text = (RAIZ / "compose.yaml").read_text(encoding="utf-8")
    assert text == compose(), "make it again: it is a function of configura.docker"
    read = yaml(text)
    Draft202012Validator(ARCHIVO).validate(read)
    assert read["services"]["opera"]["command"] == ["opera", "/srv/pregon"]
    assert read["services"]["sirve"]["command"] == ["sirve", "/srv/pregon"]
    assert read["services"]["sirve"]["healthcheck"]["test"] == ["CMD", "python3", "-c", SALUD_SIRVE]
    assert pasos().SALUD_SIRVE == ["python3", "-c", SALUD_SIRVE]
    assert not re.search(r"https?://(?!\w*['\"])", text.replace("docs/", "")), "no server is named"


def test_configura_docker_binds_the_folder_and_says_what_does_not_fit(escena: Escena, tmp_path: Path) -> None:
    ajusta(escena, "puerto = 8080")
    folder = escena.workspace.folder
    subprocess.run(["chown", "-R", "4321:4322", str(folder)], check=True)
    answer = json.loads(pregon("configura", "docker", folder, "--json", "--salida", tmp_path / "para-docker"))
    read = yaml(answer["archivos"][0]["texto"])
    Draft202012Validator(ARCHIVO).validate(read)
    assert read["x-comun"]["volumes"] == [f"{folder}:/srv/pregon"]
    assert read["x-comun"]["user"] == "4321:4322"
    assert read["services"]["sirve"]["ports"] == ["80:8080"]
    told = " ".join(answer["avisos"])
    assert 'escriba "0.0.0.0"' in told
    assert "El origen está fuera" in told
    assert "copie ahí su perfil" in told
    assert (tmp_path / "para-docker" / "compose.yaml").read_text() == answer["archivos"][0]["texto"]
    done = subprocess.run(["sh", "-n", str(tmp_path / "para-docker" / "pasos.sh")], check=False)
    assert done.returncode == 0
