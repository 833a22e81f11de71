"""A mapping between ICD-10 and ICD-11 as one typed frame with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import pandas as pd

from icdframes.errors import ComparabilityWarning, warn
from icdframes.frames.entity_tables import EntityTables
from icdframes.model.html import html_rows

Relation = Literal["equivalent", "broader", "narrower", "mapped", "unmapped"]

COLUMNS = {
    "source_code": "str", "source_title": "str", "source_chapter": "str", "source_kind": "str", "source_id": "str",
    "target_code": "str", "target_title": "str", "target_chapter": "str", "target_kind": "str", "target_id": "str",
    "foundation_id": "str", "relation": "str", "distance": "Int64", "position": "int64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edition:
    """A classification and its release, as far as the file names one."""

    classification: str
    release: str | None = None

    def __str__(self) -> str:
        return f"{self.classification} {self.release}" if self.release else self.classification


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CodeMapping:
    r"""A mapping between two classifications, one row per candidate.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns ``source_code``, ``source_title``, ``source_chapter``,
        ``source_kind``, ``source_id``, the same five for ``target_``,
        ``foundation_id`` (of the ICD-11 side), ``relation``, ``distance``,
        ``position``. ``relation`` tells how the target stands to the source:
        ``equivalent``; ``broader`` (WHO: the source is a subclass of it);
        ``narrower``; ``mapped`` where the file names a target and does not say of
        what kind; ``unmapped`` where WHO says "No Mapping". ``distance`` is WHO's:
        0 is stated, anything else was deduced that many levels away.
        ``position`` counts the candidates of one source from 1.
    source, target : Edition
        From what to what.
    version : str or None
        Date of the file, ``YYYY-MM-DD``.
    provenance : Mapping
        File, version, package version, licence.
    licence : str
        The line that must stand wherever the table is shown.

    Examples
    --------
    >>> import icdframes, tempfile
    >>> from pathlib import Path
    >>> text = (
    ...     "10ClassKind\t10DepthInKind\ticd10Code\ticd10Chapter\ticd10Title\tICD-11 FoundationURI\ticd11Title\t"
    ...     "2024-Jan-21\nCategory\t1\tA00\tI\tCholera\thttp://id.who.int/icd/entity/257068234\tCholera\t"
    ...     "Equivalent\t0\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "foundation_10To11MapToOneCategory.txt")
    ...     _ = file.write_text(text, encoding="utf-8")
    ...     mapping = icdframes.read_mapping(file)
    >>> mapping.version, mapping.target.classification
    ('2024-01-21', 'foundation')
    >>> client = icdframes.connect("sandbox")
    >>> mapping.check_release(client.load_tables(257068234, classification="foundation", depth=0))
    True

    """

    frame: pd.DataFrame
    source: Edition
    target: Edition
    version: str | None
    provenance: Mapping[str, Any]
    licence: str

    def check_release(self, tables: EntityTables) -> bool:
        """Return whether tables are of a release that this mapping was made for; warn where they are not.

        Parameters
        ----------
        tables : EntityTables
            Tables of the source or of the target classification.

        Returns
        -------
        bool
            False after an `ComparabilityWarning`.

        """
        found = Edition(tables.provenance.classification, tables.provenance.release)
        own = next((side for side in (self.source, self.target) if side.classification == found.classification), None)
        if own is None:
            problem = f"The mapping {self.source} → {self.target} has nothing to do with tables of {found}."
        elif own.release and found.release and own.release != found.release:
            problem = f"The mapping was made for {own}, the tables are of {found}: codes may differ."
        else:
            return True
        warn(f"{problem} Load the tables of {own or self.target}.", ComparabilityWarning)
        return False

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return "\n".join((f"CodeMapping {self._title()}", *(f"  {key}: {value}" for key, value in self._facts())))

    def _repr_html_(self) -> str:
        head = self.frame.head().to_html(index=False, na_rep="")
        return f"<p><b>{escape(self._title())}</b></p>{html_rows(self._facts())}{head}"

    def _title(self) -> str:
        return f"{self.source} → {self.target}, version {self.version or 'not stated'}"

    def _facts(self) -> list[tuple[str, str]]:
        sources = self.frame.groupby(["source_code", "source_id"], dropna=False)["target_id"].count()
        kinds = self.frame["relation"].value_counts()
        return [
            ("sources", f"{len(sources):,} ({(sources > 1).sum():,} with several candidates)"),
            ("candidates", ", ".join(f"{kind} {count:,}" for kind, count in kinds.items()) or "none"),
            ("file", str(self.provenance.get("file", ""))),
            ("licence", self.licence),
        ]
