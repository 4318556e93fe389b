"""What is read of a night's folder while its own writers fill it; and that reading changes nothing there."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from pregon.base.state import LATERALES
from pregon.simulacro.vivo.cuadro import momento
from pregon.simulacro.vivo.lector import Lector
from tests.simulacro.vivo.noches import Carpeta, envejece, resultado_de

if TYPE_CHECKING:
    from pathlib import Path


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(LATERALES)
    }


def test_a_night_is_followed_from_an_empty_folder_to_its_end(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    reader = Lector(night.folder)
    seen = momento(reader.lee(todo=True))
    assert (seen.fase, seen.periodo, seen.faltan) == ("prepara", 0, ())
    assert [(one.id, one.url, one.muestra) for one in seen.renglones] == [
        ("difusor-1", None, None),
        ("difusor-2", None, None),
    ]
    night.reloj(-4)
    night.abre("http://127.0.0.1:4321/")
    seen = momento(reader.lee(todo=True))
    assert (seen.fase, seen.faltan) == ("antes", ())
    assert [(one.url, one.muestra) for one in seen.renglones] == [("http://127.0.0.1:4321/", "espera")] * 2
    night.reloj(20)
    night.firma(1, hace_s=2)
    for name in ("difusor-1", "difusor-2"):
        night.acuse(name, "recibido", 1)
        envejece(night.acuse(name, "publicado", 1), 0.5)
    seen = momento(reader.lee())
    assert [one.celdas[0].estado for one in seen.renglones] == ["publicado", "publicado"]
    assert all(1.0 <= (one.celdas[0].segundos or 0) <= 1.9 for one in seen.renglones)
    assert (seen.al_dia, seen.periodo) == (2, 1)
    night.falla(1)
    assert [one.estado for one in momento(reader.lee()).tramos] == ["en_curso", "prevista"]
    night.reloj(40)
    night.firma(2)
    night.acuse("difusor-2", "publicado", 2)
    night.rechaza("difusor-1", "HASH")
    seen = momento(reader.lee(todo=True))
    assert [one.celdas[1].estado for one in seen.renglones] == ["rechazado", "publicado"]
    assert seen.renglones[0].codigo == seen.renglones[0].celdas[1].codigo == "HASH"
    assert seen.tramos[0].visto == "Muestra el corte 0001; dice HASH"
    night.recibe_bien("difusor-1")
    night.termina(1)
    night.acuse("difusor-1", "publicado", 2)
    seen = momento(reader.lee(todo=True))
    assert (seen.tramos[0].estado, seen.al_dia) == ("terminada", 2)
    assert seen.tramos[0].visto.startswith("Mostró el corte 0001; dijo HASH; a los 0.")
    night.concluye(resultado_de())
    seen = momento(reader.lee(todo=True))
    assert (seen.fase, seen.tramos[0].cumplio, seen.faltan) == ("terminada", True, ())


def test_reading_changes_no_byte_of_the_night(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    night.reloj(20)
    night.abre()
    night.firma(1)
    night.acuse("difusor-1", "publicado", 1)
    night.rechaza("difusor-2", "FIRMA")
    night.falla(1)
    before = _hashes(night.folder)
    reader = Lector(night.folder)
    seen = momento(reader.lee(todo=True))
    for _ in range(3):
        reader.lee(todo=True)
    assert seen.renglones[1].celdas[0].codigo == "FIRMA"
    assert _hashes(night.folder) == before


def test_an_acuse_that_the_difusor_did_not_sign_is_not_believed_and_is_told(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    night.reloj(20)
    night.abre()
    night.firma(1)
    forged = night.acuse("difusor-1", "publicado", 1)
    kept = forged.read_bytes()
    shutil.copy(night.acuse("difusor-2", "publicado", 1), forged)
    reader = Lector(night.folder)
    seen = momento(reader.lee(todo=True))
    assert [one.celdas[0].estado for one in seen.renglones] == ["espera", "publicado"]
    assert len(seen.faltan) == 1
    assert seen.faltan[0].startswith("difusor-1: El acuse no lo firmó")
    forged.write_bytes(kept)
    seen = momento(reader.lee(todo=True))
    assert [one.celdas[0].estado for one in seen.renglones] == ["publicado", "publicado"]
    assert seen.faltan == ()


def test_what_cannot_be_read_for_a_moment_is_told_and_what_was_known_stays(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    night.reloj(20)
    night.firma(1)
    reader = Lector(night.folder)
    assert [one.numero for one in reader.lee().firmados] == [1]
    whole = night.post.firmados.read_bytes()
    night.post.firmados.write_bytes(whole[:-9])
    spoiled = reader.lee()
    assert [one.numero for one in spoiled.firmados] == [1]
    assert spoiled.faltan[0].startswith("lo firmado: ")
    night.firma(2)
    mended = reader.lee()
    assert [one.numero for one in mended.firmados] == [1, 2]
    assert mended.faltan == ()


def test_a_portal_that_stopped_serving_is_still_known_by_its_address(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    night.reloj(20)
    night.abre("http://127.0.0.1:4321/")
    reader = Lector(night.folder)
    assert reader.lee().difusores[0].url == "http://127.0.0.1:4321/"
    (night.spaces["difusor-1"].servidor / "direccion").unlink()
    assert reader.lee().difusores[0].url == "http://127.0.0.1:4321/"
