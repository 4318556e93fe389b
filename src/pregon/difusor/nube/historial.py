"""Keeps in the bucket what a difusor must not lose: every original, its acuses, and the state that ``rehace`` needs.

INE-II-a-ii-3a asks for every package obtained, some 20 GB of them (INE-II-a-ii-3b); on one disk they are one failure
away from none. Here they also lie below the private prefix of a target with ``historial = true``. In this order, so
that what is named is always there:

1. Who writes there (``instancia.json``): another difusor's history is never written over.
2. The originals of each accepted cut, hashed before they go and again by the store.
3. The acuses.
4. The state (cuts, what is public, suspension, the verifier's memory), and the signed document that names it all.
5. What only the bucket has, after a ``rehace``, comes back: one cut at a time.

Before anything was published nothing goes: what waits for its hour waits on this machine alone. Each target has a
thread of its own (``archivo``): neither reception nor publication waits for some hundred megabytes of history.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pregon.base.durable import PARCIAL
from pregon.base.errors import InstanciaError, PregonError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.base.space import RESERVA, require_free
from pregon.difusor.acuse import files_in
from pregon.difusor.historia.history import RECIBO, History
from pregon.difusor.historia.respaldo import esencial
from pregon.difusor.nube.copia import Copia, Objeto, ajustes_sin_secretos, cifra, firma
from pregon.difusor.nube.deposito import Deposito
from pregon.difusor.nube.instancia import INSTANCIA, MAX_BYTES, exige, lee, propia
from pregon.paquete.names import MANIFIESTO
from pregon.paquete.reading import EXTENSIONES
from pregon.transport.lugar import read_secret
from pregon.trust import keys

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.libro import Libro
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.nube.instancia import Dueno
    from pregon.difusor.workspace import Workspace

COPIA = "copia.json"
ACUSES, ESTADO = "acuses", "estado"
DICE_CADA = timedelta(seconds=25)
"""How often who writes there says so."""
VIVO_S = 90.0
"""Who has not said it for so long no longer writes there."""
COPIA_CADA = timedelta(hours=1)
"""The state is copied again after so long although nothing of it that matters changed."""
CONCILIA_CADA = timedelta(hours=1)
"""And what is there is listed, so that what somebody removed goes up again."""
ESTADOS = 3
"""States that stay there: whoever reads one is not left without it by the next."""


@dataclass(frozen=True)
class Guardado:
    """What one pass over a target did: bytes that travelled of originals and acuses, whether the state was copied, cuts
    that came back, and originals that were not sent because they are no longer what was received."""

    bytes: int = 0
    copia: bool = False
    traidos: int = 0
    danados: tuple[str, ...] = ()


class Historial:
    """The history of one workspace in one target. One thread at a time."""

    def __init__(
        self, ajustes: AjustesNube, workspace: Workspace, libro: Libro, *, clock: Clock, disk: Disk,
        environment: Mapping[str, str] = os.environ, parar: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """``libro``: of this thread alone. ``parar``: set by who no longer wants.

        Raises:
            AjustesError: what opens the target, or ``frase``, cannot be read.
        """
        self.nombre = ajustes.nombre
        self._ajustes = ajustes
        self._workspace = workspace
        self._libro = libro
        self._clock = clock
        self._disk = disk
        self._environment = environment
        self._history = History(workspace.historico, disk)
        self.deposito = Deposito(ajustes, folder=workspace.folder, environment=environment, clock=clock, parar=parar)
        self._frase = frase_de(ajustes, workspace.folder, environment)
        self._cifrada: str | None = None
        self._latido: datetime | None = None
        self._conciliado: datetime | None = None
        self._copiado: tuple[Any, datetime] | None = None
        self._acuses: set[str] = set()
        self._originales: dict[int, tuple[Objeto, ...]] = {}

    def guarda(self) -> Guardado:
        """Bring the target up to date. What it did is not done again by the next call; after a failure it goes on.

        Raises:
            InstanciaError: another difusor writes there; nothing was changed there.
            RedError, DestinoError, DiscoError, EscrituraError: not all of it is there.
        """
        if self._libro.publicado is None:
            return Guardado()
        now = self._clock.now()
        self._anuncia(now)  # 1
        if self._conciliado is None or now - self._conciliado >= CONCILIA_CADA:
            self._concilia()
            self._conciliado = now
        sent, damaged = 0, []
        for cut in self._libro.cortes():
            more, wrong = self._sube(cut)  # 2
            sent += more
            damaged += wrong
        sent += self._sube_acuses()  # 3
        copied = self._copia(now)  # 4
        return Guardado(sent, copied, self._repone(), tuple(damaged))  # 5

    def suelta(self) -> None:
        """Say that nobody writes there any more, so that another may begin at once. A failure here is no harm."""
        if self._latido is not None:
            with contextlib.suppress(PregonError):
                last = Deposito(self._ajustes, folder=self._workspace.folder, environment=self._environment,
                                clock=self._clock)  # fmt: skip
                last.pon(INSTANCIA, propia(self._workspace.folder, self._libro, self._disk).to_bytes())

    def _anuncia(self, now: datetime) -> None:
        if self._latido is not None and timedelta() <= now - self._latido < DICE_CADA:
            return
        there = quien(self.deposito)
        mine = propia(self._workspace.folder, self._libro, self._disk)
        if there is not None:
            exige(mine, there.instancia, self.deposito.lugar)
        if there is not None and mine.linaje not in (there.instancia.nombre, there.instancia.linaje):
            raise InstanciaError(
                f"En {self.deposito.lugar} está el historial de otro difusor: ahí no se escribe.",
                intacto="No se cambió nada ahí. La recepción y lo publicado siguen.",
                que_hacer="Si este difusor lo reemplaza, vacíe su carpeta y use «pregon difusor rehace»; si no, dé a "
                "cada uno otro prefijo en [[nube]].",
            )
        self.deposito.pon(INSTANCIA, mine.to_bytes(now))
        self._latido = now

    def _concilia(self) -> None:
        """Forget what is remembered as sent and is not there with its size."""
        there = self.deposito.lista()
        self._originales = {}
        for corte, found in self._libro.en_nube(self.nombre).items():
            kept = tuple(each for each in map(Objeto.from_json, found) if there.get(each.ruta) == each.bytes)
            self._originales[corte] = kept
        self._acuses = {ruta.rpartition("/")[2] for ruta in there if ruta.startswith(f"{ACUSES}/")}
        if COPIA not in there:
            self._copiado = None

    def _sube(self, cut: Aceptado) -> tuple[int, list[str]]:
        """Bytes sent of the originals of a cut, and those that are no longer what was received."""
        known = self._originales.get(cut.corte, ())
        sizes = {each.ruta: each.bytes for each in known}
        folder = self._workspace.historico
        new = [path for path in originals(self._history, cut.corte)
               if sizes.get(str(path.relative_to(folder))) != path.stat().st_size]  # fmt: skip
        if not new:
            return 0, []
        signed = {ref.nombre: ref.sha256 for ref in cut.archivos} | {MANIFIESTO: cut.sha256}
        good, wrong = [], []
        for path in new:
            ruta, found = str(path.relative_to(folder)), sha256_file(path)
            if path.parent == self._history.folder(cut.corte) and signed.get(path.name, found) != found:
                wrong.append(ruta)
                continue
            good.append(Objeto(ruta, path.stat().st_size, found))
        sent = self.deposito.sube(folder, [each.ruta for each in good]) if good else 0
        there = self.deposito.lista(f"{cut.corte:04d}")
        names = {each.ruta for each in good}
        whole = [
            *(each for each in known if each.ruta not in names),
            *(e for e in good if there.get(e.ruta) == e.bytes),
        ]
        self._originales[cut.corte] = tuple(sorted(whole, key=lambda each: each.ruta))
        self._libro.guardar_en_nube(self.nombre, cut.corte, [vars(each) for each in self._originales[cut.corte]])
        return sent, wrong

    def _sube_acuses(self) -> int:
        new = [path for path in files_in(self._workspace.acuses) if path.name not in self._acuses]
        if not new:
            return 0
        sent = self.deposito.sube(self._workspace.folder, [f"{ACUSES}/{path.name}" for path in new])
        self._acuses |= {path.name for path in new}
        return sent

    def _copia(self, now: datetime) -> bool:
        libro = self._libro
        acuses = files_in(self._workspace.acuses)
        newest = libro.ultimo()
        what = (
            None if newest is None else newest.corte,
            libro.publicado,
            None if libro.interrupcion is None else libro.interrupcion.to_json(),
            len(libro.avisos()),
            len(acuses),
            sum(map(len, self._originales.values())),
        )
        if self._copiado is not None and self._copiado[0] == what and now - self._copiado[1] < COPIA_CADA:
            return False
        n = libro.copias_en_nube(self.nombre) + 1
        estado = self._sube_estado(now)
        key = keys.load(self._workspace.llave)
        if self._frase is not None and self._cifrada is None:
            self._cifrada = cifra(key, self._frase)
        settings = self._workspace.settings
        copia = Copia(
            convocatoria=self._workspace.convocatoria.id,
            ambiente=settings.ambiente,
            difusor=settings.id,
            nodo=settings.nodo,
            instancia=propia(self._workspace.folder, libro, self._disk).nombre,
            n=n,
            creado=now,
            corte=what[0],
            publicado=what[1],
            estado=estado,
            acuses=int(acuses[-1].name[:6]) if acuses else 0,
            ultimo_acuse=sha256_bytes(acuses[-1].read_bytes()) if acuses else None,
            originales={cut.corte: self._originales.get(cut.corte, ()) for cut in libro.cortes()},
            llave_cifrada=self._cifrada,
            ajustes=ajustes_sin_secretos(settings),
        )
        self.deposito.pon(COPIA, firma(copia, key))
        libro.copiar_en_nube(self.nombre, n, now, what[0])
        self._copiado = (what, now)
        self._quita_viejos(estado)
        return True

    def _sube_estado(self, now: datetime) -> Objeto:
        folder = self._workspace.folder / f"{ESTADO}-{self.nombre}{PARCIAL}"
        self._disk.remove_tree(folder)
        self._disk.make_folder(folder / ESTADO, mode=0o700)
        try:
            path = folder / ESTADO / "nuevo.tar.gz"
            esencial(self._workspace, path, disk=self._disk, now=now)
            sha256 = sha256_file(path)
            named = path.with_name(f"{now:%Y%m%dT%H%M%S}-{sha256[:16]}.tar.gz")
            self._disk.replace(path, named)
            ruta = f"{ESTADO}/{named.name}"
            self.deposito.sube(folder, [ruta])
            return Objeto(ruta, named.stat().st_size, sha256)
        finally:
            self._disk.remove_tree(folder)

    def _quita_viejos(self, estado: Objeto) -> None:
        """Not being able to is no failure: a bucket that keeps everything only costs more."""
        with contextlib.suppress(PregonError):
            known = sorted(ruta for ruta in self.deposito.lista(ESTADO) if ruta != estado.ruta)
            self.deposito.quita(known[: -(ESTADOS - 1)])

    def _repone(self) -> int:
        """Bring back the newest cut whose originals are only there; how many came: one, or none."""
        for cut in sorted(self._originales, reverse=True):
            if self._originales[cut] and not self._history.folder(cut).exists():
                trae_corte(self.deposito, self._history, cut, self._originales[cut], self._disk)
                self._libro.evento("historial_repuesto", corte=cut, nube=self.nombre)
                return 1
        return 0


def originals(history: History, corte: int) -> list[Path]:
    """The originals of a cut that are worth keeping elsewhere: not what was set aside for being altered."""
    named = (MANIFIESTO, RECIBO)
    return [path for path in history.files(corte) if path.name in named or path.suffix in EXTENSIONES]


def trae_corte(deposito: Deposito, history: History, corte: int, originales: tuple[Objeto, ...], disk: Disk) -> None:
    """Put the originals of a cut in their place, every byte hashed: all of them, or none.

    Raises:
        HashError, RedError: they do not come, or are others.
        DiscoError, EscrituraError: our own disk.
    """
    final = history.folder(corte)
    provisional = final.with_name(f"{final.name}.trae{PARCIAL}")
    require_free(final.parent, sum(each.bytes for each in originales) + RESERVA)
    disk.remove_tree(provisional)
    try:
        for each in originales:
            path = provisional / each.ruta.partition("/")[2]
            disk.make_folder(path.parent, mode=0o700)
            disk.create(path, deposito.trae(each.ruta, each.bytes, each.sha256))
        disk.sync_filesystem(provisional)
        if not final.exists():
            disk.replace(provisional, final)
    finally:
        disk.remove_tree(provisional)


def quien(deposito: Deposito) -> Dueno | None:
    """Who writes there and when it last said so; None where nobody ever did. Raises as ``Deposito.lee``."""
    return lee(deposito.lee(INSTANCIA, MAX_BYTES))


def frase_de(ajustes: AjustesNube, folder: Path, environment: Mapping[str, str]) -> str | None:
    """The passphrase under which the key is copied; None where the settings name none.

    Raises:
        AjustesError: it is not where they say.
    """
    if ajustes.frase is None:
        return None
    return read_secret(ajustes.frase, f"la copia de {ajustes.nombre}", folder, environment)
