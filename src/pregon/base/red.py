"""Ports of this machine."""

from __future__ import annotations

import socket


def free_port(address: str) -> int:
    """A port that nobody listens on now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe_socket:
        probe_socket.bind((address, 0))
        return int(probe_socket.getsockname()[1])
