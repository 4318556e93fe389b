"""The firewall and the daemon of rsync that ``configura`` prints, put in place as printed, with real sockets.

One machine with an address of its own and a network outside of it: the institute, the administrator, anybody else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.durable import Disk
from pregon.cli.difusor import app
from pregon.difusor.inicia import create, settings_text
from tests.difusor.maquina import Maquina

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HERE = ("10.9.0.1", "fd00:9::1")
INSTITUTE = ("10.9.0.2", "fd00:9::2")
ADMIN = ("10.9.0.66", "fd00:9::66")
ANYBODY = ("10.9.0.99", "fd00:9::99")
PORTS = (22, 80, 443, 873, 2873, 8080)
PUBLIC = {80, 443}
ACUSE = "000001-0001-recibido.json"
SECRET = "lo que nadie de fuera debe leer"

_NETWORK = """
set -e
ip netns add fuera
ip link add dentro0 type veth peer name fuera0 netns fuera
ip addr add 10.9.0.1/24 dev dentro0
ip -6 addr add fd00:9::1/64 dev dentro0 nodad
ip link set dentro0 up
ip -n fuera link set lo up
ip -n fuera link set fuera0 up
for last in 2 66 99; do
  ip -n fuera addr add 10.9.0.$last/24 dev fuera0
  ip -n fuera -6 addr add fd00:9::$last/64 dev fuera0 nodad
done
"""

_LISTEN = """
import select, socket, sys
socks = []
for port in map(int, sys.argv[1:]):
    sock = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    socks.append(sock)
while True:
    for sock in select.select(socks, [], [])[0]:
        link, _ = sock.accept()
        link.sendall(b"hola")
        link.close()
"""

_ASK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def ask(one):
    source, host, port = one
    try:
        with socket.create_connection((host, port), 0.6, source_address=(source, 0)) as link:
            link.settimeout(10)  # from here on it waits for a program, no more for the system alone
            return link.recv(4) == b"hola"
    except OSError:
        return False

asked = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(asked)) as pool:
    print(json.dumps(list(pool.map(ask, asked))))
"""

_PING = """
import socket, struct, sys
source, host = sys.argv[1:]
link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
link.bind((source, 0))
link.settimeout(2)
head = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
total = sum(struct.unpack("!4H", head))
link.sendto(struct.pack("!BBHHH", 8, 0, ~total & 0xFFFF, 7, 1), (host, 0))
print(link.recv(100)[20])
"""


class Red:
    """The machine and who speaks to it from outside."""

    def __init__(self, machine: Maquina, folder: Path) -> None:
        self.machine = machine
        self.folder = folder

    def fuera(self, *command: str | Path) -> str:
        """Run a program on the network outside."""
        return self.machine.ejecuta("ip", "netns", "exec", "fuera", *command)

    def abiertos(self, sources: Sequence[str], ports: Sequence[int] = PORTS) -> set[int]:
        """The ports of the machine that answer to one other machine, the same by IPv4 and by IPv6."""
        asked = [(source, host, port) for source, host in zip(sources, HERE, strict=True) for port in ports]
        answers = json.loads(self.fuera(sys.executable, "-c", _ASK, json.dumps(asked)))
        found = {
            host: {port for (_, there, port), ok in zip(asked, answers, strict=True) if ok and there == host}
            for host in HERE
        }
        assert found[HERE[0]] == found[HERE[1]]
        return found[HERE[0]]


def _workspace(machine: Maquina, folder: Path, call: str) -> str:
    text = settings_text(convocatoria=call, ambiente="oficial", ident="diario", origen="entrada")
    create(folder / call, text, root=b'{"signed": {"_type": "root"}}', disk=Disk())
    (folder / call / "acuses" / ACUSE).write_text("acuse")
    machine.ejecuta("cp", "-a", folder / call, f"/srv/{call}")
    machine.ejecuta("chown", "-R", "pregon:pregon", f"/srv/{call}")
    return f"/srv/{call}"


def _apply(machine: Maquina, answer: Any, folder: str) -> Any:
    """Run every printed step but those for systemd, twice over; give the answer."""
    steps = "set -eu\n" + "\n".join(step["orden"] for step in answer["pasos"] if not step["servicio"])
    machine.ejecuta("sh", "-c", f"{steps}\n{steps}", folder=folder)
    return answer


def _rsyncd(machine: Maquina, call: str, *words: str) -> Any:
    order = ["difusor", "configura", "rsyncd", f"/srv/{call}", *words, "--salida", "/srv/pasos", "--json"]
    return _apply(machine, json.loads(machine.pregon(*order)), "/srv/pasos")


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Red]:
    folder = tmp_path_factory.mktemp("red")
    with Maquina(folder) as machine:
        machine.ejecuta("sh", "-c", _NETWORK)
        _workspace(machine, folder, "dgo-2024")
        _workspace(machine, folder, "mex-2021")
        machine.ejecuta(
            "sh",
            "-c",
            f"install -d -m 1777 /srv/abierta; echo '{SECRET}' > /srv/abierta/secreto; chmod 666 /srv/abierta/secreto",
        )
        machine.sigue([sys.executable, "-c", _LISTEN, *map(str, PORTS)], espera=_knock(PORTS[-1]))
        yield Red(machine, folder)


