"""Causes of the system in Spanish, made by the system itself."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from pregon.base.razones import razon

if TYPE_CHECKING:
    from pathlib import Path


def cause(error: pytest.ExceptionInfo[OSError]) -> str:
    return razon(error.value)


def test_what_a_person_meets_is_told_in_spanish(tmp_path: Path) -> None:
    with pytest.raises(OSError) as absent:
        (tmp_path / "nada.csv").read_bytes()
    with pytest.raises(OSError) as folder:
        tmp_path.read_bytes()
    file = tmp_path / "a"
    file.touch()
    with pytest.raises(OSError) as through:
        (file / "b").read_bytes()
    assert list(map(cause, (absent, folder, through))) == [
        "no existe",
        "es una carpeta",
        "parte de la ruta no es una carpeta",
    ]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = taken.getsockname()
        with pytest.raises(OSError) as busy:
            socket.create_server(place)
    with pytest.raises(OSError) as alone:
        socket.create_connection(place, timeout=5)
    assert (cause(busy), cause(alone)) == ("otro programa ya usa ese puerto", "nadie atiende en esa dirección y puerto")
    assert (
        razon(socket.gaierror(socket.EAI_NONAME, "Name or service not known")) == "no se encontró ese nombre de equipo"
    )
    assert razon(TimeoutError(errno.ETIMEDOUT, "x")) == "no respondió a tiempo"


def test_what_is_not_known_is_told_as_it_is() -> None:
    assert razon(OSError(errno.EXFULL, os.strerror(errno.EXFULL))) == os.strerror(errno.EXFULL)
    assert razon(ssl.SSLError(errno.EPERM, "[SSL] wrong")) == "[SSL] wrong"  # its 1 is of OpenSSL: no permission lacks
    assert (razon(OSError("a medias")), razon(OSError())) == ("a medias", "OSError")
