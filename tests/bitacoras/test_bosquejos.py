"""Sketches: what they count, how they add up, and what is not taken for one."""

from __future__ import annotations

import base64
import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import FormatoError
from pregon.bitacoras import consultas
from pregon.bitacoras.bosquejos import (
    BITS,
    ERROR,
    PRECISION,
    RANGO_MAX,
    REGISTROS,
    Bosquejo,
    of_values,
    parse,
    union,
)
from pregon.bitacoras.contado import OTROS, Contado, shared, told_apart
from pregon.bitacoras.conteo import Conteo
from pregon.bitacoras.cuenta import Corrida, open_run
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.resumen import summarise
from pregon.bitacoras.ventanas import SIEMPRE, Ventana
from tests.bitacoras.medir import AHORA, GOOGLEBOT, ZONA, Peticion, escribe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pregon.bitacoras.medidas import Medidas

RESTO = BITS - PRECISION


def bosquejo(hashes: Iterable[int]) -> Bosquejo:
    """The registers of some hashes, said once more and otherwise than in SQL: by the text of their bits."""
    pairs = []
    for one in hashes:
        bits = f"{one:0{BITS}b}"
        pairs.append((int(bits[:PRECISION], 2), (bits[PRECISION:] + "1").index("1") + 1))
    return of_values(pairs)


@pytest.mark.parametrize("semilla", [1, 2, 3])
@pytest.mark.parametrize("cuantos", [1, 50, 3_000, 40_000, 150_000])
def test_the_estimate_is_within_its_stated_error(cuantos: int, semilla: int) -> None:
    azar = random.Random(semilla)
    made = bosquejo(azar.getrandbits(BITS) for _ in range(cuantos)).estimado
    assert abs(made - cuantos) <= max(0, 4 * ERROR * cuantos)
    assert ERROR < 0.0041


def test_nobody_is_none_and_a_full_sketch_still_answers() -> None:
    assert bosquejo([]).estimado == 0
    assert bosquejo([0]).registros[0] == RANGO_MAX  # nothing but zeros after its register
    assert Bosquejo(bytes([RANGO_MAX]) * REGISTROS).estimado > 1 << 50


def test_a_union_counts_once_who_came_to_two_in_any_order() -> None:
    azar = random.Random(7)
    people = [azar.getrandbits(BITS) for _ in range(30_000)]
    parts = [bosquejo(people[begin : begin + 12_000]) for begin in (0, 6_000, 18_000)]
    assert union(parts) == union(reversed(parts)) == union([*parts, parts[1]]) == bosquejo(people)
    assert union([]).estimado == 0


def test_it_travels_as_text_and_comes_back() -> None:
    azar = random.Random(9)
    made = bosquejo(azar.getrandbits(BITS) for _ in range(5_000))
    assert parse(made.as_dict()) == made


