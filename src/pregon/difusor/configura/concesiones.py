"""What a call asks for that is wider than what delivering needs: what is given instead, with the clause (MOR-A1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.difusor.configura.model import Concesion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.convocatoria.model import Convocatoria


def _clausula(call: Convocatoria, known: Mapping[str, str], key: str) -> str:
    """The clause of a call that is shipped, or the profile's key of any other."""
    return known.get(call.id, f"{call.id}: {key}")


def de_la_cuenta(call: Convocatoria, cuenta: str) -> tuple[Concesion, ...]:
    """About who enters and with what: for ``sshd`` and ``rsyncd``."""
    granted = []
    if call.root:
        granted.append(
            Concesion(
                _clausula(call, {"mor-2024": "MOR-A1-1.5"}, "root"),
                "un usuario con privilegios de root para el instituto",
                f"la cuenta «{cuenta}», sin contraseña, sin sudo y sin intérprete de órdenes a su alcance: escribe en "
                "entrada/ y lee acuses/, nada más",
                "depositar un corte no necesita más; quien robara la llave del instituto sólo podría depositar "
                "archivos que el difusor rechaza si no llevan la firma",
            )
        )
    if call.id in ("dgo-2024", "mor-2024"):
        granted.append(
            Concesion(
                {"dgo-2024": "DGO-II-d", "mor-2024": "MOR-A1-1.3"}[call.id],
                "acceso SSH para configuración, con contraseña o archivo de llave",
                "acceso sólo con llave pública, para depositar cortes y leer acuses",
                "la configuración la hace el administrador del difusor con las órdenes que el instituto le indique",
            )
        )
    if call.id == "gro-2021":
        granted.append(
            Concesion(
                "GRO-3.1",
                "que el instituto actualice por SSH la carpeta destinada a la publicación",
                "que deposite en entrada/; publica el difusor, después de comprobar la firma",
                "nada sin comprobar llega a ser público, y nadie escribe en lo publicado",
            )
        )
    if any("FTP" in field for field in call.formulario.campos):
        granted.append(
            Concesion(
                _clausula(call, {"mor-2024": "MOR-A2-5", "mex-2021": "MEX-A1-5"}, "formulario"),
                "servidor, usuario y contraseña de una cuenta FTP",
                "«no aplica»: el nombre del servidor y de la cuenta SFTP, y se cambian llaves públicas",
                "FTP envía la contraseña y los datos sin cifrar; el texto técnico de la convocatoria pide SSH",
            )
        )
    return tuple(granted)


def de_la_red(call: Convocatoria, *, administra: bool) -> tuple[Concesion, ...]:
    """About what the firewall lets in. ``administra``: SSH stays open to the administrator too."""
    if not administra or 22 not in call.puertos_restringidos:
        return ()
    known = {
        "gro-2021": "GRO-2.4e",
        "dgo-2024": "DGO-II-net-c3",
        "mor-2024": "MOR-A1-3.4",
        "mex-2021": "MEX-II-2c3",
    }
    asked = "una sola dirección" if call.id == "gro-2021" else "las direcciones"
    return (
        Concesion(
            _clausula(call, known, "puertos_restringidos"),
            f"SSH abierto sólo para {asked} del instituto",
            "también para las direcciones dadas con --administra",
            "sin ellas el administrador del difusor se quedaría fuera de su propio servidor",
        ),
    )
