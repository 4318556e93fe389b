"""The institute's notices, by its own commands, to a difusor that obeys them: suspend, reinstate, announce a delay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.cli.instituto import app
from pregon.difusor import pages, pointer
from pregon.difusor.inicia import create
from pregon.difusor.night import open_receiver
from pregon.instituto.workspace import open_workspace
from pregon.trust.aviso import parse_aviso
from tests.instituto.conftest import HORA, Night, tree_digest

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.receive import Outcome, Receiver
    from pregon.difusor.workspace import Workspace
    from pregon.instituto.workspace import Workspace as Espacio


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@dataclass
class Casa:
    """An institute whose commands read a simulated clock, and the difusor that it delivers to."""

    night: Night
    folder: Path
    difusor: Workspace
    receiver: Receiver

    @property
    def espacio(self) -> Espacio:
        return open_workspace(self.folder)

    def corte(self, numero: int) -> None:
        hora = HORA + timedelta(minutes=20 * (numero - 1))
        (self.folder / "reloj.json").write_bytes(SimulatedClock.start(hora + timedelta(seconds=30), 1.0).dump())
        words = [word for source in self.night.sources(hora) for word in ("--actas", source.actas)]
        assert run("corte", self.folder, *words).exit_code == 0

    def llega(self) -> Outcome:
        """The delivery that is configured, and a pass of the difusor."""
        delivered = run("entrega", self.folder)
        assert delivered.exit_code == 0, delivered.output
        return self.receiver.run_once()

    def ordena(self, *words: object) -> dict[str, Any]:
        result = run(*words, "--operador", "Ana", "--json")
        assert result.exit_code == 0, result.output
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    def muestra(self) -> str | None:
        return pointer.read(self.difusor)


@pytest.fixture
def casa(night: Night) -> Casa:
    night.ambiente = "simulacro"
    folder = night.create().folder
    (folder / "reloj.json").write_bytes(SimulatedClock.start(HORA, 1.0).dump())
    inbox = night.folder / "difusor" / "entrada"
    settings = folder / "instituto.toml"
    settings.write_text(
        settings.read_text() + f'reloj_simulado = "reloj.json"\n[[destino]]\ndifusor = "diario-uno"\nurl = "{inbox}"\n'
    )
    toml = (
        f'convocatoria = "{night.folder / "perfil.toml"}"\nambiente = "simulacro"\nid = "diario-uno"\n'
        f'[reloj]\nfuente = "simulado"\nsimulado = "{folder / "reloj.json"}"\n[servidor]\npuerto = 0\n'
    )
    difusor = create(night.folder / "difusor", toml, root=(folder / "root.json").read_bytes(), disk=Disk())
    clock = difusor.open_clock()
    receiver = open_receiver(difusor, clock=clock, state=difusor.open_state(clock), disk=Disk())
    made = Casa(night, folder, difusor, receiver)
    made.corte(1)
    assert made.llega().decision.corte == 1
    return made


def test_suspension_delay_and_return_end_to_end(casa: Casa) -> None:
    told = casa.ordena("aviso", "retraso", casa.folder, "--texto", "Falló la luz.", "--corte", 2)
    assert (told["n"], told["tipo"], told["difusores"], told["corte"]) == (1, "retraso", ["*"], 2)
    assert casa.llega().decision.corte == 1
    delays = json.loads((casa.difusor.servidor / pages.AVISOS).read_bytes())["vigentes"]
    assert [each["texto"] for each in delays] == ["Falló la luz."]

    told = casa.ordena(
        *("difusor", "suspende", casa.folder, "diario-uno", "--motivo", "Falta el aviso legal."),
        *("--texto", "Por revisión.", "--hasta", "2021-06-07T02:00"),
    )
    assert (told["tipo"], told["difusores"], told["hasta"]) == (
        "suspension",
        ["diario-uno"],
        "2021-06-07T07:00:00+00:00",
    )
    casa.corte(2)
    outcome = casa.llega()
    assert (outcome.decision.corte, outcome.novedad, casa.muestra()) == (None, 2, "aviso")
    assert "«Por revisión.»" in (casa.difusor.cortes / "aviso" / "index.html").read_text()

    casa.ordena("difusor", "reactiva", casa.folder, "diario-uno", "--motivo", "Se corrigió.")
    assert casa.llega().decision.corte == 2
    assert casa.muestra() == "0002"

    told = casa.ordena(
        *("difusor", "suspende", casa.folder, "diario-uno", "--motivo", "Sitio alterado.", "--texto", "Hubo ataque."),
        "--ataque",
    )
    assert (told["n"], told["tipo"]) == (4, "ataque")
    assert casa.llega().decision.corte is None
    journal = [event.dato for event in casa.espacio.state().events() if event.tipo == "aviso"]
    assert [(each["n"], each["clase"], each["operador"]) for each in journal] == [
        (1, "retraso", "Ana"),
        (2, "suspension", "Ana"),
        (3, "reinstalacion", "Ana"),
        (4, "ataque", "Ana"),
    ]
    assert journal[1]["motivo"] == "Falta el aviso legal."
    signed = casa.espacio.repository().notices()
    assert [parse_aviso(data, n=n).tipo for n, data in signed] == [each["clase"] for each in journal]


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("difusor", "suspende", "radio-2", "--motivo", "m", "--texto", "t"), 66, "No está registrado"),
    (("difusor", "reactiva", "radio-2", "--motivo", "m"), 66, "No está registrado"),
    (("difusor", "reactiva", "diario-uno", "--motivo", "m"), 2, "Ningún aviso firmado suspende"),
    (("difusor", "suspende", "*", "--motivo", "m", "--texto", "t"), 66, "No está registrado"),
    (("difusor", "suspende", "*", "--motivo", "m", "--texto", "t", "--sin-registro"), 65, "sólo puede ir en un"),
    (("difusor", "suspende", "Radio", "--motivo", "m", "--texto", "t", "--sin-registro"), 65, "identificador"),
    (("difusor", "suspende", "diario-uno", "--motivo", "m", "--texto", "a\u202eb"), 65, "sentido de lectura"),
    (("difusor", "suspende", "diario-uno", "--motivo", " ", "--texto", "t"), 65, "vacío"),
    (("aviso", "retraso", "--texto", "t", "--corte", "1"), 2, "ya está firmado"),
    (("aviso", "retraso", "--texto", "t", "--hasta", "mañana"), 2, "no es una hora ISO 8601"),
    (("aviso", "retraso", "--texto", "t", "--hasta", "2021-06-06T20:00"), 65, "no es posterior"),
)
"""What is ordered, the exit status, and words of what is told."""


def test_refused_orders_sign_nothing(casa: Casa) -> None:
    before = tree_digest(casa.folder / "repositorio")
    for (group, order, *rest), salida, said in REFUSED:
        result = run(group, order, casa.folder, *rest)
        assert result.exit_code == salida, result.output
        assert said in result.stderr
        assert "No se firmó ningún aviso" in result.stderr
        assert tree_digest(casa.folder / "repositorio") == before
    assert not [event for event in casa.espacio.state().events() if event.tipo == "aviso"]


def test_difusor_out_of_the_register_is_suspended_only_on_purpose(casa: Casa) -> None:
    words = ("difusor", "suspende", casa.folder, "radio-2", "--motivo", "m", "--texto", "t", "--sin-registro")
    assert casa.ordena(*words)["difusores"] == ["radio-2"]
    assert casa.llega().decision.corte == 1


def test_without_the_key_of_avisos_nothing_is_signed(casa: Casa) -> None:
    for path in (casa.folder / "llaves").glob("avisos-*"):
        path.unlink()
    before = tree_digest(casa.folder / "repositorio")
    result = run("aviso", "retraso", casa.folder, "--texto", "t")
    assert result.exit_code == 66, result.output
    assert tree_digest(casa.folder / "repositorio") == before
