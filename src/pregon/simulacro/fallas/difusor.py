"""Faults of one difusor's machine: its processes killed, its disk full, its clock off.

* ``proceso_muerto``: SIGKILL to what receives, started again at the end. It had an effect if that process ended.
* ``servidor_muerto``: SIGKILL to what serves (``mata``: the web server, the ``sirve`` that cares for it, or both),
  while a visitor asks without a pause. Whoever is left starts the web server again; a ``sirve`` that died is started
  again as its systemd unit does, ``REINICIO_S`` later. The effect is how many of them died, by their process numbers.
* ``disco_lleno``: every step that takes room answers ENOSPC (``recibe``). The effect is how many were refused.
* ``reloj``: its clock reads another hour than the night's. It had an effect if it did so just before it was put right.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock
from pregon.base.procesos import Adopted
from pregon.difusor.servidor.administra import Admin
from pregon.simulacro.fallas.recibe import veces
from pregon.simulacro.fallas.visitante import Visitante

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.simulacro.fallas.escena import Escena
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.night import _Difusor

REINICIO_S = 2.0
"""``RestartSec`` of the unit that ``configura systemd`` writes for ``sirve``."""
VUELVE_S = 30.0
"""Real seconds in which a server that was killed must answer again; later, the marks say that it did not."""
_MIRA_S = 0.05


@dataclass
class _Caida:
    visitante: Visitante
    antes: int | None
    """Process of the web server before."""
    despues: int | None = None
    murio_sirve: bool = False


class FallasDelDifusor:
    """The machines of the difusores of a night."""

    def __init__(
        self,
        escena: Escena,
        *,
        difusor: Callable[[str], _Difusor],
        recibe: Callable[[_Difusor], None],
        sirve: Callable[[_Difusor], None],
    ) -> None:
        """``recibe`` and ``sirve`` start again what a difusor receives with, and what it serves with."""
        self._escena = escena
        self._difusor = difusor
        self._recibe = recibe
        self._sirve = sirve
        self._desfases = {one.objetivo: timedelta(0) for one in escena.fallas if one.clase == "reloj"}
        self._caidas: dict[int, _Caida] = {}
        self._silencios: dict[tuple[str, int], float] = {}

    @property
    def silencios(self) -> Mapping[tuple[str, int], float]:
        """Real seconds without an answer, by difusor and period, where a server was killed on purpose."""
        return self._silencios

    # Its clock and its disk, where the plan has a fault of them

    def reloj_propio(self, name: str) -> Path | None:
        """The file of its own clock; None: it reads the night's."""
        return self._escena.post.folder / f"reloj-{name}.json" if name in self._desfases else None

    def pon_en_hora(self, hora: datetime, ritmo: float) -> None:
        """Set every clock of their own, each as far off as it is now."""
        for name, offset in self._desfases.items():
            path = self.reloj_propio(name)
            if path is not None:
                self._escena.disk.write(path, SimulatedClock.start(hora + offset, ritmo).dump())

    def receptor(self, name: str) -> list[str | Path] | None:
        """The command that receives over a disk that will be full; None: the usual one."""
        if not self._escena.sufre(name, "disco_lleno"):
            return None
        module = "pregon.simulacro.fallas.recibe"
        return [sys.executable, "-m", module, self._escena.carpeta(name), self._marca(name)]

    def _marca(self, name: str) -> Path:
        return self._escena.post.folder / f"disco-lleno-{name}"

    # The faults

    def provoca(self, falla: Falla) -> None:
        """As ``Provocador``."""
        name = falla.objetivo
        match falla.clase:
            case "proceso_muerto":
                self._difusor(name).recibe.kill()
            case "servidor_muerto":
                self._kill_server(falla)
            case "disco_lleno":
                self._escena.disk.write(self._marca(name), b"")
            case _:
                self._shift(name, timedelta(minutes=falla.desfase_min))

    def termina(self, falla: Falla) -> tuple[int, str]:
        """As ``Provocador``."""
        name = falla.objetivo
        match falla.clase:
            case "proceso_muerto":
                status = self._difusor(name).recibe.returncode()
                self._recibe(self._difusor(name))
                return int(status is not None), f"terminó con estado {status}; se volvió a iniciar"
            case "servidor_muerto":
                return self._count_deaths(falla)
            case "disco_lleno":
                self._marca(name).unlink()
                counted = veces(self._marca(name))
                refused = counted.stat().st_size if counted.exists() else 0
                return refused, f"{refused} escrituras sin espacio"
            case _:
                self._shift(name, timedelta(0))
                return 1, f"desfase de {falla.desfase_min} minutos"

    def _shift(self, name: str, offset: timedelta) -> None:
        self._desfases[name] = offset
        clock = self._escena.reloj()
        self.pon_en_hora(clock.now(), clock.rate)

    # Its server

    def _kill_server(self, fault: Falla) -> None:
        difusor = self._difusor(fault.objetivo)
        admin = Admin(difusor.workspace.servidor)
        fall = self._caidas[fault.n] = _Caida(Visitante(difusor.url), admin.pid())
        difusor.reader.perdona.set()
        fall.visitante.empieza()
        if fault.mata != "web":
            difusor.sirve.kill()
            fall.murio_sirve = True
        if fault.mata != "sirve" and fall.antes is not None:
            Adopted(fall.antes).kill()
        if fault.mata != "web":
            time.sleep(REINICIO_S)
            # Should the new one not adopt it, the web server would be left when the night ends.
            self._escena.stack.callback(admin.stop)
            self._sirve(difusor)
        self._wait_back(difusor, admin, fault, fall)
        difusor.reader.perdona.clear()

    def _wait_back(self, difusor: _Difusor, admin: Admin, fault: Falla, fall: _Caida) -> None:
        end = time.monotonic() + VUELVE_S
        while time.monotonic() < end:
            fall.despues = admin.pid()
            same = fall.despues == fall.antes
            if fall.despues is not None and same == (fault.mata == "sirve") and difusor.portal.get("") is not None:
                return
            time.sleep(_MIRA_S)

    def _count_deaths(self, fault: Falla) -> tuple[int, str]:
        fall = self._caidas.pop(fault.n)
        fall.visitante.termina()
        self._silencios[fault.objetivo, fault.corte] = fall.visitante.silencio_s
        web = fault.mata != "sirve" and fall.antes is not None and fall.antes != fall.despues
        asked = f"{fall.visitante.preguntas} preguntas, {fall.visitante.sin_respuesta} sin respuesta"
        dead = [what for what, died in (("sirve", fall.murio_sirve), ("el servidor web", web)) if died]
        wanted = 2 if fault.mata == "todo" else 1
        told = f"murió {' y '.join(dead) or 'nadie'}; {fall.visitante.silencio_s:.1f} s sin contestar: {asked}"
        return (len(dead) if len(dead) == wanted else 0), told
