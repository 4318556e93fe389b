"""The compliance of a difusor with its call: what is measured, declared, waived or still to be, and how it is told."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from typer.testing import CliRunner

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.base.hashing import sha256_file
from pregon.cli.app import app
from pregon.convocatoria.clausulas import clausulas_de, con_clausulas
from pregon.convocatoria.perfiles import load
from pregon.difusor.cumplimiento import declaraciones, informe
from pregon.difusor.cumplimiento.declaraciones import Papel
from pregon.difusor.cumplimiento.evidencia import ESTADOS
from pregon.difusor.cumplimiento.mediciones import MEDICIONES, mide
from pregon.difusor.cumplimiento.registros import reune
from pregon.difusor.inicia import create
from pregon.difusor.night import open_both
from pregon.difusor.servidor.caddy import ACCESO_LOG
from pregon.difusor.vigilancia import mirado
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree
from pregon.trust.repositorio import Repository
from pregon.trust.verified import Identity
from pregon.trust.vigencia import online_expiry
from tests.difusor.conftest import files_of
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.cumplimiento.estado import Dictamen
    from pregon.difusor.cumplimiento.evidencia import Medicion
    from pregon.difusor.workspace import Workspace
    from pregon.trust.keys import KeyRing

LLAMADAS = ("dgo-2024", "gro-2021", "ine-2021", "mex-2021", "mor-2024")
CORTES = 3


def despues(call: Convocatoria) -> dt.datetime:
    """Some days after everything that the call asks for: what was signed in its night still holds then."""
    return (call.permanencia_hasta or call.fin_actualizacion) + timedelta(days=5)


@dataclass
class Ensayo:
    """A difusor of a real call and its institute, on one clock."""

    workspace: Workspace
    repository: Repository
    clock: ManualClock

    def corte(self, corte: int, *, ultimo: bool = False, firmado: dt.datetime | None = None) -> None:
        """Sign a cut at its hour and let the difusor look."""
        call = self.workspace.convocatoria
        step = timedelta(minutes=call.intervalo_min)
        hora = call.inicio + step * corte
        self.clock.instant = firmado or hora
        tree = PackageTree()
        for ruta, content in files_of(corte, hora).items():
            tree.add(ruta, content)
        head = ManifestHead(
            convocatoria=call.id,
            instituto=call.instituto,
            ambiente="oficial",
            elecciones=call.elecciones,
            corte=corte,
            hora_corte=hora,
            generado=hora,
            ultimo=ultimo,
            proximo=None if ultimo else hora + step,
        )
        folder = self.repository.cut_folder(corte)
        write_cut(folder, tree, head, self.repository.last_manifest(), stamped_name(hora, "PREP"))
        self.repository.publish_cut(
            corte,
            now=self.clock.instant,
            expira=online_expiry(despues(call)),
            siguiente=despues(call),
            intervalo=step,
        )
        self.clock.instant += timedelta(seconds=20)
        self.mira()

    def mira(self) -> None:
        """One pass of the difusor, and a whole sweep of what is public."""
        receiver, sweep = open_both(self.workspace, clock=self.clock, state=self.state(), disk=Disk())
        assert receiver.run_once().error is None
        sweep.step(whole=True)

    def state(self) -> Any:
        return self.workspace.open_state(self.clock)

    def noche(self, cortes: int = CORTES) -> None:
        """A whole night of few cuts; the clock ends after everything that the call asks for."""
        call = self.workspace.convocatoria
        for corte in range(1, cortes + 1):
            self.corte(corte, ultimo=corte == cortes)
        self.clock.instant = (call.permanencia_hasta or call.fin_actualizacion) + timedelta(seconds=30)
        self.mira()

    def informe(self) -> informe.Informe:
        return informe.de_difusor(self.workspace, clock=self.clock, disk=Disk())

    def clausula(self, ident: str) -> Dictamen:
        return next(one for one in self.informe().dictamenes if one.clausula.id == ident)

    def medicion(self, codigo: str) -> Medicion:
        return mide(reune(self.workspace, clock=self.clock, disk=Disk()))[codigo]

    def declara(self, clave: str, **papel: Any) -> declaraciones.Declaracion:
        return declaraciones.declara(self.workspace, clave, Papel(**papel), disk=Disk(), ahora=self.clock.now())

    def dispensa(self, clausula: str, **papel: Any) -> declaraciones.Dispensa:
        return declaraciones.dispensa(self.workspace, clausula, Papel(**papel), disk=Disk(), ahora=self.clock.now())

    def revisa(self, codigo: str, estado: str, **more: Any) -> str:
        """Keep a preflight where ``codigo`` is so and everything else is well; the first clause that asks for it."""
        clauses = clausulas_de(self.workspace.convocatoria.id)
        codes = {way.dato for one in clauses for way in one.como if way.modo == "revision"} - {codigo}
        well = [{"codigo": code, "estado": "bien"} for code in sorted(codes)]
        self.revision(*well, {"codigo": codigo, "estado": estado, **more})
        return next(one.id for one in clauses if any(str(way) == f"revision:{codigo}" for way in one.como))

    def revision(self, *checks: dict[str, Any], hora: dt.datetime | None = None) -> None:
        """A preflight that was kept, as ``revisa --guarda`` writes it."""
        rows = [
            {"clausula": None, "que": "Comprobación", "medido": "3", "minimo": "4", "arreglo": None, **one}
            for one in checks
        ]
        home = self.workspace.folder / "cumplimiento"
        home.mkdir(exist_ok=True)
        data = {"ok": True, "comprobaciones": rows, "hora": (hora or self.clock.now()).isoformat(), "version": "0.1.0"}
        when = hora or self.clock.now()
        (home / "revisiones").mkdir(exist_ok=True)
        for path in (home / "revision.json", home / "revisiones" / f"{when:%Y%m%dT%H%M%S.%fZ}.json"):
            path.write_text(json.dumps(data))


@pytest.fixture
def ensayo(fast: Path, ring: KeyRing) -> Callable[[str], Ensayo]:
    """Makes a difusor of one of the five calls, a day before its start."""

    def make(call: str) -> Ensayo:
        return haz(fast / call, ring, call)

    return make


def haz(folder: Path, ring: KeyRing, call: str) -> Ensayo:
    profile = load(call)
    clock = ManualClock(profile.inicio - timedelta(days=1), simulado=False)
    folder.mkdir()
    repository = Repository.create(
        folder / "repositorio",
        ring,
        Identity(call, profile.instituto, "oficial"),
        now=clock.instant,
        expira=online_expiry(despues(profile)),
        siguiente=despues(profile),
        intervalo=timedelta(minutes=profile.intervalo_min),
    )
    toml = f"""
