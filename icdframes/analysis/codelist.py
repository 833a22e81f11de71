"""Code lists of studies as values: what they take in and leave out, and the codes that this makes of a release."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import pandas as pd

from icdframes import __version__
from icdframes.analysis import codelist_files as files
from icdframes.analysis.codelist_expand import Expansion, check_table, combine, expand_rules, table_of
from icdframes.analysis.codelist_move import FIELDS, CodeListMove, RuleMover, changes_between, moved_list, replace_list
from icdframes.analysis.codelist_rules import CodeRule, Term, intervals_of, read_rule
from icdframes.analysis.matching import Tables, entities_of
from icdframes.analysis.tabular_order import CodeIndex
from icdframes.errors import ConfigurationError, check_option
from icdframes.model.cluster import CodeSystem
from icdframes.settings import licence_of

Operator: TypeAlias = Literal["|", "-", "&"]
RuleLike: TypeAlias = str | CodeRule

_WORDS = {"|": "or", "-": "without", "&": "and"}
_COMBINED = (
    "The list {name!r} is made of others with | - &: write it as JSON, which keeps them, or write the codes of a "
    "release: codelist.resolved(tables)."
)


@dataclass(frozen=True, slots=True, repr=False)
class CodeList:
    """A list of codes for a study, as rules that hold for every release; a value that never changes.

    Attributes
    ----------
    include, exclude : tuple of CodeRule
        What is taken in and what is left out. Give `CodeRule` values, or texts:

        - a code, a block's id, an entity id or URI: that entity and all below it;
        - the same behind ``=`` (``"=6D80"``): that entity alone;
        - a range (``"A00-A09"``) or a beginning (``"F0*"``);
        - an extension code (``"XM7S23"``): clusters that carry it or one below it;
        - a cluster (``"NE60&XM7S23/PB20"``): clusters with all of these, each with what is below it;
          extension codes on the same stem.

        The narrowest rule that has a code decides, so there may be exclusions inside what is taken in, and
        inclusions inside exclusions again. An excluded cluster, and an excluded extension code of which no
        branch is taken in, take out whole clusters whatever else these hold.
    name : str
        Name of the list, and of the column that `flag` adds.
    description : str or None
        What it is for.
    authors : tuple of str
        Who agreed on it.
    classification : {"mms", "icf", "icd10"}
        Whose codes it has.
    release : str or None
        The release for which it was made.
    parts : tuple of (str, CodeList)
        What ``|``, ``-`` and ``&`` added to the rules, in that order; work with the operators instead.

    Notes
    -----
    ``a | b``, ``a - b`` and ``a & b`` are the codes of either, of the first alone, and of both; clusters among the
    rules are compared as they are written. No network.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> dementia = icdframes.CodeList(["6D80-6D86", "XS25"], ["6D84"], name="dementia", release="2024-01")
    >>> dementia
    <CodeList 'dementia' mms 2024-01: 2 included, 1 excluded>
    >>> client = icdframes.connect("sandbox")
    >>> tables = icdframes.load_tables("07", release="2024-01")
    >>> insomnia = icdframes.CodeList(["7A00"], name="insomnia", release="2024-01")
    >>> insomnia.codes(tables)["code"].tolist(), len(insomnia.check(tables)), len(insomnia.rules())
    (['7A00'], 1, 1)
    >>> insomnia.resolved(tables).name, len(insomnia.intervals()), len(insomnia.expansion(tables).terms)
    ('insomnia', 1, 1)
    >>> move, again = insomnia.moved(tables, tables), icdframes.CodeList.from_dict(insomnia.to_dict())
    >>> insomnia.cite().partition(":")[0]
    'insomnia'
    >>> place = tempfile.mkdtemp() + "/list."
    >>> files = insomnia.to_csv(place + "csv"), insomnia.to_json(place + "json"), insomnia.to_excel(place + "xlsx")
    >>> insomnia.to_fhir_valueset(tables)["resourceType"]
    'ValueSet'

    """

    include: tuple[CodeRule, ...] = ()
    exclude: tuple[CodeRule, ...] = ()
    name: str = "codelist"
    description: str | None = None
    authors: tuple[str, ...] = ()
    classification: CodeSystem = "mms"
    release: str | None = None
    parts: tuple[tuple[Operator, CodeList], ...] = ()

    def __init__(
        self,
        include: Iterable[RuleLike] = (),
        exclude: Iterable[RuleLike] = (),
        *,
        name: str = "codelist",
        description: str | None = None,
        authors: str | Iterable[str] = (),
        classification: CodeSystem = "mms",
        release: str | None = None,
        parts: Iterable[tuple[Operator, CodeList]] = (),
    ) -> None:
        check_option("classification", classification, get_args(CodeSystem))
        if isinstance(include, str) or isinstance(exclude, str):
            raise ConfigurationError("include and exclude are lists of rules: put one code into brackets, ['6D80'].")
        taken = tuple(read_rule(rule, classification) for rule in include)
        left_out = tuple(read_rule(rule, classification) for rule in exclude)
        if both := {rule.key for rule in taken} & {rule.key for rule in left_out}:
            code = min(both)[0]
            raise ConfigurationError(f"The list {name!r} takes {code} in and leaves it out: drop one of the two rules.")
        who = (authors,) if isinstance(authors, str) else tuple(authors)
        values = (taken, left_out, str(name), description or None, who, classification, release, tuple(parts))
        for field, value in zip(FIELDS, values, strict=True):
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        counts = f"{len(self.include)} included, {len(self.exclude)} excluded"
        more = "".join(f" {op} {part.name!r}" for op, part in self.parts)
        return f"<CodeList {self.name!r}{more} {self.classification} {self.release or ''}".rstrip() + f": {counts}>"

    def __or__(self, other: CodeList) -> CodeList:
        return self._with("|", other)

    def __sub__(self, other: CodeList) -> CodeList:
        return self._with("-", other)

    def __and__(self, other: CodeList) -> CodeList:
        return self._with("&", other)

    def _with(self, operator: Operator, other: CodeList) -> CodeList:
        if not isinstance(other, CodeList):
            return NotImplemented
        if other.classification != self.classification:
            raise ConfigurationError(
                f"{self.name!r} has codes of {self.classification} and {other.name!r} of {other.classification}: "
                "translate one with map_codes first."
            )
        authors = tuple(dict.fromkeys((*self.authors, *other.authors)))
        name = f"{self.name} {_WORDS[operator]} {other.name}"
        return replace_list(self, name=name, authors=authors, parts=(*self.parts, (operator, other)))

    def expansion(self, tables: Tables | Any) -> Expansion:
        """Return what the rules take of some tables; `codes` is the same as a table."""
        made = Expansion((expand_rules(self.name, self.include, self.exclude, tables),))
        for operator, part in self.parts:
            made = combine(operator, made, part.expansion(tables))
        return made

    def intervals(self) -> tuple[Term, ...]:
        """Return the rules as ranges of code texts, which need no tables, for `flag`."""
        if self.parts:
            raise ConfigurationError(f"{self.name!r} is made of several lists: give the tables with tables=.")
        return (intervals_of(self.name, self.include, self.exclude, self.classification),)

    def codes(self, tables: Tables) -> pd.DataFrame:
        """Return the codes that the list has in a release, with the rule that took each.

        Parameters
        ----------
        tables : EntityTables or pandas.DataFrame
            From `load_tables` or `read_tabulation`, or the frame of `load_entity`.

        Returns
        -------
        pandas.DataFrame
            One row per code in tabular order, clusters last: code, title, class_kind (``cluster`` for those),
            is_leaf, rule (the code of the rule), note, entity_id. Blocks and chapters have no codes to be
            counted and no rows. No network.

        Raises
        ------
        ConfigurationError
            If a rule that takes in and one that leaves out cross without one lying in the other.

        Warns
        -----
        PartialResultWarning
            If rules name nothing in these tables.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> tables = icdframes.load_tables(release="2024-01")
        >>> insomnia = icdframes.CodeList(["7A00-7A0Z"], ["7A01"], name="insomnia")
        >>> insomnia.codes(tables)[["code", "title", "rule"]]
           code                            title       rule
        0  7A00                 Chronic insomnia  7A00-7A0Z
        1  7A0Z  Insomnia disorders, unspecified  7A00-7A0Z

        """
        return table_of(self.expansion(tables), tables)

    def resolved(self, tables: Tables) -> CodeList:
        """Return a list of single codes: those that this list has in the release of some tables.

        Returns
        -------
        CodeList
            Without exclusions (but of whole clusters), ranges and operators, for programs that know only codes.

        """
        found = self.codes(tables)
        rows = zip(found["code"], found["title"], found["class_kind"], found["rule"], strict=True)
        taken = [
            CodeRule(code, "cluster" if kind == "cluster" else "alone", None, None if pd.isna(title) else str(title))
            for code, title, kind, _ in rows
        ]
        kept = tuple(rule for rule in self.exclude if rule.scope == "cluster")
        return replace_list(self, include=taken, exclude=kept, parts=())

    def check(self, tables: Tables) -> pd.DataFrame:
        """Return what becomes of each rule in a release.

        Parameters
        ----------
        tables
            As for `codes`.

        Returns
        -------
        pandas.DataFrame
            One row per rule: rule (include or exclude), code, scope, n_codes (categories that it names), n_decided
            (those about which it decides, since no narrower rule has them), status: ``ok``, ``not_found``,
            ``no_effect`` (what it leaves out is not taken in anyway, or narrower rules decide everything), or
            ``whole_clusters`` (an extension code or cluster that decides about clusters). No network.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> tables = icdframes.load_tables(release="2024-01")
        >>> icdframes.CodeList(["7A00-7A0Z"], ["7A01", "1A00"]).check(tables)[["code", "n_decided", "status"]]
                code  n_decided     status
        0  7A00-7A0Z          2         ok
        1       7A01          1         ok
        2       1A00          1  no_effect

        """
        if self.parts:
            raise ConfigurationError(
                f"{self.name!r} is made of several lists: check each, or the one that resolved() gives."
            )
        index = CodeIndex(tables)
        return check_table(expand_rules(self.name, self.include, self.exclude, index, warns=False), index)

    def moved(self, old_tables: Tables, new_tables: Tables) -> CodeListMove:
        """Return the list for another release, with what that release does to it.

        Parameters
        ----------
        old_tables, new_tables : EntityTables or pandas.DataFrame
            The release for which the list was made, and the other one.

        Returns
        -------
        CodeListMove
            ``codelist`` and ``changes``. Rules follow their entities: one that has a new code is written with it.
            No network.

        Examples
        --------
        >>> import icdframes
        >>> client = icdframes.connect("sandbox")
        >>> old, new = (icdframes.load_tables("07", release=release) for release in ("2022-02", "2024-01"))
        >>> moved = icdframes.CodeList(["07"], name="sleep", release="2022-02").moved(old, new)
        >>> moved.codelist.release, sorted(set(moved.changes["change"]))
        ('2024-01', [...])

        """
        mover = RuleMover(CodeIndex(old_tables), CodeIndex(new_tables))
        provenance = entities_of(new_tables).attrs.get("provenance", {})
        found = moved_list(self, mover, provenance.get("release"))
        changes = changes_between(self.codes(old_tables), found.codes(new_tables), mover)
        changes.attrs["provenance"] = dict(provenance)
        return CodeListMove(found, changes)

    def rules(self) -> pd.DataFrame:
        """Return the rules as a table: code, title, rule (include or exclude), scope, note."""
        if self.parts:
            raise ConfigurationError(_COMBINED.format(name=self.name))
        return files.rules_frame(self.include, self.exclude)

    def cite(self) -> str:
        """Return one line for a paper: authors, name, release, size, and the source of the codes.

        Examples
        --------
        >>> import icdframes
        >>> print(icdframes.CodeList(["6D80"], name="Dementia", authors="A. Author", release="2024-01").cite())
        A. Author. Dementia: code list for mms release 2024-01, 1 rule. International Classification of Diseases
        Eleventh Revision (ICD-11), Geneva: World Health Organization, licence CC BY-ND 3.0 IGO. Made with icdframes ...

        """
        who = f"{', '.join(self.authors)}. " if self.authors else ""
        n_rules = len(self.include) + len(self.exclude)
        which = f"{self.classification}{f' release {self.release}' if self.release else ''}"
        size = f"{n_rules} rule{'s' if n_rules != 1 else ''}{', combined with other lists' if self.parts else ''}"
        source = licence_of(self.classification).rstrip(".")
        return f"{who}{self.name}: code list for {which}, {size}. {source}. Made with icdframes {__version__}."

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; `from_dict` reads them."""
        return files.about(self) | {
            "include": [rule.to_dict() for rule in self.include],
            "exclude": [rule.to_dict() for rule in self.exclude],
            "parts": [{"operator": operator, "list": part.to_dict()} for operator, part in self.parts],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CodeList:
        """Return the list that `to_dict` wrote.

        Raises
        ------
        FileFormatError
            If it is no code list.

        """
        known = files.checked(values)
        parts = [(part["operator"], cls.from_dict(part["list"])) for part in values.get("parts", ())]
        return cls(**known, parts=parts)

    def to_csv(self, path: str | os.PathLike[str], *, tables: Tables | None = None, overwrite: bool = False) -> Path:
        """Write the rules, or with tables the codes of a release, as CSV; `read_codelist` reads both.

        Parameters
        ----------
        path : path
            Ends in ``.csv``. Name, authors, release and citation stand in ``NAME.csv.provenance.json`` beside it.
        tables : EntityTables or pandas.DataFrame, optional
            Write two columns, ``code`` and ``term``, one row per code: the form of OpenCodelists and of most papers.
        overwrite : bool
            Whether a file of that name may be replaced.

        Returns
        -------
        pathlib.Path
            The file. No network.

        Raises
        ------
        ExportError
            If the file cannot be written.
        ConfigurationError
            If rules are asked of a list that is made of others.

        """
        frame = self.rules() if tables is None else files.terms_frame(self.codes(tables))
        return files.write_csv(frame, self, path, overwrite=overwrite)

    def to_json(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write everything that the list holds as JSON; the parameters are those of `to_csv`."""
        return files.write_json_file(self.to_dict(), path, overwrite=overwrite)

    def to_excel(self, path: str | os.PathLike[str], *, tables: Tables | None = None, overwrite: bool = False) -> Path:
        """Write a workbook with the sheets rules and about, and with tables also codes; as `to_csv` otherwise."""
        codes = None if tables is None else self.codes(tables)
        return files.write_excel(self.rules(), self, codes, path, overwrite=overwrite)

    def to_fhir_valueset(self, tables: Tables) -> dict[str, Any]:
        """Return a FHIR R5 ValueSet, which `read_codelist` reads again.

        Parameters
        ----------
        tables
            As for `codes`; they give titles, the codes of ranges, and which rule lies in which.

        Returns
        -------
        dict
            JSON. A branch is an ``is-a`` filter; an exclusion with an inclusion inside has ``is-not-a`` beside it;
            a range or beginning is the list of its codes with its text as rule; ``copyright`` is WHO's line. An
            excluded extension code that takes out whole clusters has no form in FHIR and is written as an
            exclusion of that code. No network.

        Raises
        ------
        ConfigurationError
            If the list is made of others.

        """
        if self.parts:
            raise ConfigurationError(_COMBINED.format(name=self.name))
        return files.valueset_of(self, expand_rules(self.name, self.include, self.exclude, tables), tables)
