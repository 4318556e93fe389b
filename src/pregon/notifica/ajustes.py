"""``[[notifica]]``: one place that is told."""

from typing import Literal

from pregon.base.settings import Settings


class AjustesCanal(Settings):
    """``canal``: ``syslog``, ``correo`` or ``webhook``; ``destino``: where."""

    canal: Literal["correo", "webhook", "syslog"]
    destino: str
