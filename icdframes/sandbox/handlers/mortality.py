"""Answer DORIS and CoDEdit by simple rules of our own, which are no use for real certificates.

DORIS: the underlying cause is the first condition on the lowest filled line of part 1. It is rejected where that
condition is no code of the release. CoDEdit makes the checks of `_ISSUES`; one id is WHO's, as it was observed.
What WHO's service cannot bind is refused with 400: numbers that are none, JSON of another shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icdframes.model.certificate import FIELDS, LINES, SEX, duration_in_days, years_between
from icdframes.sandbox.clusters import (
    Placed,
    code_expression,
    foundation_uri,
    place,
    place_uris,
    title_expression,
    uri_expression,
)
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.request_context import Answer, RequestContext, bad_request, json_answer, json_object

_NUMBERS = [field.api_name for field in FIELDS if field.kind in {"choice", "count"}]


_DISCLAIMER = "This is the icdframes sandbox, not WHO's {engine}: do not use it for real certificates."
_RULE = "Its one rule: the first condition on the lowest filled line of part 1 is the underlying cause of death."
_ISSUES: Mapping[str, str] = {
    "no-cause": "Part 1 is empty.",
    "unknown-code": "A condition is no code of the release, or a combination that does not fit.",
    "gap": "A line of part 1 is empty above a filled one.",
    "dates": "The death is before the birth.",
    "BER-CE-2": "The sex is not given.",
    "sex": "The sex is none of 1 (male), 2 (female) and 9 (unknown).",
    "sex-cause": "A cause from pregnancy, childbirth or the puerperium stands on the certificate of a male.",
    "age": "The age is no duration of 0 to 125 years, or the dates of birth and death say another age.",
    "age-cause": "A cause does not fit the age: one of the perinatal period from 1 year on, or one of pregnancy, "
    "childbirth or the puerperium outside 10 to 60 years.",
}
_UNJUDGED = "Clusters were not judged: the corpus has no postcoordination axes."
_PREGNANCY, _PERINATAL = "18", "19"
_MALE = "1"
_YEAR = 365.25
_OLDEST, _FERTILE = 125, (10, 60)
_LETTERS = "ABCDE"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause as it was written: a code or cluster, or URIs, or both."""

    code: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the rules look at.

    Attributes
    ----------
    lines : tuple of tuple of Cause
        Part 1, from line A down, up to the lowest filled one.
    part2 : tuple of Cause
        What contributed.
    birth, death : str
        Dates as written, empty where not given.
    sex, age : str
        The number for the sex and the ISO 8601 duration, as written.
    version : str
        ``"ICD11"``, or what else the certificate says.

    """

    lines: tuple[tuple[Cause, ...], ...]
    part2: tuple[Cause, ...] = ()
    birth: str = ""
    death: str = ""
    sex: str = ""
    age: str = ""
    version: str = "ICD11"


def from_query(query: Mapping[str, str]) -> Certificate:
    """Read the parameters of a GET; names in lower case."""
    for name in _NUMBERS:
        given = query.get(name.lower(), "0").strip()
        if not given.removeprefix("-").isdecimal():
            raise bad_request(f"{name} is {given!r}: give a whole number.")

    def causes(where: str) -> tuple[Cause, ...]:
        return _causes(query.get(f"causeofdeathcode{where}", ""), query.get(f"causeofdeathuri{where}", ""))

    lines = _filled(causes(line) for line in LINES)
    about = (query.get(name, "").strip() for name in ("datebirth", "datedeath", "sex", "estimatedage"))
    return Certificate(lines, causes("part2"), *about)


def from_document(document: Mapping[str, Any]) -> Certificate:
    """Read the JSON of a POST."""
    about = _typed(document, "AdministrativeData", dict, {})
    return Certificate(
        _filled(_conditions(line, "Part1[]") for line in _typed(document, "Part1", list, [])),
        _conditions(_typed(document, "Part2", dict, {}), "Part2"),
        _typed(about, "DateBirth", str, ""),
        _typed(about, "DateDeath", str, ""),
        str(_typed(about, "Sex", int, "")),
        _typed(about, "EstimatedAge", str, ""),
        _typed(document, "ICDVersion", str, "ICD11"),
    )


def _filled(lines: Iterable[tuple[Cause, ...]]) -> tuple[tuple[Cause, ...], ...]:
    found = list(lines)
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def _conditions(line: object, where: str) -> tuple[Cause, ...]:
    if not isinstance(line, dict):
        raise bad_request(f"{where} is no object.")
    causes: list[Cause] = []
    for condition in _typed(line, "Conditions", list, []):
        if not isinstance(condition, dict):
            raise bad_request(f"{where}.Conditions holds what is no object.")
        uri = _typed(condition, "LinearizationURI", str, "") or _typed(condition, "FoundationURI", str, "")
        causes += _causes(_typed(condition, "Code", str, ""), uri)
    return tuple(causes)


def _causes(codes: str, uris: str) -> tuple[Cause, ...]:
    """Pair codes and URIs that stand at the same place of their comma lists."""
    code_list, uri_list = _split(codes), _split(uris)
    length = max(len(code_list), len(uri_list))
    return tuple(
        Cause(code, uri) for code, uri in zip(_padded(code_list, length), _padded(uri_list, length), strict=True)
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _padded(texts: list[str], length: int) -> list[str]:
    return texts + [""] * (length - len(texts))


def _typed(document: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = document.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise bad_request(f"{key} is a JSON {type(value).__name__}, which it cannot be.")
    return value


@dataclass(frozen=True, slots=True)
class _Read:
    """One condition: where it stands, as written, and what it is in the release."""

    line: str
    written: str
    placed: Placed | None


@dataclass(frozen=True, slots=True)
class _Case:
    listing: Listing
    language: str
    certificate: Certificate
    conditions: tuple[_Read, ...]

    def table(self) -> str:
        """Return line, code and title of every condition, separated by tabs."""
        return "\n".join(["line\tcode\ttitle", *(f"{c.line}\t{c.written}\t{self.title(c)}" for c in self.conditions)])

    def title(self, condition: _Read) -> str:
        """Return what a condition means."""
        return title_expression(self.listing, condition.placed, self.language) if condition.placed else "unknown"


def doris(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/doris``."""
    case = _case(context)
    cause, fault = _underlying(case)
    said = _DISCLAIMER.format(engine="DORIS")
    if cause is None or cause.placed is None:
        nothing = dict.fromkeys(("stemCode", "stemURI", "code", "uri", "report", "tabularReport"))
        return json_answer({**nothing, "reject": True, "error": f"{said} {fault}", "warning": None})
    placed = cause.placed
    misfit = None if placed.fits else "A part of the underlying cause fits no axis of its stem."
    if misfit and not case.listing.has_axes:
        misfit = _UNJUDGED
    stem = Placed(placed.entity_id, placed.code)
    return json_answer(
        {
            "stemCode": placed.code,
            "stemURI": foundation_uri(placed) or uri_expression(stem, case.listing.classification, None),
            "code": code_expression(placed),
            "uri": uri_expression(placed, case.listing.classification, None),
            "report": f"{said}\n{_RULE}\nLine {cause.line}: {code_expression(placed)} {case.title(cause)}.\n",
            "tabularReport": case.table(),
            "reject": False,
            "error": None,
            "warning": misfit,
        }
    )


