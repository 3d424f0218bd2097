"""Where compiled kernels are kept between runs, and what happens if there is no such place.

Numba keeps them in NUMBA_CACHE_DIR, else beside the source, else in the user's cache folder. If none of them can be
written (a read-only image without a home), it would refuse to import the kernels; then they go to a folder of this
process alone, which costs a minute of compiling at every start but works.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OWN_PREFIX: Final = "stillwatch-kernels-"  # of the folder of one process


def cache_folder(environ: Mapping[str, str], package: Path = Path(__file__).parent) -> Path | None:
    """The folder that numba will use for kernels of `package`, or None if it cannot write any."""
    named = environ.get("NUMBA_CACHE_DIR")
    home = environ.get("HOME")
    cache = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    candidates = [Path(named)] if named else []
    candidates.append(package / "__pycache__")
    if cache:
        candidates.append(Path(cache) / "numba")
    return next((folder for folder in candidates if _writable(folder)), None)


def ensure() -> None:
    """Give numba a folder of this process alone if it has no other. Call before the first kernel is imported."""
    if cache_folder(os.environ) is None:
        folder = tempfile.mkdtemp(prefix=OWN_PREFIX)  # private: what lies in a cache is executed
        os.environ["NUMBA_CACHE_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
