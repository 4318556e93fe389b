"""What the records say of the night itself: the cuts, their times, their integrity. Pure: of ``Registros`` alone.

A measurement of a night that has not been is ``pendiente``, never good.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from pregon.convocatoria.lectura import in_words
from pregon.difusor.cumplimiento.comun import (
    acuses_rotos,
    caido,
    del_manifiesto,
    en_hora,
    en_minutos,
    extremos,
    nombrados,
    pruebas_de,
    sin_cortes,
    terminada,
)
from pregon.difusor.cumplimiento.evidencia import Medicion
from pregon.difusor.cumplimiento.registros import diario

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.state import Event
    from pregon.difusor.cumplimiento.evidencia import Estado
    from pregon.difusor.cumplimiento.registros import Recibo, Registros

_CONTENIDO = ("contenido", "tamaño", "enlace", "especial")
_PRESENCIA = ("falta", "sobra")
"""Findings of the sweep that touched what people read; of a twin, only those of its content."""


def nada_antes(r: Registros) -> Medicion:
    """NADA_ANTES: the first signed acuse of something public is not before the start."""
    start = r.convocatoria.inicio
    shown = sorted([*r.recibos("publicado").values(), *r.recibos("visible").values()], key=lambda one: one.acuse.hora)
    if shown and shown[0].acuse.hora < start:
        when = en_hora(shown[0].acuse.hora, r)
        return Medicion(
            "no_cumple", f"Se publicó un corte antes de la hora de inicio: {when}.", when, pruebas_de(shown[:1])
        )
    if r.ahora < start:
        return Medicion("pendiente", f"Nada es público todavía; el inicio es el {in_words(start)}.")
    if not r.cortes:
        return sin_cortes(r, "primera publicación")  # Who was not there yet kept nothing back.
    if not shown:
        return Medicion("cumple", "La hora de inicio ya pasó y antes de ella no se publicó nada.", "0 antes")
    when = en_hora(shown[0].acuse.hora, r)
    text = f"Lo primero que fue público lo fue el {when}; el inicio era el {in_words(start)}."
    return Medicion("cumple", text, when, pruebas_de(shown[:1]))


def cortes_publicados(r: Registros) -> Medicion:
    """CORTES_PUBLICADOS: every number from the first to the last cut has its acuse «publicado»."""
    if (broken := acuses_rotos(r)) is not None:
        return broken
    published = r.recibos("publicado")
    numbers = [cut.corte for cut in r.cortes]
    if not numbers:
        return sin_cortes(r, "cortes publicados")
    expected = range(min(min(numbers), 1), max(numbers) + 1)
    lacking = [n for n in expected if n not in published]
    figure = f"{len(published)} de {len(expected)} cortes"
    proof = pruebas_de(
        [one for one in (published.get(min(published, default=0)), published.get(max(published, default=0))) if one]
    )
    if lacking and not (r.ahora < r.convocatoria.inicio or lacking == [max(numbers)]):
        text = f"Se publicaron {figure}; no se publicaron {nombrados(lacking)}."
        return Medicion("no_cumple", text, figure, proof)
    if not terminada(r):
        return Medicion("pendiente", f"Van publicados {figure}; la jornada no ha terminado.", figure, proof)
    if lacking:
        return Medicion("no_cumple", f"Se publicaron {figure}; falta el último.", figure, proof)
    text = f"Se publicaron los {len(expected)} cortes, del {min(expected)} al {max(expected)}."
    return Medicion("cumple", text, figure, proof)


def ultimo_corte(r: Registros) -> Medicion:
    """ULTIMO_CORTE: the pointer names the last cut that was accepted."""
    if not r.cortes:
        return sin_cortes(r, "último corte")
    last = r.cortes[-1]
    figure = f"corte {last.corte}"
    receipt = r.recibos("publicado").get(last.corte)
    proof = pruebas_de([receipt] if receipt else [])
    if r.ahora < r.convocatoria.inicio:
        return Medicion("pendiente", f"El {figure} está listo y se publicará a la hora de inicio.", figure)
    if r.mostrado == last.corte:
        return Medicion("cumple", f"Lo público es el {figure}, el último que entregó el instituto.", figure, proof)
    if r.suspendido is not None:
        return Medicion("no_cumple", f"Lo público es la página de aviso: {r.suspendido}", figure, proof)
    now = "ningún corte" if r.mostrado is None else f"el corte {r.mostrado}"
    return Medicion("no_cumple", f"El último que entregó el instituto es el {figure} y lo público es {now}.", figure)


def integridad(r: Registros) -> Medicion:
    """INTEGRIDAD: what the sweep of everything public found, all night; what it put right was altered too."""
    if not r.cortes:
        return sin_cortes(r, "integridad")
    found = [event for event in r.de("alterado") if _touched(event)]
    more = sum(int(event.dato.get("total", 0)) for event in r.de("alterados"))
    total = max(len(found), more)
    figure = f"{total} alteraciones"
    if r.retirados:
        text = (
            f"{len(r.retirados)} direcciones no se sirven: se alteraron ellas y su original ({nombrados(r.retirados)})."
        )
        return Medicion("no_cumple", text, figure, (diario(r.de("alterado", "alterados"), "Alteraciones"),))
    if total:
        text = (
            f"El repaso halló {total} alteraciones de lo publicado y las repuso; la última, "
            f"{found[-1].dato.get('ruta') if found else 'en el diario'}. Explíquelas al instituto."
        )
        return Medicion("no_cumple", text, figure, (diario(r.de("alterado", "alterados"), "Alteraciones"),))
    if r.barrido is None:
        return Medicion("pendiente", "Lo publicado aún no se ha repasado completo.")
    text = (
        f"El SHA-256 de todo lo publicado se volvió a calcular por última vez el {en_hora(r.barrido, r)} y es el del "
        "manifiesto del instituto; en toda la noche no se halló nada alterado."
    )
    remade = sum(int(event.dato.get("archivos", 0)) for event in r.de("reparado"))
    if remade:
        text += f" Al volver a iniciar se rehicieron {remade} archivos que no estaban completos."
    return Medicion("cumple", text, figure, del_manifiesto(r))


def _touched(event: Event) -> bool:
    """Whether what the sweep found was another content, and not permissions or a date alone."""
    problem, twin = event.dato.get("problema"), event.dato.get("gemelo_de")
    wanted, seen = event.dato.get("esperado"), event.dato.get("encontrado")
    return (
        problem in _CONTENIDO
        or (problem in _PRESENCIA and twin is None)
        or (wanted is not None and seen is not None and wanted != seen)
    )


def continuidad(r: Registros) -> Medicion:
    """CONTINUIDAD: no interruption, and the portal down for less than one interval in all."""
    stops = r.de("interrumpido")
    if stops:
        causes = sorted({str(event.dato.get("causa")) for event in stops})
        text = f"La publicación se interrumpió {len(stops)} veces (causas: {', '.join(causes)})."
        proof = (diario(r.de("interrumpido", "reanudado"), "Interrupciones"),)
        return Medicion("no_cumple", text, f"{len(stops)} interrupciones", proof)
    if not r.cortes:
        return sin_cortes(r, "continuidad")
    down = caido(r, r.convocatoria.inicio, r.ahora)
    figure = f"0 interrupciones, {en_minutos(down)} sin responder"
    if not terminada(r):
        return Medicion("pendiente", f"Hasta ahora, {figure}; la jornada no ha terminado.", figure)
    state: Estado = "cumple" if down < timedelta(minutes=r.convocatoria.intervalo_min) else "no_cumple"
    return Medicion(state, f"De principio a fin: {figure}.", figure, pruebas_de(extremos(r)))


def personalizada(r: Registros) -> Medicion:
    """PERSONALIZADA: there is no view of the difusor's own, or the institute's authorisation covers it."""
    allowed = r.convocatoria.personalizacion == "autorizada"
    if r.vista is None:
        rest = "" if allowed else ", que esta convocatoria no permite"
        return Medicion("cumple", f"No hay una presentación propia{rest}: se muestra la del instituto.", "ninguna")
    if r.vista_mal is not None:
        return Medicion("no_cumple", r.vista_mal, "1", (r.vista,))
    return Medicion("cumple", f"La presentación propia está autorizada: {r.vista.que}.", "1", (r.vista,))


_PRUEBAS = {
    "firma": "la firma del instituto",
    "suma": "las sumas que mandó el instituto",
    "ninguna": "nada: el instituto no firma ni manda sumas",
}


def prueba(r: Registros) -> Medicion:
    """PRUEBA: what proves each accepted cut; with neither signatures nor sums it is only said."""
    if not r.cortes:
        return sin_cortes(r, "prueba de lo recibido")
    kinds = sorted({cut.prueba for cut in r.cortes})
    words = " y ".join(_PRUEBAS.get(kind, kind) for kind in kinds)
    state: Estado = "declarado" if "ninguna" in kinds else "cumple"
    text = f"Lo que prueba los {len(r.cortes)} cortes aceptados es {words}. Nada que no lo pase se publica."
    return Medicion(state, text, f"{len(r.cortes)} cortes", del_manifiesto(r))


def retraso(r: Registros) -> Medicion:
    """RETRASO: seconds from signing (or from the start, if later) until public, the worst cut against the limit."""
    seconds = {}
    for cut in r.cortes:
        receipt = r.recibos("visible").get(cut.corte) or r.recibos("publicado").get(cut.corte)
        if receipt is not None:
            since = max(cut.firmado or cut.recibido, r.convocatoria.inicio)
            seconds[cut.corte] = ((receipt.acuse.hora - since).total_seconds(), receipt)
    limit = r.convocatoria.retraso_max_s or r.convocatoria.intervalo_min * 60
    return _times(r, seconds, limit, "desde que el instituto firma hasta que es público")


def transferencia(r: Registros) -> Medicion:
    """TRANSFERENCIA: seconds from signing until the package is here whole, the worst cut against the limit."""
    seconds = {
        corte: (receipt.acuse.segundos, receipt)
        for corte, receipt in r.recibos("recibido").items()
        if receipt.acuse.segundos is not None
    }
    limit = r.convocatoria.transferencia_max_s or r.convocatoria.intervalo_min * 60
    return _times(r, seconds, limit, "desde que el instituto firma hasta que el paquete está completo aquí")


def _times(r: Registros, seconds: Mapping[int, tuple[float, Recibo]], limit: int, what: str) -> Medicion:
    if (broken := acuses_rotos(r)) is not None:
        return broken
    if not seconds:
        return sin_cortes(r, f"tiempo {what}")
    worst = max(seconds, key=lambda corte: seconds[corte][0])
    took, receipt = seconds[worst]
    middle = median(value for value, _ in seconds.values())
    figure = f"{took:.1f} s el mayor, {middle:.1f} s la mediana de {len(seconds)} cortes"
    text = f"Tiempo {what}: {figure} (el mayor, el corte {worst}); lo más que se admite, {limit} s."
    proof = pruebas_de([receipt])
    if took > limit:
        return Medicion("no_cumple", text, figure, proof)
    return Medicion("cumple" if terminada(r) else "pendiente", text, figure, proof)


def permanencia(r: Registros) -> Medicion:
    """PERMANENCIA: the last cut was still public, and whole by the sweep, up to the date that the call gives."""
    until = r.convocatoria.permanencia_hasta or r.convocatoria.fin_actualizacion
    if r.ahora < until:
        return Medicion("pendiente", f"Debe seguir publicado hasta el {in_words(until)}.")
    if not r.cortes:
        return sin_cortes(r, "permanencia")
    last = r.cortes[-1].corte
    seen = r.barrido
    slack = timedelta(minutes=r.convocatoria.intervalo_min)
    stops = [event for event in r.de("interrumpido") if event.hora >= r.convocatoria.fin_actualizacion]
    down = caido(r, r.convocatoria.fin_actualizacion, until)
    if stops or down >= slack:
        text = (
            f"Antes del {in_words(until)} dejó de estar: {len(stops)} interrupciones, {en_minutos(down)} sin responder."
        )
        return Medicion("no_cumple", text, en_minutos(down), (diario(stops, "Interrupciones"),))
    if r.mostrado != last or seen is None or seen < until - slack:
        text = (
            f"Del último corte sólo consta que estaba el {en_hora(seen, r)}."
            if seen
            else "No consta que siga publicado."
        )
        return Medicion("no_cumple", f"{text} Debía estar hasta el {in_words(until)}.", None, del_manifiesto(r))
    text = (
        f"El corte {last} seguía publicado y completo el {en_hora(seen, r)}; debía estarlo hasta el {in_words(until)}."
    )
    return Medicion("cumple", text, f"corte {last}", del_manifiesto(r))


def paquete_completo(r: Registros) -> Medicion:
    """PAQUETE_COMPLETO: the last manifest has every election of the call."""
    if r.elecciones is None:
        return sin_cortes(r, "elecciones del paquete")
    lacking = [code for code in r.convocatoria.elecciones if code not in r.elecciones]
    figure = f"{len(r.elecciones)} elecciones"
    if lacking:
        return Medicion("no_cumple", f"El último corte no trae {nombrados(lacking)}.", figure, del_manifiesto(r))
    names = ", ".join(r.convocatoria.nombres_elecciones)
    return Medicion("cumple", f"El último corte trae todas las elecciones: {names}.", figure, del_manifiesto(r))
