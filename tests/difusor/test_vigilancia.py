"""The self-watch: what it judges (pure), what it sees of a real portal, and what people are told."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.errors import DanadoError
from pregon.convocatoria.perfiles import load
from pregon.difusor import pointer, report
from pregon.difusor.decide import Decision, Estado
from pregon.difusor.historia.pronostico import Pronostico
from pregon.difusor.libro import CORTES, Libro
from pregon.difusor.nube.estado import EstadoNube, Fallo
from pregon.difusor.reloj import ClockReading
from pregon.difusor.servidor.ajustes import AccesoSimulacro
from pregon.difusor.vigilancia import metricas, mirado
from pregon.difusor.vigilancia.ajustes import AjustesVigilancia
from pregon.difusor.vigilancia.alarmas import Alarma, Libreta, Sintoma, vigentes
from pregon.difusor.vigilancia.catalogo import catalogo
from pregon.difusor.vigilancia.fuera import CODIGOS, Portal, examinados, sintomas
from pregon.difusor.vigilancia.observa import Observador, Vista, expiries
from pregon.difusor.vigilancia.revisiones import de_equipo, de_memoria
from pregon.difusor.vigilancia.vigia import Vigia, canales, vigilando
from pregon.difusor.workspace import Workspace, open_workspace
from pregon.notifica.ajustes import AjustesCanal
from pregon.notifica.mensajero import Mensajero
from tests.difusor.conftest import make_escena
from tests.red.bancos import disco_chico
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import Autoridad, Nginx, Sitio
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.notifica.mensaje import Mensaje
    from pregon.trust.keys import KeyRing
    from tests.difusor.conftest import Escena, EscenaFactory

AHORA = INICIO + timedelta(hours=2)
TODO = AjustesCanal(canal="syslog", destino="local")


@dataclass
class Oido:
    """A channel that remembers what it carries."""

    dichos: list[tuple[str, str]] = field(default_factory=list)
    textos: list[str] = field(default_factory=list)

    def envia(self, mensaje: Mensaje) -> None:
        self.textos.append(mensaje.texto)
        self.dichos.append((mensaje.codigo, mensaje.severidad))


def with_settings(workspace: Workspace, **keys: Any) -> Workspace:
    watch = AjustesVigilancia.model_validate({"cada_s": 0.1, "portal_cada_s": 0.1, **keys})
    return replace(workspace, settings=workspace.settings.model_copy(update={"vigilancia": watch}))


@contextmanager
def watching(escena: Escena, ear: Oido, **keys: Any) -> Iterator[Vigia]:
    """A watch that looks when it is told to."""
    real = SystemClock()
    state = escena.state()
    workspace = with_settings(escena.workspace, **{"portal_cada_s": 0.1, **keys})
    with Mensajero([(TODO, ear)], clock=real, state=state) as told:
        yield Vigia(workspace, state, escena.clock, escena.disk, mensajero=told, real=real)


def look(vigia: Vigia, times: int = 1) -> set[str]:
    """Look so many times, from outside too; the codes in force."""
    for _ in range(times):
        vigia._visit_after = 0.0
        vigia.mira()
    return {alarma.codigo for alarma in vigia.vigentes}


@pytest.fixture
def published(escena: Escena) -> Escena:
    escena.cut(1)
    escena.receiver().run_once()
    return escena


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, ring: KeyRing) -> Workspace:
    """Settings and profile for what is pure; nothing is read of its folder."""
    return make_escena(tmp_path_factory.mktemp("pura"), ring).workspace


# Pure.


def vista(**more: Any) -> Vista:
    """A difusor with nothing wrong."""
    values: dict[str, Any] = {
        "now": AHORA,
        "decision": Decision(Estado.PUBLICADO, 3, "El corte más reciente está publicado."),
        "corte": 3,
        "disco_libre": 100_000_000_000,
        "inodos_libres": 10_000_000,
        "inodos": 20_000_000,
        "pronostico": Pronostico(10, 1_000_000, 1_000_000, 11_000_000, 90_000_000_000, "recibidos"),
        "memoria_disponible": 4_000_000_000,
        "memoria_propia": 100_000_000,
        "reloj": ClockReading("chrony", 0.001, AHORA),
        "salto_s": None,
        "bitacora": 5_000_000,
        "bitacoras": 9_000_000,
        "bitacora_por_hora": 1_000_000.0,
        "intento": {"hora": AHORA.isoformat(), "resultado": "sin_novedad", "codigo": None},
        "barrido": AHORA - timedelta(minutes=5),
        "alterado": None,
        "retirados": (),
        "acuses_pendientes": 0,
        "acuses_espera_s": None,
        "servidor": True,
        "vigencias": {"root": AHORA + timedelta(days=300), "timestamp": AHORA + timedelta(minutes=30)},
    }
    return Vista(**{**values, **more})


def found(view: Vista, workspace: Workspace) -> dict[str, Sintoma]:
    return {each.codigo: each for _, check in (*de_equipo(), *de_memoria()) for each in check(view, workspace)}


ALTERED = {"total": 2, "hora": (AHORA - timedelta(minutes=50)).isoformat(), "ruta": "index.html"}
APARTADO = {"archivo": "estado.sqlite.danado-20270607T021500Z", "motivo": "está dañada"}
NUBE = EstadoNube("uno", "https://uno.example/", muestra="0002", desde=AHORA)
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"disco_libre": 1_023_999_999}, {"DISCO": "alarma"}),
    ({"disco_libre": 1_024_000_000, "pronostico": None}, {}),
    ({"disco_libre": 1_034_999_999}, {"DISCO_PRONTO": "aviso"}),
    ({"inodos_libres": 19_999}, {"INODOS": "alarma"}),
    ({"nube": (NUBE.con(pedido="0003", pedido_desde=AHORA - timedelta(seconds=181)),)}, {"NUBE": "alarma"}),
    ({"nube": (NUBE.con(pedido="0003", pedido_desde=AHORA - timedelta(seconds=180)),)}, {}),
    ({"nube": (NUBE.con(error=Fallo("RED", "x", AHORA - timedelta(seconds=181))),)}, {"NUBE": "alarma"}),
    ({"nube": (NUBE, NUBE.con(error=Fallo("RED", "x", AHORA)))}, {}),
    ({"inodos_libres": 0, "inodos": 0}, {}),
    ({"memoria_disponible": 127_999_999}, {"MEMORIA": "aviso"}),
    ({"memoria_propia": 1_024_000_001}, {"MEMORIA_PROPIA": "aviso"}),
    ({"memoria_propia": None, "memoria_disponible": None}, {}),
    ({"reloj": ClockReading("chrony", -2.5, AHORA)}, {"RELOJ": "alarma"}),
    ({"reloj": ClockReading("chrony", 2.0, AHORA)}, {}),
    ({"reloj": ClockReading("chrony", None, AHORA)}, {"RELOJ_FUENTE": "aviso"}),
    ({"reloj": ClockReading("chrony", 0.0, AHORA - timedelta(minutes=16))}, {"RELOJ_FUENTE": "aviso"}),
    ({"reloj": None}, {"RELOJ_FUENTE": "aviso"}),
    ({"salto_s": -3600.0}, {"RELOJ_SALTO": "alarma"}),
    ({"bitacora": 1_024_000_001}, {"BITACORA": "aviso"}),
    ({"bitacora_por_hora": 5_000_000_000.0}, {"BITACORA": "aviso"}),
    ({"bitacora_por_hora": None}, {}),
    ({"decision": Decision(Estado.ATRASADO, 3, "tarde")}, {"ATRASADO": "alarma"}),
    ({"decision": Decision(Estado.SUSPENDIDO, None, "aviso")}, {"SUSPENDIDO": "alarma"}),
    ({"intento": {"hora": AHORA.isoformat(), "resultado": "fallo", "codigo": "RED"}}, {"INTENTO": "alarma"}),
    ({"intento": None}, {}),
    ({"barrido": AHORA - timedelta(minutes=31)}, {"BARRIDO_VENCIDO": "aviso"}),
    ({"barrido": None}, {}),
    ({"alterado": ALTERED}, {"ALTERADO": "alarma"}),
    ({"alterado": {**ALTERED, "hora": (AHORA - timedelta(minutes=61)).isoformat()}}, {}),
    ({"retirados": ("a.json",)}, {"RETIRADO": "alarma"}),
    ({"apartado": {**APARTADO, "hora": (AHORA - timedelta(hours=23)).isoformat()}}, {"ESTADO_REHECHO": "alarma"}),
    ({"apartado": {**APARTADO, "hora": (AHORA - timedelta(hours=25)).isoformat()}}, {}),
    ({"acuses_pendientes": 2, "acuses_espera_s": 601.0}, {"ACUSES": "aviso"}),
    ({"acuses_pendientes": 2, "acuses_espera_s": 599.0}, {}),
    ({"servidor": False}, {"SERVIDOR": "alarma"}),
    ({"servidor": None}, {}),
    ({"vigencias": {"root": AHORA + timedelta(days=13)}}, {"VIGENCIA": "aviso"}),
    ({"vigencias": {"timestamp": AHORA - timedelta(seconds=1)}}, {"VIGENCIA": "alarma"}),
    ({"vigencias": {"snapshot": AHORA + timedelta(hours=23)}}, {"VIGENCIA": "aviso"}),
    ({"vigencias": {"timestamp": AHORA + timedelta(seconds=1), "snapshot": AHORA + timedelta(hours=25)}}, {}),
    (
        {
            "now": datetime(2027, 6, 30, tzinfo=UTC),
            "reloj": ClockReading("chrony", 0.0, datetime(2027, 6, 30, tzinfo=UTC)),
            "barrido": datetime(2027, 6, 30, tzinfo=UTC),
            "vigencias": {},
        },
        {"PERMANENCIA": "aviso"},
    ),
]


@pytest.mark.parametrize(("more", "expected"), CASES)
def test_each_limit_from_both_sides(plain: Workspace, more: dict[str, Any], expected: dict[str, str]) -> None:
    measured = plain.settings.reloj.model_copy(update={"fuente": "chrony"})
    workspace = replace(plain, settings=plain.settings.model_copy(update={"reloj": measured}))
    rules = catalogo()
    told = {code: each.severidad or rules[code].gravedad for code, each in found(vista(**more), workspace).items()}
    assert told == expected


def test_signatures_of_a_night_that_is_over_and_has_no_end_end_in_silence(plain: Workspace) -> None:
    """MOR-gap: nobody signs the last cut again. The root, with which a next night begins, is told as ever."""
    over = Decision(Estado.CERRADO, 3, "Es el último corte.")
    ended = {"timestamp": AHORA - timedelta(days=1), "snapshot": AHORA - timedelta(hours=1)}
    without = replace(plain, convocatoria=plain.convocatoria.model_copy(update={"permanencia_hasta": None}))
    assert plain.convocatoria.permanencia_hasta is not None
    assert "VIGENCIA" not in found(vista(decision=over, vigencias=ended), without)
    told = found(vista(decision=over, vigencias={**ended, "root": AHORA}), without)["VIGENCIA"]
    assert told.detalle == {"roles": ["root"]}
    for decision, workspace in ((over, plain), (vista().decision, without)):
        assert "VIGENCIA" in found(vista(decision=decision, vigencias=ended), workspace)


def test_alarms_say_their_hours_as_people_there_do_and_the_last_attempt_why_it_failed(plain: Workspace) -> None:
    moment = datetime(2027, 6, 7, 4, 5, 6, tzinfo=UTC)
    attempt = {"hora": moment.isoformat(), "resultado": "fallo", "codigo": "RED", "que_paso": "No contesta."}
    altered = {**ALTERED, "hora": moment.isoformat()}
    told = found(vista(now=moment, intento=attempt, alterado=altered, vigencias={"root": moment}), plain)
    assert told["INTENTO"].que_paso == "El intento de las 22:05:06 terminó en «fallo», código RED: No contesta."
    assert told["ALTERADO"].que_paso.endswith("el 6 de junio de 2027 a las 22:05:06.")
    assert told["VIGENCIA"].que_paso == "Firmas: root (venció el 6 de junio de 2027 a las 22:05:06)."


def test_clock_that_nobody_was_asked_to_measure_is_no_alarm(plain: Workspace) -> None:
    assert plain.settings.reloj.fuente == "ninguna"
    assert found(vista(reloj=None), plain) == {}


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (-7.01, []),
        (-6.99, ["plazos.solicitud"]),
        (-3, ["plazos.solicitud", "plazos.infraestructura"]),
        (0, ["plazos.infraestructura"]),
        (3, []),
        (11, []),
    ],
)
def test_deadlines_of_the_call_are_told_a_week_before_and_never_once_the_night_began(
    plain: Workspace, days: float, told: list[str]
) -> None:
    """DGO-I-4a and DGO-I-5: 18 and 21 of May 2024, whole days; what is the institute's (DGO-III-3) is not told."""
    workspace = replace(plain, convocatoria=load("dgo-2024"))
    end = datetime(2024, 5, 19, tzinfo=workspace.convocatoria.zona)  # the last instant of the 18th is its own
    now = end + timedelta(days=days)
    view = vista(now=now, reloj=ClockReading("chrony", 0.0, now), barrido=now, vigencias={})
    symptom = found(view, workspace).get("PLAZO")
    assert ([] if symptom is None else symptom.detalle["claves"]) == told
    if told:
        assert symptom is not None
        assert "a más tardar el" in symptom.que_paso
    report = replace(plain, convocatoria=load("ine-2021"))  # INE-VII-b: the report is due on the 15th, after the night
    after = datetime(2021, 6, 10, tzinfo=UTC)
    assert "PLAZO" not in found(vista(now=after, barrido=after, vigencias={}), report)


