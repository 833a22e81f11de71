"""Draw the pictures of the guides: ``python notebooks/pictures.py`` writes them into ``notebooks/_static``.

They are SVG written by hand, since matplotlib's differs between versions and Mermaid needs a script from another host.
A test compares those that are stored with what this draws; `speed.svg` takes its figures from the table of speed.md.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import textwrap
from contextlib import redirect_stderr, redirect_stdout
from html import escape
from io import StringIO
from pathlib import Path

HERE = Path(__file__).parent
INK, PALE, LINE = "#1f2933", "#52606d", "#7b8794"
WHITE, GREY, BLUE, ORANGE, GREEN, RED = "#ffffff", "#eef1f4", "#d6e8f5", "#fbe8c8", "#d3efe3", "#f8ddd3"
WIDTH = 760
SIZE, SMALL = 14, 12
COLUMNS = 96  # signs that fit beside one another
TIMES = "\N{MULTIPLICATION SIGN}"
ATTRIBUTION = "Titles: World Health Organization, ICD-11 2024-01, licence CC BY-ND 3.0 IGO"


class Drawing:
    """A white card of boxes, arrows and texts; places are pixels from its upper left corner."""

    def __init__(self, title: str, height: int) -> None:
        self._parts: list[str] = []
        self._title = escape(title)
        self._height = height

    def text(self, x: float, y: float, words: str, *, size: int = SIZE, colour: str = INK, anchor: str = "start",
             bold: bool = False, mono: bool = False) -> None:  # fmt: skip
        """Write one line; y is its base line."""
        style = (' font-weight="bold"' if bold else "") + (
            ' font-family="monospace" xml:space="preserve"' if mono else ""
        )
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{style}>'
            f"{escape(words)}</text>"
        )

    def note(self, x: float, y: float, words: str, *, anchor: str = "start") -> None:
        """Write one small line."""
        self.text(x, y, words, size=SMALL, colour=PALE, anchor=anchor)

    def box(self, x: float, y: float, width: float, height: float, lines: list[str], *, fill: str = GREY) -> None:
        """Draw a box with a bold first line and others below it, in its middle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" stroke="{LINE}"/>'
        )
        first = y + height / 2 - 9 * (len(lines) - 1) + 5
        for number, line in enumerate(lines):
            size, colour = (SIZE, INK) if number == 0 else (SMALL, PALE)
            self.text(
                x + width / 2, first + 18 * number, line, size=size, colour=colour, anchor="middle", bold=number == 0
            )

    def arrow(self, *points: tuple[float, float], label: str = "", at: tuple[float, float] | None = None,
              anchor: str = "middle", dashed: bool = False) -> None:  # fmt: skip
        """Draw an arrow along points, and what it means at a place."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.5" marker-end="url(#head)"{dash}/>'
        )
        if label and at:
            for number, line in enumerate(label.split("\n")):
                self.text(at[0], at[1] + 15 * number, line, size=SMALL, colour=PALE, anchor=anchor)

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Fill a rectangle."""
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"/>')

    def svg(self) -> str:
        """Return the whole as SVG."""
        parts = "\n".join(self._parts)
        return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" \
height="{self._height}" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" role="img" \
aria-label="{self._title}">
<title>{self._title}</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0,0 L10,5 L0,10 z" fill="{INK}"/></marker></defs>
<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{self._height - 1}" rx="8" fill="{WHITE}" stroke="#cbd2d9"/>
{parts}
</svg>
"""


def tables() -> Drawing:
    """Draw the five tables and the ids on which they join."""
    d = Drawing("The five tables and the ids on which they join", 330)
    d.box(
        270,
        110,
        220,
        110,
        ["entities", "entity_id, code, title,", "parent_id, depth, definition, …", "one row per entity"],
        fill=BLUE,
    )
    d.box(20, 20, 200, 76, ["edges", "parent_id, child_id,", "position"], fill=GREY)
    d.box(20, 234, 200, 76, ["terms", "entity_id, kind, label, …", "synonyms, inclusions"], fill=GREEN)
    d.box(540, 20, 200, 76, ["references", "entity_id, kind, label, …", "exclusions, relations"], fill=ORANGE)
    d.box(540, 234, 200, 76, ["axes", "entity_id, axis,", "scale_entity_id, …"], fill=RED)
    d.arrow((220, 58), (330, 58), (330, 108), label="child_id, parent_id", at=(226, 48), anchor="start")
    d.arrow((220, 272), (330, 272), (330, 222), label="entity_id", at=(226, 290), anchor="start")
    d.arrow((540, 48), (460, 48), (460, 108), label="entity_id", at=(534, 38), anchor="end")
    d.arrow((600, 96), (600, 150), (492, 150), label="linearization_id", at=(606, 128), anchor="start")
    d.arrow((540, 282), (460, 282), (460, 222), label="entity_id", at=(534, 300), anchor="end")
    d.arrow((600, 234), (600, 190), (492, 190), label="scale_entity_id", at=(606, 212), anchor="start")
    d.arrow((268, 190), (236, 190), (236, 150), (268, 150), label="parent_id", at=(230, 174), anchor="end")
    return d


def offline() -> Drawing:
    """Draw the places in which an answer is looked for."""
    d = Drawing("A load looks for finished tables, then for answers in the cache, then asks the server", 290)
    d.box(20, 40, 150, 84, ["load_entity()", "load_tables()", "search(), …"], fill=BLUE)
    d.box(215, 40, 150, 84, ["Tables", "finished loads,", "Parquet files"], fill=GREEN)
    d.box(410, 40, 150, 84, ["Answers", "one SQLite file in", "the cache folder"], fill=GREEN)
    d.box(605, 40, 135, 84, ["Server", "WHO, a container,", "the sandbox"], fill=ORANGE)
    for x, width in ((170, 45), (365, 45), (560, 45)):
        d.arrow((x, 82), (x + width - 2, 82))
    d.note(192, 30, "first", anchor="middle")
    d.note(387, 30, "else", anchor="middle")
    d.note(582, 30, "else", anchor="middle")
    d.arrow((672, 124), (672, 150), (485, 150), (485, 127), label="each answer is kept", at=(592, 168), anchor="start")
    d.arrow((450, 124), (450, 192), (290, 192), (290, 127), label="a complete load is kept as tables", at=(370, 210))
    d.arrow((582, 244), (582, 92), dashed=True)
    d.text(20, 250, "offline=True goes no further than this line: what is not kept is an OfflineMissError.", size=SMALL)
    d.arrow((500, 246), (576, 246), dashed=True)
    d.note(
        20, 270, "Numbered releases are kept for good, the newest release and lists for a day, searches for seven days."
    )
    return d


def reliability() -> Drawing:
    """Draw what becomes of a request that fails."""
    d = Drawing("What becomes of a request in a long load", 400)
    d.box(20, 30, 150, 64, ["A request", "is sent"], fill=BLUE)
    d.box(300, 30, 180, 64, ["Right answer", "kept in the cache"], fill=GREEN)
    d.box(580, 30, 160, 64, ["Tables", "complete"], fill=GREEN)
    d.box(20, 170, 150, 74, ["Wait", "0.5, 1, 2 … 30 s, or", "what the server says"], fill=ORANGE)
    d.box(300, 170, 180, 74, ["All pause", "one asks again until", "the server is back"], fill=ORANGE)
    d.box(580, 170, 160, 74, ["Second round", "for what failed, at", "the end of the load"], fill=ORANGE)
    d.box(300, 310, 180, 64, ["TraversalError", "with all that came"], fill=RED)
    d.box(580, 310, 160, 64, ["Fails for good", "as does a 404 at once"], fill=RED)
    d.arrow((170, 62), (298, 62), label="answered", at=(234, 54))
    d.arrow((480, 62), (578, 62), label="all of them", at=(529, 54))
    d.arrow((70, 94), (70, 168), label="a fault", at=(62, 136), anchor="end")
    d.arrow((120, 170), (120, 96), label="again, up to 5 times", at=(128, 150), anchor="start")
    d.arrow((170, 207), (298, 207), label="three in a row", at=(234, 199))
    d.arrow((390, 170), (390, 130), (200, 130), (150, 96), label="it is back: all go on", at=(300, 122))
    d.arrow((480, 207), (578, 207), label="lost meanwhile", at=(529, 199))
    d.arrow((95, 244), (95, 290), (640, 290), (640, 246), label="still a fault after that",
            at=(104, 282), anchor="start")  # fmt: skip
    d.arrow((390, 244), (390, 308), label="no answer for 150 s", at=(398, 266), anchor="start")
    d.arrow((660, 170), (660, 96), label="then answered", at=(652, 138), anchor="end")
    d.arrow((680, 244), (680, 308), label="still not", at=(688, 282), anchor="start")
    d.arrow((580, 342), (482, 342))
    d.note(20, 330, "The same call goes on from")
    d.note(20, 346, "there: what came is kept.")
    return d


def whos_files() -> Drawing:
    """Draw what WHO's files have, beside what the API has."""
    d = Drawing("What WHO's files have, and what only the API has", 356)
    columns = {"files": (360, 'connect("files")'), "api": (550, "connect(): the API")}
    for x, name in columns.values():
        d.text(x + 90, 34, name, anchor="middle", bold=True)
    rows = [
        ("Account", "none", "client id and secret"),
        ("The whole MMS, first time", "one download of some MB", "some 36,000 requests"),
        ("Codes, titles, hierarchy", "yes", "yes"),
        ("Coding notes", "yes", "yes"),
        ("Definitions", "no", "yes"),
        ("Terms, references, axes", "no", "yes"),
        ("Search, text to code", "titles, on your machine", "all terms, on the server"),
        ("ICD-10 ↔ ICD-11, lists of causes", "yes", "not in the API: from the files"),
    ]
    for number, (what, files, api) in enumerate(rows):
        y = 50 + 36 * number
        d.text(20, y + 21, what)
        for (x, _), words in zip(columns.values(), (files, api), strict=True):
            d.rect(x, y, 180, 30, RED if words == "no" else GREEN if words == "yes" else GREY)
            d.text(x + 90, y + 20, words, size=SMALL, anchor="middle")
    return d


