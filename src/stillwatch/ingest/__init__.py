"""Logs in, exchanges out: files, containers, formats, cleaning."""
