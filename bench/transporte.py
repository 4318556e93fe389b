"""``transporte``: from what the institute signed to what difusores verified, over links of other people's speed.

* ``20 Mbps, 80 ms``: the second national cut by every carrier, to difusores that have the first.
* ``550 MB``: the largest package that a call foresees, by the carrier of that call (GRO-2.2b: ten minutes).
* ``1 % de pérdida``: whole and correct; the time is printed.
* ``dgo-2024``: twenty cuts over 100 Mbps, from signed to seen at the public address (DGO-I-11c).
* ``60 difusores``: the second national cut to all, against a loop of ``rsync -a``.

Machines are network namespaces and links a relay of ours (``tests.red.mundo``): it needs root, ``ip`` and ``tc``.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.red.mundo import Liga, Mundo, imposible

from bench import reparto
from bench.cortes import corta
from bench.informe import Limite
from bench.noche import haz
from bench.paquetes import CASILLAS_40MB, Instituto, con_imagenes
from bench.portadores import PORTADORES, Lugar, Puesto, abre, entorno, pregon, rsyncd, scp
from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import load
from pregon.instituto.workspace import create as create_institute
from pregon.prep.synthetic.eleccion import election

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.red.mundo import EnlaceDeMundo

    from bench.informe import Informe
    from bench.noche import Noche

RATIO = Limite(maximo=1.0)
"""Seconds over 1.3 x (bytes / rate) + 2 s."""
FACTOR, FIJO_S = 1.3, 2.0
DIEZ_MINUTOS = Limite(maximo=600)
DGO = Limite(maximo=60)
LENTA = Liga(mbps=20, ms=80)
CIEN = Liga(mbps=100, ms=10)
PERDIDA = 0.01
CASILLAS_PERDIDA = 20_000
"""Of one election, in the cut that crosses the link that loses packets: some megabytes."""
CORTES_DGO, CASILLAS_DGO, UNIDADES_DGO = 20, 2_700, 39
ARRANQUE_S = 8.0
"""A difusor is there all night: how long its start and its recovery are given before the cut is delivered."""
_ORDER_S = 1200.0


def mide(informe: Informe, folder: Path, nacional: Noche) -> None:
    """Run it all and print; where no world can be made, say why."""
    informe.titulo("transporte", "de firmado a verificado, con enlaces ajenos")
    reason = imposible()
    if reason is not None:
        informe.nota(f"no se midió: {reason}")
        informe.fuera.append("transporte: no se midió")
        return
    folder.mkdir()
    one = Instituto.nuevo(folder / "instituto", nacional).corte()
    subprocess.run(["cp", "-a", one.folder, folder / "instituto-60"], check=True)
    _par(informe, folder / "par", one)
    reparto.mide(informe, folder / "sesenta", Instituto(folder / "instituto-60", nacional, one.paquetes))
    _grande(informe, folder / "550", nacional)
    _con_perdida(informe, folder / "perdida", nacional)
    _dgo(informe, folder / "dgo")
    shutil.rmtree(folder)


def _par(informe: Informe, folder: Path, institute: Instituto) -> None:
    """The second cut of the national pair by each carrier, alone on a slow link."""
    with _mundo(folder, institute) as (lugar, enlace):
        puestos = [_puesto(lugar, name) for name in PORTADORES]
        _prepara(lugar, puestos, corte=1)
        institute = institute.corte()
        size = _menor(institute)
        informe.nota(f"corte 2 nacional por cambios: {size:,} bytes; {LENTA.mbps:g} Mbps, {LENTA.ms:g} ms, sin pérdida")
        enlace.cambia(mbps=LENTA.mbps, ms=LENTA.ms)
        _cada_uno(informe, lugar, enlace, puestos, corte=2, size=size, limite=RATIO)


def _con_perdida(informe: Informe, folder: Path, nacional: Noche) -> None:
    casillas = max(100, CASILLAS_PERDIDA * nacional.casillas // 171_000)
    small = haz(folder.with_name("noche-perdida"), casillas, nacional.elecciones[:1])
    institute = Instituto.nuevo(folder.with_name("instituto-perdida"), small).corte()
    with _mundo(folder, institute) as (lugar, enlace):
        puestos = [_puesto(lugar, name) for name in PORTADORES]
        _prepara(lugar, puestos, corte=1)
        institute = institute.corte()
        size = _menor(institute)
        informe.nota(f"1 % de pérdida: {size:,} bytes; {LENTA.mbps:g} Mbps, {LENTA.ms:g} ms")
        enlace.cambia(mbps=LENTA.mbps, ms=LENTA.ms, perdida=PERDIDA)
        _cada_uno(informe, lugar, enlace, puestos, corte=2, size=size, limite=None)


def _grande(informe: Informe, folder: Path, nacional: Noche) -> None:
    """550 MB by the carrier of the call that says so, to a difusor that has nothing."""
    casillas = max(100, CASILLAS_40MB * nacional.casillas // 171_000)
    small = haz(folder.with_name("noche-550"), casillas, nacional.elecciones)
    one = Instituto.nuevo(folder.with_name("instituto-40"), small).corte()
    institute = Instituto.nuevo(folder.with_name("instituto-550"), small)
    institute = institute.firma(con_imagenes(one.paquetes[0], nacional.casillas))
    with _mundo(folder, institute) as (lugar, enlace):
        puesto = scp(lugar)
        _tablas(lugar, [puesto])
        enlace.cambia(mbps=LENTA.mbps, ms=LENTA.ms)
        size = institute.paquetes[0].stat().st_size
        puesto.recibe()
        start = time.time()
        _entrega(lugar)
        seconds = puesto.espera(1) - start
        informe.cifra(f"{size / 1e6:,.0f} MB por scp, segundos", seconds, DIEZ_MINUTOS, decimales=1)


def _dgo(informe: Informe, folder: Path) -> None:
    """A night of Durango: each cut signed, pushed by rsync and asked for at the public address."""
    call = load("dgo-2024")
    step = timedelta(minutes=call.intervalo_min)
    hours = [call.inicio + step * k for k in range(1, CORTES_DGO + 1)]
    contests = [
        election(
            code,
            casillas=CASILLAS_DGO,
            unidades=UNIDADES_DGO,
            cortes=hours,
            semilla=7,
            entidad=(call.entidad.numero, call.entidad.nombre),
        )
        for code in call.elecciones
    ]
    space = folder.with_name("instituto-dgo")
    create_institute(space, "dgo-2024", ambiente="simulacro", clock=ManualClock(hours[0]), disk=Disk())
    folder.mkdir()
    seconds: list[float] = []
    with Mundo(semilla=7) as mundo, contextlib.ExitStack() as stack:
        aqui, alla = mundo.host("instituto"), mundo.host("difusor")
        mundo.une(aqui, alla, CIEN)
        abre(alla)
        lugar = Lugar(folder, space, space / "convocatoria.toml", hours[-1], aqui, alla, stack)
        puesto = rsyncd(lugar)
        _tablas(lugar, [puesto])
        alla.corre(pregon("difusor", "sirve", str(puesto.difusor)), environment=entorno())
        puesto.recibe()
        for number, hour in enumerate(hours):
            sources: list[list[str | None]] = []
            for contest in contests:
                actas, catalogue = folder / f"{contest.file_stem}.csv", folder / f"{contest.file_stem}_CAND.csv"
                actas.write_bytes(contest.actas_csv(number))
                catalogue.write_bytes(contest.candidaturas_csv())
                sources.append([str(actas), str(catalogue), None])
            lugar.pon_hora(puesto.nombre, hour)
            corta(space, hour, sources)
            signed = time.time()
            _entrega(lugar)
            seconds.append(puesto.espera(number + 1, "visible", 120) - signed)
    informe.nota(f"dgo-2024: {CORTES_DGO} cortes, {CIEN.mbps:g} Mbps, rsync; de firmado a visible")
    informe.cifra("p95, segundos", sorted(seconds)[int(0.95 * len(seconds))], DGO, decimales=1)
    informe.segundos("  mediana", seconds)


# Shared.


@contextlib.contextmanager
def _mundo(folder: Path, institute: Instituto) -> Iterator[tuple[Lugar, EnlaceDeMundo]]:
    folder.mkdir()
    with Mundo(semilla=7) as mundo, contextlib.ExitStack() as stack:
        aqui, alla = mundo.host("instituto"), mundo.host("difusor")
        enlace = mundo.une(aqui, alla, Liga())
        abre(aqui)
        abre(alla)
        noche = institute.noche
        yield Lugar(folder, institute.folder, noche.perfil, noche.horas[-1], aqui, alla, stack), enlace


def _puesto(lugar: Lugar, name: str) -> Puesto:
    return PORTADORES[name](lugar)


def _tablas(lugar: Lugar, puestos: list[Puesto]) -> None:
    """Write the destinations in the institute's settings, in place of those of another measure."""
    path = lugar.instituto / "instituto.toml"
    bare = path.read_text(encoding="utf-8").partition("[[destino]]")[0]
    path.write_text(bare + "".join(puesto.destino for puesto in puestos), encoding="utf-8")


