"""Draws the pages ``memoria-*`` of ``docs/memoria``: the memoria of a rehearsed night of each call that asks for one.

Run as ``python -m scripts.capturas_memoria docs/memoria``: the nights are rehearsed as those of the tests, with more
cuts and at a pace at which what a cut takes looks like what it took. It takes some minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.difusor.memoria.ensayo import con_bitacoras, ensaya
from typer.testing import CliRunner

from pregon.cli.app import app

PUNTOS = 80
"""Dots for each inch: what is written can be read, and a page weighs little."""
PAGINAS = {"gro-2021": 5, "dgo-2024": 4, "ine-2021": 4}
"""How many pages of each are drawn: the first ones."""
CORTES, ACELERAR, RITMO = 7, 60.0, 0.1
EXPLICA = re.compile(r'(clave = "alterado[^"]*"\n#[^\n]*\n)explicacion = ""')
NOTAS = {
    'difusor = ""': 'difusor = "Diario Uno de la Montaña"',
    'elabora = ""': 'elabora = "Ana Ruiz, sistemas"',
    "comentarios = []": 'comentarios = ["La entrega por carpeta no tuvo reintentos."]',
    "sugerencias = []": 'sugerencias = ["Publicar la hora del siguiente corte también en los avisos.", '
    '"Ensayar una noche completa dos semanas antes."]',
}


def main(folder: Path) -> None:
    """Write the pictures in ``folder``."""
    with tempfile.TemporaryDirectory() as temporary:
        for ident, pages in PAGINAS.items():
            workspace, public = ensaya(Path(temporary) / ident, ident, cortes=CORTES, acelerar=ACELERAR, ritmo=RITMO)
            where = con_bitacoras(workspace, public).folder
            make(where)
            notes = where / "memoria.toml"
            text = notes.read_text()
            for before, after in NOTAS.items():
                text = text.replace(before, after)
            text = EXPLICA.sub(r'\1explicacion = "La cambió a mano quien ensayaba; se repuso sola."', text)
            day = workspace.convocatoria.inicio.date()
            text += f'\n[[otra]]\ndesde = {day}T22:10:00\nhasta = {day}T22:25:00\nque = "Se fue la luz en la sala"\n'
            text += 'explicacion = "Entró la planta de emergencia; el sitio no dejó de responder."\nafecto = false\n'
            notes.write_text(text)
            make(where)
            target = folder / f"memoria-{ident[:3]}"
            command = [
                "pdftoppm",
                "-r",
                str(PUNTOS),
                "-png",
                "-l",
                str(pages),
                where / "memoria" / "memoria.pdf",
                target,
            ]
            subprocess.run(command, check=True, timeout=120)


def make(where: Path) -> None:
    """The memoria of a difusor, by the command that people run."""
    result = CliRunner().invoke(app, ["memoria", str(where), "--forma", "pdf"])
    if result.exit_code:
        raise SystemExit(result.output)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
