"""The night whose cuts come from a database: of the hour of each cut, announced as late while it is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.instituto.opera.mesa import hora, mesa_de
from tests.instituto_sql import servidores
from tests.instituto_sql.eleccion import Fuente, load, rows

if TYPE_CHECKING:
    from pathlib import Path


def test_cuts_of_a_base_and_its_silence(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path)
    base = servidores.sqlite(tmp_path / "prep.db")
    load(base, {"GUB": rows(1, 24)})
    secret = mesa.carpeta / "base.url"
    secret.write_text(base.direccion + "\n")
    secret.chmod(0o600)
    mesa.extra = Fuente("GUB", url='url_archivo = "base.url"', personas=True).text()
    mesa.ajusta(actas=None)
    uno = mesa.difusor("diario-uno")
    service = mesa.servicio()
    mesa.a_las(hora(0, -1))
    mesa.corre(service)
    assert mesa.firmados == []
    mesa.a_las(hora(0, 2))
    mesa.corre(service)
    assert mesa.firmados == [1]
    assert uno.recibe() == 1
    secret.rename(tmp_path / "apartada.url")
    mesa.a_las(hora(1, 46))
    mesa.corre(service, vueltas=2)
    uno.recibe()
    assert len(uno.retrasos) == 1
    assert uno.retrasos[0].startswith("El corte de las 20:20 h se retrasa.")
    assert mesa.firmados == [1]
    load(base, {"GUB": rows(2, 24)})
    (tmp_path / "apartada.url").rename(secret)
    mesa.a_las(hora(1, 60))
    mesa.corre(service, vueltas=2)
    first, second = mesa.espacio.repository().cuts()
    assert (first.hora_corte, second.hora_corte) == (hora(0), hora(1)), "the hour of the slot, not that of the try"
    assert first.manifiesto.sha256 != second.manifiesto.sha256
    assert uno.recibe() == 2
    assert uno.retrasos == []