convocatoria = "{call}"
ambiente = "oficial"
id = "diario-uno"
origen = "{repository.folder}"
sondeo_s = 0.1
[reloj]
fuente = "ninguna"
[servidor]
puerto = 0
"""
    workspace = create(folder / "difusor", toml, root=repository.root_bytes(), disk=Disk())
    return Ensayo(workspace, repository, clock)


# The codes.


def test_every_code_of_the_rows_is_known_to_the_engine_and_none_is_idle() -> None:
    asked = {
        way.dato for call in con_clausulas() for one in clausulas_de(call) for way in one.como if way.modo == "medicion"
    }
    assert asked == set(MEDICIONES)


@pytest.mark.parametrize("call", LLAMADAS)
def test_before_there_is_a_difusor_everything_is_to_be_done(call: str) -> None:
    report = informe.de_convocatoria(load(call), hora=load(call).inicio)
    assert [one.clausula.id for one in report.dictamenes] == [one.id for one in clausulas_de(call)]
    assert {one.estado for one in report.dictamenes} == {"pendiente", "fuera_de_alcance", "no_aplica"}
    assert set(report.resumen) == set(ESTADOS)
    assert sum(report.resumen.values()) == len(clausulas_de(call))


def test_what_is_of_the_institute_alone_is_never_judged(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("ine-2021")
    assert one.clausula("INE-VI-a-ii").estado == "no_aplica"
    # That of both, where the difusor has a part: it names its people.
    assert one.clausula("INE-gap").estado == "fuera_de_alcance"


# The night.


def test_a_whole_night_complies_with_what_it_measures(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("gro-2021")
    assert noche.clausula("GRO-1.1a").estado == "pendiente"
    noche.noche()
    for codigo in ("NADA_ANTES", "CORTES_PUBLICADOS", "ULTIMO_CORTE", "INTEGRIDAD", "CONTINUIDAD", "PRUEBA", "RETRASO",
                   "TRANSFERENCIA", "PERMANENCIA", "HISTORIAL", "PAQUETE_COMPLETO", "PERSONALIZADA"):  # fmt: skip
        assert noche.medicion(codigo).estado == "cumple", (codigo, noche.medicion(codigo))
    verdict = noche.clausula("GRO-1.1a")
    assert verdict.estado == "cumple"
    proof = verdict.pasos[1].evidencia[0]
    assert proof.archivo == "acuses/000003-0001-publicado.json"
    assert proof.sha256 == sha256_file(noche.workspace.folder / proof.archivo)
    assert proof.fecha is not None
    assert proof.fecha >= noche.workspace.convocatoria.inicio


def test_before_the_night_nothing_of_it_is_good(ensayo: Callable[[str], Ensayo]) -> None:
    before = ensayo("gro-2021")
    night = {code for code in MEDICIONES if code not in ("PERSONALIZADA", "DISPENSAS", "DISPONIBILIDAD", "PURGA")}
    assert {before.medicion(code).estado for code in night} <= {"pendiente", "no_cumple", "no_aplica"}
    assert before.medicion("PERMANENCIA").estado == "pendiente"
    before.clock.instant = before.workspace.convocatoria.fin_actualizacion + timedelta(minutes=1)
    assert before.medicion("CORTES_PUBLICADOS").estado == "no_cumple"  # A night of nothing is no night.
    assert before.medicion("NADA_ANTES").estado == "no_cumple"  # Who was not there kept nothing back.


def test_a_cut_that_was_never_published_is_told(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("gro-2021")
    noche.corte(1)
    mira = noche.mira
    noche.mira = lambda: None  # type: ignore[method-assign]  # It was off.
    noche.corte(2)
    noche.mira = mira  # type: ignore[method-assign]
    noche.corte(3, ultimo=True)
    found = noche.medicion("CORTES_PUBLICADOS")
    assert found.estado == "no_cumple"
    assert found.cifra == "2 de 3 cortes"
    assert "no se publicaron 2." in found.dicho
    assert noche.clausula("GRO-1.1b").estado == "no_cumple"
    assert noche.medicion("ULTIMO_CORTE").estado == "cumple"


def test_what_was_altered_is_told_even_if_it_was_put_right(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("gro-2021")
    noche.corte(1)
    assert noche.medicion("INTEGRIDAD").estado == "cumple"
    _, sweep = open_both(noche.workspace, clock=noche.clock, state=noche.state(), disk=Disk())
    page = noche.workspace.cortes / "0001" / "index.html"
    page.chmod(0o644)
    page.write_bytes(page.read_bytes().replace(b"Corte 1", b"Corte 9"))
    sweep.step(whole=True)
    assert b"Corte 9" not in page.read_bytes()
    found = noche.medicion("INTEGRIDAD")
    assert found.estado == "no_cumple"
    assert "index.html" in found.dicho
    assert found.evidencia[0].sha256


def test_an_altered_acuse_proves_nothing_after_it(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("gro-2021")
    noche.noche()
    first = min(noche.workspace.acuses.iterdir())
    first.write_bytes(first.read_bytes().replace(b'"sig": "', b'"sig": "00'))
    found = noche.medicion("CORTES_PUBLICADOS")
    assert found.estado == "no_cumple"
    assert "no prueban nada" in found.dicho


def test_slow_cuts_and_an_earlier_end_are_told(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("dgo-2024")
    call = noche.workspace.convocatoria
    assert call.retraso_max_s == 60
    mira = noche.mira
    noche.mira = lambda: None  # type: ignore[method-assign]
    noche.corte(1, ultimo=True)
    noche.clock.instant += timedelta(seconds=60)
    noche.mira = mira  # type: ignore[method-assign]
    noche.mira()
    found = noche.medicion("RETRASO")
    assert found.estado == "no_cumple"
    assert found.cifra is not None
    assert found.cifra.startswith("80.0 s el mayor")
    assert noche.clausula("DGO-I-11c").estado == "no_cumple"
    # Nobody looked at what is public since: that it stayed is not known.
    assert call.permanencia_hasta is not None
    noche.clock.instant = call.permanencia_hasta + timedelta(hours=1)
    assert noche.medicion("PERMANENCIA").estado == "no_cumple"
    noche.mira()
    assert noche.medicion("PERMANENCIA").estado == "cumple"


def test_outages_count_against_availability(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("ine-2021")
    noche.corte(1)
    state = noche.state()
    state.record("alarma", codigo="PORTAL_CAIDO", severidad="alarma", texto="No responde.")
    noche.clock.instant += timedelta(minutes=30)
    state.record("alarma", codigo="SERVIDOR", severidad="alarma", texto="No atiende.")
    noche.clock.instant += timedelta(minutes=30)
    state.record("alarma_resuelta", codigo="PORTAL_CAIDO", desde="")
    state.record("alarma_resuelta", codigo="SERVIDOR", desde="")
    noche.corte(4, firmado=noche.clock.instant)
    call = noche.workspace.convocatoria
    noche.clock.instant = call.inicio + timedelta(hours=20)
    found = noche.medicion("DISPONIBILIDAD")
    assert found.estado == "no_cumple"
    assert found.cifra == "95.000 %"  # One hour of twenty: the two alarms overlap.
    assert noche.medicion("CONTINUIDAD").cifra == "0 interrupciones, 60 min sin responder"


def test_what_nobody_watched_is_not_available(ensayo: Callable[[str], Ensayo]) -> None:
    """INE-II-a-iii-3b: no alarm is no proof where nobody looked, or was off."""
    noche = ensayo("ine-2021")
    noche.corte(1, ultimo=True)
    call, state = noche.workspace.convocatoria, noche.state()
    noche.clock.instant = end = call.inicio + timedelta(hours=20)
    found = noche.medicion("DISPONIBILIDAD")
    assert (found.estado, found.cifra) == ("pendiente", "0.000 %")
    assert "de lo demás no consta" in found.dicho
    mirado.guarda(state, [(call.inicio - timedelta(hours=1), call.inicio + timedelta(hours=18))])
    found = noche.medicion("DISPONIBILIDAD")
    assert (found.estado, found.cifra) == ("pendiente", "90.000 %")
    mirado.guarda(state, [(call.inicio - timedelta(hours=1), call.inicio + timedelta(hours=18)),
                          (call.inicio + timedelta(hours=18, seconds=20), end)])  # fmt: skip
    found = noche.medicion("DISPONIBILIDAD")
    assert (found.estado, found.cifra) == ("cumple", "100.000 %")


def test_looks_far_apart_are_two_stretches() -> None:
    every, hour = timedelta(minutes=1), INICIO
    tramos: tuple[mirado.Tramo, ...] = ()
    for minutes in (0, 1, 2, 4, 60, 61):
        tramos = mirado.agrega(tramos, hour + timedelta(minutes=minutes), cada=every)
    assert [(begin - hour, end - hour) for begin, end in tramos] == [
        (timedelta(), timedelta(minutes=4)),
        (timedelta(minutes=60), timedelta(minutes=61)),
    ]
    assert mirado.cubierto(tramos, hour + timedelta(minutes=1), hour + timedelta(minutes=61)) == timedelta(minutes=4)
    assert mirado.cubierto((*tramos, *tramos), hour, hour + timedelta(days=1)) == timedelta(minutes=5)
    for n in range(2 * mirado.TRAMOS):
        tramos = mirado.agrega(tramos, hour + timedelta(days=n + 1), cada=every)
    assert len(tramos) == mirado.TRAMOS


def test_rehearsals_of_another_workspace_are_declared(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("dgo-2024")
    assert one.medicion("SIMULACROS").cifra == "0 de 2"
    assert one.clausula("DGO-III-2").estado == "pendiente"
    one.declara("simulacros", texto="Los dos, en el equipo de ensayo.")
    assert one.clausula("DGO-III-2").estado == "declarado"


def test_a_package_on_each_day_of_tests_is_the_proof(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("mex-2021")
    zone = one.workspace.convocatoria.zona
    for number, day in enumerate((31, 1, 2), 1):
        month = 5 if day == 31 else 6
        one.corte(number, firmado=dt.datetime(2021, month, day, 10, tzinfo=zone))
    found = one.medicion("PRUEBAS")
    assert (found.estado, found.cifra) == ("cumple", "3 de 3")
    assert len(found.evidencia) == 3


def test_an_original_that_is_missing_or_short_is_told(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("ine-2021")
    noche.noche()
    assert noche.medicion("HISTORIAL").estado == "cumple"
    archive = next((noche.workspace.historico / "0002").glob("*.zip"))
    raw = archive.read_bytes()
    archive.chmod(0o644)
    archive.write_bytes(raw[:-1])
    assert "no mide lo que se recibió" in noche.medicion("HISTORIAL").dicho
    archive.unlink()
    found = noche.medicion("HISTORIAL")
    assert found.estado == "no_cumple"
    assert "Del corte 2 no está el paquete" in found.dicho
    assert noche.clausula("INE-II-a-ii-3a").estado == "no_cumple"


def test_access_logs_must_span_the_days_that_the_report_asks_for(ensayo: Callable[[str], Ensayo]) -> None:
    noche = ensayo("gro-2021")
    noche.noche()
    zone = noche.workspace.convocatoria.zona
    assert noche.medicion("BITACORAS").estado == "pendiente"  # Another server may have them.
    log = noche.workspace.servidor / ACCESO_LOG

    def lines(*days: int) -> None:
        instants = [dt.datetime(2021, 6, day, 12, tzinfo=zone).timestamp() for day in days]
        log.write_text("".join(json.dumps({"ts": ts}) + "\n" for ts in instants))

    lines(5, 6, 7)
    assert noche.medicion("BITACORAS").estado == "no_cumple"
    lines(4, 6, 7)
    found = noche.medicion("BITACORAS")
    assert found.estado == "cumple"
    assert found.evidencia[0].sha256 == sha256_file(log)


def test_without_a_cdn_of_ours_the_purge_is_somebodys_word(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("ine-2021")
    assert one.clausula("INE-II-a-i-2").estado == "pendiente"
    one.declara("purga", texto="La CDN del proveedor se purga con cada corte.")
    assert one.clausula("INE-II-a-i-2").estado == "declarado"


def test_what_a_call_leaves_to_choice_does_not_stay_pending(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("gro-2021")
    assert one.workspace.convocatoria.balanceador == "opcional"
    assert one.clausula("GRO-2.4f").estado == "no_aplica"
    one.declara("balanceador", texto="HAProxy en dos equipos.")
    assert one.clausula("GRO-2.4f").estado == "declarado"


# The preflight.


def test_the_preflight_that_was_kept_is_read_by_its_codes(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("gro-2021")
    assert one.clausula("GRO-2.3h").estado == "pendiente"
    assert one.revisa("NUCLEOS", "bien") == "GRO-2.3h"
    assert one.clausula("GRO-2.3h").estado == "cumple"
    one.revisa("NUCLEOS", "falla", arreglo="Asigne más.")
    verdict = one.clausula("GRO-2.3h")
    assert verdict.estado == "no_cumple"
    step = next(each for each in verdict.pasos if each.manera == "revision:NUCLEOS")
    assert "Medido: 3. Debe: 4. Asigne más." in step.hallado
    assert step.evidencia[0].sha256 == sha256_file(one.workspace.folder / "cumplimiento" / "revision.json")
    (one.workspace.folder / "cumplimiento" / "revision.json").write_text("{")
    assert one.clausula("GRO-2.3h").estado == "pendiente"


def test_what_could_not_be_measured_may_be_declared_and_what_failed_may_not(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("gro-2021")
    asks = one.revisa("GHZ", "aviso")
    assert one.clausula(asks).estado == "pendiente"
    one.declara("ghz", texto="2.4 GHz, de su ficha técnica")
    assert one.clausula(asks).estado == "declarado"
    one.revisa("GHZ", "falla")
    assert one.clausula(asks).estado == "no_cumple"


def test_a_preflight_after_the_deadline_proves_nothing_and_one_before_does(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("gro-2021")
    due = one.workspace.convocatoria.plazos.infraestructura
    assert due is not None
    end = one.workspace.convocatoria.vence(due)
    assert one.medicion("REVISION_A_TIEMPO").estado == "no_cumple"
    one.revision({"codigo": "NUCLEOS", "estado": "bien"}, hora=end + timedelta(seconds=1))
    assert one.medicion("REVISION_A_TIEMPO").estado == "pendiente"
    one.revision({"codigo": "NUCLEOS", "estado": "bien"}, hora=end)
    assert one.medicion("REVISION_A_TIEMPO").estado == "cumple"
    failed = {"codigo": "NUCLEOS", "estado": "falla", "clausula": "GRO-2.3h"}
    one.revision(failed, {"codigo": "MINIMOS", "estado": "falla", "clausula": "GRO-1.5a"}, hora=end)
    assert one.medicion("REVISION_A_TIEMPO").estado == "no_cumple"
    one.dispensa("GRO-2.3h", quien="Dirección de Informática", texto="Se valida.")
    assert one.medicion("REVISION_A_TIEMPO").estado == "cumple"
    # One that is kept later does not take the place of what proves the day.
    one.revision({"codigo": "DISCO", "estado": "falla", "clausula": None}, hora=end + timedelta(days=1))
    found = one.medicion("REVISION_A_TIEMPO")
    assert found.estado == "cumple"
    assert found.evidencia[0].archivo == f"cumplimiento/revisiones/{end:%Y%m%dT%H%M%S.%fZ}.json"


# What is declared and waived.


def test_a_declaration_keeps_its_document_and_its_history(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    paper = fast / "Carta de compromiso.PDF"
    paper.write_bytes(b"%PDF-1.7 una carta")
    first = one.declara("carta", documento=paper, quien="Ana Pérez")
    asks = declaraciones.claves("gro-2021")["carta"][0]
    assert one.clausula(asks).pasos[-1].estado == "declarado"
    assert first.documento == f"{sha256_file(paper)}.pdf"
    kept = one.workspace.folder / "cumplimiento" / "documentos" / first.documento
    assert kept.read_bytes() == paper.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    one.declara("carta", texto='Otra, con "comillas" y \x7f\n renglones')
    store = declaraciones.lee(one.workspace.folder)
    assert [each.documento for each in store.declaracion] == [first.documento, None]
    assert store.de("carta") == store.declaracion[1]
    assert store.declaracion[1].texto == 'Otra, con "comillas" y \x7f\n renglones'
    assert tomllib.loads((one.workspace.folder / "cumplimiento" / "declaraciones.toml").read_text())["declaracion"]


def test_a_document_that_changed_or_went_is_told(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    paper = fast / "carta.pdf"
    paper.write_bytes(b"%PDF-1.7 una carta")
    made = one.declara("carta", documento=paper)
    assert made.documento is not None
    asks = declaraciones.claves("gro-2021")["carta"][0]
    kept = one.workspace.folder / "cumplimiento" / "documentos" / made.documento
    kept.chmod(0o600)
    kept.write_bytes(b"%PDF-1.7 otra carta")
    verdict = one.clausula(asks)
    assert verdict.estado == "no_cumple"
    assert "cambió desde que se declaró" in verdict.pasos[-1].hallado
    kept.unlink()
    assert "ya no está" in one.clausula(asks).pasos[-1].hallado


def test_what_is_refused_changes_nothing(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    one.declara("carta", texto="La carta se firmó.")
    home = one.workspace.folder / "cumplimiento"
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    empty = fast / "vacio.pdf"
    empty.touch()
    link = fast / "enlace.pdf"
    link.symlink_to(empty)
    tomorrow = one.clock.now().date() + timedelta(days=2)
    for error, key, paper in (
        (UsoError, "cartas", {"texto": "x"}),
        (UsoError, "carta", {}),
        (UsoError, "carta", {"texto": "x", "fecha": tomorrow}),
        (UsoError, "carta", {"texto": "x" * 5000}),
        (EntradaError, "carta", {"documento": empty}),
        (EntradaError, "carta", {"documento": link}),
        (EntradaError, "carta", {"documento": fast / "no-esta.pdf"}),
    ):
        with pytest.raises(error):
            one.declara(key, **paper)
    with pytest.raises(UsoError):
        one.dispensa("GRO-9", texto="x", quien="N")
    with pytest.raises(UsoError):
        one.dispensa("GRO-1.1a", texto="x")
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_an_unknown_key_in_the_store_is_refused(ensayo: Callable[[str], Ensayo]) -> None:
    one = ensayo("gro-2021")
    one.declara("carta", texto="La carta se firmó.")
    store = one.workspace.folder / "cumplimiento" / "declaraciones.toml"
    text = store.read_text()
    store.write_text(text.replace("texto =", "testo ="))
    with pytest.raises(AjustesError, match="testo"):
        one.informe()
    with pytest.raises(AjustesError):
        one.declara("logo", texto="Se entregó.")
    assert store.read_text() == text.replace("texto =", "testo =")


def test_a_waiver_turns_what_fails_into_waived_and_nothing_else(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    asks = "GRO-2.3h"
    paper = fast / "oficio.pdf"
    paper.write_bytes(b"%PDF-1.7 un oficio")
    made = one.dispensa(asks, quien="Dirección de Informática", documento=paper)
    assert one.clausula(asks).estado == "pendiente"  # Nobody knows yet whether it fails.
    assert one.revisa("NUCLEOS", "falla") == asks
    verdict = one.clausula(asks)
    assert verdict.estado == "dispensado"
    assert "no_cumple" in {step.estado for step in verdict.pasos}  # It is not hidden.
    assert "Dirección de Informática" in verdict.pasos[-1].hallado
    assert one.clausula("GRO-2.6").estado == "cumple"
    assert made.documento is not None
    (one.workspace.folder / "cumplimiento" / "documentos" / made.documento).write_bytes(b"otro")
    assert one.clausula(asks).estado == "no_cumple"
    assert one.clausula("GRO-2.6").estado == "no_cumple"


@pytest.mark.parametrize("call", LLAMADAS)
def test_a_deadline_is_judged_by_the_day_of_the_declaration(ensayo: Callable[[str], Ensayo], call: str) -> None:
    rows = [
        one
        for one in clausulas_de(call)
        if any(str(way) == "perfil:plazos.solicitud" for way in one.como)
        and any(way.modo == "declara" for way in one.como)
    ]
    if not rows:
        pytest.skip("su texto no da un plazo a lo que se declara")
    clause = rows[0]
    key = next(way.dato for way in clause.como if way.modo == "declara")
    one = ensayo(call)
    due = one.workspace.convocatoria.plazos.solicitud
    assert due is not None
    end = one.workspace.convocatoria.vence(due)
    one.clock.instant = end - timedelta(days=1)
    assert one.clausula(clause.id).estado == "pendiente"
    one.clock.instant = end + timedelta(days=5)
    assert one.clausula(clause.id).estado == "no_cumple"
    one.declara(key, texto="Se envió.", fecha=end.date() + timedelta(days=2))
    verdict = one.clausula(clause.id)
    assert verdict.estado == "no_cumple"
    assert "2 días tarde" in verdict.pasos[0].hallado
    one.declara(key, texto="Se envió.", fecha=end.date())
    assert one.clausula(clause.id).estado == "declarado"


# The papers.


class _Texto(HTMLParser):
    """Every tag that is open at the end, ids, what is fetched from outside, and the text."""

    SOLOS = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.abiertas: list[str] = []
        self.ids: list[str] = []
        self.fuera: list[str] = []
        self.texto = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.SOLOS:
            self.abiertas.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "src" or (name == "href" and not (value or "").startswith("#")):
                self.fuera.append(f"{tag} {value}")

    def handle_endtag(self, tag: str) -> None:
        assert self.abiertas.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texto += data


def test_html_escapes_what_people_wrote(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    paper = fast / "<img src=x onerror=alert(1)>.pdf"
    paper.write_bytes(b"%PDF-1.7")
    one.declara("carta", texto="<script>alert('x')</script> & «bien»", documento=paper, quien='"><b>Ana</b>')
    raw = informe.html(one.informe()).decode()
    assert "<script" not in raw
    assert "<b>" not in raw
    assert "<img" not in raw
    page = _Texto()
    page.feed(raw)
    assert page.abiertas == []
    assert page.fuera == []
    assert len(page.ids) == len(set(page.ids))
    assert {clause.id for clause in clausulas_de("gro-2021")} <= set(page.ids)
    assert "<script>alert('x')</script> & «bien»" in page.texto


def test_without_typst_the_error_names_the_extra_and_html_still_works(
    ensayo: Callable[[str], Ensayo], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ensayo("mor-2024").informe()
    monkeypatch.setitem(sys.modules, "typst", None)  # As Python sees what is not installed.
    with pytest.raises(AjustesError) as caught:
        informe.pdf(report)
    assert "pregon[papeles]" in caught.value.que_hacer
    assert informe.html(report).startswith(b"<!doctype html>")


def test_every_letter_that_the_pdf_lets_through_is_drawn(ensayo: Callable[[str], Ensayo]) -> None:
    """PDF/UA refuses a page with a letter that its fonts lack: nothing that a person writes may stop the report."""
    one = ensayo("mor-2024")
    letters = "".join(chr(n) for n in range(1, 0x3000))
    one.declara("carta", texto="🗳️ أ 中\u202e")
    for n in range(0, len(letters), declaraciones.MAX_TEXTO):
        one.declara("carta", texto=letters[n : n + declaraciones.MAX_TEXTO])
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(informe.pdf(one.informe()))).pages)
    assert all(letter in text for letter in "áéíóúüñÑ¿¡€«»")


@pytest.mark.parametrize(
    "call",
    [
        "gro-2021",
        "ine-2021",
        *(pytest.param(one, marks=pytest.mark.aguante) for one in ("dgo-2024", "mor-2024", "mex-2021")),
    ],
)
def test_the_pdf_of_each_call_has_every_clause_and_is_tagged(ensayo: Callable[[str], Ensayo], call: str) -> None:
    noche = ensayo(call)
    noche.noche()
    noche.revision({"codigo": "NUCLEOS", "estado": "falla", "arreglo": "Asigne más núcleos."})
    noche.declara("carta", texto="La carta se firmó y se entregó.", quien="Ana Pérez")
    report = noche.informe()
    data = informe.pdf(report)
    reader = pypdf.PdfReader(io.BytesIO(data))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "es-MX"
    assert "/StructTreeRoot" in root
    assert reader.metadata is not None
    assert reader.metadata.title == f"Cumplimiento de {report.convocatoria.nombre}"
    text = "\n".join(page.extract_text() for page in reader.pages)
    for clause in clausulas_de(call):
        assert f"{clause.id}. " in text, clause.id
    assert "diario-uno" in reader.pages[0].extract_text()
    assert f"Página 2 de {len(reader.pages)}" in reader.pages[1].extract_text()
    assert "Anexo B" in text
    flat = " ".join(text.split())
    assert "La dio Ana Pérez, con fecha" in flat
    assert "; se anotó el" in flat
    assert "**" not in flat
    assert "«- " not in flat
    assert "«• " not in flat
    for clause in clausulas_de(call):
        assert f"{clause.id}. {' '.join(clause.titulo.split())}" in flat, "a heading is never hyphenated"


@pytest.mark.parametrize("call", ["dgo-2024", "mor-2024"])
def test_quotations_are_as_the_call_prints_them(ensayo: Callable[[str], Ensayo], call: str) -> None:
    """Without the marks of the files of the texts: of a list's items, of bold, of links."""
    page = informe.html(ensayo(call).informe()).decode()
    quotes = re.findall(r"<blockquote[^>]*>\s*(.*?)\s*</blockquote>", page, re.DOTALL)
    assert len(quotes) > 20
    for quote in quotes:
        assert not re.match(r"\W*[-•] ", quote), quote
        assert not re.search(r"\*\*|\]\(|: - [a-z][.)] ", quote), quote


