"""``rehace``: an empty volume becomes the difusor that it was, from what it kept in the bucket (``historial``).

Order, and what each step refuses. Nothing is shown before the last:

1. The folder is empty but for what the operator puts there: settings, keys, profile, certificates.
2. The signed copy is believed: signed with the key of this difusor (``copia``), of this convocatoria, ambiente, difusor
   and node. The root of the institute and the verifier's memory come with it, so they are believed as it is.
3. Nobody else writes there: who did has been silent for ``VIVO_S``, or ended in order.
4. State, notices and the verifier's memory, hashed; a database of a newer program is refused.
5. Every acuse that is there, signed and chained, at least up to the one that the copy names: the chain goes on.
6. Originals, newest first, until the last cut can be made whole again. The others come back while it works.
7. The institute's repository is asked, with the memory of the copy: a copy that is old is brought up to date before
   anything is shown. No cut older than what the public can see there is ever shown: by the acuses, and by the
   ``corte.json`` of the bucket. Where the institute does not answer, the copy must be what the bucket shows.
8. From here on it is this one that writes there. One pass: what must be public is made public.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import (
    AjustesError,
    EscrituraError,
    ExpiradoError,
    HashError,
    InstanciaError,
    PregonError,
    RedError,
    RetrocesoError,
)
from pregon.base.jsonio import canonical_json
from pregon.base.locks import exclusive
from pregon.base.settings import load_toml, parse_toml, read_toml_bytes
from pregon.difusor import pointer
from pregon.difusor.libro import Libro
from pregon.difusor.novedades import open_news
from pregon.difusor.nube.copia import INTACTO, Copia, ajustes_sin_secretos
from pregon.difusor.nube.deposito import Deposito
from pregon.difusor.nube.historial import VIVO_S, quien
from pregon.difusor.nube.instancia import INSTANCIA, toma
from pregon.difusor.nube.reposicion import HECHO, LLAVES, Reposicion
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.reloj import offset_source
from pregon.difusor.settings import DifusorSettings
from pregon.difusor.workspace import AJUSTES, REHACIENDO, open_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.nube.ajustes import AjustesNube

_logger = logging.getLogger(__name__)

CANDADO = "opera.lock"


@dataclass(frozen=True)
class Rehecho:
    """What was made: the copy's number and hour, accepted cuts, what is public now (a release's name), the bytes that
    came, how many cuts' originals are still to come, and what the operator should know."""

    copia: int
    creada: str
    cortes: int
    publico: str | None
    bytes: int
    por_traer: int
    notas: tuple[str, ...]


def rehace(
    folder: Path, nombre: str, *, clock: Clock | None = None, disk: Disk, environment: Mapping[str, str],
    todo: bool = False, ajustes: Path | None = None,
) -> Rehecho:  # fmt: skip
    """Make the difusor of ``folder``, whose settings are there, from its target ``nombre``; ``todo``: every original.

    ``ajustes``: settings that are copied there, where there are none. Repeating it after the link failed goes on where
    it was. After any other refusal the folder is as it was.

    Raises:
        EscrituraError: there is a difusor in ``folder`` already, or it is no folder.
        InstanciaError: another process uses the folder, or another difusor writes in the target.
        EntradaError: there are no settings, no copy, or the key that believes it is not at hand.
        AjustesError, AmbienteError, ConvocatoriaError: the copy is of another difusor, or the settings do not serve.
        FirmaError, FormatoError, HashError, CadenaError, ArchivoError, DiscoError: something there was changed.
        RetrocesoError: the copy is older than what the public sees, and the institute did not bring what is missing.
        EquivocoError and others of ``trust``: the institute's repository and the copy contradict each other.
        RedError, DestinoError: the target does not answer.
    """
    folder = folder.absolute()
    toml = folder / AJUSTES
    given = None if ajustes is None or toml.exists() else read_toml_bytes(ajustes)
    settings = load_toml(toml, DifusorSettings) if given is None else parse_toml(
        given, DifusorSettings, where=str(ajustes)
    )  # fmt: skip
    target = _target(settings, nombre)
    disk.make_folder(folder)
    with exclusive(folder / CANDADO):
        _require_empty(folder)
        obra = _Obra(folder, settings, target, clock=clock, disk=disk, environment=environment)
        disk.write(folder / REHACIENDO, canonical_json({"instancia": obra.instancia, "antes": sorted(obra.antes)}))
        try:
            made = obra.haz(todo=todo)
            if given is not None:
                disk.write(toml, given)
        except RedError:
            raise  # What came stays, for the next time.
        except BaseException:
            if not obra.suyo:
                obra.deshaz()
            raise
        disk.remove_tree(folder / REHACIENDO)
        return made


