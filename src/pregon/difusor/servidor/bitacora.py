"""The embedded server's access log as «combined» lines, which every log tool reads.

Caddy writes one JSON object per line and has no combined format of its own. What is read: the log in use and those
already rolled (compressed or not), oldest first, one line at a time. ``IP - usuario [fecha] "petición" estado bytes
"referer" "agente"``, as Apache and nginx write it; what there is not is a hyphen.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.difusor.servidor.caddy import ACCESO_LOG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE = 1 << 18
"""Request headers take 16 kB at most, and a byte of them six of JSON: more is no line of ours."""

_MESES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As the format says, whatever the language of the machine."""


@dataclass
class Cuenta:
    """What a conversion met: ``lineas`` given, ``malas`` left out, ``archivos`` that could not be read to the end."""

    lineas: int = 0
    malas: int = 0
    archivos: int = 0


def log_files(folder: Path) -> list[Path]:
    """The access logs in the server's ``folder``, oldest first."""
    stem, _, suffix = ACCESO_LOG.partition(".")
    rolled = [path for path in folder.glob(f"{stem}-*.{suffix}*") if path.suffix in (f".{suffix}", ".gz")]
    current = folder / ACCESO_LOG
    # While one is being compressed both are there: the whole one, which is the older, is read.
    names = {path.name for path in rolled}
    rolled = [path for path in rolled if not (path.suffix == ".gz" and path.name.removesuffix(".gz") in names)]
    return [*sorted(rolled, key=lambda path: path.name), *([current] if current.exists() else [])]


def combined(folder: Path, cuenta: Cuenta) -> Iterator[str]:
    """Every request of the logs in ``folder`` as a combined line, without its end; ``cuenta`` is kept meanwhile."""
    for path in log_files(folder):
        for raw in _lines(path, cuenta):
            line = _combined_line(raw)
            if line is None:
                cuenta.malas += 1
            else:
                cuenta.lineas += 1
                yield line


def _lines(path: Path, cuenta: Cuenta) -> Iterator[bytes]:
    """Lines of a file in pieces of ``MAX_LINE`` at most: a longer one comes as several, none of which is JSON."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while raw := file.readline(MAX_LINE):
                yield raw
    except (OSError, EOFError, zlib.error):
        cuenta.archivos += 1


def _combined_line(raw: bytes) -> str | None:
    try:
        entry = json.loads(raw)
        request = entry["request"]
        asked = " ".join(str(request[key]) for key in ("method", "uri", "proto"))
        moment = datetime.fromtimestamp(float(entry["ts"]), UTC)
        status, size = int(entry["status"]), int(entry["size"])
        remote = str(request["remote_ip"])
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
    user = _bare(entry.get("user_id"))
    date = f"{moment.day:02d}/{_MESES[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
    referer, agent = _text(entry.get("referer")), _text(entry.get("user_agent"))
    return f'{_bare(remote)} - {user} [{date}] "{_escaped(asked)}" {status} {size or "-"} "{referer}" "{agent}"'


def _bare(value: Any) -> str:
    text = _text(value)
    return text.replace(" ", "\\x20")


def _text(value: Any) -> str:
    return _escaped(str(value)) if value else "-"


def _escaped(text: str) -> str:
    """Quotes, backslashes and control characters as Apache writes them: no field ends a line or another field."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(map(_escaped_char, text))


def _escaped_char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in char.encode(errors="replace"))
