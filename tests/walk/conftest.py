"""Forty entities behind a sandbox that takes its time, and a driver whose children can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from icdframes.model.entity import Entity
from icdframes.model.uris import EntityUri
from icdframes.sandbox import Sandbox
from icdframes.sandbox.corpus import Corpus, Listing


def _entity(number, parents, children):
    return Entity(
        uri=str(EntityUri("mms", "2024-01", str(number))),
        entity_id=str(number),
        title=f"Entity {number}",
        language="en",
        class_kind="category" if parents else "chapter",
        parent_ids=tuple(map(str, parents)),
        child_ids=tuple(map(str, children)),
    )


@pytest.fixture(scope="session")
def make_corpus():
    """Return a corpus of any size: one chapter, every entity with so many children, numbered from 1."""

    def make(size, width=4):
        entities = {}
        for number in range(1, size + 1):
            children = range(width * (number - 1) + 2, min(width * number + 1, size) + 1)
            parents = [(number - 2) // width + 1] if number > 1 else []
            entities[str(number)] = _entity(number, parents, children)
        return Corpus([Listing("mms", "2024-01", {"en": entities}, titles={"en": "Synthetic"})])

    return make


@pytest.fixture(scope="module")
def slow_sandbox(make_corpus):
    with Sandbox(make_corpus(40), delay=0.004) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def run():
    """Return a function that has a job done, and returns one answer for each process."""
    driver = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("driver.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(**job):
        driver.stdin.write(json.dumps(job) + "\n")
        driver.stdin.flush()
        return json.loads(driver.stdout.readline())

    yield run
    driver.stdin.close()
    driver.wait(30)
    driver.stdout.close()
