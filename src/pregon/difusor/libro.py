"""What this difusor remembers: every cut it accepted, what it made public, how the last attempt ended.

The acceptance of a cut is the rename of its folder in ``historico/`` (it holds ``recibo.json``); the state database
keeps the same records, and on start what is only in the history is taken from there. So a cut is either accepted with
all its bytes on disk, or not at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import FormatoError
from pregon.base.state import damaged
from pregon.difusor.aceptado import Aceptado, AvisoVisto
from pregon.difusor.interrupcion import Dicho, Interrupcion
from pregon.difusor.reloj import ClockReading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pregon.base.state import StateDatabase

CORTES = "cortes"
"""Series of the state database with a row for each accepted cut, by its number."""
AVISOS = "avisos"
"""Series with a row for each notice of the institute that was read, by its number."""


class Libro:
    """Typed access to the state database of a difusor; writes are durable on return.

    The accepted cuts are read once: only this process writes them (``opera.lock``).
    """

    def __init__(self, state: StateDatabase, *, solo: bool = True) -> None:
        """``solo``: no other view of the database writes cuts or notices, so that what was read need not be again."""
        self._state = state
        self._solo = solo
        self._cortes: tuple[Aceptado, ...] | None = None
        self._avisos: tuple[AvisoVisto, ...] | None = None

    def cortes(self) -> tuple[Aceptado, ...]:
        """Every accepted cut, oldest first.

        Raises:
            DanadoError: what is kept of one is not what was written.
        """
        if self._cortes is None:
            found = tuple(map(self._read_cut, self._state.rows(CORTES)))
            if not self._solo:
                return found
            self._cortes = found
        return self._cortes

    def ultimo(self) -> Aceptado | None:
        """The newest accepted cut. Where the cuts were not read yet it reads that one alone: who watches asks often.

        Raises:
            DanadoError: as ``cortes``.
        """
        if self._cortes is None:
            row = self._state.last_row(CORTES)
            return None if row is None else self._read_cut(row)
        return self._cortes[-1] if self._cortes else None

    def _read_cut(self, row: Any) -> Aceptado:
        try:
            return Aceptado.from_json(row)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise damaged(self._state.path, "el registro de un corte no se entiende") from exc

    def aceptar(self, cut: Aceptado) -> None:
        """Remember an accepted cut, in a row of its own; the same one again changes nothing."""
        kept = [known for known in self.cortes() if known.corte != cut.corte]
        self._state.put_row(CORTES, cut.corte, cut.to_json())
        if self._solo:
            self._cortes = tuple(sorted([*kept, cut], key=lambda known: known.corte))

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
        """Whether something interrupts this difusor: a signed notice, or the periods of the profile."""
        return self.interrupcion is not None

    @property
    def interrupcion(self) -> Interrupcion | None:
        """What interrupts it; None where nothing does."""
        return Interrupcion.from_json(self._state.get("interrupcion"))

    @property
    def dicho(self) -> Dicho:
        """What our own pages must say now."""
        numbers = self._state.get("retrasos") or ()
        delays = (seen.aviso for seen in self.avisos() if seen.n in numbers)
        return Dicho(self.interrupcion, tuple(aviso for aviso in delays if aviso is not None))

    def decir(self, dicho: Dicho) -> None:
        """Remember what our own pages must say, all of it at once."""
        what = None if dicho.interrupcion is None else dicho.interrupcion.to_json()
        self._state.put(interrupcion=what, retrasos=[aviso.n for aviso in dicho.retrasos])

    def avisos(self) -> tuple[AvisoVisto, ...]:
        """Every notice of the institute that was read, by number.

        Raises:
            DanadoError: what is kept of one is not what was written.
        """
        if self._avisos is None:
            try:
                found = tuple(map(AvisoVisto.from_json, self._state.rows(AVISOS)))
            except (ValueError, KeyError, TypeError, FormatoError) as exc:
                raise damaged(self._state.path, "el registro de un aviso no se entiende") from exc
            if not self._solo:
                return found
            self._avisos = found
        return self._avisos

    def anotar_aviso(self, seen: AvisoVisto) -> None:
        """Remember a notice, in a row of its own."""
        kept = [known for known in self.avisos() if known.n != seen.n]
        self._state.put_row(AVISOS, seen.n, seen.to_json())
        if self._solo:
            self._avisos = tuple(sorted([*kept, seen], key=lambda known: known.n))

    @property
    def avisos_problema(self) -> dict[str, Any] | None:
        """Why notices that the institute signed cannot be read (codigo, que_paso); None where they can."""
        data = self._state.get("avisos_problema")
        return data if isinstance(data, dict) else None

    def recuerda_avisos(self, trouble: dict[str, Any] | None) -> bool:
        """Remember that; True where it is another reason than before (worth an event)."""
        return self._changed("avisos_problema", trouble)

    @property
    def reloj(self) -> ClockReading | None:
        """The last measurement of the clock."""
        return ClockReading.from_json(self._state.get("reloj"))

    def medir(self, reading: ClockReading) -> None:
        """Remember a measurement of the clock."""
        self._state.put(reloj=reading.to_json())

    @property
    def intento(self) -> dict[str, Any] | None:
        """The last attempt: hora, resultado, codigo (design §7), and que_paso: why, where it failed."""
        data = self._state.get("intento")
        return data if isinstance(data, dict) else None

    def anotar_intento(self, hora: datetime, resultado: str, codigo: str | None, que_paso: str | None = None) -> bool:
        """Remember how an attempt ended; True where it differs from the one before (worth an event)."""
        before = self.intento
        attempt = {"hora": hora.isoformat(), "resultado": resultado, "codigo": codigo, "que_paso": que_paso}
        self._state.put(intento=attempt)
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
    def alarmas(self) -> Any:
        """What the self-watch found wrong at its last look, as it keeps it (``vigilancia.alarmas.leidas``)."""
        return self._state.get("alarmas")

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

    def nube(self, nombre: str) -> Any:
        """What is remembered of a target of ``[[nube]]``, as ``nube.estado`` keeps it; None where nothing is."""
        return self._state.get(f"nube/{nombre}")

    def recuerda_nube(self, nombre: str, data: dict[str, Any]) -> None:
        """Remember how a target of ``[[nube]]`` is."""
        self._state.put(**{f"nube/{nombre}": data})

    @property
    def instancia(self) -> str | None:
        """What the first machine of this difusor was called (``nube.instancia``); None: it was never said."""
        name = self._state.get("instancia")
        return None if name is None else str(name)

    def ser(self, instancia: str) -> None:
        """Remember that name."""
        self._state.put(instancia=instancia)

    def en_nube(self, nombre: str) -> dict[int, list[dict[str, Any]]]:
        """The originals that are known to be in a target, as ``guardar_en_nube`` took them, by cut.

        Raises:
            DanadoError: what is kept is not what was written.
        """
        try:
            return {int(row["corte"]): list(row["archivos"]) for row in self._state.rows(f"nube/{nombre}")}
        except (ValueError, KeyError, TypeError) as exc:
            raise damaged(self._state.path, "el registro de lo guardado en la nube no se entiende") from exc

    def guardar_en_nube(self, nombre: str, corte: int, archivos: list[dict[str, Any]]) -> None:
        """Remember the originals of a cut that a target has: ``ruta``, ``bytes`` and ``sha256`` of each."""
        self._state.put_row(f"nube/{nombre}", corte, {"corte": corte, "archivos": archivos})

    def copias_en_nube(self, nombre: str) -> int:
        """How many times the state was copied to a target."""
        data = self._state.get(f"historial/{nombre}")
        return int(data["n"]) if isinstance(data, dict) else 0

    def copiar_en_nube(self, nombre: str, n: int, hora: datetime, corte: int | None) -> None:
        """Remember that the copy ``n`` is there, up to which cut."""
        self._state.put(**{f"historial/{nombre}": {"n": n, "hora": hora.isoformat(), "corte": corte}})

    def recuerda_historial(self, nombre: str, trouble: dict[str, Any] | None) -> bool:
        """Remember why the history does not reach a target (None: it does); True where it is another reason."""
        return self._changed(f"historial_falla/{nombre}", trouble)

    def falla_del_historial(self, nombre: str) -> dict[str, str] | None:
        """What ``recuerda_historial`` was told last of a target."""
        data = self._state.get(f"historial_falla/{nombre}")
        return data if isinstance(data, dict) else None

    def otro(self) -> Libro:
        """Another view of the same database, for a thread of its own: it reads each time what this one wrote."""
        return Libro(self._state, solo=False)

    def _changed(self, key: str, value: Any) -> bool:
        if self._state.get(key) == value:
            return False
        self._state.put(**{key: value})
        return True

    @property
    def apartado(self) -> dict[str, Any] | None:
        """The last state database that was damaged and set aside: ``hora``, ``archivo``, ``motivo``; None: none was."""
        data = self._state.get("apartado")
        return data if isinstance(data, dict) else None

    def apartar(self, hora: datetime, archivo: str | None, motivo: str) -> None:
        """Remember, in the new one, that the one before is now ``archivo`` (None: it was not there), and why."""
        self._state.put(apartado={"hora": hora.isoformat(), "archivo": archivo, "motivo": motivo})

    def evento(self, tipo: str, **data: Any) -> None:
        """Append to the journal."""
        self._state.record(tipo, **data)
