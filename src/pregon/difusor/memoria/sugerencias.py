"""What the measures themselves suggest for the next time: each a sentence with the number that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.difusor.memoria.memoria import Memoria

_ROBOTS_PCT = 30
_ERRORES_POR_MIL = 1
_PERDIDAS_PCT = 2
_VIGILADO_PCT = 99
_MALOS_PCT = 1
_DEL_CORTE = "/corte.json"
"""Asked for by every page that shows results elsewhere, also before there are any."""


def propuestas(memoria: Memoria) -> tuple[str, ...]:
    """Them, those of the night first. None where nothing calls for any."""
    return (*_of_the_night(memoria), *_of_the_logs(memoria))


def _of_the_night(m: Memoria) -> Iterator[str]:
    call, night = m.convocatoria, m.noche
    fresh, there = night.frescura, night.disponibilidad
    if fresh is not None and fresh.peor_s > call.intervalo_min * 60:
        yield (
            f"El corte {fresh.peor_corte} fue público {fresh.peor_s:,.0f} s después de su hora, más de un intervalo: "
            "ver con el instituto dónde se fue ese tiempo (captura, firma, entrega o publicación)."
        )
    lacking = len(night.cortes) - night.publicados
    if lacking:
        yield f"De {lacking:,} cortes recibidos no consta que fueran públicos: revisar la causa."
    if there is not None and there.caido_s:
        yield (
            f"El sitio no respondió durante {there.caido_s:,} s en {there.caidas:,} tramos: prever un segundo servidor "
            "u otra salida a Internet."
        )
    if there is not None and night.vigilado_s * 100 < there.segundos * _VIGILADO_PCT:
        yield "Vigilar la dirección pública toda la noche, desde el inicio: de lo que no se mira no puede decirse nada."


def _of_the_logs(m: Memoria) -> Iterator[str]:
    measure = m.medida("prep")
    if measure is None:
        return
    if measure.por_minuto and not m.simulado:
        peak = max(measure.por_minuto, key=lambda one: (one.hits, -one.desde))
        yield (
            f"El minuto con más hits tuvo {peak.hits:,} ({peak.bytes * 8 / 60_000_000:,.1f} Mbps en promedio): con ese "
            "dato conviene calcular el aforo de la próxima noche."
        )
    errors = sum(one.hits for one in measure.estados if one.nombre.startswith("5"))
    if errors * 1000 > measure.hits * _ERRORES_POR_MIL:
        yield f"Hubo {errors:,} respuestas 5xx de {measure.hits:,} hits: revisar el servidor y lo que tiene delante."
    # What was asked for before it was there (the waiting page answers 404) is nobody's wrong link.
    here = {one.nombre for one in measure.rutas} | {_DEL_CORTE}
    strange = [one for one in measure.perdidas if one.nombre not in here]
    lost = sum(one.hits for one in strange)
    if lost * 100 > measure.hits * _PERDIDAS_PCT:
        yield (
            f"Se pidieron {lost:,} veces direcciones que nunca estuvieron; la más pedida, «{strange[0].nombre}»: si es "
            "un enlace propio, corregirlo."
        )
    if measure.hits_robots * 100 > measure.hits * _ROBOTS_PCT:
        yield (
            f"{measure.hits_robots * 100 // measure.hits} % de los hits son de programas: conviene anunciarles la base "
            "de datos y los JSON, que pesan menos que las páginas."
        )
    if m.medidas is not None and m.medidas.malos * 100 > m.medidas.lineas * _MALOS_PCT:
        yield f"{m.medidas.malos:,} renglones de las bitácoras no se entienden: revisar su formato antes de la noche."
