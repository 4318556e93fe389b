"""The door: nobody passes without a session, and no form is taken that did not come from a page of that session.

In this order, for each request:

1. The host is one of ours.
2. It is asked by GET or HEAD, or it is a form: POST, of our own site, short, and soon.
3. There is a session; without one only the page of sign-in and what it is drawn with.
4. A form carries its session's token.
5. The page's own role, where it asks for one (``con_papel``).
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import logging
import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pregon.base.errors import PregonError
from pregon.web.paginas import ESTATICO
from pregon.web.sesiones import ALEATORIOS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from pregon.web.cuentas import Cuenta, Cuentas
    from pregon.web.limites import Frenos
    from pregon.web.paginas import Paginas
    from pregon.web.sesiones import Sesion, Sesiones
    from pregon.web.sitio import Sitio

_logger = logging.getLogger(__name__)

ENTRAR = "/entrar"
SALIR = "/salir"
API = "/api/"
"""Under it answers are JSON, those of the door too."""
FICHA = "ficha"
"""The field in which each form sends its token."""
MAX_FORMULARIO = 16 << 10
MAX_CAMPOS = 64
CUERPO_S = 10.0
MAX_CLAVES = 2
"""Passwords looked at at once: each takes 32 MiB and a third of a second."""
ESPERA_CLAVES_S = 5.0
"""How long one waits for its turn."""


@dataclass(frozen=True)
class Suceso:
    """What the site's book should know. ``tipo``: ``entrada``, ``salida``, ``rechazo`` or ``ajeno``.

    ``cuenta`` is None where no account has the name that was typed: people type passwords there. ``motivo``: of a
    refusal, ``clave``, ``espera``, ``origen``, ``ficha``, ``metodo``, ``formulario`` or ``sesion``, or one of the
    site's own. ``que``: the method and the path that were asked for, where it was no sign-in.
    """

    tipo: str
    cuenta: str | None
    direccion: str
    motivo: str | None = None
    que: str | None = None


class Acceso:
    """Sign-in, sign-out and the door of one site."""

    def __init__(
        self,
        sitio: Sitio,
        cuentas: Cuentas,
        sesiones: Sesiones,
        frenos: Frenos,
        paginas: Paginas,
        audita: Callable[[Suceso], None],
    ) -> None:
        """``audita`` hears of every sign-in, sign-out and refusal, in a thread; what it raises refuses the sign-in."""
        self.sitio = sitio
        self._accounts = cuentas
        self._sessions = sesiones
        self._brakes = frenos
        self._pages = paginas
        self._audit = audita
        self._key = secrets.token_bytes(ALEATORIOS)
        self._turns = asyncio.Semaphore(MAX_CLAVES)

    def rutas(self) -> Sequence[Route]:
        """The pages of sign-in and sign-out."""
        return [
            Route(ENTRAR, self._ask, methods=["GET"]),
            Route(ENTRAR, self._enter, methods=["POST"]),
            Route(SALIR, self._leave, methods=["POST"]),
        ]

    def sigue(self, request: Request, *, usa: bool) -> bool:
        """Whether the session of a request still stands, for an answer that stays open; not if nobody can tell."""
        try:
            return self._session(request, usa=usa) is not None
        except PregonError as exc:
            _logger.error("%s: %s", exc.codigo, exc.que_paso)  # noqa: TRY400 - its text says all
            return False

    def puerta(self, app: ASGIApp) -> ASGIApp:
        """``app`` behind the door."""

        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return  # no websockets here; the server has no other kind
            request = Request(scope, receive)
            refusal = await self._admit(request)
            await (app if refusal is None else refusal)(scope, receive, send)

        return door

    async def _admit(self, request: Request) -> Response | None:
        # 1
        if not self.sitio.conoce(request.headers.get("host", "")):
            return self._says(request, 421, "Este equipo no atiende esa dirección.")
        # 2
        post = request.method == "POST"
        if not post and request.method not in ("GET", "HEAD"):
            await self._refuse(request, None, "metodo")
            answer = self._says(request, 405, "Aquí no se atiende ese método.")
            answer.headers["allow"] = "GET, HEAD, POST"
            return answer
        if post and not self.sitio.propio(request):
            await self._refuse(request, None, "origen")
            return self._says(request, 403, "Este formulario no salió de esta página.")
        request.state.formulario = {}
        if post:
            form = await _form(request)
            if isinstance(form, int):
                await self._refuse(request, None, "formulario")
                return self._says(request, form, "Lo que se envió no es un formulario de esta página.")
            request.state.formulario = form
        # 3
        try:
            session = await run_in_threadpool(self._session, request, usa=True)
        except PregonError as exc:
            return self._unreadable(request, exc)
        request.state.sesion = session
        path = request.url.path
        if session is None:
            if path == ENTRAR or path.startswith(ESTATICO):
                return None
            return await self._unknown(request)
        # 4
        if post and path != ENTRAR and not _same(request.state.formulario.get(FICHA), session.ficha):
            await self._refuse(request, session.cuenta.nombre, "ficha")
            return self._says(request, 403, "Este formulario ya no sirve. Vuelva a la página y repita.")
        return None

    async def _unknown(self, request: Request) -> Response:
        if request.method == "POST":
            await self._refuse(request, None, "sesion")
        wants_page = "text/html" in request.headers.get("accept", "text/html")
        if request.method == "POST" or not wants_page or request.url.path.startswith(API):
            return self._says(request, 401, "Hace falta entrar con su cuenta.")
        return RedirectResponse(ENTRAR, 303)

    async def _refuse(self, request: Request, cuenta: str | None, motivo: str) -> None:
        await self._tell(Suceso("ajeno", cuenta, self.sitio.cliente(request), motivo, que(request)))

    def _session(self, request: Request, *, usa: bool) -> Sesion | None:
        ident = request.cookies.get(self._cookie(request, "sesion"))
        if not ident:
            return None
        session = self._sessions.toma(ident, usa=usa)
        if session is not None and not self._accounts.vigente(session.cuenta):
            self._sessions.cierra(ident)
            return None
        return session

    async def _ask(self, request: Request) -> Response:
        if request.state.sesion is not None:
            return RedirectResponse("/", 303)
        return self._form_page(request, 200)

    async def _enter(self, request: Request) -> Response:
        form: Mapping[str, str] = request.state.formulario
        seed = request.cookies.get(self._cookie(request, "entrada"), "")
        if not seed or not _same(form.get(FICHA), self._seal(seed)):
            return self._form_page(request, 403, "La página de entrada había caducado. Escriba su clave otra vez.")
        name, password, address = form.get("cuenta", "").strip(), form.get("clave", ""), self.sitio.cliente(request)
        try:
            known = await run_in_threadpool(self._accounts.todas)
        except PregonError as exc:
            return self._unreadable(request, exc)
        wait = self._brakes.intenta(name, address, cuentas=known)
        if wait > 0:
            await self._tell(Suceso("rechazo", name if name in known else None, address, "espera"))
            answer = self._form_page(request, 429, f"Demasiados intentos. Espere {_wait_text(wait)} y pruebe otra vez.")
            answer.headers["retry-after"] = str(math.ceil(wait))
            return answer
        try:
            async with asyncio.timeout(ESPERA_CLAVES_S):
                await self._turns.acquire()
        except TimeoutError:
            answer = self._form_page(request, 503, "Hay demasiadas personas entrando. Espere unos segundos.")
            answer.headers["retry-after"] = "5"
            return answer
        try:
            account = await run_in_threadpool(self._accounts.verifica, name, password)
        finally:
            self._turns.release()
        if account is None:
            await self._tell(Suceso("rechazo", name if name in known else None, address, "clave"))
            return self._form_page(request, 401, "La cuenta o la contraseña no son correctas.")
        await self._tell(Suceso("entrada", account.nombre, address))
        self._brakes.acierta(account.nombre, address)
        return self._let_in(request, account)

    def _let_in(self, request: Request, account: Cuenta) -> Response:
        # Whatever the browser brought is over: who planted a number there holds nothing.
        self._sessions.cierra(request.cookies.get(self._cookie(request, "sesion"), ""))
        answer = RedirectResponse("/", 303)
        self._forget(request, answer, "entrada")
        self._give(request, answer, "sesion", self._sessions.abre(account))
        return answer

    async def _leave(self, request: Request) -> Response:
        session: Sesion = request.state.sesion
        self._sessions.cierra(request.cookies.get(self._cookie(request, "sesion"), ""))
        await self._tell(Suceso("salida", session.cuenta.nombre, self.sitio.cliente(request)))
        answer = RedirectResponse(ENTRAR, 303)
        self._forget(request, answer, "sesion")
        # What a page kept in memory (the «back» button) goes too.
        answer.headers["clear-site-data"] = '"cache"'
        return answer

    def _form_page(self, request: Request, status: int, problema: str = "") -> Response:
        seed = request.cookies.get(self._cookie(request, "entrada"), "")
        fresh = len(seed) < ALEATORIOS or len(seed) > 4 * ALEATORIOS
        if fresh:
            seed = secrets.token_urlsafe(ALEATORIOS)
        name = request.state.formulario.get("cuenta", "")[:64]
        answer = self._pages.responde(
            "entrar.html", status, ficha=self._seal(seed), problema=problema, cuenta=name if problema else ""
        )
        if fresh:
            self._give(request, answer, "entrada", seed)
        return answer

    def _seal(self, seed: str) -> str:
        return hmac.new(self._key, b"entrada:" + seed.encode(errors="replace"), hashlib.sha256).hexdigest()

    def _cookie(self, request: Request, que: str) -> str:
        return self.sitio.galleta(request.headers.get("host", ""), que)

    def _give(self, request: Request, answer: Response, que: str, value: str) -> None:
        secure = self.sitio.seguro(request.headers.get("host", ""))
        name = self._cookie(request, que)
        answer.set_cookie(name, value, path="/", httponly=True, samesite="strict", secure=secure)

    def _forget(self, request: Request, answer: Response, que: str) -> None:
        secure = self.sitio.seguro(request.headers.get("host", ""))
        answer.delete_cookie(self._cookie(request, que), path="/", httponly=True, samesite="strict", secure=secure)

    def _unreadable(self, request: Request, exc: PregonError) -> Response:
        _logger.error("%s: %s", exc.codigo, exc.que_paso)
        return self._says(request, 503, "Las cuentas no se pueden leer. Revíselas en el equipo.")

    def _says(self, request: Request, status: int, texto: str) -> Response:
        if request.url.path.startswith(API):
            return JSONResponse(negativa(texto), status)
        return self._pages.responde("mensaje.html", status, texto=texto)

    async def _tell(self, suceso: Suceso) -> None:
        await run_in_threadpool(self._audit, suceso)


def que(request: Request) -> str:
    """The method and the path of a request, short and of signs that are seen, for the site's book."""
    return ascii(f"{request.method} {request.url.path}")[1:121].removesuffix("'")


