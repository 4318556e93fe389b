"""A small service manager: starts a program as systemd would, and notes what it tells (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Self

from pregon.base.procesos import start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pregon.base.procesos import Process

READY_S = 40.0


class Supervisado:
    """One service under supervision; ``with`` ends it, whatever state it is in.

    ``avisos`` are the datagrams so far, each with the monotonic second at which it came. ``watchdog_s`` is what systemd
    would say in WATCHDOG_USEC. The socket is abstract, as systemd's own may be, or a path.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        *,
        watchdog_s: float | None = None,
        abstracto: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.avisos: list[tuple[float, dict[str, str]]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"@pregon-prueba-{os.getpid()}-{id(self)}" if abstracto else str(folder / "avisos.sock")
        self._socket.bind("\0" + name[1:] if abstracto else name)
        if not abstracto:
            os.chmod(name, 0o777)  # noqa: PTH101, S103 (the service runs as another user)
        self._socket.settimeout(0)
        self.salida = folder / "servicio.txt"
        mine = {"NOTIFY_SOCKET": name}
        if watchdog_s is not None:
            mine["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self.proceso: Process = start(command, output=self.salida, environment={**mine, **(environment or {})})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self.proceso.kill()

    def recoge(self, seconds: float = 0.0) -> None:
        """Take what came, waiting up to ``seconds`` for the first."""
        if seconds > 0:
            select.select([self._socket], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while True:
                text = self._socket.recv(1 << 16).decode()
                self.avisos.append((time.monotonic(), dict(line.split("=", 1) for line in text.split("\n"))))

    def cuantos(self, key: str, *, desde: float = 0.0) -> int:
        """How many notices with ``key`` came after the monotonic second ``desde``."""
        self.recoge()
        return sum(key in fields and when >= desde for when, fields in self.avisos)

    def espera(self, key: str, text: str = "", *, cuenta: int = 1, seconds: float = READY_S) -> dict[str, str]:
        """The ``cuenta``-th notice with ``key`` whose value has ``text``; fails where it does not come in time."""
        end = time.monotonic() + seconds
        while True:
            self.recoge()
            found = [fields for _, fields in self.avisos if key in fields and text in fields[key]]
            if len(found) >= cuenta:
                return found[cuenta - 1]
            left = end - time.monotonic()
            assert left > 0, f"no llegó {key}={text}: {self.avisos[-5:]}\n{self.proceso.tail()}"
            assert self.proceso.returncode() is None, self.proceso.tail()
            self.recoge(min(left, 0.5))

    @property
    def estado(self) -> str:
        """The last ``STATUS``."""
        self.recoge()
        return next((fields["STATUS"] for _, fields in reversed(self.avisos) if "STATUS" in fields), "")

    def manda(self, number: signal.Signals) -> None:
        """Send a signal to the service, as ``KillMode=mixed`` and ``ExecReload`` do: to its main process."""
        os.kill(self.proceso.pid, number)

    def termina(self, *, seconds: float) -> int:
        """SIGTERM, and the exit status; fails where it takes longer."""
        self.manda(signal.SIGTERM)
        return self.proceso.wait(seconds)
