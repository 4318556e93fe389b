"""Draws the pages ``formato-*`` and ``aforo-*`` of ``docs/memoria``: the papers of each call, of its ``ejemplo``.

Run as ``python -m scripts.capturas_papeles docs/memoria``: what the analysis of capacity weighs is the package of the
small night of the measures (``bench.aforo``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from bench.aforo import publicado

from pregon.base.durable import Disk
from pregon.base.settings import load_toml
from pregon.convocatoria.perfiles import load
from pregon.difusor.aforo import ajustes, documento
from pregon.difusor.aforo.analisis import analiza
from pregon.difusor.aforo.peso import mide
from pregon.difusor.formatos import carpeta, solicitud
from pregon.difusor.nube.costo import archivos
from pregon.difusor.settings import DifusorSettings

EJEMPLO = Path(__file__).resolve().parents[1] / "docs" / "memoria" / "ejemplo"
PUNTOS = 80
"""Dots for each inch: what is written can be read, and a page weighs little."""
PAGINAS = {
    "gro-2021": ("solicitud", "carta-compromiso", "personal", "infraestructura"),
    "dgo-2024": ("solicitud", "formato-de-registro", "aviso-comite"),
    "mor-2024": ("solicitud", "formato-de-registro", "carta-compromiso"),
    "mex-2021": ("formato-de-registro", "carta-compromiso"),
    "ine-2021": ("solicitud", "carta-compromiso", "personal", "diagrama"),
}
DISPENSA = (
    '\n[[dispensa]]\nconcepto = "Tarjeta de red redundante"\ndeclarado = "Una tarjeta de 10 Gbps y otra en reserva"\n'
)
"""Guerrero's call foresees it (GRO-2.6)."""
EN_BLANCO = "mor-2024"
"""Whose form is drawn empty too, as who fills it in by hand has it."""


def main(folder: Path) -> None:
    """Write the pictures in ``folder``."""
    settings = load_toml(EJEMPLO / "difusor.toml", DifusorSettings)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for ident, papers in PAGINAS.items():
            call = load(ident)
            given = work / ident
            given.mkdir()
            shutil.copy(EJEMPLO / "logo.svg", given)
            text = (EJEMPLO / "solicitud.toml").read_text()
            (given / "solicitud.toml").write_text(text + (DISPENSA if call.minimos.dispensa else ""))
            due = call.plazos.solicitud or call.inicio.date()
            made = carpeta.prepara(
                solicitud.lee(given / "solicitud.toml"),
                call,
                hoy=call.vence(due).date(),
                ajustes=settings if ident == "ine-2021" else None,
                formas=("pdf",),
            )
            carpeta.guarda(made, given / "papeles", Disk())
            for paper in papers:
                draw(given / "papeles" / f"{paper}.pdf", folder / f"formato-{ident[:3]}-{paper}.png")
        (work / "solicitud.toml").write_text(solicitud.plantilla(load(EN_BLANCO)))
        empty = carpeta.prepara(
            solicitud.lee(work / "solicitud.toml"),
            load(EN_BLANCO),
            hoy=load(EN_BLANCO).inicio.date(),
            ajustes=None,
            formas=("pdf",),
        )
        carpeta.guarda(empty, work / "vacios", Disk())
        draw(work / "vacios" / "formato-de-registro.pdf", folder / "formato-en-blanco.png")
        capacity(work, folder)


def capacity(work: Path, folder: Path) -> None:
    """The first pages of the analysis of capacity; what follows is the end of a list."""
    call = load("ine-2021")
    weighed = mide(archivos(publicado(work / "noche").workspace.publico))
    found = analiza(call, ajustes.lee(EJEMPLO / "aforo.toml"), weighed)
    paper = work / "aforo.pdf"
    paper.write_bytes(documento.archivos(found, call.inicio - timedelta(days=45))["aforo.pdf"])
    for old in folder.glob("aforo-*.png"):
        old.unlink()
    subprocess.run(["pdftoppm", "-r", str(PUNTOS), "-l", "4", "-png", paper, folder / "aforo"], check=True, timeout=60)


def draw(paper: Path, picture: Path) -> None:
    """The first page of a PDF."""
    subprocess.run(
        ["pdftoppm", "-r", str(PUNTOS), "-png", "-singlefile", paper, picture.with_suffix("")], check=True, timeout=60
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
