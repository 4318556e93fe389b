"""The process that serves the view: started beside a rehearsal, and ended with it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pregon.base.procesos import ends_with_parent, running, wait_until
from pregon.base.red import answers_tcp
from pregon.simulacro.vivo import encargo
from pregon.web.servidor import corriendo, escuchando

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.base.durable import Disk
    from pregon.base.procesos import Process
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.grabacion import Grabacion
    from pregon.simulacro.result import NightResult
    from pregon.simulacro.session import Request

DIRECCION: Final = "127.0.0.1"
"""Nothing of a rehearsal leaves this machine."""
BITACORA: Final = "vivo.log"
LISTO_S: Final = 20.0
DESPIDE_S: Final = 0.4
"""For the last word to reach the pages that are open, before their streams end."""
CONEXIONES: Final = 256


@dataclass(frozen=True)
class Vista:
    """The live view of one rehearsal, for whoever leads it: what it is told, its address, its process."""

    puerto: int

    @classmethod
    def en(cls, puerto: int) -> Vista:
        """One at that port, tried before anything is made; 0: any that is free.

        Raises:
            AjustesError: it cannot be opened.
        """
        with escuchando(DIRECCION, puerto) as listener:
            return cls(int(listener.getsockname()[1]))

    @property
    def origen(self) -> str:
        """The origin of the page, which frames the portals."""
        return f"http://{DIRECCION}:{self.puerto}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.origen}/"

    def escribe(
        self,
        folder: Path,
        source: Grabacion,
        fallas: Sequence[Falla],
        request: Request,
        *,
        abierta: bool,
        disk: Disk,
    ) -> None:
        """Leave in the folder of the night what is known of it before it begins."""
        told = encargo.encargo_de(
            source.convocatoria,
            source.plan,
            difusores=request.difusores,
            semilla=request.semilla,
            fallas=fallas,
            informe=request.informe,
            calificada=request.calificada,
            abierta=abierta,
            siguen=request.siguen,
        )
        disk.make_folder(folder)
        encargo.escribe(folder, told, disk=disk)

    def concluye(self, folder: Path, result: NightResult, *, disk: Disk) -> None:
        """Leave there how it ended."""
        encargo.concluye(folder, result, disk=disk)

    @contextlib.contextmanager
    def atendida(self, folder: Path) -> Iterator[Process]:
        """Serve the view of the night in ``folder`` until the block ends; ``escribe`` came before.

        It is waited for once, here, before the night begins; if it ends later, the night goes on without it.

        Raises:
            ComprobacionError: it did not start; the text carries what it printed.
        """
        command: list[str | Path] = [sys.executable, "-m", "pregon.simulacro.vivo", folder]
        with running([*command, str(self.puerto), str(os.getpid())], output=folder / BITACORA) as process:
            wait_until(lambda: answers_tcp(DIRECCION, self.puerto), process, timeout=LISTO_S, what="La vista en vivo")
            yield process


def main() -> None:
    """Serve the folder and the port of the command line until told to stop, or until the given parent ends."""
    from pregon.simulacro.vivo.sitio import Vivo

    folder, port, parent = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with contextlib.suppress(ProcessLookupError):
        ends_with_parent(parent)
        view = Vivo(folder)
        with corriendo(view.app, direccion=DIRECCION, puerto=port, conexiones=CONEXIONES, al_cerrar=view.cierra):
            view.empieza()
            stop.wait()
            view.despide()
            threading.Event().wait(DESPIDE_S)
