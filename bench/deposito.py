"""The bucket of the measure ``nube``: SeaweedFS, who writes down what reaches it, and rclone as the peer."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.difusor.nube.testigo import Testigo
from tests.red.servidores.s3 import DEPOSITO, ESCRIBE, HOST, Seaweed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.difusor.nube.testigo import Peticion

VOLUMENES = 200
"""The two sides keep a tree of 440 MB each round, one of them uncompressed."""
RCLONE = ("--checksum", "--fast-list", "--transfers=32", "--checkers=32", "--s3-no-check-bucket", "--quiet")
"""Without --checksum it asks for each object's time one by one. As many lines as ours."""


@dataclass(frozen=True)
class Deposito:
    """The bucket. ``rclone``: where that program is, None where it is not installed."""

    servidor: Seaweed
    testigo: Testigo
    rclone: Path | None

    @property
    def extremo(self) -> str:
        return f"http://{HOST}:{self.testigo.puerto}"

    def tabla(self, nombre: str, **more: Any) -> dict[str, Any]:
        """A table of ``[[nube]]`` that publishes below the prefix ``nombre``."""
        keys = {"clave_acceso": ESCRIBE[0], "secreto": "env:S3_ESCRIBE", "extremo": self.extremo}
        return {"nombre": nombre, "url": f"s3://{DEPOSITO}/{nombre}", **keys, **more}

    def ajeno(self, nombre: str) -> str:
        """The prefix ``nombre`` as rclone calls it."""
        return f"par:{DEPOSITO}/{nombre}"

    def entorno(self) -> dict[str, str]:
        """The environment in which rclone knows the bucket."""
        keys = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": self.extremo,
            "ACCESS_KEY_ID": ESCRIBE[0],
            "SECRET_ACCESS_KEY": ESCRIBE[1],
            "REGION": "us-east-1",
            "FORCE_PATH_STYLE": "true",
        }
        mine = {f"RCLONE_CONFIG_PAR_{name}": value for name, value in keys.items()}
        return {**os.environ, **mine, "RCLONE_CONFIG": os.devnull}

    @contextlib.contextmanager
    def viendo(self) -> Iterator[list[Peticion]]:
        """The requests that reach it while the block lasts; the list is filled at its end."""
        before = len(self.testigo.peticiones())
        found: list[Peticion] = []
        yield found
        found += self.testigo.peticiones()[before:]


@contextlib.contextmanager
def abre(folder: Path) -> Iterator[Deposito]:
    """A new bucket, whose secrets are in this process's environment."""
    with Seaweed(folder / "s3", volumenes=VOLUMENES) as server, Testigo(folder / "testigo", server.puerto) as witness:
        os.environ.update(server.entorno)
        yield Deposito(server, witness, _rclone())


def _rclone() -> Path | None:
    here = Path(sys.executable).with_name("rclone")
    found = str(here) if here.exists() else shutil.which("rclone")
    return None if found is None else Path(found)
