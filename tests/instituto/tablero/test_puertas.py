"""Each action, refused in each way: nothing is signed, changed, sent or delivered, and the journal has the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.durable import Disk
from pregon.instituto.tablero.acciones import ACCIONES, CLAVES, puede
from pregon.instituto.tablero.cuentas import PAPELES, papeles_hasta
from pregon.web.acceso import MAX_FORMULARIO
from tests.instituto.proceso.casa import RADIO
from tests.instituto.tablero.consejo import GENTE, Consejo, atendido, reunido
from tests.instituto.tablero.test_acciones import BUENAS
from tests.web.conftest import CLAVE, visitando

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from pregon.instituto.tablero.acciones import Clave

pytestmark = pytest.mark.xdist_group("tablero-puertas")

MOTIVO = "Lo pidió el consejo."


@pytest.fixture(scope="module")
def consejo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consejo]:
    with reunido(tmp_path_factory.mktemp("consejo"), fallan=3, por_minuto=10_000) as made:
        assert RADIO in {one.difusor for one in made.espacio.settings.destino}
        yield made


def good(clave: Clave) -> dict[str, str]:
    """What would be done, were it not refused: the order that waits is real."""
    return {**BUENAS[clave], "motivo": MOTIVO, "difusor": RADIO}


def refused(consejo: Consejo, clave: Clave, how: str, number: str) -> tuple[httpx2.Response, set[int], str, str]:
    """Ask for the action in that wrong way: the answer, the statuses it may have, and the event and its reason."""
    titular = consejo.persona("titular")
    path, origin = f"acciones/{clave}", consejo.url.rstrip("/")
    form = {**good(clave), "numero": number}
    whole = {**form, "ficha": titular.ficha}
    send = titular.visita.client
    match how:
        case "sin sesión":
            return consejo.nadie().manda(path, whole), {401}, "ajeno", "sesion"
        case "sin sesión, por la API":
            return consejo.nadie().manda(f"api/{path}", whole), {401}, "ajeno", "sesion"
        case "sin ficha":
            return titular.visita.manda(path, form), {403}, "ajeno", "ficha"
        case "ficha de otra sesión":
            other = consejo.entra("titular")
            return titular.visita.manda(path, {**form, "ficha": other.ficha}), {403}, "ajeno", "ficha"
        case "de otro sitio, por Origin":
            asked = send.post(consejo.url + path, data=whole, headers={"origin": "https://malo.ejemplo"})
            return asked, {403}, "ajeno", "origen"
        case "de otro sitio, por Sec-Fetch-Site":
            headers = {"origin": origin, "sec-fetch-site": "cross-site"}
            return send.post(consejo.url + path, data=whole, headers=headers), {403}, "ajeno", "origen"
        case "otro método":
            return send.put(consejo.url + path, data=whole, headers={"origin": origin}), {405}, "ajeno", "metodo"
        case "demasiado grande":
            big = {**whole, "motivo": "x" * MAX_FORMULARIO}
            return titular.visita.manda(path, big), {413}, "ajeno", "formulario"
        case "JSON":
            asked = send.post(consejo.url + path, json=whole, headers={"origin": origin})
            return asked, {415}, "ajeno", "formulario"
        case "sin motivo":
            lacking = {key: value for key, value in whole.items() if key != "motivo"}
            return titular.visita.manda(f"api/{path}", lacking), {422}, "rechazo", "datos"
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "sin sesión", "sin sesión, por la API", "sin ficha", "ficha de otra sesión", "de otro sitio, por Origin",
        "de otro sitio, por Sec-Fetch-Site", "otro método", "demasiado grande", "JSON", "sin motivo",
    ],
)  # fmt: skip
@pytest.mark.parametrize("clave", CLAVES)
def test_refused_and_journalled_and_nothing_changed(consejo: Consejo, clave: Clave, how: str) -> None:
    consejo.persona("titular")
    before = consejo.huella()
    journal = consejo.sucesos("tablero_rechazo", "tablero_ajeno")
    number = f"negada-{clave}-{len(journal):012d}"
    answer, statuses, kind, why = refused(consejo, clave, how, number)
    assert answer.status_code in statuses, answer.text
    assert consejo.huella() == before
    fresh = consejo.sucesos("tablero_rechazo", "tablero_ajeno")[len(journal) :]
    assert [one["por"] for one in fresh] == [why]
    assert consejo.sucesos(f"tablero_{kind}")[-1] == fresh[-1]
    assert f"acciones/{clave}" in fresh[-1]["que"]
    assert fresh[-1]["direccion"] == "127.0.0.1"
    assert consejo.tablero.tramites.de(number) is None


@pytest.mark.parametrize("papel", ["observador", "operador"])
@pytest.mark.parametrize("clave", CLAVES)
def test_a_role_that_may_not_is_refused_and_journalled(consejo: Consejo, clave: Clave, papel: str) -> None:
    which = ACCIONES[clave]
    person = consejo.persona(papel)
    page = person.pide(f"acciones/{clave}")
    if puede(papeles_hasta(papel), which):
        assert page.status_code == 200  # what follows is not for it
        return
    before = consejo.huella()
    assert page.status_code == 403
    assert f"hace falta el papel «{which.papel}»" in page.text
    form = {**good(clave), "ficha": person.ficha, "numero": f"papel-{papel}-{clave}-aaaa"}
    for path in (f"acciones/{clave}", f"api/acciones/{clave}"):
        answer = person.visita.manda(path, form)
        assert answer.status_code == 403
        assert which.papel in answer.text
        told = consejo.sucesos("tablero_rechazo")[-1]
        assert told == {
            "cuenta": GENTE[papel], "direccion": "127.0.0.1", "por": "papel", "que": f"POST /{path}",
        }  # fmt: skip
    assert consejo.huella() == before


def test_what_an_account_may_is_what_its_page_offers(consejo: Consejo) -> None:
    for papel in PAPELES:
        text = consejo.persona(papel).pide(f"difusor/{RADIO}").text
        for clave, one in ACCIONES.items():
            # There is an order that waits for this difusor; it is active, so that nobody gives it back.
            offered = puede(papeles_hasta(papel), one) and clave != "reactiva"
            assert (f'href="/acciones/{clave}?' in text) is offered, (papel, clave)


def test_an_account_that_lost_its_role_may_no_more(consejo: Consejo) -> None:
    """A role is of the account's file, at each request: who had it open does not keep it."""
    person = consejo.entra("operador")
    form = {**person.formulario("anota"), "motivo": MOTIVO}
    before = consejo.huella()
    accounts = consejo.tablero.cuentas

    def become(papel: str) -> None:
        accounts.pone(GENTE["operador"], CLAVE, papeles_hasta(papel), ahora=consejo.espacio.clock.now(), disk=Disk())

    become("observador")
    try:
        assert person.visita.manda("acciones/anota", form).status_code == 401
        assert consejo.huella() == before
    finally:
        become("operador")
        consejo._gente.pop("operador", None)


