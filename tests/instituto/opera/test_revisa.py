"""``revisa`` before the night: what is wrong is told by its code; when nothing is, the night may begin."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from typer.testing import CliRunner

from pregon.base.clock import SystemClock
from pregon.base.errors import FindingsError, UsoError
from pregon.cli.instituto.opera import app
from pregon.difusor import pointer
from pregon.instituto.opera import revisa_equipo, revisa_gente, revisa_nodos
from pregon.instituto.opera.ensayo import corte_en_seco, ensaya
from pregon.instituto.opera.revisa import Encargo, revisa
from pregon.instituto.opera.turno import Turno
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.workspace import offline_keys
from tests.instituto.conftest import INICIO, tree_digest
from tests.instituto.monitor.portales import Sitio, abierto
from tests.instituto.opera.mesa import hora, mesa_de
from tests.instituto.registro.fichas import ANA, ficha
from tests.prep.muestras import SUMMARY, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.convocatoria.comprobacion import Comprobacion
    from tests.instituto.opera.mesa import Mesa

VISPERA = INICIO - timedelta(hours=2)


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    made = mesa_de(tmp_path)
    made.a_las(VISPERA)
    return made


def codes(found: list[Comprobacion], estado: str) -> dict[str, str]:
    return {one.codigo: one.medido for one in found if one.estado == estado}


def ceros(mesa: Mesa) -> Path:
    """The «puesta en ceros»: every acta expected, none counted."""
    rows = [
        row(
            n,
            CONTABILIZADA="",
            **dict.fromkeys(("PAN", "PRI", "PRD", "MC", "NULOS", "TOTAL_VOTOS_CALCULADO"), ""),
            SHA="",
        )
        for n in (1, 2, 3)
    ]
    summary = SUMMARY | {
        "ACTAS_ESPERADAS": "3",
        "ACTAS_REGISTRADAS": "0",
        "ACTAS_FUERA_CATALOGO": "0",
        "ACTAS_CAPTURADAS": "0",
        "ACTAS_CONTABILIZADAS": "0",
        "ACTAS_CON_INCONSISTENCIAS": "0",
        "ACTAS_NO_CONTABILIZADAS": "0",
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": "0",
        "PORCENTAJE_ACTAS_CAPTURADAS": "0.0000",
        "PORCENTAJE_ACTAS_CONTABILIZADAS": "0.0000",
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": "0.0000",
        "PORCENTAJE_PARTICIPACION_CIUDADANA": "0.0000",
        "TOTAL_VOTOS_C_CS": "0",
        "TOTAL_VOTOS_S_CS": "0",
    }
    folder = mesa.night.folder / "ceros"
    folder.mkdir()
    sample = Sample(
        titulo="GUBERNATURA",
        corte="06/06/2021 18:00 (UTC-5)",
        summary={key: value for key, value in summary.items() if key in SUMMARY},
        rows=rows,
    )
    sample.write(folder / "CAMP_GUB_2021.csv")
    return folder / "CAMP_GUB_2021.csv"


def ayer(mesa: Mesa) -> tuple[Path, ...]:
    return tuple(one.actas for one in mesa.night.sources(hora(3)) if "GUB" in one.actas.name)


def a_resguardo(mesa: Mesa) -> None:
    """The keys that must leave the machine leave it."""
    (mesa.night.folder / "caja").mkdir()
    for name in offline_keys():
        shutil.move(mesa.carpeta / "llaves" / f"{name}.pem", mesa.night.folder / "caja")


def test_this_machine_keys_dates_secrets_clock_room_and_journal(mesa: Mesa) -> None:
    mesa.difusor("diario-uno", url="rsync://prep@127.0.0.1:9/prep", secreto="env:NO_ESTA", llave="no/esta")
    found = revisa_equipo.todo(mesa.espacio, (), {})
    failed = codes(found, "falla")
    assert "raíz" in failed["LLAVES"], "an official machine does not keep the root's keys"
    assert "NO_ESTA" in failed["SECRETOS"]
    assert "no/esta" in failed["SECRETOS"]
    assert failed["COMPUERTA"] == "no se probó"
    assert {"VIGENCIA", "DISCO"} <= codes(found, "bien").keys()
    assert "BITACORA" in codes(found, "aviso"), "its seals go nowhere"
    # One key short, and dates that end before the close.
    a_resguardo(mesa)
    (mesa.carpeta / "llaves" / "avisos-1.pem").rename(mesa.night.folder / "caja" / "avisos-1.pem")
    mesa.a_las(INICIO - timedelta(hours=3))
    found = revisa_equipo.todo(mesa.espacio, (), {"NO_ESTA": "x"})
    assert "avisos" in codes(found, "falla")["LLAVES"]
    mesa.a_las(INICIO + timedelta(days=10))
    assert "timestamp" in codes(revisa_equipo.todo(mesa.espacio, (), {}), "falla")["VIGENCIA"]


def test_a_cut_of_yesterday_is_made_whole_and_nothing_of_it_stays(mesa: Mesa) -> None:
    before = tree_digest(mesa.espacio.repositorio)
    made = ensaya(mesa.espacio, ayer(mesa), {})
    assert made.error is None
    assert made.bytes > 1000
    assert made.archivos > 10
    # The very fault that would block tonight is found today.
    (bad,) = ayer(mesa)
    bad.write_bytes(bad.read_bytes().replace(b",200,", b",201,"))
    blocked = ensaya(mesa.espacio, (bad,), {})
    assert isinstance(blocked.error, FindingsError)
    assert tree_digest(mesa.espacio.repositorio) == before
    assert not list(mesa.carpeta.glob("ensayo-*"))
    with pytest.raises(UsoError):
        ensaya(mesa.espacio, (), {})


def test_the_dry_cut_has_no_votes_and_comes_before_the_start(mesa: Mesa) -> None:
    with pytest.raises(FindingsError, match="ACTAS_CONTABILIZADAS"):
        corte_en_seco(mesa.espacio, ayer(mesa))
    assert mesa.firmados == []
    mesa.a_las(INICIO)
    with pytest.raises(UsoError, match="ya comenzó"):
        corte_en_seco(mesa.espacio, (ceros(mesa),))
    assert mesa.firmados == []


def signed(mesa: Mesa) -> Any:
    return Turno(mesa.espacio, {}, threading.Event()).firmas()


def nodes(mesa: Mesa, espera_s: float = 0.0) -> list[Comprobacion]:
    return revisa_nodos.en_seco(mesa.espacio, signed(mesa), {}, espera_s=espera_s, real=SystemClock())


def test_every_node_is_reached_has_the_dry_cut_and_a_right_clock(mesa: Mesa) -> None:
    mesa.extra = "[entrega]\nintentos = 1\n"  # The clock stands still: a second try would never be due.
    uno = mesa.difusor("diario-uno")
    mesa.difusor("diario-dos", url="rsync://prep@127.0.0.1:9/prep")
    assert "EN_SECO" in codes(nodes(mesa), "falla")
    corte_en_seco(mesa.espacio, (ceros(mesa),))
    assert mesa.firmados == [0]
    reached = revisa_nodos.alcanzados(mesa.espacio, {})
    assert [one.que.split("/")[0] for one in reached if one.estado == "bien"] == ["diario-uno"]
    assert [one.que.split("/")[0] for one in reached if one.estado == "falla"] == ["diario-dos"]
    assert len([one for one in nodes(mesa) if one.estado == "falla"]) == 2, "nobody has said that it has it"
    mesa.a_las(VISPERA + timedelta(seconds=20))
    assert uno.recibe() == 0
    mesa.a_las(VISPERA + timedelta(seconds=30))
    found = nodes(mesa)
    assert [one.que for one in found if one.estado == "falla"] == ["diario-dos/principal verificó el corte 0000"]
    (clock,) = [one for one in found if one.codigo == "RELOJ_NODO"]
    assert clock.estado == "bien"


def test_a_node_whose_clock_is_off_is_found_by_its_own_acuse(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    corte_en_seco(mesa.espacio, (ceros(mesa),))
    revisa_nodos.alcanzados(mesa.espacio, {})
    mesa.a_las(VISPERA - timedelta(minutes=7))  # The node's own clock.
    assert uno.recibe() == 0
    mesa.a_las(VISPERA + timedelta(seconds=30))
    (clock,) = [one for one in nodes(mesa) if one.codigo == "RELOJ_NODO"]
    assert clock.estado == "falla"
    assert clock.medido == "va 420.0 s atrasado"


def test_the_people_list_contacts_and_channels(mesa: Mesa) -> None:
    mesa.difusor("diario-uno")
    found = list(revisa_gente.todo(mesa.espacio, {}))
    assert codes(found, "falla").keys() == {"LISTA", "CANALES", "INSCRITOS"}
    rotacion.crea(Registro(mesa.espacio, entorno={}))
    registro = Registro(mesa.espacio, entorno={})
    form = ficha(mesa.espacio.convocatoria, url="https://prep.diario-uno.example/")
    nobody = form.model_copy(update={"contacto": ()})
    registro.alta("diario-uno", nobody, ANA)
    registro.pasa("diario-uno", "admitido", ANA)
    failed = codes(list(revisa_gente.todo(mesa.espacio, {})), "falla")
    assert "sin contacto técnico" in failed["CONTACTOS"]
    assert "INSCRITOS" not in failed
    registro.cambia("diario-uno", form, ANA)
    assert "CONTACTOS" in codes(list(revisa_gente.todo(mesa.espacio, {})), "bien")


def test_when_nothing_is_wrong_the_night_may_begin(mesa: Mesa) -> None:
    uno = mesa.difusor("diario-uno")
    a_resguardo(mesa)
    rotacion.crea(Registro(mesa.espacio, entorno={}))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(mesa.carpeta / "ca.pem")
    (mesa.night.folder / "sellos").mkdir()
    mesa.extra = (
        f'[bitacora]\ncopias = ["{mesa.night.folder / "sellos"}"]\n[monitor]\nca = "ca.pem"\n'
        '[[notifica]]\ncanal = "syslog"\ndestino = "unix:///dev/null"\n'
    )
    mesa.ajusta(hora="ninguna", vigila=True)
    zeros, yesterday = ceros(mesa), ayer(mesa)
    stop = threading.Event()

    def receives() -> None:
        while not stop.wait(0.05):
            uno.recibe()

    node = threading.Thread(target=receives)
    page = uno.espacio.cortes / (pointer.read(uno.espacio) or "espera")
    with abierto(Sitio(carpeta=page), autoridad=authority) as site:
        registro = Registro(mesa.espacio, entorno={})
        registro.alta("diario-uno", ficha(mesa.espacio.convocatoria, url=site.url), ANA)
        registro.pasa("diario-uno", "admitido", ANA)
        node.start()
        try:
            found = revisa(mesa.espacio, Encargo(yesterday, (zeros,), 30.0), {})
        finally:
            stop.set()
            node.join()
    assert codes(found, "falla") == {}
    assert mesa.firmados == [0]
    assert {"LLAVES", "VIGENCIA", "SECRETOS", "COMPUERTA", "CORTE", "DISCO", "BITACORA", "DESTINO", "EN_SECO"} <= codes(
        found, "bien"
    ).keys()
    assert {"PORTAL", "CONTACTOS", "INSCRITOS", "RELOJ_NODO"} <= codes(found, "bien").keys()
    assert codes(found, "aviso")["PUNTOS"] == "1 punto, 0 testigos"


def test_one_vantage_point_or_no_witness_is_warned_of(mesa: Mesa) -> None:
    remote = '[[monitor.remoto]]\npunto = "norte"\nclave = "norte.pub.pem"\nurl = "norte"\n'
    witness = 'testigos = ["https://testigo.example.mx/"]\n'
    wants = {
        "[monitor]\n": ("aviso", True, True),
        f"[monitor]\n{witness}": ("aviso", True, False),
        f"[monitor]\n{remote}": ("aviso", False, True),
        f"[monitor]\n{witness}{remote}": ("bien", False, False),
    }
    for settings, wanted in wants.items():
        mesa.extra = settings
        mesa.ajusta()
        told = revisa_nodos.puntos(mesa.espacio)
        mend = told.arreglo or ""
        assert (told.estado, "«pregon instituto observa" in mend, "testigos" in mend) == wanted


def test_the_command_ends_with_seventy_where_something_fails(mesa: Mesa) -> None:
    done = CliRunner().invoke(app, ["revisa", str(mesa.carpeta), "--espera", "0", "--json"])
    assert done.exit_code == 70, done.output
    said = json.loads(done.stdout)
    assert not said["ok"]
    assert {"DESTINO", "EN_SECO", "LISTA"} <= {
        one["codigo"] for one in said["comprobaciones"] if one["estado"] == "falla"
    }
    assert all(one["arreglo"] for one in said["comprobaciones"] if one["estado"] != "bien")
