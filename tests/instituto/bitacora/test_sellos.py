"""The seals: signed by the institute, chained, copied out; and the journal compared with them."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pregon.base import state
from pregon.base.clock import ManualClock
from pregon.base.errors import EntradaError, FirmaError, FormatoError, UsoError
from pregon.base.state import StateDatabase
from pregon.instituto import workspace as espacios
from pregon.instituto.bitacora import sellos
from pregon.instituto.bitacora.ajustes import AjustesBitacora
from pregon.trust import keys
from pregon.trust.sobre import paper_keys, read_paper, sign_paper
from tests.instituto.bitacora.test_cadena import manipula, relink
from tests.instituto.ceremonias import Sala, cheap_phrases
from tests.instituto.conftest import HORA, Night, tree_digest

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.workspace import Workspace


@pytest.fixture
def espacio(night: Night) -> Workspace:
    night.clock.instant = HORA
    made = night.create()
    afuera = night.folder / "usb"
    afuera.mkdir()
    return replace(made, settings=made.settings.model_copy(update={"bitacora": AjustesBitacora(copias=(afuera,))}))


def archivo(espacio: Workspace) -> StateDatabase:
    """The file of the journal, for what no program of ours would do to it."""
    return StateDatabase(espacio.folder / "estado.sqlite", espacio.clock)


def faults(espacio: Workspace, **given: object) -> list[tuple[str, int, int]]:
    return [(each.codigo, each.desde, each.hasta) for each in sellos.revisa(espacio, **given).fallas]  # type: ignore[arg-type]


def test_each_seal_is_kept_in_three_places_and_names_the_one_before(espacio: Workspace, night: Night) -> None:
    head = espacio.state().cabeza()
    first = sellos.sella(espacio, corte=1)
    assert (first.numero, first.n, first.eslabon, first.corte, first.anterior) == (1, head.n, head.eslabon, 1, None)
    espacio.state().record("corte", corte=2)
    second = sellos.sella(espacio, corte=2)
    assert (second.numero, second.anterior, second.hora) == (2, first.sha256, HORA.astimezone(second.hora.tzinfo))  # type: ignore[union-attr]
    beside = espacio.folder / "bitacora" / "sellos"
    names = {"000001.json", "000002.json"}
    assert {path.name: path.read_bytes() for path in beside.glob("*.json")} == {
        path.name: path.read_bytes() for path in (night.folder / "usb").iterdir()
    }
    assert {path.name for path in (night.folder / "usb").iterdir()} == names
    assert [sello for sello, _ in sellos.todos(espacio)] == [first, second]
    whole = sellos.revisa(espacio)
    assert (whole.ok, whole.sellos, whole.sellado) == (True, 2, second.n)


def test_written_again_with_everything_here_is_found_by_what_left(espacio: Workspace, night: Night) -> None:
    """Whoever owns the machine owns its key: he changes an event, links again, and signs new seals."""
    espacio.state().record("advertencia", difusor="diario-uno")
    sellos.sella(espacio, corte=1)
    said = sellos.mensaje(espacio, sellos.todos(espacio)[0][0])
    base = archivo(espacio)
    shutil.rmtree(espacio.folder / "bitacora")
    manipula(
        base,
        "UPDATE evento SET dato = replace(dato, 'uno', 'dos')",
        "DELETE FROM renglon WHERE serie = 'sellos'",
        "DELETE FROM evento WHERE tipo = 'sello'",
        "UPDATE sqlite_sequence SET seq = 2 WHERE name = 'evento'",
    )
    relink(base)
    alone = replace(espacio, settings=espacio.settings.model_copy(update={"bitacora": AjustesBitacora()}))
    sellos.sella(alone, corte=1)
    assert faults(alone) == []  # Nothing that is left here can tell.
    assert ("REESCRITA", 1, 2) in faults(espacio)  # The copy on the other disk does,
    assert ("SELLO_DISTINTO", 1, 1) in faults(espacio)
    kept = (night.folder / "usb" / "000001.json").read_bytes()
    assert ("REESCRITA", 1, 2) in faults(alone, fuera=[kept])
    line = said.asunto.split()[-1]
    assert faults(alone, dados=[sellos.dado(line)]) == [("REESCRITA", 1, 2)]  # and so does the line of the mail.


def test_a_seal_taken_away_is_missed(espacio: Workspace, night: Night) -> None:
    for corte in (1, 2, 3):
        sellos.sella(espacio, corte=corte)
    (espacio.folder / "bitacora" / "sellos" / "000002.json").unlink()
    assert faults(espacio) == [("SELLO_FALTA", 2, 2)]
    manipula(archivo(espacio), "DELETE FROM renglon WHERE serie = 'sellos' AND n = 2")
    (night.folder / "usb" / "000002.json").unlink()
    assert {("SELLO_FALTA", 2, 2)} == set(faults(espacio))


def test_a_seal_of_somebody_else_is_no_seal(espacio: Workspace, night: Night) -> None:
    sellos.sella(espacio)
    stranger = keys.generate("avisos-1")
    good = (night.folder / "usb" / "000001.json").read_bytes()
    payload = read_paper(good, sellos.FORMATO, paper_keys(espacio.repositorio / "metadata", root(espacio)))
    forged = sign_paper(payload, sellos.FORMATO, ring=keys.KeyRing((stranger,)), allowed=[stranger.public])
    with pytest.raises(FirmaError):
        sellos.revisa(espacio, fuera=[forged])
    for wrong in (good[:-1], good + b"\n", b"{}", b"\xff", good.replace(b"sello/1", b"sello/2")):
        with pytest.raises(FormatoError):
            sellos.revisa(espacio, fuera=[wrong])
    (espacio.folder / "bitacora" / "sellos" / "000001.json").write_bytes(forged)
    assert faults(espacio) == [("SELLO_DISTINTO", 1, 1)]


def root(espacio: Workspace) -> bytes:
    return (espacio.folder / espacios.RAIZ).read_bytes()


def test_without_the_key_nothing_is_signed(espacio: Workspace) -> None:
    before = espacio.state().cabeza()
    (espacio.llaves / "avisos-1.pem").unlink()
    (espacio.llaves / "avisos-2.pem").unlink()
    with pytest.raises(EntradaError):
        sellos.sella(espacio)
    assert espacio.state().cabeza() == before
    assert not list((espacio.folder / "bitacora" / "sellos").glob("*.json"))


def test_a_disk_taken_out_does_not_stop_the_night_and_is_told(espacio: Workspace, night: Night) -> None:
    shutil.rmtree(night.folder / "usb")
    assert sellos.sella(espacio, corte=1).numero == 1
    [told] = [event.dato for event in espacio.state().events() if event.tipo == "sello"]
    assert told["copias_mal"] == [str(night.folder / "usb")]
    assert sellos.revisa(espacio).ok


def test_the_seals_of_another_night_are_not_written_over(espacio: Workspace, night: Night) -> None:
    """The base was lost and began anew: what lies beside, here and out, stays and is followed."""
    for corte in (1, 2):
        sellos.sella(espacio, corte=corte)
    before = tree_digest(night.folder / "usb")
    archivo(espacio).path.unlink()
    for side in ("-wal", "-shm"):
        archivo(espacio).path.with_name(f"estado.sqlite{side}").unlink(missing_ok=True)
    archivo(espacio).path.unlink(missing_ok=True)
    espacio.state().record("inicia")
    third = sellos.sella(espacio, corte=3)
    assert third.numero == 3
    assert before.items() <= tree_digest(night.folder / "usb").items()
    assert {code for code, *_ in faults(espacio)} == {"REESCRITA"} or ("RECORTADA", 2, 2) in faults(espacio)


def test_what_was_signed_holds_after_a_ceremony_changed_the_key(tmp_path: Path) -> None:
    with cheap_phrases():
        sala = Sala(tmp_path / "sala", ManualClock(HORA, simulado=False))
        sala.carpeta.mkdir()
        sala.genera()
        espacio = sala.open()
        first = sellos.sella(espacio)
        sala.acto("rota", rol="avisos", mesa=sala.mesa("ana", "eva"))
        second = sellos.sella(espacio)
    allowed = paper_keys(espacio.repositorio / "metadata", espacio.repository().root_bytes())
    assert len(allowed) == 3
    assert [sello for sello, _ in sellos.todos(espacio)] == [first, second]
    assert sellos.revisa(espacio).ok
    signers = [json.loads(data)["signatures"][0]["keyid"] for _, data in sellos.todos(espacio)]
    assert len(set(signers)) == 2


def test_a_foreign_root_proves_nothing(espacio: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "otro"
    folder.mkdir()
    foreign = Night(folder, ManualClock(HORA)).create()
    with pytest.raises(FirmaError):
        paper_keys(espacio.repositorio / "metadata", root(foreign))
    with pytest.raises(EntradaError):
        paper_keys(tmp_path / "nada", root(espacio))


@pytest.mark.parametrize("text", ["", "12", "12:abc", f"x:{'0' * 64}", f"12:{'G' * 64}"])
def test_a_line_that_is_no_link(text: str) -> None:
    with pytest.raises(UsoError):
        sellos.dado(text)


def test_the_journal_tells_its_seals_and_a_broken_event_does_not_stop_the_reading(espacio: Workspace) -> None:
    sellos.sella(espacio)
    with contextlib.closing(sqlite3.connect(archivo(espacio).path)) as connection, connection:
        connection.execute("UPDATE evento SET dato = 'nada' WHERE tipo = 'sello'")
    assert faults(espacio) == [("ALTERADO", 2, 2)]
    assert json.loads(json.dumps(sellos.revisa(espacio).as_dict()))["ok"] is False


def test_going_back_to_an_older_program_and_forth_breaks_no_seal(espacio: Workspace) -> None:
    sellos.sella(espacio)
    path = espacio.folder / "estado.sqlite"
    state.migrate(path, 1)
    after = replace(espacio)
    after.state().record("corte", corte=1)
    whole = sellos.revisa(after)
    assert (whole.fallas, whole.sellado, whole.encadenados) == ((), 1, 3)
    manipula(archivo(after), "UPDATE evento SET dato = '{}' WHERE n = 1")
    assert faults(after) == [("REESCRITA", 1, 1), ("ALTERADO", 3, 3)]
