"""What tells the cache before the portal to forget what changed (INE-II-a-i-2). One adapter for each kind of cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError
from pregon.transport.lugar import read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.nube.purga.ajustes import AjustesPurga, Tipo

PACIENCIA_S: dict[Tipo, float] = {
    "cloudfront": 150.0,
    "cloudflare": 20.0,
    "fastly": 10.0,
    "varnish": 5.0,
    "nginx": 5.0,
    "ninguna": 10.0,
}
"""How long the edges of each kind may take, before it is worth telling them again. CloudFront's take a minute or two,
and each order there is one of few and costs; where nobody is told, what is kept ends by itself."""


class Adaptador(Protocol):
    """What each kind of cache implements. Its paths are clean (``rutas.limpia``) and there is one at least."""

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None: ...

    def close(self) -> None: ...


class Purga(Protocol):
    """One cache, or one CDN. ``paciencia_s``: how long its edges may take to forget what they were told to."""

    @property
    def paciencia_s(self) -> float: ...

    def purga(self, rutas: Sequence[str], *, olvida: bool = False) -> None:
        """Have it forget these public paths («/», «/gub/», «/corte.json»), and nothing that never changes.

        ``olvida``: what was there is withdrawn (an aviso), and not even a failing origin may bring it back; else a
        cache that can keeps it for that. To purge again what is already purged changes nothing: after any failure all
        of them are asked for again.

        Raises:
            RedError: it cannot be reached, or fails.
            PurgaError: it refuses; ``espera_s`` says whether to wait is enough.
        """

    def close(self) -> None:
        """Close its connections."""


def abre(
    ajustes: AjustesPurga,
    *,
    folder: Path,
    environment: Mapping[str, str],
    clock: Clock,
    publica: str | None = None,
) -> Purga:
    """What purges as ``ajustes`` say.

    ``folder`` is the workspace of their paths, ``environment`` has their secrets, ``publica`` is the public address of
    the portal. Nothing is asked over the network yet.

    Raises:
        AjustesError: a secret or a certificate cannot be read, the library is missing, or ``publica`` is.
    """
    if ajustes.tipo == "ninguna":
        return _Ninguna()
    secret = (
        None
        if ajustes.secreto is None
        else read_secret(ajustes.secreto, f"[nube.purga] ({ajustes.tipo})", folder, environment)
    )
    if secret is not None and not (secret.isascii() and secret.isprintable()):
        raise _wrong(f"el secreto de [nube.purga] ({ajustes.tipo}) tiene caracteres que no pueden viajar")
    return _Limpia(_adapter(ajustes, secret, folder, environment, clock, publica), ajustes.tipo, ajustes.repaso)


def _adapter(
    ajustes: AjustesPurga,
    secret: str | None,
    folder: Path,
    environment: Mapping[str, str],
    clock: Clock,
    publica: str | None,
) -> Adaptador:
    if ajustes.tipo == "cloudfront":
        from pregon.difusor.nube.purga.cloudfront import CloudFront

        return CloudFront(ajustes, secret, publica, folder=folder, environment=environment)
    assert secret is not None  # noqa: S101 (the settings ask for it)
    if ajustes.tipo in ("varnish", "nginx"):
        from pregon.difusor.nube.purga.propios import Nginx, Varnish

        return (Varnish if ajustes.tipo == "varnish" else Nginx)(ajustes, secret, folder=folder, clock=clock)
    if publica is None:
        raise _wrong(f"«{ajustes.tipo}» se purga por direcciones completas, y falta «publica» en su [[nube]]")
    base = publica.rstrip("/")
    if ajustes.tipo == "cloudflare":
        from pregon.difusor.nube.purga.cloudflare import Cloudflare

        return Cloudflare(ajustes, secret, base, folder=folder, clock=clock)
    from pregon.difusor.nube.purga.fastly import Fastly

    return Fastly(ajustes, secret, base, folder=folder, clock=clock)


class _Ninguna:
    """Nobody keeps copies, or they live as long as their headers say."""

    paciencia_s = PACIENCIA_S["ninguna"]

    def purga(self, rutas: Sequence[str], *, olvida: bool = False) -> None:
        pass

    def close(self) -> None:
        pass


class _Limpia:
    """An adapter that gets each path once, as a browser asks for it, and twice where the cache needs it.

    Why twice: who asked the cache for a page just before may still be getting the old one from the origin, and the
    cache would keep it after having forgotten.
    """

    def __init__(self, adapter: Adaptador, tipo: Tipo, repaso_s: float) -> None:
        self._adapter = adapter
        self._repaso_s = repaso_s
        self.paciencia_s = PACIENCIA_S[tipo]
        self._real = SystemClock()

    def purga(self, rutas: Sequence[str], *, olvida: bool = False) -> None:
        from pregon.difusor.nube.purga.rutas import limpia

        clean = limpia(rutas)
        if not clean:
            return
        start = self._real.monotonic()
        self._adapter.purga(clean, olvida=olvida)
        if self._repaso_s:
            # Counted from the first order: what was asked of the origin before it is what must not stay.
            self._real.sleep(max(0.0, self._repaso_s - (self._real.monotonic() - start)))
            self._adapter.purga(clean, olvida=olvida)

    def close(self) -> None:
        self._adapter.close()


def _wrong(reason: str) -> AjustesError:
    return AjustesError(
        f"No se puede purgar: {reason}.",
        intacto="No se purgó nada; lo publicado sigue como estaba.",
        que_hacer="Corrija [nube.purga] en difusor.toml y repita la orden.",
    )
