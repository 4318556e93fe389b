"""The watch: a round of every point, what it means, and its record. Who runs it decides when.

In one round:

1. What is signed is read (``catalogo``), and what other points saw is collected (``puntos``), at the same time as
2. the point of this process looks at every portal (``observa``).
3. Each difusor is judged (``veredicto``) with what every point saw in the last minutes.
4. The round is kept (``almacen``), its time added to the month (``disponibilidad``), and what changed goes into the
   journal: ``dictamen`` where a verdict changed, ``punto_sin_red`` where a point lost its network or found it again.
"""

from __future__ import annotations

import os
import secrets
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from pregon.base.clock import SystemClock
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import compact_json
from pregon.instituto.monitor import disponibilidad, formas
from pregon.instituto.monitor.ajustes import PortalVigilado
from pregon.instituto.monitor.almacen import Almacen, Guardada
from pregon.instituto.monitor.catalogo import Catalogo, Lista, clave_de
from pregon.instituto.monitor.muestreo import ReglasMuestreo
from pregon.instituto.monitor.observa import Barrida, Punto
from pregon.instituto.monitor.puntos import Remotos
from pregon.instituto.monitor.referencia import Firmada
from pregon.instituto.monitor.veredicto import VENTANA, Reglas, dictamina
from pregon.transport.lugar import read_secret
from pregon.transport.peticion import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.base.errors import PregonError
    from pregon.instituto.monitor.modelo import Dictamen, Observacion, Periodo, Vista
    from pregon.instituto.monitor.veredicto import Mando
    from pregon.instituto.workspace import Workspace

CLAVE = "monitor_clave"
"""Key of the state: the secret order of the files that are read. Who knows it knows what is not looked at yet."""
RONDAS = 2.5
"""How many rounds an observation says something of now."""
MANDOS: dict[str, Mando] = {"suspendido": "aviso", "bloqueado": "aviso"}
"""What the states of the registry order; the others, to publish."""


@dataclass(frozen=True, kw_only=True)
class Vigilado:
    """A difusor to watch: its public addresses, what it was ordered to show and since when, what it says it shows."""

    difusor: str
    urls: tuple[str, ...]
    mando: Mando = "publica"
    mando_desde: datetime | None = None
    visible: int | None = None


