"""``configura s3``: who reads a bucket, and how long it keeps what, as the store's own documents (INE-II-a-ii).

Either one distribution of CloudFront reads it (origin access control), or anybody may, for the edges that cannot sign.
In both only what is published is read: never the private prefix, with the originals and the state, and nothing is
listed. No rule ends the life of what is current: the history is kept whole (INE-II-a-ii-3a), and what is published is
taken away by who put it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pregon.base.errors import UsoError
from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.model import Configuracion

if TYPE_CHECKING:
    from pregon.difusor.configura.nube import Destino

A_MEDIAS_DIAS = 2
"""Days after which an upload that never ended is thrown away."""
BLOQUEO = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

_NADA = "No se escribió ni se cambió nada."
_DISTRIBUCION = re.compile(r"arn:aws[a-z-]*:cloudfront::([0-9]{12}):distribution/[A-Z0-9]+\Z")
_CUENTA = re.compile(r"[0-9]{12}\Z")


def politica(destino: Destino, *, distribucion: str | None, cuenta: str | None) -> dict[str, Any]:
    """The bucket's policy. ``distribucion``: the ARN of who reads; None: anybody does. ``cuenta``: Amazon's, of ours.

    What is private is denied by its own statement, on top of not being granted where it can be so: of a public prefix
    it is a part. A store tells an anonymous reader in one of two ways, and each statement means one of them.

    Raises:
        UsoError: it is no ARN, or no account; or the store is Amazon's, anybody reads, and the account was not said.
    """
    _check(destino, distribucion, cuenta)
    arn = f"arn:aws:s3:::{destino.deposito}"
    published, private = f"{arn}/{destino.prefijo}*", f"{arn}/{destino.privado}*"
    statements: list[dict[str, Any]]
    if distribucion is not None:
        edge = {"Service": "cloudfront.amazonaws.com"}
        own = {"StringEquals": {"aws:SourceArn": distribucion}}
        statements = [
            _says("LaCdnLeeLoPublicado", "Allow", edge, "s3:GetObject", published, own),
            _says("LaCdnNoLeeLoPrivado", "Deny", edge, "s3:*", private),
        ]
    else:
        strangers: list[tuple[str, dict[str, Any]]] = [
            ("NadieSinNombreLeeLoPrivado", {"StringEquals": {"aws:PrincipalType": "Anonymous"}}),
            ("NadieSinIdentidadLeeLoPrivado", {"Null": {"aws:userid": "true"}}),
        ]
        if cuenta is not None:
            other = {"Null": {"aws:PrincipalAccount": "false"}, "StringNotEquals": {"aws:PrincipalAccount": cuenta}}
            strangers.append(("NingunaOtraCuentaLeeLoPrivado", other))
        statements = [
            _says("TodosLeenLoPublicado", "Allow", "*", "s3:GetObject", published),
            *(_says(name, "Deny", "*", "s3:GetObject", private, when) for name, when in strangers),
        ]
    if destino.amazon:
        whole = [arn, f"{arn}/*"]
        statements += [
            _says("SoloCifrado", "Deny", "*", "s3:*", whole, {"Bool": {"aws:SecureTransport": "false"}}),
            _says("SoloTls12", "Deny", "*", "s3:*", whole, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def ciclo(destino: Destino) -> dict[str, Any]:
    """The lifecycle: what was replaced is kept to the end of the permanence and a month more; nothing current ends."""
    rules: list[dict[str, Any]] = [
        {
            "ID": "envios-a-medias",
            "Status": "Enabled",
            "Filter": {"Prefix": destino.prefijo},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": A_MEDIAS_DIAS},
        },
        {
            "ID": "reemplazado",
            "Status": "Enabled",
            "Filter": {"Prefix": destino.prefijo},
            "NoncurrentVersionExpiration": {"NoncurrentDays": destino.reemplazado_dias},
        },
    ]
    if destino.frio_desde is not None and destino.amazon:
        date = destino.frio_desde.isoformat().replace("+00:00", "Z")
        rules.append(
            {
                "ID": "historial",
                "Status": "Enabled",
                "Filter": {"Prefix": destino.privado},
                "Transitions": [{"Date": date, "StorageClass": "GLACIER_IR"}],
            }
        )
    return {"Rules": rules}


def versiones() -> dict[str, str]:
    """What is replaced or removed by mistake, or by a thief of keys, is still there."""
    return {"Status": "Enabled"}


def bloqueo(*, publico: bool) -> dict[str, bool]:
    """Amazon's own bolt. Where anybody reads, only its half about policies is off."""
    return {name: not publico or name.endswith("Acls") for name in BLOQUEO}


