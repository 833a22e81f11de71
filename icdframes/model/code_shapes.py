"""How one code is written in each classification: its shape, and what only marks, pads or separates.

The shapes are those of every code of MMS 2022-02 and 2024-01, ICF 2022-09 and ICD-10 2019. In these releases
the second letter of an extension code also sets its length (XA… has six signs, XS… four); a later release may
begin a new letter, so that is not asked for here.

The patterns in capitals that `icdframes.analysis.matching` uses too are written for texts in upper case, and
only with what Python, RE2, Rust and Java read alike: no look-around, no back reference, every blank by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from icdframes.model.cluster import CodeSystem, Icd10Mark, Member, ResidualKind

BLANKS = "\t-\r\x1c- \x85\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff"
"""What goes between the brackets of a character class for blanks and other signs that nobody sees; \\s is not the
same in all engines."""
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"
"""What word processors make of a hyphen."""
MARKS = "†‡*+!"
"""Marks behind a code of ICD-10 that are no part of it."""
SEPARATORS = ",;|\\\\()\\[\\]{}\u3001\uff0c\uff1b\uff0f\uff5c\uff08\uff09\u00b7\u2022"
"""What stands between two codes besides blanks, for a character class; + does too, and is also a mark."""
WORDS = "(?:AND|OR|UND|ODER|ET|OU|Y|MIT|WITH)"
"""What may stand between two codes with blanks around it."""
PADDING = f"[-.,;|{MARKS}]+$"
"""What stands behind a code and says nothing of its own."""
QUALIFIED = r"^[BDES][0-9]{3,5}(?:\.\+?|\+)[0-9_Q]"
"""An ICF category with qualifiers: ICD-10 has no more than two digits before its dot."""
ODD = (
    r"^[0-9A-Z]{0,2}\.+[0-9A-Z]|^[0-9A-Z]+\.\.+[0-9A-Z]|^[0-9A-Z][A-Z][0-9](?:[0-9A-Z]{2,})?\.[0-9A-Z]"
    r"|^X[A-Z][0-9][0-9A-Z]*\.[0-9A-Z]"
)
"""A dot where no code has one, or two: whatever is written so, a sign may be missing."""
ODD_ICF = r"^[BDES][0-9]{1,2}\.[0-9]|^[BDES][0-9]{3,5}[.+].*[BDES][0-9]{3}"
"""In ICF b11.0 is not b110, and b110.2-d450 not one code."""
ICF_GAP = rf"^[{BLANKS}]*[BDES][0-9]{{3,5}}[{BLANKS}]+[0-9]"
"""In b110 2 of ICF a dot is missing, rather than a blank too much."""
STEM_CODE = r"^[1-9A-HJ-NP-SV][A-HJ-NP-Z][0-9]"
"""How a stem code of ICD-11 begins, also where & hangs it on another by mistake."""
SLASHED = r"^[A-Z][0-9][0-9A-Z]\.?[0-9]*[&/]\.?[0-9]{1,2}$"
"""What is no cluster: M8500/3 is a code of morphology, and A00.0/1 not A00.0."""
ODD_OTHERS = rf"^[A-Z][0-9][0-9A-Z]{{2,}}\.[0-9A-Z]|{SLASHED}"
"""Elsewhere E110.2 is a slip."""
SEVERAL_WORDS = rf"[0-9A-Z.]{{3}}[{BLANKS}]+[A-Z][0-9A-Z.]|^[^&/]*\.[0-9A-Z]*\.[0-9A-Z]"
"""What is more than one code, or a code with words, of which none is cut out: A00 to A09, A00.9.1."""
PADDED_WITH_X = "^[A-Z][0-9]{2,4}X+$"
"""A code of ICD-10 that is filled up to the length of longer ones."""
ABBREVIATED = "^[A-Z][0-9]{2}-[0-9]{2}$"
"""A range of ICD-10 whose last letter is left out, such as I20-25."""
SEPARATOR = re.compile(r"[&/]|%26|%2F", re.IGNORECASE)
"""What stands between the codes of a cluster, as it is met in the field."""

URI_PREFIX = (
    r"HTTPS?://ID\.WHO\.INT/ICD/"
    r"(?:ENTITY|RELEASE/10(?:/[0-9]{4})?|RELEASE/11(?:/(?:[0-9]{4}(?:-[0-9]{2})?|BETA))?/[A-Z]+)/"
)
"""What stands before the id in a URI of the API."""
SPELLINGS = {"%26": "&", "&AMP;": "&", "%2F": "/", "%20": " ", "/OTHER": "~OTHER", "/UNSPECIFIED": "~UNSPECIFIED"}
"""What is written otherwise before a text is read: a residual's id such as 257068234/other is no cluster."""

