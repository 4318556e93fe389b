"""Every ``medicion:`` of the clauses, by its code; here, those of before and after the night. Pure, of ``Registros``.

What the records do not have is ``pendiente`` and says how else it can be proved.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from pregon.base.fechas import fecha_larga
from pregon.convocatoria.lectura import in_words
from pregon.difusor.cumplimiento import noche
from pregon.difusor.cumplimiento.comun import (
    caidas,
    caido,
    del_manifiesto,
    dias,
    en_hora,
    nombrados,
    pruebas_de,
    sin_cortes,
    terminada,
)
from pregon.difusor.cumplimiento.evidencia import Evidencia, Medicion
from pregon.difusor.cumplimiento.registros import diario
from pregon.difusor.vigilancia.mirado import cubierto

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from pregon.difusor.cumplimiento.evidencia import Estado
    from pregon.difusor.cumplimiento.registros import Registros


def mide(r: Registros) -> dict[str, Medicion]:
    """Every measurement, by its code."""
    return {codigo: function(r) for codigo, function in MEDICIONES.items()}


def _revision_a_tiempo(r: Registros) -> Medicion:
    due = r.convocatoria.plazos.infraestructura
    if due is None:
        return Medicion("no_aplica", "El perfil no da una fecha para la infraestructura.")
    end = r.convocatoria.vence(due)
    # What proves the day is what was kept by then, also where another was kept later.
    kept = next((one for one in reversed(r.revisiones) if one.hora <= end), r.revision)
    limit = f"la infraestructura debía operar a más tardar el {in_words(due)}"
    if kept is None:
        state: Estado = "pendiente" if r.ahora <= end else "no_cumple"
        return Medicion(state, f"No hay una revisión guardada; {limit}.")
    waived = {one.clausula for one in r.declarado.dispensa if one.documento not in r.documentos_mal}
    failed = [
        one
        for one in kept.comprobaciones
        # MINIMOS only sums the others up: what of them is waived would come back by it.
        if one["estado"] == "falla" and one["clausula"] not in waived and one["codigo"] != "MINIMOS"
    ]
    when = en_hora(kept.hora, r)
    if failed:
        text = f"La revisión del {when} halló fallas ({nombrados(one['codigo'] for one in failed)}); {limit}."
        return Medicion("pendiente" if r.ahora <= end else "no_cumple", text, when, (kept.evidencia,))
    if kept.hora > end:
        text = (
            f"La revisión guardada, sin fallas, es del {when}; {limit}. Si tiene otra constancia de antes, declárela."
        )
        return Medicion("pendiente", text, when, (kept.evidencia,))
    return Medicion("cumple", f"La revisión del {when} no halló fallas sin dispensa; {limit}.", when, (kept.evidencia,))


def _simulacros(r: Registros) -> Medicion:
    days = {one.fecha: one.nombre for one in r.convocatoria.simulacros}
    return _days(r, days, "simulacro", "simulacros")


def _pruebas(r: Registros) -> Medicion:
    days = {day: window.nombre for window in r.convocatoria.ventanas_prueba for day in dias(window.desde, window.hasta)}
    return _days(r, days, "día de pruebas", "pruebas")


def _days(r: Registros, days: Mapping[date, str], que: str, clave: str) -> Medicion:
    if not days:
        return Medicion("no_aplica", f"El perfil no tiene ningún {que}.")
    zone = r.convocatoria.zona
    took = {one.acuse.hora.astimezone(zone).date(): one for one in r.recibos("publicado").values()}
    took |= {one.acuse.hora.astimezone(zone).date(): one for one in r.recibos("recibido").values()}
    done = [day for day in days if day in took]
    figure = f"{len(done)} de {len(days)}"
    lacking = [fecha_larga(day) for day in days if day not in took]
    proof = pruebas_de([took[day] for day in done])
    if not lacking:
        return Medicion("cumple", f"Aquí se recibieron paquetes en cada {que}.", figure, proof)
    text = (
        f"En este espacio de trabajo no constan: {nombrados(lacking)}. Si se hicieron en otro, declárelos con "
        f"«pregon difusor declara DIR {clave}»."
    )
    return Medicion("pendiente", text, figure, proof)


def _historial(r: Registros) -> Medicion:
    if not r.cortes:
        return sin_cortes(r, "historial")
    figure = f"{r.archivados} de {len(r.cortes)} cortes"
    bad = [*r.incompletos, *(f"Se dañó un original del corte {one.dato.get('corte')}." for one in r.de("dañado"))]
    if bad or r.archivados < len(r.cortes):
        return Medicion("no_cumple", " ".join(bad[:3]) or f"Se conservan {figure}.", figure, del_manifiesto(r))
    text = f"Se conserva lo recibido de los {len(r.cortes)} cortes, tal como llegó."
    return Medicion("cumple" if terminada(r) else "pendiente", text, figure, del_manifiesto(r))


def _bitacoras(r: Registros) -> Medicion:
    asked = r.convocatoria.memoria
    if asked is None or asked.bitacoras_desde is None or asked.bitacoras_hasta is None:
        return Medicion("no_aplica", "El perfil no pide bitácoras de días determinados.")
    zone = r.convocatoria.zona
    first = datetime.combine(asked.bitacoras_desde, time(23, 59, 59), zone)
    last = datetime.combine(asked.bitacoras_hasta, time(), zone)
    span = f"del {in_words(asked.bitacoras_desde)} al {in_words(asked.bitacoras_hasta)}"
    proof = tuple(one for one, _, _ in r.bitacoras)
    figure = f"{len(proof)} archivos"
    if r.ahora < r.convocatoria.vence(asked.bitacoras_hasta):
        return Medicion("pendiente", f"Se piden las bitácoras {span}; esos días no han terminado.", figure, proof)
    if not proof:
        text = (
            f"No hay bitácoras del servidor de Pregón {span}. Si atiende otro servidor web, declárelas («bitacoras»)."
        )
        return Medicion("pendiente", text, figure)
    begins, ends = min(begin for _, begin, _ in r.bitacoras), max(end for _, _, end in r.bitacoras)
    held = f"van del {en_hora(begins, r)} al {en_hora(ends, r)}"
    if begins > first or ends < last:
        return Medicion("no_cumple", f"Las bitácoras {held}, y se piden {span}.", figure, proof)
    return Medicion("cumple", f"Las bitácoras {held}; se piden {span}.", figure, proof)


_INCIDENCIAS = ("interrumpido", "reanudado", "rechazado", "fallo", "alterado", "alterados", "dañado", "alarma", "falla",
                "nube_falla", "estado_apartado", "retraso_anunciado", "avisos_sin_leer", "aviso_cambiado")  # fmt: skip


def _incidencias(r: Registros) -> Medicion:
    found = r.de(*_INCIDENCIAS)
    figure = f"{len(found)} incidencias"
    proof = (diario(found, "Incidencias"),)
    if not terminada(r) or not r.cortes:
        return Medicion("pendiente", f"Van anotadas {figure}; la jornada no ha terminado.", figure, proof)
    counts: dict[str, int] = {}
    for event in found:
        counts[event.tipo.replace("_", " ")] = counts.get(event.tipo.replace("_", " "), 0) + 1
    kinds = ", ".join(f"{kind}: {n}" for kind, n in sorted(counts.items()))
    rest = f" ({kinds})" if kinds else ""
    return Medicion(
        "cumple", f"El diario de la noche tiene {figure}{rest}, con su hora, para la memoria.", figure, proof
    )


def _disponibilidad(r: Registros) -> Medicion:
    wanted = r.convocatoria.disponibilidad
    if wanted is None:
        return Medicion("no_aplica", "El perfil no pide una disponibilidad.")
    start = r.convocatoria.inicio
    if r.ahora <= start or not r.cortes:
        return sin_cortes(r, "disponibilidad")
    end = min(r.ahora, r.convocatoria.permanencia_hasta or r.convocatoria.fin_actualizacion)
    down, watched = caido(r, start, end), cubierto(r.mirado, start, end)
    # Of what nobody watched nothing is known: it counts as answered for the best, and as not answered for the worst.
    best = 100 * (1 - down / (end - start))
    worst = 100 * (max(watched - down, timedelta()) / (end - start))
    span = f"Del {en_hora(start, r)} al {en_hora(end, r)}"
    proof = (diario(caidas(r), "Alarmas de que el portal no responde"),)
    if best < wanted:
        figure = f"{best:.3f} %"
        return Medicion("no_cumple", f"{span} respondió, a lo más, el {figure} del tiempo; se pide {wanted} % mensual.",
                        figure, proof)  # fmt: skip
    figure = f"{worst:.3f} %"
    if worst < wanted:
        text = (
            f"{span} se miró la dirección pública el {100 * (watched / (end - start)):.3f} % del tiempo: de lo demás "
            f"no consta que respondiera; se pide {wanted} % mensual. Complételo con lo que midió alguien más."
        )
        return Medicion("pendiente", text, figure, proof)
    text = f"{span} respondió el {best:.3f} % del tiempo; se pide {wanted} % mensual."
    return Medicion("cumple" if terminada(r) else "pendiente", text, f"{best:.3f} %", proof)


def _purga(r: Registros) -> Medicion:
    if not r.nube:
        text = "No hay un destino con CDN en los ajustes ([[nube]]). Si la CDN es de otro, declárelo («purga»)."
        return Medicion("pendiente", text, "0 destinos")
    receipts = r.recibos("visible")
    if not receipts:
        return sin_cortes(r, "purga de la CDN")
    without = [
        corte
        for corte, one in sorted(receipts.items())
        if not any(isinstance(each, dict) and each.get("purgado") for each in one.acuse.payload.get("nube") or ())
    ]
    # One that was overtaken before it went up never reached the edge; one that the edge never showed looks the same.
    unseen = sorted(set(r.recibos("publicado")).difference(receipts))
    figure = f"{len(receipts) - len(without)} de {len(receipts) + len(unseen)} cortes"
    proof = pruebas_de([receipts[max(receipts)]])
    if without:
        return Medicion("no_cumple", f"La CDN se purgó en {figure}; no consta en {nombrados(without)}.", figure, proof)
    if unseen:
        text = f"La CDN se purgó en {figure}; de {nombrados(unseen)} no consta que llegara a mostrarse ahí."
        return Medicion("pendiente", text, figure, proof)
    text = f"La CDN se purgó en cada corte y después mostró el nuevo: {figure}."
    return Medicion("cumple" if terminada(r) else "pendiente", text, figure, proof)


def _dispensas(r: Registros) -> Medicion:
    waived = {one.clausula: one for one in r.declarado.dispensa}
    figure = f"{len(waived)} dispensas"
    bad = [one.clausula for one in waived.values() if one.documento in r.documentos_mal]
    if bad:
        return Medicion(
            "no_cumple", f"El documento de la dispensa de {nombrados(bad)} ya no es el que se guardó.", figure
        )
    if not waived:
        return Medicion("cumple", "El instituto no ha tenido que dispensar nada, o no se ha anotado.", figure)
    proof = tuple(
        Evidencia(
            f"Dispensa de {one.clausula}, decidida por {one.quien} el {fecha_larga(one.fecha)}",
            None if one.documento is None else f"cumplimiento/documentos/{one.documento}",
            one.sha256,
            one.hora,
        )
        for one in waived.values()
    )
    return Medicion(
        "cumple", f"El instituto dispensó {nombrados(sorted(waived))}; quién y cuándo, anotado.", figure, proof
    )


MEDICIONES: dict[str, Callable[[Registros], Medicion]] = {
    "BITACORAS": _bitacoras,
    "CONTINUIDAD": noche.continuidad,
    "CORTES_PUBLICADOS": noche.cortes_publicados,
    "DISPENSAS": _dispensas,
    "DISPONIBILIDAD": _disponibilidad,
    "HISTORIAL": _historial,
    "INCIDENCIAS": _incidencias,
    "INTEGRIDAD": noche.integridad,
    "NADA_ANTES": noche.nada_antes,
    "PAQUETE_COMPLETO": noche.paquete_completo,
    "PERMANENCIA": noche.permanencia,
    "PERSONALIZADA": noche.personalizada,
    "PRUEBA": noche.prueba,
    "PRUEBAS": _pruebas,
    "PURGA": _purga,
    "RETRASO": noche.retraso,
    "REVISION_A_TIEMPO": _revision_a_tiempo,
    "SIMULACROS": _simulacros,
    "TRANSFERENCIA": noche.transferencia,
    "ULTIMO_CORTE": noche.ultimo_corte,
}
"""By code. Each is one function of the records."""