class Registrado(Protocol):
    """What is taken of a difusor of the registry."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def estado(self) -> str: ...
    @property
    def desde(self) -> datetime: ...


def vigilados(registrados: Iterable[Registrado], visibles: Mapping[str, int | None] | None = None) -> list[Vigilado]:
    """The difusores of the registry (``Registro.vigilables``) as they are watched; ``visibles``: by their acuses."""
    told = visibles or {}
    return [
        Vigilado(
            difusor=one.id,
            urls=(one.url,),
            mando=MANDOS.get(one.estado, "publica"),
            mando_desde=one.desde,
            visible=told.get(one.id),
        )
        for one in registrados
    ]


class Ventana:
    """What every point saw in the last minutes, and the verdicts on it. Touches nothing: for simulations too."""

    def __init__(self, reglas: Reglas, *, puntos: int | None = None) -> None:
        """``puntos``: how many points there are (``veredicto.dictamina``)."""
        self.reglas = reglas
        self._points = puntos
        self._seen: deque[Observacion] = deque()
        self._views: dict[str, Vista] = {}

    def suma(self, vistas: Iterable[Vista], observaciones: Iterable[Observacion]) -> None:
        """Add what came."""
        for one in vistas:
            if one.punto not in self._views or one.hora >= self._views[one.punto].hora:
                self._views[one.punto] = one
        self._seen.extend(observaciones)

    def dictamina(
        self, ahora: datetime, watched: Iterable[Vigilado], lista: Lista, *, dura: timedelta = timedelta()
    ) -> tuple[Dictamen, ...]:
        """The verdict on each. ``dura``: how long the round took, where the clock of the night runs faster than we."""
        rules = replace(self.reglas, ventana=self.reglas.ventana + dura)
        self._seen = deque(one for one in self._seen if one.hora > ahora - rules.ventana)
        by_difusor: dict[str, list[Observacion]] = {}
        for one in self._seen:
            by_difusor.setdefault(one.difusor, []).append(one)
        return tuple(
            dictamina(
                each.difusor,
                ahora=ahora,
                reglas=rules,
                periodos=lista.periodos,
                firmados=lista.firmados,
                observaciones=by_difusor.get(each.difusor, ()),
                vistas=self._views.values(),
                mando=each.mando,
                mando_desde=each.mando_desde,
                visible=each.visible,
                puntos=self._points,
            )
            for each in watched
        )


@dataclass(frozen=True, kw_only=True)
class Ronda:
    """One round. ``cambios``: the verdicts that are not those of the round before. ``errores``: by point, what kept it
    from being heard."""

    numero: int
    hora: datetime
    vistas: tuple[Vista, ...]
    observaciones: tuple[Observacion, ...]
    dictamenes: tuple[Dictamen, ...]
    periodos: tuple[Periodo, ...]
    cambios: tuple[Dictamen, ...]
    errores: Mapping[str, PregonError]
    sha256: str


class Vigia:
    """The watch of one workspace. For one thread; ``close`` at the end, or use it as a context."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        real: Clock | None = None,
        environment: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        reglas: Reglas | None = None,
    ) -> None:
        """``real``: the machine's own clock. ``tls``: who is believed; None: as ``[monitor]`` says.

        Raises:
            AjustesError: the certificates or the access that the settings name cannot be read.
        """
        settings = workspace.settings.monitor
        self._workspace = workspace
        self._state = workspace.state()
        sampling = ReglasMuestreo(muestra=settings.muestra, cada_grande=settings.cada_grande)
        self._catalog = Catalogo(workspace, clave=clave_de(self._secret(), settings.punto), reglas=sampling)
        self._reference = Firmada(self._catalog)
        around = os.environ if environment is None else environment
        self._point = Punto(
            settings.punto,
            (),
            self._reference,
            ajustes=settings,
            clock=workspace.clock,
            real=real or SystemClock(),
            tls=tls or contexto(workspace),
            acceso=acceso(workspace, around),
            oficial=workspace.settings.ambiente == "oficial",
        )
        self._remotes = Remotos(workspace, around)
        rules = reglas or Reglas.de(workspace.convocatoria)
        window = max(rules.ventana, VENTANA, timedelta(seconds=settings.cada_s * RONDAS))
        self._window = Ventana(replace(rules, ventana=window), puntos=1 + len(settings.remoto))
        self._store = Almacen(workspace)
        self._before: dict[str, tuple[object, ...]] = {}
        self._awake: dict[str, bool] = {}
        self._last: datetime | None = None

    def __enter__(self) -> Vigia:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._point.close()

    @property
    def periodos(self) -> tuple[Periodo, ...]:
        """The slots of the night, as the last round read them."""
        return self._catalog.lista.periodos

    def ronda(self, watched: Sequence[Vigilado]) -> Ronda:
        """Look at everybody once.

        Raises:
            InstanciaError: another process is making a round.
            EntradaError, DiscoError, TrustError: what is signed cannot be read; nobody was judged.
            DiscoError, EscrituraError: the round could not be kept.
        """
        with self._store.turno():
            return self._round(watched)

    def _round(self, watched: Sequence[Vigilado]) -> Ronda:
        clock, number = self._workspace.clock, self._store.ronda + 1
        begun = clock.now()
        self._catalog.lee()
        names = {one.difusor for one in watched}
        self._point.vigila([PortalVigilado(difusor=one.difusor, urls=one.urls) for one in watched])
        with ThreadPoolExecutor(1, thread_name_prefix="remotos") as pool:
            coming = pool.submit(self._remotes.recoge, names)  # 1
            swept = [self._point.ronda(number)]  # 2
            brought = coming.result()
        envelopes = [(each.punto, one) for each in brought for one in each.sobres]
        swept += [
            Barrida(one.barrida.vista, tuple(self._reference.corrige(seen) for seen in one.barrida.observaciones))
            for _, one in envelopes
        ]
        seen = self._store.numera([one for each in swept for one in each.observaciones])
        views = tuple(each.vista for each in swept)
        lista = self._catalog.lee()  # A cut may have been signed while we looked.
        now = clock.now()
        self._window.suma(views, seen)
        told = self._window.dictamina(now, watched, lista, dura=now - begun)  # 3
        kept = Guardada(number, now, views, seen, told)
        sha256 = self._store.guarda(kept, envelopes)  # 4
        self._remotes.anota(brought)
        disponibilidad.suma(self._state, now, told, self._stands_for(now))
        changed = self._journal(told, views, sha256)
        return Ronda(
            numero=number,
            hora=now,
            vistas=views,
            observaciones=seen,
            dictamenes=told,
            periodos=lista.periodos,
            cambios=changed,
            errores={one.punto: one.error for one in brought if one.error is not None},
            sha256=sha256,
        )

    def huellas(self, numeros: Sequence[int]) -> tuple[str, ...]:
        """A line for each observation of the last two hours: its number, what it saw, and the SHA-256 of its record."""
        return huellas(self._store, numeros, self._workspace.clock.now())

    def _stands_for(self, now: datetime) -> int:
        every = self._workspace.settings.monitor.cada_s
        gap = every if self._last is None else (now - self._last).total_seconds()
        self._last = now
        return round(min(max(gap, 0.0), 2 * every))

    def _journal(self, told: Sequence[Dictamen], views: Sequence[Vista], sha256: str) -> tuple[Dictamen, ...]:
        changed = []
        for one in told:
            said = (one.veredicto, one.causa, one.motivos)
            if self._before.get(one.difusor) != said:
                self._before[one.difusor] = said
                changed.append(one)
                self._state.record("dictamen", **formas.de_dictamen(one), ronda_sha256=sha256)
        for view in views:
            if self._awake.get(view.punto, True) != view.con_red:
                self._state.record("punto_sin_red", **formas.de_vista(view), ronda_sha256=sha256)
            self._awake[view.punto] = view.con_red
        return tuple(changed)

    def _secret(self) -> bytes:
        known = self._state.get(CLAVE)
        if not isinstance(known, str):
            known = secrets.token_hex(32)
            self._state.put(**{CLAVE: known})
        return bytes.fromhex(known)


