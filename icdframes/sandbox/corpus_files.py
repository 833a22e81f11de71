"""Load a corpus from a file or folder of any known kind."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from icdframes.errors import FileFormatError, ResponseShapeError
from icdframes.model.decode import TEXT_FIELDS, parse_entity
from icdframes.model.entity import Entity, EntityGraph
from icdframes.model.uris import EntityUri, parse_uri
from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.sample import sample_corpus

_BROWSED = re.compile(r"/browse/(?P<release>[^/]+)/")
_UNKNOWN_RELEASE = "2024-01"
_GIVE = "give raw entities as the ICD API sends them"
_TITLES = {
    "mms": "ICD-11 for Mortality and Morbidity Statistics",
    "icf": "International Classification of Functioning, Disability and Health (ICF)",
    "foundation": "WHO Family of International Classifications Foundation",
    "icd10": "International Statistical Classification of Diseases and Related Health Problems 10th Revision (ICD-10)",
}


def load_corpus(path: str | Path | None = None, *, text: str | Path | None = None) -> Corpus:
    """Load what a sandbox is to serve.

    Parameters
    ----------
    path : path, optional
        A folder written by ``icdframes.write_tables``; a ``.json`` or ``.json.gz`` file of
        raw entities as the API sends them (a list, or an object whose values they are),
        which are served verbatim but for a key ``level``; or WHO's tabulation. The
        shipped sample by default.
    text : path, optional
        Texts that go with a tabulation.

    Returns
    -------
    Corpus

    Raises
    ------
    FileFormatError
        If the file is missing or not of these kinds.

    Examples
    --------
    >>> from icdframes.sandbox import load_corpus
    >>> [(listing.classification, listing.release) for listing in load_corpus().of("mms")]
    [('mms', '2024-01'), ('mms', '2022-02')]

    """
    if path is None:
        return sample_corpus()
    place = Path(path)
    if not place.exists():
        raise FileFormatError(f"There is no corpus at {place}: give a folder of tables, a tabulation or a JSON file.")
    if place.is_dir():
        return _of_tables(place)
    if place.name.endswith((".json", ".json.gz")):
        return corpus_of_documents(_read_documents(place), source=str(place))
    return _of_tabulation(place, text)


def corpus_of_documents(documents: Iterable[Mapping[str, Any]], *, source: str = "the documents") -> Corpus:
    """Build a corpus of raw entities, the first of equal ``@id`` and language."""
    found: defaultdict[tuple[str, str], dict[str, tuple[Entity, dict[str, Any]]]] = defaultdict(dict)
    for position, document in enumerate(documents):
        raw = {key: value for key, value in document.items() if key != "level"}
        try:
            entity = parse_entity(raw)
        except ResponseShapeError as error:
            raise FileFormatError(f"Item {position} of {source} is no entity of the ICD API: {error}") from error
        uri = parse_uri(entity.uri)
        release = uri.release or _browsed_release(entity) or _UNKNOWN_RELEASE
        found[uri.classification, release].setdefault(entity.entity_id, (entity, raw))
    if not found:
        raise FileFormatError(f"There is no entity in {source}: {_GIVE}.")
    return Corpus(
        replace(
            _listing(classification, release, {key: entity for key, (entity, _) in pairs.items()}),
            documents={key: raw for key, (_, raw) in pairs.items()},
        )
        for (classification, release), pairs in found.items()
    )


def _listing(classification: str, release: str, entities: Mapping[str, Entity]) -> Listing:
    language = next((entity.language for entity in entities.values() if entity.language), "en")
    return Listing(
        classification=classification,
        release=release,
        entities={language: entities},
        languages=(language,),
        titles={language: _TITLES.get(classification, classification.upper())},
    )


def _read_documents(place: Path) -> Iterable[Mapping[str, Any]]:
    opened = gzip.open if place.name.endswith(".gz") else open
    try:
        with opened(place, "rt", encoding="utf-8") as file:
            content = json.load(file)
    except (ValueError, OSError, EOFError) as error:
        raise FileFormatError(f"{place} cannot be read as JSON ({error}): {_GIVE}.") from error
    if isinstance(content, dict):
        content = [content] if "@id" in content else list(content.values())
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise FileFormatError(f"{place} holds no list of entities, and no object of them: {_GIVE}.")
    return content


def _browsed_release(entity: Entity) -> str | None:
    match = _BROWSED.search(entity.browser_url or "")
    return match["release"] if match else None


def _of_graph(graph: EntityGraph, classification: str, release: str | None) -> Listing:
    """Return a listing whose links all name its release and whose children are all held."""
    release = release or _UNKNOWN_RELEASE
    named = None if classification == "foundation" else release
    ordered = [graph.entities[place.entity_id] for place in graph.tabular_list()]
    return _listing(
        classification,
        release,
        {
            entity.entity_id: replace(
                entity,
                uri=str(EntityUri(classification, named, entity.entity_id)),
                child_ids=tuple(child for child in entity.child_ids if child in graph.entities),
            )
            for entity in ordered
        },
    )


def _of_tables(folder: Path) -> Corpus:
    from icdframes.frames.entity_tables import read_tables  # noqa: PLC0415  loads pandas
    from icdframes.frames.subset import entities_from_tables, translations_from_tables  # noqa: PLC0415  loads pandas

    read = read_tables(folder)
    origin = read.provenance
    listing = _of_graph(entities_from_tables(read), origin.classification, origin.release)
    translations = {
        language: {
            key: _translated(entity, texts[key]) for key, entity in listing.entities[listing.languages[0]].items()
        }
        for language, texts in translations_from_tables(read).items()
    }
    entities = {**listing.entities, **translations}
    return Corpus([replace(listing, entities=entities, languages=tuple(entities))])


def _translated(entity: Entity, texts: Entity) -> Entity:
    own = {name: getattr(texts, name) for name in TEXT_FIELDS.values()}
    title = texts.title or entity.title
    return replace(entity, language=texts.language, title=title, translated=texts.translated, **own)


def _of_tabulation(place: Path, text: str | Path | None) -> Corpus:
    from icdframes.files.tabulation import read_tabulation_graph  # noqa: PLC0415  loads pandas

    graph, origin = read_tabulation_graph(place, text)
    return Corpus([_of_graph(graph, origin.classification, origin.release)])
