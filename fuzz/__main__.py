"""``python -m fuzz``: search each target for some minutes, in a process of its own. Exit status 1 with a finding.

What each target asks of every input is told in its module and in ``docs/fuzz.md``. ``fuzz/corpus`` has the inputs that
are kept; ``fuzz/trabajo`` those of the runs on this machine; ``fuzz/hallazgos`` the inputs that broke something.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz import limites
from fuzz.hijo import LANZADOR
from fuzz.objetivo import CARPETA, en_memoria
from pregon.base.errors import ComprobacionError, PregonError
from pregon.base.procesos import running

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fuzz.objetivo import Objetivo

AQUI = Path(__file__).resolve().parent
CORPUS, TRABAJO, HALLAZGOS = AQUI / "corpus", AQUI / "trabajo", AQUI / "hallazgos"
PROPIEDADES = "propiedades"
"""Not a search: the property tests of the suite (those of hypothesis) with many more examples."""
HALLAZGO = "hallazgo-"
"""How the names of inputs begin that once broke something: they are never thrown away."""
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_WRITTEN = re.compile(r"Test unit written to (\S.*)")
_COVERED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


def main() -> int:
    """Run what was asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Busca entradas que rompan a Pregón.")
    choices = (*limites.OBJETIVOS, PROPIEDADES)
    parser.add_argument("--objetivo", choices=choices, action="append", help="sólo éste; puede repetirse")
    parser.add_argument("--minutos", type=float, default=limites.MINUTOS, help="de cada objetivo")
    parser.add_argument("--guarda", action="store_true", help="al terminar, pasa a fuzz/corpus lo que descubrió")
    parser.add_argument("entradas", nargs="*", type=Path, help="en vez de buscar, prueba estos archivos")
    options = parser.parse_args()
    wanted = options.objetivo or ([] if options.entradas else list(choices))
    if options.minutos <= 0 or (options.entradas and (len(wanted) != 1 or wanted == [PROPIEDADES])):
        parser.error("minutos, más de cero; y para probar archivos, un solo objetivo")
    if options.entradas:
        return _try(_target(wanted[0]), options.entradas)
    if wanted != [PROPIEDADES] and importlib.util.find_spec("atheris") is None:
        parser.error("falta Atheris: «make fuzz» lo instala")
    try:
        broken = [name for name in sorted(wanted, key=lambda name: name != PROPIEDADES) if not _one(name, options)]
    except PregonError as exc:
        print(f"{exc.que_paso}\n{exc.intacto}\n{exc.que_hacer}", file=sys.stderr)
        return exc.salida
    print(f"\nCon hallazgos: {', '.join(broken)}." if broken else "\nSin hallazgos.")
    return 1 if broken else 0


def _target(name: str) -> Objetivo:
    found: Objetivo = importlib.import_module(f"fuzz.{name}").OBJETIVO
    return found


def _try(target: Objetivo, paths: Iterable[Path]) -> int:
    """Give each file to the target, without libFuzzer: whatever it raises is seen whole."""
    for path in paths:
        target.prueba(path.read_bytes())
        print(f"{path}: sin hallazgo")
    return 0


def _one(name: str, options: argparse.Namespace) -> bool:
    """Whether the search found nothing."""
    if name == PROPIEDADES:
        return _properties()
    target = _target(name)
    clean = _search(target, options.minutos)
    if options.guarda:
        keep(target)
    return clean


def _properties() -> bool:
    print("propiedades: las de la suite, con 5,000 ejemplos las que no fijan su número", flush=True)
    with tempfile.TemporaryDirectory(prefix="pregon-fuzz-") as folder:
        command = [sys.executable, "-m", "pytest", "--hypothesis-profile=fuzz", "-q", "-m", "hypothesis", "tests"]
        with running(command, output=Path(folder, "salida"), folder=AQUI.parent) as process:
            status = process.wait(limites.PROPIEDADES_S)
        print(process.tail(600).rstrip())
    return status == 0


