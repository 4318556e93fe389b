"""Passwords and accounts at rest, sessions, waits: each by itself, on a clock that is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, UsoError
from pregon.web.claves import Costo, Resumen
from pregon.web.cuentas import MAX_ARCHIVO, Cuentas
from pregon.web.limites import LIBRES, MAX_CONOCIDAS, MAX_DIRECCIONES, MAX_NOMBRES, TOPE_S, Frenos, red
from pregon.web.sesiones import MAX_POR_CUENTA, MAX_SESIONES, Plazos, Sesiones

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.web.cuentas import Cuenta

BARATO = Costo(16, 1, 1)
CLAVE = "cuatro palabras al azar"
AHORA = datetime(2027, 6, 6, 20, tzinfo=UTC)


def clock() -> ManualClock:
    return ManualClock(AHORA)


@pytest.fixture
def cuentas(tmp_path: Path) -> Cuentas:
    found = Cuentas(tmp_path / "cuentas.json", costo=BARATO)
    assert found.pone("ana", CLAVE, ("mira",), ahora=AHORA, disk=Disk())
    return found


def ana(cuentas: Cuentas) -> Cuenta:
    return cuentas.todas()["ana"]


def test_the_default_cost_is_the_recommended_one_and_its_text_reads_back() -> None:
    made = Resumen.de(CLAVE, Costo())
    assert str(made).startswith("scrypt$32768$8$3$")
    assert Resumen.parse(str(made)) == made
    assert made.es(CLAVE)
    assert not made.es(CLAVE + " ")
    assert Resumen.de(CLAVE, BARATO).huella != Resumen.de(CLAVE, BARATO).huella  # a salt each


def test_the_same_letters_composed_or_not_are_one_password() -> None:
    assert Resumen.de("contrase\u00f1a larga de an\u00e1", BARATO).es("contrasen\u0303a larga de ana\u0301")


@pytest.mark.parametrize(
    "text",
    ["", "scrypt$16$1$1$$", "md5$16$1$1$AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=",
     "scrypt$17$1$1$AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=",
     "scrypt$1073741824$8$1$AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "=", "scrypt$16$1$1$AAAA$AAAA"],
)  # fmt: skip
def test_a_kept_password_that_we_would_not_pay_for_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        Resumen.parse(text)


def test_the_file_is_its_owners_alone_and_has_no_password(cuentas: Cuentas, tmp_path: Path) -> None:
    path = tmp_path / "cuentas.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert CLAVE.encode() not in path.read_bytes()
    assert cuentas.verifica("ana", CLAVE) == ana(cuentas)
    assert cuentas.verifica("ana", "otra cosa cualquiera") is None
    assert cuentas.verifica("nadie", CLAVE) is None
    assert not cuentas.pone("ana", "otra clave distinta", ("mira",), ahora=AHORA, disk=Disk())  # changed, not new
    assert cuentas.verifica("ana", CLAVE) is None


@pytest.mark.parametrize("wrong", ["corta", "aaaaaaaaaaaaaaaa", "x" * 2000])
def test_an_easy_password_changes_nothing(cuentas: Cuentas, tmp_path: Path, wrong: str) -> None:
    before = (tmp_path / "cuentas.json").read_bytes()
    with pytest.raises(UsoError):
        cuentas.pone("ana", wrong, ("mira",), ahora=AHORA, disk=Disk())
    assert (tmp_path / "cuentas.json").read_bytes() == before


def test_accounts_that_others_can_read_let_nobody_in(cuentas: Cuentas, tmp_path: Path) -> None:
    (tmp_path / "cuentas.json").chmod(0o640)
    with pytest.raises(AjustesError, match="Otros usuarios"):
        Cuentas(tmp_path / "cuentas.json").verifica("ana", CLAVE)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"formato": "x", "cuentas": []}', b"x" * (MAX_ARCHIVO + 1)])
def test_a_damaged_accounts_file_lets_nobody_in_and_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cuentas.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(AjustesError):
        Cuentas(path).verifica("ana", CLAVE)
    with pytest.raises(AjustesError):
        Cuentas(path).pone("ana", CLAVE, ("mira",), ahora=AHORA, disk=Disk())
    assert path.read_bytes() == content


def test_removing_or_changing_an_account_is_seen_by_whoever_has_it_open(cuentas: Cuentas, tmp_path: Path) -> None:
    other = Cuentas(tmp_path / "cuentas.json", costo=BARATO)
    before = other.todas()["ana"]
    assert other.vigente(before)
    cuentas.pone("ana", "una clave nueva y larga", ("mira",), ahora=AHORA, disk=Disk())
    assert not other.vigente(before)
    assert other.vigente(other.todas()["ana"])
    cuentas.quita("ana", disk=Disk())
    assert other.todas() == {}
    with pytest.raises(UsoError, match="No hay una cuenta"):
        cuentas.quita("ana", disk=Disk())
    assert json.loads((tmp_path / "cuentas.json").read_bytes())["cuentas"] == []


def test_a_session_ends_when_idle_and_at_its_limit_whatever_its_use(cuentas: Cuentas) -> None:
    hands = clock()
    sesiones = Sesiones(hands, Plazos(ociosa_s=100, absoluta_s=350))
    ident = sesiones.abre(ana(cuentas))
    assert len(ident) >= 43  # 256 bits
    for _ in range(3):
        hands.sleep(90)
        assert sesiones.toma(ident) is not None
    hands.sleep(90)  # 360 s since it began
    assert sesiones.toma(ident) is None
    quiet = sesiones.abre(ana(cuentas))
    hands.sleep(60)
    assert sesiones.toma(quiet, usa=False) is not None  # looked at, not used
    hands.sleep(60)
    assert sesiones.toma(quiet) is None
    assert len(sesiones) == 0


def test_sessions_are_kept_by_hash_and_are_bounded(cuentas: Cuentas) -> None:
    sesiones = Sesiones(clock())
    idents = [sesiones.abre(ana(cuentas)) for _ in range(MAX_POR_CUENTA + 3)]
    assert [sesiones.toma(ident) is not None for ident in idents] == [False] * 3 + [True] * MAX_POR_CUENTA
    assert idents[-1] not in repr(vars(sesiones))
    assert len(sesiones) <= MAX_SESIONES
    sesiones.cierra(idents[-1])
    assert sesiones.toma(idents[-1]) is None


def test_guesses_wait_ever_longer_and_never_for_ever(cuentas: Cuentas) -> None:
    hands, known = clock(), cuentas.todas()
    frenos = Frenos(hands)
    guesses = waited = 0.0
    while waited < 6 * 3600:
        pause = frenos.intenta("ana", "192.0.2.1", cuentas=known)
        assert pause <= TOPE_S
        guesses += pause == 0
        hands.sleep(pause or 1)
        waited += pause or 1
    assert LIBRES < guesses < LIBRES + 12 * 6 + 12
    assert frenos.intenta("ana", "198.51.100.9", cuentas=known) <= TOPE_S  # the account, from anywhere


def test_many_at_once_gain_nothing(cuentas: Cuentas) -> None:
    frenos = Frenos(clock())
    let = [frenos.intenta("ana", f"192.0.2.{n}", cuentas=cuentas.todas()) for n in range(200)]
    assert let.count(0.0) == LIBRES


def test_who_signed_in_from_there_before_does_not_wait_for_the_guesses_of_others(cuentas: Cuentas) -> None:
    frenos, known = Frenos(clock()), cuentas.todas()
    frenos.acierta("ana", "192.0.2.7")
    for n in range(100):
        frenos.intenta("ana", f"203.0.113.{n}", cuentas=known)
    assert frenos.intenta("ana", "203.0.113.200", cuentas=known) > 0
    for n in range(100):
        frenos.intenta(f"otra{n}", "192.0.2.7", cuentas=known)  # a colleague, behind the same address
    assert frenos.intenta("ana", "192.0.2.7", cuentas=known) == 0
    tries = [frenos.intenta("ana", "192.0.2.7", cuentas=known) for _ in range(20)]
    assert tries.count(0.0) == LIBRES - 1  # and there too guesses are counted


def test_the_memory_of_the_waits_is_bounded_and_invented_names_do_not_clear_a_real_one(cuentas: Cuentas) -> None:
    frenos, known = Frenos(clock()), cuentas.todas()
    for n in range(LIBRES + 1):
        frenos.intenta("ana", f"192.0.2.{n}", cuentas=known)
    for n in range(MAX_DIRECCIONES + MAX_NOMBRES):
        frenos.intenta(f"x{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", cuentas=known)
        frenos.acierta(f"y{n}", "192.0.2.250")
    assert frenos.intenta("ana", "198.51.100.1", cuentas=known) > 0
    assert len(frenos) <= MAX_DIRECCIONES + 3 * MAX_NOMBRES + 2 * MAX_CONOCIDAS


def test_one_client_is_an_address_or_a_network_of_64_bits() -> None:
    assert red("2001:db8:1:2::1") == red("2001:db8:1:2:ffff::9") != red("2001:db8:1:3::1")
    assert red("::ffff:192.0.2.1") == red("192.0.2.1") != red("192.0.2.2")
    assert red("no es una dirección") == "?"
