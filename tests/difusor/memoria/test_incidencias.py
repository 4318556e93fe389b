"""Incidents out of a journal, what people say of them, and the suggestions and blanks that come of a night."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.base.settings import parse_toml
from pregon.base.state import StateDatabase
from pregon.bitacoras.sucesos import Disponibilidad, Frescura
from pregon.convocatoria.perfiles import ids, load
from pregon.difusor.aceptado import Aceptado
from pregon.difusor.cumplimiento.registros import Registros
from pregon.difusor.memoria import carpeta, definiciones
from pregon.difusor.memoria.documento import documento
from pregon.difusor.memoria.incidencias import explicadas, incidencias
from pregon.difusor.memoria.memoria import CLAUSULAS, blancos, en_tramos, reune
from pregon.difusor.memoria.noche import dias_pedidos
from pregon.difusor.memoria.notas import Notas, con_nuevas
from pregon.difusor.memoria.sugerencias import propuestas
from pregon.documentos.bloques import Tabla, Titulo
from pregon.documentos.formas import escribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.difusor.memoria.memoria import Memoria

GRO = load("gro-2021")
INICIO = GRO.inicio.astimezone(UTC)
DEFINICIONES = Path(__file__).parents[3] / "docs" / "memoria" / "definiciones.md"


class Diario:
    """A real journal that is written at hours of our choosing."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(INICIO)
        self.state = StateDatabase(path, self.clock)

    def anota(self, minuto: float, tipo: str, **dato: Any) -> None:
        self.clock.instant = INICIO + timedelta(minutes=minuto)
        self.state.record(tipo, **dato)

    def hay(self) -> tuple[Any, ...]:
        return incidencias(self.state.events(), INICIO - timedelta(hours=1), INICIO + timedelta(days=1))


@pytest.fixture
def diario(tmp_path: Path) -> Diario:
    return Diario(tmp_path / "estado.sqlite")


def test_an_alarm_lasts_until_it_is_resolved_and_two_at_once_are_two(diario: Diario) -> None:
    diario.anota(10, "alarma", codigo="PORTAL_CAIDO", severidad="alarma", texto="No contestó en 10 s.")
    diario.anota(11, "alarma", codigo="DISCO_PRONTO", severidad="aviso", texto="Quedan 3 h.")
    diario.anota(14, "alarma_resuelta", codigo="PORTAL_CAIDO", desde="…")
    diario.anota(20, "alarma", codigo="PORTAL_CAIDO", severidad="alarma", texto="No contestó en 10 s.")
    first, disk, second = diario.hay()
    assert (first.que, first.detalle, first.segundos, first.afecto) == (
        "El portal no responde", "No contestó en 10 s.", 240, True,
    )  # fmt: skip
    assert (disk.tipo, disk.abierta, disk.hasta, disk.afecto) == ("DISCO_PRONTO", True, None, False)
    assert (second.tipo, second.abierta, second.segundos) == ("PORTAL_CAIDO", True, None)
    assert first.clave != second.clave


def test_the_same_failure_again_and_again_is_one_and_its_key_never_changes(diario: Diario) -> None:
    diario.anota(0, "fallo", codigo="RED", que_paso="No hay red.")
    key = diario.hay()[0].clave
    for minute in range(5, 60, 5):
        diario.anota(minute, "fallo", codigo="RED", que_paso="No hay red.")
    diario.anota(61, "rechazado", codigo="FIRMA", que_paso="No es del instituto.")
    diario.anota(120, "fallo", codigo="RED", que_paso="No hay red.")
    diario.anota(121, "publicado", corte=3)  # no incident
    network, signature, later = diario.hay()
    assert (network.veces, network.segundos, network.clave) == (12, 55 * 60, key)
    assert (signature.veces, signature.detalle) == (1, "No es del instituto.")
    assert (later.veces, later.tipo) == (1, "fallo RED")
    assert not any(one.abierta for one in (network, signature, later))


