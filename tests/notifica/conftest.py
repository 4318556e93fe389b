"""What the tests of the room share: a message, an authority, and a state database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.state import StateDatabase
from pregon.notifica.ajustes import AjustesCanal
from pregon.notifica.mensaje import Mensaje
from tests.red.servidores.nginx import Autoridad

if TYPE_CHECKING:
    from pathlib import Path

HORA = datetime(2027, 6, 7, 2, 20, tzinfo=UTC)


def mensaje(codigo: str = "DISCO", severidad: Any = "alarma", **more: Any) -> Mensaje:
    values = {
        "titulo": "Queda poco disco",
        "texto": "Quedan 12 MB libres; libere espacio, señor administrador.",
        "hora": HORA,
        "origen": "diario-uno.principal",
        **more,
    }
    return Mensaje(codigo, severidad, **values)


def canal(**keys: Any) -> AjustesCanal:
    return AjustesCanal.model_validate(keys)


@pytest.fixture
def autoridad(tmp_path: Path) -> Autoridad:
    return Autoridad(tmp_path / "ca")


@pytest.fixture
def state(tmp_path: Path) -> StateDatabase:
    return StateDatabase(tmp_path / "estado.sqlite", SystemClock())
