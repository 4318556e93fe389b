"""Talks to the running Caddy over its admin socket, which only this user can reach."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from pregon.difusor.servidor.caddy import ADMIN_SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ASK_TIMEOUT_S = 3.0
LOAD_TIMEOUT_S = 30.0
"""A new configuration is read, started, and only then takes the place of the old one."""
MAX_ANSWER = 1 << 20
MAX_REASON = 600
"""Characters of what Caddy says that are repeated to people."""
_CREDENTIALS = struct.Struct("3i")


class Admin:
    """The Caddy whose admin socket lies in ``home``. Every question opens a connection of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def pid(self) -> int | None:
        """The process that listens there, if it is of this user; None: nobody does, or it cannot be told who."""
        with self._folder() as folder, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ASK_TIMEOUT_S)
            try:
                connection.connect(f"{folder}/{ADMIN_SOCKET}")
                told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            except OSError:
                return None
        pid, uid, _ = _CREDENTIALS.unpack(told)
        return pid if pid > 0 and uid == os.geteuid() else None

    def serving(self) -> bool:
        """Whether it answers and has a configuration at work."""
        try:
            status, body = self._ask("GET", "/config/apps/http/servers", timeout=ASK_TIMEOUT_S)
        except (OSError, HTTPException):
            return False
        return status == HTTPStatus.OK and body.strip() not in (b"", b"null")

    def load(self, caddyfile: str, *, again: bool = False) -> str | None:
        """Put ``caddyfile`` in the place of its configuration; connections go on. None, or why it was refused.

        Refused, it serves as before. ``again``: also where the text is the same, to have the certificates read.
        """
        headers = {"Content-Type": "text/caddyfile", **({"Cache-Control": "must-revalidate"} if again else {})}
        try:
            status, body = self._ask("POST", "/load", timeout=LOAD_TIMEOUT_S, body=caddyfile.encode(), headers=headers)
        except (OSError, HTTPException) as exc:
            return f"no respondió: {exc}"
        return None if status == HTTPStatus.OK else _reason(body.decode(errors="replace"))

    def stop(self) -> None:
        """Ask it to end; nothing where nobody answers."""
        with contextlib.suppress(OSError, HTTPException):
            self._ask("POST", "/stop", timeout=ASK_TIMEOUT_S)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        with self._folder() as folder, contextlib.closing(_Connection(f"{folder}/{ADMIN_SOCKET}", timeout)) as asked:
            asked.request(method, path, body, dict(headers or {}))
            answer = asked.getresponse()
            return answer.status, answer.read(MAX_ANSWER)

    @contextlib.contextmanager
    def _folder(self) -> Iterator[str]:
        """The server's folder through a descriptor, because the address of a socket holds about a hundred bytes."""
        descriptor = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)


class _Connection(HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("caddy", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _reason(text: str) -> str:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        text = str(json.loads(text)["error"])
    return text[:MAX_REASON]
