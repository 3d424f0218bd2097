"""Bulk traffic for the benchmarks: LiteLLM-shaped JSON Lines of about 4 KB a row, fast to make.

Rows are put together from sentences that are escaped once. Sizes follow what gateways report: log-normal, the last user
message about 1.0 kB in the mean, all messages 1.6 kB, the completion 1.5 kB, everything else 0.9 kB. One row in five
goes on with an earlier conversation; one in twenty belongs to a single campaign whose accounts share a wrapper, deal
out a corpus, and stand on few addresses. It measures speed and makes no claim about detection.
"""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from random import Random
from typing import BinaryIO, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.grammar import Texts
from stillwatch.lab.traffic.rows import MODELS
from stillwatch.lab.traffic.world import DAY_S, DAYS, START

ROWS_PER_ACCOUNT = 40
CAMPAIGN_SHARE = 0.05
CONTINUED_SHARE = 0.2
NON_LATIN_SHARE = 0.05
SYSTEM_SHARE = 0.4
_CHUNK = 20_000
_SENTENCES = 60_000
_SECTIONS = (("en", 46), ("doc", 18), ("code", 14), ("es", 6), ("de", 6), ("pt", 5), ("fr", 5))  # rule `say` or alike
_NON_LATIN = ("zh", "ja", "ru", "ar", "hi", "ko")
_RULE = {"doc": "sentence", "problem": "step"}
# Log-normal shape, and targets in bytes of JSON text.
_SIGMA = 0.8
_USER_BYTES, _ANSWER_BYTES, _SYSTEM_BYTES = 1_000.0, 1_480.0, 300.0
_MAX_HISTORY = 9_000  # bytes; longer conversations are not continued

_ROW = (
    b'{"id":"chatcmpl-%b","litellm_call_id":"%b","call_type":"acompletion","stream":%b,"status":"success",'
    b'"custom_llm_provider":"%b","startTime":%.6f,"endTime":%.6f,"completionStartTime":%.6f,"model":"%b","model_group":"%b",'
    b'"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"response_cost":%.7f,"end_user":null,'
    b'"requester_ip_address":"%b","user_agent":"%b","metadata":{"user_api_key_hash":"%b","user_api_key_user_id":"acct_%010x",'
    b'"user_api_key_request_route":"/v1/chat/completions"},'
    b'"messages":[%b],"response":{"created":%d,"model":"%b","object":"chat.completion","choices":'
    b'[{"finish_reason":"stop","index":0,"message":{"content":"%b","role":"assistant","tool_calls":null}}]},'
    b'"model_parameters":{"temperature":%b,"stream":%b}}\n'
)
_TURN = b'{"role":"user","content":"%b"}'
_SYSTEM = b'{"role":"system","content":"%b"},'
_REPLY = b',{"role":"assistant","content":"%b"},'


class _Turn(NamedTuple):
    """An exchange that a later row may continue."""

    account: int
    messages: bytes
    answer: bytes


class _Pools(NamedTuple):
    """Sentences and other parts, escaped for JSON."""

    latin: list[bytes]
    other: list[list[bytes]]
    systems: list[bytes]
    wrappers: list[bytes]
    items: list[bytes]


def _escaped(text: str) -> bytes:
    return orjson.dumps(text)[1:-1]


def _name(rng: Random) -> str:
    """An invented name; names and numbers keep the vocabulary of a large log as open as that of a real one."""
    syllables = "bra den ko lun mi ra sel tor va wyn es qui ha ber no pla sti gre mon fal ju zen ox".split()
    return "".join(rng.choice(syllables) for _ in range(rng.randrange(2, 5))).capitalize()


