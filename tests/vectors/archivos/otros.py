"""What ``unzip``, ``7zz`` and ``bsdtar`` do with each hostile archive, each run in a box of its own.

``python -m tests.vectors.archivos.otros`` writes ``otros.json`` and ``docs/archivos-hostiles.md`` again. The box: a
user without rights where we are root, an empty folder four levels deep, and limits of time, memory and file size.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from pregon.base.procesos import start
from tests.vectors.archivos.genera import cases, write

HERE = Path(__file__).parent
OTROS = HERE / "otros.json"
TABLA = HERE.parents[2] / "docs" / "archivos-hostiles.md"
TOOLS = ("unzip", "7zz", "bsdtar")
NOBODY = 65534
RUN_SECONDS = 10
CPU_SECONDS = 5
FILE_KIB = 16 << 10
MEMORY_KIB = 1 << 20

_SCRIPT = r"""
set -u
ulimit -f "$FILE_KIB" -t "$CPU_SECONDS" -v "$MEMORY_KIB" -c 0
cd "$BOX"
for path in "$ARCHIVES"/*; do
  name=${path##*/}
  for tool in unzip 7zz bsdtar; do
    case "$tool:$name" in unzip:*.7z) continue ;; esac
    mkdir -p "$tool/$name/a/b/c/d"
    case $tool in
      unzip) set -- unzip -o -qq -P x "$path" -d . ;;
      7zz) set -- 7zz x -y -bd -px "$path" ;;
      bsdtar) set -- bsdtar -xf "$path" ;;
    esac
    (cd "$tool/$name/a/b/c/d" && timeout -k 1 "$RUN_SECONDS" "$@" </dev/null >/dev/null 2>&1)
    echo "= $tool $name $?"
  done
done
"""


def run(archives: Path, *, seconds: float) -> dict[str, dict[str, str]]:
    """Archive (by name) to program to what it did. Ends within ``seconds`` or raises ``ComprobacionError``.

    ``rechaza``: an error, and nothing is there. ``parcial``: an error, and something is there. ``abre``: success, and
    something is there. ``omite``: success, and nothing is there. ``limite``: it had to be stopped. ``escapa``:
    something lies outside its folder.
    """
    root = Path(tempfile.mkdtemp(prefix="caja-"))
    try:
        root.chmod(0o755)
        readable = root / "hostiles"
        shutil.copytree(archives, readable)
        box = root / "caja"
        box.mkdir()
        command = ["bash", "-c", _SCRIPT]
        if os.geteuid() == 0:
            os.chown(box, NOBODY, NOBODY)
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        limits = {
            "RUN_SECONDS": RUN_SECONDS,
            "CPU_SECONDS": CPU_SECONDS,
            "FILE_KIB": FILE_KIB,
            "MEMORY_KIB": MEMORY_KIB,
        }
        extra = {name: str(value) for name, value in limits.items()}
        environment = {**os.environ, **extra, "BOX": str(box), "ARCHIVES": str(readable), "LC_ALL": "C.UTF-8"}
        output = root / "salida"
        process = start(command, output=output, environment=environment)
        try:
            process.wait(seconds)
        finally:
            process.stop()
        found: dict[str, dict[str, str]] = {}
        for line in output.read_text().splitlines():
            if not line.startswith("= "):
                continue  # the shell says whom it had to stop
            _, tool, name, status = line.split()
            found.setdefault(name, {})[tool] = _outcome(box / tool / name, int(status))
        return found
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _outcome(folder: Path, status: int) -> str:
    inner = folder / "a/b/c/d"
    outside = [path for path in folder.rglob("*") if path not in (inner, *inner.parents) and inner not in path.parents]
    if outside:
        return "escapa"
    if status >= 124:
        return "limite"
    there = any(inner.iterdir())
    if status:
        return "parcial" if there else "rechaza"
    return "abre" if there else "omite"


def versions(folder: Path) -> dict[str, str]:
    """The first line that each program says of itself."""
    found = {}
    for tool, option in (("unzip", "-v"), ("7zz", "--help"), ("bsdtar", "--version")):
        process = start([tool, option], output=folder / tool)
        process.wait(RUN_SECONDS)
        lines = (folder / tool).read_text(errors="replace").splitlines()
        found[tool] = next((" ".join(line.split())[:60] for line in lines if line.strip()), "")
    return found


def table(outcomes: dict[str, dict[str, str]], programs: dict[str, str]) -> str:
    """``docs/archivos-hostiles.md``: our code and what the others do, archive by archive."""
    counted = {tool: Counter(row[tool] for row in outcomes.values() if tool in row) for tool in TOOLS}
    words = ("rechaza", "parcial", "omite", "abre", "limite", "escapa")
    rows = [f"| {tool} | " + " | ".join(str(counted[tool][word]) for word in words) + " |" for tool in TOOLS]
    lines = [
        "# Archivos hostiles: qué hace cada programa",
        "",
        "Escrito por `python -m tests.vectors.archivos.otros`; no se edita a mano. Pregón rechaza todos, cada uno con",
        "su código, y acepta el gemelo de cada uno, que difiere en una sola cosa",
        "([cómo se generan](../tests/vectors/archivos/LEEME.md)). La tabla dice qué hacen con ellos los programas de",
        "uso común, que no tienen por qué cuidar lo mismo: por eso un difusor no los usa. A éstos, pensados",
        "uno por uno, `make fuzz` suma los que encuentra una búsqueda guiada ([fuzz.md](fuzz.md)).",
        "",
        *(f"- `{tool}`: {programs[tool]}" for tool in TOOLS),
        "",
        "| Programa | rechaza | parcial | omite | abre | límite | escapa |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "*rechaza*: error y no deja nada. *parcial*: error, y deja algo. *omite*: dice que todo bien y no deja nada.",
        "*abre*: dice que todo bien y deja archivos (con su nombre o con otro). *límite*: hubo que detenerlo (10 s, 5",
        "s de procesador, 1 GiB de memoria, 16 MiB por archivo). *escapa*: dejó algo fuera de su carpeta.",
        "",
        "| Archivo | Qué tiene de malo | Pregón | unzip | 7zz | bsdtar |",
        "|---|---|---|---|---|---|",
    ]
    for caso in cases():
        row = outcomes[f"{caso.id}.{caso.extension}"]
        cells = " | ".join(row.get(tool, "—").replace("limite", "límite") for tool in TOOLS)
        lines.append(f"| `{caso.id}` | {caso.que} | `{caso.codigo}` | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run everything and write both files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        outcomes = run(folder / "hostiles", seconds=300)
        programs = versions(folder)
    document: dict[str, Any] = {"programas": programs, "resultados": dict(sorted(outcomes.items()))}
    OTROS.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    TABLA.write_text(table(outcomes, programs))
    sys.stdout.write(TABLA.read_text())


if __name__ == "__main__":
    main()
