"""What the files of a cloud must know of one workspace: a target of ``[[nube]]``, its site and its call. Pure.

The templates are static files beside this module; only the values that this gives change from one difusor to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.base.errors import UsoError
from pregon.difusor.nube.cabeceras import del_borde
from pregon.difusor.nube.deposito import PRIVADO
from pregon.difusor.servidor.sitio import HSTS, site_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.workspace import Workspace

MARGEN = timedelta(days=30)
"""What is kept for after the permanence ends: somebody may still ask what was shown."""
SIN_PERMANENCIA = 365
"""Days that what was replaced is kept where the call says no end of the permanence."""
DISCO_GB = 60
"""Least disk of a machine that receives: releases, objects and history of a night."""

_NADA = "No se escribió ni se cambió nada."


def plantilla(nombre: str) -> str:
    """The text of one of our templates, by its path below ``plantillas``."""
    return (resources.files("pregon.difusor.configura") / "plantillas" / nombre).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Destino:
    """One target with what its call asks of it."""

    workspace: Workspace
    ajustes: AjustesNube

    @property
    def deposito(self) -> str:
        """The bucket's name."""
        return self.ajustes.partes.netloc

    @property
    def prefijo(self) -> str:
        """What the name of every object begins with: empty, or with a final slash."""
        return self.ajustes.prefijo

    @property
    def privado(self) -> str:
        """What the name of every object that nobody outside reads begins with."""
        return f"{self.prefijo}{PRIVADO}/"

    @property
    def amazon(self) -> bool:
        """Whether the store is Amazon's own."""
        return self.ajustes.extremo is None

    @property
    def anfitrion(self) -> str | None:
        """The name at which the edge shows it; None where the settings do not say."""
        return None if self.ajustes.publica is None else urlsplit(self.ajustes.publica).hostname

    @property
    def encabezados(self) -> Mapping[str, str]:
        """What the edge adds to every answer."""
        site = site_of(self.workspace, self.workspace.settings.servidor.puerto)
        return dict(del_borde(site, self.ajustes.publica or "https://"))

    @property
    def hsts_s(self) -> int:
        """Seconds of ``Strict-Transport-Security``; 0 where it is not sent."""
        return int(HSTS.partition("=")[2]) if "Strict-Transport-Security" in self.encabezados else 0

    @property
    def inmutable(self) -> bool:
        """Whether what bears a cut's number never changes (``Site.inmutable``)."""
        return site_of(self.workspace, self.workspace.settings.servidor.puerto).inmutable

    @property
    def reemplazado_dias(self) -> int:
        """Days that a store keeps what a new cut replaced: to the end of the permanence, and ``MARGEN``."""
        call = self.workspace.convocatoria
        if call.permanencia_hasta is None:
            return SIN_PERMANENCIA
        return max(1, -(-(call.permanencia_hasta - call.inicio + MARGEN) // timedelta(days=1)))

    @property
    def frio_desde(self) -> datetime | None:
        """From when (midnight, UTC) the history may lie in a slower class; None: never, or there is none."""
        end = self.workspace.convocatoria.permanencia_hasta
        if end is None or not self.ajustes.historial:
            return None
        return datetime.combine((end + MARGEN).astimezone(UTC).date() + timedelta(days=1), time(0), UTC)

    @property
    def disco_gb(self) -> int:
        """Disk of the machine that receives: the history that the call asks for, twice, and room for releases."""
        asked = max(self.workspace.convocatoria.historial.gb or 0, self.workspace.convocatoria.minimos.disco_gb or 0)
        return max(DISCO_GB, 2 * asked + 20)


def elige(workspace: Workspace, nombre: str | None) -> Destino:
    """The target called ``nombre``, or the only one.

    Raises:
        UsoError: there is none, or several and it was not said which.
    """
    found = [one for one in workspace.settings.nube if nombre is None or one.nombre == nombre]
    if len(found) == 1:
        return Destino(workspace, found[0])
    known = ", ".join(one.nombre for one in workspace.settings.nube)
    if not known:
        problem, mend = "difusor.toml no tiene ningún destino en la nube", "Escriba su [[nube]] en difusor.toml"
    elif nombre is None:
        problem, mend = f"hay varios destinos ({known})", "Diga cuál con --nube"
    else:
        problem, mend = f"no hay destino «{nombre}» en difusor.toml", f"Use uno de los que hay: {known}"
    raise UsoError(f"No se sabe qué configurar: {problem}.", intacto=_NADA, que_hacer=f"{mend}, y repita la orden.")
