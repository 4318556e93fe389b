"""Cuts whose archive is a 7z (GRO-2.3d): published as any other, remade from the original, refused when hostile."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree
from pregon.trust.vigencia import online_expiry
from tests.difusor.conftest import FAR_LATER, files_of, without_twins
from tests.trust.conftest import FIN, INICIO, INTERVALO
from tests.vectors.archivos.sieteforge import Siete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory


def with_7zz(zipped: Path, target: Path, work: Path) -> None:
    """The same files as the zip, packed by the program that the institute would use."""
    subprocess.run(["unzip", "-q", zipped, "-d", work], check=True, capture_output=True, timeout=30)
    subprocess.run(["7zz", "a", "-bd", "-mx3", target, "."], cwd=work, check=True, capture_output=True, timeout=30)


def sign_7z(escena: Escena, corte: int, pack: Callable[[Path, Path], None]) -> None:
    """Sign a cut whose only archive is what ``pack`` makes of the zip."""
    hora = INICIO + INTERVALO * corte
    escena.clock.instant = hora
    tree = PackageTree()
    for ruta, data in files_of(corte, hora).items():
        tree.add(ruta, data)
    folder = escena.repository.cut_folder(corte)
    head = ManifestHead(
        convocatoria=escena.identity.convocatoria, instituto=escena.identity.instituto,
        ambiente=escena.identity.ambiente, elecciones=("GUB",), corte=corte, hora_corte=hora, generado=hora,
        proximo=hora + INTERVALO,
    )  # fmt: skip
    write_cut(folder, tree, head, escena.repository.last_manifest(), stamped_name(hora, "PREP_GUB_DEMO"))
    for changes in folder.glob("*.cambios.zip"):
        changes.unlink()
    [zipped] = folder.glob("*.zip")
    pack(zipped, zipped.with_suffix(".7z"))
    zipped.unlink()
    escena.repository.publish_cut(
        corte, now=hora, expira=online_expiry(FIN), siguiente=INICIO + FAR_LATER, intervalo=INTERVALO
    )


def test_a_cut_in_7z_is_published_and_remade_from_its_original(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    escena = escena_factory(reloj='fuente = "ninguna"')
    escena.cut(1)
    receiver = escena.receiver()
    assert receiver.run_once().error is None
    sign_7z(escena, 2, lambda zipped, target: with_7zz(zipped, target, tmp_path / "arbol"))
    outcome = receiver.run_once()
    assert (outcome.novedad, outcome.error) == (2, None)
    expected = escena.manifest_hashes(2)
    assert expected.items() <= without_twins(escena.public()).items()
    assert [path.suffix for path in (escena.workspace.historico / "0002").iterdir() if path.suffix != ".json"] == [
        ".7z"
    ]
    assert list(escena.workspace.recepcion.iterdir()) == []

    publisher = receiver._publisher
    lost = expected["index.html"]
    publisher.store.drop(lost)
    assert publisher.history.remake({lost}, escena.libro.cortes(), publisher.store) == set()
    assert publisher.store.intact(lost)


def test_a_hostile_7z_that_is_signed_leaves_nothing_and_the_public_cut_stays(escena_factory: EscenaFactory) -> None:
    escena = escena_factory()
    escena.cut(1)
    receiver = escena.receiver()
    assert receiver.run_once().error is None
    public, stored = escena.public(), sorted(escena.workspace.objetos.rglob("*"))
    link = Siete([("index.html", b"/etc/passwd")], attributes={0: 0o120777 << 16 | 0x8020}).build()
    sign_7z(escena, 2, lambda _, target: void(target.write_bytes(link)))
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert (outcome.error.codigo, outcome.error.salida) == ("ARCHIVO_ENLACE", 76)
    assert escena.public() == public
    assert sorted(escena.workspace.objetos.rglob("*")) == stored
    assert list(escena.workspace.recepcion.iterdir()) == []


def void(_: object) -> None:
    """For a lambda that gives nothing."""
