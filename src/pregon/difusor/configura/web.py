"""``configura nginx|apache|caddy``: the administrator's own web server, with the answers of the embedded one.

The web server reads releases through their group and nothing else of the workspace (GRO-1.7c, MOR-I-5b). What was there
comes back where the server's own check refuses the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pregon.base.unidades import Archivo, Paso, ruta_sencilla
from pregon.difusor.configura.model import Configuracion
from pregon.difusor.servidor import apache, caddy, nginx
from pregon.difusor.servidor.sitio import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.servidor.sitio import Site
    from pregon.difusor.workspace import Workspace

Programa = Literal["nginx", "apache", "caddy"]
Sistema = Literal["debian", "rhel"]

PUERTO = 80
"""Where the settings take any free port: an administrator's own server has one."""


@dataclass(frozen=True)
class _Lugares:
    """Where one distribution keeps a web server's things."""

    cuenta: str
    orden: str
    servicio: str
    destino: str
    carpeta: str
    bitacoras: str


_LUGARES: dict[tuple[Programa, Sistema], _Lugares] = {
    ("nginx", "debian"): _Lugares(
        "www-data", "nginx", "nginx", "/etc/nginx/conf.d/pregon.conf", nginx.CARPETA, nginx.BITACORAS
    ),
    ("nginx", "rhel"): _Lugares(
        "nginx", "nginx", "nginx", "/etc/nginx/conf.d/pregon.conf", nginx.CARPETA, nginx.BITACORAS
    ),
    ("apache", "debian"): _Lugares(
        "www-data",
        "apachectl",
        "apache2",
        "/etc/apache2/sites-available/pregon.conf",
        apache.CARPETA,
        apache.BITACORAS,
    ),
    ("apache", "rhel"): _Lugares(
        "apache", "apachectl", "httpd", "/etc/httpd/conf.d/pregon.conf", "/etc/httpd/pregon", "/var/log/httpd"
    ),
    ("caddy", "debian"): _Lugares("caddy", "caddy", "caddy", "/etc/caddy/pregon.caddy", "/etc/caddy", "/var/log/caddy"),
    ("caddy", "rhel"): _Lugares("caddy", "caddy", "caddy", "/etc/caddy/pregon.caddy", "/etc/caddy", "/var/log/caddy"),
}


def configura(workspaces: Sequence[Workspace], programa: Programa, *, sistema: Sistema = "debian") -> Configuracion:
    """What to put in place so that ``programa`` serves ``workspaces`` (one at least) on their addresses.

    Raises:
        UsoError: a folder's path has signs that the system's files do not admit.
        AjustesError: the sites do not fit on one server.
    """
    places = _LUGARES[programa, sistema]
    folders = [ruta_sencilla(workspace.folder, que="la carpeta de trabajo") for workspace in workspaces]
    sites = [site_of(workspace, workspace.settings.servidor.puerto or PUERTO) for workspace in workspaces]
    for site in sites:
        if site.tls is not None:
            for path, what in ((site.tls.certificado, "el certificado"), (site.tls.clave, "la clave")):
                if path is not None:
                    ruta_sencilla(path, que=what)
    name = places.destino.rpartition("/")[2]
    text = _text(sites, programa, places)
    secrets = [
        Archivo(f"{site.nombre}.htpasswd", f"{places.carpeta}/{site.nombre}.htpasswd", 0o640, _passwords(site))
        for site in sites
        if programa != "caddy" and site.acceso is not None and site.acceso.usuarios
    ]
    return Configuracion(
        programa,
        ", ".join(dict.fromkeys(workspace.convocatoria.id for workspace in workspaces)),
        (Archivo(name, places.destino, 0o644, text), *secrets),
        (
            Paso(f"{programa} debe estar en este equipo.", f"command -v {places.orden} >/dev/null"),
            *(_group(folder, places.cuenta) for folder in folders),
            *(_selinux(folder, site) for folder, site in zip(folders, sites, strict=True)),
            *_before(programa, sistema, sites, places, [one.nombre for one in secrets]),
            _install(programa, sistema, name, places),
            Paso(
                "Que la cuenta del servidor web pueda leer lo público.",
                "\n".join(f"runuser -u {places.cuenta} -- test -r {folder}/publico/index.html" for folder in folders),
            ),
            Paso(
                "Que el servicio arranque con el equipo y ahora: leer por el grupo pide iniciarlo de nuevo.",
                f"systemctl enable {places.servicio}\nsystemctl restart {places.servicio}",
                servicio=True,
            ),
        ),
        avisos=tuple(_warnings(workspaces, sites)),
        notas=tuple(_notes(programa, sites, places)),
    )