def _target(settings: DifusorSettings, nombre: str) -> AjustesNube:
    found = next((each for each in settings.nube if each.nombre == nombre), None)
    if found is None or not found.historial:
        names = ", ".join(f"«{each.nombre}»" for each in settings.nube if each.historial) or "ninguno"
        raise AjustesError(
            f"difusor.toml no tiene un [[nube]] llamado «{nombre}» con historial = true.",
            intacto="No se cambió nada.",
            que_hacer=f"Los que guardan historial: {names}.",
        )
    return found


def _require_empty(folder: Path) -> None:
    there = [name for name in HECHO if (folder / name).exists() or (folder / name).is_symlink()]
    if there and not (folder / REHACIENDO).exists():
        raise EscrituraError(
            f"En {folder} ya hay un difusor ({', '.join(there)}).",
            intacto="No se cambió nada.",
            que_hacer="Arránquelo con «opera»: se repone solo. Para rehacerlo de la nube, aparte antes esa carpeta y "
            "deje en una vacía sólo difusor.toml y lo que él nombra.",
        )


def _begun(folder: Path) -> tuple[str, frozenset[str]]:
    """What this difusor is called in the target and what the operator put in its folder: as an unfinished ``rehace``
    left it said, where there is one."""
    try:
        said = json.loads((folder / REHACIENDO).read_bytes())
        return str(said["instancia"]), frozenset(map(str, said["antes"]))
    except (OSError, ValueError, KeyError, TypeError):
        found = (*folder.iterdir(), *(folder / LLAVES).glob("*"))
        return secrets.token_hex(8), frozenset(str(path.relative_to(folder)) for path in found)


