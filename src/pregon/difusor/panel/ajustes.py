"""``[panel]`` of ``difusor.toml``: where the status panel listens."""

from __future__ import annotations

from pregon.web.ajustes import AjustesSitio


class AjustesPanel(AjustesSitio):
    """The status panel: off unless ``puerto`` is given. Keys as every signed-in site."""
