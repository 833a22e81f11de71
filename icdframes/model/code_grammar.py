"""How one code is written in each classification; it knows shapes, not which codes exist.

The shapes are those of every code of MMS 2022-02 and 2024-01, ICF 2022-09 and ICD-10 2019. In these releases
the second letter of an extension code also sets its length (XA… has six signs, XS… four); a later release may
begin a new letter, so that is not asked for here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from icdframes.model.cluster import CodeSystem, Icd10Mark, Member, ResidualKind

SEPARATOR = re.compile(r"[&/]|%26|%2F", re.IGNORECASE)
"""What stands between the codes of a cluster, as it is met in the field."""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE)


class _Shape:
    """The signs of a code one after the other: a head that must be there, a tail that may follow."""

    def __init__(self, advice: str, head: tuple[str, ...], tail: tuple[str, ...] = ()) -> None:
        self.advice = advice
        self.pattern = f"{''.join(head)}(?:{''.join(tail)})?"
        self._whole = _compiled(self.pattern)
        nested = ""
        for sign in reversed(head + tail):
            nested = f"(?:{sign}{nested})?"
        self._beginning = _compiled(nested)

    def fits(self, text: str) -> bool:
        return self._whole.fullmatch(text) is not None

    def misfit(self, text: str) -> int:
        """Offset of the first character that does not fit; the length where more is missing."""
        found = self._beginning.match(text)
        return found.end() if found else 0


_LETTER, _DIGIT, _SIGN = "[A-HJ-NP-Z]", "[0-9]", "[0-9A-HJ-NP-Z]"
_DEGREE = "[0-489]"  # of ICF: 5 to 7 are no degrees, 8 is not specified, 9 not applicable

STEM = _Shape(
    "an ICD-11 stem code looks like 1A00, 1A40.Z or 1D01.0Z (never with I or O)",
    ("[1-9A-HJ-NP-SV]", _LETTER, _DIGIT, _SIGN),
    (r"\.", _SIGN, f"{_SIGN}?"),
)
EXTENSION = _Shape(
    "an ICD-11 extension code looks like XS25, XN62R or XA7RE3 (never with I or O)",
    ("X", _LETTER, _DIGIT, _SIGN),
    (_SIGN, f"{_DIGIT}?"),
)
ICD10 = _Shape(
    "an ICD-10 code looks like A00, A00.0, A000 or A00-A09",
    ("[A-Z]", _DIGIT, _DIGIT),
    (r"\.?", _DIGIT, f"{_DIGIT}?"),
)
ICF = {
    component: _Shape(advice, (component, "[1-9]", _DIGIT, _DIGIT, f"{_DIGIT}{{0,2}}"), qualifiers)
    for component, advice, qualifiers in (
        ("b", "an ICF body function looks like b2109 or b2109.3", (r"\.", _DEGREE)),
        ("s", "an ICF body structure looks like s730 or s730.412", (r"\.", "[0-489_]", "[0-9_]?", "[0-9_]?")),
        ("d", "an ICF activity looks like d450, d450.12 or d450._2", (r"\.", "[0-489_]", "[0-489_]{0,4}")),
        ("e", "an ICF environmental factor looks like e310, e310.3 or e310+3", (r"(?:\.\+?|\+)", _DEGREE)),
    )
}

_BLOCK_HEAD = (*"BlockL", "[1-9]", "-")
BLOCKS: dict[CodeSystem, _Shape] = {
    "mms": _Shape("a block of the MMS looks like BlockL1-1A0", (*_BLOCK_HEAD, "[1-9A-HJ-NP-SV]", _LETTER, _DIGIT)),
    "icf": _Shape("a block of the ICF looks like BlockL3-b11", (*_BLOCK_HEAD, "[bdes]", "[1-9]", _DIGIT)),
}

_MMS_CHAPTER = _compiled("0[1-9]|1[0-9]|2[0-6]|V|X")
_ICD10_CHAPTER = _compiled("X?(?:I{1,3}|IV|VI{0,3}|IX)|XX?I{0,2}")
_ICF_CHAPTER = _compiled("[bdes][1-9]")
_ICF_POINT = re.compile("[.+]")
_LOOKS_ICF = re.compile(r"[bdes][1-9](?:\Z|[0-9]{2})|(?i:BlockL[1-9]-[bdes][0-9])")
_LOOKS_ICD10 = re.compile("[A-Za-z][0-9]")
_RESIDUALS: dict[str, ResidualKind] = {"Y": "other", "Z": "unspecified"}
_MARKS: dict[str, Icd10Mark] = {"†": "dagger", "+": "dagger", "*": "asterisk"}


def classification_of(text: str) -> CodeSystem:
    """Tell from its first characters how a code without a named classification is read."""
    if _LOOKS_ICF.match(text):
        return "icf"
    if _LOOKS_ICD10.match(text) or (_ICD10_CHAPTER.fullmatch(text) and not _MMS_CHAPTER.fullmatch(text)):
        return "icd10"
    return "mms"


def read_member(text: str, classification: CodeSystem) -> Member | None:
    """Read one code, block or range; None where the text is none."""
    member = _READERS[classification](text)
    if member or "-" not in text:
        return member
    first, last = (_READERS[classification](half.strip()) for half in text.split("-", 1))
    if first and last and _can_end_range(first) and _can_end_range(last) and first.code <= last.code:
        return Member(f"{first}-{last}", kind="range")
    return None


def misfit(text: str, classification: CodeSystem, *, extension: bool = False) -> tuple[int, str]:
    """Tell where a text that `read_member` does not read goes wrong, and what would fit."""
    block = BLOCKS.get(classification)
    if block and text[:5].lower() == "block":
        return block.misfit(text), block.advice
    start = end = 0
    for half in text.split("-", 1):
        code = half.strip()
        start = end + len(half) - len(half.lstrip())
        if not _READERS[classification](code):
            shape = EXTENSION if extension else _shape_of(code, classification)
            return start + shape.misfit(code), shape.advice
        end += len(half) + 1
    return start, "a range goes up from one bare stem code to another"


def _can_end_range(member: Member) -> bool:
    return member.kind == "category" and member.role == "stem" and not member.qualifiers and not member.mark


def _shape_of(text: str, classification: CodeSystem) -> _Shape:
    if classification == "icd10":
        return ICD10
    if classification == "icf":
        return ICF.get(text[:1].lower(), ICF["b"])
    return EXTENSION if text[:1] in {"X", "x"} else STEM


def _read_mms(text: str) -> Member | None:
    code = text.upper()
    if STEM.fits(text):
        return Member(code, residual=_RESIDUALS.get(code[-1]))
    if EXTENSION.fits(text):
        return Member(code, role="extension")
    if _MMS_CHAPTER.fullmatch(text):
        return Member(code, kind="chapter")
    return Member(f"BlockL{code[6:]}", kind="block") if BLOCKS["mms"].fits(text) else None


def _read_icf(text: str) -> Member | None:
    code = text.lower()
    if _shape_of(text, "icf").fits(text):
        number = _ICF_POINT.split(code, 1)[0]
        degrees = code[len(number) :].lstrip(".")
        return Member(number, qualifiers=(degrees,) if degrees.startswith("+") else tuple(degrees))
    if _ICF_CHAPTER.fullmatch(text):
        return Member(code, kind="chapter")
    return Member(f"BlockL{code[6:]}", kind="block") if BLOCKS["icf"].fits(text) else None


def _read_icd10(text: str) -> Member | None:
    mark = _MARKS.get(text[-1:])
    code = text[:-1] if mark else text
    if ICD10.fits(code):
        digits = code.replace(".", "").upper()
        return Member(f"{digits[:3]}.{digits[3:]}" if digits[3:] else digits, mark=mark)
    return Member(text.upper(), kind="chapter") if _ICD10_CHAPTER.fullmatch(text) else None


_READERS: dict[CodeSystem, Callable[[str], Member | None]] = {"mms": _read_mms, "icf": _read_icf, "icd10": _read_icd10}
