"""Codes and clusters without a network: read, check the writing, make canonical; it never asks whether a code exists.

A cluster joins codes of ICD-11: ``&`` hangs an extension code (X…) on the stem code before it, ``/`` begins
the next stem. ``2C25.2&XH74S1/5A11`` is two stems, the first with one extension.

Which classification a code belongs to is read from its beginning, unless it is named:

==================================  ======  ====================================================
looks like                          is      because
==================================  ======  ====================================================
``1A00``, ``BA40``, ``XN62R``       MMS     the second character is a letter
``A00``, ``A000``, ``B210``         ICD-10  a letter, then a digit
``b210``, ``d450.12``, ``b1``       ICF     small b, d, e, s, then one digit or at least three
``b21``                             ICD-10  ICF has no codes of two digits
``01`` … ``26``, ``V``, ``X``       MMS     chapters; name ``"icd10"`` for the chapters V and X
``I`` … ``XXII``                    ICD-10  all other chapters
==================================  ======  ====================================================

So dotless ICD-10 codes in small letters (``e119``) need ``classification="icd10"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from icdframes.errors import CodeSyntaxError, ConfigurationError, did_you_mean
from icdframes.model.cluster import Cluster, CodeSystem, Member
from icdframes.model.code_grammar import classification_of, misfit, read_member

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
