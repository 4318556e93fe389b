#!/usr/bin/env bash
# Versions of Pregón on a difusor, side by side under /opt/pregon; «actual» is a link to the one in use.
#   version.sh pone NOMBRE    installs this code as NOMBRE, with the locked packages; what is running is not touched
#   version.sh usa NOMBRE     makes NOMBRE the one in use; each service takes it when it is started again
#   version.sh lista          those that there are, the one in use marked
set -euo pipefail
aqui=$(cd "$(dirname "$0")/.." && pwd)
destino=${DESTINO:-/opt/pregon}
nombre=${2:-}
if [ "${1:-}" != lista ] && ! [[ "$nombre" =~ ^[0-9A-Za-z][0-9A-Za-z._-]{0,40}$ && "$nombre" != actual ]]; then
  echo "Uso: $0 pone|usa NOMBRE   (letras, cifras, punto y guion), o $0 lista" >&2
  exit 2
fi
case "${1:-}" in
  pone)
    [ ! -e "$destino/$nombre" ] || { echo "Ya hay una versión $nombre en $destino; no se cambió nada." >&2; exit 73; }
    for python in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
      if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
      python=
    done
    [ -n "$python" ] || { echo "Falta Python 3.11 o posterior: scripts/instala-debian.sh o instala-rhel.sh." >&2; exit 69; }
    mkdir -p "$destino"
    obra=$(mktemp -d)
    # What is half done is never a version.
    trap 'rm -rf "$obra"; [ -e "$destino/$nombre/.completa" ] || rm -rf "${destino:?}/$nombre"' EXIT
    pip=(--quiet --disable-pip-version-check)
    "$python" -m venv "$obra/herramientas"
    "$obra/herramientas/bin/pip" install "${pip[@]}" --require-hashes -r "$aqui/requirements/construir.txt"
    "$obra/herramientas/bin/pip" wheel "${pip[@]}" --no-deps --no-build-isolation --wheel-dir "$obra" "$aqui"
    "$python" -m venv "$destino/$nombre"
    "$destino/$nombre/bin/pip" install "${pip[@]}" --require-hashes -r "$aqui/requirements/difusor.txt"
    "$destino/$nombre/bin/pip" install "${pip[@]}" --no-index --no-deps "$obra"/*.whl
    "$destino/$nombre/bin/pregon" version >/dev/null
    chmod -R go+rX,go-w "$destino/$nombre"
    touch "$destino/$nombre/.completa"
    echo "Pregón $("$destino/$nombre/bin/pregon" version) está en $destino/$nombre."
    ;;
  usa)
    [ -e "$destino/$nombre/.completa" ] || { echo "No hay una versión $nombre completa en $destino; no se cambió nada." >&2; exit 66; }
    ln -sfn "$nombre" "$destino/.actual.nuevo"
    mv -T "$destino/.actual.nuevo" "$destino/actual"
    echo "En uso: $nombre. Los servicios la toman al iniciarse otra vez."
    ;;
  lista)
    for carpeta in "$destino"/*/.completa; do
      [ -e "$carpeta" ] || continue
      carpeta=$(basename "$(dirname "$carpeta")")
      [ "$carpeta" != actual ] || continue
      [ "$(readlink "$destino/actual" 2>/dev/null)" = "$carpeta" ] && echo "$carpeta  ← en uso" || echo "$carpeta"
    done
    ;;
  *) echo "Uso: $0 pone|usa NOMBRE, o $0 lista" >&2; exit 2 ;;
esac
