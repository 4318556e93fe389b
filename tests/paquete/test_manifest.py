"""The manifest: canonical bytes, strict reading, every refusal naming its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pregon.base.errors import ArchivoError
from pregon.paquete.manifest import (
    MANIFEST_MAX_BYTES,
    Autorizacion,
    FileEntry,
    Manifest,
    ManifestHead,
    parse_manifest,
)
from pregon.paquete.names import NameSet, check_path

CENTRO = timezone(timedelta(hours=-6))
SHA = "0" * 63 + "a"

MANIFEST = Manifest(
    convocatoria="demo-2027",
    instituto="iedemo",
    ambiente="simulacro",
    elecciones=("GUB", "DIP"),
    corte=7,
    hora_corte=datetime(2027, 6, 6, 20, 20, tzinfo=CENTRO),
    generado=datetime(2027, 6, 7, 2, 20, 9, tzinfo=UTC),
    proximo=datetime(2027, 6, 6, 20, 40, tzinfo=CENTRO),
    anterior=SHA,
    incluye_especiales=True,
    autorizaciones=(Autorizacion("TOTAL", "acta ilegible", "op-1", datetime(2027, 6, 7, 2, 21, tzinfo=UTC)),),
    archivos=(FileEntry("datos/sección.json", 10, SHA), FileEntry("index.html", 0, SHA)),
)

KEYS = [
    "ambiente", "anterior", "archivos", "autorizaciones", "cierre", "convocatoria", "corte", "elecciones", "formato",
    "generado", "hora_corte", "incluye_especiales", "instituto", "proximo", "ultimo",
]  # fmt: skip


def edited(**changes: Any) -> bytes:
    table = json.loads(MANIFEST.to_bytes())
    table.update(changes)
    return json.dumps(table).encode()


def test_canonical_bytes_have_exactly_the_keys_of_the_contract_and_come_back_equal() -> None:
    data = MANIFEST.to_bytes()
    table = json.loads(data)
    assert list(table) == KEYS
    assert data.endswith(b"}\n")
    assert "sección".encode() in data
    assert table["hora_corte"] == "2027-06-06T20:20:00-06:00"
    assert parse_manifest(data) == MANIFEST
    assert parse_manifest(data).to_bytes() == data


def test_unknown_key_of_a_later_version_is_kept() -> None:
    manifest = parse_manifest(edited(firma_extra={"a": [1]}))
    assert manifest.otros == {"firma_extra": {"a": [1]}}
    assert json.loads(manifest.to_bytes())["firma_extra"] == {"a": [1]}


@pytest.mark.parametrize("key", KEYS)
def test_missing_key_is_refused_naming_it(key: str) -> None:
    table = json.loads(MANIFEST.to_bytes())
    del table[key]
    with pytest.raises(ArchivoError, match=f"«{key}»") as refusal:
        parse_manifest(json.dumps(table).encode())
    assert refusal.value.codigo == "ARCHIVO_MANIFIESTO"


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        ("formato", {"formato": "pregon/paquete/2"}),
        ("ambiente", {"ambiente": "prueba"}),
        ("convocatoria", {"convocatoria": "../x"}),
        ("elecciones", {"elecciones": []}),
        ("elecciones", {"elecciones": ["GUB", "GUB"]}),
        (r"elecciones\[0\]", {"elecciones": [1]}),
        ("corte", {"corte": "7"}),
        ("hora_corte", {"hora_corte": "0001-01-01T00:00:00+23:59"}),  # in UTC it is before the calendar
        ("proximo", {"proximo": "9999-12-31T23:59:59-00:01"}),
        ("corte", {"corte": True}),
        ("corte", {"corte": -1}),
        ("corte", {"corte": 10_000}),
        ("hora_corte", {"hora_corte": "2027-06-06T20:20:00"}),
        ("hora_corte", {"hora_corte": "20270606T202000-0600"}),
        ("hora_corte", {"hora_corte": "2027-02-30T20:20:00-06:00"}),
        ("ultimo", {"ultimo": 1}),
        ("cierre", {"cierre": "tarde"}),
        ("cierre", {"cierre": "horario"}),
        ("anterior", {"anterior": SHA.upper()}),
        ("archivos", {"archivos": {}}),
        (r"archivos\[0\]", {"archivos": ["index.html"]}),
        (r"archivos\[0\].bytes", {"archivos": [{"ruta": "a", "bytes": -1, "sha256": SHA}]}),
        (r"archivos\[0\].sha256", {"archivos": [{"ruta": "a", "bytes": 1, "sha256": "abc"}]}),
        (r"archivos\[0\].ruta", {"archivos": [{"bytes": 1, "sha256": SHA}]}),
        (r"autorizaciones\[0\].hora", {"autorizaciones": [{"codigo": "", "motivo": "", "operador": "", "hora": 1}]}),
    ],
)
def test_wrong_value_is_refused_naming_its_place(where: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ArchivoError, match=f"«{where}»") as refusal:
        parse_manifest(edited(**changes))
    assert refusal.value.codigo == "ARCHIVO_MANIFIESTO"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        b'{"corte": 1, "corte": 2}',
        b'{"corte": 1.5}',
        b'{"corte": NaN}',
        b"[" * 100_000,
        edited(x={"nota": "\ud83d"}),  # half a character: it could be read and never written again
        edited(autorizaciones=[{"codigo": "\udc00", "motivo": "", "operador": "", "hora": "2027-06-07T02:20:00Z"}]),
        edited(x=json.loads("[" * 40 + "]" * 40)),
        b"{}" + b" " * MANIFEST_MAX_BYTES,
    ],
    ids=[
        *("empty", "list", "not UTF-8", "BOM", "repeated key", "fraction", "NaN", "nested"),
        *("half a character", "half a character in an authorisation", "too deep to be written again", "too large"),
    ],
)
def test_what_is_not_a_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ArchivoError) as refusal:
        parse_manifest(data)
    assert refusal.value.codigo == "ARCHIVO_MANIFIESTO"


@pytest.mark.parametrize(
    ("rutas", "codigo"),
    [
        (["../evil"], "ARCHIVO_SUPERIOR"),
        (["/evil"], "ARCHIVO_ABSOLUTA"),
        (["a", "a"], "ARCHIVO_DUPLICADO"),
        (["a", "A"], "ARCHIVO_COLISION"),
        (["manifiesto.json"], "ARCHIVO_RESERVADO"),
        (["a\ud800"], "ARCHIVO_CONTROL"),
    ],
)
def test_manifest_obeys_the_policy_of_names(rutas: list[str], codigo: str) -> None:
    with pytest.raises(ArchivoError) as refusal:
        parse_manifest(edited(archivos=[{"ruta": ruta, "bytes": 1, "sha256": SHA} for ruta in rutas]))
    assert refusal.value.codigo == codigo


def test_instants_without_offset_are_never_written() -> None:
    head = {name: getattr(MANIFEST, name) for name in ManifestHead.__dataclass_fields__}
    naive = Manifest(**{**head, "generado": datetime(2027, 6, 7)}, anterior=None, archivos=())  # noqa: DTZ001
    with pytest.raises(ValueError, match="offset"):
        naive.to_bytes()


def test_prefix_of_a_folder_name_is_not_the_folder() -> None:
    names = NameSet()
    names.add_file("srv/pub/a")
    names.add_file("srv/pub-evil")
    assert check_path("srv/pub-evil/..a") == "srv/pub-evil/..a"
