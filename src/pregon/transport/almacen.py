"""An S3 store as a place: its address, who we are there, and what its refusals mean. ``s3`` and ``subida`` use it.

obstore finds the credentials (those of the settings, the environment's, the instance's) and signs; no line of ours
computes a signature.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import obstore
from obstore.store import S3Store

from pregon.base.errors import AjustesError
from pregon.base.razones import razon
from pregon.transport.causas import Causa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.transport.lugar import Lugar

ANONIMO = "anonimo"
"""As ``clave_acceso``, without ``secreto``: ask unsigned, of a bucket that anybody may read."""
RETRIES = 1
WHOLE_S = 6 * 3600.0
"""For one whole exchange of obstore's; who reads has closer limits."""
SIGNED_FOR = timedelta(minutes=15)
"""A signed address is used at once; what it allows to begin may take longer."""

_NO_PROXY = {"proxy_url": "http://127.0.0.1:9", "proxy_excludes": "*,0.0.0.0/0,::/0"}
"""The library would obey the environment's proxy: one that is used for nobody takes its place."""
_AVISE = "Avise a quien administra el almacén; se intentará de nuevo en el siguiente ciclo."
_CLAVES = "Revise «clave_acceso» y «secreto»: que sean los vigentes, y que permitan esto en este lugar."
_IDENTITY = re.compile(r"://169\.254\.\d+\.\d+/|/latest/api/token|/latest/meta-data")
"""Where clouds give a machine its credentials: whoever asks there found none nearer."""
_TEMPORALES = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Negativa:
    """Why a store said no. ``nuestra``: it will say the same until somebody changes settings, permissions or room."""

    causa: Causa
    estado: int | None
    codigo: str
    nuestra: bool

    @property
    def ausente(self) -> bool:
        """The bucket answers, and has no such object."""
        return self.estado == 404 and self.codigo != "NoSuchBucket"

    @property
    def sin_permiso(self) -> bool:
        """Refused by permissions: of an identity that may not list, what is not there too."""
        return self.estado == 403 and self.codigo in ("", "AccessDenied")


class Almacen:
    """The bucket and prefix of a ``lugar`` whose scheme is ``s3``."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        environment: Mapping[str, str],
        connect_s: float,
        stall_s: float,
        suma: bool = False,
    ) -> None:
        """``folder``: the workspace of ``lugar``'s paths. ``environment``: where its secret, or ``AWS_*``, is.

        ``suma``: what is put travels with its SHA-256, and a store that knows of it takes nothing else.

        Raises:
            AjustesError: the secret, the access key or the certificates are not there or cannot be used.
        """
        self.lugar = lugar
        self.prefijo = lugar.ruta.strip("/")
        self._url = _bucket_url(lugar)
        self._sum = suma
        self._who = _credentials(lugar, folder, environment)
        self._options = _client_options(lugar, folder, connect_s=connect_s, stall_s=stall_s)
        self._retries = {
            "max_retries": RETRIES,
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=1), "base": 2},
            "retry_timeout": timedelta(seconds=connect_s + stall_s),
        }
        self.store = self._open(self._url, self.prefijo or None)

    def clave(self, ruta: str) -> str:
        """The object's whole name in the bucket."""
        return f"{self.prefijo}/{ruta}" if self.prefijo else ruta

    def sign(self, method: Any, ruta: str | None, query: Mapping[str, str] | None = None) -> str:
        """An address that does ``method`` for whoever has it, during ``SIGNED_FOR``; ``ruta`` None is the bucket.

        Raises:
            obstore.exceptions.BaseError: there are no credentials to sign with.
        """
        key = "" if ruta is None else "/" + quote(self.clave(ruta), safe="/~")
        if self._who.get("skip_signature"):
            return f"{self._url}{key or '/'}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        if query is None and ruta is not None:
            return str(obstore.sign(self.store, method, ruta, SIGNED_FOR))
        # obstore signs addresses of objects only, but whole: what its endpoint carries, the query of a multipart
        # upload, is signed with it. The name ends in «x-id», which S3 ignores, because obstore adds a «/» there.
        text = urlencode({**(query or {}), "x-id": ""}, quote_via=quote)
        return str(obstore.sign(self._open(f"{self._url}{key}?{text}", None), method, "", SIGNED_FOR))

    def _open(self, endpoint: str, prefix: str | None) -> S3Store:
        return S3Store(
            None,
            prefix=prefix,
            config={
                "bucket": self.lugar.partes.netloc,
                # Both names of one thing: the second would win if the environment had it.
                "endpoint": endpoint,
                "aws_endpoint_url_s3": endpoint,
                "virtual_hosted_style_request": True,  # which is: our endpoint names the bucket already
                "region": self.lugar.region,
                "skip_signature": bool(self._who.get("skip_signature")),
                **({"checksum_algorithm": "sha256"} if self._sum else {}),
            },
            client_options=self._options,  # type: ignore[arg-type] # built by steps
            retry_config=self._retries,  # type: ignore[arg-type] # same
            credential_provider=self._who.get("credential_provider"),
        )