def negativa(texto: str, codigo: str = "NEGADO", que_hacer: str = "") -> dict[str, str]:
    """A refusal as JSON, with the keys of every error."""
    todo = que_hacer or "Entre de nuevo con su cuenta, o vuelva a abrir la página, y repita."
    return {"codigo": codigo, "que_paso": texto, "intacto": "No se hizo nada.", "que_hacer": todo}


def con_papel(
    papel: str, endpoint: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """``endpoint`` for the accounts that have the role ``papel``; 403 for the others. The door has been passed."""

    @functools.wraps(endpoint)
    async def checked(request: Request) -> Response:
        if papel not in request.state.sesion.cuenta.roles:
            return Response("Su cuenta no tiene permiso para esto.", 403, media_type="text/plain; charset=utf-8")
        return await endpoint(request)

    return checked


async def _form(request: Request) -> dict[str, str] | int:
    """The fields of a form, the last of each name; or the status of why it is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return 415
    data = bytearray()
    try:
        async with asyncio.timeout(CUERPO_S):
            async for piece in request.stream():
                data += piece
                if len(data) > MAX_FORMULARIO:
                    return 413
    except TimeoutError:
        return 408
    except ClientDisconnect:
        return 400
    try:
        fields = parse_qs(
            data.decode(), keep_blank_values=True, strict_parsing=bool(data), max_num_fields=MAX_CAMPOS, errors="strict"
        )
    except ValueError:
        return 400
    return {name: values[-1] for name, values in fields.items()}


def _same(given: str | None, own: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(errors="replace"), own.encode())


def _wait_text(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} segundo{'' if whole == 1 else 's'}"
    minutes = math.ceil(whole / 60)
    return f"{minutes} minuto{'' if minutes == 1 else 's'}"
