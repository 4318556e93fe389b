"""The public state as pages: the list, how the difusores are, and the night so far. Pure: values in, bytes out.

Each page is whole in itself: what it says is in it, and what it asks for (sheet, script, logos) has its hash in its
name. So whatever is switched while somebody reads, no page shows two states.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from pregon.base.fechas import MESES
from pregon.base.hashing import sha256_bytes
from pregon.instituto.portal import formato
from pregon.instituto.portal.grafica import Grafica, Serie, draw
from pregon.instituto.publico.formas import hora
from pregon.instituto.publico.frases import MARCAS, frase, lapso, resumen, retraso
from pregon.instituto.publico.modelo import PALABRAS
from pregon.instituto.registro.lista import largo
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from pregon.instituto.publico.modelo import Actas, Contienda, Noche, Publico
    from pregon.instituto.workspace import Workspace

LISTA, SITUACION, NOCHE = "index.html", "situacion.html", "noche.html"
INCRUSTA = "incrusta.js"
"""Asked for by pages of others: its name never changes."""
POLITICA = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""The CSP of each page: nothing inline, nothing of others. Whoever serves it says who may frame it."""
RECIENTES = 12
"""Cuts that the table shows at once; older ones are folded."""
_HASH_DIGITS = 12
_MAX_CENTESIMAS = 10_000


@dataclass(frozen=True)
class Pagina:
    """One page of the site, as its menu calls it."""

    ruta: str
    nombre: str


PAGINAS = (Pagina(LISTA, "Difusores"), Pagina(SITUACION, "Cómo van"), Pagina(NOCHE, "La noche"))


@dataclass(frozen=True)
class Capitulo:
    """One contest of the night: what the newest cut counts, and its course where there are two cuts or more."""

    id: str
    titulo: str
    actas: Actas
    grafica: Grafica | None
    dicho: str

    @property
    def capturadas(self) -> str:
        """Of the expected actas, per cent."""
        return trunc4(self.actas.capturadas, self.actas.esperadas)

    @property
    def contabilizadas(self) -> str:
        """Of the expected actas, per cent."""
        return trunc4(self.actas.contabilizadas, self.actas.esperadas)


class Paginas:
    """Compiles the templates when made; then it renders any number of states of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        zone = workspace.convocatoria.zona
        own = files("pregon.instituto.publico") / "estatico"
        sheet = "".join(
            (files(package) / folder / name).read_text(encoding="utf-8")
            for package, folder, name in (
                ("pregon.instituto.registro", "plantillas", "lista.css"),
                ("pregon.instituto.portal", "estilos", "noche.css"),
                ("pregon.instituto.publico", "estatico", "publico.css"),
            )
        )
        self._estilo, css = _named("publico", "css", sheet.encode())
        self._guion, script = _named("publico", "js", (own / "publico.js").read_bytes())
        self.recursos = {self._estilo: css, self._guion: script, INCRUSTA: (own / INCRUSTA).read_bytes()}
        """What pages ask for, by name."""
        environment = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("pregon.instituto.publico", "plantillas"),
                    PackageLoader("pregon.instituto.registro", "plantillas"),
                    PackageLoader("pregon.instituto.portal", "plantillas"),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals["nbsp"] = formato.NBSP
        environment.filters.update(
            hora=lambda instant: formato.hora(instant, zone),
            fecha=lambda instant: formato.fecha(instant, zone),
            entero=formato.entero,
            pct=formato.porcentaje,
            lapso=lapso,
            contabilizadas=lambda one: formato.porcentaje(trunc4(one.contabilizadas, one.esperadas)),
            largo=lambda instant: largo(instant, workspace.convocatoria),
            retraso=lambda one: retraso(one, zone),
        )
        self._environment = environment

    def todas(self, publico: Publico, version: int) -> dict[str, bytes]:
        """The pages of one state, by name."""
        night = publico.noche
        zone = self._workspace.convocatoria.zona
        lines = [one.renglon for one in publico.difusores]
        month = max((each.mes for one in publico.difusores for each in one.disponibilidad), default=None)
        newest = tuple(reversed(night.cortes))
        said = frase(night, publico.hora, zone)
        render = self._render
        return {
            LISTA: render(
                "difusores.html",
                LISTA,
                publico,
                version,
                listados=[line for line in lines if line.como != "no_valido"],
                no_validos=[line for line in lines if line.como == "no_valido"],
            ),
            SITUACION: render(
                "situacion.html",
                SITUACION,
                publico,
                version,
                noche=night,
                frase=said,
                difusores=publico.difusores,
                resumen=resumen(publico.difusores),
                palabras=PALABRAS,
                marcas=MARCAS,
                mes=None if month is None else MESES[int(month[-2:]) - 1],
                respondieron={
                    one.renglon.id: each.porcentaje
                    for one in publico.difusores
                    for each in one.disponibilidad
                    if each.mes == month
                },
            ),
            NOCHE: render(
                "cortes.html",
                NOCHE,
                publico,
                version,
                noche=night,
                frase=said,
                contiendas=[made for one in night.contiendas if (made := self._chapter(night, one)) is not None],
                recientes=newest[:RECIENTES],
                anteriores=newest[RECIENTES:],
            ),
        }

    def _render(self, template: str, name: str, publico: Publico, version: int, **context: object) -> bytes:
        space = self._workspace
        call, zone = space.convocatoria, space.convocatoria.zona
        site = {
            "generado": hora(space, publico.hora),
            "hora": publico.hora,
            "version": version,
            "politica": POLITICA,
            "nombre": call.nombre,
            "instituto": call.instituto_nombre or f"Instituto electoral ({call.instituto.upper()})",
            "simulacro": space.settings.ambiente == "simulacro",
            "estilo": self._estilo,
            "guion": self._guion,
            "paginas": PAGINAS,
            "pagina": name,
            "tiempo": formato.tiempo(zone),
            "huso": formato.huso(publico.hora, zone),
        }
        return self._environment.get_template(template).render(s=site, **context).encode()

    def _chapter(self, night: Noche, contest: Contienda) -> Capitulo | None:
        told = [(one.hora_corte, one.actas[contest.id]) for one in night.cortes if contest.id in one.actas]
        if not told:
            return None
        zone = self._workspace.convocatoria.zona
        captured = [trunc4(one.capturadas, one.esperadas) for _, one in told]
        counted = [trunc4(one.contabilizadas, one.esperadas) for _, one in told]
        chart, said = None, ""
        if len(told) > 1:
            lines = (
                _serie("capturadas", "A", "Capturadas", captured),
                _serie("contabilizadas", "B", "Contabilizadas", counted),
            )
            chart = draw([hour.astimezone(zone) for hour, _ in told], lines, tope=100, pasos=4, unidad="")
            said = (
                f"Las capturadas pasaron de {formato.porcentaje(captured[0])} a {formato.porcentaje(captured[-1])}; "
                f"las contabilizadas, de {formato.porcentaje(counted[0])} a {formato.porcentaje(counted[-1])}."
            )
        return Capitulo(contest.id, contest.titulo, told[-1][1], chart, said)


def _serie(key: str, letter: str, name: str, values: list[str]) -> Serie:
    hundredths = tuple(min(int(one.replace(".", "")) // 100, _MAX_CENTESIMAS) for one in values)
    return Serie(key, letter, f"l-{key}", hundredths, values[-1], name)


def _named(stem: str, suffix: str, data: bytes) -> tuple[str, bytes]:
    """A name that changes with its content: whoever keeps it may do so for ever."""
    return f"{stem}-{sha256_bytes(data)[:_HASH_DIGITS]}.{suffix}", data
