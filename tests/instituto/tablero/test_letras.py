"""What one cell of the board says, by everything that may be known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.instituto.monitor.modelo import Dictamen, Periodo
from pregon.instituto.proceso.modelo import Cierre
from pregon.instituto.tablero.letras import letra
from pregon.instituto.tablero.modelo import LETRAS
from tests.instituto.tablero.noches import INICIO, PASO

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Causa, Veredicto
    from pregon.instituto.proceso.modelo import Resultado

TOLERANCIA = timedelta(minutes=5)
HUECO = Periodo(3, INICIO, INICIO + PASO, corte=4, firmado=INICIO + timedelta(seconds=20), manifiesto_sha256="4" * 64)
VACIO = replace(HUECO, corte=None, firmado=None, manifiesto_sha256=None)
DENTRO = INICIO + timedelta(minutes=2)
TARDE = INICIO + timedelta(minutes=40)


def dice(veredicto: Veredicto, causa: Causa, corte: int | None = 4) -> Dictamen:
    return Dictamen(difusor="uno", hora=DENTRO, veredicto=veredicto, causa=causa, corte=corte)


def cerro(resultado: Resultado, veredicto: Veredicto | None = None) -> Cierre:
    return Cierre(
        difusor="uno", periodo=3, corte=4, hora=HUECO.hasta, resultado=resultado, porque="", veredicto=veredicto
    )


BIEN = dice("al_dia", "ninguna")
VIEJO = dice("al_dia", "ninguna", 3)
ALTERADO = dice("alterado", "difusor")
NADA = dice("al_dia", "ninguna", None)
CELDAS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("closed well, though it was last seen failing", "D", {"cierre": cerro("cumplio"), "dictamen": ALTERADO}),
    ("closed as altered", "X", {"cierre": cerro("fallo", "alterado"), "dictamen": BIEN}),
    ("closed as silent", "S", {"cierre": cerro("fallo", "inaccesible")}),
    ("closed as late", "R", {"cierre": cerro("fallo", "atrasado")}),
    ("closed without counting", "N", {"cierre": cerro("no_cuenta"), "dictamen": dice("atrasado", "red", 3)}),
    ("seen with the cut", "D", {"dictamen": BIEN}),
    ("the cut from one point, silence from another", "D", {"dictamen": dice("al_dia", "red")}),
    ("an older cut, on time", "E", {"dictamen": VIEJO}),
    ("an older cut, and nobody looked again", "Q", {"dictamen": VIEJO, "ahora": TARDE}),
    ("an older cut, and then its own word", "D", {"dictamen": VIEJO, "dicho": True, "ahora": TARDE}),
    ("late", "R", {"dictamen": dice("atrasado", "difusor", 2)}),
    ("late, and nobody knows whose fault", "Q", {"dictamen": dice("atrasado", "sin_determinar", 2)}),
    ("silent", "S", {"dictamen": dice("inaccesible", "difusor", None)}),
    ("silent, and so is everybody", "Q", {"dictamen": dice("inaccesible", "sin_determinar", None)}),
    ("altered", "X", {"dictamen": ALTERADO}),
    ("altered on the way, over plain HTTP", "N", {"dictamen": dice("alterado", "red")}),
    ("the institute owes", "I", {"dictamen": dice("atrasado", "instituto", 3)}),
    ("nobody had network", "Q", {"dictamen": dice("sin_determinar", "red", None)}),
    ("a cut that was never made", "I", {"periodo": VACIO, "ahora": TARDE}),
    ("altered in a slot without cut", "I", {"periodo": VACIO, "ahora": TARDE, "dictamen": ALTERADO}),
    ("a cut that is awaited", "E", {"periodo": VACIO}),
    ("altered while a cut is awaited", "X", {"periodo": VACIO, "dictamen": dice("alterado", "difusor", 3)}),
    ("nobody looked: its own word", "D", {"dicho": True, "ahora": TARDE}),
    ("nobody looked, on time", "E", {}),
    ("nobody looked", "-", {"ahora": TARDE}),
    ("its ordered notice", "A", {"dictamen": NADA, "fuera": True}),
    ("its ordered notice, in a slot without cut", "A", {"periodo": VACIO, "ahora": TARDE, "fuera": True}),
    ("results in place of its ordered notice", "X", {"dictamen": ALTERADO, "fuera": True}),
    ("not in the registry yet", "-", {"obligado": False, "dictamen": BIEN}),
    ("not in the registry yet, without cut", "-", {"periodo": VACIO, "ahora": TARDE, "obligado": False}),
)


@pytest.mark.parametrize(("due", "given"), [one[1:] for one in CELDAS], ids=[one[0] for one in CELDAS])
def test_each_cell_says_what_is_known(due: str, given: dict[str, Any]) -> None:
    known: dict[str, Any] = {
        "dictamen": None,
        "cierre": None,
        "dicho": False,
        "fuera": False,
        "obligado": True,
        "ahora": DENTRO,
        "periodo": HUECO,
        **given,
    }
    assert letra(known.pop("periodo"), tolerancia=TOLERANCIA, **known) == due


def test_every_letter_is_drawn_apart_and_worst_first() -> None:
    assert len({one.letra for one in LETRAS}) == len({one.forma for one in LETRAS}) == len(LETRAS)
    fails = [one.letra for one in LETRAS if one.falla]
    assert fails == [one.letra for one in LETRAS[: len(fails)]] == ["X", "S", "R"]
