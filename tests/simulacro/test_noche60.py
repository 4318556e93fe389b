"""Sixty difusores over a night of faults: what is said of each, and who is suspended, is what is true and no more.

GRO-3.3a: three updates one after another. The truth comes from the record of the faults (``verdad``), and for the
scripted night from the table below, which was written by hand from the hours of the faults.
"""

from __future__ import annotations

import ast
import json
import math
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from typer.testing import CliRunner

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.cli.app import app
from pregon.convocatoria import perfiles
from pregon.instituto.monitor.catalogo import clave_de
from pregon.instituto.monitor.muestreo import recorrido
from pregon.instituto.proceso.regla import regla_de
from pregon.paquete.manifest import FileEntry
from pregon.simulacro.flota import verdad
from pregon.simulacro.flota.azar import sortea
from pregon.simulacro.flota.contenido import Contenido
from pregon.simulacro.flota.ensayo import Pedido, ensaya
from pregon.simulacro.flota.fallas import Clase, Falla, Guion, Reloj, SinRed
from pregon.simulacro.flota.mirada import LEIDAS, Mirador
from pregon.simulacro.flota.noche import Vigilia, reglas_de
from pregon.simulacro.flota.red import ADMITIDO_S, OjoReal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Dictamen

GRO = perfiles.load("gro-2021")
REGLA = regla_de(GRO)
PUNTOS = ("punto-1", "punto-2", "punto-3")
NOCHES, NOCHES_LARGAS = 10, 100


def reloj(*, ronda_s: int = 60) -> Reloj:
    assert GRO.transferencia_max_s is not None
    return Reloj(
        inicio=GRO.inicio,
        intervalo_s=GRO.intervalo_min * 60,
        tolerancia_s=GRO.transferencia_max_s,
        ronda_s=ronda_s,
        antes=3,
    )


def hora(text: str) -> datetime:
    """``21:05`` or ``21:05:30`` of that night."""
    parts = [int(each) for each in text.split(":")]
    return GRO.inicio.replace(hour=parts[0], minute=parts[1], second=parts[2] if len(parts) > 2 else 0)


