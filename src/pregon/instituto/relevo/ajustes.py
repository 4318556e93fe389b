"""``[estado]`` of ``instituto.toml``: the PostgreSQL server that two machines of one institute share."""

from __future__ import annotations

import platform
from typing import Annotated

from pydantic import Field

from pregon.base.settings import Settings
from pregon.transport.lugar import Secreto

_Nombre = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class AjustesEstado(Settings):
    """Where the state of the workspace lies, and who this machine is.

    ``url`` names where the address is (``archivo:PATH`` or ``env:NAME``), because it has a password. ``esquema``: one
    for each convocatoria and ambiente. ``maquina``: other than the other's; without it, the name of this computer.
    ``arriendo_s``: seconds without a sign of life from which the other machine may take over without being told to.
    """

    url: Secreto
    esquema: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,50}$")] = "pregon"
    maquina: _Nombre | None = None
    arriendo_s: Annotated[int, Field(ge=5, le=3600)] = 60

    @property
    def nombre(self) -> str:
        """The name of this machine."""
        return self.maquina or platform.node().lower() or "sin-nombre"
