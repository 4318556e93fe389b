"""``configura cloudformation|terraform``: a private bucket, its CDN and the machine that receives, as files (INE-II-a).

The text of the templates is always the same; the values of this difusor and of its call go in a file of their own. The
machine that receives is a small one with the container and a disk: there is no function to write, to deploy or to pay.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pregon.base.errors import UsoError
from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.model import Configuracion
from pregon.difusor.configura.nube import plantilla

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.difusor.configura.nube import Destino

TERRAFORM = (
    "versiones.tf", "variables.tf", "deposito.tf", "cdn.tf", "equipo.tf", "salidas.tf", "arranque.sh.tftpl",
    "indices.js",
)  # fmt: skip
"""The module's files."""
SIN_BITACORA = (
    "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
    "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1",
)  # fmt: skip
"""Regions in whose buckets CloudFront does not leave its logs: those that an account asks to be let into."""
TLS = {"1.2": "TLSv1.2_2021", "1.3": "TLSv1.3_2025"}
MAX_CSP = 1783
"""What CloudFront admits of a Content-Security-Policy, bytes."""

_NADA = "No se escribió ni se cambió nada."
_PATRONES = {
    "--certificado": re.compile(r"arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]+\Z"),
    "--imagen": re.compile(r"[0-9a-z./_-]+(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?\Z"),
    "--privado": re.compile(r"com\.amazonaws\.[a-z0-9.-]+\Z"),
    "--waf": re.compile(r"arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_/-]+\Z"),
    "--escudo": re.compile(r"[a-z]{2}-[a-z]+-[0-9]\Z"),
}


@dataclass(frozen=True)
class Pedido:
    """What only who has the cloud's account knows. None: left for later, and said so."""

    certificado: str | None = None
    imagen: str | None = None
    privado: str | None = None
    waf: str | None = None
    escudo: str | None = None


def valores(destino: Destino, pedido: Pedido) -> dict[str, Any]:
    """The variables of the Terraform module; CloudFormation's are the same in other letters.

    Raises:
        UsoError: what was typed is not what it should be, or the settings do not go with a CDN of this kind.
    """
    _check(destino, pedido)
    call, ours = destino.workspace.convocatoria, destino.encabezados
    inside = destino.prefijo.rstrip("/")
    cold = destino.frio_desde
    known: dict[str, Any] = {
        "nombre": f"pregon-{destino.ajustes.nombre}"[:32].rstrip("-"),
        "region": destino.ajustes.region,
        "deposito": destino.deposito,
        "camino": f"/{inside}" if inside else "",
        "no_vigentes_dias": destino.reemplazado_dias,
        "historial_frio_desde": "" if cold is None else cold.strftime("%Y-%m-%dT00:00:00Z"),
        "nombres": [destino.anfitrion],
        "tls_minimo": TLS[call.tls_min or "1.2"],
        "comprime": destino.ajustes.codificacion == "identidad",
        "csp": ours["Content-Security-Policy"],
        "hsts_segundos": destino.hsts_s,
        "indexable": "X-Robots-Tag" not in ours,
        "inmutable_segundos": 31_536_000 if destino.inmutable else 0,
        "bitacora_cdn": destino.ajustes.region not in SIN_BITACORA,
        "disco_gb": destino.disco_gb,
    }
    asked = {
        "certificado_arn": pedido.certificado,
        "imagen": pedido.imagen,
        "servicio_privado": pedido.privado,
        "web_acl_arn": pedido.waf,
        "escudo_region": pedido.escudo,
    }
    return known | {name: value for name, value in asked.items() if value is not None}


def terraform(destino: Destino, pedido: Pedido) -> Configuracion:
    """The module, with its values, for Terraform or OpenTofu.

    Raises:
        UsoError: as ``valores``.
    """
    values = valores(destino, pedido)
    files = [Archivo(name, "esta carpeta", 0o644, plantilla(f"terraform/{name}")) for name in TERRAFORM]
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    own = Archivo("pregon.auto.tfvars.json", "esta carpeta", 0o644, text)
    tool = 'programa=$(command -v tofu || command -v terraform)\n"$programa"'
    return _answer(
        "terraform",
        destino,
        pedido,
        (*files, own),
        (
            Paso("Trae el proveedor de AWS y revisa el módulo.", f'{tool} init\n"$programa" validate'),
            Paso("Enseña lo que crearía, y lo crea si usted dice que sí.", f"{tool} apply"),
        ),
    )  # fmt: skip


def cloudformation(destino: Destino, pedido: Pedido) -> Configuracion:
    """The template, with its parameters.

    Raises:
        UsoError: as ``valores``.
    """
    values = valores(destino, pedido)
    region, stack = values.pop("region"), values["nombre"]
    values["prefijo"] = destino.prefijo
    parameters = [{"ParameterKey": _camel(name), "ParameterValue": _parameter(value)} for name, value in values.items()]
    where = f"--region {region}"
    return _answer(
        "cloudformation",
        destino,
        pedido,
        (
            Archivo("cloudformation.yaml", "esta carpeta", 0o644, plantilla("cloudformation.yaml")),
            Archivo(
                "parametros.json", "esta carpeta", 0o644, json.dumps(parameters, indent=2, ensure_ascii=False) + "\n"
            ),
        ),
        (
            Paso(
                "AWS revisa la plantilla.",
                f"aws cloudformation validate-template {where} --template-body file://cloudformation.yaml >/dev/null",
            ),
            Paso(
                "La crea, o la cambia si ya estaba.",
                f"aws cloudformation deploy {where} --stack-name {stack} --template-file cloudformation.yaml "
                "--parameter-overrides file://parametros.json --capabilities CAPABILITY_IAM",
            ),
            Paso(
                "Lo que va en difusor.toml y en el DNS.",
                f"aws cloudformation describe-stacks {where} --stack-name {stack} --query 'Stacks[0].Outputs'",
            ),
        ),
    )