def codedit(context: RequestContext) -> Answer:
    """Answer ``/icd/release/11/{release}/codedit``."""
    case = _case(context)
    issues = tuple(_issues(case))
    lines = [_DISCLAIMER.format(engine="CoDEdit"), *(f"{name}: {_ISSUES[name]}" for name in issues)]
    if not case.listing.has_axes and any(c.placed is not None and c.placed.parts for c in case.conditions):
        lines.append(_UNJUDGED)
    report = "\n".join([*lines, *([] if issues else ["No issue was found."])])
    return json_answer({"report": report, "tabularReport": case.table(), "issueIds": ",".join(issues)})


def _case(context: RequestContext) -> _Case:
    listing = context.listing("mms", context.path["release"])
    language = context.language(listing)
    certificate = from_query(context.query) if context.body is None else from_document(json_object(context.body))
    lines = [*zip(_LETTERS, certificate.lines, strict=False), ("2", certificate.part2)]
    conditions = tuple(
        _Read(name, cause.code or cause.uri, _placed(context.corpus, listing, cause))
        for name, causes in lines
        for cause in causes
    )
    return _Case(listing, language, certificate, conditions)


def _placed(corpus: Corpus, listing: Listing, cause: Cause) -> Placed | None:
    placed = place(listing, cause.code) if cause.code else place_uris(corpus, listing, cause.uri)
    return placed if placed is not None and listing.entity(placed.entity_id).class_kind == "category" else None


def _underlying(case: _Case) -> tuple[_Read | None, str]:
    """Return the underlying cause, or None and why there is none."""
    version = case.certificate.version
    if version != "ICD11":
        return None, f"ICDVersion is {version!r}: only ICD11 is coded here."
    part1 = [condition for condition in case.conditions if condition.line != "2"]
    if not part1:
        return None, _ISSUES["no-cause"]
    first = next(condition for condition in part1 if condition.line == part1[-1].line)
    return first, f"{first.written!r} on line {first.line} is no code of {case.listing.release}."


def _issues(case: _Case) -> Iterator[str]:
    lines: Sequence[Sequence[Cause]] = case.certificate.lines
    if not lines:
        yield "no-cause"
    if any(_is_unknown(case.listing, condition.placed) for condition in case.conditions):
        yield "unknown-code"
    if not all(lines):
        yield "gap"
    birth, death = case.certificate.birth, case.certificate.death
    if birth and death and death[: len(birth)] < birth[: len(death)]:
        yield "dates"
    chapters = {case.listing.chapters[c.placed.entity_id] for c in case.conditions if c.placed is not None}
    yield from _sex_issues(case.certificate.sex, chapters)
    yield from _age_issues(case.certificate, chapters)


def _is_unknown(listing: Listing, placed: Placed | None) -> bool:
    return placed is None or (listing.has_axes and not placed.fits)


def _sex_issues(sex: str, chapters: Collection[str | None]) -> Iterator[str]:
    if not sex:
        yield "BER-CE-2"
    elif sex not in map(str, SEX.values()):
        yield "sex"
    elif sex == _MALE and _PREGNANCY in chapters:
        yield "sex-cause"


def _age_issues(certificate: Certificate, chapters: Collection[str | None]) -> Iterator[str]:
    between = years_between(certificate.birth, certificate.death)
    given = None
    if certificate.age not in {"", "P", "PT"}:
        days = duration_in_days(certificate.age)
        given = None if days is None else days / _YEAR
        if given is None or given > _OLDEST or (between and not between[0] - 1 <= given <= between[1] + 1):
            yield "age"
    ages = (given, given) if given is not None else between
    if ages is None:
        return
    is_child = _PERINATAL in chapters and ages[0] >= 1
    if is_child or (_PREGNANCY in chapters and not (ages[1] >= _FERTILE[0] and ages[0] <= _FERTILE[1])):
        yield "age-cause"
