"""``configura s3 --aplica``: the rules put in a bucket, and proved from outside before they are left there.

1. The policy that was there, and Amazon's bolt, are kept aside.
2. Ours is put, and two objects of nobody's interest: one where everything is public, one where nothing is.
3. A stranger, unsigned, asks for both, lists, and tries to write. What it may and may not is what the policy says, or
   what was there comes back and an error says what was seen.
4. The two objects go; versions and lifecycle are put.

Amazon's own library signs: it is the extra ``nube``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pregon.base.errors import AjustesError, DestinoError, RedError
from pregon.difusor.configura import s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pregon.base.clock import Clock
    from pregon.difusor.configura.nube import Destino

PLAZO_S = 10.0
"""For each request."""
SE_PROPAGA_S = 20.0
"""A store may take some seconds to obey a new policy everywhere."""
INTENTO_S = 2.0
_SIN_ESO = ("NotImplemented", "MethodNotAllowed", "XNotImplemented", "NotImplementedError")


@dataclass(frozen=True)
class Aplicado:
    """What was done: what the store obeys, what it does not know, and what a stranger saw."""

    hecho: tuple[str, ...]
    sin_eso: tuple[str, ...]
    visto: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {"hecho": list(self.hecho), "sin_eso": list(self.sin_eso), "visto": dict(self.visto)}


def aplica(
    destino: Destino, *, distribucion: str | None = None, cuenta: str | None = None, clock: Clock,
    environment: Mapping[str, str] = os.environ,
) -> Aplicado:  # fmt: skip
    """Put the policy, the versions and the lifecycle of ``configura`` in the bucket, as its owner.

    Raises:
        UsoError: as ``s3.politica``. AjustesError: there are no keys, or no library.
        DestinoError: the store refuses, or a stranger sees what it must not; then the policy is the one that was.
        RedError: it does not answer.
    """
    policy = s3.politica(destino, distribucion=distribucion, cuenta=cuenta)
    public = distribucion is None
    with _told(destino):
        client = _client(destino, environment)
        done: list[str] = []
        without: list[str] = []
        before, bolt = _policy(client, destino.deposito), _bolt(client, destino)
        try:
            if destino.amazon:
                block = s3.bloqueo(publico=public)
                client.put_public_access_block(Bucket=destino.deposito, PublicAccessBlockConfiguration=block)
                done.append("bloqueo")
            client.put_bucket_policy(Bucket=destino.deposito, Policy=json.dumps(policy))
            done.append("politica")
            seen = _proved(client, destino, public=public, clock=clock)
        except BaseException:
            _put_back(client, destino, before, bolt, done)
            raise
        rest: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("versiones", lambda: client.put_bucket_versioning(
                Bucket=destino.deposito, VersioningConfiguration=s3.versiones())),
            ("ciclo", lambda: client.put_bucket_lifecycle_configuration(
                Bucket=destino.deposito, LifecycleConfiguration=s3.ciclo(destino))),
        )  # fmt: skip
        for name, put in rest:
            (done if _known(put) else without).append(name)
    return Aplicado(tuple(done), tuple(without), seen)


def _client(destino: Destino, environment: Mapping[str, str]) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as exc:
        raise AjustesError(
            "Para poner las reglas de un depósito hace falta boto3, y no está instalado.",
            intacto="No se cambió nada.",
            que_hacer="Instale Pregón con su extra «nube», o use los archivos y órdenes que escribe --salida.",
        ) from exc
    target, folder = destino.ajustes, destino.workspace.folder
    keys = {}
    if target.clave_acceso is not None:
        keys = {
            "aws_access_key_id": target.clave_acceso,
            "aws_secret_access_key": target.secret(folder, environment),
        }
    return boto3.client(
        "s3",
        region_name=target.region,
        endpoint_url=target.extremo,
        verify=True if target.ca is None else str(folder / target.ca),
        config=Config(
            s3={"addressing_style": "path" if target.estilo_ruta else "virtual"},
            connect_timeout=PLAZO_S,
            read_timeout=PLAZO_S,
            retries={"max_attempts": 2},
            proxies={} if target.proxy is None else {"http": target.proxy, "https": target.proxy},
        ),
        **keys,
    )


@contextlib.contextmanager
def _told(destino: Destino) -> Iterator[None]:
    """What the library raises, in our words."""
    name = destino.ajustes.nombre
    try:
        yield
    except ImportError:
        raise
    except Exception as exc:
        # Border with a foreign library: anything of its own tree is told, ours and bugs pass.
        if not type(exc).__module__.startswith(("botocore", "boto3")):
            raise
        answer = getattr(exc, "response", None)
        if answer is None:
            raise RedError(
                f"No se pudo hablar con el almacén de «{name}»: {exc}.",
                intacto="Si la política llegó a cambiar, se repuso la que había; ningún objeto cambió.",
                que_hacer="Revise «extremo», «region», las claves y la red, y repita la orden.",
            ) from exc
        code = answer.get("Error", {}).get("Code", "")
        raise DestinoError(
            f"El almacén de «{name}» no lo permitió: {code} ({exc}).",
            intacto="Si la política llegó a cambiar, se repuso la que había; ningún objeto cambió.",
            que_hacer="Use las claves de quien administra el depósito (s3:PutBucketPolicy, "
            "s3:PutLifecycleConfiguration y s3:PutBucketVersioning); las del difusor no las necesitan.",
        ) from exc


def _known(put: Callable[[], Any]) -> bool:
    """Do it; False where the store has no such thing."""
    from botocore.exceptions import ClientError

    try:
        put()
    except ClientError as exc:
        if exc.response.get("Error", {}).get("Code") not in _SIN_ESO:
            raise
        return False
    return True


def _policy(client: Any, bucket: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        return str(client.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as exc:
        if exc.response.get("Error", {}).get("Code") != "NoSuchBucketPolicy":
            raise
        return None


def _bolt(client: Any, destino: Destino) -> dict[str, bool] | None:
    from botocore.exceptions import ClientError

    if not destino.amazon:
        return None
    try:
        found: dict[str, bool] = client.get_public_access_block(Bucket=destino.deposito)[
            "PublicAccessBlockConfiguration"
        ]
    except ClientError as exc:
        if exc.response.get("Error", {}).get("Code") != "NoSuchPublicAccessBlockConfiguration":
            raise
        return None
    return found


def _put_back(
    client: Any, destino: Destino, policy: str | None, bolt: Mapping[str, bool] | None, done: Sequence[str]
) -> None:
    """What was there, of what was changed.

    Raises:
        DestinoError: it did not let us; what is there now has to be looked at.
    """
    bucket = destino.deposito
    try:
        if "politica" in done:
            if policy is None:
                client.delete_bucket_policy(Bucket=bucket)
            else:
                client.put_bucket_policy(Bucket=bucket, Policy=policy)
        if "bloqueo" in done:
            if bolt is None:
                client.delete_public_access_block(Bucket=bucket)
            else:
                client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict(bolt))
    except Exception as exc:
        # Border with a foreign library, on the way of another failure: this one is the worse news.
        raise DestinoError(
            f"No se pudieron reponer las reglas que tenía el depósito de «{destino.ajustes.nombre}»: {exc}.",
            intacto="Ningún objeto cambió; las reglas nuevas quedaron puestas.",
            que_hacer="Revise ahora mismo la política del depósito y repóngala a mano.",
        ) from exc


def _proved(client: Any, destino: Destino, *, public: bool, clock: Clock) -> dict[str, int]:
    """What a stranger gets, once it is what it must be.

    Raises:
        DestinoError: after ``SE_PROPAGA_S`` it still is not.
    """
    name = f"pregon-prueba-{secrets.token_hex(8)}.txt"
    keys = {"publico": destino.prefijo + name, "privado": destino.privado + name}
    versions: dict[str, dict[str, str]] = {}
    body = b"Prueba de las reglas del deposito.\n"
    try:
        for key in keys.values():
            put = client.put_object(Bucket=destino.deposito, Key=key, Body=body, ContentType="text/plain")
            versions[key] = {"VersionId": put["VersionId"]} if put.get("VersionId") else {}
        limit = clock.monotonic() + SE_PROPAGA_S
        while True:
            seen = _seen(destino, client, keys)
            wrong = _wrong(seen, public=public)
            if not wrong:
                break
            if clock.monotonic() >= limit:
                raise DestinoError(
                    f"Con la política nueva, alguien de fuera {wrong} en el depósito de «{destino.ajustes.nombre}».",
                    intacto="Se repusieron las reglas que había; no se cambió nada más.",
                    que_hacer="Ese almacén no obedece la política: guarde el historial en un depósito aparte y "
                    "privado, o use otro almacén.",
                )
            clock.sleep(INTENTO_S)
        client.get_object(Bucket=destino.deposito, Key=keys["privado"])["Body"].read()  # We still read what is ours.
    finally:
        for key, version in versions.items():
            client.delete_object(Bucket=destino.deposito, Key=key, **version)
    return seen


def _seen(destino: Destino, client: Any, keys: Mapping[str, str]) -> dict[str, int]:
    import httpx2

    base = f"{client.meta.endpoint_url}/{destino.deposito}"
    target = destino.ajustes
    if not target.estilo_ruta:
        scheme, _, host = str(client.meta.endpoint_url).partition("://")
        base = f"{scheme}://{destino.deposito}.{host}"
    verify: Any = True
    if target.ca is not None:
        import ssl

        verify = ssl.create_default_context(cafile=str(destino.workspace.folder / target.ca))
    try:
        with httpx2.Client(timeout=PLAZO_S, trust_env=False, verify=verify, proxy=target.proxy) as stranger:
            public, private = (f"{base}/{quote(keys[name])}" for name in ("publico", "privado"))
            return {
                "lee lo publicado": stranger.get(public).status_code,
                "lee lo privado": stranger.get(private).status_code,
                "lista": stranger.get(f"{base}?list-type=2").status_code,
                "escribe": stranger.put(public, content=b"x").status_code,
                "borra": stranger.delete(public).status_code,
            }
    except httpx2.HTTPError as exc:
        raise RedError(
            f"No se pudo comprobar desde fuera el depósito de «{target.nombre}»: {exc}.",
            intacto="Se repusieron las reglas que había; no se cambió nada más.",
            que_hacer="Revise que desde este equipo se llegue al almacén, y repita la orden.",
        ) from exc


def _wrong(seen: Mapping[str, int], *, public: bool) -> str | None:
    """What a stranger does that it must not, or does not that it must."""
    for what, status in seen.items():
        allowed = public and what == "lee lo publicado"
        if allowed and status != HTTPStatus.OK:
            return f"no puede leer lo publicado (responde {status})"
        if not allowed and status < HTTPStatus.BAD_REQUEST:
            return f"{what} (responde {status})"
    return None
