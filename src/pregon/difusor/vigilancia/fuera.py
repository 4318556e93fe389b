"""Our own public address, asked as a citizen would: is it there, is it safe, is it quick, and is it what was signed?"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pregon.base.errors import RedError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.difusor import pages, pointer
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.servidor.sitio import security_headers, site_of
from pregon.difusor.vigilancia.alarmas import Sintoma
from pregon.paquete.names import MANIFIESTO
from pregon.sonda.codificacion import decodificado
from pregon.sonda.probe import Limits, probe
from pregon.transport.peticion import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.clock import Clock
    from pregon.difusor.historia.history import History
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace
    from pregon.sonda.probe import Probe

CODIGOS = (
    "PORTAL_ALTERADO",
    "PORTAL_VIEJO",
    "PORTAL_CAIDO",
    "PORTAL_TLS",
    "PORTAL_LENTO",
    "PORTAL_CABECERAS",
    "CERTIFICADO",
)
MUESTRA_MAX = 8 << 20
"""Files larger than this are not asked for: the sweep hashes them where they lie."""
CERTIFICADO_GRAVE = timedelta(days=3)
NOMBRADAS = 5
PORTADA = "index.html"


@dataclass(frozen=True, kw_only=True)
class Portal:
    """One look from outside. ``caido`` says why it does not answer; ``alterados`` are the paths that differ.

    ``otro_corte``: its manifest is that of another accepted cut. ``lentos``: paths with their seconds. ``restringido``:
    it asks who we are, so only that it answers is known.
    """

    url: str
    caido: str | None = None
    tls: str | None = None
    alterados: tuple[str, ...] = ()
    otro_corte: int | None = None
    lentos: tuple[tuple[str, float], ...] = ()
    sin_cabeceras: tuple[str, ...] = ()
    restringido: bool = False
    vence: datetime | None = None
    segundos: float | None = None


@dataclass
class _Cuenta:
    alterados: list[str] = field(default_factory=list)
    lentos: list[tuple[str, float]] = field(default_factory=list)
    sin_cabeceras: list[str] = field(default_factory=list)
    otro_corte: int | None = None
    segundos: float | None = None


class _CaidoError(Exception):
    """It does not answer as it should: nothing more is asked in this look."""


class _OtraPublicacionError(Exception):
    """What is public changed during the look: it proves nothing."""


class Visitante:
    """Looks at the portal of one workspace. ``real`` is the machine's own clock: certificates know no simulacro."""

    def __init__(self, workspace: Workspace, history: History, real: Clock) -> None:
        self._workspace = workspace
        self._history = history
        self._real = real
        self._azar = random.SystemRandom()
        self._known: tuple[str, dict[str, tuple[int, str]]] | None = None
        self._tls: ssl.SSLContext | None = None
        self._limits = Limits(segundos=workspace.settings.vigilancia.respuesta_max_s, bytes=MUESTRA_MAX * 2)

    def mira(self, libro: Libro) -> Portal | None:
        """Look now; None where no public address is known, or what is public changed meanwhile.

        Raises:
            DiscoError: what is kept of the public cut is damaged; the sweep tells it.
            AjustesError: the certificates of ``ca`` cannot be read.
        """
        url = public_url(self._workspace)
        if url is None:
            return None
        if self._tls is None:
            ca = self._workspace.settings.vigilancia.ca
            self._tls = tls_context(ca=None if ca is None else self._workspace.folder / ca)
        count, before = _Cuenta(), pointer.read(self._workspace)
        expires = None
        try:
            expires = self._certificate(url)
            restricted = self._visit(url, libro, before, count)
        except ssl.SSLError as exc:
            return Portal(url=url, tls=_reason(exc), vence=expires)
        except (_CaidoError, OSError) as exc:
            return Portal(url=url, caido=str(exc), vence=expires)
        except _OtraPublicacionError:
            return None
        return Portal(
            url=url,
            alterados=tuple(count.alterados),
            otro_corte=count.otro_corte,
            lentos=tuple(count.lentos),
            sin_cabeceras=tuple(count.sin_cabeceras),
            restringido=restricted,
            vence=expires,
            segundos=count.segundos,
        )

    def _visit(self, url: str, libro: Libro, name: str | None, count: _Cuenta) -> bool:
        """Ask for the pages of what ``name`` names; whether the portal asks who we are."""
        cover = self._ask(url, "", count)
        count.segundos = cover.segundos
        if cover.status == HTTPStatus.UNAUTHORIZED and not self._workspace.settings.servidor.acceso.vacio:
            return True
        number = pointer.release_number(name or "")
        if number is None:
            # The page aviso says what the institute's notice says now.
            made = pages.contents(self._workspace, libro.dicho).get(self._workspace.cortes / (name or "") / PORTADA)
            page = None if made is None else sha256_bytes(made)
            if page is not None and cover.sha256 == self._on_disk(name or ""):
                page = cover.sha256  # The notice was noted and its page is about to be written; the sweep guards it.
            self._compare("/", cover, page, name, count)
            return False
        cut = next((each for each in libro.cortes() if each.corte == number), None)
        if cut is None:
            return False
        listed = self._listed(libro, number)
        withdrawn = libro.retirados
        if PORTADA not in withdrawn:
            self._compare("/", cover, listed.get(PORTADA, (0, None))[1], name, count)
        manifest = self._ask(url, MANIFIESTO, count)
        if manifest.sha256 != cut.sha256:
            other = next((each.corte for each in libro.cortes() if each.sha256 == manifest.sha256), None)
            if other is not None and pointer.read(self._workspace) == name:
                count.otro_corte = other
                count.alterados.clear()
                return False
        self._compare(MANIFIESTO, manifest, cut.sha256, name, count)
        sizes = {ruta: size for ruta, (size, _) in listed.items() if size <= MUESTRA_MAX and ruta != PORTADA}
        wanted = ["corte.json"] if "corte.json" in listed else []
        wanted += self._azar.sample(sorted(sizes), min(self._workspace.settings.vigilancia.muestra, len(sizes)))
        for ruta in dict.fromkeys(wanted):
            if count.lentos:
                return False  # Each one more would wait as long.
            answer = self._ask(url, ruta, count)
            if ruta not in withdrawn:
                self._compare(ruta, answer, listed[ruta][1], name, count)
                self._compare(ruta, self._compressed(url, ruta, listed[ruta][0], count), listed[ruta][1], name, count)
            if ruta == "corte.json":
                self._headers(answer, count)
        return False

    def _ask(self, url: str, ruta: str, count: _Cuenta, *, coding: str = "identity") -> Probe:
        try:
            answer = probe(
                url + quote(ruta),
                clock=self._real,
                limits=self._limits,
                headers={"accept-encoding": coding},
                keep_body=coding != "identity",
                tls=self._tls,
            )
        except RedError as exc:
            found = _tls_error(exc)
            if found is not None:
                raise found from exc
            raise _CaidoError(exc.que_paso) from exc
        if answer.segundos > self._limits.segundos or not answer.completo:
            count.lentos.append((ruta or "/", answer.segundos))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or 300 <= answer.status < 400:
            raise _CaidoError(f"/{ruta} respondió {answer.status}.")
        return answer

    def _compressed(self, url: str, ruta: str, size: int, count: _Cuenta) -> Probe:
        """The same file as most browsers get it: its twin is another file, and may be altered alone."""
        answer = self._ask(url, ruta, count, coding="gzip")
        if answer.headers.get("content-encoding") != "gzip" or answer.cuerpo is None:
            return answer
        plain = decodificado(answer.cuerpo, "gzip", size)
        return replace(answer, sha256="" if plain is None else sha256_bytes(plain))

    def _compare(self, ruta: str, answer: Probe, sha256: str | None, name: str | None, count: _Cuenta) -> None:
        if sha256 is None or not answer.completo or (answer.status == HTTPStatus.OK and answer.sha256 == sha256):
            return
        if pointer.read(self._workspace) != name:
            raise _OtraPublicacionError
        count.alterados.append(ruta if answer.status == HTTPStatus.OK else f"{ruta} (estado {answer.status})")

    def _on_disk(self, name: str) -> str | None:
        try:
            return sha256_file(self._workspace.cortes / name / PORTADA)
        except OSError:
            return None

    def _headers(self, answer: Probe, count: _Cuenta) -> None:
        asked = security_headers(site_of(self._workspace, 0))
        count.sin_cabeceras += [key for key, value in asked if answer.headers.get(key.lower()) != value]
        caching = answer.headers.get("cache-control", "")
        if "no-cache" not in caching and "no-store" not in caching:
            count.sin_cabeceras.append("Cache-Control")

    def _listed(self, libro: Libro, number: int) -> dict[str, tuple[int, str]]:
        """What the manifest of a cut lists: path to size and hash. Kept: a manifest may list a hundred thousand."""
        cut = next(each for each in libro.cortes() if each.corte == number)
        if self._known is None or self._known[0] != cut.sha256:
            manifest, _ = self._history.manifest(cut)
            self._known = (cut.sha256, {entry.ruta: (entry.bytes, entry.sha256) for entry in manifest.archivos})
        return self._known[1]

    def _certificate(self, url: str) -> datetime | None:
        """Until when the portal's certificate holds; None where it has none.

        Raises:
            ssl.SSLError: it is not valid now, not for this name, or TLS is older than 1.2.
            OSError: nobody answers.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None or self._tls is None:
            return None
        seconds = self._limits.segundos
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=seconds) as link,
            self._tls.wrap_socket(link, server_hostname=parts.hostname) as safe,
        ):
            shown = safe.getpeercert() or {}
        text = shown.get("notAfter")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None


def examinados(portal: Portal) -> set[str]:
    """The codes of which this look says something: of a portal that does not answer nothing else is known. Pure."""
    if portal.caido is not None:
        return {"PORTAL_CAIDO"}
    known = {"PORTAL_CAIDO", "PORTAL_TLS"}
    if portal.tls is not None:
        return known
    known |= {"CERTIFICADO", "PORTAL_LENTO"}
    return known if portal.restringido or portal.lentos else known | set(CODIGOS)


def sintomas(portal: Portal, *, now: datetime, certificado_dias: float, respuesta_max_s: float) -> Iterator[Sintoma]:
    """What is wrong with what was seen. ``now`` is the machine's own. Pure."""
    url = portal.url
    if portal.alterados:
        names = ", ".join(portal.alterados[:NOMBRADAS])
        yield Sintoma(
            "PORTAL_ALTERADO",
            f"{url} responde con otro contenido que el firmado en: {names}.",
            detalle={"rutas": list(portal.alterados[:NOMBRADAS])},
        )
    if portal.otro_corte is not None:
        yield Sintoma(
            "PORTAL_VIEJO", f"{url} muestra el corte {portal.otro_corte}.", detalle={"corte": portal.otro_corte}
        )
    if portal.caido is not None:
        yield Sintoma("PORTAL_CAIDO", f"{url}: {portal.caido}")
    if portal.tls is not None:
        yield Sintoma("PORTAL_TLS", f"{url}: {portal.tls}.")
    if portal.lentos:
        ruta, seconds = portal.lentos[0]
        yield Sintoma("PORTAL_LENTO", f"{url}: {ruta} tardó {seconds:.1f} s y el límite es {respuesta_max_s:g} s.")
    if portal.sin_cabeceras:
        yield Sintoma("PORTAL_CABECERAS", f"{url}: faltan o cambiaron {', '.join(portal.sin_cabeceras)}.")
    if portal.vence is not None and portal.vence - now <= timedelta(days=certificado_dias):
        left = portal.vence - now
        grave = "alarma" if left <= CERTIFICADO_GRAVE else "aviso"
        yield Sintoma(
            "CERTIFICADO",
            f"El certificado de {url} vence el {portal.vence.isoformat()} (en {left / timedelta(days=1):.1f} días).",
            "alarma" if grave == "alarma" else "aviso",
            {"vence": portal.vence.isoformat()},
        )


def _tls_error(exc: BaseException | None) -> ssl.SSLError | None:
    while exc is not None:
        if isinstance(exc, ssl.SSLError):
            return exc
        exc = exc.__cause__ or exc.__context__
    return None


def _reason(exc: ssl.SSLError) -> str:
    with contextlib.suppress(AttributeError):
        return f"su certificado no se acepta ({exc.verify_message})"  # type: ignore[attr-defined]
    return f"no se pudo acordar TLS 1.2 o posterior ({exc.reason or exc})"
