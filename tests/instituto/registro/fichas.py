"""A difusor that answers everything that any of the five calls asks, and what of it is confidential."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import typer
from typer.testing import CliRunner, Result

from pregon.base.clock import ManualClock
from pregon.cli.instituto import difusores, fichas, soporte
from pregon.convocatoria import perfiles
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto import workspace
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.workspace import Workspace

_APP = typer.Typer()
"""The groups of ``pregon instituto`` that are the registry's: all of it takes longer to build than they to run."""
_APP.add_typer(fichas.app, name="difusor")
_APP.add_typer(difusores.raiz)
_APP.add_typer(soporte.app, name="soporte")

PERFILES = ("gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021")
ANA = Mandato(quien="operador", operador="Ana Ruiz", motivo="resolución 7", evidencia=("observación 12",))
PROGRAMA = Mandato(quien="programa", motivo="tres periodos", evidencia=("observación 12",))
PEM = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdu0Xf4zJb1p2bHkq5cDx8mFJq0vQ\n"
    "1nZ6m7Q2Jt5sV0aWcYkR3eLhTgB9uXoPzN4iKdSfHjUwEyMvCrAbGx2lQ==\n"
    "-----END PUBLIC KEY-----\n"
)
ANFITRION = "norte.diario-uno.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHq0xYk3Zb7Wv5nLr2Tm8PsDf1GjKc9QaEoUiXyVbNzR"


def run(*arguments: object) -> Result:
    """``pregon instituto`` with these words."""
    return CliRunner().invoke(_APP, [str(argument) for argument in arguments])


def datos(convocatoria: Convocatoria, **cambios: Any) -> dict[str, Any]:
    """The whole form, as TOML would give it; ``cambios`` take the place of its keys."""
    return {
        "nombre": "Diario Uno",
        "tipo": "medios",
        "url": "https://prep.diario-uno.example/prep2024",
        "sitio": "https://www.diario-uno-redaccion.example",
        "vista_previa": "https://previa-73.diario-uno.example",
        "transporte": "sftp",
        "domicilio": {"direccion": "Calle Ocotillo 415, interior 3", "ciudad": "Chilapa", "estado": "Guerrero"},
        "contacto": [
            {
                "nombre": "Lucía Quiñones Ávila",
                "papel": "tecnico",
                "cargo": "Jefa de sistemas de redacción",
                "telefono": "747 555 0142",
                "celular": "747 555 0199",
                "correo": "lquinones@diario-uno.example",
                "desde": "08:00:00",
                "hasta": "20:00:00",
            },
            {
                "nombre": "Efraín Tlapanco",
                "papel": "tecnico",
                "cargo": "Guardia nocturna",
                "telefono": "747 555 0177",
                "desde": "20:00:00",
                "hasta": "08:00:00",
                "proveedor": "Nubes del Sur",
            },
            {
                "nombre": "Rosalba Iturbide",
                "papel": "legal",
                "telefono": "747 555 0111",
                "celular": "747 555 0122",
                "correo": "legal@diario-uno.example",
            },
        ],
        "infraestructura": {
            "software": "Caddy 2.11 sobre Debian 12",
            "hardware": "Dos servidores de 32 núcleos modelo ZX-81",
            "energia": "UPS Tepeyac de 6 KVA",
            "red": "Cortafuegos Muralla 9000",
            "mbps": 250.0,
            "ups_kva_servidores": 4.0,
            "ups_kva_comunicaciones": 1.0,
            "ip": ["8.8.4.7"],
        },
        "llaves": {"acuses": PEM, "anfitrion": ANFITRION},
        "documento": [
            {"nombre": name, "recibido": date(2021, 4, 20).isoformat(), "sha256": f"{n:02d}{'ab' * 31}"}
            for n, name in enumerate(convocatoria.documentos)
        ],
        "respuestas": {"Número de servidores de publicación": "Diecisiete, en Tixtla"},
    } | cambios


def ficha(convocatoria: Convocatoria, **cambios: Any) -> Ficha:
    return Ficha.model_validate(datos(convocatoria, **cambios), strict=False)


def confidenciales(form: Ficha) -> tuple[str, ...]:
    """Every text of the form that nobody outside may read: all but the name, the address and the call's words."""
    known = {form.nombre, form.url, form.tipo, str(form.transporte), *(one.nombre for one in form.documento)}
    found = [text for text in _texts(form.model_dump(mode="json", exclude_defaults=True)) if text not in known]
    assert len(found) > 20
    return tuple(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and value not in ("tecnico", "legal", "Guerrero") and not _moment(value):
        yield value


def _moment(text: str) -> bool:
    """Hours and dates say nothing of anybody, and are everywhere."""
    return ":00:00" in text or text.startswith("2021-")


@dataclass
class Casa:
    """A workspace of one of the five calls, on a clock that stands still."""

    folder: Path
    clock: ManualClock
    entorno: dict[str, str] = field(default_factory=dict)

    @property
    def espacio(self) -> Workspace:
        return workspace.open_workspace(self.folder, clock=self.clock)

    @property
    def registro(self) -> Registro:
        return Registro(self.espacio, entorno=self.entorno)

    def alta(self, ident: str = "diario-uno", **cambios: Any) -> Ficha:
        form = ficha(self.espacio.convocatoria, **{"url": f"https://{ident}.example/prep"} | cambios)
        self.registro.alta(ident, form, ANA)
        return form

    def lleva(self, ident: str, *pasos: Estado) -> None:
        """Take a difusor along some states, without signing anything."""
        for state in pasos:
            self.registro.pasa(ident, state, ANA)

    def eventos(self, *tipos: str) -> list[dict[str, Any]]:
        return [event.dato for event in self.espacio.state().events() if event.tipo in tipos]


def casa(modelo: Path, folder: Path) -> Casa:
    """A copy of the workspace at ``modelo``, two days before its night."""
    shutil.copytree(modelo, folder)
    clock = ManualClock(workspace.open_workspace(folder).convocatoria.inicio - timedelta(days=2))
    return Casa(folder, clock)


def funda(folder: Path, perfil: str) -> Path:
    """A workspace of ``perfil`` with the key of its registry."""
    clock = ManualClock(perfiles.load(perfil).inicio - timedelta(days=60))
    made = workspace.create(folder, perfil, ambiente="oficial", clock=clock)
    rotacion.crea(Registro(made, entorno={}))
    return folder
