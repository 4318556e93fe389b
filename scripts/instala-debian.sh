#!/usr/bin/env bash
# Installs the system packages Pregón uses on Debian or Ubuntu. The only place of the project that runs apt.
#   instala-debian.sh base      what `make simulacro` needs
#   instala-debian.sh difusor   that, and a clock that is kept right: what a difusor needs
#   instala-debian.sh pruebas   that, and the real programs the tests drive
#   instala-debian.sh spark     that, and the Java that Spark needs
set -euo pipefail
base=(python3 python3-venv make ca-certificates tzdata)
pruebas=(chromium chromium-headless-shell unzip zip 7zip libarchive-tools curl postgresql mariadb-server util-linux
  openssl poppler-utils libreoffice-writer-nogui libreoffice-calc-nogui zbar-tools openssh-server openssh-client rsync
  nginx-light libnginx-mod-http-brotli-static apache2 varnish
  tinyproxy-bin wrk nghttp2-client goaccess chrony rsyslog fuse3 strace systemd iproute2 nftables procps)
case "${1:-}" in
  base) paquetes=("${base[@]}") ;;
  difusor) paquetes=("${base[@]}" chrony) ;;
  pruebas) paquetes=("${base[@]}" "${pruebas[@]}") ;;
  spark) paquetes=("${base[@]}" "${pruebas[@]}" openjdk-17-jre-headless) ;;
  *) echo "Uso: $0 base|difusor|pruebas|spark" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo "Hace falta ser root para instalar: ${paquetes[*]}" >&2
  exit 69
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Ubuntu 22.04 (DGO-II-b, MOR-A1-1.1) has Python 3.10 as python3, and 3.11 beside it.
if dpkg --compare-versions "$(apt-cache policy python3 | awk '/Candidate:/ { print $2 }')" lt 3.11; then
  paquetes+=(python3.11 python3.11-venv)
fi
apt-get install -y -qq --no-install-recommends "${paquetes[@]}" >/dev/null
