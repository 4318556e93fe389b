"""Hooks of schemathesis: whoever asks is signed in, and what a document cannot say of a form is so.

Read by its own process. Nothing is put where the case is about its absence.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

if TYPE_CHECKING:
    from schemathesis import AuthContext, Case, HookContext


CONOCIDO = "radio-uno"
"""A difusor that there is: of any other, all that is seen is that nobody knows it."""


@schemathesis.auth()
class Sesion:
    """The cookie of somebody who signed in."""

    def get(self, case: Case[Any], context: AuthContext) -> str:
        """``name=value``."""
        del case, context
        return os.environ["TABLERO_GALLETA"]

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
        """Put it, unless the case is about a cookie that is not right."""
        del context
        cookies = None if case.meta is None else case.meta.components.get(ParameterLocation.COOKIE)
        if cookies is None or cookies.mode.is_positive:
            name, _, value = data.partition("=")
            case.cookies[name] = value


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """The session's token; and, where the form is a good one, a number of its own and the id typed once more."""
    del context, kwargs
    good = case.meta is not None and case.meta.generation.mode.is_positive
    if good and case.path == "/api/difusores/{id}":
        case.path_parameters["id"] = CONOCIDO
    body = case.body
    if isinstance(body, dict):
        if isinstance(body.get("ficha"), str) and body["ficha"]:
            body["ficha"] = os.environ["TABLERO_FICHA"]
        if good:
            body["numero"] = secrets.token_urlsafe(18)  # each is spent once, and the tool tries the same ones again
        if good and "difusor" in body and len(str(body["motivo"])) % 2:
            body["difusor"] = CONOCIDO  # it is really delivered to, warned, suspended
        if good and "confirmacion" in body:
            body["confirmacion"] = body["difusor"]
