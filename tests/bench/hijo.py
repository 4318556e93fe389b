"""A child of the bench that keeps memory of its own and starts another that keeps as much."""

from __future__ import annotations

import json
import os
import sys
import time

from bench.procesos import listo


def main() -> None:
    size = int(sys.argv[1])
    listo()
    grandchild = os.fork()
    block = bytearray(os.urandom(1 << 20)) * (size >> 20)
    time.sleep(0.5)
    if grandchild == 0:
        os._exit(0)
    os.waitpid(grandchild, 0)
    print(json.dumps({"bytes": len(block)}))


if __name__ == "__main__":
    main()
