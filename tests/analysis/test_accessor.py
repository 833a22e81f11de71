"""``frame.icd`` calls the verbs and takes nobody else's place."""

import importlib

import pandas as pd

from icdframes.analysis import accessor


def test_the_accessor_calls_the_verbs(mms, monkeypatch):
    accessor.register()
    accessor.register()
    frame = pd.DataFrame({"code": ["1A00"]})
    assert frame.icd.annotate(mms, add=["title"])["title"].tolist() == ["Cholera"]
    assert frame.icd.rollup(mms)["n"].tolist() == [1]
    monkeypatch.setattr(
        "icdframes.map_codes", lambda frame, mapping, **options: (frame, mapping, options), raising=False
    )
    assert frame.icd.map_codes("a mapping", code="code")[1:] == ("a mapping", {"code": "code"})
    assert repr(frame.icd) == "<icdframes on 1 row>"
    assert repr(pd.concat([frame, frame]).icd) == "<icdframes on 2 rows>"


def test_an_accessor_of_somebody_else_is_left_alone(monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "icd", "theirs", raising=False)
    importlib.reload(accessor).register()
    assert pd.DataFrame.icd == "theirs"
