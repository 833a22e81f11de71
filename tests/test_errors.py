"""Errors are plain values: they cross the border of a process, and carry nothing but what they say."""

import pickle

import pytest

from icdframes import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigurationError("No."),
        errors.EntityNotFoundError("No.", reason="Not this year"),
        errors.TraversalError("No.", failures={"5": errors.EntityNotFoundError("Not there.")}),
        errors.ResponseShapeError("No.", uri="http://id.who.int/icd/entity/5", json_path="$.title"),
        errors.CodeSyntaxError("No.", text="1A0O", position=3),
        errors.MissingExtraError("Plotting", "plots"),
        errors.ExportError("No."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_out_of_a_pool_of_processes_as_it_went_in(error):
    read = pickle.loads(pickle.dumps(error))
    assert (type(read), str(read)) == (type(error), str(error))
    assert repr(vars(read)) == repr(vars(error))
