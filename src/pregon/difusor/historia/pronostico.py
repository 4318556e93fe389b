"""Whether the disk is enough for the cuts that are left: what the night will still take, from what it took so far.

A difusor keeps every original (INE-II-a-ii-3b: some 20 GB of history; GRO-2.2c: packages of 40 to 550 MB; GRO-2.3j:
100 GB free), so the answer changes with each cut. It is a forecast on the safe side: it counts each cut that may still
come at the weight of the heaviest of the last ones, and on top what a cut needs while it is being received.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pregon.base.durable import Disk
from pregon.base.errors import DiscoError
from pregon.base.space import RESERVA, free_bytes
from pregon.difusor.historia.history import History
from pregon.trust.oferta import split_archives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace

RECIENTES = 6
"""Cuts whose heaviest stands for each that will come: packages grow as actas arrive."""
EXPANSION = 10
"""Bytes unpacked for each one of an archive, before any cut says it: pages and data are text."""
_MB = 1_000_000
_GB = 1_000_000_000
_TREES = 2
"""Trees that receiving a cut may take beside its archive: its contents, and the twins and room that unpacking asks."""

Base = Literal["recibidos", "perfil", "ninguna"]
_RECEIVED: Base = "recibidos"


@dataclass(frozen=True)
class Pronostico:
    """What the history will still take, in bytes, and whether it fits.

    ``cortes``: that may still come. ``por_corte``: what each leaves in the history. ``pico``: what one needs besides,
    while it is received. ``falta``: all of it together. ``libre``: what is free, less the reserve of Pregón. ``base``:
    where the weight comes from; «ninguna» where neither a cut nor the profile says it, and then only ``pico`` counts.
    ``nubes``: how many cuts' originals each target keeps too, by its name. ``por_traer``: bytes of those that, after a
    ``rehace``, are only there and will come back; ``falta`` has them.
    """

    cortes: int
    por_corte: int
    pico: int
    falta: int
    libre: int
    base: Base
    nubes: Mapping[str, int] = field(default_factory=dict)
    por_traer: int = 0

    @property
    def cabe(self) -> bool:
        """Whether what is free is enough."""
        return self.falta <= self.libre

    @property
    def texto(self) -> str:
        """For the administrator: one sentence, and where the originals are besides this disk."""
        return " ".join((self._of_the_cuts, *self._of_the_clouds))

    @property
    def _of_the_cuts(self) -> str:
        if self.cortes == 0:
            return "Ya no se esperan cortes: el histórico no crecerá."
        if self.base == "ninguna":
            return f"Faltan hasta {self.cortes} cortes; su tamaño se sabrá al llegar el primero."
        fits = "caben" if self.cabe else "NO caben"
        return (
            f"Faltan hasta {self.cortes} cortes, de {self.por_corte / _MB:,.1f} MB cada uno: con lo que se ocupa al "
            f"recibirlos, {self.falta / _MB:,.0f} MB, que {fits} en los {max(self.libre, 0) / _MB:,.0f} MB libres."
        )

    @property
    def _of_the_clouds(self) -> list[str]:
        kept = [
            f"La nube «{name}» guarda también los originales de {cuts} cortes." for name, cuts in self.nubes.items()
        ]
        back = f"De la nube volverán {self.por_traer / _MB:,.0f} MB de historial, que ya se cuentan."
        return [*kept, back] if self.por_traer else kept

    def as_dict(self) -> dict[str, Any]:
        """The fields, ``cabe`` and ``texto``."""
        return {**asdict(self), "cabe": self.cabe, "texto": self.texto}


@dataclass(frozen=True)
class Medida:
    """What one accepted cut weighs: its originals (with the whole archive, if it is still to come), its archive, its
    tree unpacked (None where its manifest is damaged)."""

    originales: int
    archivo: int
    arbol: int | None = None


def forecast_of(call: Convocatoria, ultimo: Aceptado | None, medidas: Sequence[Medida], libre: int) -> Pronostico:
    """The forecast after ``ultimo``, the newest accepted cut, from the ``medidas`` of all, oldest first. Pure."""
    left = _cuts_left(call, ultimo)
    if medidas:
        # The first brings everything, and those after it what changed.
        recent = [measure.originales for measure in medidas[1:] or medidas][-RECIENTES:]
        weight, base = max(recent), _RECEIVED
        archive = max(measure.archivo for measure in medidas)
        tree = max((measure.arbol or 0 for measure in medidas), default=0) or archive * EXPANSION
    else:
        weight, base = _from_profile(call, left)
        archive = weight
        tree = archive * EXPANSION
    peak = archive + _TREES * tree if left else 0
    return Pronostico(left, weight, peak, left * weight + peak, libre, base)


def _from_profile(call: Convocatoria, left: int) -> tuple[int, Base]:
    """What the text says: the greatest package, else the mean one, else the history shared among the cuts."""
    package, history = call.paquete, call.historial
    weights = [size * _MB for size in (package.tam_max_mb or package.tam_medio_mb,) if size is not None]
    if history.gb is not None and left:
        weights.append(history.gb * _GB // left)
    return (max(weights), "perfil") if weights else (0, "ninguna")


def _cuts_left(call: Convocatoria, ultimo: Aceptado | None) -> int:
    """Those that may still come: one each interval up to the end of updates, by the shorter of the profile's interval
    and the one that the last cut promised."""
    interval = timedelta(minutes=call.intervalo_piso_min or call.intervalo_min)
    if ultimo is None:
        return _times(call.fin_actualizacion - call.inicio, interval) + 1  # One at the start, one at the end.
    if ultimo.ultimo:
        return 0
    if ultimo.proximo is not None and timedelta() < ultimo.proximo - ultimo.hora_corte < interval:
        interval = ultimo.proximo - ultimo.hora_corte
    return _times(call.fin_actualizacion - max(ultimo.hora_corte, call.inicio - interval), interval)


def _times(span: timedelta, interval: timedelta) -> int:
    return max(0, -(-span // interval))


def forecast(workspace: Workspace, libro: Libro, now: datetime) -> Pronostico:
    """The forecast of a workspace as it is; reads the sizes of its originals and one manifest, changes nothing.

    Once the profile's permanence is over nothing more is expected, whatever the last cut said (GRO-1.1c); where the
    text gives none, a day after the last update.
    """
    call, cuts = workspace.convocatoria, libro.cortes()
    history = History(workspace.historico, Disk())
    whole_kept = call.historial.conservar == "completo"
    measures = [_measure(history, cut, whole_kept=whole_kept) for cut in cuts]
    if measures:
        measures[-1] = Medida(measures[-1].originales, measures[-1].archivo, _tree(history, cuts[-1]))
    found = forecast_of(call, libro.ultimo(), measures, free_bytes(workspace.folder) - RESERVA)
    if now > (call.permanencia_hasta or call.fin_actualizacion + timedelta(days=1)):
        found = Pronostico(0, found.por_corte, 0, 0, found.libre, found.base)
    return _with_clouds(found, workspace, libro, history)


def _with_clouds(found: Pronostico, workspace: Workspace, libro: Libro, history: History) -> Pronostico:
    """With what the targets of ``[[nube]]`` keep of the history."""
    clouds: dict[str, int] = {}
    away: dict[int, int] = {}
    for target in workspace.settings.nube:
        if target.historial:
            kept = libro.en_nube(target.nombre)
            clouds[target.nombre] = sum(1 for files in kept.values() if files)
            absent = {cut: sum(int(each["bytes"]) for each in kept[cut]) for cut in kept}
            away |= {cut: size for cut, size in absent.items() if size and not history.folder(cut).exists()}
    coming = sum(away.values())
    return replace(found, nubes=clouds, por_traer=coming, falta=found.falta + coming)


def _measure(history: History, cut: Aceptado, *, whole_kept: bool) -> Medida:
    whole, names = split_archives(cut.archivos)[0], {path.name for path in history.archives(cut.corte)}
    to_come = whole.bytes if whole is not None and whole_kept and whole.nombre not in names else 0
    return Medida(history.weight(cut.corte) + to_come, 0 if whole is None else whole.bytes)


def _tree(history: History, cut: Aceptado) -> int | None:
    try:
        return sum(entry.bytes for entry in history.manifest(cut)[0].archivos)
    except DiscoError:
        return None