def _answer(
    service: str, destino: Destino, pedido: Pedido, files: tuple[Archivo, ...], steps: tuple[Paso, ...]
) -> Configuracion:
    return Configuracion(
        service,
        destino.workspace.convocatoria.id,
        files,
        steps,
        avisos=_warnings(destino, pedido),
        notas=_notes(destino, pedido),
        quien="quien administra la cuenta de AWS",
    )


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return "si" if value else "no"
    return ",".join(value) if isinstance(value, list) else str(value)


def _check(destino: Destino, pedido: Pedido) -> None:
    given: Mapping[str, str | None] = {
        "--certificado": pedido.certificado,
        "--imagen": pedido.imagen,
        "--privado": pedido.privado,
        "--waf": pedido.waf,
        "--escudo": pedido.escudo,
    }
    for option, value in given.items():
        if value is not None and _PATRONES[option].match(value) is None:
            raise UsoError(
                f"{option} «{value}» no es lo que debe ser.",
                intacto=_NADA,
                que_hacer="Cópielo de la consola de AWS; los certificados y WAF de CloudFront están en us-east-1.",
            )
    problem = None
    name = destino.ajustes.nombre
    if not destino.amazon:
        problem = f"«{name}» no está en Amazon (tiene «extremo»)", "Use «configura s3» y «configura varnish»"
    elif destino.ajustes.publica is None or destino.anfitrion is None:
        problem = f"«{name}» no dice en qué dirección se verá", "Escriba «publica» en su [[nube]]"
    elif urlsplit(destino.ajustes.publica).path != "/":
        problem = "«publica» lleva una carpeta, y esta CDN publica en la raíz de su nombre", "Use un nombre propio"
    elif len(destino.encabezados["Content-Security-Policy"].encode()) > MAX_CSP:
        problem = "la política de contenido no cabe en CloudFront", "Reduzca los marcos permitidos en el perfil"
    if problem is not None:
        raise UsoError(
            f"No se pudo escribir: {problem[0]}.", intacto=_NADA, que_hacer=f"{problem[1]}, y repita la orden."
        )


def _warnings(destino: Destino, pedido: Pedido) -> tuple[str, ...]:
    call = destino.workspace.convocatoria
    found = []
    if pedido.certificado is None:
        found.append(
            "Falta el certificado: pídalo en ACM, en us-east-1, para "
            f"{destino.anfitrion}, y repita la orden con --certificado."
        )
    if pedido.imagen is None:
        found.append("Falta la imagen del difusor: súbala a ECR y repita la orden con --imagen.")
    if destino.ajustes.region in SIN_BITACORA:
        found.append(
            f"CloudFront no deja bitácoras en depósitos de {destino.ajustes.region}: se crea sin ellas. Si la memoria "
            "las necesita, use us-east-1, o actívelas en la consola hacia CloudWatch."
        )
    if pedido.waf is None and call.ddos == "requerido":
        found.append(
            "La convocatoria pide contención de ataques en las capas 3, 4 y 7: CloudFront trae las dos primeras; para "
            "la 7 cree un WAF y repita la orden con --waf."
        )
    if not destino.ajustes.historial and call.historial.conservar == "completo":
        found.append("La convocatoria pide conservar todo el historial: escriba historial = true en su [[nube]].")
    return tuple(found)


def _notes(destino: Destino, pedido: Pedido) -> tuple[str, ...]:
    call = destino.workspace.convocatoria
    found = [
        (
            "Después, en la [[nube]] de difusor.toml: quite clave_acceso y secreto (el equipo usa su propio papel) y "
            'ponga [nube.purga] tipo = "cloudfront" con la distribución que dicen las salidas.'
        ),
        (
            "El reloj del contenedor es el del equipo: en difusor.toml, [reloj] fuente = "
            '"ntp", servidor = "169.254.169.123".'
        ),
    ]
    if call.transporte.mbps is not None:
        how = "por PrivateLink" if pedido.privado else "sin PrivateLink (--privado)"
        found.append(
            f"La convocatoria pide un enlace exclusivo de {call.transporte.mbps} Mbps o más para obtener el paquete, o "
            f"PrivateLink si la nube es AWS (INE-II-a-iii-2): aquí se haría {how}. Un equipo t3.large sostiene más de "
            "500 Mbps."
        )
    elif call.transporte.modo == "push":
        found.append(
            "En esta convocatoria el instituto deposita el corte: el equipo de estas plantillas no abre ningún puerto. "
            "Reciba en un equipo propio y use de aquí sólo el depósito y la CDN."
        )
    return tuple(found)