_SIGN_11, _LETTER_11 = "[0-9A-HJ-NP-Z]", "[A-HJ-NP-Z]"
_COMPLETE_10 = r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?"
_COMPLETE_ICF = r"[BDES][0-9]{3,5}(?:/?[.+]+[0-9A-Z_]+)*"
_COMPLETE_11 = (
    rf"(?:[1-9A-HJ-NP-SV]{_LETTER_11}[0-9]{_SIGN_11}(?:\.?{_SIGN_11}{{1,2}})?|X{_LETTER_11}[0-9]{_SIGN_11}{{1,3}})"
)
_GAP, _BETWEEN = f"[{BLANKS}]*", f"[{BLANKS}{SEPARATORS}+]"
_CLUSTER = f"{_COMPLETE_11}(?:{_GAP}[-&/]{_GAP}{_COMPLETE_11})*"
_PADDED, _PADDED_BEFORE_BLANK = f"[-.{MARKS}]*", rf"(?:\.-|[.{MARKS}])*"
_ONE_10 = f"(?:{_COMPLETE_10}|{_COMPLETE_ICF}){_PADDED}"
_ONE = (
    f"(?:{_COMPLETE_10}{_GAP}-{_GAP}{_COMPLETE_10}|{_COMPLETE_10}|{_COMPLETE_ICF}|{_CLUSTER}|[0-9]{{5,}}(?:~[A-Z]+)?)"
)
PAIR = f"{_ONE_10}(?:{_GAP}[&/]+{_GAP}{_ONE_10})+"
GLUED = (
    r"[A-Z][0-9]{2}\.?[0-9]{1,2}[A-Z][0-9]{2}(?:\.?[0-9]{1,2})?"
    r"|[A-Z][0-9]{2}(?:\.[0-9]{1,2})?[A-Z][0-9]{2}\.[0-9]{1,2}"
)
"""Two codes of ICD-10 with nothing between them, which national editions have no single code for: K297B980."""
SEVERAL = (
    f"^{_BETWEEN}*{_ONE}(?:{_PADDED_BEFORE_BLANK}[{BLANKS}]|{_PADDED}{_GAP}[{SEPARATORS}+])"
    f"{_BETWEEN}*(?:{WORDS}[{BLANKS}]+)?{_ONE}{_PADDED}(?:{_BETWEEN}|$)"
    f"|^{_BETWEEN}*{PAIR}{_BETWEEN}*$"
    f"|^{_BETWEEN}*{_COMPLETE_10}[{MARKS}]+{_COMPLETE_10}{_PADDED}{_BETWEEN}*$"
    f"|^{_BETWEEN}*(?:{GLUED}){_PADDED}{_BETWEEN}*$"
)
"""Two complete codes or more that form no cluster."""


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
        """Return the offset of the first character that does not fit; the length where more is missing."""
        found = self._beginning.match(text)
        return found.end() if found else 0


_LETTER, _DIGIT, _SIGN = "[A-HJ-NP-Z]", "[0-9]", "[0-9A-HJ-NP-Z]"
_DEGREE = "[0-489]"  # of ICF: 5 to 7 are no degrees, 8 is not specified, 9 not applicable

STEM = _Shape(
    "an ICD-11 stem code looks like 1A00, 1A40.Z or 1D01.0Z (never with I or O)",
    ("[1-9A-HJ-NP-SV]", _LETTER, _DIGIT, _SIGN),
    (r"\.?", _SIGN, f"{_SIGN}?"),
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
        ("d", "an ICF activity looks like d450, d450.12, d450._2 or d450.qp3", (r"\.", "[0-489_]", "[0-489_]{0,4}")),
        ("e", "an ICF environmental factor looks like e310, e310.3 or e310+3", (r"(?:\.\+?|\+)", _DEGREE)),
    )
}
_ICF_CODES_OF_2026 = _compiled(r"[bdes][1-9][0-9]{2,4}(?:\.q[a-z]{1,3}[0-9]{1,2})+")
_ICF_NEXT = _compiled(rf"\.?\+?{_DEGREE}")

