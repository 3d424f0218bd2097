"""`stillwatch doctor`: is everything here and working, and if not, what is the fix?"""

from __future__ import annotations

import os

from stillwatch import doctor
from stillwatch.cli import options, show

HELP = """Check the installation, the store and the calibration, and say how to fix what is wrong.

Each line is ok, warn or fail. Exit code 4 if anything fails.

\b
Examples:
  stillwatch doctor
  stillwatch doctor --store /var/lib/stillwatch --json
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    calibration: options.Calibration = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print one line for each check."""
    settings = options.settings(config, store=store, calibration=calibration)
    checkup = doctor.examine(settings, os.environ)
    show.result(checkup, json=json, quiet=quiet)
    return 0 if checkup.healthy else 4
