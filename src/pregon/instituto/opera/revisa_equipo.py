"""What of this machine must be right before the night: keys, dates, secrets, clock, room, journal, a cut made whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import FindingsError, PregonError
from pregon.base.hora import ChronySource, FixedSource, NtpSource
from pregon.base.space import free_bytes
from pregon.convocatoria.comprobacion import Comprobacion
from pregon.instituto.bitacora import sellos
from pregon.instituto.ceremonia import llaves
from pregon.instituto.opera.ensayo import Ensayado, ensaya
from pregon.instituto.opera.programa import periodos
from pregon.instituto.relevo import replica
from pregon.notifica.canal import secret_of
from pregon.transport.lugar import read_secret
from pregon.trust.keys import ONLINE_ROLES, RAIZ
from pregon.trust.oferta import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.base.hora import OffsetSource
    from pregon.convocatoria.comprobacion import Estado
    from pregon.instituto.ceremonia.inventario import Inventario
    from pregon.instituto.sql.modelo import FuenteSql
    from pregon.instituto.workspace import Workspace

COPIAS = 2
"""Each cut lies in the repository, and meanwhile in the folder of work."""
PAQUETE_BYTES = 50_000_000
"""Of a package where none was ever made: between the 40 MB of GRO-2.2c and INE-II-a-ii-3b and what grows of it."""
OBSERVACIONES_BYTES = 1_000_000_000
"""For the watch, the journal and the database of the night."""
ESTADO = "ESTADO"
"""Code of the check without which nothing of the night can be looked at."""
MB = 1_000_000


def llaves_a_la_mano(inventario: Inventario, *, oficial: bool) -> Comprobacion:
    """LLAVES: one key of each online role is here and can be opened; those of the root are not."""
    missing = [rol for rol in ONLINE_ROLES if not any(one.en_equipo for one in inventario.of(rol))]
    extra = [rol for rol in ONLINE_ROLES if sum(one.en_equipo for one in inventario.of(rol)) > 1]
    root = any(one.en_equipo for one in inventario.of(RAIZ))
    state: Estado = "bien"
    told, mend = f"una de cada papel: {', '.join(ONLINE_ROLES)}", ""
    if missing:
        state, told = "falla", f"falta la de {', '.join(missing)}"
        mend = "Copie a «llaves» la que falta, o use la de reserva con una ceremonia."
    elif root or extra:
        kept = (["raíz"] if root else []) + extra
        state = "falla" if oficial and root else "aviso"
        told = f"también están aquí las que van a resguardo: {', '.join(kept)}"
        mend = "Llévelas a medios aparte («pregon instituto llaves muestra» dice cuáles son)."
    return Comprobacion(
        "LLAVES",
        None,
        "Las llaves de la noche, y sólo ésas, están en este equipo",
        told,
        "una por papel; ni raíz ni reservas",
        state,
        mend or None,
    )


def vigencias(workspace: Workspace, inventario: Inventario) -> Comprobacion:
    """VIGENCIA: every signed role holds past the close."""
    end = workspace.convocatoria.fin_actualizacion
    # The timestamp is signed again each interval: of it only that it holds now, and that it did not lapse.
    now = workspace.clock.now()
    start = max(now, workspace.convocatoria.inicio)
    short = [one for one in inventario.papeles if one.vence <= (start if one.nombre == "timestamp" else end)]
    zone = workspace.convocatoria.zona
    first = min((one for one in inventario.papeles if one.nombre != "timestamp"), key=lambda one: one.vence)
    told = (
        f"el primero en vencer es «{first.nombre}», el {first.vence.astimezone(zone):%d/%m/%Y %H:%M}; "
        "«timestamp» se firma de nuevo en cada intervalo"
    )
    if short:
        told = ", ".join(f"«{one.nombre}» vence el {one.vence.astimezone(zone):%d/%m/%Y %H:%M}" for one in short)
    return Comprobacion(
        "VIGENCIA",
        None,
        "Todo lo firmado vale más allá del cierre",
        told,
        f"después del {end.astimezone(zone):%d/%m/%Y %H:%M}",
        "falla" if short else "bien",
        "Renueve las fechas con una ceremonia («pregon instituto llaves rota»); la de «timestamp» la renueva «opera»."
        if short
        else None,
    )


def secretos(workspace: Workspace, environment: Mapping[str, str]) -> Comprobacion:
    """SECRETOS: every password, token and private key that the settings name can be read now."""
    settings, seen = workspace.settings, 0
    problems: list[str] = []
    for destino in settings.destino:
        for place in (destino.lugares[0] if destino.empuja else None, destino.lugar_acuses):
            if place is None:
                continue
            seen += place.secreto is not None
            files = (place.llave, place.anfitriones, place.ca, place.certificado, place.clave_certificado)
            problems += [
                f"{destino.nombre}: no está {path}"
                for path in files
                if path is not None and not (workspace.folder / path).is_file()
            ]
            try:
                place.secret(workspace.folder, environment)
            except PregonError as exc:
                problems.append(exc.que_paso)
    for canal in settings.notifica:
        seen += canal.secreto is not None
        try:
            secret_of(canal, workspace.folder, environment)
        except PregonError as exc:
            problems.append(exc.que_paso)
    for n, source in enumerate(settings.fuente):
        seen += 1
        problems += _database(workspace, source, n, environment)
    if settings.monitor.acceso is not None:
        seen += 1
        try:
            read_secret(settings.monitor.acceso, "acceso", workspace.folder, environment)
        except PregonError as exc:
            problems.append(exc.que_paso)
    found = list(dict.fromkeys(problems))
    return Comprobacion(
        "SECRETOS",
        None,
        "Se leen todas las contraseñas y llaves que nombra instituto.toml",
        "; ".join(found) if found else f"{seen} se leen",
        "todas",
        "falla" if found else "bien",
        "Ponga cada una donde la nombra instituto.toml; la unidad de servicio también debe verlas." if found else None,
    )


def _database(workspace: Workspace, source: FuenteSql, n: int, environment: Mapping[str, str]) -> list[str]:
    from pregon.instituto.sql.foto import address

    try:
        address(source, f"fuente[{n}]", workspace.folder, environment)
    except PregonError as exc:
        return [exc.que_paso]
    return []


def reloj(workspace: Workspace) -> Comprobacion:
    """RELOJ: this machine's clock, measured: the hour of each cut and of each notice is its own."""
    ours = workspace.settings.opera
    source: OffsetSource = FixedSource(None)
    if ours.hora == "ntp":
        source = NtpSource(ours.hora_servidor)
    elif ours.hora == "chrony":
        source = ChronySource()
    if workspace.clock.simulado:
        source = FixedSource(0.0)
    off = source.measure()
    state: Estado = "bien"
    told, mend = f"{off:+.3f} s" if off is not None else "no se pudo medir", None
    if off is None:
        state, mend = "falla", 'Inicie chrony, o escriba en [opera] «hora = "ntp"» y de quién en «hora_servidor».'
        if ours.hora == "ninguna":
            state, told = "aviso", "no se mide"
    elif abs(off) > ours.desfase_max_s:
        state, mend = "falla", "Corrija la hora («chronyc makestep») y revise por qué se movió."
    return Comprobacion(
        "RELOJ", None, "El reloj de este equipo está en hora", told, f"a lo sumo {ours.desfase_max_s:g} s", state, mend
    )


