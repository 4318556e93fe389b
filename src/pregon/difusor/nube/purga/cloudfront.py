"""CloudFront, by Amazon's own library: invalidations within its limits, each with a reference never used before.

A reference used twice is no second invalidation: the service answers with the first one, and the edge goes on showing
what it had. Source: docs.aws.amazon.com/AmazonCloudFront, «Invalidating files» and «Concurrent invalidation request
maximum».
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pregon.base.errors import AjustesError, PurgaError, RedError
from pregon.difusor.nube.purga.llamada import CONNECT_S, INTACTO, STALL_S, Turno
from pregon.difusor.nube.purga.rutas import comodines, lotes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.difusor.nube.purga.ajustes import AjustesPurga

REGION = "us-east-1"
"""Where the service is signed for, wherever its edges are."""
POCAS = 60
"""Paths that are said one by one. The service charges by path, and by one a wildcard."""
COMODINES = 10
"""Wildcards of one purge: of the 15 that may be under way, some are left for the purge before, or the next."""
LOTE = 3000
"""Paths of one invalidation, and of all that are under way."""
OCUPADO = frozenset({"TooManyInvalidationsInProgress", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
ESPERA_S = 10.0
"""Before trying again where too many are under way: they take from some seconds to a minute or two."""


class CloudFront:
    """One distribution."""

    def __init__(
        self,
        ajustes: AjustesPurga,
        secreto: str | None,
        publica: str | None,
        *,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        """``publica``: the portal's public address, whose path goes before every path; None: it is the root.

        Raises:
            AjustesError: ``pregon[nube]`` is not installed.
        """
        assert ajustes.distribucion is not None  # noqa: S101 (the settings hold it)
        self._distribucion = ajustes.distribucion
        self._base = "" if publica is None else urlsplit(publica).path.rstrip("/")
        self._client = _client(ajustes, secreto, folder, environment)

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None:
        turno = Turno()
        alone, wild = comodines(rutas, pocas=POCAS, maximo=COMODINES)
        for group in lotes([self._base + ruta for ruta in (*alone, *wild)], LOTE):
            self._invalidate(group, turno)

    def close(self) -> None:
        self._client.close()

    def _invalidate(self, paths: Sequence[str], turno: Turno) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        # The same for every try of this one invalidation, and for no other.
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": f"pregon-{uuid.uuid4()}"}
        while True:
            try:
                self._client.create_invalidation(DistributionId=self._distribucion, InvalidationBatch=batch)
            except ClientError as exc:
                code = str(exc.response.get("Error", {}).get("Code", ""))
                if code not in OCUPADO:
                    raise _refused(exc, code) from exc
                missing = turno.otra_vez(ESPERA_S)
                if missing is not None:
                    raise PurgaError(
                        f"CloudFront todavía atiende purgas anteriores ({code}).",
                        intacto=INTACTO,
                        que_hacer="Se purga de nuevo en cuanto terminen. Si se repite, revise quién más purga ahí.",
                        espera_s=missing,
                    ) from exc
            except BotoCoreError as exc:
                raise _unanswered(exc) from exc
            else:
                return


def _client(ajustes: AjustesPurga, secreto: str | None, folder: Path, environment: Mapping[str, str]) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as exc:
        raise AjustesError(
            "Para purgar CloudFront hace falta la biblioteca boto3, que no está instalada.",
            intacto="No se purgó nada; lo publicado sigue como estaba.",
            que_hacer="Instale el complemento: pip install 'pregon[nube]' (en un contenedor, construya la imagen con "
            "--build-arg PAQUETES=nube), y repita la orden.",
        ) from exc
    key, token = ajustes.clave_acceso, None
    if key is None:
        key, secreto = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
        token = environment.get("AWS_SESSION_TOKEN")
    session = boto3.session.Session(
        aws_access_key_id=key, aws_secret_access_key=secreto, aws_session_token=token, region_name=REGION
    )
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=STALL_S,
        retries={"mode": "standard", "total_max_attempts": 3},
        proxies={"http": ajustes.proxy, "https": ajustes.proxy} if ajustes.proxy else {},
        ignore_configured_endpoint_urls=True,
        user_agent_extra="pregon-difusor",
    )
    return session.client(
        "cloudfront",
        endpoint_url=ajustes.extremo,
        verify=True if ajustes.ca is None else str(folder / ajustes.ca),
        config=config,
    )


def _refused(exc: Any, code: str) -> PurgaError | RedError:
    status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500:
        return RedError(
            f"No se pudo purgar en CloudFront: respondió con el estado {status} ({code}).",
            intacto=INTACTO,
            que_hacer="Se intenta de nuevo. Si dura, revise el estado del servicio.",
        )
    if code == "NoSuchDistribution":
        reason, remedy = "no conoce esa distribución", "Ponga en «distribucion» su identificador, como E2EXAMPLE123."
    elif status in (401, 403):
        reason = "no acepta las credenciales, o no permiten purgar"
        remedy = "Revise «clave_acceso» y «secreto», y que permitan «cloudfront:CreateInvalidation» ahí."
    else:
        said = str(exc.response.get("Error", {}).get("Message", ""))[:300]
        reason, remedy = f"rechazó la orden: «{said}»", "Revise «distribucion» y «publica»."
    return PurgaError(f"No se purgó en CloudFront: {reason} ({code}).", intacto=INTACTO, que_hacer=remedy)


def _unanswered(exc: Exception) -> PurgaError | RedError:
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    if isinstance(exc, (NoCredentialsError, PartialCredentialsError)):
        return PurgaError(
            "No se purgó en CloudFront: este equipo no tiene credenciales.",
            intacto=INTACTO,
            que_hacer="Ponga «clave_acceso» y «secreto» en [nube.purga], o dé a la máquina un rol que pueda purgar.",
        )
    return RedError(
        f"No se pudo purgar en CloudFront: {exc}",
        intacto=INTACTO,
        que_hacer="Revise la red de este equipo; se intenta de nuevo.",
    )
