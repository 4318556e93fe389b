"""``[tablero]`` of ``instituto.toml``: where the board listens."""

from __future__ import annotations

from pregon.web.ajustes import AjustesSitio


class AjustesTablero(AjustesSitio):
    """The board: not served unless ``puerto`` is given. Keys as every signed-in site."""
