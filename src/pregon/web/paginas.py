"""Pages and their style and scripts: templates that escape everything, files whose address has their hash."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

ESTATICO = "/estatico/"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_CASA = "pregon.web"
_SIN_PAGINA = {
    404: "No hay ninguna página en esa dirección.",
    405: "Aquí no se atiende ese método.",
    500: "Esta página no se pudo hacer. Lo publicado no depende de ella. Vuelva a intentarlo; si sigue, el motivo está "
    "en la salida del servicio.",
}


class Paginas:
    """The templates of some packages (``plantillas/``) and their ``estatico/``, those of this room after theirs."""

    def __init__(self, *paquetes: str, **globales: Any) -> None:
        """``globales``: what every template sees. The files are read now, once."""
        packages = (*paquetes, _CASA)
        self._files: dict[str, tuple[bytes, str]] = {}
        self._names: dict[str, str] = {}
        for package in packages:
            self._take(package)
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package, "plantillas") for package in packages]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(globales, estatico=self._names.__getitem__)

    def texto(self, plantilla: str, **datos: Any) -> str:
        """One template's HTML."""
        return self._environment.get_template(plantilla).render(**datos)

    def responde(self, plantilla: str, status: int = 200, **datos: Any) -> Response:
        """One template as an answer."""
        return HTMLResponse(self.texto(plantilla, **datos), status)

    def negativas(self) -> dict[Any, Any]:
        """The ``exception_handlers`` of a site: no page there, not for that method, or a failure of ours."""
        return {HTTPException: self._no_page, Exception: self._no_page}

    async def _no_page(self, request: Request, exc: Exception) -> Response:
        del request
        status = exc.status_code if isinstance(exc, HTTPException) else 500
        answer = self.responde("mensaje.html", status, texto=_SIN_PAGINA.get(status, "No se pudo atender."))
        answer.headers.update(getattr(exc, "headers", None) or {})
        return answer

    def rutas(self) -> Sequence[Route]:
        """Where the style and the scripts are."""

        async def give(request: Request) -> Response:
            found = self._files.get(request.path_params["nombre"])
            if found is None:
                return Response(status_code=404)
            data, kind = found
            return Response(data, media_type=kind, headers={"cache-control": "private, max-age=86400, immutable"})

        return [Route(ESTATICO + "{nombre}", give, methods=["GET"])]

    def _take(self, package: str) -> None:
        folder = files(package) / "estatico"
        if not folder.is_dir():
            return
        for entry in folder.iterdir():
            stem, dot, ending = entry.name.rpartition(".")
            kind = _KINDS.get(dot + ending)
            if kind is None or entry.name in self._names:
                continue
            data = entry.read_bytes()
            name = f"{stem}.{hashlib.sha256(data).hexdigest()[:16]}.{ending}"
            self._files[name] = (data, kind)
            self._names[entry.name] = ESTATICO + name
