"""``[bitacora]`` of ``instituto.toml``: where else the seals of the journal are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pregon.base.settings import Settings

COPIAS_MAX = 8


class AjustesBitacora(Settings):
    """``copias``: folders, relative to the workspace, where each seal is written too: another disk, another machine.

    They must be there already: a folder made here where a disk is not mounted would keep nothing from anybody.
    """

    copias: Annotated[tuple[Path, ...], Field(max_length=COPIAS_MAX)] = ()