@pytest.fixture(autouse=True)
def _without_rules(red: Red) -> Iterator[None]:
    """Each test finds the machine without rules, whichever were run before it in this process."""
    yield
    red.machine.ejecuta("nft", "flush", "ruleset")


def _knock(port: int | str) -> str:
    return f"{sys.executable} -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 1)'"


def _firewall(red: Red, call: str, *words: str) -> None:
    """The rules name nothing of the machine, so the order runs here and only its steps run there."""
    institute = [word for one in INSTITUTE for word in ("--desde", one)]
    admin = ["--administra", "10.9.0.64/28", "--administra", ADMIN[1]]
    out = red.folder / "pasos"
    order = [
        "configura",
        "firewall",
        str(red.folder / call),
        *institute,
        *admin,
        *words,
        "--salida",
        str(out),
        "--json",
    ]
    result = CliRunner().invoke(app, order)
    assert result.exit_code == 0, result.stderr
    _apply(red.machine, json.loads(result.stdout), str(out))


def test_restricted_ports_answer_only_to_whom_they_should(red: Red) -> None:
    """GRO-2.4d GRO-2.4e DGO-II-net-c2 DGO-II-net-c3: 80 and 443 to all, the others only to the institute."""
    assert red.abiertos(ANYBODY) == set(PORTS)  # the machine itself would answer all
    _firewall(red, "dgo-2024")
    assert red.abiertos(ANYBODY) == PUBLIC
    assert red.abiertos(INSTITUTE) == PUBLIC | {22, 873, 2873}
    assert red.abiertos(ADMIN) == PUBLIC | {22}
    assert red.fuera(sys.executable, "-c", _PING, ANYBODY[0], HERE[0]).strip() == "0"  # an answer to the echo


def test_ports_that_another_table_redirects_stay_closed(red: Red) -> None:
    """As Docker does with what it publishes, which never passes through ``input`` (DGO-II-c, MOR-A1-1.2)."""
    _firewall(red, "dgo-2024")
    machine = red.machine
    machine.ejecuta(
        "nft",
        "add table inet docker; add chain inet docker antes { type nat hook prerouting priority dstnat; };"
        "add rule inet docker antes tcp dport 2873 redirect to :80",
    )
    try:
        assert red.abiertos(ANYBODY, (2873,)) == set()
        assert red.abiertos(INSTITUTE, (2873,)) == {2873}
    finally:
        machine.ejecuta("nft", "delete table inet docker")


def test_only_443_under_a_call_that_names_no_80(red: Red) -> None:
    """MEX-II-2c2 MEX-II-2c3; and applying another call's rules leaves nothing of the first's."""
    _firewall(red, "dgo-2024")
    _firewall(red, "mex-2021")
    assert red.abiertos(ANYBODY) == {443}
    assert red.abiertos(INSTITUTE) == {443, 22}
    included = red.machine.ruta("/etc/nftables.conf").read_text()
    assert included.count('include "/etc/nftables.d/pregon.nft"') == 1
    red.machine.ejecuta("nft", "delete", "table", "inet", "pregon")
    assert red.abiertos(ANYBODY) == set(PORTS)  # one order takes it all away


def test_what_goes_out_can_be_limited_too(red: Red) -> None:
    """DGO-II-e: UDP 123 goes out; with ``--restringe-salida`` what nobody needs does not."""
    code = (
        "import socket\n"
        "def go(kind, port):\n"
        "    with socket.socket(socket.AF_INET, kind) as link:\n"
        "        link.settimeout(0.6)\n"
        "        try:\n"
        "            link.connect(('10.9.0.2', port)); link.send(b'x')\n"
        "            return 'sale'\n"
        "        except ConnectionRefusedError: return 'sale'\n"
        "        except OSError: return 'no'\n"
        "udp, tcp = socket.SOCK_DGRAM, socket.SOCK_STREAM\n"
        "print(go(udp, 123), go(tcp, 443), go(tcp, 6667), go(udp, 6667))\n"
    )
    _firewall(red, "dgo-2024")
    assert red.machine.ejecuta(sys.executable, "-c", code).split() == ["sale"] * 4
    _firewall(red, "dgo-2024", "--restringe-salida")
    assert red.machine.ejecuta(sys.executable, "-c", code).split() == ["sale", "sale", "no", "no"]
    assert red.abiertos(ANYBODY) == PUBLIC  # answers to who came in go out
    red.machine.ejecuta("nft", "delete", "table", "inet", "pregon")


