"""A real rsyslogd, listening on a socket of its own and on loopback, that writes what it understood as JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING, Any, Self

from pregon.base.procesos import start, wait_until
from pregon.base.red import free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
WAIT_S = 15.0


class Rsyslog:
    """``with Rsyslog(folder) as server``: ``server.unix`` is its socket, ``server.puerto`` its UDP and TCP port."""

    def __init__(self, carpeta: Path) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.unix = carpeta / "log.sock"
        self.puerto = free_port(HOST)
        self._log = carpeta / "todo.jsonl"
        self._output = carpeta / "rsyslogd.out"
        self._config = carpeta / "rsyslog.conf"
        self._pid = carpeta / "rsyslogd.pid"
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
        self._config.write_text(
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
        self._process: Process | None = None

    def __enter__(self) -> Self:
        program = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "rsyslogd"
        self._process = start([program, "-n", "-f", self._config, "-i", self._pid], output=self._output)
        wait_until(self._ready, self._process, timeout=WAIT_S, what="rsyslogd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.puerto), timeout=1):
            return self.unix.exists()
        return False

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
