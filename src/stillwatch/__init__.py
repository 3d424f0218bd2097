"""Stillwatch finds model-distillation campaigns in the logs of an LLM gateway.

    logs -> ingest -> exchange -> sketch -> facts -> signals -> reading -> link -> judge -> verdict, campaign

Importing this package loads none of its parts; `stillwatch.pipeline` is the place to start reading.
"""

__version__ = "0.1.0"
