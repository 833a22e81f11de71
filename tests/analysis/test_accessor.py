"""``frame.icd`` calls the verbs and takes nobody else's place."""

import importlib
import inspect
import subprocess
import sys

import pandas as pd
import pytest

import icdframes
from icdframes.analysis import accessor


def test_the_accessor_calls_the_verbs(mms, monkeypatch):
    accessor.register()
    frame = pd.DataFrame({"code": ["1A00"]})
    assert frame.icd.annotate(mms, add=["title"])["title"].tolist() == ["Cholera"]
    assert frame.icd.rollup(mms)["n"].tolist() == [1]
    monkeypatch.setattr(
        "icdframes.map_codes", lambda frame, mapping, **options: (frame, mapping, options), raising=False
    )
    assert frame.icd.map_codes("a mapping", code="code")[1:] == (
        "a mapping",
        {"code": "code", "tables": None, "weight": False},
    )
    assert repr(frame.icd) == "<icdframes on 1 row>"
    assert repr(pd.concat([frame, frame]).icd) == "<icdframes on 2 rows>"


def test_an_accessor_of_somebody_else_is_left_alone(monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "icd", "theirs", raising=False)
    importlib.reload(accessor).register()
    assert pd.DataFrame.icd == "theirs"


@pytest.mark.parametrize("name", ["annotate", "flag", "map_codes", "match_report", "rollup", "style"])
def test_a_method_has_the_whole_signature_of_its_function(name):
    method, function = (
        inspect.signature(getattr(accessor.IcdAccessor, name)),
        inspect.signature(getattr(icdframes, name)),
    )
    (_, *mine), (_, *its) = list(method.parameters.values()), list(function.parameters.values())
    assert mine == its
    assert not any(parameter.kind == parameter.VAR_KEYWORD for parameter in mine)


_LOOK = (
    "import sys; assert pandas.DataFrame({'a': [1]}).icd.annotate; assert pandas.__loader__ is pandas.__spec__.loader"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        f"import icdframes, sys; assert 'pandas' not in sys.modules; import pandas; {_LOOK}",
        f"import pandas, icdframes; {_LOOK}",
        f"import icdframes; from pandas import DataFrame; import pandas; {_LOOK}",
        f"import icdframes, importlib.util; assert importlib.util.find_spec('pandas'); import pandas; {_LOOK}",
        f"import icdframes, importlib.resources, pandas; importlib.resources.files('pandas').joinpath('x'); {_LOOK}",
        f"""
import sys, icdframes
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == 'pandas.core.api':
            raise ImportError('not now')
broken = Broken()
sys.meta_path.insert(0, broken)
try:
    import pandas
except ImportError:
    sys.meta_path.remove(broken)
for name in [name for name in sys.modules if name.startswith('pandas')]:
    del sys.modules[name]
import pandas
{_LOOK}""",
    ],
    ids=["first", "second", "from", "looked for", "resources", "after a failure"],
)
def test_it_is_there_as_soon_as_icdframes_and_pandas_are_imported(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_nothing_is_left_of_the_hook():
    script = (
        "import sys, icdframes; before = len(sys.meta_path); import pandas; assert len(sys.meta_path) == before - 1; "
        "icdframes.analysis.accessor.register(); assert len(sys.meta_path) == before - 1"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
