"""What this difusor remembers: every cut it accepted, what it made public, how the last attempt ended.

The acceptance of a cut is the rename of its folder in ``historico/`` (it holds ``recibo.json``); the state database
keeps the same records, and on start what is only in the history is taken from there. So a cut is either accepted with
all its bytes on disk, or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.difusor.reloj import ClockReading
from pregon.trust.verified import TargetRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pregon.base.state import StateDatabase


@dataclass(frozen=True)
class Aceptado:
    """One accepted cut. Instants are aware; ``firmado`` is the signing instant of the timestamp that brought it.

    ``prueba`` says how it was verified: ``firma``, ``suma`` or ``ninguna``; ``archivos`` are the archives of the cut.
    """

    corte: int
    sha256: str
    hora_corte: datetime
    ultimo: bool
    proximo: datetime | None
    firmado: datetime | None
    recibido: datetime
    prueba: str
    archivos: tuple[TargetRef, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types."""
        data = asdict(self)
        for key in ("hora_corte", "proximo", "firmado", "recibido"):
            if data[key] is not None:
                data[key] = data[key].isoformat()
        return data

    @classmethod
    def from_json(cls, data: Any) -> Aceptado:
        """The record that ``to_json`` gave. Raises ValueError, KeyError or TypeError where it is not one."""
        instants = {
            key: None if data[key] is None else datetime.fromisoformat(data[key])
            for key in ("hora_corte", "proximo", "firmado", "recibido")
        }
        hora, recibido = instants["hora_corte"], instants["recibido"]
        if hora is None or recibido is None:
            raise ValueError("hora_corte")
        return cls(
            corte=int(data["corte"]),
            sha256=str(data["sha256"]),
            hora_corte=hora,
            ultimo=bool(data["ultimo"]),
            proximo=instants["proximo"],
            firmado=instants["firmado"],
            recibido=recibido,
            prueba=str(data["prueba"]),
            archivos=tuple(TargetRef(str(a["ruta"]), int(a["bytes"]), str(a["sha256"])) for a in data["archivos"]),
        )


