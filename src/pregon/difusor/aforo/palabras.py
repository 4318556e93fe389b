"""The analysis in sentences: everything that was supposed, and what must be there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pregon.difusor.aforo.capacidad import por_nucleo
from pregon.difusor.aforo.curva import ESPERA_S

if TYPE_CHECKING:
    from pregon.difusor.aforo.ajustes import Cdn
    from pregon.difusor.aforo.analisis import Aforo, Origen

_PROGRAMAS = {"caddy": "Caddy", "apache": "Apache", "nginx": "nginx"}


def supuestos(aforo: Aforo) -> tuple[str, ...]:
    """Everything that was supposed, as sentences."""
    settings = aforo.ajustes
    visit, curve, net, server, band = settings.visita, settings.curva, settings.red, settings.servidor, settings.banda
    rate = por_nucleo(server)
    taken = {"gzip": "comprimido con gzip", "br": "comprimido con brotli", "identidad": "sin comprimir"}
    return (
        (
            f"Cada persona entra {visit.visitas:g} veces en la noche; cada vez abre {visit.paginas:g} páginas en "
            f"promedio y tiene una a la vista {visit.minutos:g} minutos en promedio (exponencial)."
        ),
        f"De cada cien visitas, {visit.descarga_pct:g} se llevan una base de datos completa.",
        f"El {curve.apertura_pct:g} % de las visitas espera la hora de inicio y llega a los {curve.apertura_min:g} "
        f"minutos en promedio; el {curve.pulso_pct:g} % llega por un corte nuevo, a los {curve.pulso_min:g} minutos "
        "en promedio; las demás se reparten por hora con estos pesos, desde el inicio (la última hora vale para las "
        "que siguen): " + ", ".join(f"{one:g}" for one in curve.horas) + ".",
        (
            f"Hay {len(aforo.noche.cortes):,} cortes, uno cada {aforo.noche.intervalo_min} minutos, a su hora. Una "
            f"página abierta pide el nuevo dentro de los {ESPERA_S:.0f} segundos que siguen."
        ),
        (
            f"Lo que viaja va {taken[visit.representacion]}. Cada petición lleva {net.cabeceras_bytes:,} bytes de "
            f"encabezados, cada visita {net.tls_bytes:,} de conexión cifrada, y la red agrega {net.sobrecosto_pct:g} %."
        ),
        (
            f"La página debe llegar a tiempo también a un teléfono lento: {net.mbps_usuario:g} Mbps, "
            f"{net.ida_vuelta_ms:g} ms de ida y vuelta, {net.vueltas} tandas de peticiones una tras otra."
        ),
        f"Cada núcleo con {_PROGRAMAS[server.programa]} contesta {rate:,.0f} peticiones por segundo"
        + (
            " (lo medido, con 60 % de margen para el cifrado y miles de conexiones)."
            if server.por_nucleo is None
            else " (dato de este difusor)."
        ),
        f"Ningún recurso se ocupa más de {server.ocupacion_max_pct:g} % en el pico.",
        (
            f"Los visitantes pueden ser de {band.baja:g} a {band.alta:g} veces los esperados; se dimensiona para lo "
            "más alto."
        ),
        "Toda visita es buena: un ataque no está aquí y se atiende aparte.",
    )


def dictamen(aforo: Aforo) -> tuple[str, ...]:
    """What must be there, as sentences."""
    settings, plan = aforo.ajustes, aforo.plan
    server = settings.servidor
    high = aforo.escenarios["alto"]
    program = _PROGRAMAS[server.programa]
    machine = "equipo" if plan.equipos == 1 else "equipos"
    told = [
        (
            f"En el pico del escenario alto se piden {high.peticiones.alto:,.0f} peticiones por segundo y "
            f"{high.mbps.alto:,.1f} Mbps."
        )
    ]
    if math.isinf(plan.mbps):
        told.append(
            f"La primera visita tarda {plan.minimo.red:,.1f} s sola en un teléfono lento: ningún enlace la entrega en "
            f"{aforo.limite_s:g} s. Hay que aligerar la página."
        )
    else:
        told.append(
            f"Sin CDN hacen falta, como mínimo, {plan.equipos:,} {machine} de {server.nucleos} núcleos con {program} y "
            f"{plan.mbps:,.0f} Mbps hacia Internet: 99 de cada 100 visitas ven su página en {plan.minimo.p99:,.1f} s o "
            f"menos (límite: {aforo.limite_s:g} s)."
        )
    own = "equipo" if server.equipos == 1 else "equipos"
    have = f"Con lo declarado ({server.equipos:,} {own} de {server.nucleos} núcleos y {server.mbps:,.0f} Mbps)"
    behind = "" if settings.cdn is None else ", sin la CDN,"
    if plan.basta:
        told.append(
            f"{have}{behind} alcanza: {plan.declarado.p99:,.1f} s, y hasta {aforo.soporta:,} visitantes en la noche."
        )
    else:
        told.append(f"{have}{behind} no alcanza: soporta {aforo.soporta:,} visitantes en la noche.")
    if aforo.origen is not None and settings.cdn is not None:
        told += _behind(aforo, settings.cdn, aforo.origen)
    elif aforo.cdn_pedida:
        told.append("La convocatoria pide una CDN, alcance o no lo propio: escriba la suya en [cdn] de aforo.toml.")
    elif not plan.basta:
        told.append("Hace falta una CDN, más enlace o más equipos.")
    return tuple(told)


def _behind(aforo: Aforo, cdn: Cdn, origin: Origen) -> list[str]:
    load, server = aforo.carga, aforo.ajustes.servidor
    told = [
        (
            f"Detrás de la CDN {cdn.nombre}, el público llega a sus {origin.orillas:,} orillas, y a este difusor sólo "
            f"lo que ellas piden tras cada corte: a lo sumo {origin.peticiones:,.0f} peticiones por segundo y "
            f"{origin.mbps:,.1f} Mbps durante un minuto."
        )
    ]
    enough = cdn.mbps is None or cdn.mbps * server.ocupacion_max_pct / 100 >= load.mbps
    if cdn.mbps is None:
        told.append(
            f"La CDN debe dar {load.mbps:,.0f} Mbps y {load.peticiones:,.0f} peticiones por segundo: que su proveedor "
            "lo confirme por escrito."
        )
    else:
        told.append(f"Lo contratado con ella ({cdn.mbps:,.0f} Mbps) {'alcanza' if enough else 'no alcanza'}.")
    if not aforo.resuelto and enough:
        told.append("Lo propio no alcanza ni para lo que piden sus orillas.")
    return told
