"""Pregón and ``verifica.py`` on what no institute signs: the same verdict, and never more than the document says.

Everything here is signed with the right keys, as a thief of them or a faulty program would, or needs no key at all.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.paquete.contenido import review_files
from pregon.paquete.manifest import FileEntry
from pregon.sonda.comprobacion import Pedido, examine
from tests.trust.test_vectores import verifica
from tests.vectors.catalogo import NOW, unpacked
from tests.vectors.fabrica import Cut, Files, Key, Repo, put, sha256, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from pregon.sonda.informe import Informe

__all__ = ["verifica"]

ROOT = Repo().root(1, {})
ZIP = "20270607_0240_PREP_GUB_DEMO.zip"
LISTED = f"cortes/0002/{ZIP}"


@dataclass
class Doctored(Repo):
    """A repository whose documents are changed before they are signed (``edits``) or after (``raws``), by role."""

    edits: dict[str, Any] = field(default_factory=dict)
    raws: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)

    def root(self, version: int, changes: dict[str, Any]) -> bytes:
        data = super().root(version, changes)
        if version == 1 or "root" not in self.edits:
            return data
        document = json.loads(data)["signed"]
        self.edits["root"](document)
        return signed(document, "raiz-1", "raiz-2")

    def sign(self, name: str, document: dict[str, Any]) -> bytes:
        if name in self.edits:
            self.edits[name](document)
        data = super().sign(name, document)
        return self.raws[name](data) if name in self.raws else data


def both(
    verifica: ModuleType, target: Path, repository: Path | None = None, root: bytes = ROOT
) -> tuple[Informe, dict[str, Any]]:
    """What each says of ``target``."""
    place = None if repository is None else str(repository)
    asked = Pedido(raiz=root, repositorio=place, antes=None)
    ours = examine(str(target), asked, clock=ManualClock(NOW, simulado=False))
    return ours, verifica.Verifier(root, NOW, place, None).examine(str(target))


def in_meta(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda document: change(document["meta"][f"{name}.json"])


def in_roles(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda document: change(document["delegations"]["roles"])


def in_file(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["targets"][LISTED].update(changes)


def other_key(kind: str, scheme: str) -> Callable[[dict[str, Any]], object]:
    def change(root: dict[str, Any]) -> None:
        root["keys"][Key("timestamp-2").keyid] = {"keytype": kind, "scheme": scheme, "keyval": {"public": "aa" * 32}}

    return change


def first(role: dict[str, Any], **changes: object) -> Callable[[list[dict[str, Any]]], object]:
    return lambda roles: roles.insert(0, {**roles[1], **role, **changes})


def by_prefix(roles: list[dict[str, Any]]) -> None:
    del roles[0]["paths"]
    roles[0]["path_hash_prefixes"] = [""]


METADATA: dict[str, tuple[str, str, Callable[[dict[str, Any]], object]]] = {
    "a-key-of-another-kind": ("FIRMA", "root", other_key("ed25519", "ed25519")),
    "a-key-without-a-text": ("FIRMA", "root", lambda it: it["keys"][Key("timestamp-2").keyid].update(keyval=1)),
    "a-role-too-many": ("FIRMA", "root", lambda it: it["roles"].update(mirrors={"keyids": [], "threshold": 1})),
    "a-threshold-of-none": ("FIRMA", "root", lambda it: it["roles"]["timestamp"].update(threshold=0)),
    "a-key-twice": ("FIRMA", "root", lambda it: it["roles"]["timestamp"]["keyids"].append(Key("timestamp-2").keyid)),
    "names-without-numbers": ("RED", "root", lambda it: it.update(consistent_snapshot=False)),
    "a-version-of-the-format": ("FIRMA", "timestamp", lambda it: it.update(spec_version="1.x")),
    "an-expiry-in-short": ("FIRMA", "timestamp", lambda it: it.update(expires="2027-6-8T3:0:0Z")),
    "an-expiry-in-other-digits": ("FIRMA", "cortes", lambda it: it.update(expires="٢٠٢٧-06-08T03:00:00Z")),
    "an-hour-of-signing-by-weeks": (
        "FIRMA",
        "timestamp",
        lambda it: it["x-pregon"].update(firmado="2027-W23-1T02:40:00+00:00"),
    ),
    "a-timestamp-that-names-more": ("FIRMA", "timestamp", lambda it: it["meta"].update({"otro.json": {"version": 1}})),
    "a-snapshot-without-hash": ("FIRMA", "timestamp", in_meta("snapshot", lambda it: it.pop("hashes"))),
    "a-list-without-hash": ("FIRMA", "snapshot", in_meta("cortes", lambda it: it.pop("hashes"))),
    "targets-without-size": ("FIRMA", "snapshot", in_meta("targets", lambda it: it.pop("length"))),
    "a-second-hash-that-is-not": ("HASH", "snapshot", in_meta("cortes", lambda it: it["hashes"].update(sha512="0"))),
    "a-version-that-is-a-path": ("FIRMA", "snapshot", in_meta("cortes", lambda it: it.update(version="3/../3"))),
    "another-role-before": ("FIRMA", "targets", in_roles(first({"name": "otro"}, paths=["cortes/*/*"]))),
    "a-wider-role": ("FIRMA", "targets", in_roles(lambda it: it[0].update(paths=["*/*/*"]))),
    "a-role-by-prefix": ("FIRMA", "targets", in_roles(by_prefix)),
    "a-role-that-does-not-end": ("FIRMA", "targets", in_roles(lambda it: it[0].pop("terminating"))),
    "a-size-that-is-a-list": ("FIRMA", "cortes", in_file(length=[])),
    "a-negative-size": ("FIRMA", "cortes", in_file(length=-1)),
    "a-hash-that-is-a-number": ("FIRMA", "cortes", in_file(hashes={"sha256": 5})),
    "a-list-that-delegates-nonsense": ("FIRMA", "cortes", lambda it: it.update(delegations=5)),
}  # fmt: skip


@pytest.mark.parametrize("name", METADATA)
def test_metadata_of_another_shape_are_refused_alike(verifica: ModuleType, tmp_path: Path, name: str) -> None:
    code, role, change = METADATA[name]
    Doctored(roots=[{}, {}], edits={role: change}).write(tmp_path)
    ours, theirs = both(verifica, tmp_path)
    assert (ours.codigo, theirs["codigo"]) == (code, code), (ours.error, theirs)


def test_what_nobody_signed_beside_what_was_signed_is_refused(verifica: ModuleType, tmp_path: Path) -> None:
    """python-tuf verifies what it understood; a timestamp with more in it is not the one that was signed."""
    more = b'"otro.json": {"version": 1}, "snapshot.json"'
    Doctored(raws={"timestamp": lambda data: data.replace(b'"snapshot.json"', more)}).write(tmp_path)
    ours, theirs = both(verifica, tmp_path)
    assert (ours.codigo, theirs["codigo"]) == ("FIRMA", "FIRMA")


def stating(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest.update(changes)


_AUTHORISED = {"codigo": "X", "motivo": "m", "operador": "o", "hora": "2027-06-07T02:40:00Z"}
MANIFESTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "no-election": stating(elecciones=[]),
    "an-election-twice": stating(elecciones=["GUB", "GUB"]),
    "an-election-that-is-no-name": stating(elecciones=["GUB\n"]),
    "a-close-that-is-not-the-last": stating(cierre="horario"),
    "an-hour-without-seconds": stating(generado="2027-06-07T02:40+00:00"),
    "an-hour-by-weeks": stating(proximo="2027-W23-1T02:40:00+00:00"),
    "nothing-as-the-next-hour": stating(proximo=""),
    "a-number-as-yes": stating(incluye_especiales=1),
    "a-name-that-ends-in-a-line": stating(convocatoria="demo-2027\n"),
    "an-hash-that-ends-in-a-line": stating(anterior="a" * 64 + "\n"),
    "a-cut-of-five-digits": stating(corte=10000),
    "authorised-by-nobody": stating(autorizaciones=[{**_AUTHORISED, "operador": None}]),
    "authorised-at-no-hour": stating(autorizaciones=[{**_AUTHORISED, "hora": "ayer"}]),
    "larger-than-exact": lambda it: it["archivos"][0].update(bytes=(1 << 53) + 1),
    "too-deep-in-a-file": lambda it: it["archivos"][0].update(otra=json.loads("[" * 30 + "]" * 30)),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_that_is_not_admitted_is_refused_alike(verifica: ModuleType, tmp_path: Path, name: str) -> None:
    Repo([Cut(1), Cut(2, manifest=MANIFESTS[name])]).write(tmp_path)
    ours, theirs = both(verifica, tmp_path)
    assert (ours.codigo, theirs["codigo"]) == ("ARCHIVO_MANIFIESTO", "ARCHIVO_MANIFIESTO"), theirs


NAMES = {
    "a\u202egpj.exe": "ARCHIVO_BIDI",
    "a\u200bb": "ARCHIVO_CONTROL",
    "a\0b": "ARCHIVO_NULO",
    "Assets/x": "ARCHIVO_COLISION",
    "index.html/x": "ARCHIVO_COLISION",
    "\uff49ndex.html": "ARCHIVO_COLISION",
    "index.html": "ARCHIVO_DUPLICADO",
    "\uff4danifiesto.json": "ARCHIVO_RESERVADO",
    "CON.txt": "ARCHIVO_NOMBRE",
    "a. ": "ARCHIVO_NOMBRE",
    "ñ" * 128: "ARCHIVO_LARGO",
    "a/" * 16 + "a": "ARCHIVO_PROFUNDIDAD",
}


@pytest.mark.parametrize("name", NAMES, ids=NAMES.values())
def test_name_that_is_not_the_same_everywhere_is_refused_alike(verifica: ModuleType, tmp_path: Path, name: str) -> None:
    """The archive brings it too: nothing but its name is wrong."""

    def list_it(manifest: dict[str, Any]) -> None:
        manifest["archivos"].append({"ruta": name, "bytes": 0, "sha256": sha256(b"")})

    def bring_it(files: Files) -> None:
        files.setdefault(name, b"")

    Repo([Cut(1), Cut(2, manifest=list_it, archive=bring_it)]).write(tmp_path)
    ours, theirs = both(verifica, tmp_path)
    assert (ours.codigo, theirs["codigo"]) == (NAMES[name], NAMES[name])


@pytest.mark.parametrize("name", ["otro.7z", "otro.pdf", "otro.zip"])
def test_archive_under_a_name_that_nobody_signed_proves_nothing_by_itself(
    verifica: ModuleType, tmp_path: Path, name: str
) -> None:
    """Beside the true manifest of a true cut: without a key, anybody can put it there."""
    Repo().write(tmp_path)
    other = tmp_path / "targets" / "cortes" / "0002" / name
    other.write_bytes(b"otro resultado")
    ours, theirs = both(verifica, other)
    assert (ours.codigo, theirs["codigo"]) == ("ARCHIVO_ILEGIBLE", "ARCHIVO_ILEGIBLE")
    assert theirs["prueba"] == "ninguna"
    other.write_bytes(b"7z\xbc\xaf\x27\x1c" + b"otro resultado" * 9)
    ours, theirs = both(verifica, other)
    assert ours.fallo is not None
    assert (theirs["codigo"], theirs["prueba"]) == ("HASH", "ninguna")
    other.write_bytes(other.with_name(ZIP).read_bytes())
    ours, theirs = both(verifica, other)
    assert (ours.codigo, theirs["codigo"], theirs["prueba"]) == ("OK", "OK", "firma")


def test_signed_7z_under_another_name_is_known_by_its_bytes(verifica: ModuleType, tmp_path: Path) -> None:
    siete = b"7z\xbc\xaf\x27\x1c" + b"\0" * 40

    def also(targets: dict[str, Any]) -> None:
        targets["cortes/0002/corte.7z"] = {"hashes": {"sha256": sha256(siete)}, "length": len(siete)}

    Repo(listed=also).write(tmp_path)
    other = tmp_path / "targets" / "cortes" / "0002" / "copia.7z"
    put(other, siete)
    found = both(verifica, other)[1]
    assert (found["codigo"], found["sin_abrir"]) == ("OK", 1)
    put(other, siete[:-1] + b"\1")
    assert both(verifica, other)[1]["codigo"] == "HASH"


def test_archive_alone_takes_its_manifest_from_the_repository(verifica: ModuleType, tmp_path: Path) -> None:
    Repo().write(tmp_path / "repositorio")
    alone = tmp_path / "solo" / ZIP
    put(alone, (tmp_path / "repositorio" / "targets" / LISTED).read_bytes())
    for place in ("repositorio", "repositorio/metadata"):
        ours, theirs = both(verifica, alone, tmp_path / place)
        assert (ours.codigo, theirs["codigo"], theirs["corte"]) == ("OK", "OK", 2)
    ours, theirs = both(verifica, alone, tmp_path / "nada")
    assert (ours.codigo, theirs["codigo"]) == ("ENTRADA", "ENTRADA")
    ours, theirs = both(verifica, alone.rename(alone.with_name("x.zip")), tmp_path / "repositorio")
    assert (ours.codigo, theirs["codigo"]) == ("HASH", "HASH")


def test_nothing_behind_a_link_is_read(verifica: ModuleType, tmp_path: Path) -> None:
    Repo().write(tmp_path / "repositorio")
    for name in ("metadata", "targets/cortes/0002"):
        place, moved = tmp_path / "repositorio" / name, tmp_path / "ajena"
        place.rename(moved)
        place.symlink_to(moved, target_is_directory=True)
        ours, theirs = both(verifica, tmp_path / "repositorio")
        assert (ours.codigo, theirs["codigo"]) == ("RED", "RED")
        place.unlink()
        moved.rename(place)


def test_folder_as_deep_as_a_package_may_be_is_verified(verifica: ModuleType, tmp_path: Path) -> None:
    deep = "/".join("abcdefghijklmno") + "/x.html"
    Repo().write(tmp_path / "repositorio")

    def list_it(manifest: dict[str, Any]) -> None:
        manifest["archivos"].append({"ruta": deep, "bytes": 1, "sha256": sha256(b"x")})

    cut = Cut(2, manifest=list_it)
    Repo([Cut(1), cut]).write(tmp_path / "repositorio")
    folder = tmp_path / "carpeta"
    files = {**cut.files(), deep: b"x"}
    files["manifiesto.json"] = (tmp_path / "repositorio/targets/cortes/0002/manifiesto.json").read_bytes()
    for ruta, data in files.items():
        put(folder / ruta, data)
    ours, theirs = both(verifica, folder, tmp_path / "repositorio")
    assert (ours.codigo, theirs["codigo"]) == ("OK", "OK")


def test_name_on_the_disk_does_not_speak_to_the_terminal(
    verifica: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who hands over a folder chooses its names: none of them may clear the screen or write a verdict."""
    Repo().write(tmp_path / "repositorio")
    unpacked()(tmp_path)
    put(tmp_path / "carpeta" / "a\x1b[2J\nVeredicto: OK, probado con firmas", b"")
    ours, theirs = both(verifica, tmp_path / "carpeta", tmp_path / "repositorio")
    verifica.show(theirs)
    said = [
        *ours.lines(),
        *capsys.readouterr().out.splitlines(),
        *(ours.fallo.que_paso if ours.fallo else "").split("\n"),
    ]
    assert [line for line in said if line.startswith("Veredicto: OK")] == []
    assert all(line.isprintable() for line in said)
    assert any("\\x1b[2J\\nVeredicto" in line for line in said)


def test_claim_of_nobody_is_told_escaped_and_short(tmp_path: Path) -> None:
    """timestamp.json says of itself what whoever sends it wants, before any signature."""
    claim = {"ambiente": "x\x1b[2J\n" + "y" * 9000, "convocatoria": "c", "instituto": "i", "firmado": NOW.isoformat()}
    Repo(
        after=lambda folder: put(
            folder / "metadata/timestamp.json", json.dumps({"signed": {"x-pregon": claim}}).encode()
        )
    ).write(tmp_path)
    found = examine(str(tmp_path), Pedido(raiz=ROOT), clock=ManualClock(NOW, simulado=False))
    assert found.codigo == "AMBIENTE"
    assert found.fallo is not None
    assert found.fallo.que_paso.isprintable()
    assert len(found.fallo.que_paso) < 1000


def test_a_hundred_thousand_absent_files_are_told_in_seconds() -> None:
    """Each adds one failure; joined one at a time they took minutes."""
    entries = [FileEntry(f"a/{n}", 0, "0" * 64) for n in range(100_000)]
    before = time.process_time()
    found = review_files(entries, lambda _: None)
    assert time.process_time() - before < 15
    assert len(found.fallas) == found.archivos == 100_000
