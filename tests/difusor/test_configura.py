"""What ``configura`` prints, and what it refuses before printing: addresses, keys, names, and what a call asks for."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest
from typer.testing import CliRunner

from pregon.base.durable import Disk
from pregon.cli.difusor import app
from pregon.difusor.inicia import create, settings_text
from tests.difusor.maquina import huella

if TYPE_CHECKING:
    from pregon.difusor.workspace import Workspace

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operacion" / "recepcion.md"
INSTITUTE = "198.51.100.7"
ADMIN = "203.0.113.0/28"


@pytest.fixture(scope="module")
def difusor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of mor-2024. The order changes nothing of it, so that all may have the same one."""
    return workspace(tmp_path_factory.mktemp("configura") / "difusor").folder


@pytest.fixture(scope="module")
def llave(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llave") / "instituto.pub"
    path.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_public_key())
    return path


def workspace(folder: Path, call: str = "mor-2024") -> Workspace:
    text = settings_text(convocatoria=call, ambiente="oficial", ident="diario", origen="entrada")
    return create(folder, text, root=b'{"signed": {"_type": "root"}}', disk=Disk())


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["configura", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def answer(*words: object) -> Any:
    status, out, err = run(*words, "--json")
    assert status == 0, err
    return json.loads(out)


def refused(folder: Path, *words: object) -> str:
    """The error's first sentence; nothing of the workspace changed."""
    before = huella(folder)
    status, out, err = run(*words, "--json")
    assert (status, out) == (2, ""), (out, err)
    error = json.loads(err)
    assert (error["codigo"], error["intacto"]) == ("USO", "No se escribió ni se cambió nada.")
    assert huella(folder) == before
    return str(error["que_paso"])


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0/0", "abarca demasiado"),
        ("10.0.0.0/8", "abarca demasiado"),
        ("::/0", "abarca demasiado"),
        ("2001::/16", "abarca demasiado"),
        ("10.20.30.7/24", "no es una dirección IP"),
        ("::ffff:198.51.100.7", "IPv4 escrita como IPv6"),
        ("fe80::1%eth0", "el nombre de una interfaz"),
        ("224.0.0.1", "no es la dirección de ningún equipo"),
        ("0.0.0.0/32", "no es la dirección de ningún equipo"),
        ("prep.instituto.mx", "no es una dirección IP"),
        ('198.51.100.7",command="sh', "no es una dirección IP"),
        ("198.51.100.7\naccept", "no es una dirección IP"),
        ("!198.51.100.7", "no es una dirección IP"),
        ("*", "no es una dirección IP"),
        ("", "no es una dirección IP"),
    ],
)
def test_only_addresses_of_an_institute_pass(difusor: Path, llave: Path, address: str, reason: str) -> None:
    """GRO-2.4e, DGO-II-net-c3: SSH and rsync are for the addresses given by the institute, not for everybody."""
    assert reason in refused(difusor, "sshd", difusor, "--llave", llave, "--desde", address)
    assert reason in refused(difusor, "rsyncd", difusor, "--desde", address)
    assert reason in refused(difusor, "firewall", difusor, "--desde", address, "--administra", ADMIN)
    assert reason in refused(difusor, "firewall", difusor, "--desde", INSTITUTE, "--administra", address)


def test_addresses_are_asked_for_and_written_once_each(difusor: Path, llave: Path) -> None:
    assert refused(difusor, "sshd", difusor, "--llave", llave) == "Falta --desde."
    assert refused(difusor, "rsyncd", difusor) == "Falta --desde."
    assert refused(difusor, "firewall", difusor, "--administra", ADMIN) == "Falta --desde."
    twice = [word for one in ("198.51.100.7/32", INSTITUTE, "2001:DB8::7") for word in ("--desde", one)]
    keys = answer("sshd", difusor, "--llave", llave, *twice)["archivos"][0]["texto"]
    assert 'from="198.51.100.7,2001:db8::7",' in keys
    many = [word for number in range(33) for word in ("--desde", f"198.51.100.{number}")]
    assert "se admiten 32" in refused(difusor, "rsyncd", difusor, *many)


def _key(kind: str, key_size: int = 0) -> str:
    settings: dict[str, Any] = {"key_size": key_size} if key_size else {}
    return asyncssh.generate_private_key(kind, **settings).export_public_key().decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lambda: asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(), "es una llave privada"),
        (lambda: _key("ssh-ed25519") + _key("ssh-ed25519"), "una llave, y sólo una"),
        (lambda: 'command="sh" ' + _key("ssh-ed25519"), "no comienza con un tipo"),
        (lambda: _key("ssh-rsa", key_size=1024), "RSA de menos de 2048 bits"),
        (lambda: _key("ssh-ed25519").replace("ssh-ed25519", "ssh-rsa", 1), "otro tipo de llave"),
        (lambda: _key("ssh-ed25519")[:40], "base64 o está incompleto"),
        (lambda: "ssh-dss AAAAB3NzaC1kc3M=", "no comienza con un tipo"),
        (lambda: "", "una llave, y sólo una"),
        (lambda: "x" * 20_000, "una llave, y sólo una"),
    ],
)  # fmt: skip
def test_only_one_public_key_passes(tmp_path: Path, difusor: Path, text: Any, reason: str) -> None:
    key = tmp_path / "otra.pub"
    key.write_text(text())
    assert reason in refused(difusor, "sshd", difusor, "--desde", INSTITUTE, "--llave", key)