def _text(sites: Sequence[Site], programa: Programa, places: _Lugares) -> str:
    if programa == "nginx":
        return nginx.render(sites, carpeta=places.carpeta, bitacoras=places.bitacoras)
    if programa == "apache":
        return apache.render(sites, carpeta=places.carpeta, bitacoras=places.bitacoras)
    text = caddy.servers(sites)
    for site in sites:
        # The account of that Caddy does not write in the workspace.
        text = text.replace(
            f'"{site.carpeta}/servidor/{caddy.ACCESO_LOG}"', f'"{places.bitacoras}/pregon-{site.nombre}.log"'
        )
    return f"# Hecho por «pregon difusor configura caddy»: el mismo texto que el servidor incluido.\n{text}"


def _passwords(site: Site) -> str:
    users = {} if site.acceso is None else site.acceso.usuarios
    return "".join(f"{name}:{secret}\n" for name, secret in sorted(users.items()))


def _group(folder: str, account: str) -> Paso:
    return Paso(
        f"{account} lee los cortes por el grupo de la carpeta, y nada más de ella.",
        f"grupo=$(stat -c %G {folder}/cortes)\n"
        'if test "$grupo" = root; then\n'
        f"  echo 'El grupo de {folder}/cortes es root: el difusor debe correr con su propia cuenta.' >&2\n"
        "  exit 1\n"
        "fi\n"
        f'usermod -aG "$grupo" {account}',
    )


def _selinux(folder: str, site: Site) -> Paso:
    ports = dict.fromkeys((site.puerto, *((site.tls.puerto_http,) if site.tls and site.tls.puerto_http else ())))
    return Paso(
        "Con SELinux, que el servidor web pueda leer esa carpeta y abrir esos puertos.",
        "if command -v selinuxenabled >/dev/null && selinuxenabled; then\n"
        f"  semanage fcontext -a -t httpd_sys_content_t '{folder}(/.*)?' 2>/dev/null || "
        f"semanage fcontext -m -t httpd_sys_content_t '{folder}(/.*)?'\n"
        f"  restorecon -R {folder}\n"
        + "".join(
            f"  semanage port -a -t http_port_t -p tcp {port} 2>/dev/null || "
            f"semanage port -m -t http_port_t -p tcp {port}\n"
            for port in ports
        )
        + "fi",
    )


def _before(
    programa: Programa, sistema: Sistema, sites: Sequence[Site], places: _Lugares, secrets: Sequence[str]
) -> tuple[Paso, ...]:
    folder = places.carpeta
    keep = "\n".join(f"install -D -o root -g {places.cuenta} -m 0640 {name} {folder}/{name}" for name in secrets)
    steps = [Paso("Las contraseñas del simulacro: sólo huellas, y sólo el servidor web las lee.", keep)] if keep else []
    if programa == "nginx":
        steps.append(
            Paso(
                "Las copias .br sólo donde nginx tiene su módulo; sin él se usan las .gz.",
                f"install -d -o root -g root -m 0755 {folder}\n"
                "if nginx -T 2>/dev/null | grep -q ngx_http_brotli_static_module || nginx -V 2>&1 | grep -q brotli; "
                "then\n"
                f"  echo 'brotli_static on;' > {folder}/{nginx.BROTLI}\n"
                "else\n"
                f"  rm -f {folder}/{nginx.BROTLI}\n"
                "fi",
            )
        )
    if programa == "apache" and sistema == "debian":
        modules = "rewrite headers reqtimeout" + (" ssl http2" if any(site.tls for site in sites) else "")
        if any(site.acceso for site in sites):
            modules += " auth_basic authn_file authz_user authz_host"
        steps.append(Paso("Los módulos que usa.", f"a2enmod -q {modules}"))
    if programa == "apache":
        settings = "/etc/apache2" if sistema == "debian" else "/etc/httpd"
        own = f"{settings}/{'conf-available' if sistema == 'debian' else 'conf.d'}/pregon-puertos.conf"
        lines = [f"install -D -m 0644 /dev/null {own}"]
        for line in apache.listens(sites):
            port = line.rpartition(":")[2]
            others = f"{settings}/ports.conf" if sistema == "debian" else f"{settings}/conf/httpd.conf"
            lines.append(
                f"grep -Eqs '^[[:space:]]*Listen[[:space:]]+([^[:space:]]*:)?{port}([[:space:]]|$)' {others} "
                f"|| echo '{line}' >> {own}"
            )
        if sistema == "debian":
            lines.append("a2enconf -q pregon-puertos")
        steps.append(Paso("Los puertos que Apache no abre todavía.", "\n".join(lines)))
    return tuple(steps)