# The scripted night. Slots begin at 20:00, 20:20 … 22:40. The institute misses that of 21:00 and signs that of 22:00 at
# 22:13, with less time left than it promises. The watch loses its network whole from 22:24 to 22:40, and its second
# point from 20:40 to 21:00. A healthy difusor shows each cut 60 s after it was signed, 20 s after its hour.
FIN = "23:00"
SANO = "CCC·CC·CC"
Renglon = tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, object]]
TABLA: dict[int, tuple[str, int | None, tuple[Renglon, ...]]] = {
    # what the slots end with (C fulfilled, F failed, · counts for nobody), slot of the suspension, its faults
    1: ("FFF", 2, (("muerto", "20:01", FIN, ""),)),
    2: ("FCC·CC·CC", None, (("muerto", "20:05", "20:35", ""),)),
    3: ("FFC·CC·CC", None, (("muerto", "20:05", "20:55", ""),)),
    4: ("CFF·CC·CC", None, (("muerto", "20:25", "21:25", ""),)),  # the institute's missed cut is no third one
    5: ("CFF·F", 4, (("muerto", "20:25", "21:45", ""),)),  # nor does it forgive
    6: ("CCC·FF··C", None, (("muerto", "21:25", "22:45", ""),)),  # neither the late one nor what nobody saw
    7: ("CCC·FF··F", 8, (("muerto", "21:25", FIN, ""),)),
    8: ("CFC·CC·CC", None, (("viejo", "20:10", "20:45", ""),)),
    9: ("CFF·CC·CC", None, (("viejo", "20:10", "21:10", ""),)),
    10: ("CFF·F", 4, (("viejo", "20:10", FIN, ""),)),
    11: ("CFF·F", 4, (("autoinforme", "20:10", FIN, ""),)),  # «visible», it says
    12: ("FCC·CC·CC", None, (("alterado", "20:05", "20:25", "", {"ruta": "index.html"}),)),
    13: ("FFF", 2, (("alterado", "20:05", FIN, "", {"ruta": "datos/{corte:04d}/gub/entidad.json"}),)),
    14: (SANO, None, (("alterado", "20:21", "20:35", "", {"ruta": "corte.json"}),)),  # mended in time
    15: (SANO, None, (("anticipado", "19:50", "20:00", ""),)),
    16: ("FFC·CC·CC", None, (("tls", "20:05", "20:50", ""),)),
    17: ("FFF", 2, (("tls", "20:05", FIN, ""),)),
    18: ("CCF·CF·CF", None, (("intermitente", "20:05", FIN, "", {"turno_s": 90}),)),
    19: ("CCC·CC··C", None, (("intermitente", "20:00", FIN, "", {"turno_s": 600}),)),
    20: ("FFF", 2, (("intermitente", "20:10", FIN, "", {"turno_s": 600}),)),
    21: ("·······C·", None, (("cdn", "20:05", FIN, "punto-1"),)),  # old for some: against nobody
    22: (SANO, None, (("cdn", "20:40", "21:00", "punto-2"),)),  # the point that saw it so had no network
    23: (SANO, None, (("camino", "20:01", FIN, "punto-3"),)),
    24: (SANO, None, (("camino", "20:40", "21:00", "punto-1"),)),  # one of three still reaches it
    25: ("FCC·CC·CC", None, (("reinicio", "20:19", "20:20", ""),)),
    26: (SANO, None, (("reinicio", "20:30", "20:32", ""),)),
    27: ("FCC·CC·CC", None, (("espera", "20:00", "20:25", ""),)),
    28: ("FFF", 2, (("espera", "20:00", FIN, ""),)),
    29: ("CFC·CC·CC", None, (("aviso", "20:25", "20:50", ""),)),
    30: ("CFF·F", 4, (("aviso", "20:25", FIN, ""),)),
    31: ("CFF·F", 4, (("ajeno", "20:25", FIN, ""),)),
    32: (SANO, None, (("ajeno", "20:26", "20:30", ""),)),
    33: ("FFF", 2, (("mudo", "20:05", FIN, ""),)),
    34: (SANO, None, (("lento", "20:05", FIN, ""),)),  # told, and no failure of GRO-3.3a
    35: ("FFC·FF·CC", None, (("muerto", "20:05", "20:45", ""), ("muerto", "21:25", "22:05", ""))),
    # Between its failures it published, whatever one point's way was: they are not one after another.
    36: (
        "CFC·FF·CC",
        None,
        (("muerto", "20:25", "20:42", ""), ("camino", "20:45", "21:00", "punto-1"), ("muerto", "21:25", "22:00", "")),
    ),
    37: ("CCC·CC·CF", None, (("muerto", "22:25", FIN, ""),)),  # seen fulfilling before the watch went blind
    38: ("CCC·FF··F", 8, (("alterado", "21:25", FIN, "", {"ruta": "corte.json"}),)),
    39: ("CCF·CC·CC", None, (("muerto", "20:41", "20:59:40", ""),)),  # two points agree
    40: (SANO, None, (("viejo", "21:55", "22:15", ""),)),
}
MAL = {
    # hour: {difusor: what is said}; whoever is not named is as the key 0 says
    "19:59:30": {0: "al_dia ninguna", 15: "alterado difusor ANTICIPADO"},
    "20:35:30": {
        0: "al_dia ninguna",
        **dict.fromkeys((1, 3, 4, 5, 18, 20, 33, 35, 36), "inaccesible difusor SIN_RESPUESTA"),
        **dict.fromkeys((8, 9, 10), "atrasado difusor CORTE_VIEJO"),
        11: "atrasado difusor CORTE_VIEJO AUTOINFORME",
        13: "alterado difusor CONTENIDO AUTOINFORME",
        **dict.fromkeys((16, 17), "inaccesible difusor TLS"),
        21: "atrasado red CORTE_VIEJO",
        23: "al_dia red SIN_RESPUESTA",
        28: "atrasado difusor ESPERA_TARDIA",
        **dict.fromkeys((29, 30), "atrasado difusor AUTOINFORME AVISO_PROPIO"),
        31: "alterado difusor CORTE_AJENO AUTOINFORME",
        34: "al_dia ninguna LENTO",
    },
    # The institute owes the cut of 21:00: whoever shows the last one is not late by his own doing.
    "21:10:30": {
        0: "atrasado instituto",
        **dict.fromkeys((4, 5), "inaccesible difusor SIN_RESPUESTA"),
        10: "atrasado difusor CORTE_VIEJO",
        11: "atrasado difusor CORTE_VIEJO AUTOINFORME",
        21: "atrasado red CORTE_VIEJO",
        30: "atrasado difusor AVISO_PROPIO",
        31: "alterado difusor CORTE_AJENO AUTOINFORME",
        34: "atrasado instituto LENTO",
    },
    "22:30:30": {0: "sin_determinar red"},
}


