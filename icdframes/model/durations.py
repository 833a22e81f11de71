"""Read ages, intervals and dates as people write them, and write them as WHO's interfaces take them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

UNKNOWN_DURATIONS = ("P", "PT")
"""What WHO's forms write for a duration that is not known."""

_DURATION = re.compile(
    r"P(?:(\d+)W|(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)",
    re.ASCII,
)
_DAYS = (7, 365.25, 365.25 / 12, 1, 1 / 24, 1 / 1_440, 1 / 86_400)
_NUMBER_AND_UNIT = re.compile(r"(\d+)(?:\.0+)?\s*([A-Za-z]+)\.?")
_UNITS = {
    "P{}Y": ("y", "yr", "yrs", "year", "years"),
    "P{}M": ("m", "mo", "mos", "month", "months"),
    "P{}W": ("w", "wk", "wks", "week", "weeks"),
    "P{}D": ("d", "day", "days"),
    "PT{}H": ("h", "hr", "hrs", "hour", "hours"),
    "PT{}M": ("min", "mins", "minute", "minutes"),
}
UNITS = {word: form for form, words in _UNITS.items() for word in words}
"""ISO 8601 form of each unit of age, by the words for it."""

_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?", re.ASCII
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MONTHS = 12
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def read_duration(value: Any) -> str | None:
    """Return an ISO 8601 duration; None where the value is none.

    Parameters
    ----------
    value : object
        A duration (``"P45Y"``), a number with its unit (``"45 years"``, ``"3 d"``; ``m`` is months), or a
        timedelta.

    Examples
    --------
    >>> read_duration("45 years"), read_duration("pt5h"), read_duration("45")
    ('P45Y', 'PT5H', None)

    """
    text = _of_timedelta(value) if isinstance(value, timedelta) else str(value).strip()
    if found := _NUMBER_AND_UNIT.fullmatch(text):
        form = UNITS.get(found[2].lower())
        return form.format(int(found[1])) if form else None
    upper = text.upper()
    return upper if _DURATION.fullmatch(upper) else None


def duration_in_days(text: str) -> float | None:
    """Return the days of an ISO 8601 duration, a year as 365.25; None where the text is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    return sum(float(number or 0) * days for number, days in zip(found.groups(), _DAYS, strict=True))


def _of_timedelta(value: timedelta) -> str:
    """Write a time span in its largest whole units of days, hours, minutes and seconds."""
    seconds = int(value.total_seconds())
    if seconds < 0:
        return str(value)
    days, rest = divmod(seconds, _DAY)
    parts = ((rest // _HOUR, "H"), (rest % _HOUR // _MINUTE, "M"), (rest % _MINUTE, "S"))
    clock = "".join(f"{number}{unit}" for number, unit in parts if number)
    return (f"P{days}D" if days else "P") + (f"T{clock}" if clock else "") if seconds else "P0D"


def read_date(value: Any) -> str | None:
    """Return a date as the API takes it; None where the value is none.

    Parameters
    ----------
    value : object
        ``2019-05-25``, with a time and zone or shortened to ``2019-05`` or ``2019``; a year as a number;
        ``25/05/2019``, the day first; or a date or timestamp.

    Examples
    --------
    >>> read_date("25/05/2019"), read_date(2019.0), read_date("05/25/2019")
    ('2019-05-25', '2019', None)

    """
    if isinstance(value, datetime):
        return value.date().isoformat()
    text = value.isoformat() if isinstance(value, date) else str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    if found := _SLASHED.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    match = _DATE.fullmatch(text)
    try:
        if match:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
            return text
    except ValueError:
        pass
    return None


def is_month_first(value: Any) -> bool:
    """Return whether a date can only be read with the month first, such as ``05/25/2019``."""
    found = _SLASHED.fullmatch(str(value).strip())
    return found is not None and int(found[1]) <= _MONTHS < int(found[2])


def years_between(birth: str, death: str) -> tuple[float, float] | None:
    """Return the least and the greatest age in years that two dates leave open; None where one is not known."""
    first, last = _DATE.fullmatch(birth), _DATE.fullmatch(death)
    if first is None or last is None:
        return None
    born, died = ((int(m[1]) + (int(m[2]) - 1) / _MONTHS if m[2] else int(m[1]), bool(m[2])) for m in (first, last))
    spans = [1 / _MONTHS if exact else 1 for _, exact in (born, died)]
    return max(0.0, died[0] - born[0] - spans[0]), died[0] - born[0] + spans[1]
