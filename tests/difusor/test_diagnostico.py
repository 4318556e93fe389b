"""The bundle: what it has, that nothing planted anywhere is in any byte of it, that nothing keeps it from being made.

GRO-5.0, INE-VI-a: failures by the names of their classes.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.durable import Disk
from pregon.cli.difusor import app
from pregon.difusor.diagnostico import piezas
from pregon.difusor.diagnostico.paquete import MAX_BYTES, paquete
from pregon.difusor.inicia import create
from pregon.difusor.panel.cuentas import cuentas_de
from pregon.difusor.servidor.ajustes import AccesoSimulacro
from tests.web.conftest import BARATO, CLAVE

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena

PARTES = {
    "LEAME.txt", "ajustes.json", "alarmas.json", "arbol.json", "bitacora.jsonl", "confianza.json", "cortes.json",
    "equipo.json", "errores.json", "estado.json", "faltan.json", "versiones.json", "registro/servidor.log",
}  # fmt: skip
PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg
ZZZZplantada/llave+1234567==
-----END PRIVATE KEY-----
"""
PLANTADO = {
    "token": "TokenDeOrigen-88aa77bb66",
    "acuses": "OtroTokenDeAcuses_5544",
    "entorno": "valor secreto del entorno",
    "clave": CLAVE,
    "webhook": "T0AB12CD3/B9ZY8XW7V/hgfedcba",
    "correo": "guardia.nocturna@diario-ejemplo.mx",
    "telefono": "55 5628 4200",
    "cuenta": "persona.apellido",
    "anfitrion": "prep-interno.ieedemo.org.mx",
    "otro_anfitrion": "smtp.diario-ejemplo.mx",
    "ipv4": "198.51.100.77",
    "visitante": "203.0.113.201",
    "ipv6": "2001:db8:ac10:fe01::77",
    "aws": "AKIAZZ77EXAMPLEKEYID",
    "aws_secreta": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
    "pem": "ZZZZplantada/llave+1234567==",
}


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removeprefix("diagnostico/"): archive.read(name) for name in archive.namelist()}


def made(escena: Escena, **environment: str) -> dict[str, bytes]:
    return opened(paquete(escena.workspace, escena.clock, environment))


def planted(escena: Escena) -> dict[str, str]:
    """Every kind of secret in every place from which something of it might be copied; gives the environment."""
    all_of_it = " | ".join(PLANTADO.values())
    folder = escena.workspace.folder
    (folder / "llaves" / "origen.txt").write_text(PLANTADO["token"] + "\n")
    (folder / "llaves" / "otra.pem").write_text(PEM)
    headers = {"Authorization": [f"Bearer {PLANTADO['token']}"], "Cookie": [f"s={PLANTADO['aws_secreta']}"]}
    request = {"remote_ip": PLANTADO["visitante"], "headers": headers}
    lines = [
        json.dumps({"level": "error", "ts": 1812345678.1, "msg": f"{key}: {value}", "request": request})
        for key, value in PLANTADO.items()
    ]
    url = f"https://{PLANTADO['cuenta']}:{PLANTADO['clave']}@{PLANTADO['anfitrion']}/x?token={PLANTADO['token']}"
    (folder / "servidor" / "servidor.log").write_text("\n".join([*lines, PEM, url, ""]))
    (folder / "servidor" / "accesos.log").write_text(f"{PLANTADO['visitante']} GET /\n" * 100)
    (folder / f"notas de {PLANTADO['cuenta']} {PLANTADO['ipv4']}.txt").write_text(all_of_it)
    state = escena.state()
    for key, value in PLANTADO.items():
        state.record(
            "fallo", codigo="RED", que_paso=f"No respondió {value} ({key})", detalle={value: [value, all_of_it]}
        )
    state.put(intento={"hora": escena.clock.now().isoformat(), "resultado": "fallo", "codigo": "RED"})
    state.put(
        alarmas=[{"codigo": "CANAL", "severidad": "aviso", "texto": all_of_it, "desde": escena.clock.now().isoformat(),
                  "detalle": {"a": all_of_it}}]
    )  # fmt: skip
    cuentas_de(escena.workspace, BARATO).pone(
        PLANTADO["cuenta"], CLAVE, ("mira",), ahora=escena.clock.now(), disk=escena.disk
    )
    return {"EL_TOKEN": PLANTADO["acuses"], "DIARIO_PASSWORD": PLANTADO["entorno"], "PREGON_FRASE": CLAVE}