def _prepara(lugar: Lugar, puestos: list[Puesto], *, corte: int) -> None:
    """Everybody has the cut before, over a link without limits."""
    _tablas(lugar, puestos)
    _entrega(lugar)
    for puesto in puestos:
        done = subprocess.run(
            puesto.maquina.orden(pregon("difusor", "recibe", str(puesto.difusor), "--una-vez")),
            check=False,
            capture_output=True,
            timeout=_ORDER_S,
        )
        if done.returncode != 0:
            raise SystemExit(f"{puesto.nombre}: no recibió el corte {corte}: {done.stderr.decode()}")
        puesto.espera(corte, limite_s=5)


def _cada_uno(
    informe: Informe,
    lugar: Lugar,
    enlace: EnlaceDeMundo,
    puestos: list[Puesto],
    *,
    corte: int,
    size: int,
    limite: Limite | None,
) -> None:
    least = size * 8 / (LENTA.mbps or 1) / 1e6
    for puesto in puestos:
        before = sum(way.bytes for way in enlace.cuenta())
        process = puesto.recibe()
        time.sleep(ARRANQUE_S)
        start = time.time()
        _entrega(lugar, puesto.nombre)
        seconds = puesto.espera(corte) - start
        process.stop()
        wire = sum(way.bytes for way in enlace.cuenta()) - before
        name = f"{puesto.nombre}: {seconds:.1f} s"
        if limite is None:
            informe.cifra(name, seconds, None, decimales=1, unidad=f" s; en el enlace, {wire / size:.2f} de los bytes")
        else:
            informe.cifra(f"{name} / (1.3 x bytes / ritmo + 2 s)", seconds / (FACTOR * least + FIJO_S), limite)
            informe.nota(f"    en el enlace: {wire / size:.3f} veces los bytes del paquete")


def _entrega(lugar: Lugar, difusor: str | None = None) -> None:
    arguments = ["instituto", "entrega", str(lugar.instituto), "--json"]
    if difusor is not None:
        arguments += ["--difusor", difusor]
    done = subprocess.run(
        lugar.aqui.orden(pregon(*arguments)), check=False, capture_output=True, timeout=_ORDER_S, env=entorno()
    )
    if done.returncode != 0:
        raise SystemExit(f"entrega: {done.stderr.decode()}{done.stdout.decode()}")


def _menor(institute: Instituto) -> int:
    """Bytes of the smallest that brings the newest cut: its archive of changes and its manifest."""
    folder = institute.paquetes[-1].parent
    changes = next(iter(folder.glob("*.cambios.zip")))
    return changes.stat().st_size + (folder / "manifiesto.json").stat().st_size
