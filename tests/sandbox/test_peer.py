"""A client that others wrote talks to the sandbox unmodified."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    peer = pytest.importorskip("simple_icd_11")


@pytest.fixture
def explorer(start):
    sandbox = start(authenticate=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield peer.ICDExplorer("en", "", "", customUrl=sandbox.url + "/")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_simple_icd_11_reads_entities_of_the_sandbox(explorer):
    cholera = explorer.getEntityFromCode("1A00")
    assert (cholera.getId(), cholera.getTitle(), cholera.getDefinition()) == ("11", "Cholera", "A gut infection.")
    assert cholera.getDiagnosticCriteria() == "Stool."
    assert [above.getTitle() for above in cholera.getAncestors()] == ["Of the gut", "Infections"]
    assert [axis.getAxisName() for axis in cholera.getPostcoordinationScale()] == [
        "infectiousAgent",
        "specificAnatomy",
        "associatedWith",
    ]
    assert [other.getCode() for other in cholera.getExclusion()] == ["2A00.Y"]
    residual = explorer.getEntityFromId("10/unspecified")
    assert (residual.getCode(), residual.isResidual()) == ("1A0Z", True)
    with pytest.raises(LookupError):
        explorer.getEntityFromCode("9Z99")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_simple_icd_11_refuses_a_language_that_the_sandbox_lacks(start):
    with pytest.raises(LookupError):
        peer.ICDExplorer("onion", "", "", customUrl=start(authenticate=False).url + "/")
