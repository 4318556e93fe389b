"""``portal``: Lighthouse for phones on every kind of page of an ``oficial`` package, served by the real difusor.

Its files are those of a synthetic night that is going on now. Chromium's and Lighthouse's versions are printed: the
scores are theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench.informe import Limite
from bench.procesos import RAIZ
from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.difusor.inicia import create as create_difusor
from pregon.difusor.night import open_receiver
from pregon.difusor.servidor.proceso import serving
from pregon.difusor.workspace import open_workspace as open_difusor
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.workspace import RAIZ as RAIZ_FIRMADA
from pregon.instituto.workspace import create, open_workspace
from pregon.prep.synthetic.eleccion import election

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.informe import Informe

LIGHTHOUSE = RAIZ / ".venv/lighthouse/node_modules/.bin/lighthouse"
"""Where ``make lighthouse`` puts it."""
RENDIMIENTO = Limite(minimo=97)
PERFECTO = Limite(minimo=100)
LCP = Limite(maximo=1500)
CLS = Limite(maximo=0)
_CATEGORIES = {"accessibility": "accesibilidad", "best-practices": "buenas prácticas", "seo": "SEO"}
ZONA = ZoneInfo("America/Mexico_City")
_LIMIT_S = 180


@dataclass(frozen=True)
class _Night:
    """What is published: a profile's text, the files of one cut after another, and their hours."""

    perfil: str
    cortes: list[tuple[datetime, list[ContestSource]]]


def mide(informe: Informe, folder: Path, rondas: int) -> None:
    """Run it and print; without Lighthouse, say how to get it."""
    informe.titulo("portal", "Lighthouse para teléfono, ambiente oficial, servido por el difusor")
    program = Path(os.environ.get("LIGHTHOUSE", LIGHTHOUSE))
    chromium = shutil.which("chromium")
    if not program.is_file() or chromium is None:
        informe.nota("no se midió: falta Lighthouse (make lighthouse lo instala) o chromium")
        informe.fuera.append("portal: no se midió")
        return
    folder.mkdir()
    with _published(folder, _night(folder)) as (url, pages):
        informe.nota(f"Lighthouse {_version(program)}; {_version(Path(chromium))}; {len(pages)} clases de página")
        for page in pages:
            rounds = [_lighthouse(program, chromium, folder, f"{url}{page}") for _ in range(rondas)]
            _tell(informe, page, rounds)
    shutil.rmtree(folder)


def _tell(informe: Informe, page: str, rounds: Sequence[dict[str, float]]) -> None:
    median = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    informe.nota(page)
    informe.cifra("  rendimiento", median["performance"], RENDIMIENTO, decimales=0)
    for key, words in _CATEGORIES.items():
        informe.cifra(f"  {words}", median[key], PERFECTO, decimales=0)
    informe.cifra("  LCP", median["lcp"], LCP, decimales=0, unidad=" ms")
    informe.cifra("  CLS", median["cls"], CLS, decimales=3)
    informe.cifra("  bytes en total", median["bytes"] / 1000, Limite(maximo=60), decimales=1, unidad=" kB")


def _lighthouse(program: Path, chromium: str, folder: Path, url: str) -> dict[str, float]:
    report = folder / "informe.json"
    subprocess.run(
        [
            str(program),
            url,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-background-networking",
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        check=True,
        timeout=_LIMIT_S,
        stdout=subprocess.DEVNULL,
    )
    found = json.loads(report.read_bytes())
    figures = {key: found["categories"][key]["score"] * 100 for key in ("performance", *_CATEGORIES)}
    for name, audit in (
        ("lcp", "largest-contentful-paint"),
        ("cls", "cumulative-layout-shift"),
        ("bytes", "total-byte-weight"),
    ):
        figures[name] = found["audits"][audit]["numericValue"]
    return figures


def _version(program: Path) -> str:
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def _published(folder: Path, night: _Night) -> Iterator[tuple[str, list[str]]]:
    """The address of a difusor that serves the last cut, and one page of each kind."""
    profile = folder / "convocatoria.toml"
    profile.write_text(night.perfil, encoding="utf-8")
    institute = folder / "instituto"
    clock = SystemClock()
    create(institute, profile, ambiente="oficial", clock=clock, disk=Disk())
    for hora, sources in night.cortes:
        build_cut(open_workspace(institute, clock=clock), sources, hora=hora)
    place = folder / "difusor"
    toml = (
        f'convocatoria = "{profile}"\nambiente = "oficial"\nid = "medio"\norigen = "{institute / "repositorio"}"\n'
        '[reloj]\nfuente = "ninguna"\n[servidor]\ndireccion = "127.0.0.1"\npuerto = 8080\nbase = "/"\n'
    )
    create_difusor(place, toml, root=(institute / RAIZ_FIRMADA).read_bytes(), disk=Disk())
    workspace = open_difusor(place)
    open_receiver(workspace, clock=clock, state=workspace.open_state(clock), disk=Disk()).run_once()
    site = workspace.cortes / f"{len(night.cortes):04d}"
    with serving([workspace], disk=Disk(), clock=clock, port=0) as server:
        yield server.urls[0], list(_kinds(site))


def _kinds(site: Path) -> Iterator[str]:
    """One page of each kind: the first of each depth and name under a contest, and every page of the whole site."""
    seen: set[tuple[str, ...]] = set()
    for path in sorted(site.rglob("index.html")):
        parts = path.relative_to(site).parts[:-1]
        whole = len(parts) < 2 and not (site / "datos" / site.name / "".join(parts)).is_dir()
        kind = parts if whole or not parts else ("contienda", *(part.rstrip("0123456789") for part in parts[1:]))
        if kind not in seen:
            seen.add(kind)
            yield "".join(f"{part}/" for part in parts)


def _night(folder: Path) -> _Night:
    """The middle of a synthetic night that is going on now: an official difusor believes no other clock."""
    now = datetime.now(ZONA).replace(second=0, microsecond=0)
    profile = profile_for_night(
        id="ensayo",
        nombre="Proceso Electoral de Ensayo",
        instituto="instituto-de-ensayo",
        entidad=Entidad(numero=12, clave="GRO", nombre="Guerrero"),
        elecciones=("GUB", "DIP", "AYU"),
        inicio=now - timedelta(hours=4),
        permanencia_hasta=now + timedelta(days=25),
    )
    hours = [now - timedelta(minutes=20 * number + 2) for number in range(11, -1, -1)]
    contests = [
        election(code, casillas=1_200, unidades=20, cortes=hours, semilla=7, entidad=(12, "Guerrero"))
        for code in profile.elecciones
    ]
    cuts: list[tuple[datetime, list[ContestSource]]] = []
    for number in (8, 9, 10, 11):
        place = folder / f"fuentes-{number}"
        place.mkdir()
        sources: list[ContestSource] = []
        for contest in contests:
            actas, catalogue = place / f"{contest.file_stem}.csv", place / f"{contest.file_stem}_CANDIDATURAS.csv"
            actas.write_bytes(contest.actas_csv(number))
            catalogue.write_bytes(contest.candidaturas_csv())
            sources.append(ContestSource(None, actas, catalogue))
        cuts.append((hours[number], sources))
    return _Night(to_toml_text(profile), cuts)