def test_too_many_requests_are_refused_and_journalled(consejo: Consejo) -> None:
    before = consejo.huella()
    with atendido(consejo.espacio, por_minuto=3) as (_, url), visitando(url) as visita:
        assert visita.entra(GENTE["titular"]).status_code == 303
        token = visita.client.get(url + "api/sesion").json()["ficha"]
        answers = [
            visita.manda(f"api/acciones/{clave}", {"ficha": token, "numero": f"ritmo-{place}-aaaaaaaaaa"})
            for place, clave in enumerate(CLAVES)
        ]
        assert [one.status_code for one in answers] == [422] * 3 + [429] * 4
        assert 0 < int(answers[-1].headers["retry-after"]) <= 61
        page = visita.manda("acciones/anota", {"ficha": token, "numero": "ritmo-pagina-aaaaaaa", "motivo": MOTIVO})
        assert (page.status_code, "demasiado aprisa" in page.text) == (429, True)
        assert int(page.headers["retry-after"]) > 0
    assert [one["por"] for one in consejo.sucesos("tablero_rechazo")][-5:] == ["ritmo"] * 5
    assert consejo.huella() == before


def test_an_unknown_action_is_none(consejo: Consejo) -> None:
    titular = consejo.persona("titular")
    before = consejo.huella()
    assert titular.pide("acciones/borra").status_code == 404
    assert titular.visita.manda("acciones/borra", {"ficha": titular.ficha}).status_code == 404
    assert titular.visita.manda("api/acciones/borra", {"ficha": titular.ficha}).status_code == 404
    assert titular.pide("tramites/no-hay-ninguno-asi").status_code == 404
    assert consejo.huella() == before


def test_a_form_with_mistakes_comes_back_with_what_was_typed(consejo: Consejo) -> None:
    titular = consejo.persona("titular")
    before = consejo.huella()
    fields: dict[str, Any] = {"difusor": RADIO, "motivo": "no", "evidencia": "obs <b>1</b>", "confirmacion": "otro"}
    answer = titular.hace("suspende", fields, difusor=RADIO)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "No es el identificador del difusor" in answer.text
    assert "obs &lt;b&gt;1&lt;/b&gt;" in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert consejo.huella() == before


def test_an_address_brings_no_confirmation_written(consejo: Consejo) -> None:
    page = consejo.persona("titular").pide(
        f"acciones/suspende?difusor={RADIO}&motivo=Por+la+llamada&confirmacion={RADIO}&numero=de-otra-parte-0001"
    )
    assert page.status_code == 200
    assert 'name="motivo" value="Por la llamada"' in page.text
    assert 'name="confirmacion" value=""' in page.text
    assert "de-otra-parte-0001" not in page.text


def test_where_the_journal_cannot_be_read_the_page_says_why_and_that_nothing_was_done(consejo: Consejo) -> None:
    """The last of this module: the journal is away for a moment."""
    titular, path = consejo.persona("titular"), consejo.espacio.folder / "estado.sqlite"
    form = titular.formulario("anota")
    path.rename(path.with_name("ido"))
    path.mkdir()
    try:
        answer = titular.visita.manda("acciones/anota", {**form, "motivo": MOTIVO})
    finally:
        path.rmdir()
        path.with_name("ido").rename(path)
    assert answer.status_code == 503
    assert "No se hizo nada" in answer.text
    assert "estado.sqlite" in answer.text
    assert MOTIVO not in [one.get("motivo") for one in consejo.sucesos("tablero_accion") if one["accion"] == "anota"]
    assert titular.logra("anota", {"motivo": MOTIVO})["fase"] == "hecha"
