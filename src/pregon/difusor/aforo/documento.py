"""The analysis as people hand it in, with its plots (INE-II-a-iii-3b, INE-II-a-iii-3c, GRO-2.4h), and JSON beside
it."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pregon
from pregon.base.fechas import DIAS, fecha_larga
from pregon.difusor.aforo.curva import VENTANA_S
from pregon.difusor.aforo.dibujos import PRIMERAS_H, graficas
from pregon.difusor.aforo.palabras import dictamen, supuestos
from pregon.difusor.aforo.peso import INE_MAX, INE_MIN, NOMBRES
from pregon.documentos.bloques import Columna, Documento, Figura, Lista, Nota, Parrafo, Tabla, Titulo
from pregon.documentos.formas import escribe
from pregon.documentos.grafica import cifra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.difusor.aforo.analisis import Aforo
    from pregon.difusor.aforo.pico import Pico, Trafico
    from pregon.documentos.bloques import Bloque
    from pregon.documentos.formas import Forma

NOMBRE = "aforo"
_CONTESTA: dict[str, tuple[tuple[str, str, str], ...]] = {
    "ine-2021": (
        ("INE-II-a-iii-3a", "Ninguna página tarda más de 10 segundos", "5"),
        ("INE-II-a-iii-3b", ("Visitantes, páginas consultadas y permanencia; portales propios o pasados; estudios de "
         "usuarios de Internet"), "1, 2 y 6"),
        ("INE-II-a-iii-3c", "Cantidad de usuarios que se espera y características de las comunicaciones", "1 y 5"),
        ("INE-II-a-iii-3d", "Cada consulta puede transmitir de 1 a 20 MB", "3 y 4"),
    ),
    "gro-2021": (
        ("GRO-2.4h", ("Ancho de banda para publicar en 10 segundos o menos, con los posibles visitantes calculados "
         "según las personas con Internet en Guerrero"), "1, 4 y 5"),
    ),
}  # fmt: skip
"""What each call asks of this paper, and in which section it is."""


def archivos(aforo: Aforo, hora: datetime, formas: Sequence[Forma] = ("pdf",)) -> dict[str, bytes]:
    """Each file of the paper by its name: each form, the JSON, the plots. ``hora``: when it is made.

    Raises:
        AjustesError: the library of a form is not installed.
    """
    plots = graficas(aforo)
    paper = documento(aforo, hora, plots)
    return {
        **{f"{NOMBRE}.{forma}": escribe(paper, forma) for forma in formas},
        f"{NOMBRE}.json": (json.dumps(aforo.as_dict(), ensure_ascii=False, indent=2) + "\n").encode(),
        **{f"{NOMBRE}-{name}.svg": plot.encode() for name, plot in plots.items()},
    }


def documento(aforo: Aforo, hora: datetime, plots: Mapping[str, str]) -> Documento:
    """The paper, before it is a file."""
    call, settings = aforo.convocatoria, aforo.ajustes
    made = hora.astimezone(call.zona)
    return Documento(
        titulo=f"Análisis de capacidad: {call.nombre}",
        autor=settings.difusor or settings.elabora or "Difusor",
        fecha=made.date(),
        encabezado=f"Análisis de capacidad, {call.nombre}",
        pie=f"Hecho con Pregón {pregon.__version__}",
        bloques=(
            *_cover(aforo, made),
            *_people(aforo),
            Titulo(texto="2. Cuándo llegan"),
            *(_figure(aforo, plots, name) for name in ("noche", "primeras-horas")),
            *_weights(aforo, plots),
            *_peak(aforo),
            *_carries(aforo, plots),
            Titulo(texto="6. Lo que se supone"),
            Lista(elementos=supuestos(aforo)),
            *(Nota(texto=one) for one in settings.notas),
        ),
    )


def _cover(aforo: Aforo, made: datetime) -> list[Bloque]:
    call, settings, plan = aforo.convocatoria, aforo.ajustes, aforo.plan
    due = call.plazos.analisis_capacidad
    rows = [
        ("Institución que convoca", call.instituto_nombre or call.instituto),
        ("Difusor", settings.difusor),
        ("Elabora", settings.elabora),
        ("Operación", f"del {_when(call.inicio)} al {_when(call.fin_actualizacion)}"),
        ("Se entrega a más tardar", None if due is None else _when(call.vence(due))),
        ("Hecho", fecha_larga(made.date())),
        ("Bytes medidos en", _measured(aforo)),
    ]
    people, hoped, high = aforo.demanda, aforo.escenarios["esperado"], aforo.escenarios["alto"]
    blocks: list[Bloque] = [
        Tabla(
            titulo="Datos",
            columnas=(Columna(nombre="Dato", ancho=0.8), Columna(nombre="Valor", ancho=2.2)),
            filas=tuple((name, value) for name, value in rows if value is not None),
        ),
        Nota(texto="\n".join(dictamen(aforo)), tono="nota" if aforo.resuelto else "aviso"),
        Tabla(
            titulo="Resumen",
            columnas=(
                Columna(nombre="", ancho=1.7),
                *(Columna(nombre=name, clase="numero") for name in ("Esperado", "Alto (se dimensiona)")),
            ),
            filas=(
                ("Visitantes en la noche", people.visitantes("esperado"), people.visitantes("alto")),
                ("Páginas abiertas a la vez", cifra(hoped.simultaneos.medio), cifra(high.simultaneos.alto)),
                ("Peticiones por segundo en el pico", cifra(hoped.peticiones.medio), cifra(high.peticiones.alto)),
                ("Mbps en el pico", cifra(hoped.mbps.medio), cifra(high.mbps.alto)),
                ("Página completa, 99 de cada 100 visitas, con lo declarado", "", _seconds(plan.declarado.p99)),
            ),
        ),
    ]
    asked = _CONTESTA.get(call.id)
    if asked:
        blocks.append(
            Tabla(
                titulo="Qué pide la convocatoria y dónde se contesta",
                hoja="Cláusulas",
                columnas=(
                    Columna(nombre="Cláusula", ancho=1.1),
                    Columna(nombre="Qué pide", ancho=3.2),
                    Columna(nombre="Sección", ancho=0.7),
                ),
                filas=asked,
            )
        )
    return blocks


def _people(aforo: Aforo) -> list[Bloque]:
    people, visit = aforo.demanda, aforo.ajustes.visita
    return [
        Titulo(texto="1. Cuántos se esperan"),
        Tabla(
            titulo="Estimaciones",
            columnas=(
                Columna(nombre="De dónde", ancho=1.1),
                Columna(nombre="Visitantes", clase="numero", ancho=0.8),
                Columna(nombre="Cuenta", ancho=1.9),
                Columna(nombre="Fuente", ancho=1.6),
            ),
            filas=tuple(
                (one.nombre + (" (rige)" if one is people.rige else ""), one.visitantes, one.cuenta, one.fuente)
                for one in people.estimaciones
            ),
            nota="Rige el número decidido; si no lo hay, la mayor de las estimaciones.",
        ),
        Tabla(
            titulo="Consultas de la noche",
            columnas=(
                Columna(nombre="Escenario"),
                *(
                    Columna(nombre=name, clase="numero")
                    for name in ("Visitantes", "Visitas", "Páginas consultadas", "Se transmite, GB")
                ),
            ),
            filas=tuple(
                (name, people.visitantes(name), one.visitas, one.total_consultas, _gb(one.total_bytes))
                for name, one in aforo.escenarios.items()
            ),
            nota=f"Cada persona entra {visit.visitas:g} veces; cada vez abre {visit.paginas:g} páginas y permanece "
            f"{visit.minutos:g} minutos, en promedio. Cuentan también las páginas que pasan solas al corte siguiente.",
        ),
    ]


def _weights(aforo: Aforo, plots: Mapping[str, str]) -> list[Bloque]:
    return [
        Titulo(texto="3. Lo que pesa cada consulta"),
        Tabla(
            titulo="Bytes de cada clase de consulta",
            columnas=(
                Columna(nombre="Consulta", ancho=2.2),
                *(
                    Columna(nombre=name, clase="numero")
                    for name in ("Peticiones", "Sin comprimir", "gzip", "brotli", "Hay")
                ),
            ),
            filas=tuple(
                (NOMBRES[one.clase], one.peticiones, one.identidad, one.gzip, one.br, one.hay)
                for one in aforo.pesos.todas
            ),
            nota="Bytes del contenido, promedio de las que hay en el paquete. A cada petición se suman sus "
            "encabezados, y a cada visita el cifrado.",
        ),
        _figure(aforo, plots, "peso"),
    ]


def _peak(aforo: Aforo) -> list[Bloque]:
    light, heavy = aforo.si_pesara(INE_MIN), aforo.si_pesara(INE_MAX)
    return [
        Titulo(texto="4. El pico"),
        Tabla(
            titulo="La mayor ventana de 10 segundos de la noche",
            hoja="Pico",
            columnas=(
                Columna(nombre="Escenario", ancho=0.8),
                Columna(nombre="Hora", ancho=0.6),
                *(
                    Columna(nombre=name, clase="numero", ancho=1.3)
                    for name in ("Peticiones/s", "Consultas/s", "Mbps", "Páginas abiertas")
                ),
            ),
            filas=tuple(_peak_row(name, one, aforo.convocatoria.inicio) for name, one in aforo.escenarios.items()),
            nota="El valor de en medio y, entre paréntesis, entre cuáles queda en 90 de cada 100 noches iguales. Hora "
            "local.",
        ),
        Parrafo(
            texto="Si cada consulta transmitiera lo que prevé la convocatoria federal (INE-II-a-iii-3d), el pico del "
            f"escenario alto pediría {light:,.0f} Mbps con 1 MB por consulta y {heavy:,.0f} Mbps con 20 MB."
        ),
    ]


def _carries(aforo: Aforo, plots: Mapping[str, str]) -> list[Bloque]:
    settings, plan = aforo.ajustes, aforo.plan
    server, net, cdn = settings.servidor, settings.red, settings.cdn
    said = "la pide la convocatoria" if aforo.cdn_pedida else "no hace falta" if plan.basta else "es una salida"
    least, have = plan.minimo, plan.declarado
    return [
        Titulo(texto="5. Con qué se atiende"),
        Tabla(
            titulo="Características de las comunicaciones",
            hoja="Comunicaciones",
            columnas=tuple(Columna(nombre=name) for name in ("", "Lo declarado", "Lo mínimo, sin CDN")),
            filas=(
                (
                    "Ancho de banda hacia Internet",
                    f"{server.mbps:,.0f} Mbps",
                    "ninguno basta" if math.isinf(plan.mbps) else f"{plan.mbps:,.0f} Mbps",
                ),
                ("Equipos", _machines(server.equipos, server.nucleos), _machines(plan.equipos, server.nucleos)),
                ("Red de distribución (CDN)", "ninguna" if cdn is None else cdn.nombre, said),
                ("Zonas geográficas", "; ".join(settings.zonas) or None, ""),
            ),
        ),
        Tabla(
            titulo="Tiempo de una página en el pico del escenario alto",
            hoja="Tiempo",
            columnas=(
                Columna(nombre="", ancho=1.8),
                *(Columna(nombre=name, clase="numero") for name in ("Con lo mínimo", "Con lo declarado")),
            ),
            filas=(
                ("Sin nadie más, en un teléfono lento", _seconds(least.red), _seconds(have.red)),
                ("Se agrega por compartir el enlace", _seconds(least.enlace), _seconds(have.enlace)),
                ("Se agrega por la fila de los equipos", _seconds(least.equipos), _seconds(have.equipos)),
                ("Página completa, 99 de cada 100 visitas (p99)", _seconds(least.p99), _seconds(have.p99)),
                ("Ocupación del enlace", _pct(least.ocupacion_enlace), _pct(have.ocupacion_enlace)),
                ("Ocupación de los equipos", _pct(least.ocupacion_equipos), _pct(have.ocupacion_equipos)),
            ),
            nota="El enlace es una cola M/G/R de reparto por igual (nadie recibe más que su propio enlace) y cada "
            "equipo, una cola M/M/c; la probabilidad de esperar es la C de Erlang. Se mide la visita más pesada, la "
            f"primera, en un teléfono de {net.mbps_usuario:g} Mbps y {net.ida_vuelta_ms:g} ms.",
        ),
        _figure(aforo, plots, "espera"),
    ]


def _figure(aforo: Aforo, plots: Mapping[str, str], name: str) -> Figura:
    hoped, high = aforo.escenarios["esperado"], aforo.escenarios["alto"]
    title, told = {
        "noche": (
            f"Mbps en los {VENTANA_S} segundos más altos entre un corte y el siguiente",
            (
                f"El esperado llega a {cifra(hoped.mbps.medio)} Mbps; la franja va del escenario bajo al alto, que "
                f"llega a {cifra(high.mbps.medio)}."
            ),
        ),
        "primeras-horas": (
            f"Peticiones por segundo en las primeras {PRIMERAS_H} horas",
            (
                f"Ventanas de {VENTANA_S} segundos: cada corte nuevo levanta un pico. El mayor esperado es de "
                f"{cifra(hoped.peticiones.medio)} peticiones por segundo."
            ),
        ),
        "peso": ("Bytes de cada clase de consulta, por representación", "Los mismos números de la tabla."),
        "espera": (
            "Tiempo de la página (p99) según cuánta gente llegue, con lo declarado",
            (
                f"El límite es {aforo.limite_s:g} s; con el margen pedido, lo declarado soporta {aforo.soporta:,} "
                "visitantes en la noche."
            ),
        ),
    }[name]
    return Figura(imagen=plots[name].encode(), tipo="svg", titulo=title, alt=f"{title}. {told}")


def _peak_row(name: str, one: Trafico, start: datetime) -> tuple[str, ...]:
    when = start.hour * 60 + start.minute + one.mbps.segundo // 60
    hour = f"{when // 60 % 24}:{when % 60:02d}"
    return name, hour, _band(one.peticiones), _band(one.consultas), _band(one.mbps), cifra(one.simultaneos.medio)


def _band(one: Pico) -> str:
    return f"{cifra(one.medio)} ({cifra(one.bajo)} a {cifra(one.alto)})"


def _measured(aforo: Aforo) -> str:
    name, cut = Path(aforo.pesos.que).name, aforo.pesos.corte
    return name if not cut else f"corte {cut}" if name in (cut, "publico") else f"{name}, corte {cut}"


def _machines(number: int, cores: int) -> str:
    return f"{number:,} de {cores} núcleos"


def _when(moment: datetime) -> str:
    return f"{DIAS[moment.weekday()]} {fecha_larga(moment.date())}, {moment:%H:%M}"


def _seconds(value: float) -> str:
    return f"{value:,.2f} s" if math.isfinite(value) else "no llega"


def _pct(part: float) -> str:
    return f"{part * 100:,.0f} %"


def _gb(size: int) -> Decimal:
    return (Decimal(size) / 10**9).quantize(Decimal("0.1"))
