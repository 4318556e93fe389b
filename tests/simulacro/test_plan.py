"""Which cuts a folder of real cuts gives, and what a result may call good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.errors import EntradaError, UsoError
from pregon.simulacro.plan import (
    Plan,
    PlannedCut,
    contest_files,
    election_window,
    group_by_stamp,
    read_plan,
    shortest_interval,
)
from pregon.simulacro.result import Check, CutAtDifusor, DifusorResult, NightResult, SignedCut

if TYPE_CHECKING:
    from pathlib import Path

MEXICO = ZoneInfo("America/Mexico_City")


def _stamp(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    """A stamp as the folders' names carry it: local, without a zone."""
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001


NOON = datetime(2021, 6, 6, 12, tzinfo=UTC)


def _csv(path: Path, *, actas: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("TITULO\nCLAVE_CASILLA,X\n" if actas else "ID_ESTADO,PARTIDO_CI\n")


def test_folders_group_by_stamp_and_files_without_stamp_are_passed_over(tmp_path: Path) -> None:
    _csv(tmp_path / "20210606_2240_PREP_GOB_X" / "X_GOB_2021.csv")
    _csv(tmp_path / "20210606_2240_PREP_AYUN_X" / "X_AYUN_2021.csv")
    _csv(tmp_path / "20210606_2320_PREP_GOB_X" / "X_GOB_2021.csv")
    (tmp_path / "20210606_2400_mal").mkdir()
    (tmp_path / "notas").mkdir()
    (tmp_path / "20210606_2340_PREP.zip").write_bytes(b"")
    groups = group_by_stamp(tmp_path)
    assert [(f"{g.sello:%H%M}", len(g.carpetas)) for g in groups] == [("2240", 2), ("2320", 1)]


def test_night_without_stamped_folders_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "no-existe"):
        with pytest.raises(EntradaError):
            group_by_stamp(folder)


def test_each_table_takes_its_own_catalogue_and_leeme(tmp_path: Path) -> None:
    folder = tmp_path / "20240603_2000_noche"
    for election in ("GUB", "DIP_LOC"):
        _csv(folder / f"PUE_{election}_2024.csv")
    loose = []
    for election in ("DIP_LOC", "GUB", "AYUN"):
        loose.append(tmp_path / "candidaturas" / f"PUE_{election}_Candidaturas_2024.csv")
        _csv(loose[-1], actas=False)
    (folder / "leeme.txt").write_text("léeme")
    [group] = group_by_stamp(tmp_path)
    found = {f.actas.name: f for f in contest_files(group, candidaturas=tuple(loose))}
    assert set(found) == {"PUE_GUB_2024.csv", "PUE_DIP_LOC_2024.csv"}
    assert found["PUE_GUB_2024.csv"].candidaturas == loose[1]
    assert found["PUE_DIP_LOC_2024.csv"].candidaturas == loose[0]
    assert all(f.leeme is not None and f.leeme.name == "leeme.txt" for f in found.values())


@pytest.mark.parametrize(
    ("last", "start", "end"),
    [
        (_stamp(2021, 6, 7, 20, 0), _stamp(2021, 6, 6, 20, 0), _stamp(2021, 6, 7, 20, 0)),
        (_stamp(2018, 7, 2, 21, 0), _stamp(2018, 7, 1, 20, 0), _stamp(2018, 7, 2, 21, 0)),
        (_stamp(2021, 6, 6, 23, 40), _stamp(2021, 6, 6, 20, 0), _stamp(2021, 6, 7, 20, 0)),
    ],
)
def test_night_starts_at_eight_of_the_sunday(last: datetime, start: datetime, end: datetime) -> None:
    assert election_window((last,), MEXICO) == (start.replace(tzinfo=MEXICO), end.replace(tzinfo=MEXICO))


def test_folder_that_ends_midweek_is_not_a_night() -> None:
    with pytest.raises(UsoError):
        election_window((_stamp(2021, 6, 11, 12, 0),), MEXICO)


def test_interval_is_the_shortest_gap() -> None:
    stamps = tuple(_stamp(2021, 6, 6, 22, minute) for minute in (0, 40, 55))
    assert shortest_interval(stamps) == timedelta(minutes=15)
    assert shortest_interval(stamps[:1]) == timedelta(minutes=20)


def test_plan_survives_the_trip_to_the_institute_process(tmp_path: Path) -> None:
    _csv(tmp_path / "20210606_2240_PREP_GOB_X" / "X_GOB_2021.csv")
    [group] = group_by_stamp(tmp_path)
    plan = Plan(
        PlannedCut(0, NOON, contest_files(group)),
        (PlannedCut(1, NOON + timedelta(hours=1), contest_files(group), ultimo=True, salto=True),),
    )
    assert read_plan(plan.to_bytes()) == plan.todos


def _night(*, seconds: float | None = 1.0, ok: bool = True, signed: int = 1) -> NightResult:
    difusor = DifusorResult("difusor-1", "http://x/")
    difusor.cortes = [CutAtDifusor(1, seconds, [Check("BYTES_IGUALES", ok=ok, detalle="")])]
    cuts = tuple(SignedCut(n, NOON, NOON, "0" * 64) for n in range(1, signed + 1))
    return NightResult("x", "simulacro", 7, cuts, (difusor,), esperados=1)


def test_night_is_good_only_if_every_cut_was_signed_seen_and_checked() -> None:
    assert _night().ok
    assert not _night(seconds=None).ok
    assert not _night(ok=False).ok
    assert not _night(signed=0).ok
    assert _night().difusores[0].nota == 100
    assert _night(ok=False).difusores[0].nota == 50
