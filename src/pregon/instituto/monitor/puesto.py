"""A vantage point on a machine that has nothing of the institute's: its folder, its settings, and its rounds.

::

    observa.toml      what it watches, and for whom
    punto.pem         its key (0600);  punto.pub.pem: what the institute registers in [[monitor.remoto]]
    salida/           what it saw, signed: the institute collects it, or somebody carries it
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError
from pregon.base.settings import load_toml
from pregon.instituto.monitor.ajustes import AjustesMonitor, Nombre
from pregon.instituto.monitor.muestreo import ReglasMuestreo, recorrido
from pregon.instituto.monitor.observa import Punto
from pregon.instituto.monitor.puntos import Cuaderno, crea_llave
from pregon.instituto.monitor.referencia import Publicada
from pregon.transport.peticion import tls_context
from pregon.trust.verified import Identity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.instituto.monitor.muestreo import Recorrido
    from pregon.instituto.monitor.observa import Barrida
    from pregon.paquete.manifest import FileEntry

ARCHIVO = "observa.toml"
LLAVE = "punto.pem"
SALIDA = "salida"


class AjustesPuesto(AjustesMonitor):
    """``observa.toml``: those of ``[monitor]``, and for which call and ambiente."""

    convocatoria: Annotated[str, Field(min_length=1, max_length=64)]
    instituto: Annotated[str, Field(min_length=1, max_length=64)]
    ambiente: Literal["oficial", "simulacro"] = "oficial"


def inicia(folder: Path, *, punto: Nombre, convocatoria: str, instituto: str, ambiente: str, disk: Disk) -> Path:
    """Make the folder, its key and settings to be filled in; the path of the public key.

    Raises:
        AjustesError: there is one already; nothing of it changed.
    """
    if (folder / ARCHIVO).exists():
        raise AjustesError(
            f"{folder} ya es un punto de observación.",
            intacto="No se cambió nada en él.",
            que_hacer="Use otra carpeta, o siga con «pregon instituto observa».",
        )
    disk.make_folder(folder)
    crea_llave(folder / LLAVE, disk)
    text = (
        "# Un punto de observación. Lo escribió «pregon instituto observa --inicia».\n"
        f'punto = "{punto}"\nconvocatoria = "{convocatoria}"\ninstituto = "{instituto}"\nambiente = "{ambiente}"\n'
        "# Direcciones de terceros que contestan cuando este equipo tiene red; ninguna de un difusor.\n"
        "testigos = []\n\n"
        "# Una tabla por difusor.\n"
        '# [[portal]]\n# difusor = "diario-uno"\n# urls = ["https://prep.diario-uno.example.mx/"]\n'
    )
    disk.write(folder / ARCHIVO, text.encode())
    return (folder / LLAVE).with_suffix(".pub.pem")


class Puesto:
    """The vantage point of one folder. ``close`` at the end."""

    def __init__(self, folder: Path, *, disk: Disk, clock: Clock | None = None) -> None:
        """Raises ``EntradaError`` or ``AjustesError`` where its settings or its key cannot be read."""
        self.settings = load_toml(folder / ARCHIVO, AjustesPuesto)
        if not self.settings.portal:
            raise AjustesError(
                f"{folder / ARCHIVO} no nombra ningún portal.",
                intacto="No se preguntó nada a nadie.",
                que_hacer="Escriba una tabla [[portal]] por difusor.",
            )
        said = self.settings
        secret, rules = secrets.token_hex(16), ReglasMuestreo(muestra=said.muestra, cada_grande=said.cada_grande)

        def order(files: Sequence[FileEntry], /) -> Recorrido:
            return recorrido(files, clave=secret, reglas=rules)

        real = SystemClock()
        self._book = Cuaderno(
            folder / SALIDA,
            folder / LLAVE,
            punto=said.punto,
            identity=Identity(said.convocatoria, said.instituto, said.ambiente),
            disk=disk,
        )
        self._point = Punto(
            said.punto,
            said.portal,
            Publicada(order),
            ajustes=said,
            clock=clock or real,
            real=real,
            tls=tls_context(ca=None if said.ca is None else folder / said.ca),
            oficial=said.ambiente == "oficial",
        )
        self._round = self._book.ronda

    def close(self) -> None:
        """Close every connection."""
        self._point.close()

    def ronda(self) -> tuple[Barrida, tuple[Path, ...]]:
        """Look once and write what was seen; what it was and where it lies.

        Raises:
            DiscoError, EscrituraError: it could not be written.
        """
        self._round += 1
        seen = self._point.ronda(self._round)
        return seen, self._book.anota(self._round, seen)
