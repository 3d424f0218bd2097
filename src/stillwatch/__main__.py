"""`python -m stillwatch`: the same as the `stillwatch` command."""

import sys

from stillwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
