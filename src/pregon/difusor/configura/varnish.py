"""``configura varnish|nginx-cache``: a cache of one's own before the portal, so that visits do not reach the origin.

The origin is this difusor's web server, or a target of ``[[nube]]`` whose store is reached without TLS on a private
network (neither of the two speaks TLS to where it asks). The texts are ``nube.purga.textos``'s, which also knows how
they are purged; here they get their place in the system. With containers, ``compose.varnish.yaml``: the same two of
``compose.yaml``, a Varnish before them, and who encrypts before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.model import Configuracion
from pregon.difusor.configura.nube import Destino, plantilla
from pregon.difusor.nube.purga.textos import LOCAL, Origen, nginx_cache, vcl
from pregon.difusor.servidor.sitio import TLS_MINIMO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.workspace import Workspace

SECRETO = "/etc/varnish/pregon.secreto"
SECRETO_NGINX = "/etc/nginx/pregon/purga.secreto"
VCL = "/etc/varnish/pregon.vcl"
COPIAS = "/var/cache/nginx/pregon"
ESCUCHA = 80
MEMORIA_MB = 1024
"""Of what Varnish keeps: two national cuts with their data fit in half."""
ORIGEN_DENTRO = "http://10.74.0.10:8080"
"""Where ``sirve`` is for the Varnish of ``compose.varnish.yaml``: a fixed address, because Varnish looks up once."""
DENTRO = (*LOCAL, "10.74.0.0/24")
"""From where that Varnish may be purged."""

_NADA = "No se escribió ni se cambió nada."
_SERVICIO = """\
# Varnish con lo que escribió «pregon difusor configura varnish».
[Service]
ExecStart=
ExecStart=/usr/sbin/varnishd -j unix,user=vcache -F -a :{escucha} -T localhost:6082 -f {vcl} \\
  -S /etc/varnish/secret -s malloc,{memoria}m