def guion() -> Guion:
    faults = [
        Falla(
            clase=row[0],  # type: ignore[arg-type] # the names of the table
            difusor=f"difusor-{n:02d}",
            desde=hora(row[1]),
            hasta=hora(row[2]),
            punto=row[3] or None,
            **(row[4] if len(row) > 4 else {}),  # type: ignore[arg-type]
        )
        for n, (_, _, rows) in TABLA.items()
        for row in rows
    ]
    return Guion(
        reloj=reloj(),
        demoras_s={f"difusor-{n:02d}": 60 for n in range(1, 61)},
        puntos=PUNTOS,
        firmas=(20, 20, 20, None, 20, 20, 13 * 60, 20, 20),
        fallas=tuple(faults),
        sin_red=(
            SinRed(punto="punto-2", desde=hora("20:40"), hasta=hora("21:00")),
            *(SinRed(punto=punto, desde=hora("22:24"), hasta=hora("22:40")) for punto in PUNTOS),
        ),
    )


def test_scripted_night_says_of_sixty_difusores_what_the_table_says() -> None:
    heard: dict[tuple[str, datetime], Dictamen] = {}
    result = Vigilia(guion(), REGLA, oye=lambda one: heard.__setitem__((one.difusor, one.hora), one)).vive()
    letters = {"cumplio": "C", "fallo": "F", "no_cuenta": "·"}
    ends = {name: "".join(letters[end] for end in row) for name, row in result.cierres.items()}
    assert ends == {f"difusor-{n:02d}": TABLA[n][0] if n in TABLA else SANO for n in range(1, 61)}
    expected = {f"difusor-{n:02d}": row[1] for n, row in TABLA.items() if row[1] is not None}
    assert result.suspensiones == expected
    assert result.discrepancias == ()  # and the independent reading of the record says the same
    assert result.debidas == expected
    for when, said in MAL.items():
        seen = {
            int(name[-2:]): " ".join((one.veredicto, one.causa, *one.motivos))
            for (name, at), one in heard.items()
            if at == hora(when)
        }
        assert seen == {n: said.get(n, said[0]) for n in seen}
        assert len(seen) >= 60 - len(expected)


def test_every_kind_of_fault_is_in_the_scripted_night() -> None:
    assert {fault.clase for fault in guion().fallas} == set(get_args(Clase))


def test_truth_reads_nothing_but_the_record() -> None:
    """No verdict, no rule and no view of the fleet is in it: what is compared must not come from the same hand."""
    tree = ast.parse(Path(verdad.__file__).read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in named if name and name.startswith("pregon")} == {"pregon.simulacro.flota.fallas"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]


