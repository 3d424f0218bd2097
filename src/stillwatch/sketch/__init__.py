"""Exchanges to sketches: the only step that reads text. Needs neither a database nor the rest of Stillwatch."""

from stillwatch.sketch import kernel_cache

kernel_cache.ensure()
