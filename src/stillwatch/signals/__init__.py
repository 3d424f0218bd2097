"""Sketches to readings: one file a signal. Importing this package registers them all."""

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    if not _module.name.startswith("_"):
        import_module(f"{__name__}.{_module.name}")
for _entry in entry_points(group="stillwatch.signals"):
    _entry.load()
