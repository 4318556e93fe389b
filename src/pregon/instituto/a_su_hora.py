"""Whether it is time for what a person ordered: two slips of the hand that no later order would undo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import CadenaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pregon.instituto.workspace import Workspace

OTRO_DIA = timedelta(days=1)
"""So far ahead an hour is of another night: nobody is asked about it."""


def require_its_hour(workspace: Workspace, hora: datetime, *, horario: bool, seguro: Callable[[str], bool]) -> None:
    """Ask about a cut of an hour that has not come, and about closing by the hour (``horario``) before it.

    Some institutes take their data a little before the hour of the cut: up to one period ahead nothing is asked.

    Args:
        hora: that of the cut, aware.
        seguro: given what is odd, in one sentence, says whether the cut goes on.

    Raises:
        CadenaError: ``hora`` is a day ahead or more, or ``seguro`` said no; nothing was signed.
    """
    profile = workspace.convocatoria
    local, now = hora.astimezone(profile.zona), workspace.clock.now().astimezone(profile.zona)
    if local >= now + OTRO_DIA:
        raise _refused(f"El corte sería de las {local:%H:%M del %d/%m/%Y}, y son las {now:%H:%M del %d/%m/%Y}.")
    for what in _odd(workspace, local, now, horario=horario):
        if not seguro(what):
            raise _refused(what)


def _odd(workspace: Workspace, local: datetime, now: datetime, *, horario: bool) -> Iterator[str]:
    profile = workspace.convocatoria
    if local > now + timedelta(minutes=profile.intervalo_min):
        yield (
            f"El corte es de las {local:%H:%M del %d/%m/%Y} y apenas son las {now:%H:%M del %d/%m/%Y}: después no se "
            "firma ninguno de una hora anterior."
        )
    if horario and local < profile.fin_actualizacion:
        end = profile.fin_actualizacion.astimezone(profile.zona)
        yield (
            f"Es el último corte, de las {local:%H:%M del %d/%m/%Y}, y la convocatoria cierra a las "
            f"{end:%H:%M del %d/%m/%Y}: después no se firma otro."
        )


def _refused(que_paso: str) -> CadenaError:
    return CadenaError(
        que_paso,
        intacto="No se firmó nada; el repositorio sigue como estaba.",
        que_hacer="Revise --hora, la de los archivos y --ultimo (antes de su hora, --cierre anticipado con --motivo). "
        "En un ensayo, ponga el reloj en esa hora («pregon simulacro reloj»).",
    )
