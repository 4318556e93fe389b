"""The document of ``/api/`` (OpenAPI 3.1): made from the same tables that refuse what it does not admit. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pregon import __version__
from pregon.instituto.monitor.modelo import Causa, Motivo, Veredicto
from pregon.instituto.opera.programa import Fase as FaseNoche
from pregon.instituto.proceso.diario import AccionOrden, FaseEnvio, FaseOrden
from pregon.instituto.registro.estados import Estado
from pregon.instituto.tablero.acciones import ACCIONES, CLAVES, NUMERO, RESPONDE
from pregon.instituto.tablero.cuentas import PAPELES
from pregon.instituto.tablero.formas import FORMATO
from pregon.instituto.tablero.modelo import ClasePendiente, Letra, Tono
from pregon.instituto.tablero.tramites import Fase
from pregon.web.acceso import FICHA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.instituto.tablero.acciones import Accion, Campo

Esquema = dict[str, Any]

TONOS: Final[tuple[Tono, ...]] = get_args(Tono)
_TEXTO: Final[Esquema] = {"type": "string"}
_ENTERO: Final[Esquema] = {"type": "integer"}
_NUMERO: Final[Esquema] = {"type": "number"}
_LOGICO: Final[Esquema] = {"type": "boolean"}
_HORA: Final[Esquema] = {"type": "string", "format": "date-time"}
_ID: Final[Esquema] = {"type": "string", "pattern": "^[a-z0-9-]{2,32}$"}
_CORTE: Final[Esquema] = {"type": "integer", "minimum": 0, "maximum": 9999}


def documento(titulo: str, galleta: str) -> Esquema:
    """The whole document. ``titulo``: of the call whose board it is; ``galleta``: the cookie of a session."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Tablero de {titulo}",
            "version": __version__,
            "description": "Lo que el tablero muestra y hace. Se entra con una cuenta en /entrar; cada acción lleva la "
            "«ficha» de /api/sesion y un «numero» propio, que vale una vez. Los formularios se aceptan sólo con un "
            "Origin de este sitio.",
        },
        "security": [{"sesion": []}],
        "paths": {
            "/api/openapi.json": _get("documento", "Este documento", {"type": "object"}),
            "/api/sesion": _get("sesion", "Quién es, qué puede y la ficha de sus formularios", _session()),
            "/api/tablero": _get("tablero", "El tablero de ahora", {"$ref": "#/components/schemas/Tablero"}),
            "/api/difusores/{id}": _get(
                "difusor",
                "Lo que se sabe de un difusor, con su evidencia",
                {"$ref": "#/components/schemas/Detalle"},
                parametros=[_in_path("id", _ID)],
                mas=(404,),
            ),
            "/api/bitacora": _get(
                "bitacora",
                "Una hoja de la bitácora, de lo más nuevo a lo más viejo",
                _object(eventos=_many(_ref("Evento")), antes=_maybe(_ENTERO), tipos=_many(_TEXTO)),
                parametros=[
                    _in_query("antes", {"type": "integer", "minimum": 1, "maximum": 999_999_999}),
                    _in_query("difusor", _ID),
                    _in_query("corte", _CORTE),
                    _in_query("tipo", {"type": "string", "pattern": "^[a-z0-9_]{2,40}$"}),
                    _in_query("tono", _one_of(TONOS)),
                ],
                mas=(422,),
            ),
            "/api/tramites": _get(
                "tramites",
                "Lo último que se pidió desde el tablero",
                _object(tramites=_many(_ref("Tramite"))),
                parametros=[_in_query("difusor", _ID)],
                mas=(422,),
            ),
            "/api/tramites/{numero}": _get(
                "tramite",
                "Cómo va lo que se pidió",
                _ref("Tramite"),
                parametros=[_in_path("numero", {"type": "string", "pattern": f"^{NUMERO.patron}$"})],
                mas=(404,),
            ),
            **{f"/api/acciones/{clave}": _post(one) for clave, one in ACCIONES.items()},
        },
        "components": {
            "securitySchemes": {
                "sesion": {"type": "apiKey", "in": "cookie", "name": galleta, "description": "La que da /entrar."}
            },
            "schemas": {"Negativa": _refusal(), "Tramite": _tramite(), "Detalle": _detail(), **_board()},
            "responses": {"Negativa": _json("No se hizo nada", _ref("Negativa"))},
        },
    }


