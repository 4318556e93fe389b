"""``configura firewall``: nftables from the call's lists of ports.

Sources: GRO-2.4c GRO-2.4d GRO-2.4e DGO-II-net-c2 DGO-II-net-c3 MOR-A1-3.3 MOR-A1-3.4 MEX-II-2c1 MEX-II-2c3.

One table of our own, replaced whole in one step: applying it twice is the same as once, and one order takes it away.
The public's ports for everybody, the restricted ones for the institute's addresses, SSH for the administrator's.
Ports that Docker publishes never pass through ``input``: a chain before any redirection guards the restricted ones too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.concesiones import de_la_red
from pregon.difusor.configura.model import Configuracion, direcciones, por_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.difusor.workspace import Workspace

TABLA = "pregon"
DESTINO = "/etc/nftables.d/pregon.nft"
PUBLICOS = (80, 443)
"""Where a text names no port for the public (INE-gap)."""
SSH = 22
HTTPS = 443
DNS = 53
VUELTA_S = 60
"""Seconds that the administrator has to say «it works» before the rules are taken away again."""


def configura(
    workspace: Workspace,
    *,
    desde: Sequence[str],
    administra: Sequence[str],
    sin_administracion: bool,
    restringe_salida: bool = False,
    http3: bool = False,
) -> Configuracion:
    """The rules for ``workspace``'s call. ``administra``: from where SSH stays open to the administrator.

    ``sin_administracion``: nowhere, said on purpose. ``restringe_salida``: only what the call lists may go out, and
    what any server needs (answers, names, hour, web). ``http3``: UDP 443 too, which no call lists.

    Raises:
        UsoError: an address is wrong; the restricted ports have no ``desde``; nobody could administer the machine.
    """
    call = workspace.convocatoria
    restricted = tuple(sorted(call.puertos_restringidos))
    institute: tuple[str, ...] = ()
    if restricted or desde:
        institute = direcciones(
            desde,
            opcion="--desde",
            falta="Pida al instituto las direcciones desde las que entrega y dé una con cada --desde: los puertos "
            f"{_listed(restricted)} sólo se abren para ellas.",
        )
    admin = _administration(administra, sin_administracion=sin_administracion)
    public = tuple(sorted(call.puertos_publicos)) or PUBLICOS
    text = _ruleset(
        public,
        restricted,
        tuple(sorted(call.puertos_salida)),
        institute=institute,
        admin=admin,
        restringe_salida=restringe_salida,
        http3=http3,
    )
    return Configuracion(
        "firewall",
        call.id,
        (Archivo("pregon.nft", DESTINO, 0o644, text),),
        (
            Paso("Que nft las entienda, sin aplicarlas.", "nft -c -f pregon.nft"),
            Paso(
                "Guardarlas y que se apliquen al arrancar.",
                f"install -D -o root -g root -m 0644 pregon.nft {DESTINO}\n"
                f"grep -qsxF 'include \"{DESTINO}\"' /etc/nftables.conf || "
                f"echo 'include \"{DESTINO}\"' >> /etc/nftables.conf",
            ),
            Paso(
                f"Aplicarlas. Para probarlas sin riesgo, antes: «(sleep {VUELTA_S}; nft delete table inet {TABLA}) &»; "
                "si todo funciona desde otra ventana, detenga esa espera.",
                f"nft -f {DESTINO}",
            ),
            Paso("Que el servicio esté activo al arrancar.", "systemctl enable nftables", servicio=True),
        ),
        concesiones=de_la_red(call, administra=bool(admin)),
        avisos=tuple(_warnings(call.id, institute, admin, restricted)),
        notas=(
            _ufw(public, restricted, institute, admin, http3=http3),
            _firewalld(public, restricted, institute, admin, http3=http3),
            "ufw y firewalld no cuidan los puertos que publica Docker; la tabla de nftables sí.",
        ),
    )


def _administration(addresses: Sequence[str], *, sin_administracion: bool) -> tuple[str, ...]:
    nothing = "No se escribió ni se cambió nada."
    if sin_administracion and addresses:
        raise UsoError(
            "Se dieron a la vez --administra y --sin-administracion.", intacto=nothing, que_hacer="Dé sólo una."
        )
    if sin_administracion:
        return ()
    return direcciones(
        addresses,
        opcion="--administra",
        falta="Dé con --administra la dirección desde la que usted entra por SSH: sin ella se quedaría fuera de este "
        "servidor. Si entra por consola y así lo quiere, dé --sin-administracion.",
    )


def _warnings(call: str, institute: Sequence[str], admin: Sequence[str], restricted: Sequence[int]) -> Iterator[str]:
    if not admin:
        yield (
            "NADIE podrá administrar este servidor por SSH: sólo queda la consola. Para dejarlo abierto a usted, "
            "repita la orden con --administra."
        )
    if call == "gro-2021" and (len(institute) > 1 or "/" in institute[0]):
        yield "GRO-2.4e pide SSH abierto a una sola dirección del instituto; aquí hay más."
    if institute and not restricted:
        yield "Esta convocatoria no nombra puertos restringidos: --desde no abre ninguno."


def _ruleset(
    public: Sequence[int],
    restricted: Sequence[int],
    outgoing: Sequence[int],
    *,
    institute: Sequence[str],
    admin: Sequence[str],
    restringe_salida: bool,
    http3: bool,
) -> str:
    lines = [
        "# Hecho por «pregon difusor configura firewall». Una tabla propia: se quita con",
        f"# «nft delete table inet {TABLA}», y lo demás queda como estaba.",
        f"table inet {TABLA}",
        f"delete table inet {TABLA}",
        f"table inet {TABLA} {{",
    ]
    for name, addresses in (("instituto", institute), ("administra", admin)):
        for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
            found = por_version(addresses, version)
            elements = [f"        elements = {{ {', '.join(found)} }}"] if found else []
            lines += [
                f"    set {name}{version} {{",
                f"        type {kind}; flags interval; auto-merge",
                *elements,
                "    }",
            ]
    lines += [*_before(restricted), *_input(public, restricted, http3=http3)]
    lines += [*_output(outgoing, restringe_salida=restringe_salida), "}"]
    return "\n".join(lines) + "\n"


def _ports(ports: Sequence[int]) -> str:
    return "{ " + ", ".join(str(port) for port in ports) + " }"


def _trusted(verdict: str, ports: Sequence[int], *, names: Sequence[str]) -> list[str]:
    return [
        f"        {family} saddr @{name}{version} tcp dport {_ports(ports)} {verdict}"
        for name in names
        for version, family in ((4, "ip"), (6, "ip6"))
    ]


def _before(restricted: Sequence[int]) -> list[str]:
    """Before Docker redirects anything: the restricted ports of this machine answer only to whom they should."""
    guarded = sorted({*restricted, SSH})
    institute = [*_trusted("accept", restricted, names=("instituto",))] if restricted else []
    return [
        "    chain antes {",
        "        type filter hook prerouting priority mangle; policy accept;",
        '        iif "lo" accept',
        "        ct state established,related accept",
        *institute,
        *_trusted("accept", (SSH,), names=("administra",)),
        f"        fib daddr type local tcp dport {_ports(guarded)} counter drop",
        "    }",
    ]


def _input(public: Sequence[int], restricted: Sequence[int], *, http3: bool) -> list[str]:
    institute = [*_trusted("accept", restricted, names=("instituto",))] if restricted else []
    return [
        "    chain entrada {",
        "        type filter hook input priority filter; policy drop;",
        '        iif "lo" accept',
        "        ct state established,related accept",
        "        ct state invalid drop",
        "        # Que la red funcione: errores, eco con límite, vecinos y dirección automática.",
        "        icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
        "        icmp type echo-request limit rate 20/second accept",
        "        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
        "        icmpv6 type echo-request limit rate 20/second accept",
        "        icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept",
        "        udp sport 67 udp dport 68 accept",
        "        udp sport 547 udp dport 546 accept",
        "        # El público.",
        f"        tcp dport {_ports(public)} accept",
        *((f"        udp dport {HTTPS} accept  # HTTP/3",) if http3 else ()),
        "        # El instituto y quien administra.",
        *institute,
        *_trusted("accept", (SSH,), names=("administra",)),
        "        counter",
        "    }",
    ]


def _output(outgoing: Sequence[int], *, restringe_salida: bool) -> list[str]:
    # The profile lists a port and not its transport: 123 is UDP (DGO-II-e, MOR-A1-1.4).
    listed = (
        [f"        meta l4proto {{ tcp, udp }} th dport {_ports(outgoing)} accept  # lo que la convocatoria pide"]
        if outgoing
        else []
    )
    needed = [
        '        oif "lo" accept',
        "        ct state established,related accept",
        "        meta l4proto { icmp, ipv6-icmp } accept",
        f"        meta l4proto {{ tcp, udp }} th dport {DNS} accept",
        "        udp dport { 67, 123, 547 } accept",
        "        tcp dport { 80, 443 } accept",
    ]
    return [
        "    chain salida {",
        f"        type filter hook output priority filter; policy {'drop' if restringe_salida else 'accept'};",
        *(needed if restringe_salida else []),
        *listed,
        *(["        counter"] if restringe_salida else []),
        "    }",
    ]


def _listed(ports: Sequence[int]) -> str:
    return ", ".join(str(port) for port in ports)


def _ufw(
    public: Sequence[int], restricted: Sequence[int], institute: Sequence[str], admin: Sequence[str], *, http3: bool
) -> str:
    lines = ["Lo mismo con ufw:", "ufw default deny incoming"]
    lines += [f"ufw allow {port}/tcp" for port in public] + ([f"ufw allow {HTTPS}/udp"] if http3 else [])
    lines += [f"ufw allow proto tcp from {one} to any port {port}" for one in institute for port in restricted]
    lines += [f"ufw allow proto tcp from {one} to any port {SSH}" for one in admin]
    return "\n".join([*lines, "ufw enable"])


def _firewalld(
    public: Sequence[int], restricted: Sequence[int], institute: Sequence[str], admin: Sequence[str], *, http3: bool
) -> str:
    lines = ["Lo mismo con firewalld:", "firewall-cmd --permanent --zone=public --remove-service=ssh"]
    open_to_all = [f"{port}/tcp" for port in public] + ([f"{HTTPS}/udp"] if http3 else [])
    lines += [f"firewall-cmd --permanent --zone=public --add-port={port}" for port in open_to_all]
    for one, ports in [*((one, restricted) for one in institute), *((one, (SSH,)) for one in admin)]:
        family = "ipv6" if ":" in one else "ipv4"
        lines += [
            f'firewall-cmd --permanent --zone=public --add-rich-rule=\'rule family="{family}" '
            f'source address="{one}" port port="{port}" protocol="tcp" accept\''
            for port in ports
        ]
    return "\n".join([*lines, "firewall-cmd --reload"])
