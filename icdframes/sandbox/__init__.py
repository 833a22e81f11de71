"""A real HTTP server on loopback that behaves like the ICD API.

A request goes ``server`` → ``sandbox`` (faults, log) → ``app`` (token, version, media type, route) →
``handlers``, which answer from a ``corpus``; ``search`` finds entities by words, ``clusters`` places codes on axes,
``documents`` writes as the API does. ``sample`` and ``corpus_files`` make corpora.
"""

from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.corpus_files import load_corpus
from icdframes.sandbox.sandbox import Request, Sandbox, serve, shared_sandbox

__all__ = ["Corpus", "Listing", "Request", "Sandbox", "load_corpus", "serve", "shared_sandbox"]