def sandbox() -> Drawing:
    """Draw the two servers that the same lines of code may speak to."""
    d = Drawing("The same code runs against the sandbox in your tests and against WHO in your study", 300)
    d.box(20, 100, 190, 84, ["Your code", 'load_entity("07")', "the same lines"], fill=BLUE)
    d.box(290, 100, 150, 84, ["icdframes", "signs in, asks,", "keeps, makes tables"], fill=GREY)
    d.box(
        530,
        20,
        210,
        96,
        ["Sandbox", "127.0.0.1, starts by itself,", "913 real codes and titles,", "faults when you ask for them"],
        fill=GREEN,
    )
    d.box(530, 180, 210, 96, ["WHO", "https://id.who.int,", "the whole classification,", "your account"], fill=ORANGE)
    d.arrow((210, 142), (288, 142))
    d.arrow((440, 130), (485, 130), (485, 68), (528, 68), label="in tests: icd_client", at=(478, 60), anchor="end")
    d.arrow(
        (440, 154), (485, 154), (485, 228), (528, 228), label="in your study: connect()", at=(478, 244), anchor="end"
    )
    d.note(20, 280, "No network and no account in tests; the same requests, tokens and errors as with WHO.")
    return d


def installation() -> Drawing:
    """Draw what each extra is for."""
    d = Drawing("What you want to do, and the extra that it needs", 372)
    d.box(
        20,
        24,
        720,
        58,
        ["pip install icdframes", "load, search, code, join, count; CSV; forms in a notebook; the program icdframes"],
        fill=BLUE,
    )
    rows = [
        ("Parquet files; the second load is a file read", "parquet"),
        ("Excel files", "excel"),
        ("Figures and laid out tables; figures to point at", "plots, interactive"),
        ("Words to codes without a server", "coding"),
        ("Data on Polars, Dask, Spark, DuckDB", "polars, dask, spark, databases"),
        ("Graphs, linked data", "networks, skos"),
        ("The secret in the system's keyring", "keyring"),
        ("Arrow keys in the tree; Tab in the shell", "keyboard, completion"),
    ]
    for number, (what, extra) in enumerate(rows):
        y = 96 + 33 * number
        d.text(20, y + 19, what)
        d.arrow((368, y + 14), (418, y + 14))
        d.rect(424, y, 316, 28, GREEN)
        d.text(434, y + 19, f"icdframes[{extra.replace(' ', '')}]", size=SMALL, mono=True)
    return d


