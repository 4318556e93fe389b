"""The institute's account as ``configura sshd`` makes it, on a real sshd (GRO-2.1a GRO-2.4e MEX-II-2c4 MOR-A1-1.5).

One machine with three workspaces, one for each protocol, configured by the printed steps alone; the clients are the
plain programs. Beside them lies ``/srv/abierta``, which any account of the machine may read and change: what keeps the
institute's away from it is only what was configured.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.red import free_port
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio
from pregon.transport.lugar import Lugar
from pregon.transport.rsync.destino import RsyncAcuses, RsyncDestination
from pregon.transport.ssh.scp import ScpAcuses, ScpDestination
from pregon.transport.ssh.sftp import SftpAcuses, SftpDestination
from tests.difusor.casa import ACUSE, CALLS, SECRET, Casa, configura, deja_abierta, prepara
from tests.difusor.maquina import Maquina

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("cuentas")

LINES = [("sftp", "entrega"), ("scp", "entrega"), ("scp", "acuses"), ("rsync", "entrega"), ("rsync", "acuses")]
_ASK = """
import socket, sys, time

def ask(port, data):
    deadline = time.monotonic() + 3
    while True:
        try:
            link = socket.create_connection(("127.0.0.1", port), 3)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    try:
        link.sendall(data)
        return link.recv(64)
    except ConnectionResetError:
        return b""