def test_only_what_touches_the_days_is_told_and_what_still_lasts_is(diario: Diario) -> None:
    diario.anota(-50_000, "alarma", codigo="RELOJ", severidad="alarma", texto="Antes.")
    diario.anota(-49_000, "alarma_resuelta", codigo="RELOJ", desde="…")
    diario.anota(-48_000, "alarma", codigo="DISCO", severidad="alarma", texto="Desde antes.")
    diario.anota(5, "interrumpido", causa="periodos", n=None, desde="…")
    diario.anota(9, "reanudado", causa="periodos", n=None)
    diario.anota(50_000, "fallo", codigo="RED")
    assert [(one.tipo, one.abierta, one.segundos) for one in diario.hay()] == [
        ("DISCO", True, None),
        ("interrumpido", False, 240),
    ]


def test_what_people_wrote_stays_and_only_new_incidents_are_added(diario: Diario, tmp_path: Path) -> None:
    diario.anota(10, "alterado", ruta="gub/index.html", hecho="repuesto")
    first = con_nuevas(b"", Notas(), diario.hay(), GRO.zona)
    assert first.startswith(b"# ")
    written = first.replace(b'explicacion = ""', 'explicacion = "Probamos un respaldo. «Sí»"\nafecto = false'.encode())
    written += b'\n[[otra]]\ndesde = 2021-06-06T22:00:00\nhasta = 2021-06-06T22:15:00\nque = "Se fue la luz"\n'
    notes = parse_toml(written, Notas, where="memoria.toml")
    assert con_nuevas(written, notes, diario.hay(), GRO.zona) == written
    diario.anota(90, "alarma", codigo="PORTAL_CAIDO", severidad="alarma", texto='"""\n[[incidencia]]')
    grown = con_nuevas(written, notes, diario.hay(), GRO.zona)
    assert grown.startswith(written)
    assert [one["clave"] for one in tomllib.loads(grown.decode())["incidencia"]] == [one.clave for one in diario.hay()]
    mine, fallen, power = explicadas(diario.hay(), parse_toml(grown, Notas, where="memoria.toml"), GRO.zona)
    assert (mine.explicacion, mine.afecto) == ("Probamos un respaldo. «Sí»", False)
    assert (power.que, power.segundos, power.desde.isoformat()) == ("Se fue la luz", 900, "2021-06-06T22:00:00-05:00")
    assert (fallen.explicacion, fallen.afecto) == ("", True)


def test_notes_that_cannot_be_added_to_are_refused_whole(diario: Diario) -> None:
    diario.anota(10, "alterado", ruta="gub/index.html", hecho="repuesto")
    data = b"incidencia = []\n"
    with pytest.raises(AjustesError, match="no está como tablas"):
        con_nuevas(data, Notas(), diario.hay(), GRO.zona)


@pytest.fixture
def hecha(diario: Diario) -> Callable[..., Memoria]:
    def make(call: str = "gro-2021", **more: Any) -> Memoria:
        profile = load(call)
        records = Registros(
            convocatoria=profile,
            ahora=profile.fin_actualizacion + timedelta(hours=1),
            ambiente="oficial",
            sucesos=tuple(diario.state.events()),
            **more,
        )
        return reune(
            records, None, Notas(), difusor="diario", nodo="principal", eleccion=dias_pedidos(profile), base=None
        )

    return make


def test_availability_is_of_what_was_watched_and_says_how_much_that_was(
    hecha: Callable[..., Memoria], diario: Diario
) -> None:
    diario.anota(60, "alarma", codigo="PORTAL_CAIDO", severidad="alarma", texto="x")
    diario.anota(65, "alarma", codigo="SERVIDOR", severidad="alarma", texto="x")
    diario.anota(72, "alarma_resuelta", codigo="PORTAL_CAIDO", desde="…")
    diario.anota(74.4, "alarma_resuelta", codigo="SERVIDOR", desde="…")
    made = hecha(mirado=((INICIO, INICIO + timedelta(hours=12)),))
    assert made.noche.disponibilidad == Disponibilidad(24 * 3600, 864, 1)  # 1 % of 24 hours, once
    assert made.noche.disponibilidad.por_cien_mil == 99_000
    assert made.noche.vigilado_s == 12 * 3600
    assert "Sólo se vigiló el 50 % del tiempo: complete con otra medición" in [one.que for one in blancos(made)]
    assert any("no respondió durante 864 s en 1 tramos" in one for one in propuestas(made))


