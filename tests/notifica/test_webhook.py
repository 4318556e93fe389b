"""Webhooks over TLS: what arrives, who signed it, and what is never followed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import DestinoError, RedError
from pregon.notifica import webhook as modulo
from pregon.notifica.canal import abre
from tests.notifica.conftest import canal, mensaje
from tests.red.servidores.correo import Correo, Modales
from tests.red.servidores.gancho import Gancho

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.notifica.canal import Canal
    from tests.red.servidores.nginx import Autoridad

SECRETO = "secreto compartido ñ"


@pytest.fixture
def gancho(autoridad: Autoridad) -> Iterator[Gancho]:
    with Gancho(autoridad.firma("gancho")) as server:
        yield server


def opened(url: str, autoridad: Autoridad, folder: Path, **more: object) -> Canal:
    ajustes = canal(canal="webhook", destino=url, ca=autoridad.ca, **more)
    return abre(ajustes, folder, SystemClock(), {"SECRETO": SECRETO})


def test_receiver_can_prove_who_sent_it_and_when(gancho: Gancho, autoridad: Autoridad, tmp_path: Path) -> None:
    opened(f"{gancho.url}/avisos?canal=prep", autoridad, tmp_path, secreto="env:SECRETO").envia(mensaje())
    path, headers, body = gancho.espera(1)[0]
    assert path == "/avisos?canal=prep"
    assert headers["content-type"] == "application/json"
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["x-pregon-firma"])
    assert found is not None
    assert abs(int(found[1]) - time.time()) < 60
    # As docs/operacion/vigilancia.md tells who receives it.
    assert found[2] == hmac.new(SECRETO.encode(), found[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert SECRETO not in str(headers)
    told = json.loads(body)
    assert told == mensaje().to_json()
    assert told["texto"].endswith("señor administrador.")


def test_without_secret_there_is_no_signature(gancho: Gancho, autoridad: Autoridad, tmp_path: Path) -> None:
    opened(gancho.url, autoridad, tmp_path).envia(mensaje())
    assert "x-pregon-firma" not in gancho.espera(1)[0][1]


def test_redirection_is_followed_nowhere(gancho: Gancho, autoridad: Autoridad, tmp_path: Path) -> None:
    gancho.respuestas = [307]
    with pytest.raises(DestinoError, match=r"307.*redirecciones") as caught:
        opened(f"{gancho.url}/x?ficha=abc", autoridad, tmp_path).envia(mensaje())
    assert [path for path, _, _ in gancho.recibidos] == ["/x?ficha=abc"]
    assert "abc" not in str(caught.value.as_dict())  # the path of a webhook is often its secret


@pytest.mark.parametrize(("status", "error"), [(503, RedError), (429, RedError), (404, DestinoError)])
def test_refusals(gancho: Gancho, autoridad: Autoridad, tmp_path: Path, status: int, error: type[Exception]) -> None:
    gancho.respuestas = [status]
    with pytest.raises(error, match=str(status)):
        opened(gancho.url, autoridad, tmp_path).envia(mensaje())


def test_unknown_authority_and_old_tls_are_refused(gancho: Gancho, autoridad: Autoridad, tmp_path: Path) -> None:
    """INE-II-a-iii-1: TLS 1.2 or newer, and only with a certificate that is valid."""
    with pytest.raises(RedError):
        abre(canal(canal="webhook", destino=gancho.url), tmp_path, SystemClock()).envia(mensaje())
    with Gancho(autoridad.firma("viejo"), tls_max=ssl.TLSVersion["TLSv1_1"]) as old, pytest.raises(RedError):
        opened(old.url, autoridad, tmp_path).envia(mensaje())
    assert not gancho.recibidos
    assert not old.recibidos


def test_receiver_that_hangs_is_cut(autoridad: Autoridad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modulo, "ENLACE_S", 0.5)
    with Correo(Modales(calla=True)) as silent:
        start = time.monotonic()
        with pytest.raises(RedError):
            opened(f"https://127.0.0.1:{silent.puerto}", autoridad, tmp_path).envia(mensaje())
        assert time.monotonic() - start < 5
