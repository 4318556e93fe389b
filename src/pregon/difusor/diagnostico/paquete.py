"""Puts the bundle together: every byte of it passes the redactor, and what cannot be read is said, never fatal.

Made whole in memory, within ``MAX_BYTES``, and then written where it was asked: a full disk or a state database in
pieces are when it is needed most.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.errors import PregonError
from pregon.base.esquema import VERSION
from pregon.base.hashing import sha256_bytes
from pregon.base.state import version
from pregon.difusor import report
from pregon.difusor.diagnostico import piezas
from pregon.difusor.diagnostico.conocidos import reune
from pregon.difusor.diagnostico.redactor import Redactor
from pregon.difusor.libro import Libro
from pregon.difusor.vigilancia.alarmas import vigentes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

FORMATO = "pregon/diagnostico/1"
HORAS = 24.0
MAX_PIEZA = 4 << 20
"""Characters of one part."""
MAX_BYTES = 16 << 20
_FECHA = (1980, 1, 1, 0, 0, 0)

LEAME = """Diagnóstico de un difusor de Pregón
===================================

Para el soporte del instituto (GRO-5.0, INE-VI-a). Lo hizo «pregon difusor diagnostico» el {hora}.

Qué tiene
  estado.json      qué ve el público, desde cuándo, y el último intento
  cortes.json      los cortes aceptados
  bitacora.jsonl   lo que pasó en las últimas {horas:g} horas
  errores.json     las fallas por clase: TRANSFERENCIA, INTEGRIDAD y EXTRACCION
  alarmas.json     las alarmas vigentes
  versiones.json   de Pregón y de lo que usa
  ajustes.json     los ajustes, sin secretos ni direcciones, y el perfil de la convocatoria
  confianza.json   versión y vencimiento de cada papel firmado
  arbol.json       los archivos de la carpeta, con tamaño; los manifiestos, con su SHA-256
  equipo.json      disco, memoria, carga y reloj al momento
  registro/        el final de lo que escribió el servidor web de sí mismo (no la bitácora de accesos)
  faltan.json      lo que no se pudo leer, y por qué

Qué se quitó
  Llaves, contraseñas, tokens y todo lo que lo parece; direcciones IP y nombres de equipos; correos, teléfonos y
  cuentas.
  En su lugar hay una etiqueta, siempre la misma para la misma cosa: direccion-1, correo-2, secreto-3, telefono-1,
  cuenta-1. El número es el orden en que apareció; de ahí no se puede volver a lo que era.
  Etiquetas puestas: {quitados}.

