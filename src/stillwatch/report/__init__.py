"""The report: one self-contained HTML file, and the model it is made from."""

from .html import render
from .model import Report, report_from, to_json
from .redact import redact
from .visible import visible

__all__ = ["Report", "redact", "render", "report_from", "to_json", "visible"]
