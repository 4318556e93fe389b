"""Which format a log is of, from its first lines."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from pregon.base.errors import FormatoError
from pregon.bitacoras.formatos import CLOUDFRONT, CONOCIDOS, IIS

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.bitacoras.formatos import Formato

_RENGLONES = 200
_NECESARIOS = ("direccion", "hora", "estado")
_PASO = re.compile(r'[.](?:"([^"]+)"|([A-Za-z0-9_-]+))|\[([0-9]+)\]')


def detect(muestra: bytes, ruta: Path) -> Formato:
    """The format that most of the first lines have; the first of ``CONOCIDOS`` of those that draw.

    Raises:
        FormatoError: fewer than half of them have any one.
    """
    text = muestra.decode(errors="replace").replace("\r\n", "\n")
    lines = [line for line in text.split("\n") if line.strip()][:_RENGLONES]
    head = list(takewhile(lambda line: line.startswith("#"), lines))
    header = next((line for line in head if line.startswith("#Fields:")), None)
    if header is not None:
        names = tuple(header.removeprefix("#Fields:").split())
        return (CLOUDFRONT if "x-edge-location" in names else IIS).con_columnas(names)
    counts = [(sum(1 for line in lines if _has(formato, line)), formato) for formato in CONOCIDOS]
    best, formato = max(counts, key=lambda pair: pair[0])
    if best * 2 < len(lines) or not best:
        raise FormatoError(
            f"No se reconoce el formato de la bitácora {ruta}: "
            f"de sus primeros {len(lines)} renglones, {best} se entienden.",
            intacto="No se midió nada.",
            que_hacer=(
                "Diga su formato con --formato, --apache o --nginx, o en [[bitacora]] de difusor.toml "
                "(docs/memoria/bitacoras.md)."
            ),
        )
    return formato


def _has(formato: Formato, line: str) -> bool:
    if formato.clase in ("comillas", "patron"):
        return re.match(formato.patron, line[:8192]) is not None
    if formato.clase == "json":
        return line.startswith("{") and _has_paths(formato, line)
    return False


def _has_paths(formato: Formato, line: str) -> bool:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return False
    places = dict(formato.lugares)
    asked = _any(entry, places.get("ruta", ())) or _any(entry, places.get("pedido", ()))
    return asked and all(_any(entry, places[name]) for name in _NECESARIOS)


def _any(entry: Any, paths: tuple[str, ...]) -> bool:
    return any(_at(entry, path) is not None for path in paths)


def _at(entry: Any, path: str) -> Any:
    for quoted, plain, place in _PASO.findall(path):
        try:
            entry = entry[int(place)] if place else entry[quoted or plain]
        except (KeyError, IndexError, TypeError):
            return None
    return entry
