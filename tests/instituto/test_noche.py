"""«La noche hasta ahora»: each cut adds itself to what the package before it says, and the charts draw its numbers."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import DiscoError
from pregon.base.jsonio import compact_json
from pregon.convocatoria.tipos import VISTAS
from pregon.instituto import noche
from pregon.instituto.noche import MAX_CORTES, Entrada, Noche
from pregon.instituto.portal.grafica import Serie, ceiling, draw, spread
from pregon.prep.percent import trunc4
from tests.instituto.conftest import HORA, INICIO, ZONA, Night, tree_digest, unpack
from tests.instituto.contratos import check
from tests.instituto.html import Element, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pregon.instituto.build import BuiltCut

HORAS = (HORA, HORA + timedelta(minutes=20), HORA + timedelta(minutes=40))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The unpacked packages of three cuts, which nobody changes."""
    folder = tmp_path_factory.mktemp("tres")
    night = Night(folder, ManualClock(INICIO - timedelta(hours=4)))
    space = night.create()
    votes = ("40", "45", "25")
    return [
        unpack(night.cut(space, hour, votes=each), folder / str(place))
        for place, (hour, each) in enumerate(zip(HORAS, votes, strict=True))
    ]


def read(site: Path, corte: int, contest: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((site / f"datos/{corte:04d}/{contest}/noche.json").read_bytes())
    return data


def page_of(site: Path, contest: str) -> Element:
    return parse((site / contest / "noche/index.html").read_bytes())


def rows_of(page: Element, *ids: str) -> list[Element]:
    """The rows of the cuts, oldest first, of those tables that there are."""
    tables = [table for name in ids for table in page.all("table", id=name)]
    return [row for table in tables for row in table.one("tbody").all("tr")][::-1]


def drawn(page: Element, chart: str) -> dict[str, list[tuple[int, int]]]:
    """Minutes and hundredths of each line of a chart, from its points (there are few cuts)."""
    frame = page.one("div", id=chart)
    height = int(frame.attrs["data-alto"])
    found = {}
    for group in frame.all("g"):
        path = next(p for p in group.all("path") if p.attrs["class"] == "g-linea g-punto")
        points = [(int(x), height - int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path.attrs["d"])]
        found[group.attrs["data-letra"]] = points
    return found


def test_every_cut_says_what_those_before_it_said_and_its_own(three: list[Path]) -> None:
    for contest in ("gub", "dip"):
        files = [read(site, place, contest) for place, site in enumerate(three, start=1)]
        assert [len(data["cortes"]) for data in files] == [1, 2, 3]
        assert files[2]["cortes"][:2] == files[1]["cortes"]
        assert files[1]["cortes"][:1] == files[0]["cortes"]
        for place, (site, entry) in enumerate(zip(three, files[2]["cortes"], strict=True), start=1):
            whole = json.loads((site / f"datos/{place:04d}/{contest}/entidad.json").read_bytes())
            assert datetime.fromisoformat(entry["hora_corte"]) == HORAS[place - 1]
            assert entry["corte"] == place
            told = whole["recalculado"]
            assert entry["contabilizadas"] == told["ACTAS_CONTABILIZADAS"]
            assert entry["capturadas"] == told["ACTAS_CAPTURADAS"]
            assert entry["esperadas"] == told["ACTAS_ESPERADAS"]
            assert entry["total_votos"] == told["TOTAL_VOTOS_C_CS"]
            assert entry["lista_nominal"] == told["LISTA_NOMINAL_ACTAS_CONTABILIZADAS"]
            assert entry["participacion"] == told["PORCENTAJE_PARTICIPACION_CIUDADANA"]
            for kind in ("candidaturas", "partidos"):
                shown = dict(zip(files[2][kind], entry[kind], strict=False))
                assert {key: votes for key, votes in shown.items() if votes is not None} == whole[kind]


def test_many_races_say_in_how_many_each_line_leads(three: list[Path]) -> None:
    gub, dip = read(three[2], 3, "gub"), read(three[2], 3, "dip")
    assert [entry["encabeza"] for entry in gub["cortes"]] == [None, None, None]
    led = [dict(zip(dip["candidaturas"], entry["encabeza"], strict=False)) for entry in dip["cortes"]]
    for place, (site, told) in enumerate(zip(three, led, strict=True), start=1):
        ahead: Counter[str] = Counter()
        for path in (site / f"datos/{place:04d}/dip/distrito").iterdir():
            first, second, *_ = json.loads(path.read_bytes())["resultado"]["candidaturas"]
            ahead[first["clave"]] += first["votos"] > second["votos"]
        assert {key: n for key, n in told.items() if n} == dict(ahead)
        assert sum(ahead.values()) == 2
    page = page_of(three[2], "dip")
    letters = {item.attrs["data-clave"]: item.one("b").text for item in page.all("li", data_clave=None)}
    shown = drawn(page, "g-lineas")
    for row, (place, entry) in zip(rows_of(page, "lineas-cortes"), enumerate(dip["cortes"]), strict=True):
        told = dict(zip(dip["candidaturas"], entry["encabeza"], strict=False))
        for key, letter in letters.items():
            assert row.one("td", data_letra=letter).attrs["data-unidades"] == str(told[key])
            assert shown[letter][place] == (20 * place, told[key] * 100)


def test_the_points_of_the_charts_are_the_numbers_of_the_tables(three: list[Path]) -> None:
    page, data = page_of(three[2], "gub"), read(three[2], 3, "gub")
    advance, lines = drawn(page, "g-avance"), drawn(page, "g-lineas")
    assert set(advance) == {"A", "B"}
    rows = rows_of(page, "avance-cortes")
    for place, (row, entry) in enumerate(zip(rows, data["cortes"], strict=True)):
        captured, counted = row.one("td", data_capturadas=None), row.one("td", data_contabilizadas=None)
        assert captured.attrs["data-capturadas"] == str(entry["capturadas"])
        assert counted.attrs["data-contabilizadas"] == str(entry["contabilizadas"])
        assert captured.text.startswith(trunc4(entry["capturadas"], entry["esperadas"]))
        for letter, cell in (("A", captured), ("B", counted)):
            minutes, height = advance[letter][place]
            assert minutes == 20 * place
            assert f"{height // 100}.{height % 100:02d}" == cell.text.split(" ")[0][:-2]
    assert [row.one("td", data_nuevas=None).attrs["data-nuevas"] for row in rows] == ["2", "0", "0"]
    letters = {item.attrs["data-clave"]: item.one("b").text for item in page.all("li", data_clave=None)}
    assert set(letters.values()) == set(lines)
    assert len(lines) >= 2
    for place, (row, entry) in enumerate(zip(rows_of(page, "lineas-cortes"), data["cortes"], strict=True)):
        votes = dict(zip(data["candidaturas"], entry["candidaturas"], strict=False))
        for key, letter in letters.items():
            cell = row.one("td", data_letra=letter)
            assert cell.attrs["data-votos"] == str(votes[key])
            assert cell.text.startswith(trunc4(votes[key], entry["total_votos"]))
            minutes, height = lines[letter][place]
            assert minutes == 20 * place
            assert f"{height // 100}.{height % 100:02d}" == cell.text.split(" ")[0][:-2]


def test_the_charts_are_told_in_words_and_without_colour(three: list[Path]) -> None:
    page = page_of(three[2], "gub")
    charts = page.all("div", role="img")
    assert len(charts) == 2
    for chart in charts:
        assert all(item.attrs["aria-hidden"] == "true" for item in chart.all("svg"))
        assert "por hora del corte" in chart.attrs["aria-label"]
        letters = [item.text for item in chart.all("tspan", class_="g-letra")]
        assert letters == sorted(set(letters))
        assert len({group.attrs["class"] for group in chart.all("g")}) == len(letters)
    told = charts[0].attrs["aria-label"].replace("\u00a0", " ")
    assert "Las actas capturadas pasaron de 66.6666 % a 66.6666 %" in told
    assert not page.all(style=None)
    assert [item.text for item in page.all("text") if re.fullmatch(r"\d\d:\d\d", item.text)][:3] == [
        "22:40",
        "22:45",
        "22:50",
    ]


def test_the_first_cut_says_in_words_that_there_is_nothing_to_compare(three: list[Path]) -> None:
    page = page_of(three[0], "gub")
    assert not page.all("div", role="img")
    assert "Hasta ahora hay un solo corte, el de las 22:40 h" in page.text
    (row,) = rows_of(page, "avance-cortes")
    assert row.one("td", data_nuevas=None).attrs["data-nuevas"] == "2"
    assert len(rows_of(page, "lineas-cortes")) == 1


def test_the_package_before_the_start_is_in_the_file_and_not_in_the_charts(night: Night, tmp_path: Path) -> None:
    space = night.create()
    night.cut(space, INICIO - timedelta(hours=3))
    night.cut(space, HORA)
    site = unpack(night.cut(space, HORA + timedelta(hours=1)), tmp_path / "x")
    assert [entry["corte"] for entry in read(site, 2, "gub")["cortes"]] == [0, 1, 2]
    page = page_of(site, "gub")
    assert [row.attrs["data-corte"] for row in rows_of(page, "avance-cortes")] == ["1", "2"]
    assert page.one("div", id="g-avance").attrs["data-ancho"] == "60"


def test_a_view_that_is_left_out_keeps_its_data_and_has_no_page_and_no_link(night: Night, tmp_path: Path) -> None:
    space = night.create()
    left = tuple(vista for vista in VISTAS if vista not in ("noche", "estadistica"))
    space = dataclasses.replace(space, convocatoria=space.convocatoria.model_copy(update={"vistas": left}))
    site = unpack(night.cut(space), tmp_path / "x")
    assert read(site, 1, "gub")["cortes"]
    assert not (site / "gub/noche").exists()
    assert not (site / "gub/estadistica").exists()
    assert "noche/index.html" not in (site / "gub/index.html").read_text()


# --- the previous package ---


@dataclasses.dataclass
class Before:
    """A previous package of one contest, as ``night_before`` reads it."""

    content: bytes | None
    archivo: str = "20210606_2240_PREP.zip"
    corte: int = 3
    contiendas: frozenset[str] = frozenset({"gub"})

    def contenido(self, ruta: str) -> bytes | None:
        assert ruta == "datos/0003/gub/noche.json"
        return self.content


def entry(corte: int, **changes: Any) -> Entrada:
    made = Entrada(
        corte=corte,
        hora=HORA + timedelta(minutes=20 * corte),
        esperadas=100,
        capturadas=50,
        contabilizadas=40,
        participacion="61.2345",
        total_votos=1000,
        lista_nominal=2000,
        candidaturas={"PAN": 600, "PRI": 300, "NULOS": 100},
        partidos={"PAN": 600, "PRI": 300, "NULOS": 100},
        encabeza=None,
    )
    return dataclasses.replace(made, **changes)


def past() -> dict[str, Any]:
    return Noche("gub").with_cut(entry(2)).with_cut(entry(3)).as_dict()


def before(data: Any) -> Any:
    return Before(data if data is None else compact_json(data))


def test_a_night_is_read_back_as_it_was_written() -> None:
    night, told = noche.night_before(before(past()), "gub")
    assert told == ()
    assert night.as_dict() == past()
    assert night.cortes == (entry(2), entry(3))
    check([("datos/0003/gub/noche.json", compact_json(night.as_dict()))])


def test_without_a_file_of_before_the_night_begins() -> None:
    previous: Any
    for previous in (None, before(None), Before(b"", contiendas=frozenset({"dip"}))):
        assert noche.night_before(previous, "gub") == (Noche("gub"), ())


def test_a_file_of_another_version_begins_anew_and_says_so() -> None:
    night, (told,) = noche.night_before(before(past() | {"formato": "pregon/noche/2"}), "gub")
    assert night == Noche("gub")
    assert (told.codigo, told.severidad) == ("NOCHE_AJENA", "avisa")
    assert "empieza de nuevo" in told.mensaje


DAMAGES: list[Callable[[dict[str, Any]], object]] = [
    lambda data: data.pop("cortes"),
    lambda data: data.pop("formato"),
    lambda data: data.update(formato=1),
    lambda data: data.update(contienda="dip"),
    lambda data: data.update(cortes=[]),
    lambda data: data["cortes"].reverse(),
    lambda data: data["cortes"].pop(),
    lambda data: data["cortes"][0].update(capturadas="50"),
    lambda data: data["cortes"][0].update(capturadas=-1),
    lambda data: data["cortes"][0].update(corte=True),
    lambda data: data["cortes"][0].update(hora_corte="2021-06-06T22:40:00"),
    lambda data: data["cortes"][0].update(participacion="61.2"),
    lambda data: data["cortes"][0].update(candidaturas=[1, 2, 3, 4]),
    lambda data: data["cortes"][0].pop("encabeza"),
    lambda data: data.update(partidos=["PAN", "PAN", "NULOS"]),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_not_what_it_says_stops_the_cut(damage: Callable[[dict[str, Any]], object]) -> None:
    data = past()
    damage(data)
    with pytest.raises(DiscoError, match="paquete del corte anterior"):
        noche.night_before(before(data), "gub")


def test_a_file_that_is_no_json_stops_the_cut() -> None:
    for content in (b"", b"[]", b"\xff", b"null"):
        with pytest.raises(DiscoError):
            noche.night_before(Before(content), "gub")  # type: ignore[arg-type]


def test_a_damaged_previous_package_signs_nothing(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    space = night.create()
    night.cut(space, HORA)
    was = tree_digest(space.repositorio)
    with monkeypatch.context() as patch:
        patch.setattr(noche, "ARCHIVO", "entidad.json")  # there, and no night
        with pytest.raises(DiscoError):
            night.cut(space, HORAS[1])
    assert tree_digest(space.repositorio) == was
    built: BuiltCut = night.cut(space, HORAS[1])
    assert built.corte == 2


def test_a_candidatura_that_comes_later_does_not_touch_the_cuts_before_it() -> None:
    one = Noche("gub").with_cut(entry(1))
    later: Mapping[str, int] = {"C_PAN_PRI": 900, "MC": 5, "NULOS": 95}
    both = one.with_cut(entry(2, candidaturas=later))
    data = both.as_dict()
    assert data["candidaturas"] == ["PAN", "PRI", "NULOS", "C_PAN_PRI", "MC"]
    assert data["cortes"][0] == one.as_dict()["cortes"][0]
    assert data["cortes"][1]["candidaturas"] == [None, None, 95, 900, 5]
    assert Noche.from_json(data).cortes[1].candidaturas == later
    check([("datos/0002/gub/noche.json", compact_json(data))])


def test_the_file_is_bounded_and_small() -> None:
    long = Noche("gub")
    long = dataclasses.replace(long, cortes=tuple(entry(n) for n in range(MAX_CORTES)))
    longer = long.with_cut(entry(MAX_CORTES))
    assert [longer.cortes[0].corte, len(longer.cortes)] == [1, MAX_CORTES]
    day = Noche("gub")
    for n in range(144):
        day = day.with_cut(entry(n, candidaturas={f"PARTIDO_{k}": 123456 + n for k in range(10)}))
    assert len(compact_json(day.as_dict())) < 60_000


# --- geometry ---


def test_labels_do_not_overlap_and_stay_near() -> None:
    for places in ([5000] * 6, [0, 0, 0], [10_000, 9_990], [100, 9000, 9100, 9200, 9900, 10_000], []):
        found = spread(places, 900, 10_000)
        order = sorted(found)
        assert all(b - a >= 900 for a, b in pairwise(order))
        assert all(450 <= place <= 9550 for place in found)
        # in the order of the ends
        assert [n for _, n in sorted((p, n) for n, p in enumerate(found))] == sorted(
            range(len(places)), key=lambda n: (places[n], n)
        )
    assert spread([1000, 5000, 9000], 900, 10_000) == [1000, 5000, 9000]


def test_time_is_true_and_a_long_wait_is_drawn_apart() -> None:
    minutes = (0, 20, 40, 860)
    hours = [datetime(2021, 6, 6, 22, 40, tzinfo=ZONA) + timedelta(minutes=m) for m in minutes]
    serie = Serie("PAN", "A", "t-pan", (1000, 2000, None, 4000), "40.0000", "PAN")
    made = draw(
        hours, [serie, dataclasses.replace(serie, letra="B", valores=(0, 0, 0, 0))], tope=40, pasos=4, unidad=""
    )
    assert (made.ancho, made.alto) == (860, 4000)
    first, second = made.lineas
    assert (first.trazo, first.huecos) == ("M0 3000L20 2000M860 0", "")  # nothing is drawn over a cut without it
    assert second.huecos == "M40 4000L860 4000"
    assert (first.extremo, second.extremo) == ("0%", "100%")
    shown = [tick for tick in made.horas if not tick.amplia]
    assert 2 <= len(shown) <= 3
    assert [(tick.texto, tick.fecha) for tick in made.horas if tick.fecha] == [("00:00", "7 jun")]
    assert all(abs(tick.x - float(tick.lugar[:-1]) * 8.6) < 1 for tick in made.horas)


def test_the_top_of_an_axis_holds_its_numbers_and_divides_into_whole_ones() -> None:
    for best in (1, 399, 401, 999, 1000, 1001, 3960, 4001, 5599, 8001, 10_000):
        top, parts = ceiling(best, percent=True)
        assert best <= top * 100
        assert top % parts == 0
        assert 10 <= top <= 100
    for best in (100, 300, 2100, 21_700, 100_000):
        top, parts = ceiling(best, percent=False)
        assert best <= top * 100 <= best * 4
        assert top % parts == 0