def _search(target: Objetivo, minutes: float) -> bool:
    """Search for ``minutes``; what was found lies in ``HALLAZGOS`` and is told with how to see it again."""
    name = target.nombre
    for folder in (TRABAJO / name, CORPUS / name, HALLAZGOS):
        folder.mkdir(parents=True, exist_ok=True)
    output = TRABAJO / f"{name}.txt"
    output.unlink(missing_ok=True)
    seconds = round(60 * minutes)
    words = TRABAJO / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.palabras))
    command: list[str | Path] = [
        *(sys.executable, "-m", "fuzz.hijo", name, f"-max_total_time={seconds}", f"-max_len={target.max_bytes}"),
        *(f"-timeout={limites.SEGUNDOS_POR_ENTRADA}", f"-rss_limit_mb={limites.RSS_MB}"),
        *("-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={HALLAZGOS}/{name}-"),
        *([f"-dict={words}"] if target.palabras else []),
        *(TRABAJO / name, CORPUS / name),
    ]
    print(f"{name}: {minutes:g} minutos", flush=True)
    start = time.monotonic()
    status: int | None = None
    with (
        tempfile.TemporaryDirectory(prefix="pregon-fuzz-", dir=en_memoria()) as private,
        running(command, output=output, environment=_environment(private), folder=AQUI.parent) as process,
    ):
        try:
            status = process.wait(seconds + limites.GRACIA_S)
        except ComprobacionError:
            print(f"{name}: no terminó a tiempo")
    _tell(name, output, time.monotonic() - start)
    found = [Path(text) for text in _WRITTEN.findall(output.read_text(errors="replace"))]
    if status == 0 and not found:
        return True
    print(f"{name}: HALLAZGO (estado {status}); la salida está en {_shown(output)}\n{_end(output)}")
    for path in found:
        print(f"Para verlo otra vez: python -m fuzz --objetivo {name} {_shown(path)}")
    return False


def keep(target: Objetivo) -> None:
    """Make ``fuzz/corpus`` of a target the fewest inputs that reach what it and ``fuzz/trabajo`` reach (``-merge=1``).

    Inputs whose name says that they were a finding stay, whatever they reach.
    """
    name = target.nombre
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pregon-fuzz-", dir=en_memoria()) as temporary:
        folder = Path(temporary)
        chosen = folder / "nuevo"
        chosen.mkdir()
        launcher = folder / "lanzador"
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fuzz.hijo {name} "$@"\n')
        launcher.chmod(0o700)
        options = (
            "-merge=1",
            "-use_counters=0",
            f"-max_len={limites.GUARDADO_BYTES}",
            f"-rss_limit_mb={limites.RSS_MB}",
        )
        command: list[str | Path] = [sys.executable, "-m", "fuzz.hijo", name, *options, chosen, kept, TRABAJO / name]
        environment = {**_environment(temporary), LANZADOR: str(launcher)}
        with running(command, output=folder / "salida", environment=environment, folder=AQUI.parent) as process:
            if process.wait(limites.UNION_S):
                raise ComprobacionError(
                    f"No se pudo reducir el corpus de {name}.\n{process.tail()}",
                    intacto="El corpus quedó como estaba.",
                    que_hacer="Busque primero sin --guarda y corrija los hallazgos.",
                )
        findings = set()
        for path in kept.iterdir():
            if path.name.startswith(HALLAZGO):
                findings.add(path.read_bytes())
            else:
                path.unlink()
        for path in chosen.iterdir():
            data = path.read_bytes()
            if data not in findings:
                (kept / path.name).write_bytes(data)
    sizes = [path.stat().st_size for path in kept.iterdir()]
    print(f"{name}: {len(sizes)} entradas guardadas, {sum(sizes):,} bytes")


def _environment(folder: str) -> dict[str, str]:
    path = os.pathsep.join((str(AQUI.parent / "src"), str(AQUI.parent)))
    return {"PYTHONPATH": path, "PYTHONHASHSEED": "0", CARPETA: folder}


def _escaped(word: bytes) -> str:
    return "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in word)


def _tell(name: str, output: Path, seconds: float) -> None:
    text = output.read_text(errors="replace")
    done, covered = _DONE.search(text), _COVERED.findall(text)
    runs = int(done[1]) if done else 0
    edges, features, inputs = covered[-1] if covered else ("0", "0", "0")
    print(
        f"{name}: {runs:,} ejecuciones en {seconds:.0f} s ({runs / max(seconds, 1):,.0f} por segundo), "
        f"{int(edges):,} ramas, {int(features):,} rasgos, {int(inputs):,} entradas",
        flush=True,
    )


def _end(output: Path) -> str:
    return "\n".join(output.read_text(errors="replace").splitlines()[-40:])


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