def configura(destino: Destino, *, distribucion: str | None = None, cuenta: str | None = None) -> Configuracion:
    """The documents and the orders of the store's own command line that put them in place.

    Raises:
        UsoError: as ``politica``.
    """
    documents: dict[str, Any] = {
        "politica.json": politica(destino, distribucion=distribucion, cuenta=cuenta),
        "ciclo.json": ciclo(destino),
        "versiones.json": versiones(),
    }
    if destino.amazon:
        documents["bloqueo.json"] = bloqueo(publico=distribucion is None)
    call, target = destino.workspace.convocatoria, destino.ajustes
    where = f"--bucket {destino.deposito} --region {target.region}"
    if target.extremo is not None:
        where += f" --endpoint-url {target.extremo}"
    orders = (
        (
            "bloqueo.json", "Amazon no deja abrirlo por descuido.", "put-public-access-block",
            "public-access-block-configuration",
        ),
        ("politica.json", "Quién lee lo publicado, y que nadie lea lo privado.", "put-bucket-policy", "policy"),
        ("versiones.json", "Lo que se reemplaza se conserva.", "put-bucket-versioning", "versioning-configuration"),
        ("ciclo.json", "Cuánto se conserva.", "put-bucket-lifecycle-configuration", "lifecycle-configuration"),
    )  # fmt: skip
    return Configuracion(
        "s3",
        call.id,
        tuple(
            Archivo(name, f"el depósito {destino.deposito}", 0o644, texto(value)) for name, value in documents.items()
        ),
        tuple(
            Paso(what, f"aws s3api {order} {where} --{option} file://{name}")
            for name, what, order, option in orders
            if name in documents
        ),
        avisos=_warnings(destino, distribucion),
        notas=(
            f"Público: {destino.prefijo or 'todo el depósito'}. Privado: {destino.privado}",
            "Para ponerlo en efecto y comprobarlo desde fuera, sin el programa aws: repita la orden con --aplica.",
        ),
        quien="quien puede cambiar el depósito",
    )


def texto(value: Any) -> str:
    """A document as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _says(name: str, effect: str, who: Any, what: str, where: Any, when: Any = None) -> dict[str, Any]:
    said = {"Sid": name, "Effect": effect, "Principal": who, "Action": what, "Resource": where}
    return said if when is None else {**said, "Condition": when}


def _check(destino: Destino, distribution: str | None, account: str | None) -> None:
    problem = None
    if distribution is not None and _DISTRIBUCION.match(distribution) is None:
        problem = f"«{distribution}» no es el ARN de una distribución de CloudFront", "Cópielo de la consola"
    elif distribution is not None and not destino.amazon:
        problem = "una distribución de CloudFront sólo firma ante un depósito de Amazon", "Use --publico"
    elif account is not None and _CUENTA.match(account) is None:
        problem = f"«{account}» no es el número de una cuenta de Amazon", "Son doce cifras"
    elif distribution is None and destino.amazon and account is None:
        problem = (
            "de un depósito de Amazon leerían lo privado las demás cuentas si no se dice cuál es la suya",
            "Agregue --cuenta con sus doce cifras, o --distribucion para que sólo lea su CDN",
        )
    if problem is not None:
        raise UsoError(f"No se pudo escribir la política: {problem[0]}.", intacto=_NADA, que_hacer=f"{problem[1]}.")


def _warnings(destino: Destino, distribution: str | None) -> tuple[str, ...]:
    found = []
    if distribution is None:
        found.append(
            "Cualquiera puede leer lo publicado directamente del depósito, sin pasar por la CDN: eso también se paga."
        )
    if not destino.prefijo and destino.ajustes.historial:
        found.append("El depósito entero es de esta convocatoria: no guarde en él otra cosa.")
    if destino.workspace.convocatoria.permanencia_hasta is None:
        found.append("La convocatoria no dice hasta cuándo es la permanencia: lo reemplazado se conserva un año.")
    return tuple(found)