LimitNOFILE=131072
Restart=always
"""


def varnish(
    workspace: Workspace, destino: Destino | None, *, escucha: int = ESCUCHA, memoria_mb: int = MEMORIA_MB,
    quienes: Sequence[str] = (),
) -> Configuracion:  # fmt: skip
    """Varnish under systemd, and ``compose.varnish.yaml``. ``destino`` None: before this difusor's own web server.

    ``quienes``: addresses and networks from where it is purged, besides this machine.

    Raises:
        UsoError: the origin cannot be asked in clear. AjustesError: a value cannot be written in the VCL.
    """
    origin, headers = _origin(workspace, destino)
    text = vcl(origin, secreto=Path(SECRETO), quienes=(*LOCAL, *quienes), encabezados=headers)
    files = [
        Archivo("pregon.vcl", VCL, 0o644, text),
        Archivo(
            "varnish-pregon.conf",
            "/etc/systemd/system/varnish.service.d/pregon.conf",
            0o644,
            _SERVICIO.format(escucha=escucha, vcl=VCL, memoria=memoria_mb),
        ),
    ]
    if destino is None:
        inside = vcl(Origen(ORIGEN_DENTRO), secreto=Path("/run/secrets/purga"), quienes=(*DENTRO, *quienes))
        files += [
            Archivo("compose.varnish.yaml", "/opt/pregon/compose.varnish.yaml", 0o644, compose(memoria_mb=memoria_mb)),
            Archivo("contenedor.vcl", "/opt/pregon/contenedor.vcl", 0o644, inside),
            Archivo("Caddyfile", "/opt/pregon/Caddyfile", 0o644, caddyfile(workspace)),
        ]
    return Configuracion(
        "varnish",
        workspace.convocatoria.id,
        tuple(files),
        (
            Paso("Varnish debe estar en este equipo.", "command -v varnishd >/dev/null || test -x /usr/sbin/varnishd"),
            _secret(SECRETO, "varnish", "%s"),
            Paso(
                "La configuración, si compila.",
                'prueba=$(mktemp -d)\nPATH="$PATH:/usr/sbin" varnishd -j none -n "$prueba" -C -f "$PWD/pregon.vcl" '
                ">/dev/null 2>&1 || "
                "{ echo 'Varnish no acepta pregon.vcl.' >&2; exit 1; }\n"
                'rm -r "$prueba"\n'
                f"install -D -o root -g root -m 0644 pregon.vcl {VCL}",
            ),
            Paso(
                "Cómo la corre systemd.",
                "install -D -o root -g root -m 0644 varnish-pregon.conf "
                "/etc/systemd/system/varnish.service.d/pregon.conf",
            ),
            Paso(
                "Que empiece, ahora y en cada arranque del equipo.",
                "systemctl daemon-reload\nsystemctl enable varnish\nsystemctl restart varnish",
                servicio=True,
            ),
        ),
        avisos=_warnings(workspace, destino, escucha),
        notas=_notes(destino, "varnish", SECRETO, escucha),
    )


def nginx(
    workspace: Workspace, destino: Destino | None, *, escucha: int = ESCUCHA, quienes: Sequence[str] = ()
) -> Configuracion:
    """nginx as a cache, for who has no Varnish.

    Raises:
        UsoError: the origin cannot be asked in clear. AjustesError: a value cannot be written in its file.
    """
    origin, headers = _origin(workspace, destino)
    text = nginx_cache(
        origin,
        secreto=Path(SECRETO_NGINX),
        carpeta=Path(COPIAS),
        escucha=str(escucha),
        quienes=(*LOCAL, *quienes),
        encabezados=headers,
        intervalo_s=workspace.convocatoria.intervalo_min * 60,
    )
    return Configuracion(
        "nginx-cache",
        workspace.convocatoria.id,
        (Archivo("pregon-cache.conf", "/etc/nginx/conf.d/pregon-cache.conf", 0o644, text),),
        (
            Paso("nginx debe estar en este equipo.", "command -v nginx >/dev/null || test -x /usr/sbin/nginx"),
            _secret(SECRETO_NGINX, "root", '"%s" 1;'),
            Paso("Donde guarda sus copias.", f"install -d -o root -g root -m 0755 {COPIAS.rpartition('/')[0]}"),
            Paso(
                "La configuración; si nginx la rechaza, vuelve la que había.",
                "if test -e /etc/nginx/conf.d/pregon-cache.conf; then\n"
                "  cp -p /etc/nginx/conf.d/pregon-cache.conf pregon-cache.anterior\n"
                "fi\n"
                "install -D -o root -g root -m 0644 pregon-cache.conf /etc/nginx/conf.d/pregon-cache.conf\n"
                "if ! nginx -t; then\n"
                "  rm -f /etc/nginx/conf.d/pregon-cache.conf\n"
                "  if test -e pregon-cache.anterior; then cp -p pregon-cache.anterior "
                "/etc/nginx/conf.d/pregon-cache.conf; fi\n"
                "  exit 1\n"
                "fi",
            ),
            Paso(
                "Que empiece, ahora y en cada arranque del equipo.",
                "systemctl enable nginx\nsystemctl reload-or-restart nginx",
                servicio=True,
            ),
        ),
        avisos=_warnings(workspace, destino, escucha),
        notas=_notes(destino, "nginx", SECRETO_NGINX, escucha),
    )


def compose(*, memoria_mb: int = MEMORIA_MB) -> str:
    """``compose.varnish.yaml``: it is read on top of ``compose.yaml``, whose ``sirve`` it hides from the public."""
    return plantilla("compose.varnish.yaml").replace("@MEMORIA@", str(memoria_mb))


def caddyfile(workspace: Workspace) -> str:
    """Who encrypts before the Varnish of ``compose.varnish.yaml``: TLS 1.2 at least, HTTP/1.1, 2 and 3.

    With names it asks an ACME authority for its certificate; without them it reads one from ``tls/``.
    """
    least = workspace.convocatoria.tls_min or TLS_MINIMO
    names = workspace.settings.servidor.nombres
    pair = "" if names else " /srv/tls/prep.pem /srv/tls/prep.key"
    return (
        "# Quien cifra delante de Varnish; hecho por «pregon difusor configura varnish».\n"
        "{\n\tadmin off\n\tstorage file_system /srv/tls\n}\n"
        f"{', '.join(names) or ':443'} {{\n"
        f"\ttls{pair} {{\n\t\tprotocols tls{least} tls1.3\n\t}}\n"
        "\theader -Server\n"
        "\treverse_proxy varnish:8080\n"
        "}\n"
    )


def _origin(workspace: Workspace, destino: Destino | None) -> tuple[Origen, tuple[tuple[str, str], ...]]:
    if destino is None:
        ours = workspace.settings.servidor
        if ours.tls != "no" or not ours.puerto:
            raise UsoError(
                "La caché no puede pedir a este servidor web: debe servir sin TLS y en un puerto fijo.",
                intacto=_NADA,
                que_hacer='En [servidor] escriba tls = "no", puerto = 8080 y direccion = "127.0.0.1"; quien cifra va '
                "delante de la caché.",
            )
        address = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(ours.direccion, ours.direccion)  # noqa: S104 (read)
        return Origen(f"http://{address}:{ours.puerto}"), ()
    extremo = destino.ajustes.extremo
    if extremo is None or not extremo.startswith("http://") or not destino.ajustes.estilo_ruta:
        raise UsoError(
            f"La caché no puede pedir a «{destino.ajustes.nombre}»: sólo habla sin TLS, por una red privada.",
            intacto=_NADA,
            que_hacer="Para un almacén en Internet use su CDN («configura cloudformation» o «configura terraform»), o "
            "quite --nube y ponga la caché delante del servidor web del difusor.",
        )
    path = f"/{destino.deposito}/{destino.prefijo}".rstrip("/")
    return Origen(f"{extremo.rstrip('/')}{path}", almacen=True), tuple(destino.encabezados.items())


def _secret(path: str, group: str, form: str) -> Paso:
    return Paso(
        "La palabra con la que se purga; la que ya está se conserva.",
        f"if ! test -s {path}; then\n"
        f"  install -D -o root -g {group} -m 0640 /dev/null {path}\n"
        f"  printf '{form}\\n' \"$(head -c 32 /dev/urandom | base64 | tr -d '/+=\\n')\" > {path}\n"
        "fi",
    )


def _warnings(workspace: Workspace, destino: Destino | None, escucha: int) -> tuple[str, ...]:
    found = ["Ninguno de los dos cifra: ponga delante quien lo haga, o una CDN (compose.varnish.yaml trae a Caddy)."]
    if destino is None and workspace.settings.servidor.puerto == escucha:
        found.append(f"El servidor web del difusor y la caché quieren el mismo puerto, {escucha}: cambie uno.")
    return tuple(found)


def _notes(destino: Destino | None, kind: str, secret: str, port: int) -> tuple[str, ...]:
    if destino is None:
        text = (
            "Delante del servidor web del difusor no hace falta purgar: lo que cambia se guarda un segundo, y el "
            "origen recibe a lo más una petición por segundo de cada página, haya las visitas que haya."
        )
        return (text,)
    text = (
        f'En la [[nube]] de difusor.toml: [nube.purga] tipo = "{kind}", equipos = ["http://127.0.0.1:{port}"] y '
        f'secreto = "archivo:purga.secreto". Copie ahí, en la carpeta del difusor, sólo la palabra de {secret}; que '
        "nadie más la lea."
    )
    return (text,)