def noches(semillas: range, *, ronda_s: int) -> dict[int, tuple[int, int]]:
    """Night by seed: how many suspensions, and how many dictámenes; each one is what is true."""
    found = {}
    for seed in semillas:
        night = sortea(seed, reloj(ronda_s=ronda_s), difusores=60, rutas=LEIDAS)
        result = Vigilia(night, REGLA, ojo=Mirador(night, testigos=seed % 2 == 0)).vive()
        assert result.falsas == (), f"semilla {seed}"
        assert result.faltantes == (), f"semilla {seed}"
        assert result.discrepancias == (), f"semilla {seed}"
        found[seed] = len(result.suspensiones), result.dictamenes
    return found


def test_no_false_suspension_in_nights_by_seed() -> None:
    seen = noches(range(1, NOCHES + 1), ronda_s=240)
    assert sum(out for out, _ in seen.values()) > NOCHES * 5  # they are not nights in which nothing happens


@pytest.mark.aguante
def test_no_false_suspension_in_a_hundred_nights_with_a_look_each_minute() -> None:
    seen = noches(range(1, NOCHES_LARGAS + 1), ronda_s=60)
    assert sum(out for out, _ in seen.values()) > NOCHES_LARGAS * 5
    assert sum(said for _, said in seen.values()) > 900_000


@pytest.mark.parametrize("profile", ["dgo-2024", "mex-2021", "mor-2024"])
def test_where_any_breach_is_enough_altered_figures_are_proposed_at_once_and_nobody_falsely(profile: str) -> None:
    """DGO-I-12, MEX-I-12, MOR-I-12, each with its own clock and tolerance (DGO-I-11d: one minute)."""
    call = perfiles.load(profile)
    request = Pedido(semilla=3, noches=2, difusores=20, periodos=5, cada_s=120)
    early = 0
    for result in ensaya(request, call):
        assert result.discrepancias == ()
        assert (result.falsas, result.faltantes) == ((), ())
        early += sum(result.cierres[name].count("fallo") < 3 for name in result.suspensiones)
    assert early  # by what was shown, not by the count


def test_the_same_seed_is_the_same_night() -> None:
    one, other = (sortea(7, reloj(), difusores=60, rutas=LEIDAS) for _ in range(2))
    assert one == other
    assert one != sortea(8, reloj(), difusores=60, rutas=LEIDAS)


def test_five_slots_over_real_sockets_suspend_whom_the_table_says(tmp_path: Path) -> None:
    """Sixty HTTPS servers, three vantage points, the institute's own eyes: the first five slots of the same table."""
    looks = tuple(hora(text) for text in ("19:59:30", "20:19:30", "20:39:30", "20:59:30", "21:39:30"))
    night = guion()
    night = replace(
        night, reloj=replace(night.reloj, periodos=5, miradas=looks), firmas=night.firmas[:5], sin_red=night.sin_red[:1]
    )
    heard: list[Dictamen] = []
    with OjoReal(night, GRO, tmp_path, real=SystemClock(), disk=Disk(), muestra=1) as eye:
        rules = reglas_de(night, respuesta_max_s=ADMITIDO_S)
        result = Vigilia(night, REGLA, ojo=eye, firma=eye.firma, reglas=rules, oye=heard.append).vive()
        assert eye.pedidos > 60 * len(PUNTOS) * len(looks)
    assert result.discrepancias == ()
    table = {f"difusor-{n:02d}": row[1] for n, row in TABLA.items()}
    assert result.suspensiones == {name: slot for name, slot in table.items() if slot is not None and slot < 5}
    motives = {(one.difusor, one.hora): one.motivos for one in heard}
    assert motives["difusor-15", hora("19:59:30")] == ("ANTICIPADO",)
    assert motives["difusor-17", hora("20:39:30")] == ("TLS",)
    assert "LENTO" in motives["difusor-34", hora("20:39:30")]
    assert motives["difusor-60", hora("20:39:30")] == ()  # the headers, the hour and the certificate are well