def portal(**more: Any) -> Portal:
    return Portal(url="https://prep.ejemplo.mx/", **more)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (portal(vence=AHORA + timedelta(days=15)), {}),
        (portal(vence=AHORA + timedelta(days=13)), {"CERTIFICADO": "aviso"}),
        (portal(vence=AHORA + timedelta(days=2)), {"CERTIFICADO": "alarma"}),
        (portal(alterados=("corte.json",)), {"PORTAL_ALTERADO": "alarma"}),
        (portal(otro_corte=2), {"PORTAL_VIEJO": "alarma"}),
        (portal(caido="no"), {"PORTAL_CAIDO": "alarma"}),
        (portal(tls="no"), {"PORTAL_TLS": "alarma"}),
        (portal(lentos=(("/", 11.0),)), {"PORTAL_LENTO": "aviso"}),
        (portal(sin_cabeceras=("Cache-Control",)), {"PORTAL_CABECERAS": "aviso"}),
    ],
)
def test_what_counts_as_wrong_outside(seen: Portal, expected: dict[str, str]) -> None:
    rules = catalogo()
    told = sintomas(seen, now=AHORA, certificado_dias=14, respuesta_max_s=10)
    assert {each.codigo: each.severidad or rules[each.codigo].gravedad for each in told} == expected
    assert set(expected) <= examinados(seen)


