"""The hour of the newest file in an archive, as its directory states it. Only of a zip, once it is admitted."""

from __future__ import annotations

import struct
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

_UNIX_TIMES = 0x5455
_HAS_MODIFIED = 1


def newest_entry(archive: Path, zone: ZoneInfo) -> datetime | None:
    """The newest hour among the files of a zip that ``paquete.reading`` admitted; None: a 7z, or it says none.

    The extra field of Info-ZIP is an instant; without it the hour is local, and ``zone`` says of where.
    """
    if not zipfile.is_zipfile(archive):
        return None
    with zipfile.ZipFile(archive) as opened:
        hours = [_hour(info, zone) for info in opened.infolist() if not info.is_dir()]
    return max((hour for hour in hours if hour is not None), default=None)


def _hour(info: zipfile.ZipInfo, zone: ZoneInfo) -> datetime | None:
    extra = info.extra
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        if tag == _UNIX_TIMES and size >= 5 and len(extra) >= 9 and extra[4] & _HAS_MODIFIED:
            return datetime.fromtimestamp(struct.unpack_from("<i", extra, 5)[0], UTC)
        extra = extra[4 + size :]
    try:
        return datetime(*info.date_time, tzinfo=zone)
    except ValueError:
        return None
