"""Which site this is: whom it answers, where its forms may come from, and what every answer of it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOCAL = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?")
"""This machine by its own names, at any port: that of a tunnel is chosen by whoever opens it."""
_LOCALES = ("127.0.0.1", "::1")
POLITICA = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The CSP: nothing inline, nothing of others, in no frame."""
CABECERAS = (
    ("content-security-policy", POLITICA),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Not «no-referrer»: with it a browser sends «Origin: null» with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("x-robots-tag", "noindex, nofollow"),
)
HSTS = ("strict-transport-security", "max-age=31536000")


@dataclass(frozen=True)
class Sitio:
    """One site. ``nombre`` (letters, digits, hyphen) tells its cookies apart from those of others on this host.

    ``anfitrion``: the host (and port, if not 443) that people type, always over HTTPS; None where only this machine is
    answered. ``tls``: the connection itself is encrypted. ``proxy``: a reverse proxy of this machine gives us the
    client's address in ``X-Forwarded-For``.
    """

    nombre: str
    anfitrion: str | None = None
    tls: bool = False
    proxy: bool = False

    def conoce(self, host: str) -> bool:
        """Whether ``host`` is one of ours. A page of another that points its name at us is not (DNS rebinding)."""
        return host.lower().removesuffix(":443") == self.anfitrion or _LOCAL.fullmatch(host.lower()) is not None

    def seguro(self, host: str) -> bool:
        """Whether the browser came over HTTPS."""
        return self.tls or host.lower().removesuffix(":443") == self.anfitrion

    def galleta(self, host: str, que: str) -> str:
        """The cookie's name; ``__Host-`` wherever browsers take it, so that no neighbour can plant one."""
        return f"{'__Host-' if self.seguro(host) else ''}pregon-{self.nombre}-{que}"

    def propio(self, request: Request) -> bool:
        """Whether a form was sent by one of our own pages: its ``Origin``, else what the browser says of its site."""
        host = request.headers.get("host", "").lower()
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        if site not in (None, "same-origin"):
            return False
        if origin is None:
            return site == "same-origin"
        own = {f"{'https' if self.seguro(host) else 'http'}://{host.removesuffix(':443')}"}
        if self.anfitrion is not None:
            own.add(f"https://{self.anfitrion}")  # a proxy may have put its own «Host»
        return origin.lower().removesuffix(":443") in own

    def cliente(self, request: Request) -> str:
        """The address of who asks: the connection's, or what our own proxy says of it (the last one: its own word)."""
        peer = request.client.host if request.client else "?"
        if self.proxy and peer in _LOCALES:
            said = request.headers.getlist("x-forwarded-for")
            if said:
                return said[-1].rpartition(",")[2].strip()[:64] or peer
        return peer


class Cabeceras:
    """Puts on every answer, errors too, what each must carry; outermost of all."""

    def __init__(self, app: ASGIApp, sitio: Sitio) -> None:
        self._app = app
        extra: Iterable[tuple[str, str]] = (HSTS,) if sitio.tls or sitio.anfitrion is not None else ()
        self._headers = [(name.encode(), value.encode()) for name, value in (*CABECERAS, *extra)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer of the application inside, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                known = {name.lower() for name, _ in headers}
                headers += [pair for pair in self._headers if pair[0] not in known]
                if b"cache-control" not in known:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers)
