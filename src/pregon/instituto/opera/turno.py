"""What the night does with the workspace, one thing at a time: read what is signed, make the cut of a slot, announce
its delay, sign the timestamp again, note what ended. ``programa`` says which; ``servicio``, when and beside what.

What was done is read from what is signed and from the journal, so that a process that starts again goes on where the
other died: a delay is announced once, a lost slot is noted once, a cut has one number.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pregon.base.errors import EntradaError, FindingsError, InstanciaError, PregonError, UsoError
from pregon.instituto.autorizaciones import load as load_authorisations
from pregon.instituto.avisos import Orden, announce_delay
from pregon.instituto.build import build_cut
from pregon.instituto.opera import cierre
from pregon.instituto.opera.llegadas import Llegadas
from pregon.instituto.opera.programa import Corte, tareas, texto_de_retraso
from pregon.instituto.sql.fuentes import configured
from pregon.paquete.manifest import parse_manifest
from pregon.trust.aviso import MOTIVO_MAX, notice_number, parse_aviso
from pregon.trust.oferta import TIMESTAMP, read_offer
from pregon.trust.orden import claim_of
from pregon.trust.vigencia import timestamp_expiry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from threading import Event

    from pregon.instituto.build import BuiltCut
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.monitor.modelo import Periodo
    from pregon.instituto.opera.programa import Tareas
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Autorizacion
    from pregon.trust.aviso import Aviso
    from pregon.trust.oferta import Oferta

_logger = logging.getLogger(__name__)

PAGINA = 1000
"""Events of the journal read at once."""

Resultado = Literal["firmado", "bloqueado", "sin_archivos", "sin_confirmar", "ocupado", "fallo"]


@dataclass(frozen=True)
class Firmas:
    """What is signed now: every cut, every notice, when the timestamp was signed, and its SHA-256."""

    cortes: tuple[Corte, ...]
    avisos: tuple[Aviso, ...]
    sellado: datetime
    huella: str

    @property
    def ultimo(self) -> Corte | None:
        """The newest cut."""
        return self.cortes[-1] if self.cortes else None

    @property
    def siguiente(self) -> int:
        """The number of the cut that follows: the first one of the night is 1, whether or not there was a 0."""
        return 1 if self.ultimo is None else self.ultimo.corte + 1


@dataclass(frozen=True)
class Intento:
    """How one try of a cut ended. ``que_paso`` and ``codigo`` where it was not signed; ``hecho`` where it was."""

    resultado: Resultado
    periodo: Periodo
    corte: int
    codigo: str | None = None
    que_paso: str = ""
    hecho: BuiltCut | None = None


class Turno:
    """One workspace in the hands of the night's service. ``stop`` ends what waits inside a try."""

    def __init__(self, workspace: Workspace, environment: Mapping[str, str], stop: Event) -> None:
        self.workspace = workspace
        self._environment = environment
        self._stop = stop
        self._state = workspace.state()
        ours = workspace.settings.opera
        self._arrivals = None
        if ours.actas is not None:
            folder = workspace.folder / ours.actas
            self._arrivals = Llegadas(folder, workspace.convocatoria, workspace.clock, ours.quieto_s)
        self._lock = threading.Lock()
        self._read: Firmas | None = None
        self._notices: dict[str, Aviso] = {}
        self._after = 0
        self._signed_at: dict[str, datetime] = {}
        self._lost: set[int] = set()
        self._blocked: tuple[int, str] | None = None
        self._refused: str | None = None

    # What there is.

    def firmas(self) -> Firmas:
        """What is signed now; cheap where nothing changed since the last time.

        Raises:
            EntradaError, DiscoError, TrustError: the repository is not whole.
        """
        path = self.workspace.repositorio / TIMESTAMP
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise EntradaError(
                f"No hay un repositorio firmado completo: falta {path}.",
                intacto="No se firmó nada.",
                que_hacer="Revise la carpeta, o recupérela de su respaldo o de un difusor.",
            ) from exc
        mark = hashlib.sha256(data).hexdigest()
        with self._lock:  # The loop asks, and so does the thread that makes a cut.
            if self._read is None or self._read.huella != mark:
                offer = read_offer(self.workspace.repositorio, data)
                self._scan()
                signed = claim_of(json.loads(data)["signed"]).firmado
                self._read = Firmas(self._cuts(offer), self._all_notices(offer), signed, mark)
            return self._read

    def toca(self) -> Tareas:
        """What is to be done now. Raises as ``firmas``."""
        signed = self.firmas()
        return tareas(
            self.workspace.convocatoria,
            signed.cortes,
            signed.avisos,
            ahora=self.workspace.clock.now(),
            aviso_tras=timedelta(seconds=self.workspace.settings.opera.aviso_tras_s),
            anotados=1 + max(self._lost, default=-1),
            sellado=signed.sellado,
        )

    def _cuts(self, offer: Oferta) -> tuple[Corte, ...]:
        found = []
        for ref in offer.cortes:
            last = ref is offer.cortes[-1]
            made = self._signed_at.get(ref.manifiesto.sha256)
            manifest = None
            if last or made is None:
                # Without its event (who signed it died before writing it) the manifest says when it was begun.
                path = self.workspace.repositorio / "targets" / ref.manifiesto.ruta
                manifest = parse_manifest(path.read_bytes())
                made = self._signed_at.setdefault(ref.manifiesto.sha256, manifest.generado)
            closing = manifest is not None and manifest.ultimo
            found.append(Corte(ref.corte, ref.hora_corte, made, ref.manifiesto.sha256, closing))
        return tuple(found)

    def _all_notices(self, offer: Oferta) -> tuple[Aviso, ...]:
        for ref in offer.avisos:
            number = notice_number(ref.ruta)
            if number is not None and ref.sha256 not in self._notices:
                path = self.workspace.repositorio / "targets" / ref.ruta
                self._notices[ref.sha256] = parse_aviso(path.read_bytes(), n=number)
        return tuple(self._notices[ref.sha256] for ref in offer.avisos if ref.sha256 in self._notices)

    def _scan(self) -> None:
        """Read what the journal has of new: when each cut was signed and which slots are noted as lost."""
        while True:
            events = self._state.events(after=self._after, limit=PAGINA)
            for event in events:
                self._after = event.n
                # One that somebody changed must not stop the night: the manifest says it too.
                if event.tipo == "corte" and "manifiesto_sha256" in event.dato:
                    self._signed_at[event.dato["manifiesto_sha256"]] = event.hora
                elif event.tipo == "corte_perdido" and "periodo" in event.dato:
                    self._lost.add(event.dato["periodo"])
            if len(events) < PAGINA:
                return

    # What is done.

    def corta(self, periodo: Periodo, *, ultimo: bool) -> Intento:
        """Try to make and sign the cut of ``periodo``. What goes wrong is in the answer, never raised.

        May take as long as a cut does; with files that arrive, also as long as they must lie still.
        """
        signed, ours = self.firmas(), self.workspace.settings.opera
        number, order = signed.siguiente, cierre.ordenado(self._state)
        if ultimo and order is None and ours.cierre == "confirmado":
            text = "El corte de cierre espera la confirmación de una persona («pregon instituto cierra»)."
            return Intento("sin_confirmar", periodo, number, "CIERRE", text)
        early = order is not None and order["cierre"] == "anticipado" and not ultimo
        try:
            made = self._sources(periodo, signed, ultimo=ultimo or early)
            if isinstance(made, Intento):
                return made
            hora, sources, authorised = made
            built = build_cut(
                self.workspace,
                sources,
                hora=hora,
                corte=number,
                ultimo=ultimo or early,
                cierre="anticipado" if early else None,
                motivo=order["motivo"] if order is not None and early else None,
                operador=order["operador"] if order is not None and (ultimo or early) else ours.operador,
                autorizaciones=authorised,
            )
        except InstanciaError as exc:
            return Intento("ocupado", periodo, number, exc.codigo, exc.que_paso)
        except FindingsError as exc:
            self._note_blocked(periodo, number, exc)
            return Intento("bloqueado", periodo, number, exc.codigo, exc.que_paso)
        except PregonError as exc:
            _logger.warning("corte %04d: %s: %s", number, exc.codigo, exc.que_paso)
            return Intento("fallo", periodo, number, exc.codigo, exc.que_paso)
        if order is not None and (ultimo or early):
            cierre.cumplido(self._state)
        return Intento("firmado", periodo, built.corte, hecho=built)

    def _sources(
        self, periodo: Periodo, signed: Firmas, *, ultimo: bool
    ) -> (
        Intento
        | tuple[
            datetime,
            Sequence[ContestSource] | Callable[[], Iterable[ContestSource]],
            tuple[Autorizacion, ...],
        ]
    ):
        ours, space = self.workspace.settings.opera, self.workspace
        authorised = () if ours.autorizaciones is None else load_authorisations(space.folder / ours.autorizaciones)
        before = None if signed.ultimo is None else signed.ultimo.hora_corte
        if self._arrivals is None:
            hora = periodo.vence
            if before is not None and before >= hora:
                hora = space.clock.now().replace(microsecond=0)  # A closing after a cut of its own hour.
            return hora, configured(space, hora=hora, ultimo=ultimo, entorno=self._environment), authorised
        found = self._arrivals.mira(periodo, despues=before)
        if found.archivos and not found.faltan and not found.quieta:
            self._stop.wait(ours.quieto_s)
            found = self._arrivals.mira(periodo, despues=before)
        if found.hora is None or not found.lista:
            return Intento("sin_archivos", periodo, signed.siguiente, "ENTRADA", _missing(found.faltan, found.archivos))
        tried = repr((found.archivos, authorised, ultimo))
        if self._blocked is not None and self._blocked[0] == periodo.indice and tried == self._refused:
            return Intento("bloqueado", periodo, signed.siguiente, FindingsError.codigo, self._blocked[1])
        self._refused = tried
        return found.hora, found.fuentes(), authorised

    def _note_blocked(self, periodo: Periodo, corte: int, exc: FindingsError) -> None:
        said = (periodo.indice, exc.que_paso)
        if self._blocked != said:
            self._blocked = said
            self._state.record("corte_bloqueado", periodo=periodo.indice, corte=corte, que_paso=exc.que_paso)
            _logger.error("corte %04d bloqueado: %s", corte, exc.que_paso)

    def anuncia(self, hecho: Tareas, porque: str) -> Aviso | None:
        """Sign the notice of delay that is due; None where the cut was signed meanwhile. ``porque``: for the record.

        Raises:
            InstanciaError, EntradaError, DiscoError, EscrituraError: it could not be signed; nothing was.
        """
        signed, period = self.firmas(), hecho.anuncia
        if period is None:
            return None
        call = self.workspace.convocatoria
        reason = f"Corte de las {period.vence.astimezone(call.zona):%H:%M} h sin firmar: {porque}"
        try:
            notice = announce_delay(
                self.workspace,
                Orden(" ".join(reason.split())[:MOTIVO_MAX], self.workspace.settings.opera.operador),
                texto=texto_de_retraso(hecho.ausentes, signed.ultimo, call),
                corte=signed.siguiente,
                hasta=hecho.hasta,
            )
        except UsoError:
            return None  # It is signed.
        late = (self.workspace.clock.now() - period.vence).total_seconds()
        self._state.record(
            "retraso",
            periodo=period.indice,
            corte=signed.siguiente,
            aviso=notice.n,
            segundos=round(late, 3),
            porque=porque,
        )
        _logger.error("corte %04d: retraso anunciado (aviso %06d): %s", signed.siguiente, notice.n, porque)
        return notice

    def sella(self) -> bool:
        """Sign the timestamp again: the sign of life between cuts. False where the closing cut is signed already.

        A call without an end of permanence (MOR) has no date to which its closing cut could be signed: it goes on.

        Raises:
            InstanciaError, EntradaError, DiscoError, EscrituraError: it could not be signed.
        """
        space = self.workspace
        with space.signing() as repository:
            data = repository.last_manifest()
            closed = data is not None and parse_manifest(data).ultimo
            if closed and space.convocatoria.permanencia_hasta is not None:
                return False  # Signed to the end of permanence: a new date would only be nearer.
            now = space.clock.now()
            due = max(space.convocatoria.inicio, now + space.intervalo)
            repository.resign_timestamp(now=now, expires=timestamp_expiry(due, space.intervalo))
        return True

    def anota(self, terminados: Iterable[Periodo]) -> tuple[Periodo, ...]:
        """Write in the journal the slots that ended without a cut; those that were not written before."""
        lost = tuple(one for one in terminados if one.corte is None and one.indice not in self._lost)
        for one in lost:
            self._state.record("corte_perdido", periodo=one.indice, vence=one.vence.isoformat())
            _logger.error("el corte de las %s no se hizo", one.vence.isoformat())
            self._lost.add(one.indice)
        return lost


def _missing(faltan: Sequence[str], archivos: Sequence[object]) -> str:
    if not archivos:
        return "No han llegado los archivos de este corte."
    return f"Faltan archivos de este corte: {', '.join(faltan)}." if faltan else "Los archivos aún se escriben."