class Libro:
    """Typed access to the state database of a difusor; writes are durable on return.

    The accepted cuts are read once: only this process writes them (``opera.lock``).
    """

    def __init__(self, state: StateDatabase) -> None:
        self._state = state
        self._cortes: tuple[Aceptado, ...] | None = None

    def cortes(self) -> tuple[Aceptado, ...]:
        """Every accepted cut, oldest first."""
        if self._cortes is None:
            self._cortes = tuple(Aceptado.from_json(item) for item in self._state.get("cortes") or [])
        return self._cortes

    def ultimo(self) -> Aceptado | None:
        """The newest accepted cut."""
        cuts = self.cortes()
        return cuts[-1] if cuts else None

    def aceptar(self, cut: Aceptado) -> None:
        """Remember an accepted cut; the same one again changes nothing."""
        kept = [known for known in self.cortes() if known.corte != cut.corte]
        ordered = sorted([*kept, cut], key=lambda known: known.corte)
        self._state.put(cortes=[known.to_json() for known in ordered])
        self._cortes = tuple(ordered)

    @property
    def testigo(self) -> datetime | None:
        """The newest signing instant of a verified timestamp."""
        text = self._state.get("testigo")
        return None if text is None else datetime.fromisoformat(text)

    def atestiguar(self, firmado: datetime | None) -> None:
        """Remember a verified signing instant if it is newer."""
        known = self.testigo
        if firmado is not None and (known is None or firmado > known):
            self._state.put(testigo=firmado.isoformat())

    @property
    def publicado(self) -> int | None:
        """The number of the cut that was last made public."""
        data = self._state.get("publicado")
        return None if data is None else int(data["corte"])

    @property
    def desde(self) -> datetime | None:
        """Since when ``publicado`` is public."""
        data = self._state.get("publicado")
        return None if data is None else datetime.fromisoformat(data["hora"])

    def publicar(self, corte: int, hora: datetime) -> None:
        """Remember that ``corte`` is public since ``hora``."""
        self._state.put(publicado={"corte": corte, "hora": hora.isoformat()})

    @property
    def terminado(self) -> int | None:
        """The cut whose work after publishing (twins, whole archive, pruning) is done."""
        number = self._state.get("terminado")
        return None if number is None else int(number)

    def terminar(self, corte: int | None) -> None:
        """Remember that nothing is left to do for ``corte``, or (None) that something is again."""
        self._state.put(terminado=corte)

    @property
    def suspendido(self) -> bool:
        """Whether an aviso in force names this difusor."""
        return bool(self._state.get("suspendido"))

    @property
    def reloj(self) -> ClockReading | None:
        """The last measurement of the clock."""
        return ClockReading.from_json(self._state.get("reloj"))

    def medir(self, reading: ClockReading) -> None:
        """Remember a measurement of the clock."""
        self._state.put(reloj=reading.to_json())

    @property
    def intento(self) -> dict[str, Any] | None:
        """The last attempt: hora, resultado, codigo (design §7)."""
        data = self._state.get("intento")
        return data if isinstance(data, dict) else None

    def anotar_intento(self, hora: datetime, resultado: str, codigo: str | None) -> bool:
        """Remember how an attempt ended; True where it differs from the one before (worth an event)."""
        before = self.intento
        self._state.put(intento={"hora": hora.isoformat(), "resultado": resultado, "codigo": codigo})
        return before is None or (before["resultado"], before["codigo"]) != (resultado, codigo)

    @property
    def limpio(self) -> bool:
        """Whether the last process of this workspace ended in order."""
        return self._state.get("limpio") is not False

    def marcar_limpio(self, *, limpio: bool) -> None:
        """Say that a process is working (False) or ended in order (True)."""
        self._state.put(limpio=limpio)

    @property
    def inicio(self) -> datetime | None:
        """When this workspace first ran."""
        text = self._state.get("inicio")
        return None if text is None else datetime.fromisoformat(text)

    def abrir(self, hora: datetime) -> None:
        """Remember the first run."""
        if self._state.get("inicio") is None:
            self._state.put(inicio=hora.isoformat())

    @property
    def barrido(self) -> datetime | None:
        """When everything public had last been hashed again, whole."""
        text = self._state.get("barrido")
        return None if text is None else datetime.fromisoformat(text)

    def barrer(self, hora: datetime) -> None:
        """Remember that everything public has been hashed again."""
        self._state.put(barrido=hora.isoformat())

    @property
    def alterado(self) -> dict[str, Any] | None:
        """What the sweeps found: ``total`` so far, ``hora`` and ``ruta`` of the last; None where nothing ever was."""
        data = self._state.get("alterado")
        return data if isinstance(data, dict) else None

    def alterar(self, hora: datetime, ruta: str, total: int) -> None:
        """Remember that ``total`` more files were found altered, ``ruta`` the last of them."""
        before = self.alterado
        self._state.put(
            alterado={
                "total": total + (0 if before is None else before["total"]),
                "hora": hora.isoformat(),
                "ruta": ruta,
            }
        )

    @property
    def retirados(self) -> tuple[str, ...]:
        """The public paths withdrawn because their content could not be made again."""
        return tuple(self._state.get("retirados") or ())

    def retirar(self, rutas: Iterable[str]) -> None:
        """Remember which public paths are withdrawn now; an empty list where none is."""
        self._state.put(retirados=sorted(rutas))

    @property
    def acuses_enviados(self) -> int:
        """The number of the last acuse that the institute's receiver took; 0 before the first."""
        return int(self._state.get("acuses_enviados") or 0)

    def enviar_acuse(self, number: int) -> None:
        """Remember that the receiver has every acuse up to ``number``, and that it answers well."""
        self._state.put(acuses_enviados=number, acuses_envio=None)

    def recuerda_envio(self, trouble: dict[str, Any]) -> bool:
        """Remember why acuses cannot be sent; True where it is another reason than before (worth an event)."""
        return self._changed("acuses_envio", trouble)

    def recuerda_copia(self, trouble: str | None) -> bool:
        """The same of copying them; None: they were copied."""
        return self._changed("acuses_copia", trouble)

    def _changed(self, key: str, value: Any) -> bool:
        if self._state.get(key) == value:
            return False
        self._state.put(**{key: value})
        return True

    def evento(self, tipo: str, **data: Any) -> None:
        """Append to the journal."""
        self._state.record(tipo, **data)


def parse_recibo(data: bytes) -> Aceptado | None:
    """The record in a ``recibo.json``, or None where it is not one."""
    try:
        return Aceptado.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
