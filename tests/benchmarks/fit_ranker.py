"""Fit the trees that rank candidates of codes, on real wordings; print what they reach on wordings left out.

A row a candidate, from four indexes: the tables, with WHO's mapping files, with a dictionary of four fifths of the
wordings, and, for synonyms of chapter 06 that are left out, with the other fifths of the foundation's. Wordings of the
same words are always in one fold.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coding_gold as gold
import numpy as np
import pandas as pd

from icdframes.coding import candidates
from icdframes.coding.text_index import TextIndex

RANKER = Path(candidates.__file__).with_name("ranker.csv")
DEPTH = 3
NODES = 7
REPEATED = "chapter 06"
"""A setting whose wordings are among those of another: measured, not fitted on."""
SETTINGS = {
    "max_iter": 200,
    "max_depth": DEPTH,
    "learning_rate": 0.08,
    "min_samples_leaf": 60,
    "early_stopping": False,  # which would keep a tenth of the rows from the fit
    "random_state": 0,
}
LABELS = ("set", "text", "fold", "stem", "right")


def candidate_rows(name: str, index: TextIndex, asked: gold.Gold) -> pd.DataFrame:
    """Return the features of all candidates of wordings, and whether each is right."""
    found, table = candidates.with_features(*index._compare(asked.texts))
    stems = [gold.stem(code) for code in index.phrases.targets["code"].iloc[found["target"].to_numpy()]]
    text = found["text"].to_numpy()
    right = [stem in asked.right[place] for stem, place in zip(stems, text, strict=True)]
    return table.assign(
        set=name, text=np.asarray(asked.number)[text], fold=np.asarray(asked.fold)[text], stem=stems, right=right
    )


def fit(rows: pd.DataFrame) -> Any:
    """Return the fitted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**SETTINGS).fit(rows.drop(columns=list(LABELS)), rows["right"])


def left_out(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the probability of each row by trees that never saw its wording."""
    scores = np.zeros(len(rows))
    for fold in range(gold.FOLDS):
        out = rows["fold"].eq(fold).to_numpy()
        model = fit(rows[~out & rows["set"].ne(REPEATED).to_numpy()])
        scores[out] = model.predict_proba(rows[out].drop(columns=list(LABELS)))[:, 1]
    return scores


def shares(rows: pd.DataFrame, scores: np.ndarray[Any, Any], n_texts: int) -> dict[str, float]:
    """Return how often the right stem is first and among five, and how often a score of 0.9 is right."""
    ordered = rows.assign(score=scores).sort_values(["text", "score"], ascending=[True, False], kind="stable")
    ordered = ordered[~ordered.duplicated(["text", "stem"])]
    place = ordered.groupby("text").cumcount()
    hits = place[ordered["right"]].groupby(ordered["text"]).min()
    sure = ordered[place.eq(0) & ordered["score"].ge(0.9)]
    return {
        "n_texts": n_texts,
        "first": float((hits < 1).sum() / n_texts),
        "five": float((hits < 5).sum() / n_texts),
        "sure": len(sure),
        "right_of_sure": float(sure["right"].mean()),
    }


def calibration(rows: pd.DataFrame, scores: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return for each tenth of the score of first candidates its mean, how many there are, and the share right."""
    ordered = rows.assign(score=scores).sort_values(["text", "score"], ascending=[True, False], kind="stable")
    first = ordered[~ordered.duplicated("text")]
    grouped = first.groupby(np.minimum((first["score"].to_numpy() * 10).astype(int), 9))
    return pd.DataFrame(
        {"score": grouped["score"].mean(), "n_texts": grouped.size(), "right": grouped["right"].mean()}
    ).reset_index(drop=True)


def write_trees(model: Any, names: list[str], path: Path) -> None:
    """Write each tree as seven features, seven thresholds and eight values."""
    predictors: list[list[Any]] = model._predictors
    header = [f"feature_{n}" for n in range(NODES)] + [f"above_{n}" for n in range(NODES)]
    base = float(np.ravel(model._baseline_prediction)[0])
    rows = [[names[0]] * NODES + ["0"] * NODES + [f"{base:.6g}"] * (NODES + 1)]
    rows += [_tree(one.nodes, names) for (one,) in predictors]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header + [f"value_{n}" for n in range(NODES + 1)])
        writer.writerows(rows)


def _tree(nodes: Any, names: list[str]) -> list[str]:
    level, splits = [nodes[0]], []
    for _ in range(DEPTH):
        splits += [(names[0], "inf") if n["is_leaf"] else (names[n["feature_idx"]], _above(n)) for n in level]
        level = [side for n in level for side in ((n, n) if n["is_leaf"] else (nodes[n["left"]], nodes[n["right"]]))]
    return [name for name, _ in splits] + [above for _, above in splits] + [f"{n['value']:.4g}" for n in level]


def _above(node: Any) -> str:
    return f"{node['num_threshold']:.9g}"


def all_rows() -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the candidates of every setting, and how many wordings each has."""
    parts: list[pd.DataFrame] = []
    sizes: dict[str, int] = {}
    for name, index, asked in gold.settings():
        parts.append(candidate_rows(name, index, asked))
        sizes[name] = sizes.get(name, 0) + len(asked.texts)
    return pd.concat(parts, ignore_index=True), sizes


def cross_validate(rows: pd.DataFrame, sizes: dict[str, int]) -> Iterator[tuple[str, dict[str, float], pd.DataFrame]]:
    """Yield shares and calibration of each setting by trees that never saw its wordings."""
    scores = left_out(rows)
    for name, group in rows.groupby("set", sort=False):
        of_group = scores[group.index]
        yield str(name), shares(group, of_group, sizes[str(name)]), calibration(group, of_group)


def main() -> None:
    """Fit, print, write."""
    rows, sizes = all_rows()
    for name, part, _ in cross_validate(rows, sizes):
        print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in part.items()))
    write_trees(fit(rows[rows["set"].ne(REPEATED)]), [name for name in rows if name not in LABELS], RANKER)


if __name__ == "__main__":
    main()
