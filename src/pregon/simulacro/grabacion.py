"""A recorded night: one file with a call's profile and, cut by cut, the actas that were published and when.

::

    noche.json            {formato: "pregon/noche/1", cortes: [{numero, hora, sale, ultimo, fuentes: [{actas, …}]}]}
    convocatoria.toml     the profile under which it was published
    autorizaciones.json   the findings that were let pass, if there were any
    archivos/<first half of the SHA-256>/<name>   each table once, however many cuts bring it

A zip that ``paquete.reading`` admits: who replays one that somebody sent is as safe as a difusor that receives one.
The same night gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, FormatoError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.base.razones import razon
from pregon.base.settings import parse_toml
from pregon.convocatoria.escribe import to_toml_text
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.traslado import trasladada
from pregon.instituto.compuerta import ENCABEZADO_ORIGEN, HORA_DISTINTA
from pregon.paquete.manifest import Autorizacion, parse_manifest
from pregon.paquete.names import CAMBIOS, ZIP, check_path
from pregon.paquete.reading import EXTENSIONES, members
from pregon.simulacro.institute import OPERADOR, REPLICA
from pregon.simulacro.plan import ContestFiles, Plan, PlannedCut, StampedGroup, contest_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.durable import Disk
    from pregon.instituto.workspace import Workspace

FORMATO = "pregon/noche/1"
INDICE = "noche.json"
PERFIL = "convocatoria.toml"
AUTORIZACIONES = "autorizaciones.json"
ARCHIVOS = "archivos"
BASE_DE_DATOS = "base-de-datos"
SELLO = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the content alone decides the bytes."""
INDICE_MAX = 16 << 20
OTRA_FECHA = "Noche grabada que se repite en otra fecha"
NOCHE = timedelta(hours=24)
"""A cut that was signed so long after its hour, or before it, was not made in its night."""


@dataclass(frozen=True)
class Grabacion:
    """A night and what is needed to publish it again. ``autorizaciones``: as the file of ``--autorizaciones``."""

    convocatoria: Convocatoria
    plan: Plan
    autorizaciones: bytes | None = None

    def primeros(self, cortes: int | None) -> Grabacion:
        """The same night, of its cuts only the first ones; all for None."""
        return replace(self, plan=Plan(self.plan.previo, self.plan.cortes[:cortes]))

    def desde(self, inicio: datetime) -> Grabacion:
        """The same night, its calendar moved so that it starts at ``inicio`` (aware).

        Its tables still say the hours of then: that is let pass, and the manifest and the portal say so.
        """
        moved = trasladada(self.convocatoria, inicio)
        # In UTC: between two instants of one zone Python does not count that its summer time ended.
        step = moved.inicio.astimezone(UTC) - self.convocatoria.inicio.astimezone(UTC)

        def later(cut: PlannedCut) -> PlannedCut:
            return replace(cut, hora=(cut.hora.astimezone(UTC) + step).astimezone(moved.zona))

        previo = None if self.plan.previo is None else later(self.plan.previo)
        plan = Plan(previo, tuple(later(cut) for cut in self.plan.cortes))
        return Grabacion(moved, plan, de_otra_fecha(self.autorizaciones, inicio))


def de_otra_fecha(autorizaciones: bytes | None, hora: datetime) -> bytes:
    """The same authorisations, and that the hour of the tables is of another day; ``hora`` is when it was let pass."""
    given = [_authorised(Autorizacion(ENCABEZADO_ORIGEN, REPLICA, OPERADOR, hora))]
    if autorizaciones is not None:
        given = json.loads(autorizaciones)
    return canonical_json([*given, _authorised(Autorizacion(HORA_DISTINTA, OTRA_FECHA, OPERADOR, hora))])


