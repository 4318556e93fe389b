"""Brings one bucket from what it has to the release that this difusor shows (docs/adr/0013).

An object store has no switch. What makes a reader safe there: every page names data of its own cut, at addresses that
never change content; each page is one put, whole or not at all; and they go up in this order.

1. Only what this difusor shows already: nothing reaches a bucket before the start. And nothing where a newer machine
   of this difusor publishes (``instancia``), which is asked again before the first page that it would change.
2. What is there is known: remembered, and asked again at the start, after a failure and every hour.
3. ``datos/`` and ``assets/``, then deep pages, then the cover and the manifest, then ``corte.json``; nothing that is
   there is sent again, and a content that is there under another name is copied there, by the store itself.
4. What came back of each is what was sent: its ETag, or else its bytes.
5. What the new release does not have is removed, last.

Killed anywhere, the next run does what was missing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, ComprobacionError, InstanciaError, PregonError
from pregon.base.hashing import sha256_bytes
from pregon.base.hilos import each
from pregon.difusor import pages, pointer
from pregon.difusor.nube import instancia, inventario
from pregon.difusor.nube.cabeceras import Reglas, inmutable
from pregon.difusor.nube.cubo import Cubo, Paciencia
from pregon.difusor.nube.cuerpos import Cuerpo, Cuerpos
from pregon.difusor.nube.inventario import Hay
from pregon.difusor.nube.lote import LINEAS, Cuenta, Lotes
from pregon.difusor.nube.plan import (
    CORTE,
    PORTADA,
    PRIVADO,
    Fase,
    Objeto,
    fase_de,
    in_order,
    mutable_paths,
    ours,
    plan_of,
    publicas,
)
from pregon.difusor.servidor.sitio import SUYOS, site_of
from pregon.transport.causas import Causa

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.libro import Libro
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.objects import ObjectStore
    from pregon.difusor.release import Plan
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

CONCILIA_S = 3600.0
"""How often the list of the store is compared with what we remember, though nothing failed."""


@dataclass(frozen=True)
class Cambio:
    """What one run did.

    ``rutas``: public paths (from «/» on) of which the edge may have something else: all that is to be purged, also what
    is left of earlier runs until ``purgado`` is called. ``esperado``: those of them that there are, to the SHA-256 of
    what a reader must get. ``objetos`` and ``bytes`` travelled; ``copiados`` by the store itself; ``quitados`` removed.
    """

    rutas: tuple[str, ...] = ()
    esperado: Mapping[str, str] = field(default_factory=dict)
    objetos: int = 0
    bytes: int = 0
    copiados: int = 0
    quitados: int = 0


class Publicacion:
    """One target of one difusor. One thread at a time calls it; ``deja`` may come from any."""

    def __init__(
        self,
        ajustes: AjustesNube,
        workspace: Workspace,
        libro: Libro,
        store: ObjectStore,
        *,
        clock: Clock,
        disk: Disk,
        environment: Mapping[str, str] | None = None,
        paciencia: Paciencia | None = None,
    ) -> None:
        """``environment``: where secrets are; this process's own where None.

        Raises:
            AjustesError: what opens the store cannot be used, or what it would show is not for everybody.
        """
        site = site_of(workspace, workspace.settings.servidor.puerto)
        if site.acceso is not None:
            raise AjustesError(
                f"«{ajustes.nombre}» publicaría para todos un simulacro al que no entra cualquiera.",
                intacto="No se publicó nada en ese almacén.",
                que_hacer="Quite ese [[nube]] de difusor.toml, o [servidor.acceso] si el simulacro sí es público.",
            )
        call = workspace.convocatoria
        self.nombre = ajustes.nombre
        self._workspace = workspace
        self._libro = libro
        self._clock = clock
        self._disk = disk
        self._prefix = ajustes.prefijo
        self._rules = Reglas(site.inmutable, call.intervalo_min * 60, gzip=ajustes.codificacion == "gzip")
        self._de = f"{workspace.settings.id}/{call.id}/{workspace.settings.ambiente}"
        self._stop = threading.Event()
        env = os.environ if environment is None else environment
        patience = paciencia or Paciencia()
        self._cubo = Cubo(ajustes, folder=workspace.folder, environment=env, parar=self._stop, paciencia=patience)
        self._path = workspace.folder / inventario.CARPETA / f"{ajustes.nombre}.json"
        self._inv = inventario.abre(self._path, f"{ajustes.extremo or ''} {ajustes.url}")
        self._asked: float | None = None
        self._there: instancia.Instancia | None = None
        self._bodies = Cuerpos(store, ajustes.nombre)
        self._lotes = Lotes(self._cubo, self._bodies, self._inv, de=self._de)

    @property
    def mostrado(self) -> str | None:
        """What the store shows whole: a release's name or ``aviso``; None where it is not known, or half of one."""
        return None if self._inv.a_medias else self._inv.muestra

    def deja(self) -> None:
        """Make the run under way end soon, with a RedError; what it did stays, and the next one goes on from there."""
        self._stop.set()

    def purgado(self, rutas: Iterable[str]) -> None:
        """Remember that the edge forgot these.

        Raises:
            DiscoError, EscrituraError: it cannot be remembered; they will be purged again.
        """
        self._inv.por_purgar.difference_update(rutas)
        self._inv.guarda(self._path, self._disk)

    def muestra(self, cut: Aceptado, what: Plan) -> Cambio:
        """Make the bucket show the release of ``cut``, which is the one that this difusor shows.

        Raises:
            ComprobacionError: this difusor shows something else, or does now; nothing more of it goes up.
            InstanciaError: a newer machine of this difusor publishes there.
            RedError, DestinoError: the store failed or refuses; each page there is whole, and the next run goes on.
            DiscoError: a content of ours is not what it should be, or what was done cannot be remembered.
        """
        plan = plan_of(what, self._bodies.tamanos(what.rutas.values()), self._rules, prefijo=self._prefix)
        own = self._ours(what.rutas)
        hidden = {one.ruta for one in own}
        return self._bring((*(one for one in plan if one.ruta not in hidden), *own), pointer.release_name(cut.corte))

    def interrumpe(self, page: Path) -> Cambio:
        """Make the bucket show our ``page`` (of ``cortes/aviso/`` or ``cortes/espera/``) as its cover, and no results.

        Data and assets stay at their addresses, for the return: without pages nothing leads there. Raises as
        ``muestra``.
        """
        cover = self._own(PORTADA, self._bodies.lee(page))
        return self._bring((cover, *self._ours(())), page.parent.name, keep=inmutable)

    # What there must be.

    def _ours(self, taken: Collection[str]) -> list[Objeto]:
        """What the institute says and signs, which hides what a package calls so, as at our servers, and our 404."""
        folder = self._workspace.servidor
        wanted = [name for name in (pages.NO_ENCONTRADA,) if name not in taken]
        if self._workspace.firmado:
            wanted += SUYOS
        return [self._own(name, self._bodies.lee(folder / name)) for name in wanted if (folder / name).is_file()]

    def _own(self, ruta: str, raw: bytes) -> Objeto:
        return ours(ruta, self._bodies.propia(raw), len(raw), self._rules, prefijo=self._prefix)

    # The run.

    def _bring(self, objetos: Iterable[Objeto], name: str, *, keep: Callable[[str], bool] = lambda _: False) -> Cambio:
        plan = in_order(objetos)
        self._stop.clear()  # ``deja`` was said to the run before.
        self._still(name)  # 1
        try:
            return self._run(plan, name, keep)
        except PregonError:
            with contextlib.suppress(PregonError):  # Only so that the next process has less to ask.
                self._keep()
            raise
        finally:
            self._bodies.olvida()

    def _run(self, plan: Sequence[Objeto], name: str, keep: Callable[[str], bool]) -> Cambio:
        inv = self._inv
        now = self._clock.monotonic()
        looks = inv.a_medias or self._asked is None or now - self._asked >= CONCILIA_S
        if looks:
            self._mine()  # 1
            self._reconcile({one.ruta: one for one in plan})  # 2
            self._asked = now
        faltan = inv.falta(plan)
        wanted = {one.ruta for one in plan}
        sobran = sorted(ruta for ruta in inv.objetos if ruta not in wanted and not keep(ruta))
        tally = Cuenta()
        if faltan or sobran or inv.a_medias or inv.muestra != name:
            inv.por_purgar |= self._changes(plan if inv.nuevo else (), faltan, sobran)
            inv.a_medias, inv.nuevo = True, False
            self._keep()
            if not looks:
                self._mine()
            self._claim()
            for fase in Fase:  # 3
                self._still(name)
                these = [one for one in faltan if one.fase is fase]
                if these and fase is Fase.PAGINA:
                    self._mine()
                self._lotes.sube(these, {one.ruta for one in faltan}, tally)
                if these and fase is Fase.INMUTABLE:
                    self._keep()
            inv.muestra = name
            self._cubo.quita(sobran)  # 5
            for ruta in sobran:
                del inv.objetos[ruta]
            inv.a_medias = False
            self._keep()
            told = (self.nombre, name, tally.objetos, tally.bytes, tally.copiados, len(sobran))
            _logger.info("nube %s: %s: %d objetos (%d bytes), %d copiados, %d quitados", *told)
        here = {public: one.sha256 for one in plan for public in publicas(one.ruta)}
        # Forgotten in the order in which they went up: whoever is told of a new cut by corte.json finds its pages.
        rutas = tuple(sorted(inv.por_purgar, key=lambda public: (fase_de(public[1:] or PORTADA), public)))
        esperado = {ruta: here[ruta] for ruta in rutas if ruta in here}
        return Cambio(rutas, esperado, tally.objetos, tally.bytes, tally.copiados, len(sobran))

    def _keep(self) -> None:
        self._inv.guarda(self._path, self._disk)

    def _still(self, name: str) -> None:
        shown = pointer.read(self._workspace)
        if shown != name:
            raise ComprobacionError(
                f"En «{self.nombre}» no se publica {name}: este difusor muestra {shown or 'nada'}.",
                intacto="Ahí cada página sigue entera; lo que este difusor sirve sigue como estaba.",
                que_hacer="Nada: se publicará ahí lo que este difusor muestre.",
            )

    def _mine(self) -> None:
        """Refuse to go on where a newer machine publishes. What was known of the place is then no longer so."""
        found = instancia.lee(self._cubo.lee(PRIVADO + instancia.PUBLICA, instancia.MAX_BYTES))
        self._there = None if found is None else found.instancia
        try:
            instancia.exige(self._machine(), self._there, f"«{self.nombre}»")
        except InstanciaError:
            self._asked = None
            raise

    def _claim(self) -> None:
        """Say that it is this machine that publishes there."""
        mine = self._machine()
        if self._there is None or self._there.nombre != mine.nombre:
            said = mine.to_bytes()
            headers = ("application/json", "no-store", None)
            body = Cuerpo(said, len(said), "")
            self._cubo.pon(PRIVADO + instancia.PUBLICA, body, headers, sha256=sha256_bytes(said), de=self._de)

    def _machine(self) -> instancia.Instancia:
        return instancia.propia(self._workspace.folder, self._libro, self._disk)

    def _changes(self, all_: Iterable[Objeto], faltan: Iterable[Objeto], sobran: Iterable[str]) -> set[str]:
        """The public paths whose answer will be another one, and those of ``all_`` that may change."""
        there = self._inv.objetos
        before = {ruta: there[ruta].sha256 for ruta in sobran if not inmutable(ruta)}
        after: dict[str, str] = {}
        found = {public for one in all_ if not inmutable(one.ruta) for public in publicas(one.ruta)}
        for one in faltan:
            old = there.get(one.ruta)
            if old is not None:
                before[one.ruta] = old.sha256
                found.update(publicas(one.ruta))  # for its headers, where its content is the same
            elif inmutable(one.ruta):
                continue  # nobody can have asked for it: no page named it yet
            after[one.ruta] = one.sha256
        return found.union(mutable_paths(before, after))

    # What there is.

    def _reconcile(self, wanted: Mapping[str, Objeto]) -> None:
        """Compare what we remember with the store's list, and look at each object that we do not know."""
        inv = self._inv
        known = dict(inv.objetos)
        there = {ruta: told for ruta, told in self._cubo.lista().items() if not ruta.startswith(PRIVADO)}
        inv.objetos = {ruta: hay for ruta, hay in known.items() if there.get(ruta) == (hay.bytes, hay.etag)}
        altered = (known.keys() & wanted.keys()) - inv.objetos.keys()
        inv.por_purgar.update(public for ruta in altered for public in publicas(ruta))
        if altered and not inv.a_medias:
            _logger.warning("nube %s: %d objetos no están como se dejaron", self.nombre, len(altered))
            self._libro.evento("nube_alterada", nombre=self.nombre, total=len(altered), ruta=min(altered))
        unknown = sorted(there.keys() - inv.objetos.keys())
        for ruta in (PORTADA, CORTE):  # Whose place this is, before anything else is asked.
            if ruta in unknown:
                self._look(ruta, wanted.get(ruta), there[ruta])
                unknown.remove(ruta)
        each(lambda ruta: self._look(ruta, wanted.get(ruta), there[ruta]), unknown, hilos=LINEAS, pocos=1)

    def _look(self, ruta: str, one: Objeto | None, told: tuple[int, str]) -> None:
        found = self._cubo.mira(ruta)
        if found is None:
            return
        if found.de != self._de:
            if found.de is not None and one is not None:
                causa = Causa(f"ahí publica otro ({found.de!a})", "Dé a este difusor un prefijo propio, o vacíe ése.")
                raise self._cubo.negativa("publicar", ruta, causa, nuestra=True)
            if one is not None:
                self._inv.por_purgar.update(publicas(ruta))
            return  # Nobody's: it stays, unless something of ours has its name.
        sha256 = ""
        if one is not None and (found.sha256, found.cabeceras) == (one.sha256, one.cabeceras):
            with self._bodies.de(one) as body:  # What it says of itself is believed only where its bytes agree.
                sha256 = one.sha256 if self._lotes.es(one, body, *told) else ""
        self._inv.objetos[ruta] = Hay(sha256, found.cabeceras, *told)
