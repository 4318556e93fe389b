"""What the night's service tells people: each alarm with what to do, begun once, repeated while it lasts, and ended."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.notifica.mensaje import Mensaje

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Severidad

_logger = logging.getLogger(__name__)

CLAVE = "alarmas"
"""Key of the state: the codes of the alarms that the journal tells as begun and not ended."""


@dataclass(frozen=True)
class Regla:
    """One kind of alarm: how grave, its title in one line, and what to do."""

    severidad: Severidad
    titulo: str
    que_hacer: str


def catalogo() -> dict[str, Regla]:
    """Every alarm of the service, by its stable code; in the order in which they matter."""
    return {
        "REPOSITORIO": Regla(
            "alarma",
            "No se puede leer el repositorio firmado",
            "Revise el disco, y PostgreSQL donde hay [estado]. Dañado, «pregon instituto recupera» lo rehace.",
        ),
        "AVISO_SIN_FIRMAR": Regla(
            "alarma",
            "No se pudo firmar el aviso de retraso",
            "Revise la llave «avisos» y el disco; «pregon instituto aviso retraso» lo firma a mano.",
        ),
        "CORTE_BLOQUEADO": Regla(
            "alarma",
            "La compuerta no deja pasar el corte",
            "Corrija los archivos en su origen, o autorice cada hallazgo con nombre y motivo en el archivo de "
            "«autorizaciones»; el corte se intenta de nuevo solo.",
        ),
        "CORTE_RETRASADO": Regla(
            "alarma",
            "El corte no está firmado a su hora",
            "Revise de dónde vienen sus archivos o su base. Los portales ya dicen que se retrasa.",
        ),
        "CIERRE_SIN_CONFIRMAR": Regla(
            "alarma",
            "El corte de cierre espera a una persona",
            "Confírmelo con «pregon instituto cierra CARPETA --operador NOMBRE».",
        ),
        "CORTE_PERDIDO": Regla(
            "alarma",
            "Pasó un periodo sin su corte",
            "No cuenta contra ningún difusor. Revise la causa antes del siguiente.",
        ),
        "VIDA": Regla(
            "alarma",
            "No se pudo firmar de nuevo la señal de vida (timestamp)",
            "Revise las llaves «timestamp» y el disco: sin ella los difusores creerán que el instituto calló.",
        ),
        "VIGILANCIA": Regla(
            "alarma",
            "No se está vigilando a los difusores",
            "Revise la red de este equipo. Mientras dure, nadie suma fallas.",
        ),
        "PROCESO": Regla(
            "alarma",
            "El debido proceso no avanza",
            "Revise el registro del servicio; «pregon instituto proceso» dice dónde quedó cada difusor.",
        ),
        "BITACORA": Regla(
            "alarma",
            "No se pudo sellar la bitácora",
            "Revise la llave «avisos» y las carpetas de «copias» de [bitacora].",
        ),
        "ENTREGA": Regla(
            "aviso",
            "Hay nodos que no recibieron lo último",
            "Se les intenta de nuevo. Llame al contacto técnico de cada uno (GRO-3.2).",
        ),
        "PUNTOS": Regla(
            "aviso",
            "Falta un punto de observación",
            "Revise su red y su servicio. Mientras falte, el silencio de un difusor no se le achaca a él.",
        ),
        "CIERRE_INCOMPLETO": Regla(
            "aviso",
            "Hay difusores que no confirman el corte de cierre",
            "Llame a su contacto técnico: el corte de cierre es el que queda publicado.",
        ),
        "LISTA": Regla("aviso", "No se pudo escribir la lista pública", "Revise la carpeta de «lista» de [opera]."),
        "PUBLICO": Regla(
            "aviso",
            "No se pudieron escribir las páginas públicas",
            "Revise la carpeta de [publico]. Siguen las anteriores, que dicen su hora.",
        ),
        "PUBLICO_ENVIO": Regla(
            "aviso",
            "No se pudieron llevar las páginas públicas a su servidor",
            "Revise cada [[publico.destino]]. Allá siguen las anteriores, que dicen su hora.",
        ),
        "AJUSTES": Regla(
            "aviso",
            "Los ajustes nuevos no valen",
            "Siguen los anteriores. Corrija instituto.toml y repita la recarga.",
        ),
        "FALLA": Regla(
            "alarma",
            "Una parte del servicio falló por dentro",
            "Avise a quien mantiene Pregón con el registro del servicio.",
        ),
    }


@dataclass(frozen=True)
class Alarma:
    """One alarm in force since ``desde`` (aware), and what happens."""

    codigo: str
    que_paso: str
    desde: datetime


class Alarmas:
    """The alarms in force. Any thread may put and take; nothing is raised.

    ``manda`` takes each message to the channels, which do not repeat what they told lately.
    """

    def __init__(self, workspace: Workspace, manda: Callable[[Mensaje], None]) -> None:
        self._workspace = workspace
        self._state = workspace.state()
        self._manda = manda
        self._rules = catalogo()
        self._lock = threading.Lock()
        self._now: dict[str, Alarma] = {}
        self._told: set[str] = set()
        self._before: set[str] = set()
        """Those that the journal has begun and not ended: whoever told them died."""
        with contextlib.suppress(PregonError):
            self._before.update(self._state.get(CLAVE) or ())

    @property
    def vigentes(self) -> tuple[Alarma, ...]:
        """Those in force, in the order in which they matter."""
        with self._lock:
            return tuple(self._now[code] for code in self._rules if code in self._now)

    def pon(self, codigo: str, que_paso: str) -> None:
        """It is so now. Told and noted when it begins; said again to the channels, which decide whether to repeat."""
        with self._lock:
            known = self._now.get(codigo)
            since = self._workspace.clock.now() if known is None else known.desde
            self._now[codigo] = Alarma(codigo, que_paso, since)
        if known is None:
            _logger.warning("%s: %s", codigo, que_paso)
            self._keep()
            self._note("alarma", codigo=codigo, severidad=self._rules[codigo].severidad, texto=que_paso)
        self._say(codigo, self._rules[codigo].severidad, f"{que_paso}\n{self._rules[codigo].que_hacer}")

    def quita(self, codigo: str) -> None:
        """It is not so (any more); the first time also told of one of before this process began."""
        with self._lock:
            known = self._now.pop(codigo, None)
            first = codigo not in self._told
            self._told.add(codigo)
            left = codigo in self._before
            self._before.discard(codigo)
        if known is not None or left:
            self._keep()
        if known is None and left:
            self._note("alarma_resuelta", codigo=codigo)
        if known is not None:
            _logger.info("terminó %s", codigo)
            self._note("alarma_resuelta", codigo=codigo, desde=known.desde.isoformat())
            self._say(codigo, "resuelta", f"Duró desde {known.desde.isoformat()}. Decía: {known.que_paso}")
        elif first:
            self._say(codigo, "resuelta", "Ya no se observa.")

    def informa(self, codigo: str, titulo: str, texto: str) -> None:
        """Tell something that asks nothing of anybody."""
        self._send(codigo, "informe", titulo, texto)

    def _say(self, codigo: str, severidad: Severidad, texto: str) -> None:
        title = self._rules[codigo].titulo
        self._send(codigo, severidad, f"Resuelta: {title}" if severidad == "resuelta" else title, texto)

    def _send(self, codigo: str, severidad: Severidad, titulo: str, texto: str) -> None:
        call = self._workspace.convocatoria
        where = f"{call.nombre}, convocatoria {call.id} ({self._workspace.settings.ambiente})."
        self._manda(
            Mensaje(codigo, severidad, titulo, f"{texto}\n{where}", self._workspace.clock.now(), call.instituto)
        )

    def _keep(self) -> None:
        """Write down which are in force: who comes after a death ends in the journal those that are no more."""
        with self._lock:
            codes = sorted({*self._now, *self._before})
        with contextlib.suppress(PregonError):
            self._state.put(**{CLAVE: codes})

    def _note(self, kind: str, **data: object) -> None:
        # On a full disk people are told all the same.
        with contextlib.suppress(PregonError):
            self._state.record(kind, **data)