def _get(
    ident: str, resumen: str, esquema: Esquema, *, parametros: list[Esquema] | None = None, mas: tuple[int, ...] = ()
) -> Esquema:
    operation: Esquema = {
        "operationId": ident,
        "summary": resumen,
        "responses": {"200": _json("Lo que se pidió", esquema), **_refusals(401, 403, 421, 503, *mas)},
    }
    if parametros is not None:
        operation["parameters"] = parametros
    return {"get": operation}


def _post(one: Accion) -> Esquema:
    fields = (NUMERO, RESPONDE, *one.campos)
    body: Esquema = {
        "type": "object",
        "properties": {FICHA: {"type": "string", "minLength": 1}, **{each.nombre: _field(each) for each in fields}},
        "required": [FICHA, *(each.nombre for each in fields if each.obligatorio)],
        "additionalProperties": False,
    }
    return {
        "post": {
            "operationId": one.clave,
            "summary": f"{one.pide}. Papel: {one.papel}",
            "description": one.explica,
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": body}}},
            "responses": {
                "200": _json("Terminó: «fase» dice cómo", _ref("Tramite")),
                "202": _json("Está en curso", _ref("Tramite")),
                **_refusals(400, 401, 403, 408, 409, 413, 415, 421, 422, 429, 503),
            },
        }
    }


def _field(one: Campo) -> Esquema:
    made: Esquema = {"type": "string", "maxLength": one.maximo, "pattern": f"^({one.patron})$"}
    made["description"] = f"{one.etiqueta}. {one.ayuda}".strip() if one.ayuda else f"{one.etiqueta}."
    return made


def _board() -> Esquema:
    now = {
        "estado": _maybe(_one_of(get_args(Estado))),
        "veredicto": _one_of(get_args(Veredicto)),
        "causa": _one_of(get_args(Causa)),
        "porque": _TEXTO,
        "motivos": _many(_one_of(get_args(Motivo))),
        "corte": _maybe(_ENTERO),
        "atraso_s": _maybe(_ENTERO),
        "visto": _maybe(_HORA),
        "desde": _maybe(_HORA),
        "fallas": _ENTERO,
        "advertencias": _ENTERO,
        "orden": _maybe(_TEXTO),
        "tono": _one_of(TONOS),
    }
    return {
        "Evento": _object(
            n=_ENTERO, hora=_HORA, tipo=_TEXTO, texto=_TEXTO, tono=_one_of(TONOS), difusor=_maybe(_TEXTO),
            corte=_maybe(_ENTERO),
        ),
        "Difusor": _object(
            id=_TEXTO, nombre=_TEXTO, url=_TEXTO, **now,
            celdas={"type": "string", "pattern": f"^[{''.join(get_args(Letra)).replace('-', '')}-]*$"},
            segundos=_many(_maybe(_ENTERO)),
        ),
        "Columna": _object(
            i=_ENTERO, n=_maybe(_ENTERO), hora_corte=_maybe(_HORA), vence=_HORA, hasta=_HORA, firmado=_maybe(_HORA),
            perdido=_LOGICO, ultimo=_LOGICO, visibles=_ENTERO, de=_ENTERO, p50_s=_maybe(_ENTERO), p95_s=_maybe(_ENTERO),
            retraso_s=_maybe(_ENTERO), curva=_many({"type": "array", "items": _ENTERO, "minItems": 2, "maxItems": 2}),
        ),
        "Pendiente": _object(
            id=_TEXTO, clase=_one_of(get_args(ClasePendiente)), ref=_TEXTO, texto=_TEXTO, que_hacer=_TEXTO, desde=_HORA,
            tono=_one_of(TONOS), difusor=_maybe(_TEXTO), corte=_maybe(_ENTERO),
        ),
        "Tablero": _object(
            formato={"const": FORMATO}, serie=_TEXTO, version=_ENTERO, hora=_HORA, instituto=_TEXTO,
            convocatoria=_TEXTO, titulo=_TEXTO, ambiente=_one_of(("oficial", "simulacro")),
            noche=_object(
                inicio=_HORA, fin=_HORA, estado=_one_of(get_args(FaseNoche)), corte=_maybe(_ENTERO),
                proximo=_maybe(_HORA), debe_desde=_maybe(_HORA), atraso_s=_maybe(_ENTERO),
            ),
            cortes=_many(_ref("Columna")), difusores=_many(_ref("Difusor")), por_decidir=_many(_ref("Pendiente")),
            eventos=_many(_ref("Evento")),
            puntos=_many(
                _object(nombre=_TEXTO, visto=_maybe(_HORA), con_red=_LOGICO, calla=_LOGICO, tono=_one_of(TONOS))
            ),
            alarmas=_many(
                _object(codigo=_TEXTO, titulo=_TEXTO, texto=_TEXTO, que_hacer=_TEXTO, desde=_HORA, grave=_LOGICO)
            ),
            faltan=_many(_TEXTO),
        ),
    }  # fmt: skip