def _with(**other: Any) -> dict[str, Any]:
    return {**bosquejo([1, 2, 3]).as_dict(), **other}


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("other precision", _with(precision=14)),
        ("other form", _with(formato="pregon/bosquejo/2")),
        ("too few registers", _with(registros=_packed(bytes(REGISTROS - 1)))),
        ("a bomb", _with(registros=_packed(bytes(40 << 20)))),
        ("a value that cannot be", _with(registros=_packed(bytes([RANGO_MAX + 1]) * REGISTROS))),
        ("more after it", _with(registros=base64.b64encode(zlib.compress(bytes(REGISTROS)) + b"x").decode())),
        ("no base64", _with(registros="á")),
        ("no text", _with(registros=7)),
        ("no object", []),
        ("nothing", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_sketch_is_refused(name: str, told: Any) -> None:
    with pytest.raises(FormatoError):
        parse(told)


def cuenta(path: Path, clave: bytes, pieza: int = 1 << 20) -> tuple[Medidas, tuple[Contado, ...], dict[str, int]]:
    """One run over a log with its sketches; and the exact counts of the window, days and contests."""
    counting = Conteo()
    exact: dict[str, set[int]] = {}

    def passing(motor: Any) -> None:
        counting.paso(motor)
        for _, _, clase, visitor in motor.rows(consultas.query("vistas_contienda")):
            exact.setdefault(clase, set()).add(visitor)

    made = Corrida([Ventana(0, "todo", 0, SIEMPRE)], hilos=1, clave=clave, al_paso=passing, pieza=pieza)
    with open_run(made) as run:
        run.take([Fuente(path)])
        found = summarise(run, sitios=("prep",), zona=ZONA, now=AHORA)
        sketches = counting.sketches(run, ("prep",))
        for clase, visitor in run.motor.rows("select sitio, visitante from visitas"):
            exact.setdefault(str(clase), set()).add(visitor)
    return found, sketches, {clase: len(some) for clase, some in exact.items()}


def _peticiones(n: int) -> list[Peticion]:
    azar = random.Random(5)
    return [
        Peticion(
            azar.randrange(90_000),
            f"10.{azar.randrange(40)}.{azar.randrange(256)}.7",
            ruta=azar.choice(["/", "/gub/", "/gub/d01/", "/dip/", "/datos/0003/gub/entidad.json"]),
            agente=azar.choice([Peticion().agente] * 9 + [GOOGLEBOT]),
        )
        for _ in range(n)
    ]


def test_the_engine_makes_the_registers_that_the_definition_says(tmp_path: Path) -> None:
    """The hashes are read here only to compare; the command never has them outside of the engine."""
    some = _peticiones(3_000)
    log = escribe(tmp_path / "a", some)
    found, sketches, exact = cuenta(log, b"k" * 32, pieza=100_000)  # several pieces
    by_kind: dict[tuple[str, str], int] = {(one.clase, one.cual): one.bosquejo.estimado for one in sketches}
    assert set(by_kind) == {
        ("ventana", ""), ("dia", "2021-06-06"), ("dia", "2021-06-07"), ("contienda", "gub"), ("contienda", "dip"),
    }  # fmt: skip
    assert exact["0"] == found.medidas[0].visitantes
    for kind, number in (
        (("ventana", ""), exact["0"]),
        (("contienda", "gub"), exact["gub"]),
        (("contienda", "dip"), exact["dip"]),
        *((("dia", day.dia), day.visitantes) for day in found.medidas[0].por_dia),
    ):
        assert abs(by_kind[kind] - number) <= 4 * ERROR * number, kind
    # The same log in one piece, and twice: the same registers. Another key: others.
    again = cuenta(log, b"k" * 32)[1]
    assert again == sketches
    other = cuenta(log, b"o" * 32)[1]
    assert all(one.bosquejo != two.bosquejo for one, two in zip(other, sketches, strict=True))
    assert [one.clave for one in other] == [one.clave for one in sketches]


def test_few_people_are_not_told_apart(tmp_path: Path) -> None:
    many = [Peticion(n, f"203.0.113.{n}", ruta="/gub/", referente="https://grande.mx/") for n in range(30)]
    few = [Peticion(n, f"198.51.100.{n}", ruta=f"/dip/{n}/", referente=f"https://chico{n}.mx/") for n in range(6)]
    lost = [Peticion(n, f"203.0.113.{n}", ruta=f"/secreto-{n}-juana@x.mx", estado=404) for n in range(12)]
    found, sketches, _ = cuenta(escribe(tmp_path / "a", [*many, *few, *lost]), b"k" * 32)
    kept = told_apart(sketches, 10)
    assert {(one.clase, one.cual) for one in sketches} - {(one.clase, one.cual) for one in kept} == {
        ("contienda", "dip")
    }
    (one,) = shared(found, 10)
    text = str(one)
    assert "juana" not in text
    assert "chico" not in text
    assert "198.51" not in text
    assert [row["nombre"] for row in one["referentes"]] == ["grande.mx"]
    assert [row["nombre"] for row in one["rutas"]] == ["/gub/"]  # the six others together are fewer than ten
    assert one["perdidas"] == [{"nombre": OTROS, "hits": 12, "bytes": 12_000}]
    assert one["hits"] == 48
    assert {row["contienda"]: row["paginas"] for row in one["por_contienda"]} == {"gub": 30, "dip": None}
    assert one["visitantes"] == 36
