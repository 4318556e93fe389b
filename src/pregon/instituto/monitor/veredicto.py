"""What is said of one difusor at one instant. Pure: observations, slots and rules in, one ``Dictamen`` out.

The order, from what excuses to what accuses:

1. What a vantage point saw while it had no network of its own is left out. Nothing left: ``sin_determinar``.
2. Each vantage point is judged by its newest observation, at the hour of that observation and not at a later one.
3. Altered or early content is ``alterado``, whoever else saw it well: over HTTPS only the difusor's own server, or one
   that holds its key, can have answered so. Over plain HTTP the network may have, if another point read the same file
   as it should be.
4. An older cut than the one that is due is ``atrasado``. It is the network's where another point saw the newest one
   before or meanwhile (an old copy on the way), and the difusor's where nobody did.
5. Not reached from one point and as it should be from another is ``al_dia``, with the network as the cause of what is
   missing. Reached from none is ``inaccesible``: the difusor's where two points with network say so (one, where there
   is only one), nobody's otherwise. TLS seen wrong is no silence: one point is enough.
6. What is left is as it should be: ``al_dia``, or ``atrasado`` by the institute where the institute owes a cut.
7. A difusor with several public addresses is judged at each one, and the worst is said: first what is its own failure.

A report of the difusor about itself never makes anything better: it only adds ``AUTOINFORME`` where it is not so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pregon.instituto.monitor.juicio import (
    RESPUESTA_MAX_S,
    VENTANA,
    Firmado,
    Juicio,
    Mando,
    Noche,
    Orden,
    Reglas,
    debe_el_instituto,
    debido,
    juzga,
)
from pregon.instituto.monitor.modelo import Causa, Dictamen, Motivo, Veredicto, Vista

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Observacion, Periodo

__all__ = [
    "RESPUESTA_MAX_S",
    "VENTANA",
    "Firmado",
    "Mando",
    "Reglas",
    "debe_el_instituto",
    "debido",
    "dictamina",
    "mirada",
]

PERDIDOS = 3
"""So many difusores lost at once by a point without witnesses, and none reached: it is the point that is lost."""
_CAUSAS: tuple[Causa, ...] = ("difusor", "red", "sin_determinar", "instituto", "ninguna")
_VEREDICTOS: tuple[Veredicto, ...] = ("alterado", "atrasado", "inaccesible", "sin_determinar", "al_dia")
"""The worst first."""
_ORDEN: tuple[Motivo, ...] = get_args(Motivo)


def dictamina(
    difusor: str,
    *,
    ahora: datetime,
    reglas: Reglas,
    periodos: Sequence[Periodo],
    observaciones: Iterable[Observacion],
    vistas: Iterable[Vista] = (),
    firmados: Sequence[Firmado] = (),
    mando: Mando = "publica",
    mando_desde: datetime | None = None,
    visible: int | None = None,
    puntos: int | None = None,
) -> Dictamen:
    """Judge ``difusor`` at ``ahora``.

    Args:
        periodos: every slot of the night so far, or of the whole night; those not signed yet have no cut.
        observaciones: of this difusor or of all; the old ones do no harm. The newest of each point and address counts.
        vistas: of each point, whether it had network; a point without any is believed to have had it.
        firmados: every signed cut, where a slot had more than one or a cut belongs to none (0000); the slots' own are
            added.
        mando: what it was ordered to show, and ``mando_desde`` since when: it has the tolerance to obey.
        visible: the cut that its own acuse says is visible.
        puntos: how many points there are; None: those of ``vistas`` and ``observaciones``.
    """
    if reglas.hasta is not None and ahora > reglas.hasta:
        return Dictamen(difusor=difusor, hora=ahora, veredicto="sin_determinar", causa="ninguna")
    newest: dict[tuple[str, int], Observacion] = {}
    for one in observaciones:
        if one.difusor == difusor and ahora - reglas.ventana < one.hora <= ahora:
            before = newest.get((one.punto, one.direccion))
            if before is None or (one.hora, one.n) >= (before.hora, before.n):
                newest[one.punto, one.direccion] = one
    points = _ultimas(vistas, ahora)
    seen = [one for one in newest.values() if (view := points.get(one.punto)) is None or view.con_red]
    if not seen:  # 1
        return Dictamen(
            difusor=difusor,
            hora=ahora,
            veredicto="sin_determinar",
            causa="red" if newest or any(not view.con_red for view in points.values()) else "sin_determinar",
        )
    night = Noche(reglas, periodos, _firmados(periodos, firmados), Orden(mando, mando_desde))
    judged = [juzga(one, night) for one in seen]  # 2
    known = {*points, *(punto for punto, _ in newest)}
    quorum = min(2, len(known) if puntos is None else puntos)
    places = {one.vista.direccion for one in judged}
    found = min(  # 7
        (_reune([one for one in judged if one.vista.direccion == place], points, quorum) for place in places),
        key=_gravedad,
    )
    motives = set(found.motivos)
    owed = night.debido(ahora)
    if visible is not None and owed is not None and visible >= owed.corte:
        # Who said that it shows an older one said what is so, and silence contradicts nothing.
        shown = max((one.vista.corte for one in judged if one.vista.corte is not None), default=0)
        wrong = found.veredicto in ("atrasado", "alterado") and found.causa != "instituto"
        if wrong and (visible > shown or found.veredicto == "alterado"):
            motives.add("AUTOINFORME")
    cuts = [one.vista.corte for one in found.juicios if one.vista.corte is not None]
    return Dictamen(
        difusor=difusor,
        hora=ahora,
        veredicto=found.veredicto,
        causa=found.causa,
        motivos=tuple(one for one in _ORDEN if one in motives),
        corte=None if not cuts else (min(cuts) if found.veredicto == "atrasado" else max(cuts)),
        atraso_s=found.atraso_s,
        evidencia=tuple(sorted({one.vista.n for one in found.juicios})),
    )


def mirada(punto: str, hora: datetime, *, testigos: Sequence[bool], alcanzados: Sequence[bool]) -> Vista:
    """Whether ``punto`` had network in a round: what its witnesses answered, and each difusor.

    Without witnesses, losing everybody at once (``PERDIDOS`` or more) is losing the network; losing one or two proves
    nothing either way, and then nobody vouches for the point (``alguien``).
    """
    reached = any(alcanzados)
    if testigos:
        return Vista(punto, hora, any(testigos), any(testigos) or reached)
    return Vista(punto, hora, reached or len(alcanzados) < PERDIDOS, reached)


# All the points.


@dataclass(frozen=True)
class _Hallado:
    veredicto: Veredicto
    causa: Causa
    motivos: frozenset[Motivo]
    juicios: tuple[Juicio, ...]
    atraso_s: float | None = None


def _reune(judged: Sequence[Juicio], points: Mapping[str, Vista], quorum: int) -> _Hallado:
    altered = [one for one in judged if one.veredicto == "alterado"]
    if altered:  # 3
        network = all(_por_la_red(one, judged) for one in altered)
        return _hallado("alterado", "red" if network else "difusor", altered)
    lost = [one for one in judged if one.veredicto == "inaccesible"]
    late = [one for one in judged if one.veredicto == "atrasado" and one.causa == "difusor"]
    good = [one for one in judged if one not in lost and one not in late]
    if late and good:  # 4
        # An old sighting before the first good one is what a difusor looks like just before it changes.
        since = min(one.vista.hora for one in good)
        if still := [one for one in late if one.vista.hora >= since]:
            return _hallado("atrasado", "red", still)
    elif late:
        return _hallado("atrasado", "difusor", late)
    if lost and not good:  # 5
        return _hallado("inaccesible", _de_quien(lost, points, quorum), lost)
    if institute := [one for one in good if one.causa == "instituto"]:  # 6
        return _hallado("atrasado", "instituto", institute)
    return _hallado("al_dia", "red" if lost else "ninguna", [*good, *lost])


def _de_quien(lost: Sequence[Juicio], points: Mapping[str, Vista], quorum: int) -> Causa:
    """Whose silence it is, where no point reached it."""
    if any("TLS" in one.motivos for one in lost):
        return "difusor"
    vouched = {one.vista.punto for one in lost if (view := points.get(one.vista.punto)) is None or view.alguien}
    return "difusor" if len(vouched) >= quorum else "sin_determinar"


def _gravedad(found: _Hallado) -> tuple[int, int]:
    return _CAUSAS.index(found.causa), _VEREDICTOS.index(found.veredicto)


def _hallado(veredicto: Veredicto, causa: Causa, judged: Sequence[Juicio]) -> _Hallado:
    behind = [
        (one.vista.hora - one.debido.firmado).total_seconds()
        for one in judged
        if one.debido is not None and one.veredicto == "atrasado"
    ]
    motives = frozenset(motive for one in judged for motive in one.motivos)
    return _Hallado(veredicto, causa, motives, tuple(judged), max(behind, default=None))


def _por_la_red(one: Juicio, judged: Sequence[Juicio]) -> bool:
    """Whether the network may have altered it: plain HTTP, and every altered file was read well from elsewhere."""
    if one.vista.url.startswith("https://") or "CONTENIDO" not in one.motivos:
        return False
    well = {
        (each.vista.corte, sample.ruta)
        for each in judged
        if each.vista.punto != one.vista.punto
        for sample in each.vista.muestras
        if sample.igual
    }
    return all(
        (one.vista.corte, sample.ruta) in well
        for sample in one.vista.muestras
        if not sample.igual and sample.sha256 is not None
    )


def _firmados(periodos: Iterable[Periodo], firmados: Iterable[Firmado]) -> dict[int, Firmado]:
    found = {
        one.corte: Firmado(corte=one.corte, firmado=one.firmado, manifiesto_sha256=one.manifiesto_sha256)
        for one in periodos
        if one.corte is not None and one.firmado is not None
    }
    found.update((one.corte, one) for one in firmados)
    return found


def _ultimas(vistas: Iterable[Vista], ahora: datetime) -> dict[str, Vista]:
    found: dict[str, Vista] = {}
    for one in vistas:
        if one.hora <= ahora and (one.punto not in found or one.hora >= found[one.punto].hora):
            found[one.punto] = one
    return found