def test_a_cut_that_nothing_proves_public_is_not_told_as_public(hecha: Callable[..., Memoria]) -> None:
    cut = Aceptado(
        corte=1, sha256="0" * 64, hora_corte=INICIO + timedelta(minutes=20), ultimo=False, proximo=None,
        firmado=INICIO, recibido=INICIO, prueba="firma",
    )  # fmt: skip
    made = hecha(cortes=(cut,), acuses_rotos="El acuse 000001 no está firmado.")
    assert made.noche.publicados == 0
    assert made.noche.frescura is None
    assert made.as_dict()["cortes"][0]["publico"] is None
    assert "De 1 cortes recibidos no consta que fueran públicos: revisar la causa." in propuestas(made)
    assert any(one.ruta == "acuses/" and "no está firmado" in one.que for one in blancos(made))
    late = replace(made, noche=replace(made.noche, frescura=Frescura(1, 1500.0, 1500.0, 1500.0, 1)))
    assert any("El corte 1 fue público 1,500 s después de su hora" in one for one in propuestas(late))


@pytest.mark.parametrize("call", ids())
def test_every_call_has_its_parts_in_order_and_each_table_cites_a_definition(
    call: str, hecha: Callable[..., Memoria]
) -> None:
    made = hecha(call)
    paper = documento(made)
    asked = () if made.convocatoria.memoria is None else made.convocatoria.memoria.secciones
    assert made.partes[: len(asked)] == asked
    assert set(CLAUSULAS.get(call, {})) <= set(made.partes)
    heads = [one.texto for one in paper.bloques if isinstance(one, Titulo)]
    assert len(heads) == len(made.partes)
    for n, part in enumerate(made.partes, 1):
        clause = made.clausula(part)
        assert heads[n - 1].startswith(f"{n}. ")
        assert clause is None or heads[n - 1].endswith(f"({clause})")
    counted = [
        one for one in paper.bloques
        if isinstance(one, Tabla) and any(column.clase == "numero" for column in one.columnas)
    ]  # fmt: skip
    assert all((one.nota or "").startswith("Definiciones: ") for one in counted)
    assert escribe(paper, "pdf")[:5] == b"%PDF-"


def test_what_people_wrote_is_told_also_where_no_call_asks(hecha: Callable[..., Memoria]) -> None:
    made = hecha("ine-2021")
    assert "sugerencias" not in made.partes
    told = replace(made, notas=Notas(sugerencias=("Ensayar más.",)))
    assert "sugerencias" in told.partes
    assert any(getattr(one, "elementos", ()) == ("Ensayar más.",) for one in documento(told).bloques)


def test_the_definitions_of_the_paper_are_those_of_the_document() -> None:
    text = DEFINICIONES.read_text(encoding="utf-8")
    rows = {
        name: said.replace("`", "") for name, said in re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", text, re.MULTILINE)
    }
    assert rows == dict(definiciones.DEFINICIONES)
    with pytest.raises(KeyError):
        definiciones.cita("hit", "vistas")


def test_days_in_a_row_are_told_by_their_ends() -> None:
    days = [datetime(2024, 6, n, tzinfo=UTC).date() for n in (1, 3, 4, 6, 7, 8, 9)]
    assert en_tramos(days) == (
        "1 de junio de 2024; 3 de junio de 2024; 4 de junio de 2024; del 6 de junio de 2024 al 9 de junio de 2024"
    )


def test_what_was_saved_meanwhile_is_not_overwritten(
    hecha: Callable[..., Memoria], diario: Diario, tmp_path: Path
) -> None:
    diario.anota(10, "alterado", ruta="gub/index.html", hecho="repuesto")
    path = tmp_path / "memoria.toml"
    path.write_text('difusor = "De otra ventana"\n')
    assert carpeta.anota(hecha(), path, b"", Disk()) == 0
    assert path.read_text() == 'difusor = "De otra ventana"\n'
    path.unlink()
    assert carpeta.anota(hecha(), path, b"", Disk()) == 1
    assert "alterado" in path.read_text()
