"""The file of a difusor and the file of a cut as papers, from the facts. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pregon.base.hashing import grupos
from pregon.instituto.bitacora import datos, frases, integridad, secciones
from pregon.instituto.bitacora.asunto import avisos_del_asunto, cierres, citadas, del_corte, ventana
from pregon.instituto.bitacora.documento import Celda, Cifra, Documento, Seccion, fila, tabla
from pregon.instituto.bitacora.hechos import en_claro_para
from pregon.instituto.monitor import formas
from pregon.instituto.proceso.diario import cierre_de

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from pregon.instituto.bitacora.asunto import Asunto
    from pregon.instituto.bitacora.cadena import Verificacion
    from pregon.instituto.bitacora.hechos import Hechos, Suceso
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.paquete.manifest import Autorizacion
    from pregon.trust.acuse import Acuse

FORMATO = "pregon/expediente/1"


def expediente(
    hechos: Hechos, asunto: Asunto, read: Verificacion, acuses: Sequence[tuple[str, Acuse]]
) -> tuple[Documento, dict[str, Any]]:
    """The file of ``asunto`` as a paper, and the same facts as JSON types."""
    if asunto.difusor is not None:
        return _de_difusor(hechos, asunto, read, acuses)
    return _de_corte(hechos, asunto, read, acuses)


def _de_difusor(
    hechos: Hechos, asunto: Asunto, read: Verificacion, acuses: Sequence[tuple[str, Acuse]]
) -> tuple[Documento, dict[str, Any]]:
    ident = asunto.difusor or ""
    zone = hechos.workspace.convocatoria.zona
    known = hechos.inscritos.get(ident)
    closed = cierres(hechos, ident)
    told = [one for one in hechos.diario.advertencias.values() if one.difusor == ident]
    warned = [one for one in told if one.periodo is not None]
    ordered = [one for one in hechos.diario.ordenes.values() if one.difusor == ident]
    notices = avisos_del_asunto(hechos, asunto)
    rounds = list(hechos.rondas(*ventana(hechos, asunto), difusor=ident))
    verdicts = [each for one in rounds for each in one.dictamenes]
    cited = citadas(hechos, ident)
    seen = [each for one in rounds for each in one.observaciones if each.n in cited]
    events = [one for one in hechos.bitacora if en_claro_para(one, ident) and not _of_others(one, ident)]
    count = Counter(one.resultado for one, _ in closed)
    paper = papel(
        hechos,
        "Expediente de un difusor",
        f"Expediente de {hechos.nombre(ident)}",
        ident,
        (
            ("Difusor", Celda(ident)),
            *(() if known is None else (("Sitio", Celda(known.url)),)),
            *(() if known is None else (("Registrado", Celda(frases.hora(known.alta, zone))),)),
            (
                "Estado",
                Celda("sin registro") if known is None else Celda(known.estado, frases.ESTADOS.get(known.estado, "")),
            ),
            *integridad.cabeza(read),
        ),
        (
            Cifra("Cortes que mostró a tiempo", str(count["cumplio"]), "bien" if count["cumplio"] else ""),
            Cifra("Cortes que no mostró", str(count["fallo"]), "falla" if count["fallo"] else "bien"),
            Cifra("Cortes que no cuentan", str(count["no_cuenta"])),
            Cifra("Advertencias", str(len(warned)), "aviso" if warned else ""),
            Cifra("Órdenes", str(len(ordered)), "aviso" if ordered else ""),
            integridad.cifra_de_integridad(read),
        ),
        (
            secciones.cuenta(closed, zone),
            secciones.advertencias(told, zone),
            secciones.ordenes(ordered, zone),
            secciones.avisos(notices, zone),
            secciones.estados(known, zone),
            secciones.vigilancia(verdicts, zone),
            secciones.observaciones(seen, zone),
            secciones.acuses(acuses, zone),
            secciones.sucesos(events, zone),
            integridad.integridad(read),
        ),
    )
    data = datos.base(hechos, FORMATO, read) | {
        "de": asunto.as_dict(),
        "nombre": hechos.nombre(ident),
        "estado": None if known is None else known.estado,
        "periodos": datos.sucesos(hechos, ident, "periodo"),
        "advertencias": [datos.advertencia(one) for one in told],
        "ordenes": [datos.orden(one) for one in ordered],
        "avisos": [one.to_json() for one in notices],
        "vigilancia": datos.vigilancia(verdicts),
        "observaciones_citadas": [formas.de_observacion(one) for one in seen],
        "acuses": [datos.acuse(nodo, one) for nodo, one in acuses],
    }
    return paper, data


def _of_others(suceso: Suceso, difusor: str) -> bool:
    """An event that names somebody else, or that only the sections before tell of."""
    return suceso.tipo == "sello" or (suceso.dato.get("difusor") not in (None, difusor))


def _de_corte(
    hechos: Hechos, asunto: Asunto, read: Verificacion, acuses: Sequence[tuple[str, Acuse]]
) -> tuple[Documento, dict[str, Any]]:
    zone = hechos.workspace.convocatoria.zona
    cut = hechos.corte(asunto.corte or 0)
    begin, end = ventana(hechos, asunto)
    events = [one for one in hechos.bitacora if del_corte(one, cut.numero, begin, end)]
    closed = [cierre_de(dict(one.dato)) for one in events if one.tipo == "periodo"]
    delivered = [one for one in events if one.tipo == "entrega"]
    notices = avisos_del_asunto(hechos, asunto)
    last: dict[str, Dictamen] = {}
    for one in hechos.rondas(begin, end):
        last.update((each.difusor, each) for each in one.dictamenes)
    manifest = cut.manifiesto
    count = Counter(one.resultado for one in closed)
    paper = papel(
        hechos,
        "Expediente de un corte",
        f"Expediente del corte {cut.numero:04d}",
        f"corte {cut.numero:04d}",
        (
            ("Hora del corte", Celda(frases.hora(manifest.hora_corte, zone))),
            ("Firmado", Celda("no consta" if cut.firmado is None else frases.hora(cut.firmado, zone))),
            ("Lo ordenó", Celda("no consta" if cut.suceso is None else str(cut.suceso.dato.get("operador") or "—"))),
            ("Archivos", Celda(f"{len(manifest.archivos):,}")),
            ("Manifiesto (SHA-256)", Celda(grupos(cut.sha256), fija=True)),
            (
                "El del corte anterior",
                Celda("es el primero" if manifest.anterior is None else grupos(manifest.anterior), fija=True),
            ),
            *integridad.cabeza(read),
        ),
        (
            Cifra("Difusores que lo mostraron", str(count["cumplio"]), "bien" if count["cumplio"] else ""),
            Cifra("Que no lo mostraron", str(count["fallo"]), "falla" if count["fallo"] else "bien"),
            Cifra("No cuenta", str(count["no_cuenta"])),
            Cifra("Nodos a los que se entregó", str(len({one.dato.get("destino") for one in delivered}))),
            Cifra("Autorizaciones", str(len(manifest.autorizaciones)), "aviso" if manifest.autorizaciones else ""),
            integridad.cifra_de_integridad(read),
        ),
        (
            _autorizaciones(manifest.autorizaciones, zone),
            _cierre_por_difusor(hechos, closed, last, zone),
            _entregas(delivered, zone),
            secciones.acuses(acuses, zone),
            secciones.avisos(notices, zone),
            secciones.sucesos([one for one in events if one.tipo not in ("periodo", "entrega", "acuse")], zone),
            integridad.integridad(read),
        ),
    )
    data = datos.base(hechos, FORMATO, read) | {
        "de": asunto.as_dict(),
        "hora_corte": manifest.hora_corte.isoformat(),
        "firmado": None if cut.firmado is None else cut.firmado.isoformat(),
        "manifiesto_sha256": cut.sha256,
        "periodos": [dict(one.dato) for one in events if one.tipo == "periodo"],
        "entregas": [{"hora": one.hora.isoformat(), **one.dato} for one in delivered],
        "dictamenes": [formas.de_dictamen(one) for _, one in sorted(last.items())],
        "avisos": [one.to_json() for one in notices],
        "acuses": [datos.acuse(nodo, one) for nodo, one in acuses],
    }
    return paper, data


def _autorizaciones(found: Sequence[Autorizacion], zone: ZoneInfo) -> Seccion:
    return Seccion(
        "autorizaciones",
        "Lo que alguien autorizó en los datos",
        tabla=tabla(
            (("Hallazgo", 1), ("Motivo", 3), ("Lo autorizó", 1), ("Cuándo", 0)),
            [fila(one.codigo, one.motivo, one.operador, frases.corta(one.hora, zone)) for one in found],
            vacia="Nada: la revisión de los datos no encontró qué autorizar.",
        ),
    )


def _cierre_por_difusor(hechos: Hechos, closed: Sequence[Cierre], last: dict[str, Dictamen], zone: ZoneInfo) -> Seccion:
    by_difusor = {one.difusor: one for one in closed}
    rows = []
    for ident in sorted(by_difusor.keys() | last.keys()):
        ended, seen = by_difusor.get(ident), last.get(ident)
        rows.append(
            fila(
                hechos.nombre(ident),
                Celda("aún no cierra", "gris") if ended is None else Celda(*frases.RESULTADOS[ended.resultado]),
                "" if ended is None else ended.porque,
                Celda("") if seen is None else Celda(*frases.VEREDICTOS[seen.veredicto]),
                "" if seen is None else frases.corta(seen.hora, zone),
            )
        )
    return Seccion(
        "difusores",
        "Cómo terminó para cada difusor",
        tabla=tabla(
            (("Difusor", 2), ("Resultado", 0), ("Por qué", 3), ("Último dictamen", 0), ("Cuándo", 0)),
            rows,
            vacia="No cerró para ninguno, y nadie lo observó.",
        ),
    )


def _entregas(found: Sequence[Suceso], zone: ZoneInfo) -> Seccion:
    rows = [
        fila(
            frases.corta(one.hora, zone),
            str(one.dato.get("destino", "")),
            Celda(str(one.dato["codigo"]), "falla")
            if one.dato.get("codigo") not in (None, "ENTREGADO")
            else Celda("entregado", "bien"),
            f"{one.dato.get('bytes') or 0:,}",
            f"{one.dato.get('segundos') or 0:.1f}",
            str(one.dato.get("intentos") or ""),
            str(one.dato.get("que_paso") or ""),
        )
        for one in found
    ]
    return Seccion(
        "entregas",
        "Entregas",
        tabla=tabla(
            (
                ("Cuándo", 0),
                ("Nodo", 2),
                ("Resultado", 0),
                ("Bytes", 0),
                ("Segundos", 0),
                ("Intentos", 0),
                ("Qué pasó", 3),
            ),
            rows,
            vacia="No consta ninguna.",
        ),
    )


def papel(
    hechos: Hechos,
    clase: str,
    titulo: str,
    de: str,
    datos: tuple[tuple[str, Celda], ...],
    cifras: tuple[Cifra, ...],
    partes: tuple[Seccion, ...],
) -> Documento:
    """A paper of this night with those parts; ``de`` stands at the head of each page."""
    return Documento(
        clase=clase,
        titulo=titulo,
        de=de,
        convocatoria=hechos.workspace.convocatoria,
        ambiente=hechos.workspace.settings.ambiente,
        hora=hechos.hora,
        datos=datos,
        cifras=cifras,
        secciones=partes,
    )
