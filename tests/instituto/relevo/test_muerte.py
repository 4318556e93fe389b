"""The machine that has the night is killed (SIGKILL, a real process) at every step of a cut and of a notice.

After each death, on a real PostgreSQL: the other machine takes over and the night goes on; no number was ever signed
for two contents, wherever a signed document may lie; no version has two documents; a difusor that follows what each
machine shows accepts it all, without going back. Then the dead one comes back, and is the one that waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import InstanciaError
from pregon.instituto import avisos
from pregon.instituto.relevo import releva
from tests.instituto.conftest import tree_digest
from tests.instituto.relevo.conftest import corta, hora
from tests.instituto.relevo.victima import Tarea, corre
from tests.red.blancos import MUERTO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.relevo.conftest import Difusor, Pareja

PASOS_MAX = 48
"""More steps than a cut has."""
TRAMOS = [
    ("replace 0002", False),  # nobody knows of the cut
    ("replace 0002", True),  # it lies in its place, and its number is free
    ("transaccion toma", True),  # taken, nothing signed
    ("write 3.cortes.json", True),  # signed here, and nobody else has it
    ("transaccion confirma", False),  # all signed but the timestamp, which is only in memory
    ("transaccion confirma", True),  # it exists, and nobody sees it
    ("write timestamp.json", True),  # readers see it
]
"""Each stretch of a signature, by the step around which the machine dies (False: before it)."""


def mata(
    pareja: Pareja, folder: Path, en: int | str, *, aviso: bool = False, despues: bool = False, actas: str | None = None
) -> bool:
    """Have machine ``a`` die around that step of a cut, or of a notice; whether it has such a step."""
    with pareja.abre("a").signing():
        pass  # what is only made once is not of these steps
    salida = folder / "pasos.txt"
    status = corre(Tarea(str(pareja.a), aviso, en, despues, str(salida), actas))
    told = salida.read_text() if salida.exists() else ""
    assert status in (0, MUERTO), told
    assert status == MUERTO or not isinstance(en, str), f"no step «{en}»: {told}"
    return status == MUERTO


def check_the_night_goes_on(pareja: Pareja, difusor: Difusor) -> int:
    """The number of the last cut that the dead machine left, signed or taken."""
    seen = difusor.mira(pareja.a / "repositorio")
    pareja.calla()
    b = pareja.abre("b")
    passed = releva.releva(b, operador="Ana", motivo="la máquina a murió")
    assert passed.corte in (1, 2)
    assert passed.corte >= (seen or 0)
    assert difusor.mira(b.repositorio) == passed.corte
    # With another content, so that a number signed twice would be of two.
    following = corta(b, 2, "43")
    assert following == passed.corte + 1
    assert difusor.mira(b.repositorio) == following
    numbers = [number for number, _ in difusor.visto]
    assert numbers == sorted(set(numbers))
    # Whatever the dead one signed and nobody saw lies on its disk still.
    assert {number: signed for number, signed in pareja.firmados().items() if len(signed) != 1} == {}
    assert [name for name, texts in pareja.documentos().items() if len(texts) != 1] == []
    a, dead = pareja.abre("a"), tree_digest(pareja.a / "repositorio")
    with pytest.raises(InstanciaError):
        avisos.announce_delay(a, avisos.Orden("vuelve", "Ana"), texto="El corte se retrasa.")
    assert tree_digest(pareja.a / "repositorio") == dead
    assert releva.sigue(a) > 0
    assert difusor.mira(a.repositorio) == following
    mine, theirs = tree_digest(a.repositorio / "targets"), tree_digest(b.repositorio / "targets")
    assert {ruta: mine[ruta] for ruta in theirs} == theirs
    return passed.corte


@pytest.mark.parametrize(("en", "despues"), TRAMOS)
def test_killed_in_each_stretch_of_a_signature(pareja: Pareja, tmp_path: Path, en: str, *, despues: bool) -> None:
    difusor = pareja.difusor()
    assert mata(pareja, tmp_path, en, despues=despues)
    # From the moment when its number is taken, the cut is made: with this content, by whichever machine.
    assert check_the_night_goes_on(pareja, difusor) == (1 if en.startswith("replace") else 2)


@pytest.mark.parametrize(("en", "despues"), [("transaccion toma", True), ("transaccion confirma", True)])
def test_the_same_machine_started_again_ends_what_it_began(
    pareja: Pareja, tmp_path: Path, en: str, *, despues: bool
) -> None:
    difusor = pareja.difusor()
    assert mata(pareja, tmp_path, en, despues=despues)
    assert difusor.mira(pareja.a / "repositorio") == 1
    assert corta(pareja.abre("a"), 2, "43") == 3
    assert difusor.mira(pareja.a / "repositorio") == 3
    assert all(len(signed) == 1 for signed in pareja.firmados().values())


def test_a_notice_whose_number_was_taken_is_signed_by_the_other_machine(pareja: Pareja, tmp_path: Path) -> None:
    difusor = pareja.difusor()
    assert mata(pareja, tmp_path, "write 2.avisos.json", aviso=True, despues=True)
    assert check_the_night_goes_on(pareja, difusor) == 1
    with pareja.abre("b").signing() as repository:
        assert [number for number, _ in repository.notices()] == [1]


@pytest.mark.aguante
@pytest.mark.parametrize("despues", [False, True])
@pytest.mark.parametrize("step", range(PASOS_MAX))
def test_killed_at_every_step_of_a_cut_made_of_actas(
    pareja_de_actas: Pareja, tmp_path: Path, step: int, *, despues: bool
) -> None:
    pareja = pareja_de_actas
    difusor = pareja.difusor()
    actas = str(pareja.night.sources(hora(1))[0].actas.parent)
    if mata(pareja, tmp_path, step, despues=despues, actas=actas):
        assert step < PASOS_MAX - 1, "there are more steps than are tried"
        check_the_night_goes_on(pareja, difusor)


@pytest.mark.aguante
@pytest.mark.parametrize("aviso", [False, True])
@pytest.mark.parametrize("despues", [False, True])
@pytest.mark.parametrize("step", range(PASOS_MAX))
def test_killed_at_every_step(pareja: Pareja, tmp_path: Path, step: int, *, despues: bool, aviso: bool) -> None:
    difusor = pareja.difusor()
    if mata(pareja, tmp_path, step, aviso=aviso, despues=despues):
        assert step < PASOS_MAX - 1, "there are more steps than are tried"
        check_the_night_goes_on(pareja, difusor)
    else:
        names = (tmp_path / "pasos.txt").read_text().splitlines()
        assert 8 < len(names) <= step
