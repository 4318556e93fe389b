"""``/api/``: what the board shows and does, for programs; JSON, behind the same door as the pages.

A program signs in as a person does (``/entrar``), keeps the cookie, and sends with each action the token that
``/api/sesion`` gives, an ``Origin`` of this site, and a number of its own making: sent twice, it is done once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount, Route

from pregon.instituto.monitor.formas import de_observacion
from pregon.instituto.tablero import formas
from pregon.instituto.tablero.acciones import ACCIONES, NUMERO
from pregon.instituto.tablero.cuentas import OBSERVADOR
from pregon.instituto.tablero.openapi import TONOS, documento
from pregon.instituto.tablero.puertas import Negada
from pregon.web.acceso import API, FICHA, Suceso, negativa, que

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from pregon.instituto.proceso.diario import Advertencia, OrdenDifusor
    from pregon.instituto.tablero.lector import Lector
    from pregon.instituto.tablero.modelo import Detalle, Tono
    from pregon.instituto.tablero.puertas import Ventanilla
    from pregon.instituto.tablero.tramites import Tramite
    from pregon.web.sitio import Sitio

_ID: Final = re.compile("[a-z0-9-]{2,32}")
_NUMERO: Final = re.compile(NUMERO.patron)
_FILTROS: Final[Mapping[str, re.Pattern[str]]] = {
    "antes": re.compile("[1-9][0-9]{0,8}"),
    "difusor": _ID,
    "corte": re.compile("0|[1-9][0-9]{0,3}"),
    "tipo": re.compile("[a-z0-9_]{2,40}"),
    "tono": re.compile("|".join(TONOS)),
}


@dataclass(frozen=True)
class Api:
    """The application under ``/api``. ``titulo``: of the call, for the document; ``sitio``: names the cookie."""

    lector: Lector
    ventanilla: Ventanilla
    titulo: str
    sitio: Sitio

    def rutas(self) -> Sequence[Mount]:
        """What a site mounts."""
        inner = Starlette(routes=self._routes(), exception_handlers={HTTPException: _http, Exception: _http})
        return [Mount(API.rstrip("/"), app=inner)]

    def metodos(self, app: ASGIApp, audita: Callable[[Suceso], None]) -> ASGIApp:
        """``app`` without what is asked for under ``/api/`` by a method that its address has not.

        Before the door, which knows no addresses: the answer says which methods there are. ``audita`` hears of it.
        """
        routes = self._routes()

        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            known = _methods(routes, scope)
            if not known or scope["method"] in known:
                await app(scope, receive, send)
                return
            request = Request(scope)
            told = Suceso("ajeno", None, self.sitio.cliente(request), "metodo", que(request))
            await run_in_threadpool(audita, told)
            answer = _no(405, "Aquí no se atiende ese método.", que_hacer="Use uno de los que dice «Allow».")
            answer.headers["allow"] = ", ".join(sorted(known))
            await answer(scope, receive, send)

        return checked

    def _routes(self) -> Sequence[Route]:
        return [
            Route("/openapi.json", self._looks(self._document), methods=["GET"]),
            Route("/sesion", self._looks(self._session), methods=["GET"]),
            Route("/tablero", self._looks(self._board), methods=["GET"]),
            Route("/difusores/{ident}", self._looks(self._difusor), methods=["GET"]),
            Route("/bitacora", self._looks(self._journal), methods=["GET"]),
            Route("/tramites", self._looks(self._requests), methods=["GET"]),
            Route("/tramites/{numero}", self._looks(self._request), methods=["GET"]),
            *(Route(f"/acciones/{clave}", self._looks(self._act), methods=["POST"]) for clave in ACCIONES),
        ]

    def _looks(self, endpoint: Callable[[Request], Response]) -> Callable[[Request], Any]:
        """``endpoint`` for whoever may look, out of the loop's thread: it may wait for the state or for files."""

        async def checked(request: Request) -> Response:
            if OBSERVADOR not in request.state.sesion.cuenta.roles:
                return _no(403, "Su cuenta no tiene permiso para esto.")
            return await run_in_threadpool(endpoint, request)

        return checked

    def _document(self, request: Request) -> Response:
        cookie = self.sitio.galleta(request.headers.get("host", ""), "sesion")
        return JSONResponse(documento(self.titulo, cookie))

    def _session(self, request: Request) -> Response:
        session = request.state.sesion
        return JSONResponse(
            {"cuenta": session.cuenta.nombre, "papeles": list(session.cuenta.roles), FICHA: session.ficha}
        )

    def _board(self, request: Request) -> Response:
        del request
        return Response(self.lector.texto()[1], media_type="application/json")

    def _difusor(self, request: Request) -> Response:
        found = self.lector.detalle(request.path_params["ident"])
        return _no(404, "No se conoce a ese difusor.") if found is None else JSONResponse(de_detalle(found))

    def _journal(self, request: Request) -> Response:
        asked = _query(request, _FILTROS)
        if isinstance(asked, Response):
            return asked
        tono: Tono | None = next((one for one in TONOS if one == asked.get("tono")), None)
        page = self.lector.bitacora(
            antes=int(asked["antes"]) if "antes" in asked else None,
            difusor=asked.get("difusor"),
            corte=int(asked["corte"]) if "corte" in asked else None,
            tipo=asked.get("tipo"),
            tono=tono,
        )
        return JSONResponse(
            {
                "eventos": [formas.de_evento(one) for one in page.eventos],
                "antes": page.antes,
                "tipos": list(page.tipos),
            }
        )

    def _requests(self, request: Request) -> Response:
        asked = _query(request, {"difusor": _ID})
        if isinstance(asked, Response):
            return asked
        found = self.ventanilla.tramites.ultimos(difusor=asked.get("difusor"))
        return JSONResponse({"tramites": [de_tramite(one) for one in found]})

    def _request(self, request: Request) -> Response:
        numero = request.path_params["numero"]
        found = self.ventanilla.tramites.de(numero) if _NUMERO.fullmatch(numero) else None
        return _no(404, "No hay ninguna acción con ese número.") if found is None else JSONResponse(de_tramite(found))

    def _act(self, request: Request) -> Response:
        form = {name: value for name, value in request.state.formulario.items() if name != FICHA}
        found = self.ventanilla.atiende(request, request.url.path.rpartition("/")[2], form)
        if isinstance(found, Negada):
            answer = _no(found.status, found.dice, found.por.upper(), found.que_hacer, found.campos)
            if found.espera_s is not None:
                answer.headers["retry-after"] = str(found.espera_s)
            return answer
        answer = JSONResponse(de_tramite(found), 202 if found.fase == "en_curso" else 200)
        answer.headers["location"] = f"{API}tramites/{found.numero}"
        return answer


