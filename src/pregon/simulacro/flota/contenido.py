"""What the fleet serves: a small package for each cut, with a real manifest, and the pages that show no results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.difusor import pages
from pregon.paquete.manifest import FileEntry, Manifest
from pregon.paquete.names import MANIFIESTO

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.pages import Pagina
    from pregon.simulacro.flota.fallas import Guion
    from pregon.simulacro.flota.flota import Aspecto

DISTRITOS = 12
SECCIONES = 48
"""Shards of secciones, each a file."""
PORTADA = "index.html"


@dataclass(frozen=True)
class Paquete:
    """The files of one cut by their path, the manifest among them."""

    corte: int
    archivos: dict[str, bytes]
    manifiesto: Manifest

    @cached_property
    def manifiesto_bytes(self) -> bytes:
        """The manifest as it is signed and served."""
        return self.manifiesto.to_bytes()

    @property
    def sha256(self) -> str:
        """Of the manifest: what the institute signs."""
        return sha256_bytes(self.manifiesto_bytes)


class Contenido:
    """The packages of a night, made when they are first asked for, and the pages of the difusores."""

    def __init__(self, guion: Guion, convocatoria: Convocatoria) -> None:
        self._night = guion
        self._call = convocatoria
        self._made: dict[tuple[int, bool], Paquete] = {}
        environment = Environment(
            loader=PackageLoader("pregon.difusor", "plantillas"), autoescape=True, undefined=StrictUndefined
        )
        self._template = environment.get_template("pagina.html")
        self._pages = {"espera": self._page(pages.espera(convocatoria)), "aviso": self._page(pages.aviso(convocatoria))}

    def paquete(self, corte: int, *, ajeno: bool = False) -> Paquete:
        """The package of a cut. ``ajeno``: one with its number that the institute never signed."""
        key = (corte, ajeno)
        if key not in self._made:
            self._made[key] = self._build(corte, ajeno=ajeno)
        return self._made[key]

    def archivo(self, ruta: str, shown: Aspecto) -> bytes | None:
        """What is answered for a path (``""`` is the cover), None where there is nothing (404)."""
        path = ruta or PORTADA
        if shown.portada != "resultados" or shown.corte is None:
            return self._pages["aviso" if shown.portada == "aviso" else "espera"] if path == PORTADA else None
        package = self.paquete(shown.corte, ajeno=shown.ajeno)
        content = package.manifiesto_bytes if path == MANIFIESTO else package.archivos.get(path)
        return altera(content) if content and path == shown.alterada else content

    def _build(self, corte: int, *, ajeno: bool) -> Paquete:
        hour = self._hour(corte)
        files = self._files(corte, hour, votes=corte * 1000 + 7 * ajeno)
        manifest = Manifest(
            convocatoria=self._call.id,
            instituto=self._call.instituto,
            ambiente="simulacro",
            elecciones=self._call.elecciones,
            corte=corte,
            hora_corte=hour,
            generado=hour,
            anterior=None,  # nobody follows the chain here: the watch knows each manifest by its signed hash
            archivos=tuple(FileEntry(path, len(data), sha256_bytes(data)) for path, data in sorted(files.items())),
        )
        return Paquete(corte, files, manifest)

    def _hour(self, corte: int) -> datetime:
        """Of its slot; a cut that was never signed has one too, for whoever invents it."""
        clock = self._night.reloj
        known = {cut.numero: cut.periodo for cut in self._night.cortes}
        return clock.inicio.astimezone(UTC) + timedelta(seconds=clock.intervalo_s * known.get(corte, corte - 1))

    def _files(self, corte: int, hour: datetime, *, votes: int) -> dict[str, bytes]:
        folder = f"datos/{corte:04d}/gub"
        stamp = {
            "formato": "pregon/corte/1",
            "corte": corte,
            "hora_corte": hour.isoformat(),
            "ambiente": "simulacro",
            "ultimo": False,
            "proximo": None,
            "datos": f"datos/{corte:04d}/",
            "base_de_datos": [],
            "contiendas": [{"id": "gub", "titulo": "Gubernatura", "ruta": "gub/", "datos": f"{folder}/"}],
        }
        files = {
            PORTADA: _html(f"PREP, corte {corte}", votes),
            "gub/index.html": _html(f"Gubernatura, corte {corte}", votes),
            "corte.json": canonical_json(stamp),
            "assets/estilo-1.css": b"body{margin:0}\n",
            f"{folder}/entidad.json": canonical_json({"corte": corte, "votos": votes}),
        }
        for n in range(1, DISTRITOS + 1):
            files[f"gub/distrito-{n:02d}.html"] = _html(f"Distrito {n}, corte {corte}", votes + n)
            files[f"{folder}/distrito-{n:02d}.json"] = canonical_json({"distrito": n, "votos": votes + n})
        for n in range(SECCIONES):
            files[f"{folder}/secciones-{n:02d}.json"] = canonical_json({"parte": n, "votos": [votes + n] * 40})
        return files

    def _page(self, page: Pagina) -> bytes:
        text = self._template.render(
            titulo=page.titulo,
            parrafos=page.parrafos,
            estilo=Markup(pages.ESTILO),  # noqa: S704 (our own constant)
            convocatoria=self._call,
            ambiente="simulacro",
        )
        return text.encode()


def altera(content: bytes) -> bytes:
    """The same bytes but for one, in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _html(title: str, votes: int) -> bytes:
    return (
        f'<!doctype html>\n<html lang="es">\n<head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="assets/estilo-1.css"></head>\n<body><h1>{title}</h1><p>{votes} votos</p></body>'
        f"\n</html>\n"
    ).encode()