def de_instituto(workspace: Workspace, folder: Path, *, disk: Disk) -> Grabacion:
    """The night that an institute signed, taken from its own packages; their tables go below ``folder``.

    Raises:
        EntradaError: it has not signed a cut.
        FormatoError: a cut has no tables of actas in its package.
        ArchivoError: an archive of the repository cannot be read.
    """
    with workspace.held() as repository:
        refs = repository.cuts()
        places = [repository.cut_folder(ref.corte) for ref in refs]
    if not any(ref.corte for ref in refs):
        raise EntradaError(
            f"{workspace.folder} no ha firmado ningún corte.",
            intacto="No se escribió nada.",
            que_hacer="Grabe un instituto que ya publicó, o una carpeta de cortes.",
        )
    cuts: list[PlannedCut] = []
    given: dict[tuple[str, str | None], Autorizacion] = {}
    for place in places:
        manifest = parse_manifest((place / "manifiesto.json").read_bytes())
        whole = next(path for path in sorted(place.iterdir()) if _is_package(path))
        files = tuple(_tables(whole, folder / f"{manifest.corte:04d}", manifest.hora_corte, disk))
        if not files:
            raise FormatoError(
                f"El paquete del corte {manifest.corte:04d} no trae la base de datos de sus actas.",
                intacto="No se escribió nada.",
                que_hacer="Grabe la carpeta con los CSV de esa noche.",
            )
        late = manifest.generado - manifest.hora_corte
        if not timedelta(0) <= late < NOCHE:
            late = timedelta(0)  # signed at another time than its own night's: a rehearsal without its clock
        cuts.append(PlannedCut(manifest.corte, manifest.hora_corte, files, ultimo=manifest.ultimo, retraso=late))
        given |= {(one.codigo, one.contienda): one for one in manifest.autorizaciones}
    previo = cuts[0] if cuts[0].numero == 0 else None
    plan = Plan(previo, tuple(cut for cut in cuts if cut.numero > 0))
    texts = [_authorised(one) for one in given.values()]
    return Grabacion(workspace.convocatoria, plan, canonical_json(texts) if texts else None)


def escribe(path: Path, grabacion: Grabacion, *, disk: Disk) -> int:
    """Write the file; how many bytes it has.

    Raises:
        EntradaError: a table of the plan cannot be read.
        DiscoError, EscrituraError: it cannot be written; nothing is left of it.
    """
    stored: dict[str, Path] = {}
    cuts = [_cut_json(cut, stored) for cut in grabacion.plan.todos]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, INDICE, canonical_json({"formato": FORMATO, "cortes": cuts}))
        _add(archive, PERFIL, to_toml_text(grabacion.convocatoria).encode())
        if grabacion.autorizaciones is not None:
            _add(archive, AUTORIZACIONES, grabacion.autorizaciones)
        for name, source in sorted(stored.items()):
            _add(archive, name, _read(source))
    disk.write(path, made.getvalue())
    return len(made.getvalue())


def lee(path: Path, folder: Path, *, disk: Disk) -> Grabacion:
    """The night of a file; its tables go below ``folder``, which must be empty or absent.

    Raises:
        EntradaError: there is no such file.
        ArchivoError: it is not an archive that is admitted.
        FormatoError: it is not a recorded night, or it names what it does not bring.
        AjustesError: its profile is wrong.
    """
    texts: dict[str, bytes] = {}
    for member in members(path):
        if member.ruta in (INDICE, PERFIL, AUTORIZACIONES):
            if member.bytes > INDICE_MAX:
                raise _wrong(path, f"{member.ruta} es demasiado grande")
            texts[member.ruta] = b"".join(member.open())
        elif member.ruta.startswith(f"{ARCHIVOS}/"):
            target = folder / member.ruta
            disk.make_folder(target.parent)
            disk.write(target, b"".join(member.open()))
        else:
            raise _wrong(path, f"{member.ruta} no es de una noche grabada")
    try:
        index = json.loads(texts[INDICE])
        profile = parse_toml(texts[PERFIL], Convocatoria, where=f"{path}:{PERFIL}")
        if index["formato"] != FORMATO:
            raise _wrong(path, f"su formato es {index['formato']!r}")
        cuts = [_cut(row, folder) for row in index["cortes"]]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as exc:
        raise _wrong(path, f"su índice no se entiende ({exc!r})") from exc
    numbers = [cut.numero for cut in cuts]
    hours = [cut.hora for cut in cuts]
    if numbers != sorted(set(numbers)) or hours != sorted(set(hours)) or not any(numbers):
        raise _wrong(path, "sus cortes no van uno tras otro")
    missing = [file for cut in cuts for one in cut.fuentes for file in one.archivos if not file.is_file()]
    if missing:
        raise _wrong(path, f"le falta {missing[0].relative_to(folder)}")
    previo = cuts[0] if numbers[0] == 0 else None
    plan = Plan(previo, tuple(cut for cut in cuts if cut.numero > 0))
    return Grabacion(profile, plan, texts.get(AUTORIZACIONES))