class _Obra:
    """One ``rehace``."""

    def __init__(
        self, folder: Path, settings: DifusorSettings, ajustes: AjustesNube, *, clock: Clock | None, disk: Disk,
        environment: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._folder = folder
        self._settings = settings
        self._ajustes = ajustes
        self._clock = open_clock(folder, settings) if clock is None else clock
        self._disk = disk
        self._environment = environment
        self._deposito = Deposito(ajustes, folder=folder, environment=environment, clock=self._clock)
        self.instancia, self.antes = _begun(folder)
        self._piezas = Reposicion(folder, settings, self._deposito, antes=self.antes, disk=disk)
        self.suyo = False
        """It writes in the target: what it did from then on is not undone, but gone on with."""

    def haz(self, *, todo: bool) -> Rehecho:
        copia, key = self._piezas.cree(self._ajustes, self._environment)  # 2
        self._nobody_writes()  # 3
        workspace = self._piezas.estado(copia, key)  # 4
        shown = self._piezas.cadena(workspace, copia, key)  # 5
        libro = Libro(workspace.open_state(self._clock))
        publisher = Publisher(workspace, libro, self._disk)
        self._piezas.originales(publisher, copia, todo=todo)  # 6
        receiver = Receiver(
            publisher,
            open_news(publisher, self._clock),
            clock=self._clock,
            offset=offset_source(workspace.settings.reloj),
        )
        try:
            self._catch_up(receiver, libro, copia, shown)  # 7
            self._take_over(libro)  # 8
            outcome = receiver.run_once()
        finally:
            receiver.close()
        if outcome.error is not None and not self._piezas.notas:
            self._piezas.notas.append(outcome.error.que_paso)
        libro.marcar_limpio(limpio=True)
        left = [cut for cut in copia.originales if not publisher.history.folder(cut).exists()]
        libro.evento("rehecho", nube=self._ajustes.nombre, copia=copia.n, corte=copia.corte, por_traer=len(left))
        return Rehecho(
            copia=copia.n,
            creada=copia.creado.isoformat(),
            cortes=len(libro.cortes()),
            publico=pointer.read(workspace),
            bytes=self._piezas.bytes,
            por_traer=len(left),
            notas=(*self._piezas.notas, *self._differences(copia)),
        )

    def deshaz(self) -> None:
        """Leave only what was there before."""
        for path in (*(self._folder / LLAVES).glob("*"), *self._folder.iterdir()):
            if str(path.relative_to(self._folder)) not in self.antes and path.name != CANDADO:
                self._disk.remove_tree(path)
        self._disk.remove_tree(self._folder / REHACIENDO)

    def _nobody_writes(self) -> None:
        there = quien(self._deposito)
        if there is None or there.hora is None or there.instancia.nombre == self.instancia:
            return
        if abs(self._clock.now() - there.hora) < timedelta(seconds=VIVO_S):
            raise InstanciaError(
                f"Otro difusor sigue escribiendo en {self._deposito.lugar}: lo dijo a las {there.hora:%H:%M:%S}.",
                intacto=INTACTO,
                que_hacer=f"Apague el equipo anterior y repita la orden {VIVO_S:.0f} segundos después.",
            )

    def _catch_up(self, receiver: Receiver, libro: Libro, copia: Copia, shown: int) -> None:
        """7: nothing older than what the public sees, nothing that the institute contradicts."""
        public = self._public()
        silent: PregonError | None = None
        try:
            while receiver.alcanza() is not None:
                pass
        except (RedError, ExpiradoError, RetrocesoError) as exc:
            # Theirs, not the copy's: what the difusor that was would have gone on showing.
            silent = exc
            self._piezas.notas.append(f"El repositorio del instituto no confirmó la copia: {exc.que_paso}")
        newest = libro.ultimo()
        have = -1 if newest is None else newest.corte
        floor = max(shown, -1 if public is None else public, -1 if copia.publicado is None else copia.publicado)
        if have < floor:
            raise _old(f"su último corte es el {have} y ya se publicó el {floor}") from silent
        if silent is not None:
            expected = None if libro.interrupcion is not None else copia.publicado
            if public != expected:
                seen = "ninguno" if public is None else f"el {public}"
                raise _old(f"el depósito muestra {seen} y la copia dice otra cosa") from silent

    def _public(self) -> int | None:
        """The cut that the bucket shows to the public; None where it shows none."""
        data = self._deposito.lee_publico("corte.json")
        try:
            return None if data is None else int(json.loads(data)["corte"])
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise HashError(
                f"El corte.json que muestra {self._ajustes.sin_secretos} no se entiende.",
                intacto=INTACTO,
                que_hacer="Alguien más escribe ahí: revise sus permisos.",
            ) from exc

    def _take_over(self, libro: Libro) -> None:
        self._nobody_writes()  # Again: the originals may have taken a while.
        mine = toma(self._folder, libro, self.instancia, self._disk)
        self.suyo = True
        self._deposito.pon(INSTANCIA, mine.to_bytes(self._clock.now()))

    def _differences(self, copia: Copia) -> list[str]:
        now = ajustes_sin_secretos(self._settings)
        other = sorted(key for key, value in now.items() if copia.ajustes.get(key) != value)
        return [f"difusor.toml no dice lo mismo que el de la copia en: {', '.join(other)}."] if other else []


def _old(why: str) -> RetrocesoError:
    return RetrocesoError(
        f"La copia es vieja: {why}, y el repositorio del instituto no dio lo que falta.",
        intacto=INTACTO,
        que_hacer="Repita la orden cuando el instituto conteste. Si alguien repuso una copia anterior en el depósito, "
        "quítela y deje la más nueva.",
    )
