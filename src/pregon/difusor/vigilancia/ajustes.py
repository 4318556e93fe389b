"""``[vigilancia]`` of ``difusor.toml``: what counts as wrong, and where the metrics are read."""

from pregon.base.settings import Settings


class AjustesVigilancia(Settings):
    """Limits of the self-watch."""