def _pools(rng: Random, items: int) -> _Pools:
    texts = Texts(rng)
    names = [_name(rng) for _ in range(20_000)]
    sections, weights = zip(*_SECTIONS, strict=True)
    latin = []
    for section in rng.choices(sections, weights, k=_SENTENCES):
        text = texts.say(section, _RULE.get(section, "say"))
        if rng.random() < 0.75:
            seen = ", ".join(rng.choices(names, k=rng.randrange(1, 5)))
            text = f"{text} ({seen} {rng.randrange(10_000)})"
        latin.append(_escaped(text + ("\n" if rng.random() < 0.1 else " ")))
    other = [[_escaped(texts.say(language, "say")) for _ in range(3_000)] for language in _NON_LATIN]
    systems = [
        _escaped(
            f"You are the assistant of {rng.choice(names)} {rng.choice(names)}. "
            + texts.answer("en", _SYSTEM_BYTES - 60)
        )
        for _ in range(3_000)
    ]
    wrappers = [_escaped(text) for text in texts.grammars["hydra"].all("wrapper")]
    dealt = [_escaped(f"{texts.say('problem', 'item')} ({rng.choice(names)}'s version)") for _ in range(items)]
    return _Pools(latin, other, systems, wrappers, dealt)


def _sentence_counts(rng: np.random.Generator, n: int, mean_bytes: float, sentence: float) -> NDArray[np.int64]:
    """Sentences per text so that sizes are log-normal with the mean given; at least one."""
    sizes = rng.lognormal(math.log(mean_bytes) - _SIGMA**2 / 2, _SIGMA, n)
    counts: NDArray[np.int64] = np.maximum(1, np.rint(sizes / sentence)).astype(np.int64)
    return counts


def write_speed(path: Path, rows: int, *, seed: int = 7) -> None:
    """Write `rows` exchanges to `path`, ordered by end, and print bytes per row.

    Equal seeds give equal bytes for one version of numpy.

    Args:
        path: JSON Lines, replaced if it exists.
        rows: at least 1; one account per `ROWS_PER_ACCOUNT`.
    Raises:
        ValueError: `rows` is below 1.
        OSError:    the file cannot be written.
    """
    if rows < 1:
        raise ValueError(f"`rows` is {rows}: give at least 1")
    with path.open("wb", buffering=1 << 20) as out:
        written = _write(out, rows, seed)
    print(f"{path}: {rows} rows, {written} bytes, {written / rows:.0f} bytes a row")