def test_of_a_portal_that_does_not_answer_nothing_else_is_known() -> None:
    """An alteration that was seen does not end because nobody answers any more."""
    assert examinados(portal(caido="no")) == {"PORTAL_CAIDO"}
    assert examinados(portal()) == set(CODIGOS)


def test_alarm_begins_at_the_second_observation_and_ends_at_the_second_without_it() -> None:
    book, slow, quick = Libreta(()), Sintoma("PORTAL_CAIDO", "No contesta."), Sintoma("DISCO", "Lleno.")
    codes = ("PORTAL_CAIDO", "DISCO")
    assert not book.observa([slow], codes, AHORA).empiezan
    assert not book.observa([], codes, AHORA).terminan  # one hiccup
    assert not book.observa([slow], codes, AHORA).empiezan
    begun = book.observa([slow, quick], codes, AHORA + timedelta(minutes=1))
    assert [each.codigo for each in begun.empiezan] in (["PORTAL_CAIDO", "DISCO"], ["DISCO", "PORTAL_CAIDO"])
    assert book.vigentes[0].texto.startswith("No contesta. Revise el servidor web")
    assert not book.observa([slow], codes, AHORA).empiezan  # it was told
    assert not book.observa([], ("OTRO",), AHORA).terminan  # nobody looked
    assert [each.codigo for each in book.observa([slow], codes, AHORA).terminan] == ["DISCO"]
    assert not book.observa([], codes, AHORA).terminan
    ended = book.observa([], codes, AHORA).terminan
    assert [(each.codigo, each.desde) for each in ended] == [("PORTAL_CAIDO", AHORA + timedelta(minutes=1))]
    assert book.vigentes == ()


