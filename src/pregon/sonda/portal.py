"""One public portal, looked at again and again as citizens do: does it answer, what does it show, are its bytes so?

Each look reads the stamp and the cover, and then the files that it is told to, over one connection that is kept. A file
is asked for as a browser does (``br, gzip``) and, where the answer came compressed, plain too: they are two files of
the server, and either may be altered alone. Nothing is believed to be unchanged because the server says so (304).
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

from pregon.base.hashing import sha256_bytes
from pregon.paquete.names import MANIFIESTO
from pregon.sonda.cabeceras import faltas, se_guarda
from pregon.sonda.codificacion import CODIFICACIONES, SOBRA, decodificado
from pregon.sonda.probe import MAX_STAMP_BYTES, parse_stamp
from pregon.sonda.tls import falla_de_tls
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pregon.base.clock import Clock
    from pregon.paquete.manifest import FileEntry
    from pregon.sonda.probe import CutStamp

Forma: TypeAlias = Literal["resultados", "espera", "aviso", "otra"]

PORTADA_MAX = 4 << 20
"""Bytes of a cover, as they come and decoded."""
ARCHIVO_MAX = 64 << 20
MANIFIESTO_MAX = 32 << 20
SALTOS = 3
"""Redirections of the cover within its own host."""
GUARDADO_MAX_S = 60.0
"""For so long an old cover may be kept on the way before it is told."""
FRASES: tuple[tuple[str, Forma], ...] = (
    ("todavía no se publican", "espera"),
    ("no muestra resultados por el momento", "aviso"),
    ("se interrumpió la transmisión de resultados", "aviso"),
    ("ya no es un difusor oficial", "aviso"),
)
"""What the pages that are not results say of themselves (``difusor.pages``), in lower case."""
_CONTENIDO = (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
"""Who answers 403, 429 or 503 refuses or fails: it may be a guard before the server that takes us for an attacker."""


@dataclass(frozen=True)
class Limites:
    """Seconds: ``conexion_s`` until a connection is there, ``respuesta_s`` for one whole answer, ``mirada_s`` for all
    of a look. What is not read by then did not come."""

    respuesta_s: float = 12.0
    conexion_s: float = 5.0
    mirada_s: float = 30.0


@dataclass(frozen=True)
class Lectura:
    """One file asked for. ``sha256`` of its bytes, decoded; None where it did not come whole."""

    ruta: str
    esperado: str
    sha256: str | None
    segundos: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Mirada:
    """One look. ``codigo`` RED or TLS and ``porque`` where it was not reached; else what it shows.

    ``estampa``: what its ``corte.json`` says. ``portada_sha256``: of its cover, decoded. ``desfase_s``: its clock less
    ours, by its header Date. ``vence``: the end of its certificate. ``segundos``: the slowest answer; ``bytes``: all
    that came.
    """

    url: str
    hora: datetime
    alcanzable: bool
    codigo: str | None = None
    porque: str | None = None
    estado: int | None = None
    forma: Forma = "otra"
    estampa: CutStamp | None = None
    portada_sha256: str | None = None
    cabeceras: tuple[str, ...] = ()
    lecturas: tuple[Lectura, ...] = ()
    segundos: float = 0.0
    desfase_s: float | None = None
    vence: datetime | None = None
    bytes: int = 0


class _NoRespondeError(Exception):
    """No whole answer came; ``codigo`` is RED, or TLS where that is why."""

    def __init__(self, codigo: str, porque: str) -> None:
        super().__init__(porque)
        self.codigo = codigo


@dataclass(frozen=True)
class _Respuesta:
    status: int
    headers: Mapping[str, str]
    body: bytes
    segundos: float
    codificada: bool
    entera: bool
    """It was not longer than admitted, and could be decoded."""


class Portal:
    """The portal at ``url`` (its folder, with or without the last bar). One thread at a time; ``close`` at the end."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        real: Clock,
        limites: Limites | None = None,
        tls: ssl.SSLContext | None = None,
        acceso: tuple[str, str] | None = None,
        hsts: bool = True,
    ) -> None:
        """``clock`` stamps each look, ``real`` measures it. ``acceso``: user and password of a closed rehearsal;
        ``hsts`` as ``cabeceras.faltas``.
        """
        import httpx2  # Only where somebody watches.

        self.url = url if url.endswith("/") else url + "/"
        self._base = self.url  # where its cover is, after redirections
        self._clock = clock
        self._real = real
        self._limits = limites or Limites()
        self._hsts = hsts
        self._plazo = Plazo()
        self._end = 0.0
        self._slowest = 0.0
        self._bytes = 0
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(self._limits.respuesta_s, connect=self._limits.conexion_s),
            follow_redirects=False,
            trust_env=False,
            verify=True if tls is None else tls,
            auth=acceso,
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=90.0),
            headers={"user-agent": "pregon-sonda", "accept-encoding": CODIFICACIONES},
        )
        self._failures: tuple[type[BaseException], ...] = (httpx2.HTTPError, httpx2.InvalidURL, OSError)
        self._timeouts: tuple[type[BaseException], ...] = (httpx2.TimeoutException,)
        self._expires: datetime | None = None

    def close(self) -> None:
        """Close its connection."""
        self._client.close()

    def mira(self, elige: Callable[[CutStamp | None, str], Sequence[FileEntry]]) -> Mirada:
        """Look now. ``elige`` gets the stamp and the hash of the cover, and says what to read besides.

        Nothing is raised for what the portal does. What changes under the look (a new cut) is looked at once more.
        """
        look = self._once(elige)
        if any(one.sha256 not in (None, one.esperado) for one in look.lecturas):
            with contextlib.suppress(_NoRespondeError):
                stamp, _ = self._stamp()
                if stamp != look.estampa:
                    return self._once(elige)
        return look

    def manifiesto(self) -> bytes | None:
        """The bytes of the manifest that it publishes; None where there is none."""
        try:
            answer = self._ask(MANIFIESTO, MANIFIESTO_MAX)
        except _NoRespondeError:
            return None
        return answer.body if answer.status == HTTPStatus.OK and answer.entera else None

    def _once(self, elige: Callable[[CutStamp | None, str], Sequence[FileEntry]]) -> Mirada:
        self._end = self._real.monotonic() + self._limits.mirada_s
        self._slowest, self._bytes = 0.0, 0
        hour = self._clock.now()
        try:
            cover, url = self._cover()
            self._base = urljoin(url, ".")
            stamp, stamped = self._stamp() if cover.status == HTTPStatus.OK else (None, cover)
        except _NoRespondeError as exc:
            return Mirada(
                url=self.url, hora=hour, alcanzable=False, codigo=exc.codigo, porque=str(exc), segundos=self._slowest
            )
        offset = self._offset(cover.headers)
        if cover.status != HTTPStatus.OK or not cover.entera:
            return Mirada(
                url=self.url,
                hora=hour,
                alcanzable=False,
                codigo="RED",
                porque=f"la portada respondió {cover.status}" if cover.entera else "la portada no se puede leer",
                estado=cover.status,
                segundos=self._slowest,
                desfase_s=offset,
                bytes=self._bytes,
            )
        cached = se_guarda(cover.headers, GUARDADO_MAX_S)
        sha256 = sha256_bytes(cover.body)
        look = Mirada(
            url=self.url,
            hora=hour,
            alcanzable=True,
            estado=cover.status,
            forma=forma(cover.body) if stamp is None else "resultados",
            estampa=stamp,
            portada_sha256=sha256,
            cabeceras=(
                *faltas(cover.headers, url, hsts=self._hsts),
                *(() if cached is None else (f"la portada {cached}",)),
            ),
            desfase_s=offset,
            vence=self._expires,
        )
        had = {"corte.json": stamped, "index.html": cover}
        read = tuple(self._read(entry, had.get(entry.ruta)) for entry in elige(stamp, sha256))
        return replace(look, lecturas=read, segundos=self._slowest, bytes=self._bytes)

    # Answers.

    def _stamp(self) -> tuple[CutStamp | None, _Respuesta]:
        answer = self._ask("corte.json", MAX_STAMP_BYTES)
        whole = answer.status == HTTPStatus.OK and answer.entera
        return (parse_stamp(answer.body) if whole else None), answer

    def _cover(self) -> tuple[_Respuesta, str]:
        """The cover, after redirections within its host, and the address that gave it."""
        url = self.url
        answer = self._ask(url, PORTADA_MAX)
        for _ in range(SALTOS):
            place = answer.headers.get("location")
            if not 300 <= answer.status < 400 or place is None:
                break
            following = urljoin(url, place)
            if urlsplit(following).hostname != urlsplit(url).hostname:
                break
            url = following
            answer = self._ask(url, PORTADA_MAX)
        return answer, url

    def _read(self, entry: FileEntry, had: _Respuesta | None) -> Lectura:
        """One file in both codings, ``had`` being the first; the hash that differs, where one does."""
        limit = min(entry.bytes, ARCHIVO_MAX)
        try:
            answer = had or self._ask(entry.ruta, limit)
            found = _hash(answer)
            seconds = answer.segundos
            if found == entry.sha256 and answer.codificada:
                plain = self._ask(entry.ruta, limit, coding="identity")
                found, seconds = _hash(plain), max(seconds, plain.segundos)
        except _NoRespondeError:
            return Lectura(entry.ruta, entry.sha256, None)
        return Lectura(entry.ruta, entry.sha256, found, seconds)

    def _ask(self, ruta: str, limit: int, *, coding: str = CODIFICACIONES) -> _Respuesta:
        """One answer, asked for again where a connection that was kept turns out to be closed."""
        url = ruta if "://" in ruta else self._base + quote(ruta)
        for last in (False, True):
            try:
                return self._exchange(url, limit, coding)
            except self._failures as exc:
                tls = falla_de_tls(exc)
                if tls is not None:
                    raise _NoRespondeError("TLS", tls) from exc
                if self._plazo.vencido or self._real.monotonic() >= self._end:
                    raise _NoRespondeError("RED", f"tardó más de {self._limits.respuesta_s:g} s") from exc
                if last or isinstance(exc, self._timeouts):
                    raise _NoRespondeError("RED", str(exc) or type(exc).__name__) from exc
        raise AssertionError

    def _exchange(self, url: str, limit: int, coding: str) -> _Respuesta:
        start = self._real.monotonic()
        left = min(self._limits.respuesta_s, self._end - start)
        if left <= 0:
            raise TimeoutError("se acabó el tiempo de la mirada")
        pieces, size, whole = [], 0, True
        try:
            with (
                self._plazo.limit(left),
                self._client.stream(
                    "GET", url, headers={"accept-encoding": coding}, extensions=self._plazo.extensions
                ) as response,
            ):
                headers = {name.lower(): value for name, value in response.headers.items()}
                encoding = headers.get("content-encoding", "identity").lower()
                most = limit + (0 if encoding == "identity" else SOBRA)
                for piece in response.iter_raw():
                    size += len(piece)
                    pieces.append(piece)
                    if size > most:
                        whole = False
                        break
                self._note_certificate(response)
        finally:
            seconds = self._real.monotonic() - start
            self._slowest = max(self._slowest, seconds)
            self._bytes += size
        if self._plazo.vencido:
            raise TimeoutError(f"tardó más de {left:g} s")
        body = decodificado(b"".join(pieces), encoding, limit) if whole else None
        return _Respuesta(
            status=response.status_code,
            headers=headers,
            body=b"".join(pieces) if body is None else body,
            segundos=seconds,
            codificada=encoding != "identity",
            entera=body is not None,
        )

    def _note_certificate(self, response: object) -> None:
        extensions = getattr(response, "extensions", {})
        stream = extensions.get("network_stream")
        secure = None if stream is None else stream.get_extra_info("ssl_object")
        shown = None if secure is None else secure.getpeercert()
        if shown and isinstance(text := shown.get("notAfter"), str):
            self._expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(text), self._clock.now().tzinfo)

    def _offset(self, headers: Mapping[str, str]) -> float | None:
        """Seconds that its clock is ahead of the machine's own."""
        try:
            told = parsedate_to_datetime(headers["date"])
        except (KeyError, ValueError):
            return None
        return None if told.tzinfo is None else (told - self._real.now()).total_seconds()


def forma(cover: bytes) -> Forma:
    """What a cover without a cut is, by what it says of itself."""
    text = cover.decode("utf-8", "replace").lower()
    return next((form for phrase, form in FRASES if phrase in text), "otra")


def _hash(answer: _Respuesta) -> str | None:
    """Of what was answered: that there is no such file is another content than the file. None: it gave no content."""
    return sha256_bytes(answer.body) if answer.status in _CONTENIDO else None
