"""Reads a workspace once: everything that the measurements of a call need, and nothing that is asked of the network.

What it reads was written by ``recibe`` and the other commands; nothing here is changed. Acuses are believed only when
their signature and their chain hold.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import DiscoError, PregonError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.base.jsonio import canonical_json
from pregon.base.razones import razon
from pregon.base.settings import parse_toml, read_toml_bytes
from pregon.difusor import personalizada, pointer
from pregon.difusor.acuse import files_in
from pregon.difusor.cumplimiento.declaraciones import CARPETA, REVISION, REVISIONES, Declarado, intacto, lee
from pregon.difusor.cumplimiento.evidencia import Evidencia
from pregon.difusor.historia.history import History
from pregon.difusor.libro import Libro
from pregon.difusor.nube.estado import EstadoNube, estados
from pregon.difusor.servidor.bitacora import MAX_LINE, log_files
from pregon.difusor.vigilancia import mirado
from pregon.trust.acuse import Emisor, load_public_key, read_acuse, verify_chain
from pregon.trust.oferta import split_archives

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.state import Event, StateDatabase
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.cumplimiento.declaraciones import Declaracion, Dispensa
    from pregon.difusor.workspace import Workspace
    from pregon.trust.acuse import Acuse

MAX_SUCESOS = 200_000
"""A night writes some thousands; the report of one that wrote more is of its first ones, and says so."""
MAX_REVISION = 4 << 20
MAX_REVISIONES = 200
"""One each day, from the call to the end of its permanence, and more than one on some."""
DIARIO = "estado.sqlite"


@dataclass(frozen=True)
class Revision:
    """The last preflight that was kept: when, by which version, its checks as ``revisa --json`` gave them."""

    hora: datetime
    version: str
    comprobaciones: tuple[dict[str, Any], ...]
    evidencia: Evidencia


@dataclass(frozen=True)
class Recibo:
    """An acuse that verified: where it is and what it says."""

    archivo: str
    acuse: Acuse

    @property
    def evidencia(self) -> Evidencia:
        """The signed file."""
        number = "" if self.acuse.corte is None else f" del corte {self.acuse.corte}"
        return Evidencia(f"Acuse «{self.acuse.evento}»{number}", self.archivo, self.acuse.sha256, self.acuse.hora)


@dataclass(frozen=True)
class Registros:
    """What the workspace says. ``acuses_rotos``: why the acuses prove nothing; None: they do, or there are none.

    ``mostrado``: the cut that the pointer names. ``incompletos``: what the history lacks, in words. ``elecciones``: of
    the last cut's manifest. ``bitacoras``: each access log with the instants of its first and last request.
    ``documentos_mal``: what ails a declared document, by its name.
    """

    convocatoria: Convocatoria
    ahora: datetime
    ambiente: str
    cortes: tuple[Aceptado, ...] = ()
    acuses: tuple[Recibo, ...] = ()
    acuses_rotos: str | None = None
    sucesos: tuple[Event, ...] = ()
    mostrado: int | None = None
    suspendido: str | None = None
    barrido: datetime | None = None
    retirados: tuple[str, ...] = ()
    vista: Evidencia | None = None
    vista_mal: str | None = None
    nube: tuple[EstadoNube, ...] = ()
    manifiesto: Evidencia | None = None
    elecciones: tuple[str, ...] | None = None
    archivados: int = 0
    incompletos: tuple[str, ...] = ()
    bitacoras: tuple[tuple[Evidencia, datetime, datetime], ...] = ()
    mirado: tuple[tuple[datetime, datetime], ...] = ()
    revision: Revision | None = None
    revisiones: tuple[Revision, ...] = ()
    declarado: Declarado = field(default_factory=Declarado)
    documentos_mal: Mapping[str, str] = field(default_factory=dict)

    def de(self, *tipos: str) -> tuple[Event, ...]:
        """The events of those kinds, oldest first."""
        return tuple(event for event in self.sucesos if event.tipo in tipos)

    def recibos(self, evento: str) -> dict[int, Recibo]:
        """The acuses of an event, by cut."""
        return {
            each.acuse.corte: each
            for each in self.acuses
            if each.acuse.evento == evento and each.acuse.corte is not None
        }


def diario(events: Iterable[Event], que: str) -> Evidencia:
    """The proof that lines of the journal are: their numbers and the SHA-256 of what they say, in canonical JSON."""
    lines = tuple(events)
    rows = [{"n": one.n, "hora": one.hora.isoformat(), "tipo": one.tipo, "dato": one.dato} for one in lines]
    when = lines[-1].hora if lines else None
    return Evidencia(f"{que} ({len(rows)} renglones del diario)", DIARIO, sha256_bytes(canonical_json(rows)), when)


def reune(workspace: Workspace, *, clock: Clock, disk: Disk) -> Registros:
    """Everything that the workspace says now.

    Raises:
        AjustesError: what was declared, or the preflight that was kept, cannot be read.
        DanadoError, DiscoError: the state database, or the history, cannot be read.
    """
    state = workspace.open_state(clock)
    libro = Libro(state)
    declared = lee(workspace.folder)
    receipts, broken = _acuses(workspace)
    history = History(workspace.historico, disk)
    cuts = libro.cortes()
    interruption = libro.interrupcion
    view, view_wrong = _view(workspace, clock.now())
    papers: list[Declaracion | Dispensa] = [*declared.declaracion, *declared.dispensa]
    last = _last_manifest(workspace, history, cuts)
    return Registros(
        convocatoria=workspace.convocatoria,
        ahora=clock.now(),
        ambiente=workspace.settings.ambiente,
        cortes=cuts,
        acuses=receipts,
        acuses_rotos=broken,
        sucesos=_events(state),
        mostrado=pointer.release_number(pointer.read(workspace) or ""),
        suspendido=None if interruption is None else interruption.motivo,
        barrido=libro.barrido,
        retirados=libro.retirados,
        vista=view,
        vista_mal=view_wrong,
        nube=estados(workspace, libro),
        manifiesto=None if last is None else last[0],
        elecciones=None if last is None else last[1],
        archivados=sum(1 for cut in cuts if history.files(cut.corte)),
        incompletos=tuple(_missing(workspace, history, cuts)),
        bitacoras=tuple(_logs(workspace)),
        mirado=mirado.lee(state),
        revision=lee_revision(workspace.folder),
        revisiones=lee_revisiones(workspace.folder),
        declarado=declared,
        documentos_mal={
            one.documento: text
            for one in papers
            if one.documento is not None and (text := intacto(workspace.folder, one)) is not None
        },
    )


def lee_revision(folder: Path) -> Revision | None:
    """The preflight that was kept in the workspace at ``folder``; None where none was, or it is not understood.

    What is not understood counts as not there: ``revisa --guarda`` writes it again in a minute.
    """
    return _revision(folder, f"{CARPETA}/{REVISION}")


def lee_revisiones(folder: Path) -> tuple[Revision, ...]:
    """Every preflight that was kept in the workspace at ``folder``, oldest first; what is not understood is none."""
    names = sorted(path.name for path in (folder / CARPETA / REVISIONES).glob("*.json"))[-MAX_REVISIONES:]
    found = (_revision(folder, f"{CARPETA}/{REVISIONES}/{name}") for name in names)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.hora))


def _revision(folder: Path, ruta: str) -> Revision | None:
    path = folder / ruta
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_REVISION)
        data = json.loads(raw)
        hour = datetime.fromisoformat(data["hora"])
        checks = tuple(
            {key: one.get(key) for key in ("codigo", "clausula", "que", "medido", "minimo", "estado", "arreglo")}
            for one in data["comprobaciones"]
        )
        if hour.tzinfo is None or any(one["estado"] not in ("bien", "aviso", "falla") for one in checks):
            return None
        proof = Evidencia("Revisión del equipo", ruta, sha256_bytes(raw), hour)
        return Revision(hour, str(data["version"]), checks, proof)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _acuses(workspace: Workspace) -> tuple[tuple[Recibo, ...], str | None]:
    """Those whose signature and chain hold; where one does not, those before it and why."""
    settings = workspace.settings
    emisor = Emisor(workspace.convocatoria.id, settings.ambiente, settings.id, settings.nodo)
    found: list[Recibo] = []
    try:
        files = files_in(workspace.acuses)
        if not files:
            return (), None
        key = load_public_key(workspace.llave.with_suffix(".pub.pem"))
        previous = None
        for path in files:
            acuse = read_acuse(path.read_bytes(), key)
            previous = verify_chain([acuse], emisor, antes=previous)
            found.append(Recibo(f"{workspace.acuses.name}/{path.name}", acuse))
    except PregonError as exc:
        return tuple(found), exc.que_paso
    except OSError as exc:
        return tuple(found), f"Los acuses no se pueden leer: {razon(exc)}."
    return tuple(found), None


def _events(state: StateDatabase) -> tuple[Event, ...]:
    found: list[Event] = []
    while len(found) < MAX_SUCESOS and (page := state.events(after=found[-1].n if found else 0)):
        found += page
    return tuple(found)


def _view(workspace: Workspace, now: datetime) -> tuple[Evidencia | None, str | None]:
    """The view of the difusor's own that is installed, as proof, and what its authorisation lacks."""
    huella = personalizada.public_view(workspace)
    if huella is None:
        return None, None
    path = workspace.personalizada / personalizada.REGISTRO
    name = f"{personalizada.RUTA}/{personalizada.REGISTRO}"
    try:
        record = parse_toml(read_toml_bytes(path), personalizada.Autorizacion, where=name)
        personalizada.check(workspace, record, huella, now)
    except PregonError as exc:
        return Evidencia("Vista personalizada a la vista del público", name), exc.que_paso
    return Evidencia(f"Autorización {record.id}, de {record.autoriza}", name, sha256_file(path)), None


