"""What each target of ``[[nube]]`` shows, as the state database remembers it: for who reports and who watches.

A target shows a cut (its folder's name, ``0042``), our page ``aviso``, our page ``espera`` where there were no cuts
after all, or nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.difusor.pointer import release_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace


@dataclass(frozen=True)
class Fallo:
    """Why a target does not go forward: ``desde`` the first failure in a row, ``intentos`` how many."""

    codigo: str
    que_paso: str
    desde: datetime
    intentos: int = 1

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "codigo": self.codigo,
            "que_paso": self.que_paso,
            "desde": self.desde.isoformat(),
            "intentos": self.intentos,
        }


@dataclass(frozen=True)
class EstadoNube:
    """One target at one moment.

    ``muestra`` and ``sha256``: what its edge last showed, whole, and its manifest's (or page's) hash; ``desde`` since
    when. ``avisos``: the hash of the announced delays with it. ``pedido`` and ``pedido_desde``: what it must show
    instead, and since when; None where it shows what it must. ``tiempos``: of what it shows, instants as text
    ``pedido``, ``subido``, ``purgado`` and ``visible``, with ``objetos`` and ``bytes`` that went up. ``historial``: why
    the originals do not reach it (``codigo``, ``que_paso``); None where they do, or are not kept there.
    """

    nombre: str
    publica: str | None = None
    muestra: str | None = None
    sha256: str | None = None
    avisos: str | None = None
    desde: datetime | None = None
    pedido: str | None = None
    pedido_desde: datetime | None = None
    tiempos: Mapping[str, Any] = field(default_factory=dict)
    error: Fallo | None = None
    historial: Mapping[str, str] | None = None

    @property
    def corte(self) -> int | None:
        """The cut that it shows; None where it shows none."""
        return None if self.muestra is None else release_number(self.muestra)

    @property
    def al_dia(self) -> bool:
        """Whether its edge shows what it must."""
        return self.pedido is None

    def to_json(self) -> dict[str, Any]:
        """What the state database keeps. The address is of the settings, not of the memory."""
        return {
            "muestra": self.muestra,
            "sha256": self.sha256,
            "avisos": self.avisos,
            "desde": _text(self.desde),
            "pedido": self.pedido,
            "pedido_desde": _text(self.pedido_desde),
            "tiempos": dict(self.tiempos),
            "error": None if self.error is None else self.error.to_json(),
        }

    def con(self, **changes: Any) -> EstadoNube:
        """The same with other values."""
        return replace(self, **changes)

    def dicho(self) -> dict[str, Any]:
        """The object of ``estado --json``: ``nombre publica muestra corte desde pendiente error historial``."""
        pending = None
        if not self.al_dia:
            pending = {"que": self.pedido, "desde": _text(self.pedido_desde)}
        return {
            "nombre": self.nombre,
            "publica": self.publica,
            "muestra": self.muestra,
            "corte": self.corte,
            "desde": _text(self.desde),
            "pendiente": pending,
            "error": None if self.error is None else self.error.to_json(),
            "historial": None if self.historial is None else dict(self.historial),
        }


def recordado(nombre: str, publica: str | None, data: Any) -> EstadoNube:
    """The target as ``to_json`` left it; as new where nothing that is understood was kept (it is looked at again)."""
    new = EstadoNube(nombre, publica)
    if not isinstance(data, dict):
        return new
    try:
        wrong = data["error"]
        return EstadoNube(
            nombre,
            publica,
            muestra=data["muestra"],
            sha256=data["sha256"],
            avisos=data["avisos"],
            desde=_instant(data["desde"]),
            pedido=data["pedido"],
            pedido_desde=_instant(data["pedido_desde"]),
            tiempos=dict(data["tiempos"]),
            error=None
            if wrong is None
            else Fallo(
                wrong["codigo"], wrong["que_paso"], datetime.fromisoformat(wrong["desde"]), int(wrong["intentos"])
            ),
        )
    except (KeyError, TypeError, ValueError):
        return new


def estados(workspace: Workspace, libro: Libro) -> tuple[EstadoNube, ...]:
    """Every target of the settings, in their order.

    Raises:
        DiscoError: the state database cannot be read.
    """
    return tuple(
        recordado(each.nombre, each.publica, libro.nube(each.nombre)).con(
            historial=libro.falla_del_historial(each.nombre) if each.historial else None
        )
        for each in workspace.settings.nube
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