def test_rsync_daemon_takes_deliveries_and_nothing_else(red: Red, tmp_path: Path) -> None:
    """DGO-II-net-c3, MOR-A1-3.4: the daemon as its unit starts it, with no more powers than the unit leaves it."""
    machine = red.machine
    answer = _rsyncd(machine, "dgo-2024", "--desde", INSTITUTE[0], "--desde", INSTITUTE[1])
    secrets = machine.ruta("/etc/pregon/rsyncd.secretos")
    assert secrets.stat().st_mode & 0o777 == 0o600
    password = secrets.read_text().strip().split(":")[1]
    assert len(password) >= 24
    assert password not in json.dumps(answer)
    unit = machine.ruta("/etc/systemd/system/pregon-rsyncd@.service").read_text()
    settings = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    powers = ",".join(f"+{one.removeprefix('CAP_').lower()}" for one in settings["CapabilityBoundingSet"].split())
    port = "2900"  # 873 and 2873 are taken by the listener of the other tests
    command = settings["ExecStart"].replace("%i", port).split()
    machine.sigue(
        ["setpriv", "--no-new-privs", f"--bounding-set=-all,{powers}", "--inh-caps=-all", *command], espera=_knock(port)
    )
    _against_the_daemon(red, tmp_path, port, password)
    before = machine.huella("/srv/mex-2021", "/etc")
    with pytest.raises(AssertionError, match="es ya de otro difusor"):
        _rsyncd(machine, "mex-2021", "--desde", INSTITUTE[0])
    assert machine.huella("/srv/mex-2021", "/etc") == before


def _against_the_daemon(red: Red, tmp_path: Path, port: str, password: str) -> None:
    machine = red.machine
    source = tmp_path / "repositorio"
    (source / "metadata").mkdir(parents=True)
    (source / "metadata" / "timestamp.json").write_text("{}")
    (source / "raiz").symlink_to("/srv/abierta")
    evil = tmp_path / "malo" / "raiz"
    evil.mkdir(parents=True)
    (evil / "secreto").write_text("cambiado")
    good, bad = tmp_path / "buena", tmp_path / "mala"
    for path, text in ((good, password), (bad, "otra")):
        path.write_text(text)
        path.chmod(0o600)

    def rsync(*words: str, address: str = INSTITUTE[0], secret: Path = good) -> subprocess.CompletedProcess[bytes]:
        base = ["ip", "netns", "exec", "fuera", "timeout", "10", "rsync", f"--address={address}", f"--port={port}"]
        return subprocess.run(
            machine.dentro([*base, f"--password-file={secret}", *words]),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def outside() -> dict[str, str]:
        return machine.huella("/srv", "/etc", sin=["/srv/dgo-2024/entrada"])

    host = f"instituto@{HERE[0]}::"
    before = outside()
    done = rsync("-rtlO", f"{source}/", f"{host}entrada/")
    assert done.returncode == 0, done.stdout
    entrada = machine.ruta("/srv/dgo-2024/entrada")
    assert (entrada / "metadata" / "timestamp.json").read_text() == "{}"
    assert str((entrada / "raiz").readlink()) == "/rsyncd-munged/srv/abierta"
    done = rsync("-rt", f"{host}acuses/", f"{tmp_path}/acuses")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "acuses" / ACUSE).read_text() == "acuse"
    delivered = machine.huella("/srv/dgo-2024/entrada")
    stolen = f"{tmp_path}/robado"
    attempts = [
        ((f"{host}entrada/",), {}),
        (("-r", f"{host}entrada/", stolen), {}),
        ((host,), {}),
        (("-r", "--delete", f"{source}/", f"{host}entrada/"), {}),
        (("-r", "--delete-after", f"{tmp_path}/malo/", f"{host}entrada/"), {}),
        (("-rK", f"{tmp_path}/malo/raiz/secreto", f"{host}entrada/raiz/secreto"), {}),
        (("-r", f"{evil}/secreto", f"{host}entrada/../../abierta/secreto"), {}),
        (("-r", f"{evil}/secreto", f"{host}acuses/{ACUSE}"), {}),
        (("-r", "--remove-source-files", f"{host}acuses/", stolen), {}),
        (("-rL", f"{host}acuses/../entrada/", stolen), {}),
        (("-r", "--log-file-format=x", "-M--log-file=/srv/abierta/x", f"{evil}/", f"{host}entrada/"), {}),
        ((f"{evil}/secreto", f"{host}entrada/"), {"secret": bad}),
        ((f"{evil}/secreto", f"{host}entrada/"), {"address": ANYBODY[0]}),
        (("-r", f"{host}acuses/", stolen), {"address": ANYBODY[0]}),
        ((f"{evil}/secreto", f"root@{HERE[0]}::entrada/"), {}),
    ]  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda one: rsync(*one[0], **one[1]), attempts))
    for (words, _), done in zip(attempts, ended, strict=True):
        assert done.returncode != 0 or words == (host,), (words, done.stdout)
        assert b"entrada\t" not in done.stdout, (words, done.stdout)
    assert outside() == before
    assert not (tmp_path / "robado" / ACUSE).exists()
    assert machine.huella("/srv/dgo-2024/entrada") == delivered
