"""The doors of the actions: their forms, what is asked for by each, and the page that follows it.

In this order, for each request, after the site's own door (``web.acceso``); what is refused changes nothing:

1. The action exists.
2. The account does not ask too fast.
3. Its role may.
4. The number of the form was not spent.
5. Every field is as it must be; what is grave was confirmed by typing the difusor's id.
6. It is written in the journal, and begun.

Each refusal is in the journal, with the account, the action and why.
"""

from __future__ import annotations

import contextlib
import math
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from pregon.base.errors import PregonError
from pregon.instituto.tablero import acciones
from pregon.instituto.tablero.acciones import ACCIONES, DE_ORDEN, NUMERO, puede
from pregon.instituto.tablero.cuentas import OBSERVADOR
from pregon.instituto.tablero.tramites import Demasiadas, Repetida, Tramite, Tramites
from pregon.web.acceso import FICHA, Suceso, con_papel, que

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from pregon.instituto.tablero.acciones import Accion, Peticion
    from pregon.instituto.tablero.modelo import Cuadro
    from pregon.web.libro import Libro
    from pregon.web.sesiones import Sesion
    from pregon.web.sitio import Sitio

ESPERA_S: Final = 1.5
"""How long the answer waits for what is quick: a signature, a note. What takes longer is followed in its page."""
TERMINA_S: Final = 5.0
"""How long the end of the board waits for what is under way."""
_NUMERO_BYTES: Final = 18
_TRAMITE: Final = re.compile(NUMERO.patron)


@dataclass(frozen=True)
class Negada:
    """A refusal: its status, why in a word for the journal, and for people; ``campos``: what is wrong by field."""

    status: int
    por: str
    dice: str
    que_hacer: str
    campos: Mapping[str, str] = field(default_factory=dict)
    espera_s: int | None = None


class Ventanilla:
    """Takes what is asked for from the board, as a form or by the API, by the steps above."""

    def __init__(self, tramites: Tramites, libro: Libro, sitio: Sitio) -> None:
        self.tramites = tramites
        self._book = libro
        self._site = sitio

    def atiende(self, request: Request, clave: str, formulario: Mapping[str, str]) -> Tramite | Negada:
        """Take one request; it may be under way still. Waits for the journal: not for the loop's thread."""
        session: Sesion = request.state.sesion
        found = self._steps(session, clave, formulario)
        if isinstance(found, Negada):
            told = Suceso("rechazo", session.cuenta.nombre, self._site.cliente(request), found.por, que(request))
            self._book.anota(told)
            return found
        return self.tramites.espera(found.numero, ESPERA_S) or found

    def _steps(self, session: Sesion, clave: str, formulario: Mapping[str, str]) -> Tramite | Negada:
        account = session.cuenta
        which = acciones.accion(clave)
        if which is None:  # 1
            return Negada(404, "accion", "No hay ninguna acción con ese nombre.", "Vuelva al tablero.")
        try:
            self.tramites.ritmo(account.nombre)  # 2
        except Demasiadas as exc:
            return _too_many("Su cuenta pide demasiado aprisa.", exc)
        if not puede(account.roles, which):  # 3
            text = f"Su cuenta no tiene permiso: hace falta el papel «{which.papel}»."
            return Negada(403, "papel", text, "Pídalo a quien lo tenga.")
        try:
            numero = formulario.get("numero", "")
            if _TRAMITE.fullmatch(numero) and self.tramites.gastado(numero):  # 4
                return _repeated()
            asked = acciones.lee(which, formulario, cuenta=account.nombre, papeles=account.roles)  # 5
            if isinstance(asked, dict):
                return Negada(422, "datos", "Falta algo en el formulario.", "Corrija lo que se indica.", asked)
            return self._begin(asked)  # 6
        except PregonError as exc:
            return Negada(503, exc.codigo.lower(), exc.que_paso, exc.que_hacer)

    def _begin(self, asked: Peticion) -> Tramite | Negada:
        try:
            return self.tramites.pide(asked)
        except Repetida:
            return _repeated()
        except Demasiadas as exc:
            return _too_many("Hay demasiadas acciones en curso.", exc)


def _repeated() -> Negada:
    return Negada(
        409,
        "repetida",
        "Ese formulario ya se usó: no se hizo nada otra vez.",
        "Vea lo que resultó. Para repetir la acción, abra de nuevo su formulario.",
    )


def _too_many(text: str, exc: Demasiadas) -> Negada:
    return Negada(429, "ritmo", text, "Espere unos segundos y repita.", espera_s=math.ceil(exc.segundos))


