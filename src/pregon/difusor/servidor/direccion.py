"""Where the public finds a workspace's portal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.difusor.workspace import Workspace

DIRECCION = "direccion"
"""File with the portal's address while it is being served; the self-check and the reports read it."""
_MAX_URL = 2048


def public_url(workspace: Workspace) -> str | None:
    """The portal's address with a final slash: the settings' own, else the one being served now, else None."""
    if workspace.settings.servidor.url:
        return workspace.settings.servidor.public_url
    with contextlib.suppress(OSError, UnicodeDecodeError), (workspace.servidor / DIRECCION).open("rb") as file:
        text = file.read(_MAX_URL).decode("ascii").strip()
        if text.startswith(("http://", "https://")):
            return text
    return None
