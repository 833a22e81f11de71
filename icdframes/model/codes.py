"""Codes and clusters without a network: read, check the writing, make canonical.

A cluster joins codes of ICD-11: ``&`` hangs an extension code (X…) on the stem code before it, ``/`` begins
the next stem. ``2C25.2&XH74S1/5A11`` is two stems, the first with one extension.

Which classification a code belongs to is read from its beginning, unless it is named:

==================================  ======  ====================================================
looks like                          is      because
==================================  ======  ====================================================
``1A00``, ``BA40``, ``XN62R``       MMS     the second character is a letter
``A00``, ``A000``, ``B210``         ICD-10  a letter, then a digit
``b210``, ``d450.12``, ``b1``       ICF     small b, d, e, s, then one digit or at least three
``B110.2``, ``E310+2``              ICF     three digits before qualifiers, which ICD-10 never has
``b21``                             ICD-10  ICF has no codes of two digits
``01`` … ``26``, ``V``, ``X``       MMS     chapters; name ``"icd10"`` for the chapters V and X
``I`` … ``XXII``                    ICD-10  all other chapters
==================================  ======  ====================================================

So dotless ICD-10 codes in small letters (``e119``) need ``classification="icd10"``.

Nothing is lost with what only marks or pads a code: case, dots, blanks around and inside it, a ``-`` or ``.-``
behind it, the marks ``† ‡ * + !``, and the X that fills up a code of ICD-10 (``I10X``). A dot elsewhere than in its
place is no spelling, nor a blank where the dot of ICF is missing. Two codes in one text are never one code:
`split_codes` takes them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.model.cluster import Cluster, CodeSystem, Member
from icdframes.model.code_shapes import (
    BLANKS,
    DASHES,
    GLUED,
    MARKS,
    PAIR,
    SEPARATORS,
    SEVERAL,
    SPELLINGS,
    URI_PREFIX,
    WORDS,
    classification_of,
    misfit,
    read_member,
)

_CODE_SYSTEMS: tuple[CodeSystem, ...] = get_args(CodeSystem)
_SEPARATOR = re.compile(r"([&/])(?!\s*[.+])")  # b110.3/.8 is one code
_ENCODED = re.compile("%(?:26|2[fF]|20)|&(?:amp|AMP);")
_DECODED = {
    "%26": "&  ",
    "%2F": "/  ",
    "%2f": "/  ",
    "%20": "   ",
    "&amp;": "&    ",
    "&AMP;": "&    ",
}  # offsets stay true
_DASHES = str.maketrans(dict.fromkeys(DASHES, "-"))
_BLANK = re.compile(f"[{BLANKS}]")
_URI = re.compile(URI_PREFIX)
_SEVERAL, _PAIR = re.compile(SEVERAL), re.compile(PAIR)
_JOINT = re.compile(rf"[{BLANKS}]*([&/]|(?<![.])-)[{BLANKS}]*")
_BETWEEN = re.compile(f"[{BLANKS}{SEPARATORS}]+")
_MARKED = re.compile(rf"(?<=[{MARKS}])(?=[0-9A-Za-z][0-9A-Za-z][0-9])")
_GLUED, _SINGLE_10 = re.compile(GLUED), re.compile(r"[A-Za-z][0-9]{2}(?:\.?[0-9]{1,2})?")
_WORDS = re.compile(f"{WORDS}|[^0-9A-Z]*", re.IGNORECASE | re.ASCII)
_ENDS = re.compile("^[,;| ]+|[,;| ]+$")
_BEGINNING = re.compile(r"([A-Za-z][0-9]?|[1-9A-HJ-NP-SVa-hj-np-sv][A-HJ-NP-Za-hj-np-z][0-9]?|[bdesBDES][1-9][0-9])\*")
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
    Blanks around and inside a code, marks and hyphens behind it, ``%26`` and ``%2F`` for the separators and one
    ``/`` at the end are put right.

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
        If it is not written like a code, or holds several codes that form no cluster; ``position`` is where.
        Whether the code exists is not looked at.
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
    if len(codes := split_codes(plain)) > 1:
        raise CodeSyntaxError(
            f"{_excerpt(text)} holds {len(codes)} codes, {', '.join(codes[:3])}{', …' if codes[3:] else ''}, and is no "
            "cluster of ICD-11: give one of them, or all to decode_codes(), which reads each.",
            text=text,
            position=plain.find(codes[1], len(codes[0])),
        )
    pieces = list(_pieces(plain))
    system = classification or classification_of(_BLANK.sub("", pieces[0][1]))
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
    """Return the canonical form of a code or cluster: capitals, its dot, no blanks, ``&`` and ``/`` as they are.

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