def _last_manifest(
    workspace: Workspace, history: History, cuts: tuple[Aceptado, ...]
) -> tuple[Evidencia, tuple[str, ...]] | None:
    if not cuts:
        return None
    cut = cuts[-1]
    try:
        manifest, _ = history.manifest(cut)
    except DiscoError:
        return None
    path = history.folder(cut.corte).relative_to(workspace.folder).as_posix()
    proof = Evidencia(f"Manifiesto del corte {cut.corte}", f"{path}/manifiesto.json", cut.sha256, cut.recibido)
    return proof, tuple(manifest.elecciones)


def _missing(workspace: Workspace, history: History, cuts: tuple[Aceptado, ...]) -> Iterable[str]:
    """What the history lacks: a cut without its manifest or without an original, or an archive of another length."""
    whole = workspace.convocatoria.historial.conservar == "completo"
    for cut in cuts:
        try:
            history.manifest(cut)
        except DiscoError as exc:
            yield exc.que_paso
            continue
        kept = {path.name: path for path in history.archives(cut.corte)}
        sizes = {ref.nombre: ref.bytes for ref in cut.archivos}
        for name, path in kept.items():
            if name in sizes and path.stat().st_size != sizes[name]:
                yield f"El original {name} del corte {cut.corte} no mide lo que se recibió."
        archive = split_archives(cut.archivos)[0]
        if not kept or (whole and archive is not None and archive.nombre not in kept):
            yield f"Del corte {cut.corte} no está el paquete{' completo' if whole else ''}."


def _logs(workspace: Workspace) -> Iterable[tuple[Evidencia, datetime, datetime]]:
    for path in log_files(workspace.servidor):
        span = _span(path)
        if span is not None:
            name = path.relative_to(workspace.folder).as_posix()
            yield Evidencia("Bitácora de acceso", name, sha256_file(path), span[1]), *span


def _span(path: Path) -> tuple[datetime, datetime] | None:
    """The instants of the first and the last request of a log; None where it has none that is understood."""
    first = last = None
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            first = _instant(file.readline(MAX_LINE))
            if path.suffix != ".gz" and path.stat().st_size > 2 * MAX_LINE:
                file.seek(-MAX_LINE, 2)  # The last line is in there, whole.
            for line in file:
                last = _instant(line) or last
    except (OSError, EOFError, zlib.error):
        pass  # One that is being compressed, or was cut short: what was read of it counts.
    return None if first is None else (first, last or first)


def _instant(line: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(json.loads(line)["ts"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
