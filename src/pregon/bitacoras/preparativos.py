"""What any engine is given before it counts: its own words, the windows, and what repeats, understood once."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from pregon.bitacoras import consultas
from pregon.bitacoras.tipos import TIPOS

if TYPE_CHECKING:
    from pregon.bitacoras.cuenta import Corrida
    from pregon.bitacoras.robots import Registro
    from pregon.motor.cualquiera import Cualquiera


def begin(motor: Cualquiera, corrida: Corrida, *, palabras: str) -> None:
    """The key of the visitors' hashes, the engine's own ``palabras`` (a query that defines them), types and windows."""
    key = corrida.clave or secrets.token_bytes(32)
    motor.set_text("clave_interna", hmac.digest(key, b"interna", "sha256").hex())
    motor.set_text("clave_externa", hmac.digest(key, b"externa", "sha256").hex())
    motor.rows(consultas.query(palabras))
    motor.load_values("tipos", {"extension": "varchar", "tipo": "varchar"}, TIPOS)
    motor.load_values(
        "ventanas",
        {"numero": "bigint", "sitio": "bigint", "desde": "bigint", "hasta": "bigint"},
        [(place, one.sitio, one.desde, one.hasta) for place, one in enumerate(corrida.ventanas, start=1)],
    )


def dictionaries(motor: Cualquiera, corrida: Corrida, registro: Registro, *, sitio: int) -> None:
    """What repeats in ``crudos``, understood once: requests, hours, agents."""
    races = consultas.contests(corrida.contiendas)
    motor.rows(f"create table pedidos as {consultas.query('pedidos', contiendas=races)}")
    motor.rows(f"create table horas as {consultas.query('horas', sitio=sitio)}")
    texts = [text for (text,) in motor.rows("select distinct agente from crudos")]
    told = registro.tell(texts)
    motor.load_values(
        "agentes",
        {"agente": "varchar", "numero": "bigint", "conocido": "bigint", "robot": "boolean", "nombre": "varchar"},
        [
            (text, place, one.numero, one.robot is not None, one.robot)
            for place, (text, one) in enumerate(zip(texts, told, strict=True), start=1)
        ],
    )


def places(motor: Cualquiera, corrida: Corrida, *, de: str) -> None:
    """From where each address of ``de`` (a table, with its condition) is, if somebody knows; else an empty table."""
    found: list[tuple[str, str]] = []
    if corrida.lugar_de is not None:
        addresses = [text for (text,) in motor.rows(f"select distinct direccion from {de}")]  # noqa: S608 - our own names
        found = [pair for pair in zip(addresses, corrida.lugar_de(addresses), strict=True) if pair[1]]
    motor.load_values("lugares", {"direccion": "varchar", "lugar": "varchar"}, found)