def test_the_comment_of_a_key_brings_no_line_of_its_own(tmp_path: Path, difusor: Path) -> None:
    key = tmp_path / "otra.pub"
    key.write_text(_key("ssh-ed25519").strip() + ' eva "x"\u2028ssh-ed25519 AAAA')
    # str.splitlines knows more ends of line than sshd: such a file is «more than one».
    assert "una llave, y sólo una" in refused(difusor, "sshd", difusor, "--desde", INSTITUTE, "--llave", key)
    key.write_text(_key("ssh-ed25519").strip() + ' eva,command="sh"')
    lines = answer("sshd", difusor, "--desde", INSTITUTE, "--llave", key)["archivos"][0]["texto"].splitlines()
    assert lines[1].endswith(" instituto")
    assert lines[1].count("command=") == 1


def test_missing_key_file_is_an_input_that_is_not_there(tmp_path: Path, difusor: Path) -> None:
    status, out, err = run("sshd", difusor, "--desde", INSTITUTE, "--llave", tmp_path / "no.pub", "--json")
    assert (status, out, json.loads(err)["codigo"]) == (66, "", "ENTRADA")


@pytest.mark.parametrize("name", ["root", "Prep", "prep entrada", "prep;id", "-prep", "a" * 32, ""])
def test_account_is_plain_and_never_root(difusor: Path, llave: Path, name: str) -> None:
    """MOR-A1-1.5 asks for a user with root's privileges: nobody gets one."""
    options = ("--desde", INSTITUTE, f"--cuenta={name}")
    assert "no sirve" in refused(difusor, "sshd", difusor, "--llave", llave, *options)
    assert "no sirve" in refused(difusor, "rsyncd", difusor, *options)


@pytest.mark.parametrize("name", ["con espacio", "comilla'", "por%ciento", "ñ", "a$(id)"])
def test_path_of_the_workspace_needs_no_quoting(tmp_path: Path, llave: Path, name: str) -> None:
    folder = workspace(tmp_path / name).folder
    assert "lleva signos" in refused(folder, "sshd", folder, "--llave", llave, "--desde", INSTITUTE)
    assert "lleva signos" in refused(folder, "rsyncd", folder, "--desde", INSTITUTE)


@pytest.mark.parametrize(
    ("call", "order", "clauses"),
    [
        ("gro-2021", "timeout -k 10 3600 scp -r -d -t entrada", ["GRO-3.1"]),
        ("dgo-2024", "timeout -k 10 3600 rrsync -wo -munge -no-del -no-lock entrada", ["DGO-II-d"]),
        (
            "mor-2024",
            "timeout -k 10 3600 rrsync -wo -munge -no-del -no-lock entrada",
            ["MOR-A1-1.5", "MOR-A1-1.3", "MOR-A2-5"],
        ),
        ("mex-2021", "internal-sftp -u 022 -p open,", ["MEX-A1-5"]),
    ],
)
def test_each_call_gets_its_protocol_and_what_it_asks_beyond_is_recorded(
    tmp_path: Path, llave: Path, call: str, order: str, clauses: list[str]
) -> None:
    folder = workspace(tmp_path / "difusor", call).folder
    data = answer("sshd", folder, "--llave", llave, "--desde", INSTITUTE)
    assert f'restrict,from="{INSTITUTE}",command="{order}' in data["archivos"][0]["texto"]
    assert [one["clausula"] for one in data["concesiones"]] == clauses
    assert all(set(one) == {"clausula", "pide", "se_da", "motivo"} for one in data["concesiones"])
    daemon = answer("rsyncd", folder, "--desde", INSTITUTE)
    assert [one["clausula"] for one in daemon["concesiones"]] == clauses
    assert any("no cifra" in warning for warning in daemon["avisos"])
    # A person reads the same.
    _, out, _ = run("sshd", folder, "--llave", llave, "--desde", INSTITUTE)
    assert all(f"Concesión: {clause} pide" in out for clause in clauses)


def test_a_call_that_fetches_lets_nobody_in_unless_told(tmp_path: Path, llave: Path) -> None:
    """INE-II-a-ii-1: the difusor consumes the institute's service."""
    folder = workspace(tmp_path / "difusor", "ine-2021").folder
    options = ("--llave", llave, "--desde", INSTITUTE)
    assert "nadie entra a este servidor" in refused(folder, "sshd", folder, *options)
    assert answer("sshd", folder, *options, "--protocolo", "sftp")["concesiones"] == []
    assert "No existe el protocolo «ftp»" in refused(folder, "sshd", folder, *options, "--protocolo", "ftp")