def test_what_gets_worse_keeps_its_hour() -> None:
    book = Libreta(())
    book.observa([Sintoma("CERTIFICADO", "x", "aviso")], (), AHORA)
    worse = book.observa([Sintoma("CERTIFICADO", "x", "alarma")], (), AHORA + timedelta(days=1)).empiezan
    assert [(each.severidad, each.desde) for each in worse] == [("alarma", AHORA)]


# A real portal.


def test_healthy_portal_has_no_alarm_and_each_file_was_compared(published: Escena) -> None:
    ear = Oido()
    with published.served(), watching(published, ear, muestra=50) as vigia:
        assert look(vigia, 3) == set()
        seen = vigia._visitante.mira(published.libro)
        assert seen is not None
        assert (seen.alterados, seen.caido, seen.sin_cabeceras) == ((), None, ())
    assert ear.dichos == []
    assert vigentes(published.state()) == ()
    ((begin, end),) = mirado.lee(published.state())
    assert begin <= end == published.clock.now(), "what says that it answered is kept, look by look"


def test_who_cannot_look_from_outside_leaves_no_hour(escena: Escena) -> None:
    """A difusor without a public address has nobody who looked: its availability is not known."""
    with watching(escena, Oido()) as vigia:
        look(vigia, 2)
    assert mirado.lee(escena.state()) == ()


