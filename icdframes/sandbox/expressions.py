"""Write a placed code as codes, URIs or titles, and read URIs back.

Titles are joined as WHO's service was seen to do: ``Stem [value] [value] / other stem``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from icdframes.errors import CodeSyntaxError
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.clusters import Placed, arrange
from icdframes.sandbox.corpus import Corpus, Listing

_JOINT = re.compile(r"\s*([&/])\s*(?=https?://)")


def code_expression(placed: Placed) -> str:
    """Write codes, joined as WHO does: ``2C25.2&XH74S1/8B20``."""
    extensions, stems = _by_role(placed)
    return "/".join(["&".join([placed.code, *(part.code for part in extensions)]), *map(code_expression, stems)])


def uri_expression(placed: Placed, classification: str, release: str | None) -> str:
    """Write linearization URIs as WHO does, joined with blanks."""
    return _joined(placed, lambda part: str(EntityUri(classification, release, part.entity_id)))


def title_expression(listing: Listing, placed: Placed, language: str) -> str:
    """Write the titles of a stem and of all that was added."""
    title = listing.entity(placed.entity_id, language).title or ""
    extensions, stems = _by_role(placed)
    if extensions:
        title += "".join(f" [{title_expression(listing, part, language)}]" for part in extensions)
    return " / ".join([title, *(title_expression(listing, part, language) for part in stems)])


def foundation_uri(placed: Placed) -> str | None:
    """Return the foundation URI of the stem; None for a residual."""
    return str(EntityUri("foundation", None, placed.foundation_id)) if placed.foundation_id else None


def foundation_expression(placed: Placed) -> str | None:
    """Write foundation URIs; None where a part, such as a residual, is not in the foundation."""
    if any(part.foundation_id is None for part in _everything(placed)):
        return None
    return _joined(placed, lambda part: foundation_uri(part) or "")


def place_uris(corpus: Corpus, listing: Listing, text: str) -> Placed | None:
    """Read an expression of foundation or linearization URIs; None where one is unknown or stands wrong."""
    pieces = _JOINT.split(text.strip().removesuffix("/").strip())
    members: list[list[str | None]] = [[]]
    for joint, uri in zip(("&", *pieces[1::2]), pieces[::2], strict=True):
        if joint == "/":
            members.append([])
        members[-1].append(_entity_of(corpus, listing, uri))
    return arrange(listing, members)


def _entity_of(corpus: Corpus, listing: Listing, uri: str) -> str | None:
    try:
        named = parse_uri(uri)
    except CodeSyntaxError:
        return None
    if named.entity_id is None:
        return None
    if named.classification == "foundation":
        return corpus.coded_at(listing, named.entity_id)
    held = named.classification == listing.classification and named.release in {None, listing.release}
    return named.entity_id if held and named.entity_id in listing else None


def _joined(placed: Placed, write: Callable[[Placed], str]) -> str:
    extensions, stems = _by_role(placed)
    first = " & ".join([write(placed), *(_joined(part, write) for part in extensions)])
    return " / ".join([first, *(_joined(part, write) for part in stems)])


def _by_role(placed: Placed) -> tuple[list[Placed], list[Placed]]:
    extensions = [part for part in placed.parts if part.code.startswith("X")]
    return extensions, [part for part in placed.parts if part not in extensions]


def _everything(placed: Placed) -> Iterator[Placed]:
    yield placed
    for part in placed.parts:
        yield from _everything(part)
