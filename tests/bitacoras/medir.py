"""One run over some files, as the command makes it, and the same requests written as each server writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pregon.bitacoras.cuenta import Corrida, open_run
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.resumen import summarise
from pregon.bitacoras.ventanas import SIEMPRE, Ventana

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pregon.bitacoras.medidas import Medida, Medidas

ZONA = ZoneInfo("America/Mexico_City")
AHORA = datetime(2021, 6, 10, 18, 0, tzinfo=UTC)
INICIO = datetime(2021, 6, 7, 1, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:89.0) Gecko/20100101 Firefox/89.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_MESES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mide(
    *paths: Path | Fuente,
    sitios: Sequence[str] = ("prep",),
    ventanas: Sequence[Ventana] | None = None,
    **more: Any,
) -> Medidas:
    """The measures of those files, all of time unless told."""
    spans = ventanas or [Ventana(site, "todo", 0, SIEMPRE) for site in range(len(sitios))]
    with open_run(Corrida(spans, hilos=1, **more)) as run:
        run.take([one if isinstance(one, Fuente) else Fuente(one) for one in paths])
        return summarise(run, sitios=sitios, zona=ZONA, now=AHORA)


def una(found: Medidas) -> Medida:
    """The only measure there is."""
    assert len(found.medidas) == 1
    return found.medidas[0]


def cuentas(found: Iterable[Any]) -> dict[str, int]:
    """Names and hits."""
    return {one.nombre: one.hits for one in found}


@dataclass(frozen=True)
class Peticion:
    """One request, as a server sees it; ``segundo`` after ``INICIO``, ``ms`` that it took."""

    segundo: int = 0
    direccion: str = "198.51.100.7"
    metodo: str = "GET"
    ruta: str = "/"
    protocolo: str = "HTTP/1.1"
    estado: int = 200
    bytes: int = 1000
    referente: str = "-"
    agente: str = FIREFOX
    ms: int = 5
    cache: str = "-"

    @property
    def hora(self) -> datetime:
        return INICIO + timedelta(seconds=self.segundo)


def clf(moment: datetime) -> str:
    """As Apache and nginx write an hour."""
    return f"{moment.day:02d}/{_MESES[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"


def combinado(one: Peticion) -> str:
    return f'{comun(one)} "{one.referente}" "{one.agente}"'


def comun(one: Peticion) -> str:
    size = one.bytes or "-"
    return f'{one.direccion} - - [{clf(one.hora)}] "{one.metodo} {one.ruta} {one.protocolo}" {one.estado} {size}'


def escribe(path: Path, some: Iterable[Peticion], line: Callable[[Peticion], str] = combinado, head: str = "") -> Path:
    path.write_text(head + "".join(line(one) + "\n" for one in some), encoding="utf-8")
    return path


def _s3(one: Peticion) -> str:
    key = one.ruta.lstrip("/") or "-"
    return (
        f"79a5 prep-2021 [{clf(one.hora)}] {one.direccion} - 3E57427F33A59F07 WEBSITE.GET.OBJECT {key} "
        f'"{one.metodo} {one.ruta} {one.protocolo}" {one.estado} - {one.bytes or "-"} {one.bytes} {one.ms} 3 '
        f'"{one.referente}" "{one.agente}" - s9lzHYrFp76ZVxRcpX9= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader '
        "prep-2021.s3.us-east-1.amazonaws.com TLSv1.2 -"
    )


CLOUDFRONT_CAMPOS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version"
)


def _cloudfront(one: Peticion) -> str:
    return "\t".join(
        (
            f"{one.hora:%Y-%m-%d}", f"{one.hora:%H:%M:%S}", "QRO50-C1", str(one.bytes), one.direccion, one.metodo,
            "d111111abcdef8.cloudfront.net", one.ruta, str(one.estado), one.referente,
            one.agente.replace(" ", "%20"), "-", "-",
            one.cache.capitalize(), "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==", "prep.ejemplo.mx",
            "https", "23", f"{one.ms / 1000:.3f}", "-", "TLSv1.2", "ECDHE", one.cache.capitalize(), one.protocolo,
        )
    )  # fmt: skip


IIS_CAMPOS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status sc-bytes time-taken"
)


def _iis(one: Peticion) -> str:
    agent = one.agente.replace(" ", "+")
    return (
        f"{one.hora:%Y-%m-%d %H:%M:%S} 10.0.0.5 {one.metodo} {one.ruta} - 443 - {one.direccion} {one.protocolo} "
        f"{agent} {one.referente} {one.estado} 0 0 {one.bytes} {one.ms}"
    )


def _caddy(one: Peticion) -> str:
    request = {
        "remote_ip": one.direccion, "remote_port": "5", "client_ip": one.direccion, "proto": one.protocolo,
        "method": one.metodo, "host": "prep.mx", "uri": one.ruta,
        "headers": {"User-Agent": [one.agente], "Referer": [one.referente]},
    }  # fmt: skip
    entry = {
        "level": "info", "ts": one.hora.timestamp() + 0.25, "logger": "http.log.access", "msg": "handled request",
        "request": request, "user_id": "", "duration": one.ms / 1000, "size": one.bytes, "status": one.estado,
    }  # fmt: skip
    return json.dumps(entry)


def _cloudflare(one: Peticion) -> str:
    entry = {
        "ClientIP": one.direccion, "ClientRequestMethod": one.metodo, "ClientRequestURI": one.ruta,
        "ClientRequestProtocol": one.protocolo, "ClientRequestReferer": one.referente,
        "ClientRequestUserAgent": one.agente,
        "EdgeStartTimestamp": int(one.hora.timestamp()) * 10**9, "EdgeResponseStatus": one.estado,
        "EdgeResponseBytes": one.bytes, "CacheCacheStatus": one.cache, "EdgeTimeToFirstByteMs": one.ms,
        "RayID": "3a6050bc",
    }  # fmt: skip
    return json.dumps(entry)


def _fastly(one: Peticion) -> str:
    return f"{_fastly_head(one)}{combinado(one)}"


def _fastly_head(one: Peticion) -> str:
    return f"<134>{one.hora:%Y-%m-%dT%H:%M:%SZ} cache-qro12345 bitacora[81]: "


def _fastly_json(one: Peticion) -> str:
    entry = {
        "timestamp": f"{one.hora:%Y-%m-%dT%H:%M:%S+0000}", "client_ip": one.direccion, "host": "prep.mx",
        "url": one.ruta,
        "request_method": one.metodo, "request_protocol": one.protocolo, "request_referer": one.referente,
        "request_user_agent": one.agente, "response_state": one.cache, "response_status": one.estado,
        "response_body_size": one.bytes, "time_elapsed": one.ms * 1000,
    }  # fmt: skip
    return json.dumps(entry)


def _nginx_json(one: Peticion) -> str:
    entry = {
        "time_iso8601": one.hora.astimezone(ZONA).isoformat(), "remote_addr": one.direccion,
        "request": f"{one.metodo} {one.ruta} {one.protocolo}", "status": str(one.estado),
        "body_bytes_sent": str(one.bytes),
        "http_referer": one.referente, "http_user_agent": one.agente, "request_time": f"{one.ms / 1000:.3f}",
        "upstream_cache_status": one.cache,
    }  # fmt: skip
    return json.dumps(entry)


FORMATOS: Mapping[str, tuple[Callable[[Peticion], str], str]] = {
    "combinado": (combinado, ""),
    "comun": (comun, ""),
    "vhost": (lambda one: f"prep.ejemplo.mx:443 {combinado(one)}", ""),
    "s3": (_s3, ""),
    "fastly": (_fastly, ""),
    "fastly-comun": (lambda one: _fastly_head(one) + comun(one), ""),
    "cloudfront": (_cloudfront, f"#Version: 1.0\n#Fields: {CLOUDFRONT_CAMPOS}\n"),
    "w3c": (_iis, f"#Software: Microsoft Internet Information Services 10.0\n#Fields: {IIS_CAMPOS}\n"),
    "caddy": (_caddy, ""),
    "cloudflare": (_cloudflare, ""),
    "fastly-json": (_fastly_json, ""),
    "nginx-json": (_nginx_json, ""),
}
"""How each known format writes a request, and what stands at the head of its file."""
CON_TIEMPO = frozenset({"s3", "cloudfront", "w3c", "caddy", "cloudflare", "fastly-json", "nginx-json"})
CON_CACHE = frozenset({"cloudfront", "cloudflare", "fastly-json", "nginx-json"})
SIN_AGENTE = frozenset({"comun", "fastly-comun"})
