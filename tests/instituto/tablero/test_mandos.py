"""What each action does when it is not refused: the same that its command does, once, and told in the journal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import DiscoError, PregonError
from pregon.base.state import StateDatabase
from pregon.instituto.bitacora import frases
from pregon.instituto.tablero.acciones import ACCIONES, Peticion, lee
from pregon.instituto.tablero.cuentas import PAPELES
from pregon.instituto.tablero.ejecuta import Hecho
from pregon.instituto.tablero.tramites import A_LA_VEZ, SUCESO, Demasiadas, Repetida, Tramites
from tests.instituto.proceso.casa import RADIO, TELE
from tests.instituto.tablero.consejo import GENTE, Consejo, atendido, reunido
from tests.web.conftest import visitando

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOTIVO = "Lo pidió el consejo."


@pytest.fixture
def consejo(tmp_path: Path) -> Iterator[Consejo]:
    with reunido(tmp_path) as made:
        yield made


def test_deliver_again_note_and_warn(consejo: Consejo) -> None:
    operador = consejo.persona("operador")
    assert not list(consejo.destino.iterdir())
    done = operador.logra("entrega", {"difusor": RADIO, "motivo": MOTIVO, "corte": "1"})
    assert (done["fase"], done["dice"].startswith("Nodo principal: corte 0001 entregado")) == ("hecha", True), done
    assert (consejo.destino / "metadata" / "timestamp.json").is_file()
    assert [(one["difusor"], one["codigo"]) for one in consejo.sucesos("entrega")] == [(RADIO, "ENTREGADO")]

    done = operador.logra("entrega", {"difusor": TELE, "motivo": MOTIVO})
    assert (done["fase"], done["codigo"]) == ("fallo", "ENTRADA")
    assert "No está registrado el difusor tele-dos" in done["dice"]
    assert done["intacto"] == "No se entregó nada."
    page = operador.pide(f"tramites/{done['numero']}").text
    assert "No se pudo" in page
    assert "Revise las tablas [[destino]]" in page

    done = operador.logra("anota", {"difusor": TELE, "corte": "1", "motivo": "Llamé a Tele Dos: ya venían."})
    assert done["fase"] == "hecha"
    note = consejo.sucesos("nota")[-1]
    assert note == {
        "texto": f"{GENTE['operador']} anotó: Llamé a Tele Dos: ya venían.", "operador": GENTE["operador"],
        "difusor": TELE, "corte": 1,
    }  # fmt: skip
    assert frases.suceso("nota", note) == note["texto"]

    form = {"difusor": RADIO, "motivo": MOTIVO, "texto": "Su certificado vence hoy.\n\nRenuévelo."}
    done = operador.logra("advierte", form)
    assert (done["fase"], "M0001-radio-uno" in done["dice"]) == ("hecha", True), done
    mails = consejo.casa.correo.espera(2)
    assert {mail.para for mail in mails} == {("ana.ruiz@radio.ejemplo.mx",), ("legal@radio.ejemplo.mx",)}
    text = mails[0].mensaje.get_content()
    assert "Su certificado vence hoy.\n\nRenuévelo." in text.replace("\r\n", "\n")
    assert "Esta advertencia no cambia la cuenta" in text
    assert MOTIVO not in text
    assert consejo.casa.proceso().diario.cuenta(RADIO).seguidas == 0
    assert consejo.casa.proceso().diario.advertencias["M0001-radio-uno"].periodo is None

    told = [(one["paso"], one["accion"], one["cuenta"], one["papel"]) for one in consejo.sucesos(SUCESO)]
    who = (GENTE["operador"], "operador")
    assert told == [
        ("pedida", "entrega", *who), ("hecha", "entrega", *who), ("pedida", "entrega", *who),
        ("fallida", "entrega", *who), ("pedida", "anota", *who), ("hecha", "anota", *who),
        ("pedida", "advierte", *who), ("hecha", "advierte", *who),
    ]  # fmt: skip
    assert all(one["motivo"] for one in consejo.sucesos(SUCESO) if one["paso"] == "pedida")
    listed = operador.lee("api/tramites")["tramites"]
    assert [one["accion"] for one in listed] == ["advierte", "anota", "entrega", "entrega"]
    assert [one["accion"] for one in operador.lee(f"api/tramites?difusor={TELE}")["tramites"]] == ["anota", "entrega"]
    last = consejo.espacio.state().cabeza().n
    assert consejo.alcanza(last), "the board reads the journal in a quarter of a second"
    assert "desde el tablero, advertir a radio-uno: hecha" in operador.pide("bitacora?tipo=acciones").text


def test_suspend_and_reinstate_sign_one_notice_each(consejo: Consejo) -> None:
    titular = consejo.persona("titular")
    page = titular.pide(f"acciones/suspende?difusor={RADIO}").text
    assert "se firma el aviso" in page.lower()
    form = {
        "difusor": RADIO, "motivo": "Muestra un corte ajeno.", "evidencia": "observación 12\r\nllamada de las 22:41",
        "texto": "", "confirmacion": RADIO,
    }  # fmt: skip
    done = titular.logra("suspende", form, difusor=RADIO, responde_a=f"difusor/{RADIO}")
    assert (done["fase"], done["aviso"]) == ("hecha", 1), done
    assert done["responde_a"] is None  # the form had it, this one was sent without
    assert consejo.casa.estado() == "suspendido"
    notice = consejo.casa.avisos()[-1]
    assert (notice.tipo, notice.difusores, notice.motivo) == ("suspension", (RADIO,), "Muestra un corte ajeno.")
    step = consejo.sucesos("estado_difusor")[-1]
    assert (step["operador"], step["quien"]) == (GENTE["titular"], "operador")
    assert step["evidencia"] == ["observación 12", "llamada de las 22:41"]

    again = titular.logra("suspende", form, difusor=RADIO)
    assert (again["fase"], again["codigo"]) == ("fallo", "USO")
    assert len(consejo.casa.avisos()) == 1

    back = titular.logra("reactiva", {"difusor": RADIO, "motivo": "Ya muestra el vigente."})
    assert (back["fase"], back["aviso"]) == ("hecha", 2), back
    assert consejo.casa.estado() == "activo"
    assert [one.tipo for one in consejo.casa.avisos()] == ["suspension", "reinstalacion"]


def test_an_order_is_confirmed_or_discarded_once(tmp_path: Path) -> None:
    with reunido(tmp_path, fallan=3) as consejo:
        titular = consejo.persona("titular")
        waiting = [one for one in titular.lee("api/tablero")["por_decidir"] if one["clase"] == "orden"]
        assert [(one["ref"], one["difusor"]) for one in waiting] == [("O0001", RADIO)]
        assert titular.pide("acciones/confirma?orden=O0009").status_code == 404
        page = titular.pide("acciones/descarta?orden=O0001").text
        assert f'name="difusor" value="{RADIO}"' in page
        wrong = titular.logra("descarta", {"orden": "O0001", "difusor": TELE, "motivo": MOTIVO}, orden="O0001")
        assert (wrong["fase"], "no es de «tele-dos»" in wrong["dice"]) == ("fallo", True)
        form = {"orden": "O0001", "difusor": RADIO, "motivo": "El consejo la aprobó.", "confirmacion": RADIO}
        done = titular.logra("confirma", {**form, "responde_a": "orden/O0001"}, orden="O0001")
        assert (done["fase"], done["aviso"], done["responde_a"]) == ("hecha", 1, "orden/O0001"), done
        assert f"<h1>Confirmar la orden O0001, de {RADIO}</h1>" in titular.pide(f"tramites/{done['numero']}").text
        assert consejo.casa.estado() == "suspendido"
        order = consejo.casa.proceso().diario.ordenes["O0001"]
        assert (order.fase, order.operador) == ("cumplida", GENTE["titular"])
        late = titular.visita.manda(
            "api/acciones/descarta",
            {"ficha": titular.ficha, "numero": "tarde-tarde-tarde-1", "orden": "O0001", "difusor": RADIO,
             "motivo": MOTIVO},
        )  # fmt: skip
        assert (late.status_code, late.json()["fase"]) == (200, "fallo")
        assert "ya está cumplida" in late.json()["dice"]
        assert len(consejo.casa.avisos()) == 1


def test_a_form_sent_again_does_nothing_and_is_journalled(consejo: Consejo) -> None:
    titular = consejo.persona("titular")
    form = {
        **titular.formulario("suspende", difusor=RADIO), "difusor": RADIO, "motivo": MOTIVO, "evidencia": "obs 1",
        "confirmacion": RADIO,
    }  # fmt: skip
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: titular.visita.manda("acciones/suspende", form).status_code, range(6)))
    assert sorted(answers) == [303, 409, 409, 409, 409, 409]
    assert titular.sigue(form["numero"])["fase"] == "hecha"
    assert len(consejo.casa.avisos()) == 1
    before = consejo.huella()
    for clave in ACCIONES:  # also for another action, and by the API
        again = titular.visita.manda(f"api/acciones/{clave}", form)
        assert (again.status_code, again.json()["codigo"]) == (409, "REPETIDA")
    page = titular.visita.manda("acciones/suspende", form)
    assert (page.status_code, f"/tramites/{form['numero']}" in page.text) == (409, True)
    assert consejo.huella() == before
    assert [one["por"] for one in consejo.sucesos("tablero_rechazo")] == ["repetida"] * (5 + len(ACCIONES) + 1)

    with atendido(consejo.espacio) as (_, url), visitando(url) as visita:
        # Another start of the board: it reads the journal, and the number is still spent.
        assert visita.entra(GENTE["titular"]).status_code == 303
        token = visita.client.get(url + "api/sesion").json()["ficha"]
        assert visita.manda("api/acciones/suspende", {**form, "ficha": token}).status_code == 409
        known = visita.client.get(url + f"api/tramites/{form['numero']}").json()
        assert (known["fase"], known["aviso"]) == ("hecha", 1)
    assert consejo.huella() == before


def test_a_difusor_without_a_form_is_ordered_by_notice_alone(consejo: Consejo) -> None:
    path = consejo.casa.folder / "instituto.toml"
    folder = consejo.destino.parent / "otro"
    folder.mkdir()
    path.write_text(
        path.read_text().replace("[tablero]", f'[[destino]]\ndifusor = "diario-tres"\nurl = "{folder}"\n[tablero]')
    )
    titular = consejo.persona("titular")
    form = {"difusor": "diario-tres", "motivo": MOTIVO, "evidencia": "obs 1", "confirmacion": "diario-tres"}
    done = titular.logra("suspende", form)
    assert (done["fase"], done["aviso"]) == ("hecha", 1), done
    assert consejo.casa.avisos()[0].difusores == ("diario-tres",)
    assert titular.logra("reactiva", {"difusor": "diario-tres", "motivo": MOTIVO})["aviso"] == 2
    unknown = titular.logra("suspende", {**form, "difusor": "nadie", "confirmacion": "nadie"})
    assert (unknown["fase"], unknown["codigo"]) == ("fallo", "ENTRADA")
    assert len(consejo.casa.avisos()) == 2


# The book of requests, by itself.


def asked(numero: str) -> Peticion:
    form = {"numero": numero, "motivo": MOTIVO}
    made = lee(ACCIONES["anota"], form, cuenta="ana", papeles=PAPELES)
    assert isinstance(made, Peticion)
    return made


def number(n: int) -> str:
    return f"numero-de-prueba-{n:04d}"


def test_who_dies_in_the_middle_leaves_it_in_doubt(tmp_path: Path) -> None:
    clock, hold = SystemClock(), threading.Event()
    state = StateDatabase(tmp_path / "estado.sqlite", clock)

    def slow(_: Peticion) -> Hecho:
        hold.wait(20)
        return Hecho("Listo.")

    first = Tramites(state, clock, slow, real=clock)
    assert first.pide(asked(number(1))).fase == "en_curso"
    other = Tramites(state, clock, slow, real=clock)  # what a new process reads
    found = other.de(number(1))
    assert found is not None
    assert (found.fase, found.terminada) == ("en_duda", None)
    with pytest.raises(Repetida):
        other.pide(asked(number(1)))
    assert not first.termina(0.05)
    hold.set()
    assert first.termina(10)
    ended = other.de(number(1))
    assert ended is not None
    assert (ended.fase, ended.dice) == ("hecha", "Listo.")


def test_a_bug_is_told_to_whoever_asked_and_ends_nothing(tmp_path: Path) -> None:
    clock = SystemClock()
    state = StateDatabase(tmp_path / "estado.sqlite", clock)

    def broken(peticion: Peticion) -> Hecho:
        if peticion.numero == number(1):
            raise ZeroDivisionError
        return Hecho("Listo.")

    book = Tramites(state, clock, broken, real=clock)
    book.pide(asked(number(1)))
    found = book.espera(number(1), 10)
    assert found is not None
    assert (found.fase, found.dice) == ("fallo", "Falla interna (ZeroDivisionError).")
    book.pide(asked(number(2)))
    after = book.espera(number(2), 10)
    assert after is not None
    assert after.fase == "hecha"


def test_nothing_is_begun_that_the_journal_does_not_have(tmp_path: Path) -> None:
    clock = SystemClock()
    done: list[str] = []
    state = StateDatabase(tmp_path / "estado.sqlite", clock)

    def note(one: Peticion) -> Hecho:
        done.append(one.numero)
        return Hecho("Listo.")

    book = Tramites(state, clock, note, real=clock)
    book.pide(asked(number(1)))
    book.espera(number(1), 10)
    (tmp_path / "estado.sqlite").rename(tmp_path / "ido")
    (tmp_path / "estado.sqlite").mkdir()  # nobody can write a database there
    with pytest.raises(PregonError) as refused:
        book.pide(asked(number(2)))
    assert isinstance(refused.value, DiscoError)
    assert done == [number(1)]


def test_another_journal_in_its_place_is_read_and_what_was_spent_stays_spent(tmp_path: Path) -> None:
    clock = SystemClock()
    path = tmp_path / "estado.sqlite"
    state = StateDatabase(path, clock)
    for _ in range(20):
        state.record("nota", texto="De antes.")
    book = Tramites(state, clock, lambda _: Hecho("Listo."), real=clock)
    book.pide(asked(number(1)))
    book.espera(number(1), 10)
    for one in tmp_path.glob("estado.sqlite*"):
        one.unlink()
    StateDatabase(path, clock).record("nota", texto="De un respaldo.")
    with pytest.raises(Repetida):
        book.pide(asked(number(1)))
    assert book.de(number(1)) is None
    book.pide(asked(number(2)))
    after = book.espera(number(2), 10)
    assert after is not None
    assert (after.fase, after.dice) == ("hecha", "Listo.")


def test_no_more_than_some_at_once(tmp_path: Path) -> None:
    clock, hold = SystemClock(), threading.Event()
    state = StateDatabase(tmp_path / "estado.sqlite", clock)
    ran: list[Any] = []

    def slow(one: Peticion) -> Hecho:
        hold.wait(20)
        ran.append(one.numero)
        return Hecho("Listo.")

    book = Tramites(state, clock, slow, real=clock)
    for place in range(A_LA_VEZ):
        book.pide(asked(number(place)))
    with pytest.raises(Demasiadas):
        book.pide(asked(number(99)))
    assert not book.gastado(number(99))
    hold.set()
    assert book.termina(10)
    book.pide(asked(number(99)))
    assert book.termina(10)
    assert sorted(ran) == sorted([*(number(one) for one in range(A_LA_VEZ)), number(99)])
