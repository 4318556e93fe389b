"""The file of ``--autorizaciones``: findings that a person lets pass, each with its reason, who and when."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.razones import razon
from pregon.instituto.elecciones import from_code
from pregon.paquete.manifest import Autorizacion

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20
_CLAVES = frozenset({"codigo", "motivo", "operador", "hora", "contienda"})


def load(path: Path) -> tuple[Autorizacion, ...]:
    """Read ``[{"codigo", "motivo", "operador", "hora", "contienda"?}]``.

    ``hora`` is ISO 8601 with offset; ``contienda``, the only contest that it is for, as an election code or a contest
    id (``DIP_LOC``, ``dip``); without it the authorisation is for every contest.

    Raises:
        EntradaError: it is not there.
        AjustesError: it is not such a list; the text names the item.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.", intacto="No se hizo ningún corte.", que_hacer="Revise la ruta."
        ) from exc
    try:
        items = json.loads(data) if len(data) <= MAX_BYTES else None
    except ValueError as exc:
        raise _wrong(path, f"no es JSON ({exc})") from exc
    if not isinstance(items, list):
        raise _wrong(path, "se esperaba una lista")
    return tuple(_item(path, index, item) for index, item in enumerate(items))


def _item(path: Path, index: int, item: Any) -> Autorizacion:
    try:
        codigo, motivo, operador = (item[key] for key in ("codigo", "motivo", "operador"))
        hora = datetime.fromisoformat(item["hora"])
    except (KeyError, TypeError, ValueError) as exc:
        raise _wrong(path, f"[{index}]: falta o no sirve {exc}") from exc
    unknown = sorted(item.keys() - _CLAVES)
    if unknown:  # «contiendas» instead of «contienda» would authorise every contest
        raise _wrong(path, f"[{index}]: no existe la clave «{unknown[0]}»")
    if not all(isinstance(text, str) and text.strip() for text in (codigo, motivo, operador)):
        raise _wrong(path, f"[{index}]: codigo, motivo y operador llevan texto")
    if hora.tzinfo is None:
        raise _wrong(path, f"[{index}]: a la hora le falta el desfase, como -06:00")
    return Autorizacion(codigo, motivo, operador, hora, _contest(path, index, item.get("contienda")))


def _contest(path: Path, index: int, given: object) -> str | None:
    if given is None:
        return None
    try:
        return from_code(str(given)).id
    except EntradaError as exc:
        raise _wrong(path, f"[{index}]: contienda: {exc.que_paso}") from exc


def _wrong(path: Path, problem: str) -> AjustesError:
    return AjustesError(
        f"El archivo de autorizaciones {path} no sirve: {problem}.",
        intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
        que_hacer="Escriba objetos con codigo, motivo, operador y hora (y contienda, si es para una sola).",
    )
