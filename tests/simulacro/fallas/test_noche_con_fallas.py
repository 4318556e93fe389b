"""A night with faults on purpose, with its real processes, through the command; and its signed report."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pypdf
import pytest

from pregon.base.errors import AjustesError, EntradaError, EscrituraError, FirmaError, HashError, PregonError, UsoError
from pregon.base.procesos import start
from pregon.cli.notas import informe as ordena_informe
from pregon.simulacro.fallas.plan import DE_UN_DIFUSOR, DEL_INSTITUTO
from pregon.simulacro.notas.informe import revisa
from pregon.simulacro.session import Request, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("noche_con_fallas")

PLAN = """
[[falla]]
clase = "corrompido"
corte = 2
difusor = "difusor-1"

[[falla]]
clase = "proceso_muerto"
corte = 2

[[falla]]
clase = "corte_tarde"
corte = 3
minutos = 7
"""


def _simulacro(folder: Path, *options: str, timeout: float) -> tuple[int, str, dict[str, Any]]:
    output = folder / "salida"
    process = start([sys.executable, "-m", "pregon", "simulacro", *options, "--json"], output=output, folder=folder)
    try:
        status, text = process.wait(timeout), output.read_text()
    finally:
        process.stop()
    assert "\n{" in text, text
    return status, text, json.loads(text[text.index("\n{") :])


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, dict[str, Any], Path]:
    """The night of the three faults: exit status, what was printed, the object and its report."""
    folder = tmp_path_factory.mktemp("fallas")
    (folder / "plan.toml").write_text(PLAN)
    options = ("--fallas", "plan.toml", "--cortes", "4", "--difusores", "2", "--informe", "informe")
    return *_simulacro(folder, *options, timeout=240), folder / "informe"


def _mark(night: dict[str, Any], difusor: str, asunto: str, periodo: int | None, falla: int | None) -> list[Any]:
    return [
        (one["ocurrido"], one["cumplio"])
        for one in night["notas"]["notas"]
        if (one["difusor"], one["asunto"], one["periodo"], one["falla"]) == (difusor, asunto, periodo, falla)
    ]


def test_three_faults_are_applied_and_every_mark_is_as_the_plan_says(
    noche: tuple[int, str, dict[str, Any], Path],
) -> None:
    status, text, night, _ = noche
    assert status == 0, text
    assert night["ok"] is True
    assert [(one["n"], one["clase"], one["objetivo"], one["aplicada"]) for one in night["fallas"]] == [
        (1, "corrompido", "difusor-1", True),
        (2, "proceso_muerto", "difusor-2", True),
        (3, "corte_tarde", "instituto", True),
    ]
    assert all(one["desde"] < one["hasta"] for one in night["fallas"])
    stays, back = ("muestra el corte 0001", True), ("al terminar la falla, por sí mismo muestra el corte 0002", True)
    assert _mark(night, "difusor-1", "CORTES_PUBLICADOS", 2, 1) == [stays, back]
    assert _mark(night, "difusor-2", "CORTES_PUBLICADOS", 2, 2) == [stays, back]
    assert _mark(night, "difusor-1", "INTEGRIDAD", 2, 1) == [("no lo acepta, y lo dice (HASH)", True)]
    assert _mark(night, "difusor-2", "INTEGRIDAD", 2, 2) == []
    for name in ("difusor-1", "difusor-2"):
        meanwhile = "mientras no llega el corte, muestra el corte 0002"
        assert _mark(night, name, "CONTINUIDAD", 3, None) == [(meanwhile, True)]
        for period in (1, 3, 4):
            assert _mark(night, name, "CORTES_PUBLICADOS", period, None) == [(f"muestra el corte {period:04d}", True)]
        assert len(_mark(night, name, "NADA_ANTES", None, None)) == 1
    assert [(one["puntos"], one["grado"]) for one in night["notas"]["difusores"]] == [(100, "listo")] * 2


def test_the_usual_checks_hold_all_through_the_faults(noche: tuple[int, str, dict[str, Any], Path]) -> None:
    night = noche[2]
    assert [cut["numero"] for cut in night["cortes"]] == [1, 2, 3, 4]
    for difusor in night["difusores"]:
        held = [(check["codigo"], check["ok"]) for cut in difusor["cortes"] for check in cut["comprobaciones"]]
        assert all(ok for _, ok in held)
        assert [code for code, _ in held].count("SIN_MEZCLA") == 4
        assert [code for code, _ in held].count("BYTES_IGUALES") == 4
        assert [code for code, _ in held].count("TOTALES_IGUALES") == 3  # Not of the cut that it could not show.
        assert all(cut["segundos_a_visible"] > 0 for cut in difusor["cortes"])
        assert difusor["nota"] == 100


def test_the_report_is_signed_and_its_three_forms_say_the_same(noche: tuple[int, str, dict[str, Any], Path]) -> None:
    _, _, night, folder = noche
    said = revisa(folder)
    assert (said["ok"], said["convocatoria"], said["ambiente"]) == (True, "gro-2021", "simulacro")
    assert said["grados"] == {"difusor-1": "listo", "difusor-2": "listo"}
    told = json.loads((folder / "informe.json").read_bytes())
    assert told["notas"] == night["notas"]
    assert told["fallas"] == night["fallas"]
    page = (folder / "informe.html").read_text()
    paper = pypdf.PdfReader(folder / "informe.pdf")
    printed = " ".join(" ".join(one.extract_text() for one in paper.pages).split())
    for words in ("2 de 2 difusores están listos", "Se aplicaron 3 de 3 fallas", "GRO-1.1a", "7 minutos"):
        assert words in page
        assert words in printed
    assert page.count("<tr><td>GRO") == len(night["notas"]["notas"]) - page.count("<tr><td>continuidad")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "SIMULACRO" in printed


@pytest.mark.parametrize("name", ["informe.json", "informe.html", "informe.pdf"])
def test_one_altered_byte_of_a_report_is_noticed(
    noche: tuple[int, str, dict[str, Any], Path], tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "informe"
    shutil.copytree(noche[3], copy)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(HashError, match=name):
        revisa(copy)
    revisa(noche[3])


def test_grades_that_somebody_else_wrote_are_not_believed(
    noche: tuple[int, str, dict[str, Any], Path], tmp_path: Path
) -> None:
    copy = tmp_path / "informe"
    shutil.copytree(noche[3], copy)
    envelope = json.loads((copy / "firma.json").read_bytes())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    (copy / "firma.json").write_bytes(json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(PregonError) as caught:
        revisa(copy)
    assert caught.value.codigo in ("FIRMA", "FORMATO")


def test_the_root_of_another_institute_does_not_answer_for_the_report(
    noche: tuple[int, str, dict[str, Any], Path], tmp_path: Path
) -> None:
    root = json.loads((noche[3] / "raiz.json").read_bytes())
    root["signed"]["version"] = 2
    with pytest.raises(FirmaError):
        revisa(noche[3], json.dumps(root).encode())
    with pytest.raises(EntradaError):
        revisa(tmp_path)


def test_the_command_says_whether_the_report_is_whole(
    noche: tuple[int, str, dict[str, Any], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    ordena_informe(noche[3])
    printed = capsys.readouterr().out
    assert "íntegro y firmado: gro-2021" in printed
    assert "difusor-1: Listo" in printed


def _request(**more: Any) -> Request:
    usual = Request(
        convocatoria=None,
        noche=None,
        cortes=4,
        difusores=2,
        acelerar=600,
        semilla=7,
        transporte="entrada",
        fallas="todas",
    )
    return replace(usual, **more)


def _plan(text: str) -> Callable[[Path], dict[str, Any]]:
    def write(folder: Path) -> dict[str, Any]:
        (folder / "plan.toml").write_text(text)
        return {"fallas": folder / "plan.toml"}

    return write


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (lambda _: {"transporte": "carpeta"}, UsoError),
        (lambda _: {}, UsoError),
        (lambda folder: {"fallas": folder / "no-esta.toml"}, EntradaError),
        (_plan('[[falla]]\nclase = "sabotaje"\ncorte = 2\n'), AjustesError),
        (_plan('[[falla]]\nclase = "truncado"\ncorte = 9\n'), UsoError),
        (lambda folder: {"informe": folder, "cortes": 40}, EscrituraError),
    ],
    ids=["portador", "corta", "sin-plan", "plan-malo", "plan-fuera", "informe-ocupado"],
)
def test_a_night_that_cannot_be_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: Callable[[Path], dict[str, Any]],
    error: type[PregonError],
) -> None:
    temporary, own = tmp_path / "tmp", tmp_path / "propio"
    temporary.mkdir()
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    request, before = _request(**what(own)), sorted(own.iterdir())
    said: list[str] = []
    with pytest.raises(error):
        run(request, say=said.append, ready=said.append)
    assert list(temporary.iterdir()) == []
    assert sorted(own.iterdir()) == before
    assert not any("LISTO" in line or "quedan en" in line for line in said)


def _told(night: dict[str, Any]) -> list[tuple[Any, ...]]:
    keys = ("difusor", "asunto", "clausulas", "periodo", "falla", "esperado", "ocurrido", "cumplio")
    return [tuple(str(one[key]) for key in keys) for one in night["notas"]["notas"]]


@pytest.mark.aguante
def test_all_faults_with_ten_difusores_and_the_same_seed_gives_the_same_marks(tmp_path: Path) -> None:
    """Every fault applied, every invariant held, marks as the plan predicts; each night within 15 minutes."""
    nights = []
    for turn in ("una", "otra"):
        folder = tmp_path / turn
        folder.mkdir()
        status, text, night = _simulacro(
            folder, "--fallas", "todas", "--difusores", "10", "--semilla", "11", timeout=900
        )
        assert status == 0, text
        assert night["ok"] is True
        assert sorted(one["clase"] for one in night["fallas"]) == sorted((*DEL_INSTITUTO, *DE_UN_DIFUSOR))
        assert all(one["aplicada"] for one in night["fallas"])
        assert all(check["ok"] for d in night["difusores"] for cut in d["cortes"] for check in cut["comprobaciones"])
        assert all(one["cumplio"] for one in night["notas"]["notas"])
        nights.append(night)
    first, second = nights
    assert [(one["clase"], one["objetivo"], one["corte"]) for one in first["fallas"]] == [
        (one["clase"], one["objetivo"], one["corte"]) for one in second["fallas"]
    ]
    assert _told(first) == _told(second)
    assert first["notas"]["difusores"] == second["notas"]["difusores"]
