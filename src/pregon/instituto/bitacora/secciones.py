"""The sections of the papers: each takes facts and gives paragraphs and tables, in Spanish. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pregon.instituto.bitacora import frases
from pregon.instituto.bitacora.documento import Bloque, Celda, Seccion, fila, tabla
from pregon.instituto.bitacora.frases import corta, evidencia, hora, numero
from pregon.instituto.bitacora.hechos import rachas
from pregon.instituto.proceso.a_mano import LETRA
from pregon.instituto.proceso.textos import MOTIVOS
from pregon.trust.aviso import TODOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from pregon.instituto.bitacora.documento import Tono
    from pregon.instituto.bitacora.hechos import Corte, Hechos, Suceso
    from pregon.instituto.monitor.modelo import Dictamen, Observacion
    from pregon.instituto.proceso.diario import Advertencia, OrdenDifusor
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.trust.acuse import Acuse
    from pregon.trust.aviso import Aviso

EXPLICA_CUENTA = (
    "Cuenta cortes, no comprobaciones. «Falló» suma uno; «Cumplió» pone la cuenta en cero; lo que no cuenta (faltó el "
    "instituto, falló la red o nadie pudo ver) la deja como estaba."
)
SUCESOS_MAX = 3000
"""Events that a paper tells one by one; the file of the journal has them all."""
RACHAS_MAX = 1000
OBSERVACIONES_MAX = 300


def cuenta(cierres: Iterable[tuple[Cierre, int]], zona: ZoneInfo) -> Seccion:
    """The slots of one difusor with the count after each."""
    rows = [
        fila(
            str(one.periodo),
            corta(one.hora, zona),
            numero(one.corte),
            Celda(*frases.RESULTADOS[one.resultado]),
            one.porque,
            str(count),
            evidencia(one.evidencia),
        )
        for one, count in cierres
    ]
    return Seccion(
        "cuenta",
        "Cuenta corte por corte",
        (EXPLICA_CUENTA,),
        tabla(
            (
                ("Periodo", 0),
                ("Cerró", 0),
                ("Corte", 0),
                ("Resultado", 0),
                ("Por qué", 3),
                ("Cuenta", 0),
                ("Observaciones", 1),
            ),
            rows,
            vacia="Todavía no cierra ningún periodo.",
        ),
    )


def advertencias(found: Iterable[Advertencia], zona: ZoneInfo) -> Seccion:
    """Each warning as it was sent, and how each channel took it."""
    blocks = []
    for one in found:
        rows = [
            fila(
                name,
                Celda(*frases.FASES_ENVIO[sent.fase]),
                str(sent.intentos),
                "" if sent.hora is None else corta(sent.hora, zona),
                sent.que_paso or "",
            )
            for name, sent in one.envios.items()
        ]
        delivered = len(one.aceptadas)
        tone: Tono = "bien" if delivered >= min(2, len(one.envios)) and delivered else "aviso"
        blocks.append(
            Bloque(
                one.titulo,
                tone,
                f"Entregada por {delivered} de {len(one.envios)} vías",
                (f"{one.id}, redactada el {hora(one.hora, zona)}" + _de_que(one),),
                tuple(one.texto.splitlines()),
                tabla(
                    (("Vía", 2), ("Entrega", 2), ("Intentos", 0), ("Última vez", 0), ("Qué pasó", 3)),
                    rows,
                    vacia="No había ninguna vía configurada.",
                ),
            )
        )
    return Seccion(
        "advertencias",
        "Advertencias y comunicaciones",
        () if blocks else ("No se envió ninguna.",),
        bloques=tuple(blocks),
    )


def ordenes(found: Iterable[OrdenDifusor], zona: ZoneInfo) -> Seccion:
    """Each order from its proposal to its end, with who decided."""
    blocks = []
    for one in found:
        name, tone = frases.FASES_ORDEN[one.fase]
        said = [f"{one.porque} ({one.clausula}). Propuesta el {hora(one.hora, zona)}."]
        if one.decidida is not None:
            said.append(
                f"Decidió {one.operador or 'el programa, por la regla de la convocatoria'} el "
                f"{hora(one.decidida, zona)}." + (f" Motivo: {one.motivo}" if one.motivo else "")
            )
        title = f"Orden {one.id}: {frases.ACCIONES[one.accion]} a {one.difusor}"
        proofs = ("Evidencia:", *one.evidencia) if one.evidencia else ()
        blocks.append(Bloque(title, tone, name, tuple(said), proofs))
    return Seccion("ordenes", "Órdenes", () if blocks else ("No hubo ninguna.",), bloques=tuple(blocks))


def avisos(found: Iterable[Aviso], zona: ZoneInfo) -> Seccion:
    """The signed notices."""
    rows = [
        fila(
            f"{one.n:06d}",
            corta(one.desde, zona),
            Celda(*frases.AVISOS[one.tipo]),
            "todos" if one.difusores == (TODOS,) else ", ".join(one.difusores),
            one.motivo,
            one.texto,
        )
        for one in found
    ]
    return Seccion(
        "avisos",
        "Avisos firmados",
        tabla=tabla(
            (("Aviso", 0), ("Desde", 0), ("Tipo", 0), ("Para", 1), ("Motivo", 2), ("Lo que lee la ciudadanía", 2)),
            rows,
            vacia="No se firmó ninguno.",
        ),
    )


def estados(inscrito: Inscrito | None, zona: ZoneInfo) -> Seccion:
    """The states of a difusor in the registry."""
    rows = (
        []
        if inscrito is None
        else [
            fila(
                corta(one.hora, zona),
                one.de or "",
                Celda(one.a, frases.ESTADOS.get(one.a, "")),
                one.operador or "el programa",
                one.motivo,
                "" if one.aviso is None else f"{one.aviso:06d}",
            )
            for one in inscrito.historia
        ]
    )
    return Seccion(
        "estados",
        "Estados en el registro",
        tabla=tabla(
            (("Cuándo", 0), ("De", 0), ("A", 0), ("Lo ordenó", 1), ("Motivo", 2), ("Aviso", 0)),
            rows,
            vacia="No está en el registro: es sólo un destino de instituto.toml.",
        ),
    )


def vigilancia(dictamenes: Sequence[Dictamen], zona: ZoneInfo) -> Seccion:
    """What the watch said of a difusor, as runs of rounds that say the same."""
    runs = rachas(dictamenes)
    rows = [
        fila(
            corta(run.desde, zona),
            corta(run.hasta, zona),
            Celda(*frases.VEREDICTOS[run.ultimo.veredicto]),
            frases.CAUSAS[run.ultimo.causa],
            "; ".join(MOTIVOS[one] for one in run.ultimo.motivos),
            numero(run.ultimo.corte),
            str(run.cuantos),
        )
        for run in runs[-RACHAS_MAX:]
    ]
    said = [f"{len(dictamenes):,} dictámenes, uno por ronda; los seguidos que dicen lo mismo van en un renglón."]
    if len(runs) > RACHAS_MAX:
        said.append(f"Se muestran los últimos {RACHAS_MAX:,} renglones de {len(runs):,}; los archivos los traen todos.")
    return Seccion(
        "vigilancia",
        "Lo que se vio desde afuera",
        tuple(said),
        tabla(
            (
                ("Desde", 0),
                ("Hasta", 0),
                ("Dictamen", 0),
                ("Causa", 1),
                ("Motivos", 3),
                ("Corte", 0),
                ("Rondas", 0),
            ),
            rows,
            vacia="Nadie lo observó.",
        ),
    )


def observaciones(found: Iterable[Observacion], zona: ZoneInfo) -> Seccion:
    """The observations that the evidence cites, each with what it saw."""
    chosen = sorted(found, key=lambda one: one.n)
    rows = [
        fila(
            str(one.n),
            corta(one.hora, zona),
            one.punto,
            Celda("responde", "bien") if one.alcanzable else Celda(_silencio(one), "falla"),
            "" if one.corte is None else numero(one.corte),
            _seen(one),
        )
        for one in chosen[:OBSERVACIONES_MAX]
    ]
    said = ["Las que citan los periodos fallidos, las advertencias y las órdenes. Los archivos las traen todas."]
    if len(chosen) > OBSERVACIONES_MAX:
        said.append(f"Se muestran {OBSERVACIONES_MAX:,} de {len(chosen):,}.")
    return Seccion(
        "observaciones",
        "Observaciones citadas",
        tuple(said),
        tabla(
            (("Número", 0), ("Cuándo", 0), ("Punto", 0), ("Portal", 0), ("Corte", 0), ("Qué se vio", 3)),
            rows,
            vacia="No se cita ninguna.",
        ),
    )


def _silencio(one: Observacion) -> str:
    return "no responde" if one.codigo is None else f"no responde ({one.codigo})"


def _seen(one: Observacion) -> str:
    parts = [f"HTTP {one.estado}" if one.estado is not None else "", *one.cabeceras]
    for sample in one.muestras:
        if sample.sha256 is None:
            parts.append(f"{sample.ruta}: no llegó")
        elif not sample.igual:
            parts.append(f"{sample.ruta}: tiene {sample.sha256} y se firmó {sample.esperado}")
    read = max(one.leidas, len(one.muestras))
    parts.append(f"{read:,} archivos comparados en {one.segundos:.1f} s" if read else f"tardó {one.segundos:.1f} s")
    return "; ".join(part for part in parts if part)


def acuses(found: Sequence[tuple[str, Acuse]], zona: ZoneInfo) -> Seccion:
    """What its nodes say of themselves, signed by each."""
    rows = [
        fila(
            nodo,
            corta(one.hora, zona),
            numero(one.corte),
            one.evento,
            "" if one.segundos is None else f"{one.segundos:.1f}",
            one.codigo or "",
        )
        for nodo, one in found
    ]
    return Seccion(
        "acuses",
        "Acuses recibidos",
        ("Los firma cada nodo y dicen lo que él dice de sí; un acuse que lo observado contradice no mejora nada.",),
        tabla(
            (
                ("Nodo", 1),
                ("Cuándo", 0),
                ("Corte", 0),
                ("Evento", 1),
                ("Segundos desde la firma", 1),
                ("Código", 1),
            ),
            rows,
            vacia="No se recibió ninguno.",
        ),
    )


def sucesos(found: Sequence[Suceso], zona: ZoneInfo, *, titulo: str = "Sucesos de la bitácora") -> Seccion:
    """Events of the journal, in words."""
    rows = [fila(str(one.n), corta(one.hora, zona), frases.suceso(one.tipo, one.dato)) for one in found[-SUCESOS_MAX:]]
    said = ["Con el número que cada suceso tiene en la bitácora encadenada."]
    if len(found) > SUCESOS_MAX:
        said.append(f"Se muestran los últimos {SUCESOS_MAX:,} de {len(found):,}; bitacora.jsonl los trae todos.")
    return Seccion(
        "bitacora",
        titulo,
        tuple(said),
        tabla((("Número", 0), ("Cuándo", 0), ("Qué pasó", 5)), rows, vacia="No hay ninguno."),
    )


def cortes(found: Sequence[Corte], hechos: Hechos, zona: ZoneInfo) -> Seccion:
    """Every cut of the night: when it was promised, when it was signed, and how it ended for the difusores."""
    slots = {one.corte: one for one in hechos.periodos if one.corte is not None}
    ended = resultados(hechos)
    rows = []
    for one in found:
        slot = slots.get(one.numero)
        late = None if slot is None or one.firmado is None else (one.firmado - slot.vence).total_seconds()
        count = ended.get(one.numero, Counter())
        rows.append(
            fila(
                numero(one.numero),
                corta(one.manifiesto.hora_corte, zona),
                "" if one.firmado is None else corta(one.firmado, zona),
                "" if late is None else f"{late / 60:.1f} min",
                str(len(one.manifiesto.autorizaciones) or ""),
                str(count["cumplio"]),
                Celda(str(count["fallo"]), "falla" if count["fallo"] else ""),
                str(count["no_cuenta"]),
            )
        )
    return Seccion(
        "cortes",
        "Cortes firmados",
        tabla=tabla(
            (
                ("Corte", 0),
                ("Hora del corte", 0),
                ("Firmado", 0),
                ("Tras lo prometido", 1),
                ("Autorizaciones", 1),
                ("Cumplieron", 1),
                ("Fallaron", 1),
                ("No cuenta", 1),
            ),
            rows,
            vacia="No se firmó ninguno.",
        ),
    )


def resultados(hechos: Hechos) -> Mapping[int | None, Counter[str]]:
    """By cut, how many difusores ended its slot each way."""
    made: dict[int | None, Counter[str]] = {}
    for one in hechos.bitacora:
        if one.tipo == "periodo":
            made.setdefault(one.dato.get("corte"), Counter())[str(one.dato.get("resultado"))] += 1
    return made


def _de_que(one: Advertencia) -> str:
    if one.periodo is not None:
        return f", tras el periodo {one.periodo}."
    return ", por decisión de una persona." if one.id.startswith(LETRA) else ", para comunicar una orden."
