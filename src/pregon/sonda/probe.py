"""Ask one public URL once, within named limits, and say exactly what came back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import RedError
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from datetime import datetime

    from pregon.base.clock import Clock


@dataclass(frozen=True)
class Limits:
    """What one probe may take: ``segundos`` for each wait of the link and for the whole answer, ``bytes`` of body."""

    segundos: float = 10.0
    bytes: int = 64 << 20


MAX_STAMP_BYTES = 1 << 20
"""``corte.json`` is a few kilobytes."""


@dataclass(frozen=True)
class Probe:
    """One answer: status, headers in lower case, length and SHA-256 of the body as it travelled, seconds it took.

    ``completo`` is False where the body was cut at a limit; then ``sha256`` is that of what was read.
    """

    url: str
    hora: datetime
    status: int
    headers: Mapping[str, str]
    largo: int
    sha256: str
    segundos: float
    completo: bool
    cuerpo: bytes | None = None


@dataclass(frozen=True)
class CutStamp:
    """Which cut a portal says it shows: the keys of ``/corte.json`` that identify it (design §7)."""

    corte: int
    hora_corte: str
    ambiente: str
    ultimo: bool


def probe(
    url: str,
    *,
    clock: Clock,
    limits: Limits | None = None,
    headers: Mapping[str, str] | None = None,
    keep_body: bool = False,
    tls: ssl.SSLContext | None = None,
) -> Probe:
    """GET ``url`` once, following no redirection, identity encoding unless ``headers`` asks for another.

    The hash is of the bytes of the body as sent, before any decoding. ``keep_body`` also returns them.
    ``tls`` takes the place of the usual context, which trusts the system's authorities.

    Raises:
        RedError: no answer, or none within the limits.
    """
    import httpx2  # When there is something to ask: a difusor receives its first cut before it asks for anything.

    limits = limits or Limits()
    digest = hashlib.sha256()
    size = 0
    whole = True
    body: list[bytes] = []
    start = clock.monotonic()
    asked = {"accept-encoding": "identity", "user-agent": "pregon-sonda", **(headers or {})}
    plazo = Plazo()
    status = 0
    received: dict[str, str] = {}
    try:
        with (
            plazo.limit(limits.segundos),
            httpx2.Client(
                timeout=limits.segundos, follow_redirects=False, trust_env=False, verify=True if tls is None else tls
            ) as client,
            client.stream("GET", url, headers=asked, extensions=plazo.extensions) as response,
        ):
            status = response.status_code
            received = {name.lower(): value for name, value in response.headers.items()}
            for chunk in response.iter_raw():
                if size + len(chunk) > limits.bytes or clock.monotonic() - start > limits.segundos:
                    whole = False
                    break
                size += len(chunk)
                digest.update(chunk)
                if keep_body:
                    body.append(chunk)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
        if not (status and plazo.vencido):
            reason = f"tardó más de {limits.segundos:g} s" if plazo.vencido else str(exc) or type(exc).__name__
            raise RedError(
                f"No respondió {url}: {reason}",
                intacto="La sonda solo lee; no se cambió nada.",
                que_hacer="Revise la dirección, el servidor web y la red desde esta máquina.",
            ) from exc
    return Probe(
        url=url,
        hora=clock.now(),
        status=status,
        headers=received,
        largo=size,
        sha256=digest.hexdigest(),
        segundos=clock.monotonic() - start,
        completo=whole and not plazo.vencido,
        cuerpo=b"".join(body) if keep_body else None,
    )


def parse_stamp(data: bytes) -> CutStamp | None:
    """The stamp of a ``corte.json``, or None where ``data`` is not one."""
    try:
        table: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(table, dict):
        return None
    kinds = {"corte": int, "hora_corte": str, "ambiente": str, "ultimo": bool}
    if any(type(table.get(key)) is not kind for key, kind in kinds.items()):
        return None
    return CutStamp(**{key: table[key] for key in kinds})
