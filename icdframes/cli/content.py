"""``load``, ``releases``, ``sandbox``: what the server has."""

from __future__ import annotations

from argparse import Namespace

from icdframes.cli.output import connect, print_csv, show, target_of, write
from icdframes.errors import ConfigurationError

_SHOWN_COLUMNS = ("entity_id", "code", "title", "class_kind", "depth", "chapter")


def load(options: Namespace) -> None:
    """Load, write, and show the first rows."""
    if options.entity is None and not options.all:
        raise ConfigurationError("Which entity? Give a code, id or URI, or --all for the whole classification.")
    if options.entity is not None and options.all:
        raise ConfigurationError(f"Give either {options.entity!r} or --all, not both.")
    target = target_of(options)
    with connect(options) as client:
        frame = client.load_entity(
            options.entity,
            classification=options.classification,
            release=options.release,
            language=options.language.split(","),
            depth=options.depth,
            include=options.include,
            on_error=options.on_error,
            progress=False if options.quiet else None,
            refresh=options.refresh,
        )
    if options.out == "-":
        print_csv(frame, options)
        return
    show(frame, _SHOWN_COLUMNS)
    if target:
        write(frame, target, options)
    print(frame.attrs["provenance"]["licence"])


def releases(options: Namespace) -> None:
    """List releases."""
    with connect(options) as client:
        frame = client.releases(options.classification)
    print(frame[["classification", "release", "date", "languages", "title"]].to_string(index=False))


def sandbox(options: Namespace) -> None:
    """Serve until interrupted."""
    from icdframes.sandbox import serve  # noqa: PLC0415  the server is loaded only where it is wanted

    serve(options.corpus, text=options.text, port=options.port, authenticate=not options.no_auth)