_BLOCK_HEAD = (*"BlockL", "[1-9]", "-")
BLOCKS: dict[CodeSystem, _Shape] = {
    "mms": _Shape("a block of the MMS looks like BlockL1-1A0", (*_BLOCK_HEAD, "[1-9A-HJ-NP-SV]", _LETTER, _DIGIT)),
    "icf": _Shape("a block of the ICF looks like BlockL3-b11", (*_BLOCK_HEAD, "[bdes]", "[1-9]", _DIGIT)),
}

_MMS_CHAPTER = _compiled("0[1-9]|1[0-9]|2[0-6]|V|X")
_ICD10_CHAPTER = _compiled("X?(?:I{1,3}|IV|VI{0,3}|IX)|XX?I{0,2}")
_ICF_CHAPTER = _compiled("[bdes][1-9]?")
_ICF_POINT = re.compile("[.+]")
_ICF_GAP = re.compile(ICF_GAP, re.IGNORECASE)
_ICF_BLOCK = re.compile("BlockL([1-9])-([bdes])([1-9])", re.IGNORECASE)
_LOOKS_ICF = re.compile(
    r"[bdes](?:\Z|[1-9](?:\Z|[0-9]{2}))|(?i:BlockL[1-9]-[bdes][0-9]|[bdes][1-9][0-9]{2,4}(?:\.\+?|\+)[0-9_q])"
)
_LOOKS_ICD10 = re.compile("[A-Za-z][0-9]")
_FILLING = re.compile(r"(?<=[0-9])\.?X+\Z", re.IGNORECASE)
_SHORT_END = re.compile(r"([A-Za-z])([0-9]{2,})\Z")
_BLANK = re.compile(f"[{BLANKS}]")
_BEHIND = f"-.{MARKS}"
_RESIDUALS: dict[str, ResidualKind] = {"Y": "other", "Z": "unspecified"}
_MARKED: dict[str, Icd10Mark] = {"†": "dagger", "+": "dagger", "*": "asterisk"}


def classification_of(text: str) -> CodeSystem:
    """Return the classification whose codes begin like this text."""
    if _LOOKS_ICF.match(text):
        return "icf"
    if _LOOKS_ICD10.match(text) or (_ICD10_CHAPTER.fullmatch(text) and not _MMS_CHAPTER.fullmatch(text)):
        return "icd10"
    return "mms"


def read_member(text: str, classification: CodeSystem) -> Member | None:
    """Read one code, block or range, also with blanks inside and marks behind; None where the text is none."""
    member = _read_single(text, classification)
    core = _BLANK.sub("", text).rstrip(_BEHIND).replace(".--", "-")
    if member or "-" not in core:
        return member
    first, last = (_read_single(half, classification) for half in _range_ends(core))
    if first and last and _can_end_range(first) and _can_end_range(last) and _goes_up(first.code, last.code):
        return Member(f"{first}-{last}", kind="range")
    return None


def _read_single(text: str, classification: CodeSystem) -> Member | None:
    if classification == "icf" and _ICF_GAP.match(text):
        return None
    compact = _BLANK.sub("", text)
    core = compact.rstrip(_BEHIND)
    member = _READERS[classification](core)
    if member and classification == "icd10":
        marks = [_MARKED[sign] for sign in compact[len(core) :] if sign in _MARKED]
        return Member(member.code, kind=member.kind, mark=marks[0] if marks else None)
    return member


def _range_ends(text: str) -> tuple[str, str]:
    """Return both ends of a text with a hyphen; a last end such as 25 in I20-25 gets the letter of the first."""
    first, last = (half.strip() for half in text.split("-", 1))
    beginning = _SHORT_END.match(first)
    if beginning and last.isdecimal() and len(last) == len(beginning[2]):
        last = beginning[1] + last
    return first, last


def _goes_up(first: str, last: str) -> bool:
    """Return whether a range from one code to another holds a code."""
    return first <= last or first.startswith(last)


