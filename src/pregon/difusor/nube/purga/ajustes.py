"""``[nube.purga]`` of ``difusor.toml``: how the cache before the portal is told to forget what changed."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.transport.lugar import Secreto

Tipo = Literal["cloudfront", "cloudflare", "fastly", "varnish", "nginx", "ninguna"]

REPASO_S = {"varnish": 0.6, "nginx": 0.6, "fastly": 2.0}
"""``repaso_s`` where the settings say nothing, by type; 0 for the rest, which see to it themselves.

Varnish's is longer than ``textos.LENTA_S``. Fastly's: between its points of presence and a shield, an answer of before
may be kept again after the purge."""

_NEEDS = {
    "cloudfront": ("distribucion",),
    "cloudflare": ("zona", "secreto"),
    "fastly": ("secreto",),
    "varnish": ("equipos", "secreto"),
    "nginx": ("equipos", "secreto"),
    "ninguna": (),
}
_MAY = {
    "cloudfront": ("clave_acceso", "secreto", "extremo", "proxy", "ca"),
    "cloudflare": ("extremo", "proxy", "ca"),
    "fastly": ("servicio", "extremo", "repaso_s", "proxy", "ca"),
    "varnish": ("repaso_s", "red_privada", "ca"),
    "nginx": ("repaso_s", "red_privada", "ca"),
    "ninguna": (),
}
_Identificador = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{8,64}$")]


class AjustesPurga(Settings):
    """What is told to forget, and who we are there. Each ``tipo`` has its own keys, and takes no other.

    * ``cloudfront``: ``distribucion``; ``clave_acceso`` and ``secreto``, or those of the environment or the machine.
    * ``cloudflare``: ``zona`` and ``secreto``, a token that may purge that zone and nothing else.
    * ``fastly``: ``secreto``, a token with the scope ``purge_select``; ``servicio`` where many pages are to be purged
      at once, by the surrogate key ``pregon-mutable``.
    * ``varnish`` and ``nginx``: ``equipos``, the address of each machine up to where the portal begins, and
      ``secreto``, the word that they ask for. ``red_privada``: the way there is a private network, and ``http://``
      is enough.

    ``secreto`` is ``env:NAME`` or ``archivo:PATH``, never the secret itself. ``extremo``: the service's address where
    it is not the usual one. ``repaso_s``: seconds after which what was purged is purged again, because something of
    before may have been on its way; 0: once. ``ca`` and ``proxy`` as in ``Lugar``.
    """

    tipo: Tipo = "ninguna"
    distribucion: _Identificador | None = None
    zona: _Identificador | None = None
    servicio: _Identificador | None = None
    equipos: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    clave_acceso: str | None = None
    secreto: Secreto | None = None
    extremo: Annotated[str, Field(pattern=r"^https?://[^?#@]+$")] | None = None
    repaso_s: Annotated[float, Field(ge=0, le=30)] | None = None
    red_privada: bool = False
    ca: Path | None = None
    proxy: Annotated[str, Field(pattern=r"^https?://[^/@]+/?$")] | None = None

    @field_validator("equipos")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not _plain(each):
                raise PydanticCustomError(
                    "equipos", "{each} debe ser http(s)://equipo[:puerto][/carpeta]", {"each": repr(each)}
                )
        return tuple(each.rstrip("/") for each in value)

    @model_validator(mode="after")
    def _keys_of_its_type(self) -> AjustesPurga:
        needs, may = _NEEDS[self.tipo], _MAY[self.tipo]
        missing = [name for name in needs if not getattr(self, name)]
        if missing:
            raise PydanticCustomError(
                "purga",
                "a «{tipo}» le falta: {names}",
                {"tipo": self.tipo, "names": ", ".join(missing)},
            )
        other = sorted(self.model_fields_set - {"tipo", *needs, *may})
        if other:
            raise PydanticCustomError(
                "purga", "«{tipo}» no lleva: {names}", {"tipo": self.tipo, "names": ", ".join(other)}
            )
        if self.tipo == "cloudfront" and (self.clave_acceso is None) != (self.secreto is None):
            raise PydanticCustomError("purga", "«clave_acceso» y «secreto» van juntos")
        for each in (*self.equipos, *([self.extremo] if self.extremo else [])):
            if not (self.red_privada or each.startswith("https://") or _local(each)):
                raise PydanticCustomError(
                    "purga",
                    "a {each} el secreto viajaría sin cifrar: use https://, o «red_privada = true» si el camino hasta "
                    "ese equipo es una red privada",
                    {"each": each},
                )
        return self

    @property
    def repaso(self) -> float:
        """``repaso_s``, or what its type needs."""
        return REPASO_S.get(self.tipo, 0.0) if self.repaso_s is None else self.repaso_s


def _plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    more = parts.username is not None or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not more


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