def test_the_command_line_from_an_empty_folder_to_the_three_papers(ensayo: Callable[[str], Ensayo], fast: Path) -> None:
    one = ensayo("gro-2021")
    folder, run = str(one.workspace.folder), CliRunner().invoke
    said = run(app, ["difusor", "declara", folder, "carta", "--texto", "Firmada.", "--quien", "Ana", "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["clausulas"]
    waived = run(
        app, ["difusor", "dispensa", folder, "GRO-2.3h", "--quien", "DI", "--fecha", "2021-05-12", "--texto", "Vale."]
    )
    assert waived.exit_code == 0, waived.output
    assert run(app, ["difusor", "declara", folder, "nada", "--texto", "x"]).exit_code == 2
    order = ["convocatoria", "cumplimiento", "gro-2021", "--difusor", folder, "--json"]
    page, sheet = fast / "i.html", fast / "i.pdf"
    told = run(app, [*order, "--html", str(page), "--pdf", str(sheet)])
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert [each["id"] for each in report["clausulas"]] == [each.id for each in clausulas_de("gro-2021")]
    assert report["declaraciones"]["declaracion"][0]["quien"] == "Ana"
    assert sum(report["resumen"].values()) == 74
    assert page.read_bytes().startswith(b"<!doctype html>")
    now = one.workspace.open_clock()
    report_now = informe.de_difusor(one.workspace, clock=now, disk=Disk())
    assert informe.pdf(report_now) == informe.pdf(report_now)  # The same bytes for the same data.
    assert sheet.read_bytes().startswith(b"%PDF")
    other = run(app, ["convocatoria", "cumplimiento", "dgo-2024", "--difusor", folder])
    assert other.exit_code == 2
