"""``aforo.toml``: its template is its defaults, estimates can be made by hand, past nights come from their logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.settings import parse_toml
from pregon.bitacoras.medidas import Medida, Medidas, Minuto
from pregon.difusor.aforo.ajustes import AjustesAforo, Poblacion, con_visitantes, lee
from pregon.difusor.aforo.antecedentes import con_medidas
from pregon.difusor.aforo.demanda import estima

if TYPE_CHECKING:
    from pathlib import Path

INICIO = datetime(2021, 6, 6, 20, tzinfo=timezone(timedelta(hours=-5)))
POBLACION = '[poblacion]\npersonas = 1_000_000\nfuente = "censo"\ninternet_pct = 60\nfuente_internet = "encuesta"\n'


def read(text: str) -> AjustesAforo:
    return parse_toml(text.encode(), AjustesAforo, where="aforo.toml")


def test_the_template_is_every_default_and_what_it_offers_can_be_read() -> None:
    text = resources.files("pregon.difusor.aforo").joinpath("plantilla.toml").read_text(encoding="utf-8")
    assert read(text) == AjustesAforo()
    full = read(text.replace("#: ", ""))
    assert full.poblacion is not None
    assert full.cdn is not None
    named = {name for name, value in full.model_dump().items() if value}
    assert named == set(AjustesAforo.model_fields)


def test_each_estimate_by_hand_and_which_rules() -> None:
    text = POBLACION + (
        "interes_pct = 20\ndifusores = 4\n"
        '[[antecedente]]\nnombre = "2018"\nfuente = "bitácora"\nvisitantes = 50_000\n'
        "conectados = 300_000\nfactor = 0.5\n"
        '[[antecedente]]\nnombre = "otro"\nfuente = "informe"\nvisitantes = 10_000\n[banda]\nbaja = 0.4\nalta = 3\n'
    )
    found = estima(read(text))
    assert [one.visitantes for one in found.estimaciones] == [30_000, 50_000, 10_000]
    assert found.rige.nombre == "2018"
    assert (found.visitantes("bajo"), found.visitantes("esperado"), found.visitantes("alto")) == (
        20_000,
        50_000,
        150_000,
    )
    assert "600,000 personas con Internet hoy / 300,000 entonces" in found.estimaciones[1].cuenta
    decided = estima(con_visitantes(read(text), 7))
    assert decided.rige.visitantes == 7
    assert len(decided.estimaciones) == 4
    given = Poblacion(personas=1000, fuente="x", internet_pct=50, fuente_internet="y", interes_pct=50, cuota_pct=10)
    assert estima(AjustesAforo(poblacion=given)).rige.visitantes == 25


def test_every_problem_is_told_with_its_path() -> None:
    with pytest.raises(AjustesError) as caught:
        read(
            "visitantes = 5\n[curva]\napertura_pct = 60\npulso_pct = 60\n"
            "[visita]\npaginas = 0.5\n[servidor]\nraro = 1\n"
        )
    text = caught.value.que_paso
    for path in ("curva:", "visita.paginas:", "servidor.raro: clave desconocida"):
        assert path in text
    for wrong in ("visitantes = 5", "[curva]\nhoras = [1.0, 0.0]", "[visita]\nmezcla = { otra = 0.0 }",
                  '[[antecedente]]\nnombre="a"\nfuente="b"', "[red]\nmbps_usuario = inf",
                  "[banda]\nbaja = 2"):  # fmt: skip
        with pytest.raises(AjustesError):
            read(wrong)


def test_nobody_is_assumed() -> None:
    with pytest.raises(EntradaError, match="cuántos visitantes"):
        con_visitantes(AjustesAforo(), None)
    with pytest.raises(ValueError, match="visitantes"):
        estima(AjustesAforo())


def measure(**more: Any) -> Medida:
    """As the logs of a night are measured: 800 visitors, 1,200 visits; pages only in its first and third hours."""
    start = int(INICIO.timestamp())
    minutes = ((-7200, 50), (0, 30), (60, 30), (7200, 15), (90_000, 99))
    values: dict[str, Any] = dict.fromkeys(Medida.__dataclass_fields__, ()) | {
        "sitio": "prep", "ventana": "eleccion", "desde": start, "hasta": start + 90_000, "hits": 9000, "paginas": 4000,
        "visitas": 1200, "visitantes": 800, "bytes": 10**9, "hits_robots": 3, "paginas_por_visita": 2.5,
        "segundos_por_visita": 420.0, "tiempos": None,
        "por_minuto": tuple(Minuto(start + at, 9, pages, 900, 1, 0) for at, pages in minutes),
    }  # fmt: skip
    return Medida(**values | more)


def write(path: Path, *measures: Medida) -> None:
    told = Medidas(datetime(2021, 6, 9, tzinfo=UTC), "America/Mexico_City", 9000, 1, (), (), (), measures)
    path.write_text(json.dumps(told.as_dict()))


def past(folder: Path, more: str = "") -> AjustesAforo:
    path = folder / "aforo.toml"
    path.write_text(f'[[antecedente]]\nnombre = "2021"\nfuente = "bitácoras"\nmedidas = "m.json"\n{more}')
    return con_medidas(lee(path), folder)


def test_a_past_night_as_its_logs_measured_it(tmp_path: Path) -> None:
    write(
        tmp_path / "m.json", measure(ventana="base", visitantes=5), measure(), measure(sitio="portal", visitantes=9000)
    )
    found = past(tmp_path)
    assert estima(found).rige.visitantes == 800
    assert found.visita == AjustesAforo().visita
    alike = past(tmp_path, f"costumbres = true\ninicio = {INICIO.isoformat()}\n")
    assert (alike.visita.visitas, alike.visita.paginas, alike.visita.minutos) == (1.5, 2.5, 7.0)
    assert alike.curva.horas == (60.0, 0.0, 15.0)
    assert alike.curva.pulso_pct == 40.0
    assert estima(past(tmp_path, 'ventana = "base"\n')).rige.visitantes == 5
    assert estima(past(tmp_path, 'sitio = "portal"\n')).rige.visitantes == 9000


def test_a_file_that_is_no_measure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EntradaError, match=r"m\.json"):
        past(tmp_path)
    for content in (b"", b"\xff\xfe", b"[]", b'{"formato": "otro", "medidas": []}', b"[" * 100_000,
                    b'{"formato": "pregon/medidas/1", "medidas": [{"sitio": 3}]}'):  # fmt: skip
        (tmp_path / "m.json").write_bytes(content)
        with pytest.raises(AjustesError, match="no son medidas"):
            past(tmp_path)
    write(tmp_path / "m.json", measure(visitantes=0), measure(sitio="portal"))
    with pytest.raises(AjustesError, match="prep/eleccion, portal/eleccion"):
        past(tmp_path)