Revíselo antes de enviarlo: son archivos de texto. Si ve algo que no debe salir, no lo envíe y avise.
"""


class Caja:
    """The parts as they are gathered. Nothing enters it but through the redactor."""

    def __init__(self, redactor: Redactor, carpeta: str) -> None:
        self._redactor = redactor
        self._folder = carpeta
        self._parts: dict[str, bytes] = {}
        self._missing: list[dict[str, str]] = []

    def pone(self, nombre: str, make: Callable[[], Any]) -> None:
        """Put in what ``make`` gives: JSON types, or a text where ``nombre`` is of a log; else say why not."""
        try:
            value = make()
            clean = self._redactor.texto(self._local(value)) if isinstance(value, str) else self._encoded(nombre, value)
        except PregonError as exc:
            self.falta(nombre, f"{exc.codigo}: {exc.que_paso}")
        except Exception as exc:
            # The border of each part: whatever is broken here is what the bundle is for.
            _logger.exception("diagnóstico: %s", nombre)
            self.falta(nombre, f"{type(exc).__name__}: {exc}")
        else:
            if len(clean) > MAX_PIEZA:
                self.falta(nombre, f"recortado a {MAX_PIEZA:,} caracteres")
                clean = clean[:MAX_PIEZA] if not nombre.endswith("jsonl") else clean[-MAX_PIEZA:].partition("\n")[2]
            self._parts[nombre] = clean.encode(errors="replace")

    def falta(self, nombre: str, por: str) -> None:
        """Say that a part, or something of it, could not be read."""
        self._missing.append({"parte": nombre, "por": self._redactor.texto(self._local(por))})

    def zip(self, leame: Callable[[], str]) -> bytes:
        """The bundle. The same parts give the same bytes."""
        self._parts["faltan.json"] = _json(self._missing).encode()
        self._parts["LEAME.txt"] = leame().encode()
        buffer = io.BytesIO()
        room = MAX_BYTES
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(self._parts):
                data = self._parts[name][:room]
                room -= len(data)
                archive.writestr(zipfile.ZipInfo(f"diagnostico/{name}", _FECHA), data, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def _encoded(self, nombre: str, value: Any) -> str:
        clean = self._redactor.json(_mapped(value, self._local))
        if nombre.endswith(".jsonl"):
            return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in clean)
        return _json(clean)

    def _local(self, text: str) -> str:
        """A path of this machine as one of the workspace: above it are names of people and of houses."""
        return text.replace(self._folder, "CARPETA")


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, change) for each in value]
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"


def paquete(workspace: Workspace, clock: Clock, environment: Mapping[str, str], *, horas: float = HORAS) -> bytes:
    """The bundle of a workspace as it is now, as the bytes of a zip. Changes nothing; never fails for what it finds.

    ``environment``: where secrets may be, so that they are looked for. ``horas``: how far back the journal goes.
    """
    now = clock.now()
    known = reune(workspace, environment)
    redactor = Redactor(secretos=known.secretos, nombres=known.nombres, cuentas=known.cuentas)
    box = Caja(redactor, str(workspace.folder))
    journal = piezas.Bitacora(workspace.estado)
    events = journal.eventos(piezas.desde_hace(now, horas))
    if journal.problema is not None:
        box.falta("bitacora.jsonl", journal.problema)
    if journal.recortada:
        box.falta("bitacora.jsonl", f"sólo los últimos {piezas.MAX_EVENTOS} sucesos")
    box.pone("bitacora.jsonl", lambda: events)
    box.pone("errores.json", lambda: piezas.errores(events))
    if journal.problema is None:
        _state(box, workspace, clock, now)
    else:
        for part in ("estado.json", "cortes.json", "alarmas.json"):
            box.falta(part, "la base de estado no se puede leer")
    box.pone("versiones.json", piezas.versiones)
    box.pone("ajustes.json", lambda: _settings(workspace))
    box.pone("confianza.json", lambda: piezas.confianza(workspace))
    box.pone("arbol.json", lambda: piezas.arbol(workspace))
    box.pone("equipo.json", lambda: piezas.equipo(workspace))
    for name in piezas.REGISTROS:
        if (workspace.servidor / name).is_file():
            box.pone(f"registro/{name}", lambda name=name: piezas.cola(workspace.servidor / name))  # type: ignore[misc]
        else:
            box.falta(f"registro/{name}", "no existe")
    return box.zip(lambda: _leame(redactor, now, horas))


def _state(box: Caja, workspace: Workspace, clock: Clock, now: datetime) -> None:
    """What only an open state database says."""
    try:
        found = version(workspace.estado)
        if found != VERSION:
            # Opening it would bring it to our schema, and a diagnosis changes nothing.
            box.falta("estado.json", f"la base de estado es de la versión {found}, no de la {VERSION}")
            return
        state = workspace.open_state(clock)
    except PregonError as exc:
        box.falta("estado.json", f"{exc.codigo}: {exc.que_paso}")
        return
    box.pone("estado.json", lambda: report.estado(workspace, Libro(state), now))
    box.pone("cortes.json", lambda: report.cortes(Libro(state)))
    box.pone("alarmas.json", lambda: [each.to_json() for each in vigentes(state)])


def _settings(workspace: Workspace) -> dict[str, Any]:
    call, settings = workspace.convocatoria, workspace.settings
    profile = json.dumps(call.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()
    return {
        "formato": FORMATO,
        "difusor": settings.id,
        "convocatoria": {"id": call.id, "sha256_del_perfil": sha256_bytes(profile)},
        # Of a profile of one's own, its name: where it lies may say whose house it is.
        "ajustes": {**settings.model_dump(mode="json"), "convocatoria": Path(settings.convocatoria).name},
    }


def _leame(redactor: Redactor, now: datetime, horas: float) -> str:
    counts = ", ".join(f"{count} de {kind}" for kind, count in redactor.quitados.items()) or "ninguna"
    return LEAME.format(hora=now.isoformat(timespec="seconds"), horas=horas, quitados=counts)
