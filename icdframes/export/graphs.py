"""Write tables as a networkx graph, or as SKOS in an rdflib graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from icdframes.errors import MissingExtraError
from icdframes.frames.entity_tables import EntityTables, check_tables
from icdframes.model.uris import EntityUri

if TYPE_CHECKING:
    import networkx as nx
    import rdflib


_TEXTS = {
    "title": "prefLabel", "fully_specified_name": "altLabel", "definition": "definition",
    "long_definition": "definition", "coding_note": "scopeNote",
}  # fmt: skip
_LABELS = {
    "synonym": "altLabel",
    "inclusion": "hiddenLabel",
    "narrower_term": "hiddenLabel",
    "index_term": "hiddenLabel",
}


def to_networkx(tables: EntityTables) -> nx.DiGraph:
    """Turn tables into a directed graph from parents to children.

    Parameters
    ----------
    tables : EntityTables
        Any classification; several parents stay several edges.

    Returns
    -------
    networkx.DiGraph
        A graph of entity ids. Attributes of an entity are its columns, without
        the missing ones; of an edge, ``position`` among the children. Parents
        outside the tables are left out. ``graph["provenance"]`` holds the
        provenance with WHO's licence line. No network connection is made.

    Raises
    ------
    MissingExtraError
        If networkx is not installed.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> graph = icdframes.to_networkx(icdframes.load_tables("1A00", release="2024-01"))  # doctest: +SKIP
    >>> graph.nodes["257068234"]["title"]  # doctest: +SKIP
    'Cholera'

    """
    check_tables(tables)
    try:
        import networkx as nx  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("A networkx graph", "networks") from error
    graph: nx.DiGraph = nx.DiGraph(provenance=tables.provenance.to_dict())
    for row in tables.entities.to_dict("records"):
        known = {str(name): value for name, value in row.items() if pd.notna(value)}
        graph.add_node(known.pop("entity_id"), **known)
    edges = zip(*(tables.edges[name] for name in ("parent_id", "child_id", "position")), strict=True)
    for parent, child, position in edges:
        if parent in graph and child in graph:
            graph.add_edge(parent, child, position=position)
    return graph


def to_skos(tables: EntityTables) -> rdflib.Graph:
    """Turn tables into a SKOS concept scheme.

    Parameters
    ----------
    tables : EntityTables
        Any classification.

    Returns
    -------
    rdflib.Graph
        One ``skos:Concept`` per entity under its WHO URI, with prefLabel (one per
        language), altLabel (fully specified name, synonyms), hiddenLabel
        (inclusions, narrower terms, index terms), definition, scopeNote (coding
        note, exclusions), notation (code), broader and narrower within the tables,
        and ``dcterms:source``, its foundation entity. The scheme is the release
        and carries WHO's licence line as ``dcterms:rights``.
        ``graph.serialize("icd.ttl")`` writes Turtle. No network.

    Raises
    ------
    MissingExtraError
        If rdflib is not installed.

    Examples
    --------
    >>> import icdframes
    >>> client = icdframes.connect("sandbox")
    >>> graph = icdframes.to_skos(icdframes.load_tables("1A00", release="2024-01"))  # doctest: +SKIP
    >>> len(graph), "cholera" in graph.serialize(format="turtle")  # doctest: +SKIP
    (27, True)

    """
    check_tables(tables)
    try:
        import rdflib  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingExtraError("SKOS", "skos") from error
    graph: rdflib.Graph = _SkosWriter(rdflib, tables).graph
    return graph


class _SkosWriter:
    """Builds the graph of one set of tables."""

    def __init__(self, library: Any, tables: EntityTables) -> None:
        self.literal, self.ref = library.Literal, library.URIRef
        self.skos, self.dcterms, self.type = library.SKOS, library.DCTERMS, library.RDF.type
        self.graph = library.Graph()
        self.language = tables.provenance.language
        scheme = EntityUri(tables.provenance.classification, tables.provenance.release, None)
        self.scheme = self.ref(str(scheme))
        self.concepts = {
            entity_id: self.ref(str(EntityUri(scheme.classification, scheme.release, entity_id)))
            for entity_id in tables.entities["entity_id"]
        }
        self._scheme(scheme, tables.provenance.licence)
        for row in tables.entities.to_dict("records"):
            self._concept(row)
        self._links(tables.edges)
        self._labels(tables)

    def _scheme(self, scheme: EntityUri, licence: str) -> None:
        self.graph.add((self.scheme, self.type, self.skos.ConceptScheme))
        self.graph.add(
            (self.scheme, self.dcterms.title, self.literal(f"{scheme.classification} {scheme.release or ''}"))
        )
        self.graph.add((self.scheme, self.dcterms.publisher, self.literal("World Health Organization")))
        self.graph.add((self.scheme, self.dcterms.rights, self.literal(licence)))

    def _concept(self, row: dict[Any, Any]) -> None:
        known = {str(name): value for name, value in row.items() if pd.notna(value)}
        concept = self.concepts[known["entity_id"]]
        self.graph.add((concept, self.type, self.skos.Concept))
        self.graph.add((concept, self.skos.inScheme, self.scheme))
        if known.get("parent_id") not in self.concepts:
            self.graph.add((concept, self.skos.topConceptOf, self.scheme))
            self.graph.add((self.scheme, self.skos.hasTopConcept, concept))
        if "code" in known:
            self.graph.add((concept, self.skos.notation, self.literal(known["code"])))
        if "foundation_id" in known:
            source = self.ref(str(EntityUri("foundation", None, known["foundation_id"])))
            self.graph.add((concept, self.dcterms.source, source))
        for column, name in _TEXTS.items():
            if column in known:
                language = self.language if known.get("translated", True) or column != "title" else "en"
                self._text(concept, name, known[column], language)
        for column, value in known.items():
            if column.startswith("title_"):
                self._text(concept, "prefLabel", value, column.removeprefix("title_"))

    def _links(self, edges: pd.DataFrame) -> None:
        for parent, child in zip(edges["parent_id"], edges["child_id"], strict=True):
            if parent in self.concepts and child in self.concepts:
                self.graph.add((self.concepts[child], self.skos.broader, self.concepts[parent]))
                self.graph.add((self.concepts[parent], self.skos.narrower, self.concepts[child]))

    def _labels(self, tables: EntityTables) -> None:
        for entity_id, kind, label in _triples(tables.terms):
            self._text(self.concepts[entity_id], _LABELS[kind], label, self.language)
        for entity_id, kind, label in _triples(tables.references.dropna(subset=["label"])):
            if kind == "exclusion":
                self._text(self.concepts[entity_id], "scopeNote", f"Excludes: {label}", self.language)

    def _text(self, concept: Any, name: str, value: str, language: str | None) -> None:
        self.graph.add((concept, self.skos[name], self.literal(value, lang=language)))


def _triples(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(*(frame[name] for name in ("entity_id", "kind", "label")), strict=True))
