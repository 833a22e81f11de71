"""The form for the review of proposed codes, worked without a browser."""

import pandas as pd
import pytest

import icdframes
from icdframes.errors import ConfigurationError

ROWS = [
    ("cough", 1, "MD12", "Cough", 0.4, True),
    ("cough", 2, "CA40", "Pneumonia", 0.2, True),
    ("cholera", 1, "1A00", "Cholera", 0.97, False),
    ("<b>odd</b>", None, None, None, None, True),
    (None, None, None, None, None, True),
]


@pytest.fixture
def coded():
    frame = pd.DataFrame(ROWS, columns=["text", "rank", "code", "title", "score", "needs_review"])
    frame["matched_term"] = frame["title"]
    frame.attrs["provenance"] = {"classification": "mms"}
    return frame


def statuses(review):
    return dict(zip(review.result()["text"], review.result()["status"], strict=True))


def test_only_what_needs_review_is_shown(coded):
    assert icdframes.CodeReview(coded).remaining == 2
    assert icdframes.CodeReview(coded, everything=True).remaining == 3


def test_accept_choose_and_none(coded):
    seen = []
    review = icdframes.CodeReview(coded, on_change=lambda: seen.append(review.remaining))
    review.choose(2)
    review._note.value = " wet cough "
    review.accept()
    review.accept()
    review.accept()  # nothing is left
    assert seen == [1, 0]
    row = review.result().iloc[0]
    assert (row["code"], row["status"], row["note"]) == ("CA40", "chosen", "wet cough")
    assert statuses(review) == {"cough": "chosen", "cholera": "proposed", "<b>odd</b>": "none"}
    assert review.dictionary().to_numpy().tolist() == [["cough", "CA40"]]
    assert "Everything" in review._head.value
    assert all(button.disabled for button in review._buttons[:2])


def test_a_code_of_ones_own_is_checked(coded):
    review = icdframes.CodeReview(coded)
    review._own.value = "no code"
    review.accept()
    assert review.remaining == 2
    assert "icdframes-bad" in review._status.value
    review._own.value = "md12"
    review.accept()
    assert review.result()["code"].iloc[0] == "MD12"
    assert statuses(review)["cough"] == "written"
    review.back()
    review.accept()  # changes nothing
    assert statuses(review)["cough"] == "written"


def test_back_shows_the_decision_again(coded):
    review = icdframes.CodeReview(coded)
    review._note.value = "ask"
    review.choose(0)
    review.skip()
    review.back()
    assert review._note.value == "ask"
    assert review._choice.value == "none of these"
    review.choose(1)
    review._buttons[0].click()
    assert statuses(review)["cough"] == "accepted"


def test_texts_are_escaped_and_the_source_is_named(coded):
    review = icdframes.CodeReview(coded)
    review.skip()
    assert "&lt;b&gt;odd" in review._head.value
    assert "World Health Organization" in review.children[-1].value


def test_what_was_not_looked_at_has_no_code(coded):
    assert statuses(icdframes.CodeReview(coded))["cough"] == "open"


def test_another_table_is_refused():
    with pytest.raises(ConfigurationError, match="code_texts"):
        icdframes.CodeReview(pd.DataFrame({"text": ["a"]}))
