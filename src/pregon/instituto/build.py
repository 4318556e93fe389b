"""Makes one cut: actas in, a signed cut in the repository out (design §3, the institute's column).

The order, and what each step may leave behind:

1. The workspace is held and put back in order: what a stopped attempt left is removed.
2. Every source is read and counted (``obra``, all contests at once). A file that cannot be read stops here.
3. The cut is placed: elections of the profile, one hour for all, number and hour after the last signed cut.
4. The gate (``compuerta``): what blocks and nobody authorised stops here.
5. The pieces of each contest: data, database zip, pages; and the gate again, on the bytes about to be written.
6. The tree, and ``write_cut`` into ``trabajo/``: everything up to here touches nothing else but notes (``apuntes``).
7. One rename puts the folder into ``repositorio/targets/cortes/NNNN``: durable, and not yet signed.
8. Signature: cortes, snapshot, and ``timestamp.json`` last. Only now does the cut exist.

A failure in 1-6 leaves ``repositorio/`` as it was, byte for byte. In 7-8 the folder is taken out again, at once or by
the next attempt; metadata that nothing leads to may stay and are never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import CadenaError, UsoError
from pregon.base.space import require_free
from pregon.instituto import compuerta, previo
from pregon.instituto.a_su_hora import require_its_hour
from pregon.instituto.armado import assemble, at_work, frame
from pregon.instituto.base_de_datos import CARPETA
from pregon.instituto.firma import sign_cut
from pregon.instituto.fuentes import ContestSource
from pregon.instituto.obra import Encargo
from pregon.instituto.portal import avance as strip
from pregon.instituto.portal.aspecto import load as load_aspecto
from pregon.instituto.portal.paginas import Paginas
from pregon.instituto.portal.vistas import Enlace
from pregon.instituto.sql.fuentes import CARPETA as SQL
from pregon.instituto.workspace import finish_closing
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import Autorizacion, ManifestHead, parse_manifest
from pregon.paquete.names import CAMBIOS, SIETE, ZIP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from pregon.instituto.obra import Cuenta
    from pregon.instituto.previo import Previo
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Cierre, Manifest
    from pregon.prep.model import Finding
    from pregon.trust.repositorio import Repository
    from pregon.trust.verified import TargetRef

__all__ = ["Archivo", "BuiltCut", "ContestSource", "build_cut"]

_SPACE_FACTOR = 6
"""A cut needs at most this many times its sources while it is made: pages, data, both zips and the copy of each."""
_SPACE_FLOOR = 64 << 20


@dataclass(frozen=True)
class Archivo:
    """A file of the cut in the repository."""

    nombre: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class BuiltCut:
    """A signed cut. ``segundos``: real seconds from the first byte read to the signature."""

    corte: int
    hora_corte: datetime
    carpeta: Path
    manifest: Manifest
    manifiesto_sha256: str
    paquete: Archivo
    cambios: Archivo | None
    hallazgos: tuple[tuple[str, Finding], ...]
    roles_por_firmar: tuple[str, ...]
    segundos: float


@dataclass(frozen=True)
class _Lugar:
    """Where the cut stands in the night."""

    numero: int
    hora: datetime
    proximo: datetime | None


def build_cut(
    workspace: Workspace,
    sources: Sequence[ContestSource] | Callable[[], Iterable[ContestSource]],
    *,
    hora: datetime | None = None,
    corte: int | None = None,
    ultimo: bool = False,
    cierre: Cierre | None = None,
    motivo: str | None = None,
    operador: str = "",
    autorizaciones: Sequence[Autorizacion] = (),
    seguro: Callable[[str], bool] | None = None,
) -> BuiltCut:
    """Make, sign and leave in the repository the cut that follows the last one.

    Args:
        workspace: opened, not held.
        sources: one per contest; or what gives them once the workspace is held (``sql.fuentes.configured``).
        hora: the cut's hour, aware; None takes the one that the files state.
        corte: its number; None takes the next: 0 for the package before the start, else the last plus one.
        ultimo: the closing cut: turnout includes casillas especiales, no next one is announced, roles sign to the end
            of permanence.
        cierre, motivo: how it closes (None with ``ultimo``: «horario») and, when early, why.
        operador: who orders it, for the record.
        autorizaciones: findings that a person lets pass, by code and contest; those that let something pass travel.
        seguro: asks the person who typed hour and closing about an hour that has not come and a closing «horario»
            before its own, which no later order undoes (``a_su_hora``). None: who goes by the clock or repeats a night.

    Raises:
        EntradaError, FormatoError: a source is missing or unreadable.
        FindingsError: findings that block and that nobody authorised.
        CadenaError: number or hour do not follow the last signed cut, or it is not time for it (``seguro``).
        UsoError: ``cierre`` or ``motivo`` do not fit.
        AjustesError: the folder ``portal`` has something wrong (``portal.aspecto``).
        InstanciaError: another process holds the workspace.
        DiscoError, EscrituraError: could not write.
        After any of these the signed state is the one before; only a closing cut may stay signed with its closing dates
        pending, which the next order on the workspace writes.
    """
    start = workspace.clock.monotonic()
    closing = _closing(workspace, ultimo=ultimo, cierre=cierre, motivo=motivo, operador=operador)
    aspecto = load_aspecto(workspace.folder)
    with workspace.making() as repository:  # 1
        origins = sources if isinstance(sources, Sequence) else tuple(sources())
        before = _previous(workspace, repository)
        pages = Paginas(aspecto)
        blocks = workspace.trabajo / CARPETA
        workspace.disk.make_folder(blocks)
        orders = [
            Encargo(
                source=origin,
                convocatoria=workspace.convocatoria,
                previo=before,
                ultimo=ultimo,
                bloques=blocks,
                apuntes=workspace.apuntes,
                disk=workspace.disk,
            )
            for origin in origins
        ]
        with at_work(orders, pages) as team:
            counted = team.cuentas()  # 2
            place = _place(workspace, before, counted, hora=hora, corte=corte, ultimo=ultimo)  # 3
            if seguro is not None:
                require_its_hour(workspace, place.hora, horario=ultimo and cierre != "anticipado", seguro=seguro)
            findings = compuerta.found(  # 4
                workspace.convocatoria, counted, place.hora, None if before is None else before.contiendas
            )
            authorised = compuerta.decide(findings, autorizaciones)
            head = ManifestHead(
                convocatoria=workspace.convocatoria.id,
                instituto=workspace.convocatoria.instituto,
                ambiente=workspace.settings.ambiente,
                elecciones=tuple(contest.eleccion.codigo for contest in counted),
                corte=place.numero,
                hora_corte=place.hora,
                generado=workspace.clock.now().astimezone(workspace.convocatoria.zona).replace(microsecond=0),
                ultimo=ultimo,
                cierre=(cierre or "horario") if ultimo else None,
                proximo=place.proximo,
                incluye_especiales=all(c.totals.regla_participacion == "con_especiales" for c in counted),
                autorizaciones=(*authorised, *closing),
            )
            needed = _SPACE_FACTOR * sum(origin.actas.stat().st_size for origin in origins)
            require_free(workspace.folder, needed + _SPACE_FLOOR)
            marco = frame(workspace, head, aspecto)
            menu = tuple(Enlace.to(contest.eleccion) for contest in counted)
            pieces = team.piezas(head, marco, menu)  # 5
            compuerta.decide([(p.tarjeta.id, finding) for p in pieces for finding in p.hallazgos], ())
            team.anoten()
            tree = assemble(workspace, head, marco, pieces, pages, blocks)
            work = workspace.trabajo / f"{place.numero:04d}"
            name = stamped_name(place.hora, f"PREP_{workspace.convocatoria.entidad.clave}")
            siete = workspace.convocatoria.paquete.archivo == "7z"
            apart = workspace.trabajo / previo.ZIP if siete else None
            manifest = write_cut(  # 6
                work,
                tree,
                head,
                None if before is None else before.bytes_manifiesto,
                name,
                notas=[_summary(contest) for contest in counted],
                antes=None if before is None else before.manifiesto,
                diferencias={p.base.descarga.ruta: p.receta for p in pieces if p.receta is not None},
                zip_aparte=apart,
                disk=workspace.disk,
            )
            pending = _publish(workspace, repository, work, head)  # 7, 8
            last = repository.cuts()[-1]
            team.apunten(last.manifiesto.sha256)
            if apart is not None:
                previo.keep_zip(workspace, apart, last.manifiesto.sha256)
        folder = repository.cut_folder(place.numero)
        archives = {ref.nombre: ref for ref in last.archives}
        built = BuiltCut(
            corte=place.numero,
            hora_corte=place.hora,
            carpeta=folder,
            manifest=manifest,
            manifiesto_sha256=last.manifiesto.sha256,
            paquete=_archive(archives[f"{name}{SIETE if siete else ZIP}"]),
            cambios=_archive(archives[f"{name}{CAMBIOS}"]) if before is not None else None,
            hallazgos=findings,
            roles_por_firmar=pending,
            segundos=round(workspace.clock.monotonic() - start, 3),
        )
        for rubbish in (blocks, workspace.trabajo / SQL, workspace.trabajo / previo.CARPETA):
            workspace.disk.remove_tree(rubbish)
        workspace.state().record(
            "corte",
            corte=built.corte,
            hora_corte=built.hora_corte.isoformat(),
            manifiesto_sha256=built.manifiesto_sha256,
            operador=operador,
            segundos=built.segundos,
        )
    return built


def _previous(workspace: Workspace, repository: Repository) -> Previo | None:
    """The last signed cut."""
    data = repository.last_manifest()
    if data is None:
        return None
    signed = parse_manifest(data)
    archive = next(
        (ref.sha256 for ref in repository.cuts()[-1].archives if not ref.nombre.endswith(CAMBIOS)),
        None,
    )
    return previo.last_cut(workspace, repository.cut_folder(signed.corte), signed, data, sha256=archive)


def _closing(
    workspace: Workspace, *, ultimo: bool, cierre: Cierre | None, motivo: str | None, operador: str
) -> tuple[Autorizacion, ...]:
    """An early closing goes into the manifest as an authorisation: with its reason, by whom and when."""
    problem = None
    if (cierre or motivo) and not ultimo:
        problem = "«cierre» y «motivo» sólo van con el último corte"
    elif cierre == "anticipado" and not workspace.convocatoria.cierre_anticipado_permitido:
        problem = "esta convocatoria no permite el cierre anticipado"
    elif cierre == "anticipado" and not (motivo or "").strip():
        problem = "un cierre anticipado lleva motivo"
    if problem is not None:
        raise UsoError(
            f"No se puede cerrar así: {problem}.",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Revise --ultimo, --cierre y --motivo.",
        )
    if cierre != "anticipado" or motivo is None:
        return ()
    now = workspace.clock.now().astimezone(workspace.convocatoria.zona).replace(microsecond=0)
    return (Autorizacion("CIERRE_ANTICIPADO", motivo.strip(), operador, now),)


def _place(
    workspace: Workspace,
    before: Previo | None,
    counted: Sequence[Cuenta],
    *,
    hora: datetime | None,
    corte: int | None,
    ultimo: bool,
) -> _Lugar:
    """Step 3: number and hour after the last signed cut, and the hour of the next."""
    if not counted:
        raise UsoError(
            "No se dio ningún archivo de actas.",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Dé al menos un archivo con --actas.",
        )
    profile = workspace.convocatoria
    local = (hora or counted[0].totals.hora_corte).astimezone(profile.zona).replace(microsecond=0)
    last = None if before is None else before.manifiesto
    if last is None:
        number = 0 if local < profile.inicio else 1
        number = corte if corte in (0, 1) else number
    else:
        number = last.corte + 1
    if corte is not None and corte != number:
        raise _chain(f"El corte que sigue es el {number}, no el {corte}.")
    if last is not None and local <= last.hora_corte:
        signed = last.hora_corte.astimezone(profile.zona)
        raise _chain(
            f"La hora {local:%H:%M del %d/%m/%Y} no es posterior a la del corte {last.corte} "
            f"({signed:%H:%M del %d/%m/%Y}), que ya está firmado."
        )
    if last is not None and last.ultimo:
        raise _chain(f"El corte {last.corte} fue el último: la publicación ya cerró.")
    following = local + timedelta(minutes=profile.intervalo_min)
    if local < profile.inicio:
        following = profile.inicio  # And so the timestamp of the package before the start holds until then.
    if local < profile.fin_actualizacion < following:
        following = profile.fin_actualizacion
    return _Lugar(number, local, None if ultimo else following)


def _summary(contest: Cuenta) -> str:
    """One line of ``resumen.txt``: how much of a contest this cut counts."""
    shown = strip.of_contest(contest.totals)
    return (
        f"{contest.eleccion.titulo}: {shown.contabilizadas:,} de {shown.esperadas:,} actas contabilizadas "
        f"({shown.porcentaje_contabilizadas} %), participación {shown.participacion} %"
    )


def _publish(workspace: Workspace, repository: Repository, work: Path, head: ManifestHead) -> tuple[str, ...]:
    """Steps 7 and 8. Gives the roles that the closing could not sign (their keys are away).

    Once the cut is signed it stays, even if its closing dates could not be written: ``finish_closing`` tries again.
    """
    folder = repository.cut_folder(head.corte)
    workspace.disk.sync_filesystem(work)
    with workspace.signing():
        workspace.disk.replace(work, folder)
        try:
            sign_cut(workspace, repository, head)
        except BaseException:
            if head.corte not in {cut.corte for cut in repository.cuts()}:
                workspace.disk.remove_tree(folder)
            raise
        return finish_closing(workspace, repository)


def _archive(ref: TargetRef) -> Archivo:
    return Archivo(ref.nombre, ref.bytes, ref.sha256)


def _chain(que_paso: str) -> CadenaError:
    return CadenaError(
        que_paso,
        intacto="No se firmó nada; el repositorio sigue como estaba.",
        que_hacer="Revise --hora y --corte, y que los archivos sean los del corte que toca.",
    )
