"""Every vector of ``repositorios``: what is made, how it is offered, and the verdict that it must get.

The good ones come first; each bad one is a good one with one thing changed, told in its description.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.vectors.fabrica import (
    CIERRE,
    FIN,
    INICIO,
    INTERVALO,
    Cut,
    Files,
    Repo,
    edit,
    every_role,
    one_bit,
    remove,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = INICIO + 2 * INTERVALO + timedelta(minutes=5)
"""Five minutes after the second cut."""
ZIP = "targets/cortes/{:04d}/*.zip"
TWO_SIGN = ("raiz-1", "raiz-2")


@dataclass(frozen=True)
class Vector:
    """One case. ``repo`` is written in ``repositorio/``; ``antes`` is the copy seen before, in ``antes/``.

    ``objetivo``: what is verified, relative to the vector's folder. ``junto``: further files of the vector.
    ``raiz``: whose root is trusted, by the owner's prefix and the number of the root.
    """

    id: str
    descripcion: str
    codigo: str
    repo: Repo
    objetivo: str = "repositorio"
    antes: Repo | None = None
    raiz: Repo = field(default_factory=Repo)
    hora: datetime = NOW
    corte: int | None = 2
    junto: Callable[[Path], None] = lambda _: None


def good() -> list[Vector]:
    """What every verifier must accept."""
    rotated: list[dict[str, Any]] = [{}, {"llaves": ("raiz-1", "raiz-2", "raiz-4"), "firman": TWO_SIGN}]
    moved = [*rotated, {"llaves": ("raiz-1", "raiz-4", "raiz-5"), "firman": ("raiz-1", "raiz-2", "raiz-4")}]
    moved_sign = ("raiz-1", "raiz-4")
    closed = {"vence": CIERRE}
    return [
        Vector("valido", "Dos cortes, todo en orden.", "OK", Repo()),
        Vector("sin-cortes", "Firmado y todavía sin ningún corte.", "OK", Repo(cuts=[]), hora=INICIO, corte=None),
        Vector("primer-corte", "Un solo corte, que no tiene anterior.", "OK", Repo([Cut(1)]), corte=1),
        Vector("saltado", "El corte 2 nunca se hizo: el 3 sigue al 1.", "OK", Repo([Cut(1), Cut(3)]), corte=3),
        Vector("continua", "Continúa una copia ya vista.", "OK", Repo(), antes=Repo([Cut(1)])),
        Vector("otra-vez", "La misma copia que ya se vio.", "OK", Repo(), antes=Repo()),
        Vector("rotacion", "La raíz cambió dos veces.", "OK", Repo(roots=moved, signers={"targets": moved_sign})),
        Vector(
            "llave-revocada-reemplazada",
            "Una raíz nueva retiró la llave de snapshot, y firma la nueva.",
            "OK",
            Repo(roots=[{}, {"snapshot": ("snapshot-3",)}], signers={"snapshot": ("snapshot-3",)}),
        ),
        Vector("llave-de-reserva", "Firma la segunda llave autorizada.", "OK", Repo(signers={"cortes": ("cortes-2",)})),
        Vector(
            "firma-de-mas",
            "Una firma válida y otra de una llave ajena, que no cuenta.",
            "OK",
            Repo(signers={"timestamp": ("timestamp-1", "ajena")}),
        ),
        Vector(
            "cierre",
            "El corte de cierre, firmado hasta diez años después, se comprueba nueve años más tarde.",
            "OK",
            Repo([Cut(1), Cut(2, ultimo=True)], expires=every_role(CIERRE), roots=[{}, closed]),
            hora=datetime.fromisoformat("2036-06-06T12:00:00+00:00"),
        ),
        Vector(
            "avisos-danados",
            "La lista de avisos está dañada: no detiene un resultado.",
            "OK",
            Repo(after=edit("metadata/1.avisos.json", one_bit)),
        ),
        Vector("archivo", "El zip de un corte, con su repositorio alrededor.", "OK", Repo(), objetivo=archive_of(2)),
        Vector("archivo-anterior", "El zip de un corte que ya no es el último.", "OK", Repo(), archive_of(1), corte=1),
        Vector("carpeta", "Un corte desempacado, con las firmas aparte.", "OK", Repo(), "carpeta", junto=unpacked()),
    ]


def metadata() -> list[Vector]:
    """Signatures, order and identity: refused before any cut is read, or by what the metadata say of it."""
    other = Repo(owner="otra/")
    closed = {"vence": CIERRE}
    return [
        Vector("paquete-arbitrario", "Todo está firmado con llaves ajenas.", "FIRMA", other, corte=None),
        Vector("otra-raiz", "El repositorio es bueno y la raíz en que se confía es otra.", "FIRMA", Repo(), raiz=other),
        Vector(
            "firma-alterada",
            "timestamp.json dice vencer después de lo que se firmó.",
            "FIRMA",
            Repo(after=edit("metadata/timestamp.json", lambda data: data.replace(b"2027-06-07T03", b"2027-06-08T03"))),
        ),
        Vector(
            "llave-de-otro-papel",
            "La lista de cortes la firma la llave de snapshot.",
            "FIRMA",
            Repo(signers={"cortes": ("snapshot-1",)}),
        ),
        Vector(
            "llave-de-cortes-revocada",
            "targets retiró la llave cortes-1 y con ella se firmó la lista.",
            "FIRMA",
            Repo(authorised={"cortes": ("cortes-2", "cortes-3")}),
        ),
        Vector(
            "llave-de-snapshot-revocada",
            "Una raíz nueva retiró la llave de snapshot y con ella se sigue firmando.",
            "FIRMA",
            Repo(roots=[{}, {"snapshot": ("snapshot-2", "snapshot-3")}]),
        ),
        Vector(
            "raiz-falsa",
            "Una raíz nueva que no firma ninguna llave de la anterior.",
            "FIRMA",
            Repo(roots=[{}, {"llaves": ("falsa-1", "falsa-2", "falsa-3"), "firman": ("falsa-1", "falsa-2")}]),
        ),
        Vector(
            "firma-repetida",
            "La misma firma dos veces para llegar al umbral.",
            "FIRMA",
            Repo(signers={"targets": ("raiz-1", "raiz-1")}),
        ),
        Vector("umbral-de-targets", "targets con una firma de dos.", "UMBRAL", Repo(signers={"targets": ("raiz-1",)})),
        Vector(
            "umbral-de-raiz",
            "Una raíz nueva con una firma de dos.",
            "UMBRAL",
            Repo(roots=[{}, {"firman": ("raiz-1",)}]),
        ),
        Vector(
            "umbral-de-la-raiz-nueva",
            "La firman dos de las de antes, pero sólo una de las suyas.",
            "UMBRAL",
            Repo(roots=[{}, {"llaves": ("raiz-1", "raiz-4", "raiz-5"), "firman": TWO_SIGN}]),
        ),
        Vector("congelado", "timestamp.json venció.", "EXPIRADO", Repo(), hora=NOW + 3 * INTERVALO),
        Vector(
            "raiz-vencida",
            "La última raíz venció y lo demás no.",
            "EXPIRADO",
            Repo(roots=[{"vence": INICIO}]),
            raiz=Repo(roots=[{"vence": INICIO}]),
        ),
        Vector("targets-vencido", "targets venció.", "EXPIRADO", Repo(expires={"targets": INICIO})),
        Vector("cortes-vencido", "La lista de cortes venció.", "EXPIRADO", Repo(expires={"cortes": INICIO})),
        Vector("snapshot-vencido", "snapshot venció.", "EXPIRADO", Repo(expires={"snapshot": NOW})),
        Vector(
            "cierre-pasado",
            "El corte de cierre, después de su último día.",
            "EXPIRADO",
            Repo([Cut(1), Cut(2, ultimo=True)], expires=every_role(CIERRE), roots=[{}, closed]),
            hora=CIERRE,
        ),
        Vector(
            "retroceso", "Se ofrece una copia más vieja que la ya vista.", "RETROCESO", Repo([Cut(1)]), antes=Repo()
        ),
        Vector(
            "retroceso-de-snapshot",
            "timestamp es más nuevo que el visto y lleva a un snapshot más viejo.",
            "RETROCESO",
            Repo(versions={"timestamp": 9, "snapshot": 2}),
            antes=Repo(),
        ),
        Vector(
            "retroceso-de-cortes",
            "snapshot es más nuevo que el visto y lista una lista de cortes más vieja.",
            "RETROCESO",
            Repo(versions={"timestamp": 9, "snapshot": 9, "cortes": 2}),
            antes=Repo(),
        ),
        Vector(
            "retroceso-de-corte",
            "Metadatos más nuevos que los vistos, sin el último corte visto.",
            "RETROCESO",
            Repo([Cut(1)], versions=dict.fromkeys(("timestamp", "snapshot", "cortes"), 9)),
            antes=Repo(),
        ),
        Vector("raiz-sin-orden", "2.root.json dice ser la 3.", "RETROCESO", Repo(roots=[{}, {"dice": 3}])),
        Vector(
            "mezcla-de-snapshot",
            "El snapshot es de otro momento, bien firmado; no es el que nombra timestamp.",
            "HASH",
            Repo(after=replaced("3.snapshot.json", "snapshot")),
        ),
        Vector(
            "mezcla-de-cortes",
            "La lista de cortes es de otro momento, bien firmada; no es la que nombra snapshot.",
            "HASH",
            Repo(after=replaced("3.cortes.json", "cortes")),
        ),
        Vector(
            "timestamp-sin-fin",
            "timestamp.json sigue y sigue después de 16 KiB.",
            "HASH",
            Repo(after=edit("metadata/timestamp.json", lambda data: data + b" " * (17 << 10))),
        ),
        Vector(
            "snapshot-sin-fin",
            "El snapshot es más largo que lo que se firmó.",
            "HASH",
            Repo(after=edit("metadata/3.snapshot.json", lambda data: data + b" " * 4096)),
        ),
        Vector("sin-lista", "Falta la lista de cortes.", "RED", Repo(after=remove("metadata/3.cortes.json"))),
        Vector(
            "no-es-json", "timestamp.json no es JSON.", "FIRMA", Repo(after=edit("metadata/timestamp.json", cut_off))
        ),
        Vector("ambiente", "Un simulacro donde va lo oficial.", "AMBIENTE", all_simulacro()),
        Vector(
            "ambiente-del-manifiesto",
            "Con las llaves de lo oficial se firmó un corte de simulacro.",
            "AMBIENTE",
            Repo([Cut(1), Cut(2, ambiente="simulacro")]),
        ),
        Vector("convocatoria", "Otra convocatoria del mismo instituto.", "CONVOCATORIA", other_call()),
        Vector(
            "convocatoria-del-manifiesto",
            "Se firmó un corte de otra convocatoria.",
            "CONVOCATORIA",
            Repo([Cut(1), Cut(2, convocatoria="demo-2024")]),
        ),
        Vector(
            "convocatoria-escondida",
            "timestamp.json dice ser de esta convocatoria; la firma es del repositorio de otra.",
            "FIRMA",
            Repo(
                convocatoria="demo-2024",
                owner="otra/",
                after=edit("metadata/timestamp.json", lambda data: data.replace(b"demo-2024", b"demo-2027")),
            ),
        ),
    ]


def cuts() -> list[Vector]:
    """The list of cuts, their chain, manifests, archives and contents."""
    return [
        Vector(
            "equivocacion",
            "Con las llaves del instituto se firmó otro contenido para un número ya visto.",
            "EQUIVOCO",
            Repo([Cut(1, filling=" distinto"), Cut(2)]),
            antes=Repo([Cut(1)]),
        ),
        Vector(
            "otra-historia",
            "El corte ya visto no está en la lista, que sigue sin él.",
            "CADENA",
            Repo([Cut(2), Cut(3)]),
            antes=Repo([Cut(1)]),
            corte=3,
        ),
        Vector(
            "falta-un-eslabon",
            "El corte 2 se quitó de la lista: el 3 nombra un anterior que no está.",
            "CADENA",
            Repo([Cut(1), Cut(3, anterior=sha256(b"el corte 2 que no esta"))]),
            corte=3,
        ),
        Vector(
            "anterior-alterado",
            "El primer corte nombra un anterior que no existe.",
            "CADENA",
            Repo([Cut(1, anterior=sha256(b"nada"))]),
            corte=1,
        ),
        Vector(
            "horas-al-reves",
            "El corte 2 es de una hora anterior a la del 1.",
            "CADENA",
            Repo([Cut(1), Cut(2, hora=INICIO + timedelta(minutes=5))]),
        ),
        Vector(
            "numero-cambiado",
            "El manifiesto dice ser otro corte que el de su carpeta.",
            "CADENA",
            Repo([Cut(1), Cut(2, manifest=stating("corte", 3))]),
        ),
        Vector("ruta-ajena", "La lista de cortes nombra un aviso.", "CADENA", Repo(listed=also("avisos/000001.json"))),
        Vector("sin-archivo", "Un corte se firmó sin nada que abrir.", "CADENA", Repo(listed=without_archive)),
        Vector("sin-manifiesto", "Un corte se firmó sin su manifiesto.", "CADENA", Repo(listed=without_manifest)),
        Vector(
            "manifiesto-alterado",
            "Un carácter del manifiesto cambió después de firmar.",
            "HASH",
            Repo(after=edit("targets/cortes/0002/manifiesto.json", lambda data: data.replace(b"02:40", b"02:41", 1))),
        ),
        Vector(
            "manifiesto-a-medias",
            "El manifiesto se copió a medias.",
            "RED",
            Repo(after=edit("targets/cortes/0002/manifiesto.json", cut_off)),
        ),
        Vector("zip-a-medias", "El zip se copió a medias.", "RED", Repo(after=edit(ZIP.format(2), cut_off))),
        Vector(
            "targets-danado-tras-visto",
            "Continúa una copia ya vista, y un documento que no cambió está dañado en ésta.",
            "HASH",
            Repo(after=edit("metadata/1.targets.json", one_bit)),
            antes=Repo([Cut(1)]),
        ),
        Vector(
            "manifiesto-anterior-alterado",
            "El alterado es el de un corte que ya no es el último.",
            "HASH",
            Repo(after=edit("targets/cortes/0001/manifiesto.json", one_bit)),
        ),
        Vector(
            "manifiesto-ambiguo",
            "Se firmó un manifiesto con una clave repetida: cada programa leería otra cosa.",
            "ARCHIVO_MANIFIESTO",
            Repo([Cut(1), Cut(2, raw=lambda data: data.replace(b"{", b'{\n  "corte": 9,', 1))]),
        ),
        Vector(
            "manifiesto-que-sale",
            "Se firmó un manifiesto con una ruta que sale de su carpeta.",
            "ARCHIVO_SUPERIOR",
            Repo([Cut(1), Cut(2, manifest=first_path("../index.html"))]),
        ),
        Vector("zip-alterado", "Un bit del zip cambió.", "HASH", Repo(after=edit(ZIP.format(2), one_bit))),
        Vector("zip-ausente", "Falta el zip de un corte anterior.", "RED", Repo(after=remove(ZIP.format(1)))),
        Vector(
            "contenido-alterado",
            "El zip firmado trae un archivo distinto del que lista el manifiesto.",
            "HASH",
            Repo([Cut(1), Cut(2, archive=changed)]),
        ),
        Vector(
            "contenido-faltante",
            "Al zip firmado le falta un archivo que lista el manifiesto.",
            "HASH",
            Repo([Cut(1), Cut(2, archive=lambda files: drop(files, "assets/estilo.css"))]),
        ),
        Vector(
            "contenido-de-mas",
            "El zip firmado trae un archivo que el manifiesto no lista.",
            "ARCHIVO_MANIFIESTO",
            Repo([Cut(1), Cut(2, archive=lambda files: files.update({"intruso.html": b"<h1>Otro</h1>"}))]),
        ),
        Vector(
            "archivo-alterado",
            "Un zip suelto, con las firmas aparte: un bit cambió.",
            "HASH",
            Repo(after=edit(ZIP.format(2), one_bit)),
            objetivo=archive_of(2),
        ),
        Vector(
            "carpeta-alterada",
            "Un corte desempacado: un voto más.",
            "HASH",
            Repo(),
            "carpeta",
            junto=unpacked({"datos/0002/gub/entidad.json": b'{"votos": 2001}\n'}),
        ),
        Vector(
            "carpeta-incompleta",
            "Un corte desempacado al que le falta una página.",
            "HASH",
            Repo(),
            "carpeta",
            junto=unpacked({"index.html": None}),
        ),
        Vector(
            "carpeta-de-mas",
            "Un corte desempacado con una página que nadie listó.",
            "ARCHIVO_MANIFIESTO",
            Repo(),
            "carpeta",
            junto=unpacked({"gub/index.html": b"<h1>Otro resultado</h1>"}),
        ),
        Vector(
            "carpeta-rehecha",
            "Archivos y manifiesto cambiados juntos: coinciden entre sí y no con la firma.",
            "HASH",
            Repo(),
            "carpeta",
            junto=unpacked(cut=Cut(2, filling=" distinto")),
        ),
    ]


def catalogue() -> list[Vector]:
    """All of them, in the order of the index."""
    return [*good(), *metadata(), *cuts()]


def archive_of(number: int) -> str:
    return f"repositorio/targets/cortes/{number:04d}/{Cut(number).when:%Y%m%d_%H%M}_PREP_GUB_DEMO.zip"


def all_simulacro() -> Repo:
    return Repo([Cut(1, ambiente="simulacro"), Cut(2, ambiente="simulacro")], ambiente="simulacro")


def other_call() -> Repo:
    return Repo([Cut(1, convocatoria="demo-2024"), Cut(2, convocatoria="demo-2024")], convocatoria="demo-2024")


def cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2]


def replaced(name: str, role_name: str) -> Callable[[Path], None]:
    """Put in the place of a document the one of another moment, well signed and with the same version."""

    def apply(folder: Path) -> None:
        other = folder.with_name("otro-momento")
        Repo(expires={role_name: FIN + timedelta(hours=1)}).write(other)
        (folder / "metadata" / name).write_bytes((other / "metadata" / name).read_bytes())
        for path in sorted(other.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        other.rmdir()

    return apply


def stating(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(manifest: dict[str, Any]) -> None:
        manifest[key] = value

    return apply


def first_path(ruta: str) -> Callable[[dict[str, Any]], None]:
    def apply(manifest: dict[str, Any]) -> None:
        manifest["archivos"][0]["ruta"] = ruta

    return apply


def also(ruta: str) -> Callable[[dict[str, Any]], None]:
    def apply(targets: dict[str, Any]) -> None:
        targets[ruta] = next(iter(targets.values()))

    return apply


def without_archive(targets: dict[str, Any]) -> None:
    drop(targets, *(ruta for ruta in [*targets] if ruta.startswith("cortes/0002/") and ruta.endswith(".zip")))


def without_manifest(targets: dict[str, Any]) -> None:
    drop(targets, "cortes/0002/manifiesto.json")


def changed(files: Files) -> None:
    files["index.html"] = files["index.html"].replace(b"Corte 2", b"Corte 3")


def drop(files: dict[str, Any], *names: str) -> None:
    for name in names:
        del files[name]


def unpacked(changes: dict[str, bytes | None] | None = None, cut: Cut | None = None) -> Callable[[Path], None]:
    """The second cut as files in ``carpeta/``, with some of them changed, or without them (None)."""

    def apply(folder: Path) -> None:
        first = Cut(1).build(None)["manifiesto.json"]
        made = cut or Cut(2)
        files: dict[str, bytes | None] = {**made.files(), "manifiesto.json": made.build(first)["manifiesto.json"]}
        for ruta, data in {**files, **(changes or {})}.items():
            if data is not None:
                path = folder / "carpeta" / ruta
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    return apply