def test_one_key_cannot_do_both_things(difusor: Path, llave: Path) -> None:
    options = ("--llave", llave, "--desde", INSTITUTE)
    assert "es la misma" in refused(difusor, "sshd", difusor, *options, "--llave-acuses", llave)
    assert any("--llave-acuses" in warning for warning in answer("sshd", difusor, *options)["avisos"])


def test_salida_writes_the_files_and_changes_nothing_else(tmp_path: Path, difusor: Path, llave: Path) -> None:
    before = huella(difusor)
    out = tmp_path / "para-el-sistema"
    data = answer("sshd", difusor, "--llave", llave, "--desde", INSTITUTE, "--salida", out)
    assert huella(difusor) == before
    names = [file["nombre"] for file in data["archivos"]]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "pasos.sh"])
    for file in data["archivos"]:
        path = out / file["nombre"]
        assert (path.read_text(), f"{path.stat().st_mode & 0o7777:04o}") == (file["texto"], file["modo"])
    script = (out / "pasos.sh").read_text()
    assert all(step["orden"] in script for step in data["pasos"])
    assert [str(out / name) for name in [*names, "pasos.sh"]] == data["escritos"]


def test_firewall_does_not_lock_its_administrator_out(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "difusor", "gro-2021").folder
    assert refused(folder, "firewall", folder, "--desde", INSTITUTE) == "Falta --administra."
    assert "a la vez" in refused(
        folder, "firewall", folder, "--desde", INSTITUTE, "--administra", ADMIN, "--sin-administracion"
    )
    alone = answer("firewall", folder, "--desde", INSTITUTE, "--sin-administracion")
    assert alone["avisos"][0].startswith("NADIE podrá administrar")
    assert alone["concesiones"] == []
    data = answer("firewall", folder, "--desde", INSTITUTE, "--administra", ADMIN)
    assert [one["clausula"] for one in data["concesiones"]] == ["GRO-2.4e"]
    two = answer("firewall", folder, "--desde", INSTITUTE, "--desde", "198.51.100.8", "--administra", ADMIN)
    assert any(warning.startswith("GRO-2.4e pide") for warning in two["avisos"])


def test_firewall_opens_udp_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """HTTP/3 needs UDP 443, which no call lists (GRO-2.4d, DGO-II-net-c2: TCP)."""
    folder = workspace(tmp_path / "difusor", "dgo-2024").folder
    words = ("firewall", folder, "--desde", INSTITUTE, "--administra", ADMIN)
    closed, opened = answer(*words), answer(*words, "--http3")
    rule = "        udp dport 443 accept  # HTTP/3\n"
    assert rule not in closed["archivos"][0]["texto"]
    assert opened["archivos"][0]["texto"].replace(rule, "") == closed["archivos"][0]["texto"]
    assert [note.count("443/udp") for note in opened["notas"]] == [1, 1, 0]
    assert [note.count("/udp") for note in closed["notas"]] == [0, 0, 0]


def test_firewall_of_a_call_that_names_no_ports(tmp_path: Path) -> None:
    """INE-gap: the text names no port; the public's are those of the web and nothing is open to the institute."""
    folder = workspace(tmp_path / "difusor", "ine-2021").folder
    rules = answer("firewall", folder, "--administra", ADMIN)["archivos"][0]["texto"]
    assert "tcp dport { 80, 443 } accept" in rules
    assert "@instituto" not in rules
    extra = answer("firewall", folder, "--administra", ADMIN, "--desde", INSTITUTE)
    assert any("--desde no abre ninguno" in warning for warning in extra["avisos"])


def test_orders_of_the_guide_work(difusor: Path, llave: Path, tmp_path: Path) -> None:
    orders = re.findall(r"^pregon difusor configura (.+)$", GUIDE.read_text(), re.MULTILINE)
    assert {order.split()[0] for order in orders} == {"sshd", "rsyncd", "firewall"}
    other = tmp_path / "acuses.pub"
    other.write_text(_key("ssh-ed25519"))
    places = {"/srv/pregon": difusor, "instituto.pub": llave, "acuses.pub": other}
    for order in orders:
        words = [str(places.get(word, word)) for word in shlex.split(order)]
        folder = tmp_path / words[-1]
        status, _, err = run(*words[:-1], folder)
        assert status == 0, err
        assert (folder / "pasos.sh").is_file()


def test_guide_records_every_grant_that_the_orders_record(llave: Path, tmp_path: Path) -> None:
    """Nobody finds in the file of the case a clause that the guide does not explain."""
    guide = GUIDE.read_text()
    for call in ("gro-2021", "dgo-2024", "mor-2024", "mex-2021"):
        folder = workspace(tmp_path / call, call).folder
        for one in answer("sshd", folder, "--llave", llave, "--desde", INSTITUTE)["concesiones"]:
            assert one["clausula"] in guide
