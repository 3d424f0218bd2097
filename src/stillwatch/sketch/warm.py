"""`python -m stillwatch.sketch.warm` compiles every kernel once, so that the first scan does not wait for it.

It reads a few made-up payloads through the whole of the compiled path; numba keeps what it compiled (kernel_cache.py).
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from stillwatch.sketch import kernel_cache
from stillwatch.sketch.elicitation import Cues
from stillwatch.sketch.hashing import Secret
from stillwatch.sketch.sketch import Sketcher

# By name: warming has to touch the layers above, which a sketch must not know.
_SCAN: Final = "stillwatch.ingest.scan_litellm"
_RECORDS: Final = "stillwatch.ingest.records"
_IDS: Final = "stillwatch.store.idset"


def payloads() -> bytes:
    """Lines that lead through every kernel: headers, parts, tools, tool calls, plain and disguised text, damage."""
    headers = {"user-agent": "warm/1", "x-stainless-lang": "python", "x-title": "Warm", "x-asn": "AS64500"}
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"least": 0.5}}}]
    texts = (
        "Write a short story about a harbour.",
        "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439 \u2603 caf\u00e9, h3ll0 w0rld",
        "V2FybSB0aGUga2VybmVscyBvbmNlLCBhbmQgc3RhcnQgZmFzdCBmcm9tIHRoZW4gb24sIHBsZWFzZS4=",
        "Cyrnfr jevgr n ybat naq qrgnvyrq nafjre nobhg gur uneobhe naq gur fuvcf gung pbzr gurer rirel qnl.",
    )
    lines = []
    for number, text in enumerate(texts):
        record: dict[str, Any] = {
            "litellm_call_id": f"warm-{number}", "call_type": "acompletion", "status": "success", "stream": False,
            "startTime": 1772446272.25, "endTime": 1772446274.75, "model_group": "warm", "prompt_tokens": 9,
            "completion_tokens": 9, "requester_ip_address": "192.0.2.1", "end_user": "warm",
            "metadata": {"user_api_key_user_id": "warm", "requester_metadata": {"headers": headers}},
            "messages": [{"role": "system", "content": "Be kind."},
                         {"role": "user", "content": [{"type": "text", "text": text}]}],
            "response": {"choices": [{"finish_reason": "stop", "message": {
                "content": f"1. {text}\n2. \"yes\"", "reasoning_content": text, "tool_calls": tools}}]},
            "model_parameters": {"temperature": 0.5, "max_tokens": 9, "tools": tools, "logprobs": True},
        }  # fmt: skip
        lines.append(orjson.dumps(record))
    return b"\n".join([*lines, b"{", b""])


def warm() -> int:
    """Compile every kernel; returns the number of payloads that went through."""
    scan, records, ids = import_module(_SCAN), import_module(_RECORDS), import_module(_IDS)
    batch: pa.RecordBatch = scan.compiled(records.Block(data=payloads(), first_line=1, offset=0)).exchanges
    sketcher = Sketcher(Secret(bytes(16)), Cues.compile())
    sketcher(batch)
    ids.IdSet().add(np.asarray(sketcher.hashes(batch.column("exchange_id"), "exchange_id")))
    return int(batch.num_rows)


def main() -> int:
    """Warm up and say how long it took."""
    begun = time.perf_counter()
    rows = warm()
    folder = kernel_cache.cache_folder(os.environ)
    print(f"kernels ready in {time.perf_counter() - begun:.1f} s ({rows} payloads; kept in {folder})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