def test_byte_altered_behind_our_back_is_seen_from_outside_told_once_and_its_end_once(published: Escena) -> None:
    """GRO-2.4h, INE-VI-a-ii: what citizens get is compared with what was signed, whoever altered it and wherever."""
    ear = Oido()
    release = published.workspace.cortes / "0001"
    page = release / "gub" / "index.html"
    original = page.read_bytes()
    with published.served() as (url, _), watching(published, ear, muestra=50) as vigia:
        assert look(vigia) == set()
        page.unlink()
        page.write_bytes(original.replace(b"casilla 7", b"casilla 8"))
        plain = httpx2.get(url + "gub/", headers={"accept-encoding": "identity"}, trust_env=False)
        assert plain.content != original
        before = published.libro.publicado, pointer.read(published.workspace)
        assert look(vigia, 4) == {"PORTAL_ALTERADO"}
        alarm = vigentes(published.state())[0]
        assert alarm.detalle["rutas"] == ["gub/index.html"]
        warnings = report.estado(published.workspace, published.libro, published.clock.now())["avisos"]
        assert [each["codigo"] for each in warnings] == ["PORTAL_ALTERADO"]
        assert (published.libro.publicado, pointer.read(published.workspace)) == before  # it changes nothing
        page.write_bytes(original)
        assert look(vigia, 4) == set()
    assert ear.dichos == [("PORTAL_ALTERADO", "alarma"), ("PORTAL_ALTERADO", "resuelta")]
    assert "gub/index.html" in ear.textos[0]
    assert "Retire" in ear.textos[0] or "retire esa dirección" in ear.textos[0]
    kinds = [event.tipo for event in published.state().events() if event.tipo.startswith("alarma")]
    assert kinds == ["alarma", "alarma_resuelta"]