def _install(programa: Programa, sistema: Sistema, name: str, places: _Lugares) -> Paso:
    check = {"nginx": "nginx -t -q", "apache": "apachectl -t", "caddy": "caddy validate --config /etc/caddy/Caddyfile"}
    enable = {
        ("apache", "debian"): f"a2ensite -q {name.removesuffix('.conf')}\n",
        ("caddy", "debian"): _IMPORT,
        ("caddy", "rhel"): _IMPORT,
    }.get((programa, sistema), "")
    return Paso(
        "El sitio, y que el conjunto valga; si no, queda lo que había.",
        f"antes=$(mktemp)\n"
        f'cp -p {places.destino} "$antes" 2>/dev/null || rm -f "$antes"\n'
        f"install -D -o root -g root -m 0644 {name} {places.destino}\n"
        f"{enable}"
        f"if ! {check[programa]}; then\n"
        f'  if test -e "$antes"; then cp -p "$antes" {places.destino}; else rm -f {places.destino}; fi\n'
        "  echo 'Los ajustes no valen con este sitio: se quitó. Revise lo que el servidor dijo arriba.' >&2\n"
        "  exit 1\n"
        "fi\n"
        'rm -f "$antes"',
    )


_IMPORT = (
    "grep -qsxF 'import /etc/caddy/pregon.caddy' /etc/caddy/Caddyfile || "
    "echo 'import /etc/caddy/pregon.caddy' >> /etc/caddy/Caddyfile\n"
)


def _warnings(workspaces: Sequence[Workspace], sites: Sequence[Site]) -> list[str]:
    found = []
    for workspace, site in zip(workspaces, sites, strict=True):
        if site.direccion in ("127.0.0.1", "::1"):
            found.append(
                f"{workspace.folder}: [servidor] dice direccion = {site.direccion}, que sólo se ve desde este equipo. "
                "Para el público escriba 0.0.0.0 (o ::) y el puerto 443, y repita la orden."
            )
        if not site.nombres:
            found.append(
                f"{workspace.folder}: sin «nombres» en [servidor], este sitio compite con el de muestra de la "
                "distribución por las visitas: quite ése, o escriba los nombres."
            )
        if site.tls is None:
            found.append(
                f"{workspace.folder}: sin TLS. Escriba tls, certificado y clave en [servidor] (INE-II-a-iii-1)."
            )
        elif site.tls.certificado is None:
            found.append(
                f'{workspace.folder}: tls = "automatico" lo hace el servidor incluido. Aquí el certificado lo pide y '
                "renueva su propio cliente de ACME; corrija las rutas si no son las de certbot."
            )
    return found


def _notes(programa: Programa, sites: Sequence[Site], places: _Lugares) -> list[str]:
    notes = [
        "La bitácora de acceso de cada convocatoria, en el formato «combined»: "
        + ", ".join(f"{places.bitacoras}/pregon-{site.nombre}.log" for site in sites)
        + ". Consérvela: es evidencia para la memoria.",
        "Con este servidor web delante, no inicie «pregon difusor sirve»; «pregon difusor recibe» u «opera», sí.",
    ]
    if programa == "caddy":
        notes.append(f"En las opciones globales de su Caddyfile, ponga los mismos límites:\n{caddy.limits()}")
    if programa == "nginx":
        notes.append(
            "nginx no sabe responder un intervalo (Range) de una copia comprimida: la da entera. Y dice «Server: "
            "nginx», sin versión."
        )
    return notes