def _write(out: BinaryIO, rows: int, seed: int) -> int:
    rng, numbers = Random(seed), np.random.Generator(np.random.PCG64(seed))
    pools = _pools(rng, items=min(200_000, int(1.1 * rows * CAMPAIGN_SHARE) + 20))
    accounts = max(2, rows // ROWS_PER_ACCOUNT)
    gang = max(1, int(accounts * CAMPAIGN_SHARE))  # accounts 0..gang-1 are the campaign
    weights = numbers.lognormal(0.0, 0.9, accounts - gang).cumsum()
    ends = START + np.sort(numbers.random(rows)) * DAYS * DAY_S
    recent: deque[_Turn] = deque(maxlen=1_500)
    written = 0
    for first in range(0, rows, _CHUNK):
        n = min(_CHUNK, rows - first)
        who = gang + np.searchsorted(weights, numbers.random(n) * weights[-1], side="right")
        lines = _lines(n, ends[first : first + n], np.minimum(who, accounts - 1), gang, pools, rng, numbers, recent)
        block = b"".join(lines)
        out.write(block)
        written += len(block)
    return written


def _lines(
    n: int, ends: NDArray[np.float64], who: NDArray[np.int64], gang: int, pools: _Pools, rng: Random,
    numbers: np.random.Generator, recent: deque[_Turn],
) -> list[bytes]:  # fmt: skip
    """`n` rows. The random draws of a row are taken from arrays, made for the whole chunk at once."""
    latin, other, systems, wrappers, items = pools
    mean = sum(map(len, latin[:5000])) / 5000
    asked = _sentence_counts(numbers, n, _USER_BYTES, mean)
    told = _sentence_counts(numbers, n, _ANSWER_BYTES, mean)
    picks = numbers.integers(0, len(latin), int(asked.sum() + told.sum())).tolist()
    dice = numbers.random((n, 6)).tolist()
    idents = numbers.bytes(n * 28).hex().encode()
    models = list(MODELS.values())[:5]
    agents = [client.user_agent.encode() for client in CLIENTS.values()]
    groups = [m.group.encode() for m in models]
    upstream = [m.upstream.encode() for m in models]
    providers = [m.provider.encode() for m in models]
    used, out = 0, []
    rows = zip(ends.tolist(), who.tolist(), asked.tolist(), told.tolist(), dice, strict=True)
    for i, (end, account, ask_n, tell_n, (kind, mode, tongue, pick, lag, extra)) in enumerate(rows):
        ask_ids = picks[used : used + ask_n]
        tell_ids = picks[used + ask_n : used + ask_n + tell_n]
        used += ask_n + tell_n
        if tongue < NON_LATIN_SHARE:
            pool = other[account % len(other)]
            size = len(pool)
            ask = b"".join([pool[j % size] for j in ask_ids])
            answer = b"".join([pool[j % size] for j in tell_ids])
        else:
            ask = b"".join([latin[j] for j in ask_ids])
            answer = b"".join([latin[j] for j in tell_ids])
        if kind < CAMPAIGN_SHARE:
            account = int(pick * gang)
            wrapper, item = wrappers[int(extra * len(wrappers))], items.pop() if items else ask
            answer = b"<reasoning>" + answer + b"</reasoning><answer>%d</answer>" % int(lag * 9_999)
            if mode < 0.5:
                messages = _SYSTEM % wrapper + _TURN % (item + b" " + ask)
            else:
                messages = _TURN % (wrapper + b"\\n\\n" + item + b" " + ask)
        elif mode < CONTINUED_SHARE and recent:
            account, before, reply = recent[int(pick * len(recent))]
            messages = before + _REPLY % reply + _TURN % ask
        else:
            messages = _TURN % ask
            if account % 100 < SYSTEM_SHARE * 100:
                messages = _SYSTEM % systems[account % len(systems)] + messages
        if len(messages) + len(answer) < _MAX_HISTORY and kind >= CAMPAIGN_SHARE:
            recent.append(_Turn(account, messages, answer))
        h = idents[56 * i : 56 * i + 56]
        habit = account * 2_654_435_761 & 0xFFFFFFFF  # spreads habits over accounts (Knuth's multiplicative hash)
        m = habit % 5
        ip = b"198.%d.%d.%d" % (18 + (habit >> 4 & 1), habit >> 8 & 255, habit >> 16 & 255)
        if account < gang and habit % 3 == 0:  # a third of the campaign leaves through a few addresses
            ip = b"198.19.7.%d" % (habit % 40)
        tokens_in, tokens_out = len(messages) // 4, len(answer) // 4
        start = end - 0.4 - 0.3 * lag - tokens_out / models[m].tokens_per_s
        stream = b"true" if habit & 64 else b"false"
        cost = tokens_in * models[m].usd_in / 1e6 + tokens_out * models[m].usd_out / 1e6
        out.append(
            _ROW
            % (
                h[:24],
                _uuid(h[24:56]),
                stream,
                providers[m],
                start,
                end,
                start + 0.4,
                upstream[m],
                groups[m],
                tokens_in,
                tokens_out,
                tokens_in + tokens_out,
                cost,
                ip,
                agents[habit % len(agents)],
                b"%016x%016x%016x%016x" % (habit * 31, habit * 37, habit * 41, habit * 43),
                habit,
                messages,
                int(start),
                groups[m],
                answer,
                b"0.7" if habit & 128 else b"0",
                stream,
            )
        )
    return out


def _uuid(digits: bytes) -> bytes:
    return b"%b-%b-4%b-a%b-%b" % (digits[:8], digits[8:12], digits[13:16], digits[17:20], digits[20:])