def test_compressed_twin_altered_alone_is_seen_too(published: Escena) -> None:
    """Almost every citizen gets the twin, so the plain file being right proves little."""
    for _ in range(3):
        published.receiver().run_once()
    twin = published.workspace.cortes / "0001" / "gub" / "index.html.gz"
    assert twin.is_file()
    with published.served(), watching(published, Oido(), muestra=50) as vigia:
        assert look(vigia) == set()
        twin.unlink()
        twin.write_bytes(gzip.compress(b"<h1>Otro resultado</h1>"))
        assert look(vigia) == {"PORTAL_ALTERADO"}
        assert vigentes(published.state())[0].detalle["rutas"] == ["gub/index.html"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a disk of its own")
def test_full_disk_is_told_though_nothing_can_be_written(published: Escena) -> None:
    ear, folder = Oido(), published.workspace.folder
    with disco_chico(folder, 8_000_000), published.served(), watching(published, ear, disco_reserva_mb=1) as vigia:
        assert "DISCO" not in look(vigia, 2)
        filler = folder / "relleno"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        assert shutil.disk_usage(folder).free < 4096
        assert "DISCO" in look(vigia, 2)
        filler.unlink()
        assert "DISCO" not in look(vigia, 3)
        assert "DISCO" not in {each.codigo for each in vigentes(published.state())}
    assert [told for told in ear.dichos if told[0] == "DISCO"] == [("DISCO", "alarma"), ("DISCO", "resuelta")]


def test_old_cut_kept_by_a_cache_in_front(published: Escena, tmp_path: Path) -> None:
    """A web server of somebody else that still shows the cut before."""
    published.cut(2)
    published.receiver().run_once()
    authority = Autoridad(tmp_path / "ca")
    root = published.workspace.cortes / "0001"
    with Nginx(tmp_path / "nginx", root, {"cdn": Sitio(authority.firma("cdn"), ("index index.html;",))}) as nginx:
        served = with_url(published, nginx.url("cdn"))
        with watching(served, ear := Oido(), ca=authority.ca) as vigia:
            assert "PORTAL_VIEJO" in look(vigia, 2)
            assert "PORTAL_ALTERADO" not in look(vigia)
    assert ("PORTAL_VIEJO", "alarma") in ear.dichos


def with_url(escena: Escena, url: str) -> Escena:
    server = escena.workspace.settings.servidor.model_copy(update={"url": url})
    settings = escena.workspace.settings.model_copy(update={"servidor": server})
    return replace(escena, workspace=replace(escena.workspace, settings=settings))


def test_headers_taken_away_and_certificate_about_to_expire(published: Escena, tmp_path: Path) -> None:
    """The firm's own nginx in front: right bytes, none of our headers, a certificate of ten days."""
    authority = Autoridad(tmp_path / "ca")
    root = published.workspace.cortes / "0001"
    with Nginx(tmp_path / "nginx", root, {"frente": Sitio(authority.firma("f"), ("index index.html;",))}) as nginx:
        with watching(with_url(published, nginx.url("frente")), Oido(), ca=authority.ca, certificado_dias=40) as vigia:
            assert look(vigia, 2) == {"PORTAL_CABECERAS", "CERTIFICADO"}
            texts = {each.codigo: each.texto for each in vigia.vigentes}
        assert "Content-Security-Policy" in texts["PORTAL_CABECERAS"]
        assert "Cache-Control" in texts["PORTAL_CABECERAS"]
        with watching(with_url(published, nginx.url("frente")), Oido()) as vigia:  # an authority that nobody knows
            assert "PORTAL_TLS" in look(vigia, 2)
    with watching(with_url(published, f"https://{HOST}:1/"), Oido(), ca=authority.ca) as vigia:
        assert "PORTAL_CAIDO" not in look(vigia)
        assert "PORTAL_CAIDO" in look(vigia)


def test_web_server_killed_is_told(published: Escena) -> None:
    with watching(published, Oido()) as vigia:
        with published.served():
            assert look(vigia, 2) == set()
        assert look(vigia, 2) == {"SERVIDOR"}


def test_before_the_start_the_page_espera_is_what_must_be_there(escena: Escena) -> None:
    with escena.served(), watching(escena, Oido()) as vigia:
        escena.receiver().run_once()
        assert look(vigia, 2) == set()
        page = escena.workspace.cortes / "espera" / "index.html"
        page.write_bytes(b"<h1>Otra cosa</h1>")
        assert "PORTAL_ALTERADO" not in look(vigia, 2)  # the sweep's: what lies on disk is what is served


def test_cut_that_is_late_and_institute_that_comes_back(published: Escena) -> None:
    ear = Oido()
    with published.served(), watching(published, ear) as vigia:
        published.clock.instant += INTERVALO + timedelta(seconds=130)
        assert look(vigia) == {"ATRASADO"}
        published.cut(2)
        published.receiver().run_once()
        assert look(vigia, 2) == set()
    assert ear.dichos == [("ATRASADO", "alarma"), ("ATRASADO", "resuelta")]


def test_clock_that_jumps_is_told_at_once(published: Escena) -> None:
    @dataclass
    class Jumping(ManualClock):
        seconds: float = 0.0

        def monotonic(self) -> float:
            return self.seconds

    published.clock = Jumping(published.clock.instant, simulado=False)
    with published.served(), watching(published, Oido()) as vigia:
        clock = vigia._clock
        assert isinstance(clock, Jumping)
        look(vigia)
        clock.instant, clock.seconds = clock.instant + timedelta(seconds=30), clock.seconds + 30
        assert "RELOJ_SALTO" not in look(vigia)
        clock.instant, clock.seconds = clock.instant - timedelta(hours=1), clock.seconds + 30
        assert "RELOJ_SALTO" in look(vigia)
        clock.instant, clock.seconds = clock.instant + timedelta(seconds=901), clock.seconds + 901
        assert "RELOJ_SALTO" not in look(vigia, 2)


def test_damaged_state_database_is_told_and_ends_nothing(published: Escena) -> None:
    ear = Oido()
    with published.served(), watching(published, ear) as vigia:
        look(vigia)
        path = published.workspace.estado
        kept = path.read_bytes()
        for extra in ("-wal", "-shm"):
            path.with_name(path.name + extra).unlink(missing_ok=True)
        path.write_bytes(b"no es una base" * 400)
        assert "ESTADO" in look(vigia)
        path.write_bytes(kept)
        assert look(vigia, 3) == set()
    assert ("ESTADO", "alarma") in ear.dichos
    assert ("ESTADO", "resuelta") in ear.dichos


# The thread, its settings and its metrics.


def test_thread_looks_at_once_ends_in_order_and_raises_nothing(published: Escena) -> None:
    workspace, state = with_settings(published.workspace, disco_reserva_mb=900_000), published.state()
    start = time.monotonic()
    with vigilando(workspace, state, published.clock, published.disk):
        while not vigentes(state) and time.monotonic() - start < 10:
            time.sleep(0.02)
        assert vigentes(state)[0].codigo in ("DISCO", "SERVIDOR")
    assert time.monotonic() - start < 12
    off = with_settings(published.workspace, activa=False)
    with vigilando(off, state, published.clock, published.disk):
        pass


def test_authority_that_is_not_there_is_told_and_the_rest_is_watched(published: Escena) -> None:
    with published.served(), watching(published, Oido(), ca=Path("no-hay.pem"), disco_reserva_mb=900_000) as vigia:
        assert look(vigia, 3) == {"VIGILANCIA", "DISCO"}
        assert "no-hay.pem" in vigia.vigentes[-1].texto


def test_alarm_of_a_newer_version_is_no_obstacle(published: Escena) -> None:
    published.state().put(alarmas=[Alarma("DEL_FUTURO", "alarma", "x", AHORA, {}).to_json(), {"otra": 1}])
    with published.served(), watching(published, Oido()) as vigia:
        assert look(vigia, 2) == set()
    assert vigentes(published.state()) == ()


def test_simulacro_behind_a_password_is_looked_at_as_far_as_it_lets(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    """GRO's simulacros are not for everyone: the watch has no password and alarms nobody for it."""
    scene = escena_factory(identity=other(OFICIAL, ambiente="simulacro"))
    scene.cut(1)
    scene.receiver().run_once()
    authority = Autoridad(tmp_path / "ca")
    site = Sitio(authority.firma("f"), ("index index.html;",), ('auth_basic "x";', "auth_basic_user_file /dev/null;"))
    with Nginx(tmp_path / "nginx", scene.workspace.cortes / "0001", {"f": site}) as nginx:
        served = with_url(scene, nginx.url("f"))
        with watching(served, Oido(), ca=authority.ca) as vigia:
            assert "PORTAL_ALTERADO" in look(vigia, 2)  # nobody said that it is restricted
        access = AccesoSimulacro(redes=("198.51.100.0/24",))
        server = served.workspace.settings.servidor.model_copy(update={"acceso": access})
        settings = served.workspace.settings.model_copy(update={"servidor": server})
        served.state().put(alarmas=[])
        restricted = replace(served, workspace=replace(served.workspace, settings=settings))
        with watching(restricted, Oido(), ca=authority.ca, certificado_dias=1) as vigia:
            assert look(vigia, 2) == set()


def test_error_of_the_block_is_its_own(published: Escena) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        vigilando(with_settings(published.workspace), published.state(), published.clock, published.disk),
    ):
        raise ZeroDivisionError


def families(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    return {
        family.name: [(dict(sample.labels), sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_expiries_that_an_earlier_look_read_are_those_of_the_files(published: Escena) -> None:
    workspace, clock = published.workspace, published.clock
    watch = Observador(workspace, clock, SystemClock())
    before = watch.equipo().vigencias
    assert before == expiries(workspace)
    assert set(before) == {"root", "targets", "cortes", "avisos", "snapshot", "timestamp"}
    published.repository.resign_timestamp(now=clock.now(), expires=clock.now() + timedelta(hours=7))
    assert published.receiver().run_once().error is None
    after = watch.equipo().vigencias
    assert after == expiries(workspace) == {**before, "timestamp": clock.now() + timedelta(hours=7)}
    assert after != before
    (workspace.confianza / "tuf" / "cortes.json").write_bytes(b"{")
    (workspace.confianza / "tuf" / "snapshot.json").unlink()
    assert set(watch.equipo().vigencias) == set(before) - {"cortes", "snapshot"}


def test_newest_cut_is_read_alone_and_is_the_last_of_all(published: Escena) -> None:
    assert Libro(published.state()).ultimo() == Libro(published.state()).cortes()[-1]
    published.cut(2)
    published.receiver().run_once()
    newest = Libro(published.state()).cortes()[-1]
    assert newest.corte == 2
    published.state().put_row(CORTES, 1, {"corte": "uno"})
    assert Libro(published.state()).ultimo() == newest
    with pytest.raises(DanadoError):
        Libro(published.state()).cortes()
    published.state().put_row(CORTES, 2, {"corte": "dos"})
    with pytest.raises(DanadoError):
        Libro(published.state()).ultimo()


def test_metrics_say_what_is_public_and_what_is_wrong(published: Escena) -> None:
    published.state().put(alarmas=[Alarma("DISCO", "alarma", "x", AHORA, {}).to_json()])
    published.clock.instant += timedelta(seconds=90)
    read = families(metricas.texto(published.workspace, Libro(published.state()), published.clock.now()).decode())
    assert read["pregon_corte"] == [({}, 1.0)]
    assert read["pregon_corte_edad_segundos"] == [({}, 90.0)]
    assert read["pregon_verificado_edad_segundos"] == [({}, 90.0)]
    assert [labels for labels, value in read["pregon_estado"] if value] == [{"estado": "publicado"}]
    assert [labels for labels, value in read["pregon_alarma"] if value] == [{"codigo": "DISCO", "gravedad": "alarma"}]
    assert {labels["codigo"] for labels, _ in read["pregon_alarma"]} == set(catalogo())
    kept = sum(path.stat().st_size for path in published.workspace.historico.rglob("*") if path.is_file())
    assert read["pregon_historico_bytes"] == [({}, float(kept))]


def test_prometheus_reads_them_and_the_port_is_free_afterwards(published: Escena) -> None:
    workspace = with_settings(published.workspace, metricas="127.0.0.1:0", metricas_archivo="servidor/metricas.prom")
    state = published.state()
    with metricas.sirviendo(workspace, state, published.clock) as port:
        answer = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        assert families(answer.text)["pregon_medido"] == [({}, 1.0)]
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    workspace = with_settings(published.workspace, metricas=f"127.0.0.1:{port}", metricas_archivo="m.prom")
    file = workspace.folder / "m.prom"
    with vigilando(workspace, state, published.clock, published.disk):
        end = time.monotonic() + 10
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.02)
    assert families(file.read_text())["pregon_corte"] == [({}, 1.0)]


@pytest.mark.parametrize("where", ["0.0.0.0:9464", "[::]:9464", "10.0.0.1:9464", "localhost:9464", "127.0.0.1:x"])
def test_metrics_are_not_for_everyone(where: str) -> None:
    with pytest.raises(ValidationError, match="metricas"):
        AjustesVigilancia(metricas=where)


def test_metrics_outside_only_where_it_is_said() -> None:
    assert AjustesVigilancia(metricas="[::]:9464", metricas_fuera=True).escucha == ("::", 9464)


def test_settings_as_inicia_writes_them_and_the_profile_names_channels(published: Escena, tmp_path: Path) -> None:
    path = published.workspace.folder / "difusor.toml"
    extra = """
[vigilancia]
cada_s = 15
metricas = "127.0.0.1:9464"
[[notifica]]
canal = "correo"
destino = "smtp://correo.ejemplo.mx"
de = "pregon@ejemplo.mx"
para = ["guardia@ejemplo.mx"]
"""
    path.write_text(path.read_text() + extra)
    profile = Path(published.workspace.settings.convocatoria)
    text = profile.read_text()
    head = '[[notifica]]\ncanal = "correo"\ndestino = "prep@instituto.mx"\n[[notifica]]\ncanal = "syslog"\ndestino = "udp://10.0.0.9"\n'
    profile.write_text(text + head)
    workspace = open_workspace(published.workspace.folder)
    names = [(each.nombre, each.para) for each in canales(workspace)]
    assert names == [
        ("correo smtp://correo.ejemplo.mx", ("guardia@ejemplo.mx",)),
        ("correo smtp://correo.ejemplo.mx", ("prep@instituto.mx",)),
        ("syslog udp://10.0.0.9", ()),
    ]


def test_every_code_is_in_the_operators_page_with_its_limit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operacion" / "vigilancia.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    told = {row[0].strip("`"): row[1:] for row in rows if row[0].strip("`") in catalogo()}
    assert list(told) == list(catalogo())
    for code, rule in catalogo().items():
        assert told[code] == [rule.gravedad, rule.titulo, rule.limite, rule.que_hacer], code
    settings = {row[0].strip("`") for row in rows} & set(AjustesVigilancia.model_fields)
    assert settings == set(AjustesVigilancia.model_fields)