def _detail() -> Esquema:
    sent = _object(via=_TEXTO, fase=_one_of(get_args(FaseEnvio)), intentos=_ENTERO, hora=_maybe(_HORA),
                   que_paso=_maybe(_TEXTO))  # fmt: skip
    return _object(
        difusor=_ref("Difusor"),
        acuses=_many(
            _object(n=_ENTERO, nodo=_TEXTO, corte=_maybe(_ENTERO), evento=_TEXTO, hora=_HORA, segundos=_maybe(_ENTERO))
        ),
        advertencias=_many(
            _object(id=_TEXTO, hora=_HORA, periodo=_maybe(_ENTERO), titulo=_TEXTO, texto=_TEXTO,
                    evidencia=_many(_ENTERO), envios=_many(sent))
        ),
        ordenes=_many(
            _object(id=_TEXTO, accion=_one_of(get_args(AccionOrden)), fase=_one_of(get_args(FaseOrden)), porque=_TEXTO,
                    clausula=_TEXTO, hora=_HORA, evidencia=_many(_TEXTO), operador=_TEXTO, motivo=_TEXTO,
                    decidida=_maybe(_HORA))
        ),
        eventos=_many(_ref("Evento")),
        observaciones=_many({"type": "object"}),
        citas=_many(_object(hora=_HORA, observaciones=_many(_ENTERO))),
        faltan=_many(_TEXTO),
    )  # fmt: skip


def _tramite() -> Esquema:
    return _object(
        numero=_TEXTO, accion=_one_of(CLAVES), verbo=_TEXTO, cuenta=_TEXTO, papel=_one_of(PAPELES), motivo=_TEXTO,
        difusor=_maybe(_TEXTO), orden=_maybe(_TEXTO), corte=_maybe(_ENTERO), responde_a=_maybe(_TEXTO),
        fase=_one_of(get_args(Fase)), dice=_TEXTO, intacto=_TEXTO, que_hacer=_TEXTO, codigo=_maybe(_TEXTO),
        aviso=_maybe(_ENTERO), pedida=_HORA, terminada=_maybe(_HORA),
    )  # fmt: skip


def _session() -> Esquema:
    return _object(cuenta=_TEXTO, papeles=_many(_one_of(PAPELES)), ficha=_TEXTO)


def _refusal() -> Esquema:
    made = _object(codigo=_TEXTO, que_paso=_TEXTO, intacto=_TEXTO, que_hacer=_TEXTO)
    made["properties"]["campos"] = {"type": "object", "additionalProperties": _TEXTO}
    return made


def _refusals(*statuses: int) -> Esquema:
    return {str(one): {"$ref": "#/components/responses/Negativa"} for one in statuses}


def _json(texto: str, esquema: Esquema) -> Esquema:
    return {"description": texto, "content": {"application/json": {"schema": esquema}}}


def _object(**properties: Any) -> Esquema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _many(one: Esquema) -> Esquema:
    return {"type": "array", "items": one}


def _maybe(one: Esquema) -> Esquema:
    return {"anyOf": [one, {"type": "null"}]}


def _one_of(words: tuple[str, ...]) -> Esquema:
    return {"enum": list(words)}


def _ref(name: str) -> Esquema:
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(name: str, esquema: Mapping[str, Any]) -> Esquema:
    return {"name": name, "in": "path", "required": True, "schema": esquema}


def _in_query(name: str, esquema: Mapping[str, Any]) -> Esquema:
    return {"name": name, "in": "query", "schema": esquema}
