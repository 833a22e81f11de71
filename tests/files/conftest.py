"""What the tests of WHO's files share."""

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def assert_same():
    """Compare two `EntityTables` cell by cell, with their provenance and attributes."""

    def check(found, expected):
        assert found.provenance == expected.provenance
        assert dict(found.failures) == dict(expected.failures)
        for name, frame in expected.frames.items():
            pd.testing.assert_frame_equal(found.frames[name], frame)
            assert found.frames[name].attrs == frame.attrs

    return check
