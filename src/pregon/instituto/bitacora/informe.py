"""The report of the night: what was signed, how each difusor ended, what went wrong and what was done about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pregon.base.jsonio import canonical_json
from pregon.instituto.bitacora import carpeta, datos, documento, frases, integridad, papeles, secciones, sellos
from pregon.instituto.bitacora.asunto import cierres
from pregon.instituto.bitacora.documento import Celda, Cifra, Documento, Seccion, fila, tabla
from pregon.instituto.bitacora.hechos import Hechos
from pregon.trust.aviso import TODOS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from pregon.instituto.bitacora.cadena import Verificacion
    from pregon.instituto.bitacora.carpeta import Escrita
    from pregon.instituto.bitacora.hechos import Suceso
    from pregon.instituto.proceso.diario import Advertencia
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.workspace import Workspace

FORMATO = "pregon/informe-noche/1"
SUCESO = "informe"
INCIDENTES = frozenset(
    {
        "corte_perdido",
        "corte_bloqueado",
        "retraso",
        "punto_sin_red",
        "acuse_rechazado",
        "relevo",
        "relevo_termina",
        "ceremonia",
        "nota",
    }
)
"""Events that the report of the night tells one by one."""


def escribe(workspace: Workspace, salida: Path, *, operador: str = "", con_pdf: bool = True) -> Escrita:
    """Write the report into ``salida`` (``informe.html``, ``.pdf``, ``.json``), signed, and note it in the journal.

    Raises:
        EntradaError: the key of avisos is not at hand. AjustesError: typst is not installed.
        EscrituraError: there is something at ``salida``. DiscoError: it could not be written. Nothing is left there.
    """
    carpeta.exige_libre(salida)
    hechos = Hechos.lee(workspace)
    read = sellos.revisa(workspace)
    paper, data = informe(hechos, read)
    files = [
        ("informe.html", documento.html(paper)),
        *([("informe.pdf", documento.pdf(paper))] if con_pdf else []),
        ("informe.json", canonical_json(data)),
    ]
    return carpeta.escribe(
        hechos, salida, files, tipo=FORMATO, suceso=SUCESO, de={}, operador=operador, integra=read.ok
    )


def informe(hechos: Hechos, read: Verificacion) -> tuple[Documento, dict[str, Any]]:
    """The report of the night."""
    zone = hechos.workspace.convocatoria.zona
    begin, end = hechos.noche
    night = [one for one in hechos.bitacora if begin <= one.hora <= end]
    owed = [one for one in hechos.periodos if one.vence <= hechos.hora]
    missed = [one for one in owed if one.corte is None]
    closed = {ident: cierres(hechos, ident) for ident in hechos.difusores}
    failed = sum(one.resultado == "fallo" for each in closed.values() for one, _ in each)
    trouble = [one for one in night if one.tipo in INCIDENTES and one.dato.get("clase") != "observaciones"]
    told = list(hechos.diario.advertencias.values())
    warned = [one for one in told if one.periodo is not None]
    ordered = list(hechos.diario.ordenes.values())
    paper = papeles.papel(
        hechos,
        "Informe",
        "Informe de la noche",
        hechos.workspace.convocatoria.id,
        (
            ("Desde", Celda(frases.hora(begin, zone))),
            ("Hasta", Celda(frases.hora(end, zone))),
            *integridad.cabeza(read),
        ),
        (
            Cifra("Cortes firmados", str(len(hechos.cortes))),
            Cifra("Cortes que faltaron", str(len(missed)), "falla" if missed else "bien"),
            Cifra("Difusores", str(len(hechos.difusores))),
            Cifra("Cortes no mostrados, de todos", str(failed), "falla" if failed else "bien"),
            Cifra("Advertencias", str(len(warned)), "aviso" if warned else ""),
            Cifra("Órdenes", str(len(ordered)), "aviso" if ordered else ""),
            Cifra("Avisos firmados", str(len(hechos.avisos))),
            Cifra("Casos de soporte", str(_cases(night))),
            integridad.cifra_de_integridad(read),
        ),
        (
            secciones.cortes(hechos.cortes, hechos, zone),
            _difusores(hechos, closed),
            secciones.sucesos(trouble, zone, titulo="Incidentes y notas"),
            _advertencias_en_corto(told, zone),
            secciones.ordenes(ordered, zone),
            secciones.avisos(hechos.avisos, zone),
            _soporte(night),
            integridad.integridad(read),
        ),
    )
    data = datos.base(hechos, FORMATO, read) | {
        "desde": begin.isoformat(),
        "hasta": end.isoformat(),
        "cortes": [
            {
                "corte": one.numero,
                "hora_corte": one.manifiesto.hora_corte.isoformat(),
                "firmado": None if one.firmado is None else one.firmado.isoformat(),
                "manifiesto_sha256": one.sha256,
                **{key: secciones.resultados(hechos).get(one.numero, Counter())[key] for key in frases.RESULTADOS},
            }
            for one in hechos.cortes
        ],
        "perdidos": [{"periodo": one.indice, "vence": one.vence.isoformat()} for one in missed],
        "difusores": [
            {
                "difusor": ident,
                "estado": None if ident not in hechos.inscritos else hechos.inscritos[ident].estado,
                **{key: sum(one.resultado == key for one, _ in each) for key in frases.RESULTADOS},
                "seguidas": each[-1][1] if each else 0,
                "advertencias": sum(one.difusor == ident for one in warned),
                "ordenes": sum(one.difusor == ident for one in ordered),
            }
            for ident, each in closed.items()
        ],
        "incidentes": [{"n": one.n, "hora": one.hora.isoformat(), "tipo": one.tipo, **one.dato} for one in trouble],
        "advertencias": [datos.advertencia(one) for one in told],
        "ordenes": [datos.orden(one) for one in ordered],
        "avisos": [one.to_json() for one in hechos.avisos],
    }
    return paper, data


def _difusores(hechos: Hechos, closed: dict[str, list[tuple[Cierre, int]]]) -> Seccion:
    rows = []
    warned = Counter(one.difusor for one in hechos.diario.advertencias.values() if one.periodo is not None)
    for ident, each in closed.items():
        known = hechos.inscritos.get(ident)
        count = Counter(one.resultado for one, _ in each)
        worst = max((seguidas for _, seguidas in each), default=0)
        rows.append(
            fila(
                hechos.nombre(ident),
                Celda("sin registro", "gris")
                if known is None
                else Celda(known.estado, frases.ESTADOS.get(known.estado, "")),
                str(count["cumplio"]),
                Celda(str(count["fallo"]), "falla" if count["fallo"] else ""),
                str(count["no_cuenta"]),
                str(worst),
                str(warned[ident]),
                str(sum(one.names(ident) and one.difusores != (TODOS,) for one in hechos.avisos)),
            )
        )
    return Seccion(
        "difusores",
        "Difusores",
        tabla=tabla(
            (
                ("Difusor", 3),
                ("Estado", 0),
                ("Cumplió", 0),
                ("Falló", 0),
                ("No cuenta", 0),
                ("Más fallos seguidos", 1),
                ("Advertencias", 0),
                ("Avisos", 0),
            ),
            rows,
            vacia="No hay ninguno registrado.",
        ),
    )


def _advertencias_en_corto(found: Sequence[Advertencia], zone: ZoneInfo) -> Seccion:
    rows = [
        fila(
            one.id,
            frases.corta(one.hora, zone),
            one.difusor,
            str(one.cuenta),
            Celda(f"{len(one.aceptadas)} de {len(one.envios)} vías", "bien" if len(one.aceptadas) > 1 else "aviso"),
        )
        for one in found
    ]
    return Seccion(
        "advertencias",
        "Advertencias y comunicaciones",
        tabla=tabla(
            (("Advertencia", 2), ("Cuándo", 0), ("Difusor", 1), ("Cuenta", 0), ("Entrega", 1)),
            rows,
            vacia="No se envió ninguna.",
        ),
    )


def _soporte(night: Sequence[Suceso]) -> Seccion:
    opened = [one for one in night if one.tipo == "soporte" and one.dato.get("que") == "abierto"]
    ended = {one.dato.get("n") for one in night if one.tipo == "soporte" and one.dato.get("que") == "cerrado"}
    table = Counter((str(one.dato.get("etapa")), str(one.dato.get("clase"))) for one in opened)
    done = Counter(
        (str(one.dato.get("etapa")), str(one.dato.get("clase"))) for one in opened if one.dato.get("n") in ended
    )
    rows = [fila(etapa, clase, str(many), str(done[etapa, clase])) for (etapa, clase), many in sorted(table.items())]
    return Seccion(
        "soporte",
        "Soporte",
        tabla=tabla(
            (("Etapa", 3), ("Clase", 1), ("Casos abiertos", 0), ("Cerrados", 0)), rows, vacia="No se pidió ninguno."
        ),
    )


def _cases(night: Sequence[Suceso]) -> int:
    return sum(one.tipo == "soporte" and one.dato.get("que") == "abierto" for one in night)
