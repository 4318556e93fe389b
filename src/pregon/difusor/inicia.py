"""Makes the workspace of one difusor: folders, root given by hand, key for acuses, a page to show, settings last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pregon.base.errors import AmbienteError, ConvocatoriaError, EntradaError, EscrituraError, FirmaError, UsoError
from pregon.base.settings import parse_toml
from pregon.difusor import pages, pointer
from pregon.difusor.acuse import create_key
from pregon.difusor.novedades import check_origin
from pregon.difusor.settings import EN_RED, DifusorSettings
from pregon.difusor.workspace import AJUSTES, folders, with_settings
from pregon.trust.cliente import root_identity

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

ROOT_MAX_BYTES = 1 << 20
"""A root metadata file is a few kilobytes."""


def create(folder: Path, toml: str, *, root: bytes | None, disk: Disk) -> Workspace:
    """Make the workspace in ``folder`` with the settings text ``toml`` and the institute's ``root`` metadata.

    ``root`` is None where the profile says that the institute does not sign (``verificacion``).

    Repeating it after a failure is fine; the settings are written last, so a half-made workspace does not open.

    Raises:
        EscrituraError: there is a workspace already, or the folder cannot be written.
        AjustesError: the settings or the profile are wrong; nothing was written.
        EntradaError: ``root`` is not root metadata, or is not there; nothing was written.
        AmbienteError, ConvocatoriaError: ``root`` is of another ambiente, call or institute; nothing was written.
        UsoError: there is a root and nothing that it could verify; nothing was written.
    """
    folder = folder.absolute()
    if (folder / AJUSTES).exists():
        raise EscrituraError(
            f"En {folder} ya hay un difusor.",
            intacto="No se cambió nada.",
            que_hacer="Elija otra carpeta, o edite su difusor.toml.",
        )
    settings = parse_toml(toml.encode(), DifusorSettings, where=AJUSTES)
    workspace = with_settings(folder, settings)
    check_origin(workspace)
    _check_root(root, workspace)
    for path, mode in folders(workspace):
        disk.make_folder(path, mode=mode)
    if root is not None:
        disk.write(workspace.raiz, root)
    if not workspace.llave.exists():
        create_key(workspace.llave, disk)
    # From its first moment, before anything is received, it has something to show.
    pages.ensure(workspace, disk)
    pointer.switch(workspace, pointer.ESPERA, disk)
    disk.write(folder / AJUSTES, toml.encode())
    return workspace


def _check_root(root: bytes | None, workspace: Workspace) -> None:
    if not workspace.firmado:
        if root is None:
            return
        raise UsoError(
            f"La convocatoria dice que el instituto no firma (verificacion = {workspace.convocatoria.verificacion}): "
            "una raíz no comprobaría nada.",
            intacto="No se creó nada.",
            que_hacer="Quite --raiz o, si el instituto sí firma, corrija el perfil.",
        )
    try:
        kind = json.loads(root)["signed"]["_type"] if root is not None and len(root) <= ROOT_MAX_BYTES else None
    except (ValueError, KeyError, TypeError, RecursionError):
        kind = None
    if root is None or kind != "root":
        raise EntradaError(
            "Falta el root.json del instituto." if root is None else "El archivo de raíz no es un root.json.",
            intacto="No se creó nada.",
            que_hacer="Pida al instituto su root.json, compruebe su huella por otro medio y dé su ruta con --raiz.",
        )
    try:
        theirs = root_identity(root)
    except FirmaError:
        return  # It does not say whose it is: the first look at the source refuses it.
    call, ambiente = workspace.convocatoria, workspace.settings.ambiente
    if theirs.ambiente != ambiente:
        raise AmbienteError(
            f"Ese root.json es de un instituto de ambiente «{theirs.ambiente}» y este difusor sería «{ambiente}».",
            intacto="No se creó nada.",
            que_hacer=f"Si es lo que quería, repita la orden con --ambiente {theirs.ambiente}; si no, pida el otro.",
        )
    if (theirs.convocatoria, theirs.instituto) != (call.id, call.instituto):
        raise ConvocatoriaError(
            f"Ese root.json es de «{theirs.convocatoria}» ({theirs.instituto}) y este difusor sería de «{call.id}» "
            f"({call.instituto}).",
            intacto="No se creó nada.",
            que_hacer="Corrija --convocatoria, o pida al instituto de esa convocatoria su root.json.",
        )


_ACCESO = (
    "# Lo que abre el origen; quite el «#» a lo que le haya dado el instituto.",
    '# ca = "llaves/instituto-ca.pem"',
    '# certificado = "llaves/difusor.pem"',
    '# clave_certificado = "llaves/difusor.key"',
    '# secreto = "archivo:llaves/secreto.txt"',
    '# proxy = "http://proxy.ejemplo.mx:3128"',
    "# Sólo de s3://:",
    '# clave_acceso = "AKIA…"',
    '# extremo = "https://s3.ejemplo.mx"',
    '# region = "us-east-1"',
)


_SERVIDOR = (
    "# Los nombres del sitio: varias convocatorias en un puerto se distinguen por ellos o por «base».",
    '# nombres = ["prep2027.ejemplo.mx"]',
    '# Cifrado: "archivo" (certificado y clave) o "automatico" (lo pide a una autoridad ACME; con «correo»).',
    '# tls = "archivo"',
    '# certificado = "llaves/portal.pem"',
    '# clave = "llaves/portal.key"',
    "# puerto_http = 80  # redirige a https; 0 lo cierra",
    "# Quién entra a un simulacro que no es público; la huella la da «pregon difusor contrasena».",
    "# [servidor.acceso]",
    '# redes = ["198.51.100.0/24"]',
    '# usuarios = { prensa = "$2a$10$…" }',
)


_VIGILANCIA = (
    "",
    "[vigilancia]",
    "# El difusor se mira a sí mismo; cada límite está en docs/operacion/vigilancia.md.",
    "# disco_reserva_mb = 1024",
    '# metricas = "127.0.0.1:9464"',
    "",
    "# A quién se avisa; uno por cada canal (syslog, correo o webhook).",
    "# [[notifica]]",
    '# canal = "correo"',
    '# destino = "smtp://correo.ejemplo.mx:587"',
    '# de = "pregon@ejemplo.mx"',
    '# para = ["guardia@ejemplo.mx"]',
    '# usuario = "pregon"',
    '# secreto = "archivo:llaves/correo.txt"',
)


_NUBE = (
    "",
    "# Publicar también en un almacén de objetos, detrás de un CDN (docs/operacion/nube.md); uno por cada destino.",
    "# Con «historial» guarda ahí también los originales, para rehacer este difusor (docs/operacion/historial.md); con",
    "# «frase», su llave, cifrada.",
    "# [[nube]]",
    '# nombre = "principal"',
    '# url = "s3://prep-2027/portal"',
    '# publica = "https://prep2027.ejemplo.mx"',
    '# clave_acceso = "AKIA…"',
    '# secreto = "archivo:llaves/nube.txt"',
    "# historial = true",
    '# frase = "env:PREGON_FRASE"',
    "# [nube.purga]",
    '# tipo = "cloudfront"',
    '# distribucion = "E2EXAMPLE0MX"',
)


def settings_text(*, convocatoria: str, ambiente: str, ident: str, origen: str, sondeo_s: float | None = None) -> str:
    """The ``difusor.toml`` that ``inicia`` writes; the administrator edits it afterwards."""
    lines = [
        "# Ajustes de este difusor de Pregón.",
        f"convocatoria = {_toml(convocatoria)}",
        f"ambiente = {_toml(ambiente)}",
        f"id = {_toml(ident)}",
        f"origen = {_toml(origen)}",
    ]
    if sondeo_s is not None:
        lines.append(f"sondeo_s = {sondeo_s}")
    if origen.startswith(tuple(f"{scheme}://" for scheme in EN_RED)):
        lines += ["", "[acceso]", *_ACCESO]
    lines += [
        "",
        "[acuses]",
        "# Para que el instituto sepa en qué corte va este difusor: enviarlos, o copiarlos donde él los recoja.",
        '# envia = "https://prep.ejemplo.mx"',
        '# copia = "/srv/prep/acuses"',
        "",
        "[reloj]",
        "# Antes de publicar se comprueba que el reloj esté en hora: chrony, ntp (con su servidor) o ninguna.",
        'fuente = "chrony"',
        "max_desfase_s = 2.0",
        "",
        "[servidor]",
        'direccion = "127.0.0.1"',
        "puerto = 8080",
        'base = "/"',
        *_SERVIDOR,
        "",
        "[panel]",
        "# El panel del administrador (docs/operacion/panel.md); apagado mientras no haya «puerto».",
        "# puerto = 8091",
        *_VIGILANCIA,
        *_NUBE,
    ]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
