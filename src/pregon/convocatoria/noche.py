"""A profile for a night that no call describes: a folder of real cuts, or a synthetic election."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pregon.base.errors import AjustesError
from pregon.base.settings import spanish_problems
from pregon.convocatoria.model import OPERATION, Convocatoria
from pregon.convocatoria.secciones import Entidad, Fallo, Transporte
from pregon.convocatoria.tipos import canonical_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.convocatoria.tipos import Codigo

MEXICO = "America/Mexico_City"


def profile_for_night(
    *,
    id: str,  # noqa: A002 - the profile's own key
    nombre: str,
    instituto: str,
    entidad: Entidad,
    elecciones: Sequence[str],
    inicio: datetime,
    fin: datetime | None = None,
    permanencia_hasta: datetime | None = None,
    intervalo_min: int = 20,
    retraso_max_s: int | None = None,
    cierre_anticipado_permitido: bool = False,
    zona_horaria: str = MEXICO,
    transporte: Transporte | None = None,
) -> Convocatoria:
    """A profile with those facts and the model's defaults for the rest.

    Args:
        elecciones: codes, contest ids or spellings of file names (``GOB``, ``ayun``); order kept.
        inicio: aware instant of any zone, or local time of ``zona_horaria``; so ``fin`` and ``permanencia_hasta``.
        fin: end of updates; ``inicio`` + 24 hours when None.
        transporte: a local folder pulled by the difusor when None.

    Raises:
        AjustesError: the night cannot be; the text lists every problem with its key.
    """
    zone = ZoneInfo(zona_horaria)

    def local(instant: datetime) -> datetime:
        return instant if instant.tzinfo is None else instant.astimezone(zone)

    try:
        return Convocatoria(
            id=id,
            nombre=nombre,
            instituto=instituto,
            entidad=entidad,
            elecciones=cast("tuple[Codigo, ...]", tuple(canonical_code(word) for word in elecciones)),
            zona_horaria=zona_horaria,
            inicio=local(inicio),
            fin_actualizacion=local(fin if fin is not None else inicio + OPERATION),
            permanencia_hasta=None if permanencia_hasta is None else local(permanencia_hasta),
            intervalo_min=intervalo_min,
            retraso_max_s=retraso_max_s,
            cierre_anticipado_permitido=cierre_anticipado_permitido,
            transporte=transporte or Transporte(modo="pull", protocolo="local"),
            fallo=Fallo(accion="interrumpir", causas=("periodos",), periodos=3, aviso_en_portal=True, retira_liga=True),
        )
    except ValidationError as exc:
        raise AjustesError(
            f"La convocatoria de la noche «{id}» no es posible:\n  " + "\n  ".join(spanish_problems(exc)),
            intacto="No se creó nada.",
            que_hacer="Corrija los datos señalados y repita la orden.",
        ) from exc