def speed() -> Drawing:
    """Draw the first line of the table of speed.md as bars."""
    line = re.search(r"\| first load of .*", (HERE / "speed.md").read_text(encoding="utf-8"))
    limit, loop, other = map(float, re.findall(rf"(\d+\.\d+) {TIMES}", line.group() if line else ""))
    bars = [("the limit", 1.0, LINE), ("icdframes", limit, "#0072B2"), ("simple-icd-11", limit * other, "#E69F00"),
            ("a plain loop", limit * loop, "#CC79A7")]  # fmt: skip
    d = Drawing("Time of a first load of 2,000 entities, 50 ms a request", 240)
    d.text(20, 32, "First load of 2,000 entities, 50 ms a request, 8 requests at a time", bold=True)
    seconds = 2000 * 0.050 / 8
    for number, (name, times, colour) in enumerate(bars):
        y = 52 + 38 * number
        length = 480 * times / max(limit * loop, limit * other)
        d.text(150, y + 19, name, anchor="end")
        d.rect(160, y, length, 28, colour)
        d.text(168 + length, y + 19, f"{times * seconds:.3g} s", size=SMALL)
    d.note(20, 226, f"The limit: 2,000 requests {TIMES} 50 ms ÷ 8, which no client can beat without asking for less.")
    return d


