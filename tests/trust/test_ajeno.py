"""What is offered in a folder, read on values: stamps, order, lists beside an archive, limits of a copy."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, DiscoError, PregonError, RedError
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.secciones import Paquete
from pregon.paquete.reading import ReadingLimits
from pregon.transport.ajena import ForeignFolder
from pregon.trust.ajeno import ForeignClient
from pregon.trust.copia import Copista
from pregon.trust.origen import Visto
from pregon.trust.recepcion import find_offers, is_temporary, stamp_of
from pregon.trust.verified import Memory
from tests.convocatoria.muestras import possible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def profile(archivo: str = "zip") -> Convocatoria:
    table = possible() | {"verificacion": "suma", "recepcion": "renombrado", "zona_horaria": "America/Mexico_City"}
    return Convocatoria.model_validate(table).model_copy(update={"paquete": Paquete(archivo=archivo)})  # type: ignore[arg-type]


ZONE = profile().zona


def seen(*rutas: str) -> list[Visto]:
    """Files each of which is one second newer than the one before."""
    return [Visto(ruta, "archivo", 10, n * 10**9, (n,)) for n, ruta in enumerate(rutas)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20210606_2240_PREP_CAMP.zip", (2021, 6, 6, 22, 40, 0)),
        ("PREP_GUB_20210606_224059.7z", (2021, 6, 6, 22, 40, 59)),
        ("20210606_2240", (2021, 6, 6, 22, 40, 0)),
        ("20211306_2240.zip", None),
        ("20210606_2560.zip", None),
        ("120210606_2240.zip", None),
        ("20210606_22401.zip", None),
        ("20210606.zip", None),
        ("٢٠٢١٠٦٠٦_2240.zip", None),
    ],
)
def test_stamps_of_names(name: str, expected: tuple[int, int, int, int, int, int] | None) -> None:
    wanted = None if expected is None else datetime(*expected, tzinfo=ZONE)
    assert stamp_of(name, ZONE) == wanted


def test_the_newest_stamp_comes_first_and_what_has_none_does_not_count() -> None:
    there = seen("20210606_2240_A.zip", "noche/20210606_2300_A.7Z", "20210606_2250_A.ZIP", "despues.zip", "leeme.txt")
    assert [offer.nombre for offer in find_offers(there, profile())] == [
        "noche/20210606_2300_A.7Z", "20210606_2250_A.ZIP", "20210606_2240_A.zip"
    ]  # fmt: skip
    assert [offer.nombre for offer in find_offers(seen("nuevo.zip", "b.txt", "mas-nuevo.zip"), profile())] == [
        "mas-nuevo.zip"
    ]
    assert find_offers(seen("b.txt", "x.zip.part", ".x.zip", ".sub/x.zip"), profile()) == ()


def test_an_archive_has_its_own_lists_and_those_of_its_folder() -> None:
    there = seen("a.zip", "a.zip.md5", "a.sha1", "b.zip", "b.zip.md5", "SHA256SUMS", "otra/SHA256SUMS", "nota.hash")
    [offer] = find_offers(there, profile())
    assert (offer.nombre, {each.ruta for each in offer.listas}) == ("b.zip", {"b.zip.md5", "SHA256SUMS", "nota.hash"})


def test_a_folder_is_a_package_with_its_cover_or_one_by_stamp() -> None:
    call = profile("dir")
    site = seen("index.html", "20210606_2240_BD/datos.csv", "listo", ".nfs01")
    [offer] = find_offers(site, call, sin="listo")
    assert (offer.nombre, offer.raiz, len(offer.archivos), offer.sello) == (".", "", 2, None)
    offers = find_offers(seen("20210606_2240/index.html", "20210606_2300/a/b.html", "leeme.txt"), call)
    assert [(offer.nombre, offer.raiz) for offer in offers] == [
        ("20210606_2300", "20210606_2300/"), ("20210606_2240", "20210606_2240/")
    ]  # fmt: skip
    assert find_offers([], call) == ()


@pytest.mark.parametrize("ruta", ["x.zip.part", "a/.b/c", ".x.zip.Xk3", "X.ZIP.FILEPART", "x.tmp"])
def test_temporary_names(ruta: str) -> None:
    assert is_temporary(ruta)
    assert not is_temporary("partes/x.zip")


def test_a_folder_is_walked_without_following_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dentro" / "b").mkdir(parents=True)
    (tmp_path / "dentro" / "b" / "a.txt").write_bytes(b"12")
    (tmp_path / "dentro" / "fuera").symlink_to("/etc")
    (tmp_path / "dentro" / "clave").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "dentro" / "tubo")
    (tmp_path / "enlace").symlink_to("dentro")
    for folder in (tmp_path / "dentro", tmp_path / "enlace"):
        found = {each.ruta: each.tipo for each in ForeignFolder(folder).entries()}
        assert found == {"b/a.txt": "archivo", "clave": "enlace", "fuera": "enlace", "tubo": "especial"}
    with pytest.raises(RedError):
        ForeignFolder(tmp_path / "no-esta").entries()
    deep = tmp_path / "dentro"
    for _ in range(17):
        deep /= "x"
        deep.mkdir()
    with pytest.raises(RedError, match="niveles"):
        ForeignFolder(tmp_path / "dentro").entries()


def test_a_mark_changes_though_size_and_date_are_put_back(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"uno")
    [before] = ForeignFolder(tmp_path).entries()
    path.write_bytes(b"dos")
    os.utime(path, ns=(before.hora_ns, before.hora_ns))
    [after] = ForeignFolder(tmp_path).entries()
    assert (after.bytes, after.hora_ns) == (before.bytes, before.hora_ns)
    assert after.huella != before.huella


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (ReadingLimits(miembros=2), "ARCHIVO_MIEMBROS"),
        (ReadingLimits(archivo=10), "ARCHIVO_GRANDE"),
        (ReadingLimits(total=25), "ARCHIVO_TOTAL"),
    ],
)
def test_loose_files_have_the_limits_of_an_archive(tmp_path: Path, limits: ReadingLimits, code: str) -> None:
    source = tmp_path / "entrada"
    source.mkdir()
    for name in "abc":
        (source / f"{name}.html").write_bytes(b"x" * 11)
    folder = ForeignFolder(source)
    [offer] = find_offers(folder.entries(), profile("dir"))
    copies = Copista(tmp_path / "copia", folder, zone=ZONE, disk=Disk(), require_space=lambda _: None, limits=limits)
    with pytest.raises(PregonError) as refusal:
        copies.take(offer, con_sumas=False)
    assert refusal.value.codigo == code
    assert not (tmp_path / "copia").exists()
    assert sorted(path.name for path in source.iterdir()) == ["a.html", "b.html", "c.html"]


def client(tmp_path: Path, clock: ManualClock, require_space: Callable[[int], None]) -> ForeignClient:
    (tmp_path / "entrada").mkdir()
    return ForeignClient(
        tmp_path / "copia", ForeignFolder(tmp_path / "entrada"), call=profile("dir"), ambiente="oficial",
        clock=clock, memory=Memory(), previous=None, disk=Disk(), require_space=require_space,
    )  # fmt: skip


def test_an_official_difusor_takes_no_simulated_clock(tmp_path: Path) -> None:
    with pytest.raises(AjustesError):
        client(tmp_path, ManualClock(datetime(2027, 1, 1, tzinfo=UTC)), lambda _: None)


def test_nothing_is_copied_where_it_does_not_fit(tmp_path: Path) -> None:
    def refuse(needed: int) -> None:
        raise DiscoError(f"{needed}", intacto="", que_hacer="")

    clock = ManualClock(profile().inicio + timedelta(minutes=1), simulado=False)
    trust = client(tmp_path, clock, refuse)
    assert trust.check().verified is None
    (tmp_path / "entrada" / "index.html").write_bytes(b"x" * 1000)
    with pytest.raises(DiscoError, match="2000"):
        trust.check()
    assert not (tmp_path / "copia").exists()
