"""What one search may take, and which searches there are."""

from __future__ import annotations

OBJETIVOS = ("zip", "siete", "manifiesto", "metadatos", "csv")
"""The targets, each a module of this package, in the order in which they are run."""
MINUTOS = 10.0
"""How long each is searched."""
SEGUNDOS_POR_ENTRADA = 10
"""An input that takes longer is a finding: it hangs."""
RSS_MB = 256
"""Resident memory of the process, in MiB: 128 that reading an archive may take, and as much of Python and the search.

What leaks goes over it within the minutes of a run.
"""
ESPACIO_MB = 1024
"""Address space of the process, in MiB: one huge allocation fails there, which is a finding as well."""
DESCRIPTORES = 64
"""Open files of the process: one that is not closed is a finding soon."""
GRACIA_S = 120.0
"""What a search may take beyond its minutes, to read its corpus and to end."""
UNION_S = 1200.0
"""What reducing a corpus may take."""
GUARDADO_BYTES = 4096
"""The longest input that is kept in the repository."""
PROPIEDADES_S = 3600.0
"""What the property tests may take."""