def _methods(routes: Sequence[Route], scope: Scope) -> set[str]:
    """The methods of the address that is asked for, none where it is no address of ``/api/``."""
    if scope["type"] != "http" or not scope["path"].startswith(API):
        return set()
    asked = {**scope, "path": scope["path"].removeprefix(API.rstrip("/"))}
    found = (one for one in routes if one.matches(asked)[0] is not Match.NONE)
    return set().union(*(one.methods or () for one in found))


def de_tramite(one: Tramite) -> dict[str, Any]:
    """``{numero, accion, verbo, cuenta, papel, motivo, difusor, orden, corte, responde_a, fase, dice, intacto,
    que_hacer, codigo, aviso, pedida, terminada}``."""
    return {
        "numero": one.numero,
        "accion": one.accion,
        "verbo": one.verbo,
        "cuenta": one.cuenta,
        "papel": one.papel,
        "motivo": one.motivo,
        "difusor": one.difusor,
        "orden": one.orden,
        "corte": one.corte,
        "responde_a": one.responde_a,
        "fase": one.fase,
        "dice": one.dice,
        "intacto": one.intacto,
        "que_hacer": one.que_hacer,
        "codigo": one.codigo,
        "aviso": one.aviso,
        "pedida": formas.instante(one.pedida),
        "terminada": formas.instante(one.terminada),
    }


def de_detalle(one: Detalle) -> dict[str, Any]:
    """``{difusor, acuses[], advertencias[], ordenes[], eventos[], observaciones[], citas[], faltan[]}``."""
    return {
        "difusor": formas.de_renglon(one.renglon),
        "acuses": [
            {
                "n": each.n,
                "nodo": each.nodo,
                "corte": each.corte,
                "evento": each.evento,
                "hora": formas.instante(each.hora),
                "segundos": None if each.segundos is None else round(each.segundos),
            }
            for each in one.acuses
        ],
        "advertencias": [_warning(each) for each in one.advertencias],
        "ordenes": [_order(each) for each in one.ordenes],
        "eventos": [formas.de_evento(each) for each in one.eventos],
        "observaciones": [de_observacion(each) for each in one.observaciones],
        "citas": [{"hora": formas.instante(hora), "observaciones": list(numbers)} for hora, numbers in one.citas],
        "faltan": list(one.faltan),
    }


def _warning(one: Advertencia) -> dict[str, Any]:
    return {
        "id": one.id,
        "hora": formas.instante(one.hora),
        "periodo": one.periodo,
        "titulo": one.titulo,
        "texto": one.texto,
        "evidencia": list(one.evidencia),
        "envios": [
            {
                "via": name,
                "fase": sent.fase,
                "intentos": sent.intentos,
                "hora": formas.instante(sent.hora),
                "que_paso": sent.que_paso,
            }
            for name, sent in one.envios.items()
        ],
    }


def _order(one: OrdenDifusor) -> dict[str, Any]:
    return {
        "id": one.id,
        "accion": one.accion,
        "fase": one.fase,
        "porque": one.porque,
        "clausula": one.clausula,
        "hora": formas.instante(one.hora),
        "evidencia": list(one.evidencia),
        "operador": one.operador,
        "motivo": one.motivo,
        "decidida": formas.instante(one.decidida),
    }


def _query(request: Request, known: Mapping[str, re.Pattern[str]]) -> dict[str, str] | Response:
    """What the address asks for, or the refusal where it is not of this place."""
    wrong = {
        name: "No se entiende este valor." if name in known else "Aquí no se pide eso."
        for name, value in request.query_params.multi_items()
        if name not in known or known[name].fullmatch(value) is None
    }
    if wrong:
        return _no(422, "No se entiende lo que se pide.", "DATOS", "Revise la dirección.", wrong)
    return dict(request.query_params)


def _no(
    status: int,
    dice: str,
    codigo: str = "NEGADO",
    que_hacer: str = "",
    campos: Mapping[str, str] | None = None,
) -> Response:
    told: dict[str, Any] = negativa(dice, codigo, que_hacer)
    return JSONResponse(told if campos is None else {**told, "campos": dict(campos)}, status)


async def _http(request: Request, exc: Exception) -> Response:
    del request
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    texts = {404: "No hay nada en esa dirección.", 405: "Aquí no se atiende ese método."}
    todo = "Revise la dirección y el método." if status in texts else "Vuelva a intentarlo; la salida dice por qué."
    answer = _no(status, texts.get(status, "No se pudo atender."), que_hacer=todo)
    for name, value in (getattr(exc, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer
