"""The network of this machine against the call: public address, ports open and closed, TLS. Read here, seen from there.

What listens here is read from the kernel; what the world reaches, only somebody outside can tell: an institute's look
(``pregon instituto sondea``). GRO-2.4b GRO-2.4c GRO-2.4d GRO-2.4e DGO-II-net-b DGO-II-net-c2 DGO-II-net-c3 MOR-A1-3.2
MOR-A1-3.3 MOR-A1-3.4 MEX-II-2b MEX-II-2c1 MEX-II-2c2 MEX-II-2c3 INE-II-a-iii-1 INE-II-a-iv-2.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.difusor.preflight.limite import espera

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.convocatoria.comprobacion import Estado
    from pregon.convocatoria.model import Convocatoria
    from pregon.sonda.sondeo import Sondeo
    from pregon.sonda.tls import Tls

RAIZ = Path("/")
DNS_S = 3.0
HTTPS = 443
SIN_SERVICIO = (21, 23)
"""FTP and telnet: whoever listens there in the open sends passwords in the clear; no call asks for either."""
_ESCUCHA = "0A"
_DESDE_FUERA = (
    "Pida al instituto que mire desde fuera, «pregon instituto sondea» con «--salida», y repita con --sondeo y su "
    "archivo."
)


@dataclass(frozen=True)
class Escucha:
    """A TCP port on which this machine takes connections. ``local``: only from itself."""

    puerto: int
    local: bool


def escuchas(raiz: Path = RAIZ) -> tuple[Escucha, ...]:
    """Every listening port of this machine (of this network namespace), each once, from ``/proc``."""
    found: dict[int, bool] = {}
    for name in ("tcp", "tcp6"):
        lines: list[str] = []
        with contextlib.suppress(OSError):
            lines = (raiz / "proc/net" / name).read_text(encoding="ascii").splitlines()[1:]
        for line in lines:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _ESCUCHA:
                where, _, port = fields[1].partition(":")
                number = int(port, 16)
                found[number] = found.get(number, True) and _address(where).is_loopback
    return tuple(Escucha(port, local) for port, local in sorted(found.items()))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as ``/proc/net`` writes it: words of 32 bits in the machine's order (little, on all that we know)."""
    raw = b"".join(bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8))
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def direcciones_de(host: str, *, segundos: float = DNS_S) -> tuple[str, ...]:
    """The addresses of a name, or the address that it is; none where nobody answers for it in so long."""

    def ask() -> tuple[str, ...]:
        with contextlib.suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return tuple(dict.fromkeys(str(one[4][0]) for one in found))
        return ()

    return espera(ask, segundos=segundos) or ()


def es_publica(address: str) -> bool:
    """Whether the whole Internet can reach it: not private (RFC 1918), shared (CGNAT, RFC 6598), local or reserved."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return found.is_global and not found.is_multicast


def ip_publica(
    convocatoria: Convocatoria, host: str | None, direcciones: Sequence[str], sondeos: Sequence[Sondeo]
) -> list[Comprobacion]:
    """IP_PUBLICA. ``host``: of the portal's address, with what it resolves to here; looks from outside count first."""
    least = convocatoria.minimos.ip_publicas_por_servidor
    if least is None:
        return []
    seen = next((one.direcciones for one in sondeos if one.direcciones), tuple(direcciones))
    public = [one for one in seen if es_publica(one)]
    state: Estado = "bien" if len(public) >= least else "falla" if seen else "aviso"
    kinds = [one if one in public else f"{one} ({_kind(one)})" for one in seen]
    told = ", ".join(kinds) if seen else "no se conoce la dirección del portal" if host is None else f"{host}: sin DNS"
    mend = (
        "Escriba en [servidor] la «url» con que lo verá el público, y dé de alta su nombre en el DNS."
        if not seen
        else "Contrate una dirección pública (homologada), o ponga en la «url» la del equipo que la tiene."
    )
    return [
        _check(
            convocatoria,
            "IP_PUBLICA",
            "El portal está en una dirección pública",
            told,
            f"{least} dirección pública" if least == 1 else f"{least} direcciones públicas",
            state,
            mend,
        )
    ]


def _kind(address: str) -> str:
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.is_loopback:
        return "de este mismo equipo"
    if isinstance(found, ipaddress.IPv4Address) and found in ipaddress.ip_network("100.64.0.0/10"):
        return "compartida por el proveedor (CGNAT)"
    return "privada" if found.is_private else "no es de Internet"


def puertos(convocatoria: Convocatoria, aqui: Sequence[Escucha], sondeos: Sequence[Sondeo]) -> list[Comprobacion]:
    """PUERTOS_ABIERTOS and PUERTOS_CERRADOS, for a call that names ports. ``aqui``: what listens on this machine."""
    found = []
    if convocatoria.puertos_publicos:
        found.append(_opened(convocatoria, aqui, sondeos))
    if convocatoria.puertos_restringidos:
        found.append(_closed(convocatoria, aqui, sondeos))
    return found