COMMANDS = [
    ["search", "narcolepsy", "--server", "sandbox"],
    ["describe", "1A00&XN62R", "--server", "sandbox"],
    ["load", "7A99", "--server", "sandbox", "--quiet"],
]


def command_line() -> Drawing:
    """Run some commands on the sandbox and draw what they print, as a terminal of 80 columns shows it."""
    lines: list[tuple[str, str]] = []
    for command in COMMANDS:
        lines.append((f"$ icdframes {shlex.join(command)}", "#9be9a8"))
        lines += [(line, "#e6edf3") for line in _printed(command)]
        lines.append(("", ""))
    height = 26 + 18 * len(lines) + 22
    d = Drawing("Three commands in a terminal, and what they print", height)
    d.rect(10, 10, WIDTH - 20, height - 42, "#1b2229")
    for number, (line, colour) in enumerate(lines):
        d.text(22, 32 + 18 * number, line, size=SMALL, colour=colour, mono=True)
    d.text(20, height - 12, ATTRIBUTION, size=SMALL, colour=PALE)
    return d


def _printed(command: list[str]) -> list[str]:
    from icdframes.cli.main import main  # noqa: PLC0415  only this picture needs it

    told = StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(told), redirect_stderr(told):
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "80"
        try:
            main([*command, "--cache-dir", folder])
        finally:
            del os.environ["COLUMNS"]
            if before is not None:
                os.environ["COLUMNS"] = before
    return [part for line in told.getvalue().splitlines() for part in textwrap.wrap(line, COLUMNS) or [""]]


PICTURES = {
    "tables": tables,
    "offline": offline,
    "reliability": reliability,
    "whos_files": whos_files,
    "sandbox": sandbox,
    "installation": installation,
    "speed": speed,
    "command_line": command_line,
}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (HERE / "_static" / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
