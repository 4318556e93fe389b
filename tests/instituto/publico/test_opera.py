"""The public pages within the night's service, beside its cuts, in their packages and on another machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import AjustesError
from pregon.instituto import settings as ajustes
from pregon.instituto.opera import revisa_gente
from pregon.instituto.opera.unidad import unidad
from pregon.instituto.publico.envio import pasos
from pregon.instituto.publico.sitio import ENLACE, Publicador, vigente
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from tests.instituto.conftest import tree_digest
from tests.instituto.opera.mesa import Mesa, hora, mesa_de
from tests.instituto.registro.fichas import ANA, ficha

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    return mesa_de(tmp_path)


def con(mesa: Mesa, **publico: Any) -> None:
    lines = ["[publico]", 'carpeta = "publico"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in publico.items() if key != "destino"]
    lines += [f'[[publico.destino]]\nurl = "{one}"' for one in publico.get("destino", ())]
    mesa.extra = "\n".join(lines)
    mesa.ajusta()


def dice(mesa: Mesa, name: str = "situacion.json") -> Any:
    return json.loads((mesa.carpeta / "publico" / ENLACE / name).read_bytes())


def test_each_cut_and_its_delay_are_told_by_the_service_and_stay_when_it_ends(mesa: Mesa) -> None:
    con(mesa)
    service = mesa.servicio()
    mesa.corre(service)
    assert dice(mesa)["noche"]["fase"] == "antes"
    mesa.a_las(hora(0))
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 20))
    mesa.corre(service)
    assert mesa.firmados == [1]
    told = dice(mesa)["noche"]
    assert (told["corte"]["corte"], told["retraso"]) == (1, None)
    assert dice(mesa, "noche.json")["cortes"][0]["contiendas"]["gub"]["esperadas"] == 3

    for seconds in (5, 46):
        mesa.a_las(hora(1, seconds))
        mesa.corre(service)
    late = dice(mesa)["noche"]["retraso"]
    assert late["texto"].startswith("El corte de las 20:20 h se retrasa.")
    assert (late["desenlace"], late["porque"]) == ("pendiente", "No habían llegado los datos del corte.")
    mesa.llegan(hora(1))
    mesa.a_las(hora(1, 120))
    mesa.corre(service)
    assert mesa.firmados == [1, 2]
    assert dice(mesa)["noche"]["retraso"] is None
    [kept] = dice(mesa, "noche.json")["retrasos"]
    assert (kept["corte"], kept["desenlace"], kept["segundos"]) == (2, "tarde", 120)

    before = tree_digest(mesa.carpeta / "publico" / ENLACE / ".")
    mesa.stop.set()
    service.termina()
    service.cierra()
    assert tree_digest(mesa.carpeta / "publico" / ENLACE / ".") == before


def test_pages_that_cannot_be_written_are_an_alarm_and_the_night_goes_on(mesa: Mesa) -> None:
    con(mesa)
    (mesa.carpeta / "publico").write_text("esto no es una carpeta")
    service = mesa.servicio()
    mesa.a_las(hora(0))
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 20))
    mesa.corre(service)
    assert mesa.firmados == [1]
    assert "PUBLICO" in mesa.codigos("aviso")
    assert (mesa.carpeta / "publico").read_text() == "esto no es una carpeta"
    (mesa.carpeta / "publico").unlink()
    mesa.llegan(hora(1))
    mesa.a_las(hora(1, 20))
    mesa.corre(service)
    assert dice(mesa)["noche"]["corte"]["corte"] == 2
    assert [one.codigo for one in service.alarmas.vigentes] == []


def test_with_the_package_the_next_cut_carries_the_state_and_a_difusor_publishes_it(mesa: Mesa) -> None:
    con(mesa, con_el_paquete=True)
    uno = mesa.difusor("diario-uno")
    service = mesa.servicio()
    for slot in range(2):
        mesa.a_las(hora(slot))
        mesa.llegan(hora(slot))
        mesa.a_las(hora(slot, 20))
        mesa.corre(service)
        # What the cut of 20:00 carries was written before the start: it tells no cut.
        assert uno.recibe() == slot + 1
    manifests = [
        json.loads((mesa.carpeta / "repositorio" / "targets" / "cortes" / f"{n:04d}" / "manifiesto.json").read_bytes())
        for n in (1, 2)
    ]
    listed = [{one["ruta"]: one["sha256"] for one in manifest["archivos"]} for manifest in manifests]
    assert "situacion/index.html" in listed[1]
    public = uno.espacio.folder / "publico"
    for page, link in (("index.html", "situacion/index.html"), ("glosario/index.html", "../situacion/index.html")):
        assert f'<a href="{link}">Quién publica estos resultados</a>' in (public / page).read_text(), page
    shown = uno.espacio.folder / "publico" / "situacion"
    carried = json.loads((shown / "situacion.json").read_bytes())
    assert carried["noche"]["corte"]["corte"] == 1, "the state in force when the second cut was made"
    assert (shown / "noche.html").read_bytes().rstrip().endswith(b"</html>")
    # Nobody renews it until the next cut: it counts as fresh until then.
    until = json.loads((shown / "actual.json").read_bytes())["vigente_hasta"]
    assert until >= hora(2).isoformat(timespec="seconds")


def test_each_state_is_carried_to_the_server_of_the_institute(mesa: Mesa, tmp_path: Path) -> None:
    there = tmp_path / "servidor"
    there.mkdir()
    con(mesa, destino=[str(there)])
    service = mesa.servicio()
    mesa.a_las(hora(0))
    mesa.llegan(hora(0))
    mesa.a_las(hora(0, 20))
    mesa.corre(service)
    assert tree_digest(there) == tree_digest(mesa.carpeta / "publico" / ENLACE / ".")
    folder = vigente(mesa.carpeta / "publico")
    assert folder is not None
    asked, pages, last = pasos(folder).pasos
    assert last == ("actual.json",)
    assert all(one.startswith("publico-") or one == "incrusta.js" for one in asked)
    assert {"index.html", "noche.json"} < set(pages)

    # One that is down keeps none of the others with what is old.
    other = tmp_path / "otro"
    other.mkdir()
    con(mesa, destino=[str(there), str(other)])
    service = mesa.servicio()
    there.rename(tmp_path / "desconectado")
    mesa.llegan(hora(1))
    mesa.a_las(hora(1, 20))
    mesa.corre(service)
    assert mesa.firmados == [1, 2]
    assert "PUBLICO_ENVIO" in mesa.codigos("aviso")
    assert dice(mesa)["noche"]["corte"]["corte"] == 2, "here it is public all the same"
    old = json.loads((tmp_path / "desconectado" / "situacion.json").read_bytes())
    assert old["noche"]["corte"]["corte"] == 1
    assert tree_digest(other) == tree_digest(mesa.carpeta / "publico" / ENLACE / ".")


def test_the_unit_may_write_where_the_pages_go_and_the_check_asks_for_them(mesa: Mesa, tmp_path: Path) -> None:
    www, there = tmp_path / "www", tmp_path / "montada"
    mesa.extra = f'[publico]\ncarpeta = "{www}"\n[[publico.destino]]\nurl = "file://{there}"'
    mesa.ajusta()
    assert f"ReadWritePaths=%f {www} {there}\n" in unidad(mesa.espacio).archivo.texto
    registro = Registro(mesa.espacio, entorno={})
    rotacion.crea(registro)
    registro.alta("diario-uno", ficha(mesa.espacio.convocatoria), ANA)
    registro.pasa("diario-uno", "admitido", ANA)

    def check() -> str:
        [found] = [one for one in revisa_gente.todo(mesa.espacio, {}) if one.codigo == "LISTA"]
        return found.estado

    assert check() == "falla"
    Publicador(mesa.espacio).publica(mesa.servicio().turno.firmas(), ())
    assert check() == "bien"


@pytest.mark.parametrize("text", ["con_el_paquete = true", '[[publico.destino]]\nurl = "/mnt/usb"', "cada_s = 1.0"])
def test_settings_that_make_no_sense_are_refused(mesa: Mesa, text: str) -> None:
    mesa.extra = f"[publico]\n{text}"
    mesa.ajusta()
    with pytest.raises(AjustesError):
        ajustes.load(mesa.carpeta)


def test_nobody_writes_by_https(mesa: Mesa) -> None:
    con(mesa, destino=["https://www.instituto.example/prep"])
    with pytest.raises(AjustesError, match="sólo se lee"):
        ajustes.load(mesa.carpeta)
