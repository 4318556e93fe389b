"""Twenty cuts of a small night, each signed by the institute and seen at the edge of a difusor that is at work.

The clock is of who asks the edge, not of the difusor. The peer is a careful script over the same package: check,
unpack, ``rclone sync``, one order to forget everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from tests.red.servidores.s3 import DEPOSITO
from tests.red.servidores.varnish import Varnish

from bench.cortes import corta
from bench.deposito import RCLONE
from bench.portadores import entorno, pregon
from pregon.base.clock import ManualClock, SimulatedClock
from pregon.base.durable import Disk
from pregon.base.procesos import running
from pregon.convocatoria.perfiles import load
from pregon.difusor.inicia import create as create_difusor
from pregon.instituto.workspace import RAIZ
from pregon.instituto.workspace import create as create_institute
from pregon.prep.synthetic.eleccion import election

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.deposito import Deposito
    from bench.informe import Informe

CONVOCATORIA = "dgo-2024"
CORTES, CASILLAS, UNIDADES = 20, 2_700, 39
SONDEO_S = 1.0
"""How often the difusor of the small night looks for a cut; the settings say five seconds where nobody changes it."""
ARRANQUE_S = 3.0
"""A difusor is there all night: how long it is given to start."""
MIRA_S = 0.01
"""Between two questions of who waits at the edge."""
LIMITE_S = 120.0
_GUION = """set -e
sha256sum -c --quiet "$1"
rm -rf "$3"
unzip -q "$2" -d "$3"
"$4" sync "$3" "$5" $6
curl -sSf -o /dev/null -X BAN -H "X-Pregon-Purga: $(cat "$7")" "$8"
"""


def mide(informe: Informe, folder: Path, cubo: Deposito) -> None:
    """Twenty cuts, each signed by the institute and seen at the edge of a difusor that is at work."""
    folder.mkdir()
    call = load(CONVOCATORIA)
    hours = [call.inicio + timedelta(minutes=call.intervalo_min) * k for k in range(1, CORTES + 1)]
    contests = [
        election(
            code,
            casillas=CASILLAS,
            unidades=UNIDADES,
            cortes=hours,
            semilla=7,
            entidad=(call.entidad.numero, call.entidad.nombre),
        )
        for code in call.elecciones
    ]
    space, difusor = folder / "instituto", folder / "difusor"
    create_institute(space, CONVOCATORIA, ambiente="simulacro", clock=ManualClock(hours[0]), disk=Disk())
    cubo.servidor.abre_a_todos("chica*")
    ours, theirs = _Vistos(), _Vistos()
    with contextlib.ExitStack() as stack:
        edges = [
            stack.enter_context(Varnish(folder / name, f"{cubo.extremo}/{DEPOSITO}/{name}", almacen=True))
            for name in ("chica", "chica-rclone")
        ]
        _difusor(difusor, space, cubo, edges[0])
        for number, hour in enumerate(hours):
            _reloj(difusor, hour)
            if number == 0:
                stack.enter_context(
                    running(
                        pregon("difusor", "recibe", str(difusor)), output=folder / "recibe.log", environment=entorno()
                    )
                )
                time.sleep(3)
            sources: list[list[str | None]] = []
            for contest in contests:
                actas, catalogue = folder / f"{contest.file_stem}.csv", folder / f"{contest.file_stem}_CAND.csv"
                actas.write_bytes(contest.actas_csv(number))
                catalogue.write_bytes(contest.candidaturas_csv())
                sources.append([str(actas), str(catalogue), None])
            run = corta(space, hour, sources)
            package = Path(run.salida["paquete"])
            signed = (space / "repositorio" / "metadata" / "timestamp.json").stat().st_mtime
            ours.segundos.append(_visible(edges[0].url, package) - signed)
            if cubo.rclone is not None:
                theirs.segundos.append(_por_guion(folder, cubo, edges[1], package))
    informe.nota(
        f"{CONVOCATORIA}: {CORTES} cortes de {CASILLAS:,} casillas por elección; de firmado a visible en el borde"
    )
    informe.cifra("p95, segundos", ours.p95, decimales=2)
    informe.segundos("  todos", ours.segundos)
    if cubo.rclone is not None:
        informe.cifra("guion: unzip, rclone sync y purga, p95, segundos", theirs.p95, decimales=2)
        informe.segundos("  todos", theirs.segundos)
        informe.cifra("p95 / guion (razón)", ours.p95 / theirs.p95)
    shutil.rmtree(folder)


@dataclass
class _Vistos:
    """Seconds from signed to seen."""

    segundos: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return sorted(self.segundos)[int(0.95 * len(self.segundos))]


def _difusor(folder: Path, institute: Path, cubo: Deposito, edge: Varnish) -> None:
    purga = {"tipo": "varnish", "equipos": [edge.url], "secreto": f"archivo:{edge.archivo_secreto}"}
    table = cubo.tabla("chica", publica=edge.url)
    toml = (
        f'convocatoria = "{CONVOCATORIA}"\nambiente = "simulacro"\nid = "prueba"\n'
        f'origen = "{institute / "repositorio"}"\nsondeo_s = {SONDEO_S}\n'
        f'[reloj]\nfuente = "simulado"\nsimulado = "{folder.with_suffix(".reloj")}"\n'
        f"[[nube]]\n{_toml(table)}[nube.purga]\n{_toml(purga)}"
    )
    _reloj(folder, load(CONVOCATORIA).inicio)
    create_difusor(folder, toml, root=(institute / RAIZ).read_bytes(), disk=Disk())


def _toml(table: Mapping[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


def _reloj(difusor: Path, hour: Any) -> None:
    """The difusor's clock says from now on that it is one minute past ``hour``."""
    clock = difusor.with_suffix(".reloj")
    new = clock.with_suffix(".nuevo")
    new.write_bytes(SimulatedClock.start(hour + timedelta(minutes=1), 1).dump())
    new.replace(clock)


def _visible(url: str, package: Path) -> float:
    """When the edge answered with that cut: ``corte.json``, the manifest and every page of it that a cover leads to.

    The machine's time. Raises SystemExit where it does not within ``LIMITE_S``.
    """
    listed = json.loads((package.parent / "manifiesto.json").read_bytes())
    wanted = {entry["ruta"].removesuffix("index.html"): entry["sha256"] for entry in listed["archivos"]}
    first = [ruta for ruta in ("corte.json", "", *sorted(wanted)) if ruta in wanted and ruta.count("/") < 2]
    end = time.monotonic() + LIMITE_S
    with httpx2.Client(base_url=url, trust_env=False, headers={"accept-encoding": "gzip"}) as client:
        for ruta in first:
            while hashlib.sha256(client.get(ruta).content).hexdigest() != wanted[ruta]:
                if time.monotonic() > end:
                    raise SystemExit(f"el borde no mostró «{ruta}» del corte en {LIMITE_S:g} s")
                time.sleep(MIRA_S)
    return time.time()


def _por_guion(folder: Path, cubo: Deposito, edge: Varnish, package: Path) -> float:
    """Seconds of a careful script, from the moment at which the package is there, until its edge shows it."""
    with package.open("rb") as file:
        (folder / "SUMA").write_text(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {package}\n")
    start = time.time()
    target, options = cubo.ajeno("chica-rclone"), " ".join(RCLONE)
    names = (
        folder / "SUMA",
        package,
        folder / "arbol",
        str(cubo.rclone),
        target,
        options,
        edge.archivo_secreto,
        edge.url,
    )
    subprocess.run(["sh", "-c", _GUION, "sh", *names], check=True, env=cubo.entorno())
    return _visible(edge.url, package) - start