class Lector:
    """Reads what the watch would: what it always reads, its sample of the round, and what it found altered."""

    def __init__(self, archivos: Sequence[FileEntry], night: Guion) -> None:
        self._orders = {punto: recorrido(archivos, clave=clave_de(b"secreto", punto)) for punto in night.puntos}
        self._rounds = {when: number for number, when in enumerate(night.reloj.rondas)}

    def __call__(self, punto: str, difusor: str, corte: int, when: datetime) -> list[str]:
        del corte  # one cut lasts the whole of these nights
        return [one.ruta for one in self._orders[punto].elige(difusor, self._rounds[when])]


def alterada(archivos: Sequence[FileEntry], *, puntos: int) -> tuple[dict[str, float], Guion]:
    """One slot in which sixty difusores change one byte of one file each; minutes until each is told, where it is."""
    azar = random.Random(60)
    clock = replace(reloj(), intervalo_s=3600, periodos=1, tolerancia_s=600)
    faults = tuple(
        Falla(
            clase="alterado",
            difusor=f"difusor-{n:02d}",
            desde=hora("20:05") + timedelta(seconds=azar.randrange(1800)),
            hasta=clock.fin,
            ruta=azar.choice(archivos).ruta,
        )
        for n in range(1, 61)
    )
    night = Guion(
        reloj=clock,
        demoras_s={fault.difusor: 30 for fault in faults},
        puntos=PUNTOS[:puntos],
        firmas=(20,),
        fallas=faults,
    )
    first: dict[str, datetime] = {}

    def hear(one: Dictamen) -> None:
        if one.veredicto == "alterado":
            assert one.causa == "difusor"
            assert "CONTENIDO" in one.motivos
            first.setdefault(one.difusor, one.hora)

    Vigilia(night, REGLA, ojo=Mirador(night, lee=Lector(archivos, night)), oye=hear).vive()
    since = {fault.difusor: fault.desde for fault in faults}
    assert all(when >= since[name] for name, when in first.items())  # nobody before it altered anything
    return {name: (when - since[name]).total_seconds() / 60 for name, when in first.items()}, night


def paquete() -> tuple[FileEntry, ...]:
    return Contenido(guion(), GRO).paquete(1).manifiesto.archivos


def test_one_altered_byte_in_any_page_is_found_within_five_minutes() -> None:
    """By one vantage point, in any file of a package of this size: with probability one, by the order it reads them."""
    files = paquete()
    found, night = alterada(files, puntos=1)
    assert len(found) == 60
    assert max(found.values()) <= 5
    order = recorrido(files, clave="x")
    assert {order.probabilidad(one.ruta, 5) for one in files} == {1.0}
    always = {fault.difusor for fault in night.fallas if fault.ruta in {one.ruta for one in order.siempre}}
    assert always
    assert max(found[name] for name in always) <= 1
    assert {ruta.format(corte=1) for ruta in LEIDAS} <= {one.ruta for one in order.siempre}


def test_the_stated_probability_is_the_one_that_is_found() -> None:
    """In a package of thousands of files: over five minutes and three points, as often as ``probabilidad`` says."""
    many = tuple(FileEntry(f"datos/0001/gub/secciones-{n:04d}.json", 4000, f"{n:064x}") for n in range(900))
    orders = [recorrido(many, clave=clave_de(b"secreto", punto)) for punto in PUNTOS]
    azar, trials, hits = random.Random(5), 2000, 0
    for _ in range(trials):
        ruta, first, name = azar.choice(many).ruta, azar.randrange(1000), f"difusor-{azar.randrange(60):02d}"
        hits += any(
            ruta in {one.ruta for one in order.elige(name, number)}
            for order in orders
            for number in range(first, first + 5)
        )
    stated = orders[0].probabilidad(many[0].ruta, 5, len(PUNTOS))
    assert 0.25 < stated < 0.35
    assert abs(hits / trials - stated) < 4 * math.sqrt(stated * (1 - stated) / trials)


