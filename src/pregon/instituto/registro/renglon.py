"""A row of the registry, as it is kept, and the public part of a difusor, as the program has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pregon.instituto.registro.modelo import Inscrito, Paso


def inscrito(row: Any) -> Inscrito:
    """What of a row is not confidential."""
    return Inscrito(
        n=row["n"],
        id=row["id"],
        nombre=row["nombre"],
        url=row["url"],
        estado=row["estado"],
        historia=tuple(
            Paso(**{**one, "hora": datetime.fromisoformat(one["hora"]), "evidencia": tuple(one["evidencia"])})
            for one in row["historia"]
        ),
        logo=row["logo"],
    )


def row_of(one: Inscrito, seal: Any) -> dict[str, Any]:
    """The row of a difusor, JSON types; ``seal``: the rest of its form (``sello``)."""
    return {
        "n": one.n,
        "id": one.id,
        "nombre": one.nombre,
        "url": one.url,
        "estado": one.estado,
        "historia": [paso_json(step) for step in one.historia],
        "logo": one.logo,
        "sello": seal,
    }


def paso_json(step: Paso) -> dict[str, Any]:
    """One change of state, JSON types."""
    return {
        "de": step.de,
        "a": step.a,
        "hora": step.hora.isoformat(),
        "quien": step.quien,
        "operador": step.operador,
        "motivo": step.motivo,
        "evidencia": list(step.evidencia),
        "aviso": step.aviso,
    }