def with_network(escena: Escena, tmp_path: Path) -> Escena:
    """The same difusor with settings that name everything that settings may name."""
    toml = f"""
convocatoria = "{escena.folder / "perfil.toml"}"
id = "diario-uno"
origen = "https://{PLANTADO["anfitrion"]}/prep"
[acceso]
secreto = "archivo:llaves/origen.txt"
proxy = "http://{PLANTADO["ipv4"]}:3128"
[acuses]
envia = "https://{PLANTADO["ipv4"]}/acuses"
secreto = "env:EL_TOKEN"
[reloj]
fuente = "ninguna"
servidor = "{PLANTADO["otro_anfitrion"]}"
[servidor]
url = "https://{PLANTADO["anfitrion"]}/"
[[notifica]]
canal = "webhook"
destino = "https://ganchos.ejemplo.com/services/{PLANTADO["webhook"]}"
[[notifica]]
canal = "correo"
destino = "smtp://{PLANTADO["otro_anfitrion"]}:587"
de = "{PLANTADO["correo"]}"
para = ["{PLANTADO["correo"]}"]
usuario = "{PLANTADO["cuenta"]}"
secreto = "env:DIARIO_PASSWORD"
"""
    escena.workspace = create(tmp_path / "con-red", toml, root=escena.repository.root_bytes(), disk=Disk())
    return escena


def leaks(parts: dict[str, bytes]) -> list[tuple[str, str]]:
    return [
        (name, key)
        for name, data in parts.items()
        for key, value in PLANTADO.items()
        if value.encode() in data or value.encode() in name.encode()
    ]


def test_nothing_that_was_planted_is_in_any_byte_of_it(escena: Escena, tmp_path: Path) -> None:
    scene = with_network(escena, tmp_path)
    environment = planted(scene)
    raw = paquete(scene.workspace, scene.clock, environment)
    parts = opened(raw)
    assert set(parts) >= PARTES
    assert leaks(parts) == []
    everything = b"\n".join(parts.values()).decode()
    for piece in (
        "ieedemo",
        "diario-ejemplo",
        "ganchos",
        "apellido",
        "5628",
        "fe01",
        "BEGIN PRIVATE",
        "scrypt$",
        "hgfedcba",
    ):
        assert piece not in everything, piece
    assert os.uname().nodename not in everything
    assert str(scene.folder) not in everything
    assert "accesos.log" not in {name for name in parts if name.startswith("registro")}
    assert [value for value in PLANTADO.values() if value.encode() in raw] == []
    # And it is still of use: what is not secret is there, and the same thing has the same label everywhere.
    assert json.loads(parts["ajustes.json"])["difusor"] == "diario-uno"
    assert json.loads(parts["ajustes.json"])["ajustes"]["origen"].startswith("https://direccion-")
    label = json.loads(parts["ajustes.json"])["ajustes"]["origen"].split("/")[2]
    assert f"No respondió {label} (anfitrion)" in parts["bitacora.jsonl"].decode()
    assert parts["bitacora.jsonl"].count(b'"codigo": "RED"') >= len(PLANTADO)


def test_who_enters_a_simulacro_is_not_told_either(escena: Escena) -> None:
    digest = "$2a$14$" + "Abc123defG" * 5 + "xyz"
    access = AccesoSimulacro(usuarios={"lupita": digest}, redes=("198.51.100.0/24", "2001:db8::/32"))
    server = escena.workspace.settings.servidor.model_copy(update={"acceso": access, "nombres": ("srv-unico",)})
    settings = escena.workspace.settings.model_copy(update={"servidor": server})
    escena.workspace = dataclasses.replace(escena.workspace, settings=settings)
    escena.state().record("prueba", que_paso=f"entró lupita con {digest} a srv-unico, de 198.51.100.7")
    everything = b"".join(made(escena).values()).decode()
    assert "cuenta-1" in everything
    for piece in ("lupita", digest[7:], "srv-unico", "198.51.100", "2001:db8"):
        assert piece not in everything, piece


def test_what_it_has(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1)
    receiver.run_once()
    for code in ("RED", "HASH", "ARCHIVO_GEMELO", "RED", "AJUSTES"):
        escena.state().record("fallo", codigo=code, que_paso="…")
    escena.workspace.servidor.joinpath("servidor.log").write_text("arrancó\n")
    parts = made(escena)
    assert set(parts) >= PARTES
    assert json.loads(parts["estado.json"])["corte"]["numero"] == 1
    errors = json.loads(parts["errores.json"])
    assert {name: row["total"] for name, row in errors.items()} == {
        "TRANSFERENCIA": 2, "INTEGRIDAD": 1, "EXTRACCION": 1, "OTROS": 1,
    }  # fmt: skip
    assert errors["TRANSFERENCIA"]["codigos"] == {"RED": 2}
    roles = {row.get("rol") for row in json.loads(parts["confianza.json"])}
    assert {"root", "timestamp", "snapshot", "targets"} <= roles
    assert all("vence" in row for row in json.loads(parts["confianza.json"]) if "rol" in row)
    tree = json.loads(parts["arbol.json"])
    manifest = next(row for row in tree["archivos"] if row["ruta"] == "historico/0001/manifiesto.json")
    assert manifest["sha256"] == escena.manifest_hashes(1)["manifiesto.json"]
    assert tree["carpetas"]["objetos"]["archivos"] > 3
    versions = json.loads(parts["versiones.json"])
    assert versions["pregon"]
    assert versions["sqlite"]
    assert versions["nginx"].startswith("nginx")
    assert json.loads(parts["equipo.json"])["disco"]["libres"] > 0
    assert b"TRANSFERENCIA, INTEGRIDAD" in parts["LEAME.txt"]
    assert len(json.loads(parts["ajustes.json"])["convocatoria"]["sha256_del_perfil"]) == 64
    for name, data in parts.items():
        if name.endswith(".json"):
            json.loads(data)


