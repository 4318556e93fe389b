"""What a verification established, in words and in JSON: what was proved and by which keys, and what was not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pregon.base.hashing import grupos
from pregon.paquete.contenido import Revision
from pregon.paquete.names import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.errors import PregonError
    from pregon.paquete.manifest import Manifest
    from pregon.trust.prueba import Listing
    from pregon.trust.verified import Prueba

FORMATO = "pregon/comprobacion/1"
BIEN = "OK"
"""The ``codigo`` of a verification in which nothing failed; what it proved is ``prueba``."""

Clase = Literal["archivo", "carpeta", "repositorio", "difusor", "portal"]
Raiz = Literal["dada", "propia", "difusor"]

_NO_SIGNATURE = (
    "Que sea del instituto: no se comprobó ninguna firma. Quien cambie un archivo puede cambiar también el manifiesto "
    "que lo acompaña. Dé la raíz publicada (--raiz) y, si no están aquí, las firmas (--repositorio)."
)
_FOREIGN = {
    "suma": "Que sea del instituto: no firma lo que envía. El manifiesto lo hizo el difusor con lo que recibió, "
    "después de compararlo con las sumas del instituto.",
    "ninguna": "Que sea del instituto, ni que llegara entero: no envía firmas ni sumas, y el manifiesto lo hizo el "
    "difusor con lo que recibió.",
}
"""Of a package that nobody signs (docs/verificacion.md, «Institutos sin Pregón»), by its manifest's ``prueba``."""
_OWN_ROOT = (
    "Que la raíz sea la del instituto: se usó la que trae el propio repositorio. Compare su huella con la que el "
    "instituto publicó, o dé el root.json publicado con --raiz."
)


