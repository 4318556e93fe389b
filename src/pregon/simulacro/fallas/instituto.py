"""Faults of the institute: cuts that come late or not at all, its process killed, its machine lost for good.

* ``corte_tarde`` ``corte_omitido``: the plan that the institute follows has it so (``plan.con_fallas``); the effect is
  the periods in which it was.
* ``instituto_perdido``: SIGKILL to its process before the cut; another process goes on, on the same disk. The effect is
  the process that ended.
* ``instituto_relevado``: SIGKILL, and its folder is taken away: nobody reads it any more. The machine that waits, which
  has settings and keys and no repository, takes the night over with ``pregon instituto releva``, through the PostgreSQL
  that both share, as soon as the lease of the dead one ran out; the order is the real one. The effect: the order says
  that the night was another machine's before.
* ``instituto_recuperado``: the same, and the shared database is lost too. A new machine rebuilds the repository with
  ``pregon instituto recupera`` from the public addresses of the difusores. The effect: the order says that it has the
  last cut again.

Whoever takes over gets the folder's name, as a new machine gets the name that the difusores read
(docs/operacion/desastre.md). What was kept elsewhere before the night is in ``caja``: settings, keys, root.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from pregon.base.errors import ComprobacionError, InstanciaError
from pregon.base.procesos import start
from pregon.instituto.settings import ARCHIVO
from pregon.instituto.workspace import PERFIL, RAIZ
from pregon.simulacro.fallas import postgres
from pregon.simulacro.institute import OPERADOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pregon.base.procesos import Process
    from pregon.simulacro.fallas.escena import Escena
    from pregon.simulacro.fallas.plan import Falla

ARRIENDO_S = 5
"""Real seconds without a sign of life from which the other machine may take over: the least that the settings admit."""
ORDEN_S = 120.0
"""Real seconds that an order of the drill may take."""
DESASTRES = ("instituto_relevado", "instituto_recuperado")
"""The kinds in which the machine itself is lost."""
_SE_REPONE = ("instituto_perdido", *DESASTRES)
_LLAVES = "llaves"
_URL = "estado.url"


class FallasDelInstituto:
    """The institute of a night: its process now, and the machines that it has left."""

    proceso: Process

    def __init__(
        self, escena: Escena, *, arranca: Callable[[], Process], urls: Callable[[], Mapping[str, str]]
    ) -> None:
        """``arranca`` starts the process that plays it; ``urls``: the portals of the difusores, by name."""
        self._escena = escena
        self._arranca = arranca
        self._urls = urls
        self._folder = escena.post.instituto
        self._caja = escena.post.folder / "caja"
        self._base: str | None = None
        self._hecho: dict[int, tuple[int, str]] = {}
        self._muerto = 0.0

    def prepara(self) -> None:
        """Before the night: what a machine that will be lost must have elsewhere. Nothing where none will be.

        Raises:
            EntradaError, ComprobacionError: PostgreSQL, as ``postgres.servidor``.
        """
        kinds = {one.clase for one in self._escena.fallas}
        if not kinds.intersection(DESASTRES):
            return
        disk = self._escena.disk
        disk.make_folder(self._caja, mode=0o700)
        for name in (ARCHIVO, PERFIL, RAIZ):
            disk.write(self._caja / name, (self._folder / name).read_bytes())
        shutil.copytree(self._folder / _LLAVES, self._caja / _LLAVES)
        if "instituto_relevado" in kinds:
            self._base = self._escena.stack.enter_context(postgres.servidor())
            self._share(self._folder, "a", 0)
            for fault in self._of("instituto_relevado"):
                self._machine(self._waiting(fault), f"b{fault.n}", fault.corte)

    def empieza(self) -> None:
        """Start it."""
        self.proceso = self._arranca()

    def provoca(self, falla: Falla) -> None:
        """As ``Provocador``."""
        if falla.clase not in _SE_REPONE:
            return
        self.proceso.kill()
        self._muerto = time.monotonic()
        if falla.clase in DESASTRES:
            # Kept for whoever investigates, under a name that nobody of the night knows.
            self._escena.disk.replace(self._folder, self._escena.post.folder / f"perdido-{falla.n}")

    def repone(self, indice: int) -> None:
        """In that period, put somebody in the place of an institute that was lost; nothing where it is at work.

        Raises:
            ComprobacionError: the order that a person would give failed; the text has what it said.
        """
        fault = next((one for one in self._escena.fallas if one.clase in _SE_REPONE and one.activa(indice)), None)
        if fault is None or self.proceso.returncode() is None:
            return
        if fault.clase == "instituto_relevado":
            self._hecho[fault.n] = self._relieve(fault)
        elif fault.clase == "instituto_recuperado":
            self._hecho[fault.n] = self._recover(fault)
        else:
            self._hecho[fault.n] = 1, "proceso muerto antes del corte y vuelto a iniciar sobre lo que había en disco"
        self.proceso = self._arranca()

    def termina(self, falla: Falla) -> tuple[int, str]:
        """As ``Provocador``."""
        if falla.clase == "corte_tarde":
            return falla.periodos, f"firmado {falla.minutos} minutos después de su hora"
        if falla.clase == "corte_omitido":
            return falla.periodos, "sin corte en ese periodo"
        return self._hecho.get(falla.n, (0, "nadie tomó su lugar"))

    # Machines

    def _of(self, clase: str) -> list[Falla]:
        return [one for one in self._escena.fallas if one.clase == clase]

    def _waiting(self, fault: Falla) -> Path:
        return self._escena.post.folder / f"maquina-{fault.n}"

    def _machine(self, folder: Path, name: str, corte: int) -> None:
        """A machine with the settings and the keys of the institute and nothing that it signed."""
        disk = self._escena.disk
        disk.make_folder(folder)
        for one in (ARCHIVO, PERFIL, RAIZ):
            disk.write(folder / one, (self._caja / one).read_bytes())
        shutil.copytree(self._caja / _LLAVES, folder / _LLAVES)
        self._share(folder, name, corte)

    def _share(self, folder: Path, name: str, corte: int) -> None:
        """Write ``[estado]`` into its settings, where a machine of this night shares it; each loss begins another."""
        if self._base is None:
            return
        lost = sum(one.corte <= corte for one in self._of("instituto_recuperado"))
        table = {"url": f"archivo:{_URL}", "esquema": f"noche_{lost}", "maquina": name}
        lines = [f'{key} = "{value}"' for key, value in table.items()]
        text = "\n".join(["", "[estado]", *lines, f"arriendo_s = {ARRIENDO_S}", ""])
        disk = self._escena.disk
        disk.write(folder / _URL, f"{self._base}\n".encode(), mode=0o600)
        disk.write(folder / ARCHIVO, (folder / ARCHIVO).read_bytes() + text.encode())

    # Who takes over

    def _relieve(self, fault: Falla) -> tuple[int, str]:
        folder = self._waiting(fault)
        refused = 0
        # Before its lease ran out, the order would be refused: the dead one gave signs of life a moment ago.
        time.sleep(max(0.0, self._muerto + ARRIENDO_S - time.monotonic()))
        while True:
            order = ("releva", folder, "--motivo", "La máquina que llevaba la noche no responde")
            status, told, text = self._order(*order)
            if status != InstanciaError.salida or time.monotonic() > self._muerto + ORDEN_S:
                break
            refused += 1
            time.sleep(1)
        if status != 0:
            raise _failed("releva", text)
        self._escena.disk.replace(folder, self._folder)
        before, now = told["antes"], told["ahora"]
        words = f"«{now}» tomó la noche de «{before}», turno {told['epoca']}: {told['traidos']} archivos de la base"
        if refused:
            words += f"; se le negó {refused} veces mientras valía el arriendo"
        return int(before is not None and before != now), words

    def _recover(self, fault: Falla) -> tuple[int, str]:
        folder = self._waiting(fault)
        self._machine(folder, f"c{fault.n}", fault.corte)
        portals = self._urls()
        places = [word for url in portals.values() for word in ("--desde", url)]
        status, told, text = self._order("recupera", folder, "--raiz", self._caja / RAIZ, *places)
        if status != 0:
            raise _failed("recupera", text)
        self._escena.disk.replace(folder, self._folder)
        last = self._escena.post.signed()[-1].numero
        whose = next((name for name, url in portals.items() if url == told["origen"]), told["origen"])
        words = f"repositorio rehecho hasta el corte {told['corte']:04d} con lo que muestra {whose}"
        if told["rehecho"]:
            words += "; el archivo de ese corte se armó otra vez"
        if told["faltan"]:
            words += f"; {len(told['faltan'])} archivos de cortes anteriores ya nadie los tenía"
        return int(told["corte"] == last), words

    def _order(self, *words: str | Path) -> tuple[int, dict[str, Any], str]:
        """Give an order of ``pregon instituto``: its exit status, what it answers, and all that it printed."""
        output = self._escena.post.folder / f"{words[0]}.log"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pregon", "instituto", *words, "--operador", OPERADOR, "--json"]
        process = start(command, output=output)
        try:
            status = process.wait(ORDEN_S)
        finally:
            process.stop()
        text = output.read_text(errors="replace")
        begin = 0 if text.startswith("{") else text.find("\n{")
        return status, json.loads(text[begin:]) if begin >= 0 else {}, text


def _failed(order: str, text: str) -> ComprobacionError:
    return ComprobacionError(
        f"La orden «pregon instituto {order}» no repuso al instituto.\n{text[-2000:]}",
        intacto="Los difusores siguen mostrando el corte que tenían.",
        que_hacer="Revise la carpeta del simulacro: ahí está todo lo que había.",
    )
