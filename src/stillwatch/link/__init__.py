"""Readings to pools: which accounts belong together, and how sure that is."""