def test_the_journal_goes_back_as_far_as_asked(escena: Escena) -> None:
    from datetime import timedelta

    escena.state().record("viejo")
    escena.clock.instant += timedelta(hours=30)
    escena.state().record("nuevo")
    kinds = [json.loads(line)["tipo"] for line in made(escena)["bitacora.jsonl"].splitlines()]
    assert "nuevo" in kinds
    assert "viejo" not in kinds
    wide = opened(paquete(escena.workspace, escena.clock, {}, horas=48))
    assert b"viejo" in wide["bitacora.jsonl"]


@pytest.mark.parametrize("how", ["basura", "vacia", "ausente", "cortada"])
def test_a_damaged_state_database_is_said_and_the_rest_is_there(escena: Escena, how: str) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    path = escena.workspace.estado
    for n in range(400):
        escena.state().record("prueba", n=n) if n % 100 == 0 else None
    data = path.read_bytes()
    content = {"basura": b"\xa5" * len(data), "vacia": b"", "cortada": data[: len(data) // 2]}.get(how)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    parts = made(escena)
    missing = {row["parte"] for row in json.loads(parts["faltan.json"])}
    assert {"estado.json", "bitacora.jsonl"} & missing
    for name in ("versiones.json", "ajustes.json", "confianza.json", "arbol.json", "equipo.json"):
        assert name in parts
        assert name not in missing
    assert (path.read_bytes() == content) if content is not None else not path.exists()  # nothing was «repaired»


def test_it_is_bounded(escena: Escena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piezas, "MAX_EVENTOS", 50)
    log = escena.workspace.servidor / "servidor.log"
    with log.open("wb") as file:
        file.truncate(3 << 30)  # a log of three gigabytes
        file.seek(0, os.SEEK_END)
        file.write(b"\nla ultima linea\n")
    state = escena.state()
    for n in range(80):
        state.record("largo", n=n, texto="x" * 10_000)
    data = paquete(escena.workspace, escena.clock, {})
    parts = opened(data)
    assert len(data) < MAX_BYTES
    assert sum(map(len, parts.values())) <= MAX_BYTES
    assert parts["registro/servidor.log"].endswith(b"la ultima linea\n")
    assert len(parts["registro/servidor.log"]) <= piezas.MAX_REGISTRO
    assert len(parts["bitacora.jsonl"].splitlines()) == 50
    assert "bitacora.jsonl" in {row["parte"] for row in json.loads(parts["faltan.json"])}


def test_the_command_writes_a_file_that_only_its_owner_reads(
    escena: Escena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    escena.state()
    target = tmp_path / "bulto.zip"
    result = CliRunner().invoke(app, ["diagnostico", str(escena.workspace.folder), "--salida", str(target)])
    assert result.exit_code == 0, result.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    assert set(opened(target.read_bytes())) >= PARTES - {"registro/servidor.log"}
    assert CliRunner().invoke(app, ["diagnostico", str(escena.workspace.folder)]).exit_code == 0
    assert len(list(tmp_path.glob("diagnostico-diario-uno-*.zip"))) == 1


def test_with_the_disk_full_it_goes_to_the_standard_output(escena: Escena, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in escena.workspace.folder.rglob("*") if path.is_file()}
    done = _without_space(["diagnostico", str(escena.workspace.folder), "--salida", "-"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(opened(done.stdout)) >= {"LEAME.txt", "arbol.json", "ajustes.json", "equipo.json"}
    after = {path: path.stat().st_mtime_ns for path in escena.workspace.folder.rglob("*") if path.is_file()}
    assert {path.name for path in before.keys() ^ after.keys()} <= {"estado.sqlite-wal", "estado.sqlite-shm"}
    refused = _without_space(["diagnostico", str(escena.workspace.folder), "--salida", "/dev/full/x.zip"], tmp_path)
    assert refused.returncode == 73


def _without_space(arguments: list[str], folder: Path) -> Any:
    """The command in a process that may not write one byte to any file (a limit of zero on their size)."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
        "from pregon.cli.difusor import app; app()"
    )
    source = str(Path(piezas.__file__).parents[3])
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"},
    )