def contexto(workspace: Workspace) -> ssl.SSLContext:
    """Who is believed when a portal shows its certificate, by ``[monitor] ca``. TLS 1.2 or newer (INE-II-a-iii-1).

    Raises:
        AjustesError: it cannot be read.
    """
    import ssl

    ca = workspace.settings.monitor.ca
    made = tls_context(ca=None if ca is None else workspace.folder / ca)
    if workspace.convocatoria.tls_min == "1.3":
        made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


def acceso(workspace: Workspace, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password of a closed rehearsal, by ``[monitor] acceso``.

    Raises:
        AjustesError: they are not where it says.
    """
    place = workspace.settings.monitor.acceso
    if place is None:
        return None
    user, _, password = read_secret(place, "acceso", workspace.folder, environment).partition(":")
    return user, password


def huellas(store: Almacen, numeros: Sequence[int], ahora: datetime) -> tuple[str, ...]:
    """As ``Vigia.huellas``, of what ``store`` has."""
    found = store.citadas(numeros, ahora - timedelta(hours=2), ahora)
    return tuple(_huella(found[number]) for number in sorted(found))


def _huella(one: Observacion) -> str:
    what = "sin respuesta" if not one.alcanzable else one.forma if one.corte is None else f"corte {one.corte:04d}"
    digest = sha256_bytes(compact_json(formas.de_observacion(one)))
    return (
        f"Observación {one.n} ({one.hora.isoformat(timespec='seconds')}, desde {one.punto}): {what}. SHA-256 {digest}"
    )
