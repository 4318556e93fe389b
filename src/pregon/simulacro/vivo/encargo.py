"""The two files by which whoever leads a rehearsal speaks to its live view: what is planned, and how it ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pregon.base.errors import DanadoError, EntradaError
from pregon.base.razones import razon
from pregon.simulacro.fallas.plan import Falla, con_fallas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.simulacro.plan import Plan
    from pregon.simulacro.result import NightResult

ENCARGO = "vivo.json"
RESULTADO = "resultado.json"
_MAX = 64 << 20


@dataclass(frozen=True)
class Previsto:
    """One period of the plan: from 1, the hour of its cut, its number (None: omitted), how late it is made."""

    indice: int
    hora: datetime
    numero: int | None
    retraso: timedelta = timedelta(0)


@dataclass(frozen=True)
class Encargo:
    """What is known of a night before it begins. ``informe``: the folder of its signed report, None: there is none.

    ``calificada``: it will have marks. ``abierta``: it goes on serving after the end. ``siguen``: another night comes
    after this one, at the same address.
    """

    convocatoria: str
    titulo: str
    zona: str
    inicio: datetime
    intervalo_min: int
    semilla: int
    difusores: tuple[str, ...]
    periodos: tuple[Previsto, ...]
    fallas: tuple[Falla, ...] = ()
    informe: Path | None = None
    calificada: bool = False
    abierta: bool = False
    siguen: bool = False

    @property
    def huso(self) -> ZoneInfo:
        """The zone in which the hours of this night are read."""
        return ZoneInfo(self.zona)

    def to_bytes(self) -> bytes:
        """``vivo.json``."""
        told = {
            **vars(self),
            "inicio": self.inicio.isoformat(),
            "periodos": [
                {"indice": one.indice, "hora": one.hora.isoformat(), "numero": one.numero}
                | {"retraso_s": one.retraso.total_seconds()}
                for one in self.periodos
            ],
            "fallas": [asdict(one) for one in self.fallas],
            "informe": None if self.informe is None else str(self.informe),
        }
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def encargo_de(
    call: Convocatoria,
    plan: Plan,
    *,
    difusores: int,
    semilla: int,
    fallas: Sequence[Falla] = (),
    informe: Path | None = None,
    calificada: bool = False,
    abierta: bool = False,
    siguen: bool = False,
) -> Encargo:
    """What the view must know of that night; ``plan``: as it was before its faults."""
    periods = tuple(
        Previsto(one.indice, one.previsto.hora, None, timedelta(0))
        if one.corte is None
        else Previsto(one.indice, one.corte.hora, one.corte.numero, one.corte.retraso)
        for one in con_fallas(plan, fallas)
    )
    return Encargo(
        convocatoria=call.id,
        titulo=call.nombre,
        zona=call.zona_horaria,
        inicio=call.inicio,
        intervalo_min=call.intervalo_min,
        semilla=semilla,
        difusores=tuple(f"difusor-{number}" for number in range(1, difusores + 1)),
        periodos=periods,
        fallas=tuple(fallas),
        informe=None if informe is None else informe.absolute(),
        calificada=calificada,
        abierta=abierta,
        siguen=siguen,
    )


def lee(folder: Path) -> Encargo:
    """The one of the night in ``folder``.

    Raises:
        EntradaError: it is not there. DanadoError: it is not one.
    """
    path = folder / ENCARGO
    try:
        told: dict[str, Any] = json.loads(_read(path))
        return Encargo(
            **{
                **told,
                "inicio": datetime.fromisoformat(told["inicio"]),
                "difusores": tuple(told["difusores"]),
                "periodos": tuple(
                    Previsto(
                        one["indice"],
                        datetime.fromisoformat(one["hora"]),
                        one["numero"],
                        timedelta(seconds=one["retraso_s"]),
                    )
                    for one in told["periodos"]
                ),
                "fallas": tuple(Falla(**one) for one in told["fallas"]),
                "informe": None if told["informe"] is None else Path(told["informe"]),
            }
        )
    except OSError as exc:
        raise EntradaError(
            f"No se puede leer {path}: {razon(exc)}.",
            intacto="El simulacro sigue igual.",
            que_hacer="La vista en vivo la inicia «pregon simulacro --vivo»; no se inicia sola.",
        ) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise DanadoError(
            f"{path} no se entiende.",
            intacto="El simulacro sigue igual.",
            que_hacer="Repita el simulacro con --vivo.",
        ) from exc


def escribe(folder: Path, encargo: Encargo, *, disk: Disk) -> None:
    """Leave it in the folder of the night, before the view is started."""
    disk.write(folder / ENCARGO, encargo.to_bytes())


def concluye(folder: Path, result: NightResult, *, disk: Disk) -> None:
    """Leave how the night ended, for the view to tell."""
    disk.write(folder / RESULTADO, json.dumps(result.to_json(), ensure_ascii=False).encode())


def resultado(folder: Path) -> dict[str, Any] | None:
    """What ``concluye`` left; None while the night goes on.

    Raises:
        ValueError: it is not whole.
    """
    try:
        told: dict[str, Any] = json.loads(_read(folder / RESULTADO))
    except FileNotFoundError:
        return None
    return told


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX)