@dataclass(frozen=True, kw_only=True)
class Informe:
    """One verification. ``error`` is what stopped the proof of the signatures; ``revision`` what was read.

    ``raiz`` says whose root was trusted; ``completo`` is False where only a sample of the files was read; ``notas`` are
    further limits of this kind of target.
    """

    origen: str
    clase: Clase
    manifest: Manifest | None = None
    manifiesto_sha256: str | None = None
    listing: Listing | None = None
    raiz: Raiz | None = None
    error: PregonError | None = None
    revision: Revision = field(default_factory=Revision)
    completo: bool = True
    notas: tuple[str, ...] = ()

    @property
    def fallo(self) -> PregonError | None:
        """The first thing that failed: its code is the verdict."""
        return self.error or (self.revision.fallas[0].error if self.revision.fallas else None)

    @property
    def codigo(self) -> str:
        """The verdict: ``OK``, or the code of the first failure."""
        return BIEN if self.fallo is None else self.fallo.codigo

    @property
    def prueba(self) -> Prueba:
        """``firma`` only where a root from outside vouches; ``suma`` where files match their list; else ``ninguna``.

        A list that a difusor made of what came without sums proves nothing of the institute: ``ninguna`` too.
        """
        if self.fallo is not None:
            return "ninguna"
        if self.listing is not None and self.raiz in ("dada", "difusor"):
            return "firma"
        return "ninguna" if self.ajena == "ninguna" else "suma"

    @property
    def ajena(self) -> str | None:
        """The proof that a manifest states where a difusor made it, of a package without Pregón; None: any other."""
        said = None if self.manifest is None else self.manifest.otros.get("prueba")
        return said if isinstance(said, str) and said in _FOREIGN else None

    @property
    def vigente(self) -> bool | None:
        """Whether the cut is the newest that the signed list has; None where there is no list or no cut."""
        if self.listing is None or self.listing.newest is None or self.manifest is None:
            return None
        return self.listing.newest.corte == self.manifest.corte

    def proved(self) -> Iterator[str]:
        """What was proved, in sentences."""
        if self.listing is not None and self.error is None:
            whose = {
                "dada": "la raíz que usted dio",
                "difusor": "la raíz con que se inició este difusor",
                "propia": "la raíz que el propio repositorio trae",
                None: "",
            }[self.raiz]
            yield f"La lista de cortes está firmada por las llaves que autoriza {whose}."
            if self.manifest is not None:
                yield f"El manifiesto del corte {self.manifest.corte} es el que está en esa lista."
        if not self.revision.fallas and self.revision.archivos:
            yield f"{_files(self.revision.archivos)} y cada uno es, byte por byte, el que se lista."

    def not_proved(self) -> Iterator[str]:
        """What was not, in sentences."""
        if self.fallo is not None:
            yield "Lo que falló: no se publique ni se difunda como resultado del instituto."
        if self.listing is None and self.error is None:
            yield _NO_SIGNATURE if self.ajena is None else _FOREIGN[self.ajena]
        if self.raiz == "propia":
            yield _OWN_ROOT
        if self.vigente is False and self.listing is not None and self.listing.newest is not None:
            last = self.listing.newest
            yield (
                f"Que sea el corte más nuevo: no lo es. La lista firmada llega al corte {last.corte}, de las "
                f"{last.hora_corte:%H:%M} del {last.hora_corte:%d/%m/%Y}."
            )
        if not self.completo:
            yield "Los archivos que no se leyeron: sólo se revisó una muestra, elegida al azar."
        if self.revision.recetas:
            yield (
                f"{self.revision.recetas} contenidos que viajan como diferencia: se leyó qué archivo dicen hacer, y no "
                "se volvieron a hacer."
            )
        yield from self.notas

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``--json`` (keys are stable)."""
        return {
            "formato": FORMATO,
            "origen": self.origen,
            "clase": self.clase,
            "codigo": self.codigo,
            "prueba": self.prueba,
            **_cut(self.manifest),
            "manifiesto_sha256": self.manifiesto_sha256,
            "huella": None if self.manifiesto_sha256 is None else grupos(self.manifiesto_sha256),
            "vigente": self.vigente,
            "firmas": None if self.listing is None else _signatures(self.listing, self.raiz),
            "archivos_revisados": self.revision.archivos,
            "bytes_revisados": self.revision.bytes,
            "completo": self.completo,
            "fallas": [falla.as_dict() for falla in self.revision.fallas],
            "error": None if self.fallo is None else self.fallo.as_dict(),
            "probado": list(self.proved()),
            "no_probado": list(self.not_proved()),
        }

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        yield f"{self.origen} ({self.clase})"
        manifest = self.manifest
        if manifest is not None:
            last = ", último" if manifest.ultimo else ""
            yield f"  {manifest.convocatoria} · {manifest.instituto} · {manifest.ambiente.upper()}"
            hour = manifest.hora_corte
            zone = hour.isoformat(timespec="seconds")[19:]
            yield f"  corte {manifest.corte:04d}{last}, de las {hour:%H:%M:%S} del {hour:%d/%m/%Y} ({zone})"
        yield from _digest("Huella del manifiesto", self.manifiesto_sha256)
        if self.listing is not None:
            yield f"  Firmado el {self.listing.firmado:%d/%m/%Y a las %H:%M:%S} UTC."
            yield from _digest(f"Huella de la raíz (versión {self.listing.raiz_version})", self.listing.raiz_sha256)
            for role in self.listing.papeles:
                until = f"{role.vence:%d/%m/%Y %H:%M} UTC"
                yield f"  {role.papel}, versión {role.version}, vence {until}, umbral {role.umbral}, firmado por:"
                yield from (f"      {keyid}" for keyid in role.llaves)
        for title, sentences in (("Probado:", [*self.proved()]), ("No probado:", [*self.not_proved()])):
            if sentences:
                yield title
                yield from (f"  - {sentence}" for sentence in sentences)
        for falla in self.revision.fallas:
            yield f"  {falla.error.codigo}: {visible(falla.ruta)}: {falla.error.que_paso}"
        meaning = {
            "firma": ", probado con firmas",
            "suma": ": coincide consigo mismo, y nada prueba de quién es",
            "ninguna": "" if self.fallo is not None else ": es lo que el difusor recibió, y nada prueba de quién es",
        }
        yield f"Veredicto: {self.codigo}{meaning[self.prueba]}"


def _files(count: int) -> str:
    return "Se leyó 1 archivo" if count == 1 else f"Se leyeron {count:,} archivos"


def _digest(title: str, digest: str | None) -> Iterator[str]:
    if digest is not None:
        groups = grupos(digest).split(" ")
        yield f"  {title}:"
        yield f"      {' '.join(groups[:8])}"
        yield f"      {' '.join(groups[8:])}"


def _cut(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return dict.fromkeys(("convocatoria", "instituto", "ambiente", "corte", "hora_corte", "ultimo"))
    return {
        "convocatoria": manifest.convocatoria,
        "instituto": manifest.instituto,
        "ambiente": manifest.ambiente,
        "corte": manifest.corte,
        "hora_corte": manifest.hora_corte.isoformat(),
        "ultimo": manifest.ultimo,
    }


def _signatures(listing: Listing, raiz: Raiz | None) -> dict[str, Any]:
    return {
        "raiz": raiz,
        "raiz_version": listing.raiz_version,
        "raiz_sha256": listing.raiz_sha256,
        "raiz_huella": grupos(listing.raiz_sha256),
        "firmado": listing.firmado.isoformat(),
        "papeles": [role.as_dict() for role in listing.papeles],
        "cortes": [cut.corte for cut in listing.cuts],
    }
