"""The commands of docs/operacion/servidor.md, run as they are on a machine of our own, as root, on the real paths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.difusor.inicia import create, settings_text
from tests.difusor.maquina import Maquina
from tests.red.servidores.nginx import Autoridad

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operacion" / "servidor.md"
FOLDER = "/srv/pregon/difusor"
NAME = "prep2027.diario.example.mx"

_HOME = """
set -eu
mount -t tmpfs -o mode=755 prueba /var/log
mkdir -p /var/log/nginx /var/log/apache2 /run/lock
cp -a /var/lib/apache2 /srv/apache2
mount --bind /srv/apache2 /var/lib/apache2
chown -R pregon:pregon /srv/pregon
chmod 0711 /srv/pregon
"""
_WITHOUT_SERVICE = "sed -i '/^# [0-9]*\\. Que el servicio/,$d' %s/pasos.sh"
_ASK = f"curl -sS -D - --max-time 5 --resolve {NAME}:443:127.0.0.1 --cacert /etc/pregon/ca.pem https://{NAME}/"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Maquina]:
    """A machine with a difusor that shows its page of espera, owned by its own account, and the guide's settings."""
    settings = re.search(r"```toml\n\[servidor\]\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert settings is not None
    authority = Autoridad(tmp_path / "autoridad")
    certificate, key = authority.firma("prep", NAME)
    with Maquina(tmp_path) as made:
        text = settings_text(convocatoria="dgo-2024", ambiente="oficial", ident="diario-uno", origen="entrada")
        toml = text.partition("[servidor]")[0] + "[servidor]\n" + settings[1]
        made.ruta("/srv/pregon").mkdir()
        create(made.ruta(FOLDER), toml, root=b'{"signed":{"_type":"root"}}', disk=Disk())
        keys = made.ruta("/etc/pregon")
        keys.mkdir()
        for source, name in ((certificate, "prep.pem"), (key, "prep.key"), (authority.ca, "ca.pem")):
            (keys / name).write_bytes(source.read_bytes())
        made.ejecuta("sh", "-c", _HOME)
        yield made


@pytest.mark.parametrize(
    ("name", "server"),
    [("nginx", ["nginx", "-g", "daemon off;"]), ("apache", ["apachectl", "-DFOREGROUND"])],
)
def test_the_guide_puts_each_server_in_place(machine: Maquina, name: str, server: list[str]) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [lines] = [block.splitlines() for block in blocks if f"configura {name} " in block]
    assert len(lines) == 2
    before = machine.huella("/srv/pregon")
    machine.pregon(*lines[0].split()[1:-1], f"/srv/{name}")
    assert machine.huella("/srv/pregon") == before, "it only writes where it was told"
    machine.ejecuta("sh", "-c", _WITHOUT_SERVICE % f"/srv/{name}")  # there is no systemd here
    for _ in range(2):  # it may be repeated
        machine.ejecuta(*lines[1].split(), folder="/srv")
    groups = machine.ejecuta("id", "-nG", "www-data").split()
    assert "pregon" in groups
    assert machine.huella("/srv/pregon") == before, "of the difusor nothing changed"
    machine.sigue(server, espera=f"{_ASK} -o /dev/null -f")
    answer = machine.ejecuta("sh", "-c", _ASK)
    assert "no-store" in answer
    assert "todavía no se publican" in answer
    assert "strict-transport-security" in answer.lower()
    # What is not public is not read, though it serves: the link goes where it should not.
    machine.ejecuta("sh", "-c", f"! runuser -u www-data -- ls {FOLDER}/confianza {FOLDER}/recepcion 2>/dev/null")


def test_steps_that_do_not_hold_leave_what_there_was(machine: Maquina) -> None:
    """The certificate is not there: nginx refuses the whole, and its settings stay as they were."""
    machine.pregon("difusor", "configura", "nginx", FOLDER, "--salida", "/srv/nginx")
    machine.ejecuta("rm", "/etc/pregon/prep.pem")
    machine.ejecuta("sh", "-c", "! sh /srv/nginx/pasos.sh 2>/srv/dijo")
    assert "se quitó" in machine.ruta("/srv/dijo").read_text(encoding="utf-8")
    assert not machine.ruta("/etc/nginx/conf.d/pregon.conf").exists()
    machine.ejecuta("nginx", "-t", "-q")