def _bucket_url(lugar: Lugar) -> str:
    endpoint = (lugar.extremo or f"https://s3.{lugar.region}.amazonaws.com").rstrip("/")
    bucket = lugar.partes.netloc
    if lugar.estilo_ruta:
        return f"{endpoint}/{bucket}"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{bucket}.{parts.netloc}"


def _credentials(lugar: Lugar, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    secret = lugar.secret(folder, environment)
    key: str | None = lugar.clave_acceso
    token: str | None = None
    if key == ANONIMO and secret is None:
        return {"skip_signature": True}
    if (key is None) != (secret is None):
        raise AjustesError(
            f"No sirven los ajustes de {lugar.sin_secretos}: «clave_acceso» y «secreto» van juntos.",
            intacto="No se envió ni se leyó nada.",
            que_hacer=f"Ponga los dos, ninguno (los del entorno o de la máquina), o «{ANONIMO}» si es público.",
        )
    if key is None:
        key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
        token = environment.get("AWS_SESSION_TOKEN")
    if not key or not secret:
        return {}  # obstore looks for the identity of the container or the machine
    fixed = {"access_key_id": key, "secret_access_key": secret, "token": token, "expires_at": None}
    return {"credential_provider": lambda: fixed}


def _client_options(lugar: Lugar, folder: Path, *, connect_s: float, stall_s: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "allow_http": (lugar.extremo or "").startswith("http://"),
        "connect_timeout": timedelta(seconds=connect_s),
        "read_timeout": timedelta(seconds=stall_s),
        "timeout": timedelta(seconds=WHOLE_S),
        "user_agent": "pregon",
        **({"proxy_url": lugar.proxy} if lugar.proxy else _NO_PROXY),
    }
    if lugar.ca is not None:
        try:
            options["root_certificate"] = (folder / lugar.ca).read_bytes()
        except OSError as exc:
            raise AjustesError(
                f"No se pudo leer «ca» de {lugar.sin_secretos}: {razon(exc)}.",
                intacto="No se envió ni se leyó nada.",
                que_hacer="Revise la ruta del archivo de certificados.",
            ) from exc
    return options


def refusal(status: int | None, body: str) -> Negativa:
    """What a store's answer means. ``body``: its XML, or the text of obstore's error, which quotes it."""
    found = re.search(r"<Code>\s*([A-Za-z0-9]{1,60})\s*</Code>", body)
    code = found[1] if found else ""
    said = re.search(r"<Message>([^<]{1,300})</Message>", body)
    words = html.unescape(said[1]).strip() if said else ""
    if code == "RequestTimeTooSkewed" or (
        code == "AccessDenied" and re.search("expired|not (yet )?valid( yet)?", words)
    ):
        causa = Causa(
            "el reloj de este equipo no concuerda con el suyo, y por eso no acepta lo que se le firma",
            "Ponga en hora este equipo (NTP) y repita.",
        )
        return Negativa(causa, status, "RequestTimeTooSkewed", nuestra=True)
    return Negativa(_plain(status, code, words), status, code, nuestra=_ours(status, code))


def _ours(status: int | None, code: str) -> bool:
    full = code in ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge")
    return full or (status is not None and status not in _TEMPORALES and code not in ("NoSuchUpload", "RequestTimeout"))


def _plain(status: int | None, code: str, words: str) -> Causa:
    told = f" ({code or f'estado {status}'})"
    match code:
        case "NoSuchBucket":
            return Causa(f"ahí no hay ningún depósito con ese nombre{told}", "Revise «url» y «extremo».")
        case "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken":
            return Causa(f"no acepta las credenciales de este equipo{told}", _CLAVES)
        case "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException":
            return Causa(f"el depósito está en otra región{told}", "Revise «region» y «extremo».")
        case "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull" | "EntityTooLarge":
            return Causa(f"ahí no cabe más{told}", "Pida que hagan lugar, y repita.")
        case "SlowDown" | "TooManyRequests" | "RequestLimitExceeded":
            return Causa(f"pide que se pregunte menos{told}", "Se intentará de nuevo en el siguiente ciclo.")
        case "NoSuchUpload":
            return Causa(f"otra entrega a la vez ya terminó o quitó este envío{told}", "Se intentará de nuevo.")
        case _:
            pass
    if status in (401, 403):
        return Causa(f"no da permiso{told}", _CLAVES)
    if status == 507:
        return Causa(f"ahí no cabe más{told}", "Pida que hagan lugar, y repita.")
    if status is not None and 300 <= status < 400:
        return Causa(f"envía a otra dirección{told}", "Revise «region» y «extremo».")
    return Causa(f"respondió con el estado {status}{f' ({code})' if code else ''}", _AVISE)


def of_obstore(exc: Exception) -> Negativa:
    """What an error of obstore's means."""
    text = str(exc)
    if _IDENTITY.search(text):
        causa = Causa("no hay credenciales en los ajustes, ni en el entorno, ni las da esta máquina", _CLAVES)
        return Negativa(causa, None, "", nuestra=True)
    found = re.search(r"status code: (\d{3})", text)
    if found:
        return refusal(int(found[1]), text)
    if isinstance(exc, FileNotFoundError):
        return Negativa(Causa("no está", _AVISE), 404, "", nuestra=True)
    return Negativa(_no_answer(text), None, "", nuestra=False)


def _no_answer(text: str) -> Causa:
    low = text.lower()
    if "certificate" in low or "invalidcertificate" in low:
        kind = next(
            (word for word in ("Expired", "NotValidForName", "NotValidYet", "UnknownIssuer") if word in text), ""
        )
        plain = {
            "Expired": "su certificado venció, según el reloj de este equipo",
            "NotValidYet": "su certificado todavía no vale, según el reloj de este equipo",
            "NotValidForName": "su certificado es de otro equipo",
            "UnknownIssuer": "su certificado lo firma una autoridad que este equipo no conoce",
        }
        return Causa(plain.get(kind, "su certificado no se acepta"), "Revise «ca», «extremo» y el reloj del equipo.")
    if "redirect" in low:
        return Causa("el depósito está en otra región", "Revise «region» y «extremo».")
    if "dns error" in low:
        return Causa("ese nombre de equipo no existe o no se pudo consultar", "Revise «extremo» y el DNS.")
    if "connectionrefused" in low or "connection refused" in low:
        return Causa("no se pudo conectar: nadie atiende ahí", "Revise «extremo» y la red.")
    if "timedout" in low or "timed out" in low:
        return Causa("no contesta, o dejó de responder", "Revise la red; se intentará de nuevo.")
    return Causa("la conexión falló o se cortó", "Revise la red y «extremo»; se intentará de nuevo.")