def split_codes(text: str) -> tuple[str, ...]:
    """Return the codes in one cell: none of a blank text, one of a code or cluster, more where it holds several.

    Parameters
    ----------
    text : str
        With commas, semicolons, bars, plus signs, backslashes, brackets, line breaks, blanks or a word such as
        "and" between codes; codes of ICD-10 and ICF also with ``/`` or ``&``, or one behind the mark of the other
        (``A17.0†G01*``), or with nothing between (``K297B980``).

    Returns
    -------
    tuple of str
        As they are written, without the blanks around them. A text that is no code is one.

    Examples
    --------
    >>> split_codes("A00.9, I10"), split_codes("2C25.2 & XH74S1"), split_codes("A17.0†/G01*"), split_codes("  ")
    (('A00.9', 'I10'), ('2C25.2 & XH74S1',), ('A17.0†', 'G01*'), ())

    """
    plain = _plain(text)
    if not _SEVERAL.search(_upper(plain)):
        return (plain.strip(),) if _BLANK.sub("", plain) else ()
    words = (word.lstrip("+") for word in _BETWEEN.split(_JOINT.sub(r"\1", plain)) if not _WORDS.fullmatch(word))
    pairs = (part for word in words for part in (re.split("[&/]+(?![.+])", word) if _is_pair(word) else (word,)))
    return tuple(code for part in pairs for one in _MARKED.split(part) for code in _unglued(one))


def read_interval(text: str, *, classification: CodeSystem | None = None) -> tuple[str, str] | None:
    """Return both ends of a range of codes (``A00-A09``) or of all codes with one beginning (``F0*``).

    Parameters
    ----------
    text, classification
        As for `parse_code`.

    Returns
    -------
    tuple of str or None
        In capitals and without dots. The last end stands for all codes that begin with it. None of a text that
        is one code, a block's id, or nothing of the kind.

    Examples
    --------
    >>> read_interval("a00.1 - A09"), read_interval("I20-25"), read_interval("F0*"), read_interval("A00")
    (('A001', 'A09'), ('I20', 'I25'), ('F0', 'F0'), None)

    """
    plain = _plain(text).strip()
    if _SEVERAL.search(_upper(plain)):
        return None
    if found := _BEGINNING.fullmatch(plain):
        return found[1].upper(), found[1].upper()
    member = read_member(plain, classification or classification_of(plain))
    if member is None or member.kind != "range":
        return None
    first, last = member.code.upper().replace(".", "").split("-")
    return first, last


def _check_arguments(text: object, classification: str | None) -> None:
    if classification is not None and classification not in _CODE_SYSTEMS:
        raise ConfigurationError(
            f"There are no codes of {classification!r}: give one of {', '.join(_CODE_SYSTEMS)}, or leave it out."
            f"{did_you_mean(str(classification), _CODE_SYSTEMS)}"
        )
    if not isinstance(text, str):
        raise CodeSyntaxError(f"{_excerpt(str(text))} is {type(text).__name__}, not text: read the column as text.")


def _plain(text: str) -> str:
    plain = _ENCODED.sub(lambda found: _DECODED[found[0]], text).translate(_DASHES)
    return _ENDS.sub(lambda found: " " * len(found[0]), plain)


def _upper(plain: str) -> str:
    upper = _URI.sub("", plain.upper())
    for written, meant in SPELLINGS.items():
        upper = upper.replace(written, meant)
    return upper


def _unglued(word: str) -> list[str]:
    return _SINGLE_10.findall(word) if _GLUED.fullmatch(word.rstrip(f"-.{MARKS}").upper()) else [word]


def _is_pair(word: str) -> bool:
    return _PAIR.fullmatch(word.upper()) is not None


def _pieces(plain: str) -> Iterator[tuple[str, str, int]]:
    """Yield (separator before it, code, offset); a ``/`` at the very end is no separator."""
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
    """Return what is wrong with this code at this place; an empty text where all is well."""
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
