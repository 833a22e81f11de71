"""How one code is written in each classification; it knows shapes, not which codes exist.

The shapes are those of every code of MMS 2022-02 and 2024-01, ICF 2022-09 and ICD-10 2019. In these releases
the second letter of an extension code also sets its length (XA… has six signs, XS… four); a later release may
begin a new letter, so that is not asked for here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.model.cluster import Cluster, CodeSystem, Icd10Mark, Member, ResidualKind

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


_CODE_SYSTEMS: tuple[CodeSystem, ...] = get_args(CodeSystem)
_SEPARATOR = re.compile("([&/])")
_ENCODED = re.compile("%(?:26|2[fF]|20)")
_DECODED = {"%26": "&  ", "%2F": "/  ", "%2f": "/  ", "%20": "   "}  # as long as before: offsets stay true
_DASHES = str.maketrans("‐‑‒–−", "-----")  # noqa: RUF001  these are what word processors make of a hyphen
_QUOTED = 60
_EXPECTED = {
    "": "here comes a code such as 1A00",
    "&": "after '&' comes an extension code such as XN62R",
    "/": "after '/' comes a stem code such as 5A11",
}


def parse_code(text: str, *, classification: CodeSystem | None = None) -> Cluster:
    """Read a code or a cluster of codes, without a network.

    Read are stem codes, extension codes and clusters of the MMS, ICF codes with qualifiers, ICD-10 codes
    with and without dot (a dagger or asterisk is noted), chapters, blocks and ranges, in capitals or not.
    Blanks around a code, ``%26`` and ``%2F`` for the separators and one ``/`` at the end are put right.

    Parameters
    ----------
    text : str
        Such as ``"2C25.2&XH74S1/5A11"``.
    classification : {"mms", "icf", "icd10"}, optional
        By default what the writing shows; see the module's table.

    Returns
    -------
    Cluster
        Also where there is one code only.

    Raises
    ------
    CodeSyntaxError
        If it is not written like a code; ``position`` is where. Whether the code exists is not looked at.
    ConfigurationError
        If there is no such classification, or it has no codes.

    Examples
    --------
    >>> import icdframes
    >>> cluster = icdframes.parse_code("2C25.2&XH74S1/5A11")
    >>> [(member.code, member.role, member.group) for member in cluster.members]
    [('2C25.2', 'stem', 0), ('XH74S1', 'extension', 0), ('5A11', 'stem', 1)]
    >>> icdframes.parse_code("1B12.2 &xa0g74").text
    '1B12.2&XA0G74'
    >>> icdframes.parse_code("a000", classification="icd10").text
    'A00.0'
    >>> icdframes.parse_code("1A0!")
    Traceback (most recent call last):
        ...
    icdframes.errors.CodeSyntaxError: '1A0!': '!' at character 4 does not fit; an ICD-11 stem code looks like ...

    """
    _check_arguments(text, classification)
    plain = _plain(text)
    pieces = list(_pieces(plain))
    system = classification or classification_of(pieces[0][1])
    if len(pieces) > 1 and system != "mms":
        raise _error(text, plain.index(pieces[1][0]), "only ICD-11 MMS codes are joined to clusters")
    members: list[Member] = []
    group = 0
    for separator, code, position in pieces:
        if not code:
            raise _error(text, position, _EXPECTED[separator])
        member = read_member(code, system)
        if not member:
            offset, advice = misfit(code, system, extension=separator == "&")
            raise _error(text, position + offset, advice)
        if advice := _misplaced(member, separator, alone=len(pieces) == 1):
            raise _error(text, position, advice)
        group += separator == "/"
        members.append(replace(member, group=group, position=position))
    return Cluster(tuple(members), system)


def normalize_code(text: str, *, classification: CodeSystem | None = None) -> str:
    """Give the canonical form of a code or cluster: capitals, its dot, no blanks, ``&`` and ``/`` as they are.

    Parameters
    ----------
    text, classification
        As for `parse_code`.

    Returns
    -------
    str
        Whether the code exists is not looked at. No network.

    Raises
    ------
    CodeSyntaxError
        If it is no code; its ``position`` is the first character that does not fit.

    Examples
    --------
    >>> import icdframes
    >>> icdframes.normalize_code("ne84%26xa6ku8 /")
    'NE84&XA6KU8'

    """
    return parse_code(text, classification=classification).text


def _check_arguments(text: object, classification: str | None) -> None:
    if classification is not None and classification not in _CODE_SYSTEMS:
        raise ConfigurationError(
            f"There are no codes of {classification!r}: give one of {', '.join(_CODE_SYSTEMS)}, or leave it out."
            f"{did_you_mean(str(classification), _CODE_SYSTEMS)}"
        )
    if not isinstance(text, str):
        raise CodeSyntaxError(f"{_excerpt(str(text))} is {type(text).__name__}, not text: read the column as text.")


def _plain(text: str) -> str:
    return _ENCODED.sub(lambda found: _DECODED[found[0]], text).translate(_DASHES)


def _pieces(plain: str) -> Iterator[tuple[str, str, int]]:
    """Give (separator before it, code, offset); a ``/`` at the very end is no separator."""
    parts = _SEPARATOR.split(plain)
    if len(parts) > 1 and parts[-2] == "/" and not parts[-1].strip():
        parts = parts[:-2]
    separator, offset = "", 0
    for index, part in enumerate(parts):
        if index % 2:
            separator = part
        else:
            yield separator, part.strip(), offset + len(part) - len(part.lstrip())
        offset += len(part)


def _misplaced(member: Member, separator: str, *, alone: bool) -> str:
    """Say what is wrong with this code at this place; nothing where all is well."""
    if alone:
        return ""
    if member.kind != "category":
        return f"a cluster is made of categories, and {member.code} is a {member.kind}"
    if separator == "&" and member.role == "stem":
        return f"{_EXPECTED['&']}; join the stem code {member.code} with '/'"
    if separator != "&" and member.role == "extension":
        return f"here comes a stem code such as 1A00; hang the extension code {member.code} on its stem with '&'"
    return ""


def _error(text: str, position: int, advice: str) -> CodeSyntaxError:
    quoted = _excerpt(text, position)
    if position < len(text):
        what = f"{quoted}: {text[position]!r} at character {position + 1} does not fit"
    else:
        what = f"{quoted} ends too early, after character {position}"
    return CodeSyntaxError(f"{what}; {advice}.", text=text, position=position)


def _excerpt(text: str, position: int = 0) -> str:
    if len(text) <= _QUOTED:
        return repr(text)
    start = max(0, position - _QUOTED // 2)
    end = start + _QUOTED
    return f"{'…' if start else ''}{text[start:end]!r}{'…' if end < len(text) else ''}"