def globales() -> dict[str, Any]:
    """What the templates of the actions see besides what their page gives them."""
    return {
        "mandos_de": lambda roles: [one for one in ACCIONES.values() if puede(roles, one)],
        "direccion_de": _address,
        "de_orden": DE_ORDEN,
    }


class Puertas:
    """The pages of the actions. ``responde`` makes a page of the board; ``cuadro`` is the board of now."""

    def __init__(
        self,
        ventanilla: Ventanilla,
        responde: Callable[..., Response],
        cuadro: Callable[[], Cuadro],
        evidencia: Callable[[str], Sequence[str]],
    ) -> None:
        """``evidencia``: lines that a difusor's last verdicts cite, for whoever suspends it."""
        self._window = ventanilla
        self._respond = responde
        self._board = cuadro
        self._evidence = evidencia

    def rutas(self) -> Sequence[Route]:
        """The form of each action, what sends it, and the page of what was asked for."""
        return [
            Route("/acciones/{clave}", con_papel(OBSERVADOR, self._ask), methods=["GET"]),
            Route("/acciones/{clave}", con_papel(OBSERVADOR, self._do), methods=["POST"]),
            Route("/tramites/{numero}", con_papel(OBSERVADOR, self._follow), methods=["GET"]),
        ]

    async def _ask(self, request: Request) -> Response:
        return await run_in_threadpool(self._form, request)

    def _form(self, request: Request) -> Response:
        which = acciones.accion(request.path_params["clave"])
        if which is None:
            return self._says(request, 404, "No hay ninguna acción con ese nombre.")
        if not puede(request.state.sesion.cuenta.roles, which):
            return self._says(request, 403, f"Su cuenta no tiene permiso: hace falta el papel «{which.papel}».")
        # The id is typed by whoever confirms: an address never brings it written.
        asked = {name: value for name, value in request.query_params.items() if name != "confirmacion"}
        values = acciones.limpia(asked)
        board = self._board()
        order = values.get("orden")
        if which.clave in DE_ORDEN:
            waiting = {one.ref: one.difusor for one in board.por_decidir if one.clase == "orden"}
            if order not in waiting:
                return self._says(request, 404, "Esa orden ya no espera a nadie.")
            values["difusor"] = waiting[order] or ""
        who = values.get("difusor")
        if which.campo("evidencia") is not None and who is not None and "evidencia" not in values:
            values["evidencia"] = "\n".join(self._evidence(who))
        values["numero"] = secrets.token_urlsafe(_NUMERO_BYTES)
        return self._page(request, which, values, 200)

    async def _do(self, request: Request) -> Response:
        return await run_in_threadpool(self._send, request)

    def _send(self, request: Request) -> Response:
        clave = request.path_params["clave"]
        sent: Mapping[str, str] = request.state.formulario
        values = acciones.limpia({name: value for name, value in sent.items() if name != FICHA})
        found = self._window.atiende(request, clave, values)
        if isinstance(found, Tramite):
            return RedirectResponse(f"/tramites/{found.numero}", 303)
        which = acciones.accion(clave)
        if found.status == 422 and which is not None:
            return self._page(request, which, values, 422, found)
        answer = self._says(request, found.status, found.dice, found.que_hacer, values.get("numero"))
        if found.espera_s is not None:
            answer.headers["retry-after"] = str(found.espera_s)
        return answer

    async def _follow(self, request: Request) -> Response:
        return await run_in_threadpool(self._show, request)

    def _show(self, request: Request) -> Response:
        found = self._window.tramites.de(request.path_params["numero"])
        if found is None:
            return self._says(request, 404, "No hay ninguna acción con ese número.")
        return self._respond(request, "tramite.html", tramite=found, cuadro=self._board())

    def _page(
        self, request: Request, which: Accion, values: Mapping[str, str], status: int, negada: Negada | None = None
    ) -> Response:
        return self._respond(
            request,
            "accion.html",
            status,
            cual=which,
            valores=values,
            problemas={} if negada is None else negada.campos,
            cuadro=self._board(),
        )

    def _says(
        self, request: Request, status: int, dice: str, que_hacer: str = "", numero: str | None = None
    ) -> Response:
        known = False
        if numero is not None and _TRAMITE.fullmatch(numero):
            with contextlib.suppress(PregonError):  # The refusal is told also where the journal cannot be read.
                known = self._window.tramites.gastado(numero)
        return self._respond(
            request,
            "accion-negada.html",
            status,
            dice=dice,
            que_hacer=que_hacer,
            numero=numero if known else None,
            cuadro=self._board(),
        )


def _address(cual: Accion, **datos: Any) -> str:
    """Where the form of an action is, with what is known already."""
    known = {key: value for key, value in datos.items() if value is not None}
    return f"/acciones/{cual.clave}" + (f"?{urlencode(known)}" if known else "")