print(ask(int(sys.argv[1]), b"SSH-2.0-prueba\\r\\n"))
print(ask(int(sys.argv[2]), bytes([4, 1, 0, 22, 127, 0, 0, 1, 0])))
"""
HANGS_S = 2.5
"""A client that speaks to the wrong half of a protocol waits for ever; none of these takes so long otherwise."""
AT_ONCE = 8


@pytest.fixture(scope="module")
def casa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casa]:
    folder = tmp_path_factory.mktemp("cuentas")
    with Maquina(folder) as machine:
        prepara(machine, folder, CALLS)
        answers = configura(machine, folder, list(CALLS))
        machine.ejecuta("/usr/sbin/sshd", "-E", "/run/sshd.log")
        key = (machine.ruta("/etc/ssh/ssh_host_ed25519_key.pub")).read_text()
        (folder / "known_hosts").write_text(f"127.0.0.1 {key}")
        casa = Casa(machine, folder, answers, {}, time.monotonic())
        # Opened now and looked at by the last test: the limits of idleness pass meanwhile.
        for kind in CALLS:
            command = [*casa.opciones(kind, "entrega"), "-N", f"prep-{kind}@127.0.0.1"]
            casa.abiertas[kind] = deja_abierta(machine.junto(command))
        command = [*casa.opciones("sftp", "entrega"), "-s", "prep-sftp@127.0.0.1", "sftp"]
        casa.abiertas["sesión"] = deja_abierta(machine.junto(command))
        try:
            yield casa
        finally:
            for process in casa.abiertas.values():
                process.kill()
                process.communicate()


def _as_pregon(machine: Maquina, *command: str, user: str = "pregon", group: str = "pregon") -> str:
    return machine.ejecuta("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *command)


@pytest.mark.parametrize("kind", CALLS)
def test_delivers_and_reads_acuses_with_plain_programs(casa: Casa, kind: str) -> None:
    source = casa.folder / "repositorio"
    with casa.nada_cambia():
        if kind == "sftp":
            done = casa.sftp(
                f"put -R {source}/targets entrada/\nmkdir entrada/metadata\n"
                f"put {source}/metadata/timestamp.json entrada/metadata/timestamp.json.part\n"
                "rename entrada/metadata/timestamp.json.part entrada/metadata/timestamp.json\n"
                f"get acuses/{ACUSE} leido-sftp\n"
            )
        elif kind == "scp":
            done = casa.scp(
                "scp", "entrega", "-O", "-r", f"{source}/targets", f"{source}/metadata", "prep-scp@127.0.0.1:entrada/"
            )
            assert done.returncode == 0, done.stdout
            done = casa.scp("scp", "acuses", "-O", "-r", "prep-scp@127.0.0.1:acuses", "leidos")
        else:
            done = casa.rsync("entrega", "-rtO", f"{source}/", "prep-rsync@127.0.0.1:/")
            assert done.returncode == 0, done.stdout
            done = casa.rsync("acuses", "-a", "prep-rsync@127.0.0.1:/", f"{casa.folder}/leidos-rsync")
        assert done.returncode == 0, done.stdout
    place = {"sftp": "leido-sftp", "scp": f"leidos/{ACUSE}", "rsync": f"leidos-rsync/{ACUSE}"}[kind]
    assert (casa.folder / place).read_text() == "acuse"
    arrived = f"/srv/{kind}/entrada/targets/cortes/0001/corte.zip"
    assert casa.maquina.ruta(arrived).read_bytes() == (source / "targets/cortes/0001/corte.zip").read_bytes()
    assert casa.maquina.ruta(f"/srv/{kind}/entrada/metadata/timestamp.json").read_text() == "{}"
    # The difusor's own account reads it all; any other of the machine, nothing of it (MOR-I-5b).
    assert _as_pregon(casa.maquina, "sha256sum", arrived)
    with pytest.raises(AssertionError, match="Permission denied"):
        _as_pregon(casa.maquina, "sha256sum", arrived, user="nobody", group="nogroup")


@pytest.mark.parametrize("kind", CALLS)
def test_carriers_of_pregon_deliver_and_collect(casa: Casa, kind: str) -> None:
    """With the addresses that the order itself tells the administrator to give to the institute."""
    destinations = {"sftp": SftpDestination, "scp": ScpDestination, "rsync": RsyncDestination}
    boxes: dict[str, type[SftpAcuses | ScpAcuses | RsyncAcuses]] = {
        "sftp": SftpAcuses,
        "scp": ScpAcuses,
        "rsync": RsyncAcuses,
    }
    notes = " ".join(casa.respuestas[kind]["notas"]).replace("ESTE-SERVIDOR", "127.0.0.1")
    delivers, reads = re.findall(r'url = "([^"]+)"', notes)
    repository = casa.folder / f"repositorio-{kind}"
    shutil.copytree(casa.folder / "repositorio", repository)
    corte = f"targets/cortes/0001/corte-{kind}.zip"
    (repository / corte).write_bytes(b"PK" + os.urandom(300_000))
    envio = Envio(repository, ((corte,), ("metadata/timestamp.json",)))
    clock = SystemClock()

    def place(url: str, key: str) -> Lugar:
        return Lugar(url=url, llave=Path(f"{kind}-{key}"), anfitriones=Path("known_hosts"))

    with casa.nada_cambia(), casa.maquina.red():
        sender = destinations[kind](place(delivers, "entrega"), folder=casa.folder, clock=clock)
        sent = sender.deliver(envio, Caudal(clock))
        box = boxes[kind](place(reads, "entrega" if kind == "sftp" else "acuses"), folder=casa.folder)
        collected = list(box.collect(()))
    assert sent.bytes >= 300_000
    assert casa.maquina.ruta(f"/srv/{kind}/entrada/{corte}").read_bytes() == (repository / corte).read_bytes()
    assert collected == [(ACUSE, b"acuse")]


@pytest.mark.parametrize(("kind", "key"), LINES)
def test_no_order_no_terminal_no_tunnel_no_other_protocol(casa: Casa, kind: str, key: str) -> None:
    """Each line of the list of keys does one thing, whatever the client asks for."""
    host = f"prep-{kind}@127.0.0.1"
    secret = f"{host}:/srv/abierta/secreto"
    shout = "id; cat /srv/abierta/secreto; touch /srv/abierta/hecho"
    hasty = replace(casa, limite=HANGS_S)
    order = partial(hasty.ssh, kind, key)
    scp = partial(hasty.scp, kind, key)
    rsync = partial(hasty.rsync, key, protocolo=kind)
    attempts = {
        "orden": partial(order, shout),
        "sh": partial(order, "sh", text=shout.encode()),
        "intérprete": partial(order, text=shout.encode()),
        "terminal": partial(order, shout, antes=["-tt"], text=shout.encode()),
        "túnel local": partial(order, antes=["-W", "127.0.0.1:22"]),
        "túnel inverso": partial(
            order, antes=["-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:2222:127.0.0.1:22"]
        ),
        "lee por sftp": partial(scp, secret, "robado-1"),
        "escribe por sftp": partial(scp, "suelto", f"{host}:/srv/abierta/suelto-1"),
        "lee por scp": partial(scp, "-O", secret, "robado-2"),
        "lee por scp con puntos": partial(scp, "-O", f"{host}:acuses/../../abierta/secreto", "robado-3"),
        "escribe por scp": partial(scp, "-O", "suelto", secret),
        "lee por rsync": partial(rsync, secret, "robado-4"),
        "lista por rsync": partial(rsync, f"{host}:/srv/abierta/"),
        "escribe por rsync": partial(rsync, "suelto", secret),
        "borra por rsync": partial(rsync, "-r", "--delete", "repositorio/", f"{host}:/srv/abierta/"),
    }
    with casa.nada_cambia(), ThreadPoolExecutor(AT_ONCE) as pool:
        running = {name: pool.submit(attempt) for name, attempt in attempts.items()}
    for name, future in running.items():
        done = future.result()
        assert SECRET.encode() not in done.stdout, (name, done.stdout)
        assert b"uid=" not in done.stdout, (name, done.stdout)
        assert b"SSH-2.0" not in done.stdout, (name, done.stdout)
        if name.startswith(("túnel", "lee", "lista", "borra")):
            assert done.returncode != 0, (name, done.stdout)
    assert list(casa.folder.glob("robado*")) == []


def test_another_address_is_refused(casa: Casa) -> None:
    """SSH answers only to the institute's addresses (GRO-2.4e): the key alone is worth nothing elsewhere."""
    with casa.nada_cambia(), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda line: casa.ssh(*line, "true", antes=["-b", "127.0.0.2"]), LINES))
    for line, done in zip(LINES, answers, strict=True):
        assert (done.returncode, b"Permission denied (publickey)" in done.stdout) == (255, True), (line, done.stdout)


def test_sftp_sees_and_changes_nothing_but_entrada(casa: Casa) -> None:
    """MEX-II-2c4: a directory where the files are deposited, and nothing else of the machine."""
    assert casa.sftp("put suelto entrada/uno").returncode == 0
    listed = casa.sftp("cd ../../..\nls -1a\nls -1 entrada").stdout.decode()
    assert {line.strip() for line in listed.splitlines() if not line.startswith("sftp>")} >= {
        "acuses",
        "entrada",
        "entrada/uno",
    }
    for name in ("abierta", "etc", "home", "srv"):
        assert name not in listed
    orders = [
        "ln -s / entrada/raiz",
        "ln entrada/uno entrada/dos",
        "get /etc/passwd robado",
        "get /srv/abierta/secreto robado",
        "get entrada/../../abierta/secreto robado",
        "put suelto /suelto",
        "put suelto /acuses/suelto",
        f"put suelto /acuses/{ACUSE}",
        f"rm /acuses/{ACUSE}",
        f"rename /acuses/{ACUSE} entrada/robado",
        f"chmod 777 /acuses/{ACUSE}",
        "chmod 777 /acuses",
        "mkdir /otra",
        "rename /entrada /otra",
        "rmdir /acuses",
    ]
    with casa.nada_cambia():
        done = casa.sftp("".join(f"-{order}\n" for order in orders))
    assert done.returncode == 0, done.stdout  # «-»: it goes on after each failure
    assert not (casa.folder / "robado").exists()
    assert {path.name for path in casa.maquina.ruta("/srv/sftp/entrada").iterdir()} <= {"uno", "targets", "metadata"}


def test_scp_records_with_a_path_are_refused(casa: Casa) -> None:
    """The old protocol itself, as a hostile client would speak it."""
    records = ("C0644 4 ../suelto", "C0644 4 /srv/abierta/suelto", "C0644 4 a/b", "D0755 0 ..", "D0755 0 .")
    inside = casa.maquina.huella("/srv/scp/entrada")

    def send(record: str) -> bytes:
        return casa.ssh("scp", "entrega", "scp -t /srv/abierta", text=f"{record}\nhola\0E\n".encode()).stdout

    with casa.nada_cambia(), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(records, pool.map(send, records), strict=True))
    for record, answer in answers.items():
        assert b"unexpected filename" in answer, (record, answer)
    assert casa.maquina.huella("/srv/scp/entrada") == inside


def test_scp_key_of_acuses_takes_nothing(casa: Casa) -> None:
    hasty = replace(casa, limite=HANGS_S)
    with casa.nada_cambia(), ThreadPoolExecutor(AT_ONCE) as pool:
        pool.submit(hasty.scp, "scp", "acuses", "-O", "suelto", "prep-scp@127.0.0.1:acuses/suelto")
        pool.submit(hasty.ssh, "scp", "acuses", "scp -t acuses", text=b"C0644 4 suelto\nhola\0")
        pool.submit(hasty.scp, "scp", "entrega", "-O", "suelto", f"prep-scp@127.0.0.1:acuses/{ACUSE}")


def test_rsync_does_not_leave_its_folder_by_any_option(casa: Casa) -> None:
    """Links arrive munged, so nothing is reached through them; the options that name other folders are confined."""
    host = "prep-rsync@127.0.0.1:"
    hasty = replace(casa, limite=HANGS_S)
    links = casa.folder / "ligas"
    links.mkdir()
    (links / "raiz").symlink_to("/srv/abierta")
    (links / "cerca").symlink_to("../abierta")
    with casa.nada_cambia():
        casa.rsync("entrega", "-rl", "ligas/", f"{host}/")
    stored = {
        path.name: str(path.readlink())
        for path in casa.maquina.ruta("/srv/rsync/entrada").iterdir()
        if path.is_symlink()
    }
    assert stored == {"raiz": "/rsyncd-munged/srv/abierta", "cerca": "/rsyncd-munged/../abierta"}
    for link in links.iterdir():
        link.unlink()
        link.mkdir()
        (link / "secreto").write_text("cambiado")
    attempts = [
        ("suelto", f"{host}raiz/secreto"),
        ("suelto", f"{host}../abierta/secreto"),
        ("suelto", f"{host}/../../srv/abierta/secreto"),
        ("-rK", "ligas/", f"{host}/"),
        ("-r", "ligas/", f"{host}/"),
        ("-rL", "ligas/", f"{host}/"),
        ("-r", "-M--log-file=/srv/abierta/nuevo", "repositorio/", f"{host}/"),
        ("-r", "-M--temp-dir=/srv/abierta", "repositorio/", f"{host}/"),
        ("-rb", "-M--backup-dir=/srv/abierta", "repositorio/", f"{host}/"),
        ("-r", "--partial", "-M--partial-dir=/srv/abierta", "repositorio/", f"{host}/"),
        ("-rt", "--copy-dest=/srv/abierta", "repositorio/", f"{host}/"),
        ("-r", "-M--write-devices", "repositorio/", f"{host}/"),
        ("-r", "--delete", "repositorio/", f"{host}/"),
        ("-r", "--remove-source-files", f"{host}/", "robado"),
        ("-r", f"{host}/", "robado"),
        (f"{host}/",),
    ]  # fmt: skip
    with casa.nada_cambia(), ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda words: hasty.rsync("entrega", *words), attempts))
        refused = [
            ("suelto", f"{host}/"),
            ("-r", "--remove-source-files", f"{host}/", "leidos-otra"),
            ("-rL", f"{host}../entrada/", "robado"),
        ]
        done = list(pool.map(lambda words: hasty.rsync("acuses", *words), refused))
    assert 0 not in [one.returncode for one in done]
    assert not (casa.folder / "robado").exists()


def test_the_account_is_no_way_in(casa: Casa) -> None:
    """No password, no key for another account, and nothing of what decides is the account's to change (MOR-A1-1.5)."""
    machine = casa.maquina
    for kind in CALLS:
        shadow = machine.ejecuta("getent", "shadow", f"prep-{kind}")
        assert shadow.split(":")[1] == "*"
        assert machine.ejecuta("id", "-Gn", f"prep-{kind}").split() == [f"prep-{kind}"]
        for path in (f"/srv/prep-{kind}", "/etc/ssh/pregon", f"/etc/ssh/pregon/prep-{kind}"):
            status = machine.ruta(path).stat()
            assert (status.st_uid, status.st_mode & 0o022) == (0, 0), path
        assert machine.ejecuta("findmnt", "-no", "OPTIONS", f"/srv/prep-{kind}/acuses").startswith("ro,")
    assert len(machine.ruta("/etc/fstab").read_text().split("/srv/prep-scp/entrada ")) == 2
    command = [*casa.opciones("rsync", "entrega"), "root@127.0.0.1", "id"]
    assert casa.corre(command).returncode == 255


