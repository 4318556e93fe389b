#!/usr/bin/env bash
# Locks the dependencies of pyproject.toml with hashes, for every platform we name, without writing any index.
set -euo pipefail
cd "$(dirname "$0")/.."
opciones=(--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate)
uv=${UV:-uv}
"$uv" pip compile "${opciones[@]}" --extra simulacro --no-emit-package pregon pyproject.toml requirements/construir.in -o requirements/simulacro.txt
"$uv" pip compile "${opciones[@]}" --extra simulacro --group pruebas --no-emit-package pregon pyproject.toml requirements/construir.in \
  -c requirements/simulacro.txt -o requirements/pruebas.txt
"$uv" pip compile "${opciones[@]}" --extra difusor --no-emit-package pregon pyproject.toml -c requirements/simulacro.txt -o requirements/difusor.txt
"$uv" pip compile "${opciones[@]}" --extra difusor --extra nube --no-emit-package pregon pyproject.toml -c requirements/pruebas.txt -o requirements/nube.txt
"$uv" pip compile "${opciones[@]}" -c requirements/simulacro.txt requirements/construir.in -o requirements/construir.txt
"$uv" pip compile "${opciones[@]}" --group bench -c requirements/simulacro.txt -o requirements/bench.txt
"$uv" pip compile "${opciones[@]}" --group fuzz -c requirements/pruebas.txt -o requirements/fuzz.txt
"$uv" pip compile "${opciones[@]}" --extra spark --no-emit-package pregon pyproject.toml -c requirements/pruebas.txt -o requirements/spark.txt
