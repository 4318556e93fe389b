"""The public folder behind real web servers, set up as the document says, while its states change."""

from __future__ import annotations

import http.client
import json
import re
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.red import free_port
from pregon.difusor.servidor.proceso import find_caddy
from pregon.instituto.publico.sitio import Publicador
from tests.instituto.publico.noche import dictamen
from tests.red.servidores.apache import Apache
from tests.red.servidores.enmarcha import HOST, EnMarcha, programa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instituto.publico.noche import NochePublica

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operacion" / "publico.md"
CARPETA = "/srv/www/prep-publico"
"""As the document calls it."""


@pytest.fixture
def abierta() -> Iterator[Path]:
    """A folder that the account of a web server can read."""
    with tempfile.TemporaryDirectory(prefix="pregon-publico-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def escrito(servidor: str, folder: Path) -> str:
    """The text of the document for a server, for ``folder``."""
    [found] = re.findall(rf"(?s)```{servidor}\n(.*?)```", DOCUMENT.read_text())
    return str(found).replace(CARPETA, str(folder))


def encendido(servidor: str, folder: Path, tmp_path: Path, port: int) -> EnMarcha:
    text = escrito(servidor, folder)
    if servidor == "apache":
        return Apache(tmp_path / "apache", f"<VirtualHost *:{port}>\n{text}</VirtualHost>\n", [port])
    config = tmp_path / servidor
    if servidor == "caddy":
        config.write_text(f"{{\n\tadmin off\n}}\nhttp://{HOST}:{port} {{\n{text}}}\n")
        command: list[str | Path] = [find_caddy(), "run", "--adapter", "caddyfile", "--config", config]
    else:
        types = "types { text/html html; application/json json; }"
        config.write_text(
            f"daemon off; pid {tmp_path}/nginx.pid; events {{}}\n"
            f"http {{ access_log off; {types} server {{ listen {HOST}:{port};\n{text}}} }}\n"
        )
        command = [programa("nginx"), "-c", config, "-e", tmp_path / "nginx.err"]
    return EnMarcha(command, puertos=[port], salida=tmp_path / f"{servidor}.log")


@pytest.mark.parametrize("cambios", [pytest.param(12), pytest.param(600, marks=pytest.mark.aguante)])
@pytest.mark.parametrize("servidor", ["nginx", "apache", "caddy"])
def test_no_answer_has_two_states_nor_a_tag_two_contents(
    servidor: str, cambios: int, noche: NochePublica, abierta: Path, tmp_path: Path
) -> None:
    publisher = Publicador(noche.espacio, carpeta=abierta / "publico")
    signed, people = noche.firmas(), ("diario-uno", "radio-dos")

    def publica(turn: int) -> None:
        late = {} if turn % 2 else {"veredicto": "atrasado", "causa": "difusor", "atraso_s": 95.0}
        publisher.publica(signed, [dictamen(one, noche.clock.now(), corte=3 + turn % 2, **late) for one in people])

    publica(0)
    port = free_port(HOST)
    stop, wrong, tags = threading.Event(), list[object](), dict[tuple[str, str], bytes]()
    read = 0

    def reader() -> None:
        nonlocal read
        line = http.client.HTTPConnection(HOST, port, timeout=10)
        while not stop.is_set():
            for name in ("situacion.json", "situacion.html", ""):
                line.request("GET", f"/difusores/{name}")
                answer = line.getresponse()
                data = answer.read()
                whole = data.rstrip().endswith(b"</html>") if name != "situacion.json" else bool(json.loads(data))
                tag = answer.headers.get("etag", "")
                same = tags.setdefault((name, tag), data) == data
                if answer.status != 200 or not whole or not same or answer.headers["cache-control"] != "no-cache":
                    wrong.append((name, answer.status, whole, same))
                read += 1
        line.close()

    def reading() -> None:
        try:
            reader()
        except (OSError, ValueError, http.client.HTTPException) as exc:
            wrong.append(exc)

    with encendido(servidor, abierta / "publico", tmp_path, port):
        thread = threading.Thread(target=reading)
        thread.start()
        for turn in range(1, cambios):
            publica(turn)
        while read < cambios and not wrong:
            stop.wait(0.02)
        stop.set()
        thread.join()
    assert wrong == []
    assert len({data for (name, _), data in tags.items() if name == "situacion.json"}) > 1