def _is_package(path: Path) -> bool:
    return path.name.endswith(EXTENSIONES) and not path.name.endswith(CAMBIOS)


def _tables(package: Path, folder: Path, sello: datetime, disk: Disk) -> Iterator[ContestFiles]:
    """The tables of each election's database within a package, written below ``folder``."""
    for member in members(package):
        if not (member.ruta.startswith(f"{BASE_DE_DATOS}/") and member.ruta.endswith(ZIP)):
            continue
        place = folder / Path(member.ruta).stem
        disk.make_folder(place)
        inner = place / "base.zip"
        disk.write(inner, b"".join(member.open()))
        for one in members(inner):
            disk.write(place / Path(one.ruta).name, b"".join(one.open()))
        disk.remove_tree(inner)
        yield from contest_files(StampedGroup(sello, (place,)))


def _authorised(one: Autorizacion) -> dict[str, str]:
    said = {"codigo": one.codigo, "motivo": one.motivo, "operador": one.operador, "hora": one.hora.isoformat()}
    return said if one.contienda is None else {**said, "contienda": one.contienda}


def _cut_json(cut: PlannedCut, stored: dict[str, Path]) -> dict[str, Any]:
    def kept(path: Path | None) -> str | None:
        if path is None:
            return None
        name = f"{ARCHIVOS}/{sha256_bytes(_read(path))[:32]}/{path.name}"
        stored[name] = path
        return name

    return {
        "numero": cut.numero,
        "hora": cut.hora.isoformat(),
        "retraso_s": cut.retraso.total_seconds(),
        "ultimo": cut.ultimo,
        "fuentes": [
            {"actas": kept(one.actas), "candidaturas": kept(one.candidaturas), "leeme": kept(one.leeme)}
            for one in cut.fuentes
        ],
    }


def _cut(row: Any, folder: Path) -> PlannedCut:
    def placed(name: str | None) -> Path | None:
        return None if name is None else folder / check_path(name)

    hora = datetime.fromisoformat(row["hora"])
    if hora.tzinfo is None:
        raise ValueError("una hora sin zona")
    files = []
    for one in row["fuentes"]:
        actas = placed(one["actas"])
        if actas is None:
            raise ValueError("un corte sin actas")
        files.append(ContestFiles(actas, placed(one["candidaturas"]), placed(one["leeme"])))
    if not files:
        raise ValueError("un corte sin archivos")
    late = timedelta(seconds=float(row["retraso_s"]))
    return PlannedCut(int(row["numero"]), hora, tuple(files), ultimo=bool(row["ultimo"]), retraso=late)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, SELLO), data, zipfile.ZIP_DEFLATED)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.", intacto="No se escribió nada.", que_hacer="Revise la carpeta."
        ) from exc


def _wrong(path: Path, why: str) -> FormatoError:
    return FormatoError(
        f"{path} no es una noche grabada: {why}.",
        intacto="No se empezó ningún ensayo.",
        que_hacer="Grábela otra vez con «pregon simulacro graba», o pídala a quien la grabó.",
    )
