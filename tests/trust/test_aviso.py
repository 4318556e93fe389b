"""A notice is read strictly, once: what a difusor does not understand has no effect, and says why."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base.errors import FormatoError
from pregon.trust.aviso import AVISO_MAX_BYTES, TEXTO_MAX, TODOS, Aviso, notice_number, notice_path, parse_aviso
from tests.trust.conftest import FIN, INICIO, INTERVALO

if TYPE_CHECKING:
    from tests.trust.conftest import Institute

BASE = Aviso(7, "suspension", ("diario-uno", "radio-2"), "incumplimiento", "Por mantenimiento.", INICIO, None, 3)


def changed(**keys: Any) -> bytes:
    return json.dumps({**BASE.to_json(), **keys}).encode()


def test_what_is_signed_reads_back_the_same() -> None:
    data = BASE.to_bytes()
    assert parse_aviso(data, n=7) == BASE
    assert list(json.loads(data)) == sorted(BASE.to_json())
    assert data.endswith(b"}\n")
    later = Aviso(8, "retraso", (TODOS,), "m", "t", INICIO, INICIO + timedelta(minutes=30))
    assert parse_aviso(later.to_bytes(), n=8) == later
    assert later.names("cualquiera")
    assert (BASE.names("radio-2"), BASE.names("radio-22")) == (True, False)


def test_unknown_keys_are_ignored_and_every_known_one_is_needed() -> None:
    assert parse_aviso(changed(nuevo={"x": 1}), n=7) == BASE
    for key in BASE.to_json():
        short = {name: value for name, value in BASE.to_json().items() if name != key}
        with pytest.raises(FormatoError, match=f"«{key}»"):
            parse_aviso(json.dumps(short).encode(), n=7)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("formato", "pregon/aviso/2"),
        ("n", 8),
        ("n", "7"),
        ("n", True),
        ("tipo", "clausura"),
        ("tipo", ["suspension"]),
        ("difusores", ["*"]),
        ("difusores", ["*", "diario-uno"]),
        ("difusores", []),
        ("difusores", ["Diario"]),
        ("difusores", ["diario-uno", "diario-uno"]),
        ("difusores", "diario-uno"),
        ("difusores", [f"d-{n}" for n in range(1001)]),
        ("texto", ""),
        ("texto", "   "),
        ("texto", "x" * (TEXTO_MAX + 1)),
        ("texto", "uno\ndos"),
        ("texto", "sin \x07campana"),
        ("texto", "al rev\u202eés"),
        ("texto", "\ud800"),
        ("motivo", "\u2066oculto"),
        ("motivo", None),
        ("desde", "2027-06-06T20:00:00"),
        ("desde", "2027-02-30T20:00:00Z"),
        ("desde", 5),
        ("hasta", "2027-06-01T00:00:00Z"),
        ("corte", -1),
        ("corte", 1.5),
        ("corte", 10_000),
    ],
)
def test_each_wrong_key_is_named(key: str, value: Any) -> None:
    with pytest.raises(FormatoError, match=f"«{key}»") as caught:
        parse_aviso(changed(**{key: value}), n=7)
    assert caught.value.intacto.startswith("El aviso no tuvo efecto")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"\xff", b'{"n": 7, "n": 7}', b"[" * 5000, b"9" * 5000, b" " * (AVISO_MAX_BYTES + 1)]
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(FormatoError):
        parse_aviso(data, n=7)


def test_we_do_not_sign_what_a_difusor_would_refuse() -> None:
    with pytest.raises(FormatoError, match="difusores"):
        Aviso(1, "suspension", (TODOS,), "m", "t", INICIO).to_bytes()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_notice_or_a_refusal(data: bytes) -> None:
    with pytest.raises(FormatoError):
        parse_aviso(data, n=7)


def test_names_of_notices() -> None:
    assert (notice_path(7), notice_number("avisos/000007.json")) == ("avisos/000007.json", 7)
    for other in (
        "avisos/7.json",
        "avisos/000000.json",
        "avisos/../x.json",
        "avisos/000007.json ",
        "cortes/000007.json",
    ):
        assert notice_number(other) is None


def test_a_notice_after_the_close_brings_no_expiry_nearer(instituto: Institute) -> None:
    """The closing cut is signed to the end of permanence + 10 years, and stays so (design §2)."""
    instituto.cut(3, ultimo=True)
    closed = FIN + timedelta(days=20)
    instituto.repository.close(now=INICIO, permanencia_hasta=closed)
    before = {name: instituto.repository._load(name).signed.expires for name in ("avisos", "snapshot", "timestamp")}
    assert min(before.values()) > datetime(2036, 1, 1, tzinfo=UTC)
    number = instituto.repository.publish_notice(
        Aviso(1, "ataque", ("diario-uno",), "m", "t", INICIO).to_bytes(),
        now=INICIO + INTERVALO,
        expira=FIN,
        siguiente=None,
        intervalo=INTERVALO,
    )
    after = {name: instituto.repository._load(name).signed.expires for name in before}
    assert (number, after) == (1, before)
    assert [n for n, _ in instituto.repository.notices()] == [1]
