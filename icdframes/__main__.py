"""``python -m icdframes`` is the program ``icdframes``."""

import sys

from icdframes.cli import main

if __name__ == "__main__":
    sys.exit(main())