def misfit(text: str, classification: CodeSystem, *, extension: bool = False) -> tuple[int, str]:
    """Return where a text that `read_member` does not read goes wrong, and what would fit."""
    block = BLOCKS.get(classification)
    if block and text[:5].lower() == "block":
        return block.misfit(text), block.advice
    if classification == "icf" and (gap := _ICF_GAP.match(text)):
        return len(gap[0]) - 2, "a dot begins the qualifiers of ICF, such as in b110.2"
    start = end = 0
    for half in text.split("-", 1):
        code = half.strip()
        start = end + len(half) - len(half.lstrip())
        if not _read_single(code, classification):
            shape = EXTENSION if extension else _shape_of(code, classification)
            return start + _offset(code, shape.misfit(_BLANK.sub("", code))), shape.advice
        end += len(half) + 1
    return start, "a range goes up from one bare stem code to another"


def icf_chapter(code: str | None, block_id: str | None = None) -> str | None:
    """Return the chapter of an ICF category or block, such as ``"b1"``; of a whole component its letter.

    Parameters
    ----------
    code, block_id : str or None
        As WHO gives them; a category has a code, a block an id such as ``BlockL2-b11``.

    Examples
    --------
    >>> icf_chapter("b1100"), icf_chapter(None, "BlockL3-b11"), icf_chapter(None, "BlockL1-b11")
    ('b1', 'b1', 'b')

    """
    if code and _shape_of(code, "icf").fits(code):
        return code[:2].lower()
    found = _ICF_BLOCK.match(block_id or "")
    if not found:
        return None
    letter = found[2].lower()
    return letter if found[1] == "1" else letter + found[3]


def _offset(text: str, n: int) -> int:
    """Return the place of the n-th character that is no blank."""
    places = [place for place, sign in enumerate(text) if not _BLANK.match(sign)]
    return places[n] if n < len(places) else len(text)


def _can_end_range(member: Member) -> bool:
    return member.kind == "category" and member.role == "stem" and not member.qualifiers


def _shape_of(text: str, classification: CodeSystem) -> _Shape:
    if classification == "icd10":
        return ICD10
    if classification == "icf":
        return ICF.get(text[:1].lower(), ICF["b"])
    return EXTENSION if text[:1] in {"X", "x"} else STEM


def _dotted(code: str, width: int) -> str:
    signs = code.replace(".", "")
    return f"{signs[:width]}.{signs[width:]}" if signs[width:] else signs


def _read_mms(text: str) -> Member | None:
    if STEM.fits(text):
        code = _dotted(text.upper(), 4)
        return Member(code, residual=_RESIDUALS.get(code[-1]))
    if EXTENSION.fits(text):
        return Member(text.upper(), role="extension")
    if _MMS_CHAPTER.fullmatch(text):
        return Member(text.upper(), kind="chapter")
    return Member(f"BlockL{text.upper()[6:]}", kind="block") if BLOCKS["mms"].fits(text) else None


def _read_icf(text: str) -> Member | None:
    code = text.lower()
    written, *others = code.split("/")
    if code[:1] in {"d", "s"}:  # one qualifier after the other, which d450.1/.2 only writes apart
        written, others = written + "".join(part.lstrip(".") for part in others), []
    if _shape_of(written, "icf").fits(written) and all(map(_ICF_NEXT.fullmatch, others)):
        number = _ICF_POINT.split(written, 1)[0]
        return Member(number, qualifiers=tuple(q for part in (written[len(number) :], *others) for q in _degrees(part)))
    if _ICF_CODES_OF_2026.fullmatch(code):
        number, *qualifiers = code.split(".")
        return Member(number, qualifiers=tuple(qualifiers))
    if _ICF_CHAPTER.fullmatch(text):
        return Member(code, kind="chapter")
    return Member(f"BlockL{code[6:]}", kind="block") if BLOCKS["icf"].fits(text) else None


def _degrees(text: str) -> tuple[str, ...]:
    degrees = text.lstrip(".")
    return (degrees,) if degrees.startswith("+") else tuple(degrees)


def _read_icd10(text: str) -> Member | None:
    code = _FILLING.sub("", text)
    if ICD10.fits(code):
        return Member(_dotted(code.upper(), 3))
    return Member(text.upper(), kind="chapter") if _ICD10_CHAPTER.fullmatch(text) else None


_READERS: dict[CodeSystem, Callable[[str], Member | None]] = {"mms": _read_mms, "icf": _read_icf, "icd10": _read_icd10}
