"""A real HTTP server on loopback that behaves like the ICD API."""

from icdframes.sandbox.corpus import Corpus, Listing
from icdframes.sandbox.load import load_corpus
from icdframes.sandbox.sandbox import Request, Sandbox, shared_sandbox
from icdframes.sandbox.serving import serve

__all__ = ["Corpus", "Listing", "Request", "Sandbox", "load_corpus", "serve", "shared_sandbox"]
