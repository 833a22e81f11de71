"""How often the right code is proposed, and how fast: on real wordings of causes of death and of mental disorders.

python tests/benchmarks/bench_coding.py [--left-out] [--autocode 200]

The trees that rank candidates were fitted on these wordings, so ``--left-out`` fits them anew five times, each on four
fifths of the wordings, and measures on the other fifth: these are the figures to expect on wordings nobody has seen.
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
from icdframes.sandbox import Sandbox
from icdframes.sandbox.corpus_files import load_corpus


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


def left_out():
    """Return a row a setting: shares with trees that never saw the wordings."""
    found = []
    for name, part in fit_ranker.cross_validate(*fit_ranker.all_rows()):
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
    return found


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
        figures += left_out() if given.left_out else []
    measure.publish("coding", figures, given.out, cpus=os.cpu_count())


if __name__ == "__main__":
    main()
