#!/usr/bin/env bash
# Makes sure the programs the tests drive are here: installs them when it may (root), else names the command.
set -euo pipefail
faltan=()
for programa in chromium chromium-headless-shell unzip zip 7zz bsdtar curl sha256sum setpriv openssl pdftotext soffice zbarimg \
  ssh scp sftp rsync rrsync pkill wrk goaccess h2load fusermount3 systemd-analyze; do
  command -v "$programa" >/dev/null 2>&1 || faltan+=("$programa")
done
# Debian keeps the servers of both databases out of an ordinary user's PATH.
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null 2>&1 || faltan+=(postgres)
PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null 2>&1 || faltan+=(mariadbd)
for servidor in sshd nginx apache2 varnishd chronyd rsyslogd tinyproxy ip tc nft; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$servidor" >/dev/null 2>&1 || faltan+=("$servidor")
done
# nginx sends .br twins only with this module.
compgen -G '/usr/lib/nginx/modules/*brotli_static*' >/dev/null || faltan+=(libnginx-mod-http-brotli-static)
command -v mariadb-install-db >/dev/null 2>&1 || faltan+=(mariadb-install-db)
[ "${1:-}" != spark ] || command -v java >/dev/null 2>&1 || faltan+=(java)
[ ${#faltan[@]} -eq 0 ] && exit 0
aqui=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Instalando lo que falta para las pruebas: ${faltan[*]}"
  exec "$aqui/instala-debian.sh" "${1:-pruebas}"
fi
echo "Faltan programas para las pruebas: ${faltan[*]}. Ejecute como root: scripts/instala-debian.sh ${1:-pruebas}" >&2
exit 69