def test_stale_difusor_is_told_within_one_minute_of_being_late() -> None:
    azar = random.Random(61)
    clock = replace(reloj(), periodos=3)
    faults = tuple(
        Falla(
            clase="viejo",
            difusor=f"difusor-{n:02d}",
            desde=hora("20:02") + timedelta(seconds=azar.randrange(1080)),
            hasta=clock.fin,
        )
        for n in range(1, 61)
    )
    night = Guion(
        reloj=clock,
        demoras_s={fault.difusor: 30 for fault in faults},
        puntos=PUNTOS,
        firmas=(20, 37, 5),
        fallas=faults,
    )
    first: dict[str, Dictamen] = {}

    def hear(one: Dictamen) -> None:
        if one.veredicto == "atrasado":
            first.setdefault(one.difusor, one)

    Vigilia(night, REGLA, oye=hear).vive()
    late = hora("20:20:37") + timedelta(seconds=clock.tolerancia_s)
    assert len(first) == 60
    for one in first.values():
        assert 0 <= (one.hora - late).total_seconds() <= 60
        assert one.causa == "difusor"
        assert one.atraso_s == (one.hora - hora("20:20:37")).total_seconds()


def test_command_compares_one_seed_and_says_so() -> None:
    done = CliRunner().invoke(
        app,
        [
            "simulacro",
            "vigilancia",
            "--semilla",
            "11",
            "--difusores",
            "12",
            "--periodos",
            "4",
            "--cada",
            "120",
            "--json",
        ],
    )
    assert done.exit_code == 0, done.output
    (night,) = json.loads(done.stdout)
    assert night["semilla"] == 11
    assert night["difusores"] == 12
    assert night["ok"] is True
    assert night["falsas"] == night["faltantes"] == night["discrepancias"] == []
    assert night["suspensiones"] == night["debidas"]
    assert sum(night["veredictos"].values()) == night["dictamenes"] > 300


@pytest.mark.parametrize(("more", "word"), [("--convocatoria ine-2021", "ine-2021"), ("--red --difusores 101", "100")])
def test_what_cannot_be_rehearsed_is_refused(more: str, word: str) -> None:
    done = CliRunner().invoke(app, ["simulacro", "vigilancia", *more.split()])
    assert done.exit_code == 2
    assert word in done.stderr
    assert done.stdout == ""


@pytest.mark.aguante
def test_altered_byte_over_real_sockets_at_default_sampling(tmp_path: Path) -> None:
    """Sixty servers, each with another byte in one file; every one told within five minutes of night time."""
    azar = random.Random(62)
    clock = replace(reloj(), intervalo_s=900, periodos=1, tolerancia_s=400, antes=0)
    names = [f"difusor-{n:02d}" for n in range(1, 61)]
    files = [one.ruta for one in paquete()]
    faults = tuple(
        Falla(clase="alterado", difusor=name, desde=hora("20:05:10"), hasta=clock.fin, ruta=azar.choice(files))
        for name in names
    )
    night = Guion(reloj=clock, demoras_s=dict.fromkeys(names, 30), puntos=PUNTOS[:1], firmas=(20,), fallas=faults)
    seen: dict[str, set[datetime]] = {name: set() for name in names}
    with OjoReal(night, GRO, tmp_path, real=SystemClock(), disk=Disk()) as eye:
        Vigilia(
            night,
            REGLA,
            ojo=eye,
            firma=eye.firma,
            oye=lambda one: seen[one.difusor].add(one.hora) if one.veredicto == "alterado" else None,
        ).vive()
    for name, hours in seen.items():
        assert hora("20:05:10") <= min(hours) <= hora("20:10:10"), name
        after = {when for when in clock.rondas if when >= min(hours)}
        assert hours == after, name  # once found, it is read again in every round
