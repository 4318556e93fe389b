"""The same call on another date: every date and instant of a profile moved by the same time."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from typing import Any

from pregon.convocatoria.escribe import to_toml_text
from pregon.convocatoria.model import Convocatoria


def trasladada(convocatoria: Convocatoria, inicio: datetime) -> Convocatoria:
    """``convocatoria`` with its start at ``inicio`` (aware); everything else keeps its distance to it.

    Local hours are moved, so that what was at eight in the evening stays there over a change of summer time. Days
    without an hour move by whole days.

    Raises:
        pydantic.ValidationError: an hour does not exist on its new day, or no zone is known for it.
    """
    zone = convocatoria.zona
    step = inicio.astimezone(zone).replace(tzinfo=None) - convocatoria.inicio.astimezone(zone).replace(tzinfo=None)
    table = tomllib.loads(to_toml_text(convocatoria))
    return Convocatoria.model_validate(_moved(table, step))


def _moved(value: Any, step: timedelta) -> Any:
    if isinstance(value, datetime):
        return value + step
    if isinstance(value, date):
        return value + timedelta(days=step.days)
    if isinstance(value, dict):
        return {key: _moved(one, step) for key, one in value.items()}
    if isinstance(value, list):
        return [_moved(one, step) for one in value]
    return value
