"""``[panel]`` of ``difusor.toml``: where the status panel listens."""

from pregon.base.settings import Settings


class AjustesPanel(Settings):
    """The status panel."""
