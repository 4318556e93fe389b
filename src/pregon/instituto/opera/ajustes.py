"""``[opera]`` of ``instituto.toml``: where the cuts come from, and the pace of the night's service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pregon.base.settings import Settings

AVISO_MAX_S = 60.0
"""A cut that is not signed is announced as late within a minute, whatever the settings say."""


class AjustesOpera(Settings):
    """How ``pregon instituto opera`` makes the night. Paths are relative to the workspace.

    ``actas``: the folder where the files of each cut arrive; without it, the ``[[fuente]]`` tables are read.
    ``autorizaciones``: the file of ``--autorizaciones``, read again at each try. ``operador``: whose name the cuts that
    nobody ordered by hand carry. ``cierre``: whether the closing cut waits for a person («confirmado»).

    Seconds: ``aviso_tras_s`` after a cut was due, if it is not signed, its delay is announced; ``reintenta_s`` between
    two tries of a cut; ``quieto_s`` that files must stay as they are to be taken as whole; ``acuses_s`` between two
    collections of acuses, and ``reentrega_s`` between two deliveries to those that failed; all of real time.
    ``repite_min``: minutes after which what still lasts is told again. ``vigila``: watch the difusores and close
    each slot of theirs; ``lista``: the folder of the public list, written again as their states change. ``hora``: by
    whom ``revisa`` has this machine's clock measured; ``hora_servidor``, by NTP; ``desfase_max_s`` what it may be off.
    """

    actas: Path | None = None
    autorizaciones: Path | None = None
    operador: Annotated[str, Field(min_length=1, max_length=120)] = "pregon opera"
    cierre: Literal["automatico", "confirmado"] = "automatico"
    aviso_tras_s: Annotated[float, Field(gt=0, le=AVISO_MAX_S)] = 45.0
    reintenta_s: Annotated[float, Field(ge=0, le=300)] = 5.0
    quieto_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    acuses_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    reentrega_s: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    repite_min: Annotated[float, Field(gt=0, le=1440)] = 10.0
    vigila: bool = True
    lista: Path | None = None
    hora: Literal["ntp", "chrony", "ninguna"] = "chrony"
    hora_servidor: Annotated[str, Field(min_length=1, max_length=253)] = "cronos.cenam.mx"
    desfase_max_s: Annotated[float, Field(gt=0, le=60)] = 1.0