def _opened(call: Convocatoria, here: Sequence[Escucha], looks: Sequence[Sondeo]) -> Comprobacion:
    wanted = call.puertos_publicos
    open_here = {one.puerto for one in here if not one.local}
    seen = {port: one.esta == "abierto" for look in reversed(looks) for one in look.puertos if (port := one.puerto)}
    state: Estado
    if looks:
        missing = [port for port in wanted if not seen.get(port)]
        told = "desde fuera: " + _listed(missing, "cerrado", all_well="todos abiertos")
        state = "falla" if missing else "bien"
    else:
        missing = [port for port in wanted if port not in open_here]
        told = "en este equipo: " + _listed(missing, "nadie escucha", all_well="hay quien escuche en todos")
        state = "falla" if missing else "aviso"
        told += "; nadie lo ha mirado desde fuera"
    mend = (
        "Inicie el servidor web en esos puertos, y ábralos en el cortafuegos («pregon difusor configura firewall»)."
        if missing
        else _DESDE_FUERA
    )
    que = "El público puede entrar por los puertos de la convocatoria"
    found = _check(call, "PUERTOS_ABIERTOS", que, told, f"abiertos {_numbers(wanted)}", state, mend)
    return replace(found, medida=bool(looks))


def _closed(call: Convocatoria, here: Sequence[Escucha], looks: Sequence[Sondeo]) -> Comprobacion:
    """Restricted ports are open for the institute alone, and nothing else is in sight."""
    stranger = next((look for look in looks if not look.autorizado), None)
    friend = next((look for look in looks if look.autorizado), None)
    parts: list[str] = []
    mend: list[str] = []
    if stranger is not None:
        wrong = [one.puerto for one in stranger.puertos if not one.publico and not one.bien]
        parts.append("para los demás: " + _listed(wrong, "abierto", all_well="cerrados"))
        if wrong:
            mend.append("Ciérrelos en el cortafuegos («pregon difusor configura firewall» escribe las reglas).")
    if friend is not None:
        wrong = [one.puerto for one in friend.puertos if not one.publico and not one.bien]
        parts.append("para el instituto: " + _listed(wrong, "no como debe", all_well="como deben"))
        if wrong:
            mend.append("Permita en el cortafuegos la dirección del instituto, y para ella sólo esos puertos.")
    plain = [one.puerto for one in here if not one.local and one.puerto in SIN_SERVICIO]
    if plain:
        parts.append("en este equipo: " + _listed(plain, "alguien escucha", all_well=""))
        mend.append("Detenga FTP y telnet: la entrega va por un canal cifrado.")
    state: Estado = "falla" if mend else "bien"
    if stranger is None and not mend:
        parts.append("nadie lo ha mirado desde una dirección ajena")
        state = "aviso"
        mend.append(_DESDE_FUERA)
    found = _check(
        call,
        "PUERTOS_CERRADOS",
        "Por los puertos restringidos sólo entra el instituto",
        "; ".join(parts),
        f"{_numbers(call.puertos_restringidos)} cerrados para los demás",
        state,
        " ".join(mend),
    )
    return replace(found, medida=stranger is not None)


def tls(convocatoria: Convocatoria, url: str | None, visto: Tls | str | None) -> Iterator[Comprobacion]:
    """TLS, for a call that asks for it or opens 443. ``visto``: what the portal's address speaks, or why not."""
    least = convocatoria.tls_min
    if least is None and HTTPS not in convocatoria.puertos_publicos:
        return
    asked = least or "1.2"
    state: Estado = "falla"
    mend = "Ponga un certificado en [servidor] (docs/operacion/servidor.md) y la «url» con https://."
    if url is None:
        told, state, mend = "no se conoce la dirección pública", "aviso", "Escriba «url» en [servidor]."
    elif visto is None:
        told = f"{url} va sin cifrar"
    elif isinstance(visto, str):
        told, mend = visto, "Inicie el servidor web, y revise que la dirección lleve a él."
    elif not visto.versiones:
        told = "ahí no se habla TLS"
    else:
        told = f"TLS {', '.join(visto.versiones)}"
        told += f"; certificado hasta el {visto.vence:%Y-%m-%d}" if visto.vence is not None else ""
        old = visto.menor_que(asked)
        if visto.problema is not None:
            told += f"; no se puede creer: {visto.problema}"
            mend = "Use un certificado de una autoridad que crean los navegadores, con su cadena completa."
        elif old:
            mend = f"Quite TLS {', '.join(old)} de los ajustes del servidor web."
        elif not any(version >= asked for version in visto.versiones):
            mend = f"Habilite TLS {asked} en el servidor web."
        else:
            state = "bien"
    yield _check(
        convocatoria, "TLS", "El portal va cifrado", told, f"TLS {asked} o posterior, y nada menor", state, mend
    )


def _check(
    call: Convocatoria, codigo: str, que: str, medido: str, minimo: str, estado: Estado, arreglo: str
) -> Comprobacion:
    return Comprobacion(
        codigo, clausula_de(call.id, codigo), que, medido, minimo, estado, None if estado == "bien" else arreglo
    )


def _listed(ports: Sequence[int], what: str, *, all_well: str) -> str:
    return f"{_numbers(ports)} ({what})" if ports else all_well


def _numbers(ports: Sequence[int]) -> str:
    words = [str(port) for port in ports]
    return " y ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
