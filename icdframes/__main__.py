"""``python -m icdframes`` is the program ``icdframes``."""

import sys

from icdframes.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
