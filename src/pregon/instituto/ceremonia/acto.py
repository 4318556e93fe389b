"""An act of a ceremony while it is not finished: ``llaves/pendiente.json``, written before each thing it changes.

A stop at any moment leaves the file, and the same command goes on from where it stopped:

=========  ==========================================================================================
``etapa``  What is done, and what the next attempt does
=========  ==========================================================================================
llaves     New keys are being written; those already there, made by this act, are used again
firmas     The proposal is fixed; signatures are being gathered, here or on other machines
aplicar    There are enough signatures: everything that is left needs no medium
=========  ==========================================================================================

It holds nothing secret: public documents, names, who ordered it and why.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.base.razones import razon
from pregon.trust.propuesta import INTACTO, Firmas, Propuesta

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk

PENDIENTE = "pendiente.json"
FORMATO = "pregon/solicitud-llaves/1"
FORMATO_FIRMA = "pregon/firma-llaves/1"
MAX_BYTES = 1 << 20
"""A request is two documents, twice: some 40 kB."""

Tipo = Literal["genera", "rota", "revoca", "renueva"]
Etapa = Literal["llaves", "firmas", "aplicar"]
EQUIPO = "equipo"
"""Where a key is: this machine. Any other place is a medium, by the path it had."""


@dataclass(frozen=True)
class Nueva:
    """A key that the act makes, or a reserve that it installs (``instala``: there is a file of it on a medium)."""

    nombre: str
    rol: str
    lugar: str
    instala: bool = False


@dataclass(frozen=True)
class Acto:
    """What was ordered. ``orden`` is what the command said, to recognise it when it is repeated."""

    id: str
    tipo: Tipo
    orden: tuple[str, ...]
    causa: str
    motivo: str
    operador: str
    hora: datetime
    retira: tuple[str, ...] = ()
    nuevas: tuple[Nueva, ...] = ()
    mismo_disco: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            **asdict(self),
            "hora": self.hora.isoformat(),
            "orden": list(self.orden),
            "retira": list(self.retira),
            "nuevas": [asdict(nueva) for nueva in self.nuevas],
        }


@dataclass(frozen=True)
class Pendiente:
    """An act and how far it got."""

    acto: Acto
    etapa: Etapa
    propuesta: Propuesta | None = None
    firmas: Firmas | None = None
    solicitado: bool = False

    def request(self) -> bytes:
        """The file that travels to where the offline keys are: the act, the proposal and what it follows."""
        return canonical_json({"formato": FORMATO, "acto": self.acto.as_dict(), "propuesta": _told(self.propuesta)})

    @property
    def digest(self) -> str:
        """SHA-256 of the request: what both ends read aloud."""
        return sha256_bytes(self.request())

    def at(self, etapa: Etapa, **changes: Any) -> Pendiente:
        """The same act, further."""
        return replace(self, etapa=etapa, **changes)


def read(llaves: Path) -> Pendiente | None:
    """The unfinished act of a workspace, or None.

    Raises:
        AjustesError: the file cannot be understood.
    """
    path = llaves / PENDIENTE
    if not path.exists():
        return None
    data = load_json(path)
    try:
        return Pendiente(
            acto=_acto(data["acto"]),
            etapa=cast("Etapa", data["etapa"]),
            propuesta=_propuesta(data["propuesta"]),
            firmas=data["firmas"],
            solicitado=bool(data["solicitado"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _wrong(path) from exc


def write(llaves: Path, pendiente: Pendiente, disk: Disk) -> None:
    """Keep an unfinished act, durably."""
    data = {
        "acto": pendiente.acto.as_dict(),
        "etapa": pendiente.etapa,
        "propuesta": _told(pendiente.propuesta),
        "firmas": pendiente.firmas,
        "solicitado": pendiente.solicitado,
    }
    disk.write(llaves / PENDIENTE, canonical_json(data), mode=0o600)


def read_request(path: Path) -> Pendiente:
    """A request as another machine receives it.

    Raises:
        EntradaError: it is not there.
        AjustesError: it is not a request.
    """
    data = load_json(path)
    try:
        _expect(data["formato"], FORMATO)
        found = Pendiente(_acto(data["acto"]), "firmas", _propuesta(data["propuesta"]), solicitado=True)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _wrong(path) from exc
    if found.propuesta is None:
        raise _wrong(path)
    return found


def signature_file(solicitud: Pendiente, firmas: Firmas) -> bytes:
    """The file that travels back: signatures, and which request they are for."""
    return canonical_json({"formato": FORMATO_FIRMA, "solicitud": solicitud.digest, "firmas": firmas})


def read_signatures(path: Path, solicitud: Pendiente) -> Firmas:
    """The signatures of a file for ``solicitud``; not yet verified.

    Raises:
        EntradaError: it is not there.
        AjustesError: it is not such a file, or it is for another request.
    """
    data = load_json(path)
    try:
        _expect(data["formato"], FORMATO_FIRMA)
        firmas = {
            str(name): {_text(keyid): _text(value) for keyid, value in signatures.items()}
            for name, signatures in data["firmas"].items()
        }
        whose = _text(data["solicitud"])
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _wrong(path) from exc
    if whose != solicitud.digest:
        raise AjustesError(
            f"Las firmas de {path} son de otra solicitud.",
            intacto=INTACTO,
            que_hacer="Firme la solicitud pendiente, o descártela con «llaves cancela».",
        )
    return firmas


def load_json(path: Path) -> Any:
    """A JSON object of a small file.

    Raises:
        EntradaError: it is not there.
        AjustesError: it is too long or is not a JSON object.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.", intacto=INTACTO, que_hacer="Revise la ruta."
        ) from exc
    try:
        found = json.loads(data) if len(data) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _wrong(path)
    return found


def _told(propuesta: Propuesta | None) -> dict[str, Any] | None:
    if propuesta is None:
        return None
    return {
        "root": propuesta.root,
        "targets": propuesta.targets,
        "actual": {name: data.decode() for name, data in propuesta.actual.items()},
    }


def _propuesta(data: Any) -> Propuesta | None:
    if data is None:
        return None
    actual = {name: _text(data["actual"][name]).encode() for name in ("root", "targets")}
    for name in ("root", "targets"):
        if not isinstance(data[name], dict | None):
            raise TypeError(name)
    return Propuesta(data["root"], data["targets"], actual)


def _acto(data: Any) -> Acto:
    nuevas = tuple(
        Nueva(_text(item["nombre"]), _text(item["rol"]), _text(item["lugar"]), bool(item["instala"]))
        for item in data["nuevas"]
    )
    texts = {name: _text(data[name]) for name in ("id", "causa", "motivo", "operador")}
    return Acto(
        **texts,
        tipo=cast("Tipo", _text(data["tipo"])),
        orden=tuple(_text(word) for word in data["orden"]),
        hora=datetime.fromisoformat(_text(data["hora"])),
        retira=tuple(_text(keyid) for keyid in data["retira"]),
        nuevas=nuevas,
        mismo_disco=bool(data["mismo_disco"]),
    )


def _expect(value: Any, formato: str) -> None:
    if value != formato:
        raise ValueError(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _wrong(path: Path) -> AjustesError:
    return AjustesError(
        f"El archivo {path} no es una solicitud o firma de llaves que se entienda.",
        intacto=INTACTO,
        que_hacer="Use el archivo que escribió «pregon instituto llaves», sin cambios.",
    )
