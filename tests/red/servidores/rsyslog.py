"""A real rsyslogd, listening on a socket of its own and on loopback, that writes what it understood as JSON lines."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from pregon.base.red import free_port
from tests.red.servidores.enmarcha import HOST, EnMarcha, programa

if TYPE_CHECKING:
    from pathlib import Path

WAIT_S = 15.0


class Rsyslog(EnMarcha):
    """``with Rsyslog(folder) as server``: ``server.unix`` is its socket, ``server.puerto`` its UDP and TCP port."""

    def __init__(self, carpeta: Path) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.unix = carpeta / "log.sock"
        self.puerto = free_port(HOST)
        self._log = carpeta / "todo.jsonl"
        config = carpeta / "rsyslog.conf"
        fields = {
            "pri": "pri",
            "hora": "timestamp",
            "host": "hostname",
            "app": "app-name",
            "proc": "procid",
            "msgid": "msgid",
            "sd": "structured-data",
            "msg": "msg",
            "protocolo": "protocol-version",
        }
        template = ",".join(rf"\"{key}\":\"%{name}:::json%\"" for key, name in fields.items())
        config.write_text(
            f"""global(workDirectory="{carpeta}" maxMessageSize="8k" parser.escapeControlCharactersOnReceive="on")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="{self.unix}" CreatePath="off")
input(type="imudp" address="{HOST}" port="{self.puerto}")
input(type="imtcp" address="{HOST}" port="{self.puerto}")
template(name="json" type="string" string="{{{template}}}\\n")
action(type="omfile" file="{self._log}" template="json")
""",
            encoding="utf-8",
        )
        command: list[str | Path] = [programa("rsyslogd"), "-n", "-f", config, "-i", carpeta / "rsyslogd.pid"]
        super().__init__(command, puertos=[self.puerto], salida=carpeta / "rsyslogd.out")

    def _ready(self) -> bool:
        return super()._ready() and self.unix.exists()

    def lineas(self) -> list[dict[str, Any]]:
        """What it has written until now."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def espera(self, cuantas: int) -> list[dict[str, Any]]:
        """The lines of Pregón, once there are so many."""
        end = time.monotonic() + WAIT_S
        while True:
            found = [line for line in self.lineas() if line["app"] == "pregon"]
            if len(found) >= cuantas:
                return found
            assert time.monotonic() < end, (self.lineas(), self._output.read_text())
            time.sleep(0.02)
