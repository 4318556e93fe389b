"""The board's server: a port, the application, and the thread that reads; ended together, within seconds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pregon.base.errors import AjustesError
from pregon.instituto.tablero.sitio import OYENTES, Tablero
from pregon.web.servidor import corriendo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pregon.instituto.workspace import Workspace
    from pregon.web.claves import Costo
    from pregon.web.sesiones import Plazos

CONEXIONES: Final = 2 * OYENTES
"""Each open page holds one, and asks for others now and then."""


@dataclass(frozen=True)
class Atendido:
    """A board that is attended: its address and its parts."""

    url: str
    tablero: Tablero


@contextlib.contextmanager
def atendiendo(
    workspace: Workspace,
    *,
    environment: Mapping[str, str],
    puerto: int | None = None,
    costo: Costo | None = None,
    plazos: Plazos | None = None,
    vive: Callable[[], None] = lambda: None,
) -> Iterator[Atendido]:
    """Attend the board of ``workspace`` until the block ends. ``puerto``: in place of that of ``[tablero]``.

    ``vive``: as in ``web.servidor.corriendo``.

    The port is open before the night was read: until then the page says so.

    Raises:
        AjustesError: there is no port, or it cannot be opened; the certificate and its key do not serve.
        EntradaError, DiscoError, DanadoError, RedError: the certificate or the state cannot be read.
    """
    settings = workspace.settings.tablero
    port = settings.puerto if puerto is None else puerto
    if port is None:
        raise AjustesError(
            "El tablero está apagado: [tablero] de instituto.toml no dice en qué puerto atiende.",
            intacto="No se abrió ningún puerto; la noche sigue igual.",
            que_hacer="Escriba «puerto» en [tablero] y repita la orden.",
        )
    board = Tablero(workspace, environment=environment, costo=costo, plazos=plazos)
    board.empieza()
    try:
        with corriendo(
            board.app,
            direccion=settings.direccion,
            puerto=port,
            certificado=None if settings.certificado is None else workspace.folder / settings.certificado,
            clave=None if settings.clave is None else workspace.folder / settings.clave,
            conexiones=CONEXIONES,
            al_cerrar=board.termina,
            vive=vive,
        ) as opened:
            host = f"[{settings.direccion}]" if ":" in settings.direccion else settings.direccion
            scheme = "http" if settings.certificado is None else "https"
            yield Atendido(settings.url or f"{scheme}://{host}:{opened}/", board)
    finally:
        board.termina()
