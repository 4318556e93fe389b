"""Takes the screenshots ``publico-*`` of ``docs/tablero``: the public pages of a synthetic night, phone and desktop."""

from __future__ import annotations

import sys
import tempfile
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import to_toml_text
from pregon.convocatoria.solicitud import logo
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto import avisos, workspace
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.monitor.disponibilidad import suma
from pregon.instituto.monitor.modelo import Dictamen
from pregon.instituto.opera.turno import Turno
from pregon.instituto.publico.sitio import ENLACE, Publicador
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.simulacro.prepare import synthetic_night

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

    from pregon.instituto.workspace import Workspace

CORTES = 16
PERDIDO, TARDE = 4, 9
"""Cuts that the institute does not make, and that it signs late."""
WIDTHS = (360, 1440)
HEIGHT = 900
PAGES = {"lista": "index.html", "situacion": "situacion.html", "noche": "noche.html"}
OSCURAS = ("situacion",)
TIPOS = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "json": "application/json",
}
ORDEN = Mandato(quien="operador", operador="Capturas", motivo="capturas", evidencia=("capturas",))


@dataclass(frozen=True)
class Medio:
    """An invented difusor, the colour and the shape of its logo, and what is seen of it."""

    id: str
    nombre: str
    color: str
    trazo: str
    veredicto: str = "al_dia"
    causa: str = "ninguna"


MEDIOS = (
    Medio(
        "diario-de-la-costa",
        "Diario de la Costa",
        "#17467a",
        "M20 70h160v10H20zM30 20h30v40H30zM75 20h95v10H75zM75 40h95v10H75z",
    ),
    Medio("radio-laguna", "Radio Laguna", "#8c1d40", "M100 15a35 35 0 1 0 .1 0zm0 20a15 15 0 1 1-.1 0z"),
    Medio("canal-siete", "Canal Siete", "#0d8a4a", "M50 15h100v15L105 85H85l40-55H50z", "atrasado", "difusor"),
    Medio(
        "universidad-del-sur", "Universidad del Sur", "#5b3a8e", "M100 10 180 40 100 70 20 40zM50 58v22h100V58l-50 20z"
    ),
    Medio(
        "observatorio", "Observatorio Ciudadano", "#a0683c", "M20 50q80-70 160 0-80 70-160 0zm80-18a18 18 0 1 0 .1 0z"
    ),
    Medio("la-sierra", "La Sierra Noticias", "#3f6c86", "M15 85 70 15l30 40 25-25 60 55z", "inaccesible", "difusor"),
    Medio(
        "puerto-digital",
        "Puerto Digital",
        "#7c7a2c",
        "M95 10h10v20h25v10h-25v35q25-5 35-20l10 8q-20 27-50 27T50 63l10-8q10 15 35 20V40H70V30h25z",
    ),
    Medio("el-mirador", "El Mirador", "#12736f", "M30 85V35l70-25 70 25v50h-25V50H55v35z"),
)
SUSPENDIDO = "puerto-digital"


def main(target: Path) -> None:
    """The night, and its screenshots into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("publico-*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as name:
        clock, sitio = noche(Path(name))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            shoot(browser, sitio, clock, target)
            browser.close()


def noche(folder: Path) -> tuple[ManualClock, Path]:
    """A night with a lost cut and a late one, and eight difusores; where it is published."""
    profile, plan = synthetic_night(folder / "fuentes", convocatoria="gro-2021", cortes=CORTES, semilla=7, disk=Disk())
    (folder / "perfil.toml").write_text(to_toml_text(profile))
    clock = ManualClock(profile.inicio - timedelta(hours=4))
    space = workspace.create(folder / "espacio", folder / "perfil.toml", ambiente="oficial", clock=clock)
    inscribe(space)
    number = 1
    for place, cut in enumerate(plan.cortes[:-1]):  # the last one is the closing, many hours later
        if place == PERDIDO:
            space.state().record("corte_perdido", periodo=place, vence=cut.hora.isoformat())
            continue
        if place == TARDE:
            clock.instant = cut.hora + timedelta(seconds=46)
            text = f"El corte de las {cut.hora:%H:%M} h se retrasa. Los resultados que se muestran son los anteriores."
            notice = avisos.announce_delay(space, avisos.Orden("capturas", "capturas"), texto=text, corte=number)
            reason = "ENTRADA: no han llegado"
            space.state().record("retraso", periodo=place, corte=number, aviso=notice.n, segundos=46.0, porque=reason)
        clock.instant = cut.hora + timedelta(minutes=6 if place == TARDE else 0, seconds=21)
        sources = [ContestSource(None, one.actas, one.candidaturas, one.leeme) for one in cut.fuentes]
        build_cut(space, sources, hora=cut.hora, corte=number, operador="capturas")
        number += 1
    clock.instant += timedelta(minutes=3)
    told = [dictamen(one, clock, number - 1) for one in MEDIOS]
    suma(space.state(), clock.now(), told, 3600)
    signed = Turno(space, {}, threading.Event()).firmas()
    Publicador(space, carpeta=folder / "publico").publica(signed, told)
    return clock, folder / "publico" / ENLACE


def inscribe(space: Workspace) -> None:
    """Register them all, each with its logo."""
    registro = Registro(space, entorno={})
    rotacion.crea(registro)
    for one in MEDIOS:
        form = Ficha(nombre=one.nombre, tipo="medios", url=f"https://{one.id}.example/prep")
        registro.alta(one.id, form, ORDEN)
        for state in ("admitido", "activo"):
            registro.pasa(one.id, state, ORDEN)
        path = f'<path fill="{one.color}" d="{one.trazo}"/>'
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 95">{path}</svg>'.encode()
        registro.pone_logo(one.id, drawing, logo.admite(drawing, ()), ORDEN)
    registro.pasa(SUSPENDIDO, "suspendido", ORDEN)


def dictamen(one: Medio, clock: ManualClock, corte: int) -> Dictamen:
    """What the last round says of it."""
    late = one.veredicto == "atrasado"
    return Dictamen(
        difusor=one.id,
        hora=clock.now(),
        veredicto=one.veredicto,  # type: ignore[arg-type]
        causa=one.causa,  # type: ignore[arg-type]
        corte=None if one.veredicto == "inaccesible" else corte - late,
        atraso_s=185.0 if late else None,
    )


def shoot(browser: Browser, sitio: Path, clock: ManualClock, target: Path) -> None:
    """Each page, and some in the dark, half a minute after it was written."""

    def answer(route: Route) -> None:
        path = sitio / route.request.url.rpartition("example/")[2]
        route.fulfill(body=path.read_bytes(), content_type=TIPOS[path.suffix[1:]])

    for width in WIDTHS:
        for dark in (False, True):
            for name, route in PAGES.items():
                if dark and name not in OSCURAS:
                    continue
                page = browser.new_page(
                    viewport={"width": width, "height": HEIGHT}, color_scheme="dark" if dark else "light"
                )
                page.clock.install(time=clock.now() + timedelta(seconds=31))
                page.route("**/*", answer)
                page.goto(f"https://instituto.example/{route}", wait_until="networkidle")
                page.screenshot(path=target / f"publico-{name}-{width}{'-oscuro' if dark else ''}.png")
                page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