def disco(workspace: Workspace, paquete: int | None) -> Comprobacion:
    """DISCO: room for every cut that is left, as large as the one that was rehearsed."""
    left = sum(one.vence > workspace.clock.now() for one in periodos(workspace.convocatoria))
    size = paquete or PAQUETE_BYTES
    # Whole and changes: the changes of a cut weigh less than the whole.
    needed = 2 * size * left + COPIAS * size + OBSERVACIONES_BYTES
    free = free_bytes(workspace.folder)
    return Comprobacion(
        "DISCO",
        None,
        "Caben todos los cortes de la noche",
        f"{free // MB:,} MB libres",
        f"{needed // MB:,} MB: {left} cortes de {size // MB or 1:,} MB con sus cambios, y la bitácora",
        "bien" if free >= needed else "falla",
        None if free >= needed else "Libere espacio, o lleve la carpeta a un disco mayor.",
    )


def bitacora(workspace: Workspace) -> Comprobacion:
    """BITACORA: the journal is as it was written; its seals go out to somewhere else."""
    copies = len(workspace.settings.bitacora.copias)
    out = copies or workspace.settings.notifica
    try:
        read = sellos.revisa(workspace)
        faults: list[str] = [one.codigo for one in read.fallas]
        told = f"{read.sucesos:,} sucesos, {read.sellos} sellos"
    except PregonError as exc:
        faults, told = [exc.codigo], exc.que_paso
    state: Estado = "falla" if faults else "bien" if out else "aviso"
    mend = None
    if faults:
        told += f"; {', '.join(faults)}"
        mend = "Guarde aparte la carpeta y vea «pregon instituto bitacora verifica»."
    elif not out:
        mend = "Escriba [[notifica]], o «copias» de [bitacora]: un sello que no sale de este equipo prueba poco."
    return Comprobacion("BITACORA", None, "La bitácora está íntegra y sus sellos salen", told, "íntegra", state, mend)


