"""How often the right code is proposed, and how fast: on real wordings of causes of death and of mental disorders.

python tests/benchmarks/bench_coding.py [--left-out] [--autocode 200]

The trees that rank candidates were fitted on these wordings, so ``--left-out`` fits them anew five times, each on four
fifths of the wordings, and measures on the other fifth: these are the figures to expect on wordings nobody has seen. It
draws ``calibration.png`` too, the chart in the guide.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import coding_gold as gold
import fit_ranker
import measure
import pandas as pd

import icdframes
from icdframes.coding.text_index import TextIndex
from icdframes.frames.subset import subset_tables
from icdframes.sandbox import Sandbox
from icdframes.sandbox.corpus_files import load_corpus

DRAWN = {
    "tables": "the tables alone",
    "with mapping files": "and WHO's mapping tables",
    "with a dictionary": "and a dictionary",
}
"""Settings of the chart and their titles."""


def shipped():
    """Return a row a setting: shares with the trees that the package holds."""
    parts = {}
    for name, index, asked in gold.settings():
        parts.setdefault(name, []).append(hits(index, asked))
    return [{"setting": name, **shares(pd.concat(found, ignore_index=True))} for name, found in parts.items()]


def hits(index, asked):
    """Return a row a wording: whether the right stem is first and among five, and the score of the first."""
    frame = index.code(asked.texts, n=5, progress=False)
    right = [gold.stem(code) in asked.right[row] for row, code in zip(frame.index, frame["code"], strict=True)]
    grouped = frame.assign(right=right).groupby(level=0)
    found = pd.DataFrame({"first": grouped["right"].first(), "five": grouped["right"].any()})
    return found.assign(score=grouped["score"].first().astype(float), answered=grouped["code"].first().notna())


def shares(found):
    """Return the shares of one setting."""
    sure = found[found["score"] >= 0.9]
    return {
        "n_texts": len(found),
        "first_percent": round(100 * found["first"].mean(), 1),
        "five_percent": round(100 * found["five"].mean(), 1),
        "no_answer_percent": round(100 * (~found["answered"]).mean(), 1),
        "score_over_0.9": len(sure),
        "of_these_right_percent": round(100 * sure["first"].mean(), 1),
    }


def left_out(chart):
    """Return a row a setting: shares with trees that never saw the wordings; draw how far their scores hold."""
    found, curves = [], {}
    for name, part, curve in fit_ranker.cross_validate(*fit_ranker.all_rows()):
        curves[name] = curve
        found.append(
            {
                "setting": f"{name}, wordings left out of the fit",
                "n_texts": part["n_texts"],
                "first_percent": round(100 * part["first"], 1),
                "five_percent": round(100 * part["five"], 1),
                "score_over_0.9": part["sure"],
                "of_these_right_percent": round(100 * part["right_of_sure"], 1),
            }
        )
    draw({title: curves[name] for name, title in DRAWN.items()}, chart)
    return found


def draw(curves, target):
    """Draw the share of right first answers over their score, with the number of answers at each point."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, all_axes = plt.subplots(1, len(curves), figsize=(6.85, 2.9), sharey=True, layout="constrained")
    for axes, (title, curve) in zip(all_axes, curves.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
        axes.plot(curve["score"], curve["right"], color="#0072b2", marker="o", markersize=4)
        for score, right, n_texts in zip(curve["score"], curve["right"], curve["n_texts"], strict=True):
            above = right > score
            place = (-3, 4) if above else (3, -4)
            sides = {"ha": "right", "va": "bottom"} if above else {"ha": "left", "va": "top"}
            axes.annotate(f"{n_texts}", (score, right), place, textcoords="offset points", fontsize=7, **sides)
        axes.set_title(title, fontsize=9)
        axes.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1), aspect="equal", xlabel="score of the first candidate")
        axes.xaxis.label.set_size(8)
        axes.tick_params(labelsize=8)
    all_axes[0].set_ylabel("share right", fontsize=8)
    figure.savefig(target, dpi=160)


def autocode(n_texts):
    """Return a row with what `autocode` finds on a server: the sandbox with the same tables."""
    rows = gold.wordings()
    step = max(len(rows.texts) // n_texts, 1)
    asked = rows.take(range(0, len(rows.texts), step))
    names = ("mms/2022-02_simpletabulation_en.tsv.gz", "mms_text/2022-02_mms_text_en.jsonl.gz")
    corpus = load_corpus(gold.DATA / names[0], text=gold.DATA / names[1])
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(corpus, authenticate=False) as sandbox,
        icdframes.connect(sandbox.url, cache_dir=folder) as client,
    ):
        start = time.perf_counter()
        frame = client.autocode(pd.Series(asked.texts), progress=False)
        seconds = time.perf_counter() - start
    right = [gold.stem(code) in stems for code, stems in zip(frame["code"], asked.right, strict=True)]
    return {
        "setting": "autocode on the sandbox, the same tables",
        "n_texts": len(asked.texts),
        "first_percent": round(100 * sum(right) / len(right), 1),
        "no_answer_percent": round(100 * float(frame["code"].isna().mean()), 1),
        "texts_per_s": round(len(asked.texts) / seconds),
    }


def speed(runs):
    """Return the medians of building, saving, loading and coding with WHO's mapping files."""
    tables, sources, folder = gold.mms(), gold.mappings(), Path(tempfile.mkdtemp())
    texts = [
        f"{text}{tail}"
        for tail in ("", " nos", " left", " severe", " old", " recent")
        for text in gold.wordings().texts
    ]
    branch = subset_tables(tables, tables.entities["entity_id"].iloc[0])
    TextIndex(branch).search("cholera")  # scikit-learn is imported before the clock
    figures = []
    for _ in range(runs):
        start = time.perf_counter()
        index = TextIndex(tables, sources=sources)
        built = time.perf_counter()
        file = index.save(folder / "mms.icdindex")
        saved = time.perf_counter()
        loaded = TextIndex.load(file)
        read = time.perf_counter()
        loaded.code(texts, progress=False)
        coded = time.perf_counter()
        figures.append((built - start, read - saved, len(texts) / (coded - read)))
        del index, loaded  # the most memory is that of one index built and one loaded
    medians = pd.DataFrame(figures, columns=["build_s", "load_s", "texts_per_s"]).median()
    return [
        {
            "setting": "speed",
            "n_texts": len(texts),
            **medians.round(2).to_dict(),
            "most_memory_mb": round(measure.peak_mb()),
        }
    ]


def main():
    """Measure, print, write."""
    options = measure.parser(__doc__, runs=3)
    options.add_argument("--left-out", action="store_true", help="fit anew without the wordings measured (minutes)")
    options.add_argument(
        "--autocode", type=int, default=200, help="wordings for autocode on the sandbox (200); 0: none"
    )
    options.add_argument("--only-speed", action="store_true", help="leave accuracy out")
    given = options.parse_args()
    if not gold.DATA.is_dir():
        sys.exit(f"The full-size tables are not at {gold.DATA}: name their place in ICDFRAMES_TEST_DATA.")
    figures = speed(given.runs)
    if not given.only_speed:
        figures += shipped()
        figures += [autocode(given.autocode)] if given.autocode else []
        figures += left_out(measure.outside(given.out) / "calibration.png") if given.left_out else []
    measure.publish("coding", figures, given.out, cpus=os.cpu_count())


if __name__ == "__main__":
    main()
