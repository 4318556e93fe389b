#!/usr/bin/env bash
# Installs the system packages Pregón uses on RHEL 9, AlmaLinux 9 or Rocky 9. The only place of the project that runs dnf.
#   instala-rhel.sh base      what `make simulacro` needs
#   instala-rhel.sh difusor   that, a clock that is kept right, and what names files for SELinux: what a difusor needs
set -euo pipefail
# Python 3.9 is the system's own there, and stays so.
base=(python3.11 python3.11-pip make ca-certificates tzdata)
case "${1:-}" in
  base) paquetes=("${base[@]}") ;;
  difusor) paquetes=("${base[@]}" chrony policycoreutils-python-utils) ;;
  *) echo "Uso: $0 base|difusor" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo "Hace falta ser root para instalar: ${paquetes[*]}" >&2
  exit 69
fi
exec dnf install --assumeyes --quiet --setopt=install_weak_deps=False "${paquetes[@]}"
