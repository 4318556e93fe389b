"""The word of a child whose imports are done; apart, because all that ``bench.procesos`` needs takes time to import."""

from __future__ import annotations

import time


def listo() -> None:
    """Print it (``bench.procesos``)."""
    print(f"listo {time.perf_counter()}", flush=True)
