"""What the commands of a difusor share: the argument DIR, how they tell a pass."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pregon.difusor.receive import Outcome

Carpeta = Annotated[Path, typer.Argument(help="Carpeta de trabajo del difusor.", metavar="DIR")]


def tell_news(outcome: Outcome, *, as_json: bool) -> None:
    """One line for each pass in which something happened."""
    if outcome.novedad is None and not outcome.cambio:
        return
    if as_json:
        sys.stdout.write(json.dumps(outcome_as_dict(outcome), ensure_ascii=False) + "\n")
    else:
        what = "espera o aviso" if outcome.decision.corte is None else f"corte {outcome.decision.corte}"
        sys.stdout.write(f"Público: {what}. {outcome.decision.motivo}\n")
    sys.stdout.flush()


def outcome_as_dict(outcome: Outcome) -> dict[str, object]:
    """The object of ``--json`` for one pass."""
    if outcome.novedad is None and not outcome.cambio:
        return {"novedad": False}
    return {
        "novedad": outcome.novedad is not None,
        "corte": outcome.novedad,
        "publico": outcome.decision.corte,
        "estado": str(outcome.decision.estado),
    }
