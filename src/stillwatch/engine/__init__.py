"""Engines run the signals' expressions over the store's tables. DuckDB is the one there is."""

from stillwatch.engine.duckdb import ACCOUNTS, Engine, signal_sql

__all__ = ["ACCOUNTS", "Engine", "signal_sql"]
