"""The narrow seam: a channel carries one message or raises. Retries, limits and order are the ``Mensajero``'s."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn, Protocol

from pregon.base.errors import DestinoError, RedError
from pregon.transport.lugar import read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.mensaje import Mensaje

ENVIO_S = 20.0
"""For one whole delivery, whatever it is busy with."""
INTACTO = "El mensaje sigue pendiente; lo publicado no depende de él."


class Canal(Protocol):
    """Carries messages to one place."""

    def envia(self, mensaje: Mensaje) -> None:
        """Deliver ``mensaje``, within ``ENVIO_S``.

        Raises:
            RedError: the link or the other side failed: worth another try.
            DestinoError: the other side answers that it does not want it.
            AjustesError: a secret or a certificate of the settings is not there.
        """


def abre(ajustes: AjustesCanal, folder: Path, clock: Clock, environment: Mapping[str, str] | None = None) -> Canal:
    """The channel of these settings; paths are relative to ``folder``. Opens nothing until something is sent."""
    environment = os.environ if environment is None else environment
    if ajustes.canal == "correo":
        from pregon.notifica.correo import Correo

        return Correo(ajustes, folder, environment)
    if ajustes.canal == "webhook":
        from pregon.notifica.webhook import Webhook

        return Webhook(ajustes, folder, clock, environment)
    from pregon.notifica.syslog import Syslog

    return Syslog(ajustes)


def secret_of(ajustes: AjustesCanal, folder: Path, environment: Mapping[str, str]) -> str | None:
    """The secret that the settings name, read now; None where they name none. Raises AjustesError."""
    if ajustes.secreto is None:
        return None
    return read_secret(ajustes.secreto, ajustes.nombre, folder, environment)


def failed(ajustes: AjustesCanal, why: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the error of a link that failed."""
    raise RedError(
        f"No se pudo avisar por {ajustes.nombre}: {why}.",
        intacto=INTACTO,
        que_hacer="Revise la red y ese servidor; Pregón lo intentará de nuevo.",
    ) from cause


def refused(ajustes: AjustesCanal, why: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the error of another side that does not take the message."""
    raise DestinoError(
        f"No aceptaron el mensaje por {ajustes.nombre}: {why}.",
        intacto=INTACTO,
        que_hacer="Revise «destino», «usuario», «secreto» y «para» en [[notifica]].",
    ) from cause
