"""Until when each signature holds (design §2). Pure functions of the profile's values and a given instant.

What is public is never judged again by expiry: expiry alarms, it never blanks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

OFFLINE = timedelta(days=400)
"""Root and targets: longer than a year, so that one ceremony covers a process."""
AFTER_UPDATES = timedelta(days=2)
"""Cortes, avisos and snapshot: past the end of updates."""
INTERVALS = 2
"""Timestamp: intervals past the next cut before a silent institute is noticed."""
CLOSING_YEARS = 10
"""Closing cut, all roles: years past the permanence."""


def offline_expiry(now: datetime) -> datetime:
    """Root and targets: 400 days from ``now``."""
    return (now + OFFLINE).astimezone(UTC)


def online_expiry(fin_actualizacion: datetime) -> datetime:
    """Cortes, avisos and snapshot: end of updates + 2 days."""
    return (fin_actualizacion + AFTER_UPDATES).astimezone(UTC)


def timestamp_expiry(siguiente: datetime, intervalo: timedelta) -> datetime:
    """Timestamp: hour of the next cut + 2 intervals."""
    return (siguiente + INTERVALS * intervalo).astimezone(UTC)


def closing_expiry(permanencia_hasta: datetime) -> datetime:
    """Every role of the closing cut: end of permanence + 10 years."""
    end = permanencia_hasta.astimezone(UTC)
    try:
        return end.replace(year=end.year + CLOSING_YEARS)
    except ValueError:  # 29 February of a year whose tenth is not leap
        return end.replace(year=end.year + CLOSING_YEARS, month=3, day=1)