def test_account_of_another_difusor_is_not_taken(casa: Casa) -> None:
    """Two institutes on one machine never write into each other's folder."""
    answer = json.loads(
        casa.maquina.pregon(
            "difusor", "configura", "sshd", "/srv/scp", "--desde", "127.0.0.1", "--cuenta", "prep-sftp",
            "--llave", casa.folder / "scp-entrega.pub", "--json",
        )
    )  # fmt: skip
    with casa.nada_cambia(), pytest.raises(AssertionError, match="es ya de otro difusor"):
        casa.maquina.ejecuta("sh", "-c", "set -eu\n" + "\n".join(step["orden"] for step in answer["pasos"]))


def test_sshd_without_include_and_sshd_that_would_not_start(tmp_path: Path) -> None:
    """CentOS 8 (GRO-2.3a) has OpenSSH 8.0, which reads one file alone; what does not hold is taken out again."""
    with Maquina(tmp_path) as machine:
        prepara(machine, tmp_path, {"scp": "gro-2021"})
        config = machine.ruta("/etc/ssh/sshd_config")
        plain = "".join(line for line in config.read_text().splitlines(keepends=True) if "Include" not in line)
        config.write_text(plain)
        configura(machine, tmp_path, ["scp"])
        text = config.read_text()
        assert text.startswith(plain)
        assert text.count("Match User prep-scp") == text.count("Match all") == 1
        asked = "user=prep-scp,host=x,addr=127.0.0.1"
        assert "\npermittty no\n" in machine.ejecuta("/usr/sbin/sshd", "-T", "-C", asked)
        assert "\npermittty yes\n" in machine.ejecuta("/usr/sbin/sshd", "-T", "-C", asked.replace("prep-scp", "root"))
        config.write_text(plain + "NoExiste si\n")
        with pytest.raises(AssertionError, match="no valen con el bloque"):
            machine.ejecuta("sh", "/srv/pasos-scp/pasos.sh")
        assert config.read_text() == plain + "NoExiste si\n"
        config.write_text("Include /etc/ssh/sshd_config.d/*.conf\nNoExiste si\n")
        with pytest.raises(AssertionError, match="no valen con el bloque"):
            machine.ejecuta("sh", "/srv/pasos-scp/pasos.sh")
        assert not machine.ruta("/etc/ssh/sshd_config.d/pregon-prep-scp.conf").exists()


def test_forwards_of_a_kept_connection_lead_nowhere(casa: Casa) -> None:
    """``-L`` and ``-D`` open a door at the client's side only: nothing answers behind it."""
    for kind in CALLS:
        local, socks = free_port("127.0.0.1"), free_port("127.0.0.1")
        command = [
            *casa.opciones(kind, "entrega"), "-N", "-L", f"127.0.0.1:{local}:127.0.0.1:22",
            "-D", f"127.0.0.1:{socks}", f"prep-{kind}@127.0.0.1",
        ]  # fmt: skip
        process = deja_abierta(casa.maquina.junto(command))
        try:
            done = casa.corre([sys.executable, "-c", _ASK, str(local), str(socks)])
        finally:
            process.kill()
            process.communicate()
        assert done.stdout.splitlines() == [b"b''", b"b''"], done.stdout


def test_no_connection_is_kept(casa: Casa) -> None:
    """What was opened at the beginning and asks for nothing is ended by sshd itself; the rest, by the cron line."""
    cron = casa.maquina.ruta("/etc/cron.d/pregon-prep-sftp").read_text().splitlines()[-1]
    order = cron.split(" root ")[1]
    assert order == "pkill -u prep-sftp --older 3600"
    casa.maquina.ejecuta(*order.replace("3600", "0").split())
    for name, process in casa.abiertas.items():
        status = process.wait(max(1.0, 25.0 - (time.monotonic() - casa.desde)))
        assert status != 0, name
