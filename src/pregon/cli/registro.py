"""Where a service writes its log: its error output, as journald or as a person reads it."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIORIDADES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""From each level of Python on, the priority of syslog (sd-daemon(3)); below, 7."""


class Diario(logging.Formatter):
    """``<4>text``: journald takes the priority from the head of each line and has the hour of its own."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Each line of the message, also of a traceback, with its priority."""
        priority = next((number for level, number in PRIORIDADES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines() or [""])


def to_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether ``stream`` goes to journald: the environment names its device and inode (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def log_as_service() -> None:
    """Set the log of this process up, once: ours from INFO on, the libraries' from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    journal = to_journal(sys.stderr, os.environ)
    handler.setFormatter(Diario() if journal else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    logging.getLogger("pregon").setLevel(logging.INFO)
    root.addHandler(handler)
