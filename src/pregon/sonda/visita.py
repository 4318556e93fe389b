"""How long a first visit to a page takes: the page, and what it needs, as a browser that has nothing kept asks for it.

GRO-2.4h and INE-II-a-iii-3a put a limit of 10 seconds on it.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pregon.base.errors import RedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from pregon.base.clock import Clock

CONEXIONES = 6
"""What a browser opens to one host over HTTP/1.1."""
SEGUNDOS = 20.0
"""Twice what a text admits: a visit that takes so long is not waited for."""
MAX_BYTES = 64 << 20
MAX_ARCHIVOS = 200
CODIFICACIONES = "br, gzip, deflate"
_PEDIDO = re.compile(rb"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["']?([^"'> ]+)""", re.IGNORECASE)
_COMUNES = ("corte.json",)
"""What the portal's own program asks for besides what its page names."""


@dataclass(frozen=True)
class Visita:
    """One first visit. ``bytes`` as they travelled; ``fallas``: what was asked for and not given, with why."""

    segundos: float
    bytes: int
    peticiones: int
    fallas: tuple[str, ...] = ()

    @property
    def mbps(self) -> float:
        """Millions of bits a second that came, the waits included."""
        return self.bytes * 8 / 1e6 / self.segundos if self.segundos else 0.0


def visita(
    url: str,
    *,
    clock: Clock,
    rutas: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    segundos: float = SEGUNDOS,
) -> Visita:
    """Ask for the page at ``url`` and then for all that it names of its own host, several at once.

    ``rutas``: more that its program will ask for, relative to ``url``. ``tls`` as in ``probe``.

    Raises:
        RedError: the page itself does not come.
    """
    import httpx2  # Only when there is something to ask.

    start = clock.monotonic()
    end = start + segundos
    total = 0
    failures: list[str] = []
    headers = {"accept-encoding": CODIFICACIONES, "user-agent": "pregon-sonda"}
    limits = httpx2.Limits(max_connections=CONEXIONES)
    with httpx2.Client(
        timeout=segundos,
        follow_redirects=False,
        trust_env=False,
        verify=True if tls is None else tls,
        limits=limits,
        headers=headers,
    ) as client:

        def fetch(address: str) -> tuple[int, int, bytes]:
            size, body = 0, []
            with client.stream("GET", address) as response:
                for piece in response.iter_bytes():
                    body.append(piece)
                    if clock.monotonic() > end or response.num_bytes_downloaded > MAX_BYTES:
                        raise TimeoutError(f"más de {segundos:g} s o de {MAX_BYTES:,} bytes")
                size = response.num_bytes_downloaded
            return response.status_code, size, b"".join(body)

        try:
            status, total, page = fetch(url)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            raise RedError(
                f"No respondió {url}: {str(exc) or type(exc).__name__}",
                intacto="La sonda solo lee; no se cambió nada.",
                que_hacer="Revise la dirección, el servidor web y la red desde esta máquina.",
            ) from exc
        if status != HTTPStatus.OK:
            failures.append(f"la página respondió {status}")
        wanted = _wanted(url, page, rutas)

        def one(address: str) -> int:
            try:
                answered, size, _ = fetch(address)
            except (httpx2.HTTPError, OSError) as exc:
                failures.append(f"{urlsplit(address).path}: {str(exc) or type(exc).__name__}")
                return 0
            if answered != HTTPStatus.OK and not address.endswith(_COMUNES):  # before the first cut there is none
                failures.append(f"{urlsplit(address).path} respondió {answered}")
            return size

        with ThreadPoolExecutor(CONEXIONES) as pool:
            total += sum(pool.map(one, wanted))
    return Visita(clock.monotonic() - start, total, 1 + len(wanted), tuple(sorted(failures)))


def _wanted(url: str, page: bytes, rutas: Sequence[str]) -> list[str]:
    here = urlsplit(url)[:2]
    named = [
        urljoin(url, found.decode("utf-8", "replace")).partition("#")[0]
        for found in _PEDIDO.findall(page)
        if not found.startswith((b"#", b"data:"))
    ]
    every = dict.fromkeys([*(one for one in named if _is_file(one)), *(urljoin(url, r) for r in (*_COMUNES, *rutas))])
    return [one for one in every if urlsplit(one)[:2] == here and one != url][:MAX_ARCHIVOS]


def _is_file(address: str) -> bool:
    return re.search(r"\.(css|js|mjs|svg|png|jpe?g|webp|ico|woff2?|json)$", urlsplit(address).path) is not None
