"""Ports of this machine."""

from __future__ import annotations

import socket


def free_port(address: str) -> int:
    """A port that nobody listens on now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe_socket:
        probe_socket.bind((address, 0))
        return int(probe_socket.getsockname()[1])


def answers_tcp(address: str, port: int, *, timeout: float = 2.0) -> bool:
    """Whether somebody takes a connection there now."""
    try:
        with socket.create_connection((_reachable(address), port), timeout=timeout):
            return True
    except OSError:
        return False


def _reachable(address: str) -> str:
    """Where to call who listens on ``address``: on every one of the machine's, its own."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 (read, not bound)