def estado(workspace: Workspace) -> Iterator[Comprobacion]:
    """ESTADO: the base that two machines share answers, this one has the night, and the base has what is signed."""
    if workspace.settings.estado is None:
        return
    told, mend = "responde, la noche es de esta máquina y tiene lo último firmado", None
    try:
        workspace.numeros()
        shared = workspace.compartido
        there = None if shared is None else shared.servidor.corre(replica.vigente)
        here = (workspace.repositorio / TIMESTAMP).read_bytes()
        if there is None:
            told = "responde, y aún no tiene nada: se le da con la primera orden que firme"
        elif there[1] != here:
            told = f"tiene la versión {there[0]}, que no es lo firmado en esta máquina"
            mend = "Vea «Si se pierde la base» en desastre.md antes de firmar nada."
    except PregonError as exc:
        told, mend = exc.que_paso, exc.que_hacer
    yield Comprobacion(
        ESTADO,
        None,
        "La base que comparten las dos máquinas está al corriente",
        told,
        "responde; el turno, de esta máquina",
        "bien" if mend is None else "falla",
        mend,
    )


def compuerta(
    workspace: Workspace, actas: Sequence[Path], environment: Mapping[str, str]
) -> tuple[Ensayado | None, Iterator[Comprobacion]]:
    """COMPUERTA and CORTE: yesterday's files pass the gate and make a whole cut, in time."""
    if not actas and not workspace.settings.fuente:
        return None, iter(
            [
                Comprobacion(
                    "COMPUERTA",
                    None,
                    "Los archivos de ayer hacen un corte entero",
                    "no se probó",
                    "los de un simulacro",
                    "falla",
                    "Repita la revisión con --ayer y esos archivos.",
                )
            ]
        )
    made = ensaya(workspace, actas, environment)
    return made, _rehearsed(workspace, made)


def _rehearsed(workspace: Workspace, made: Ensayado) -> Iterator[Comprobacion]:
    if made.error is not None:
        blocked = isinstance(made.error, FindingsError)
        yield Comprobacion(
            "COMPUERTA",
            None,
            "Los archivos de ayer hacen un corte entero",
            made.error.que_paso,
            "ningún hallazgo que impida",
            "falla",
            made.error.que_hacer if blocked else "Corrija de dónde vienen los cortes, y repita la revisión.",
        )
        return
    told = f"{made.archivos:,} archivos, {made.bytes / MB:,.1f} MB; {made.avisa} hallazgos que avisan"
    yield Comprobacion(
        "COMPUERTA", None, "Los archivos de ayer hacen un corte entero", told, "ningún hallazgo que impida", "bien"
    )
    limit = workspace.settings.opera.aviso_tras_s
    late = made.segundos >= limit
    yield Comprobacion(
        "CORTE",
        None,
        "Un corte se hace antes de que se anuncie su retraso",
        f"{made.segundos:.1f} s",
        f"menos de {limit:g} s",
        "falla" if late else "bien",
        "Use un equipo más rápido, o pida los archivos antes de la hora del corte: así cada corte se anunciaría tarde."
        if late
        else None,
    )


def todo(workspace: Workspace, actas: Sequence[Path], environment: Mapping[str, str]) -> list[Comprobacion]:
    """Every check of this machine."""
    inventory = llaves.show(workspace)
    made, gate = compuerta(workspace, actas, environment)
    return [
        llaves_a_la_mano(inventory, oficial=workspace.settings.ambiente == "oficial"),
        vigencias(workspace, inventory),
        secretos(workspace, environment),
        reloj(workspace),
        *gate,
        *estado(workspace),
        disco(workspace, None if made is None or not made.bytes else made.bytes),
        bitacora(workspace),
    ]
