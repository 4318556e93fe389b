"""``python -m bench.hijos.verifica ROOT ENTRADA CONFIANZA HORA``: waits in a folder for the second cut and verifies it.

As a difusor does before it opens anything: signatures, list, manifest, and the archive copied and hashed. Prints
``listo`` once it knows the first cut, and ``verificado T`` with the time, in seconds since 1970.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from pregon.base.clock import SimulatedClock
from pregon.base.errors import RedError
from pregon.transport.local import FolderSource
from pregon.trust.cliente import TrustClient, root_identity
from pregon.trust.verified import Memory

LOOK_S = 0.2


def main() -> None:
    """Wait, verify, print."""
    root, inbox, state = (Path(argument) for argument in sys.argv[1:4])
    clock = SimulatedClock.start(datetime.fromisoformat(sys.argv[4]) + timedelta(minutes=1), 1)
    pinned = root.read_bytes()
    client = TrustClient(state, root=pinned, identity=root_identity(pinned), clock=clock, memory=Memory())
    source = FolderSource(inbox)
    while True:
        try:
            verified = client.check(source).verified
        except RedError:
            verified = None
        if verified is not None:
            if verified.manifest.corte > 1:
                changes = min(verified.archives, key=lambda archive: archive.bytes)
                client.download(source, changes, state / "archivo")
                break
            client.accept(verified)
            print("listo", flush=True)
        time.sleep(LOOK_S)
    print(f"verificado {time.time()}", flush=True)


if __name__ == "__main__":
    main()
