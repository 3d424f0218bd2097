"""One self-contained HTML file from a report model.

The file opens offline and asks the network for nothing: its Content-Security-Policy allows one style sheet and one
script, both inline and named by hash, and neither `style` attributes nor event handlers. Text from the model reaches
the page by two ways only: through jinja2 with autoescape, and in one JSON block that the script reads and writes back
with `textContent`. Both pass `visible` first.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

from . import graph, table, timeline, words
from .model import VERDICTS, Campaign, Report, report_from
from .redact import redact
from .visible import visible

MOST_CARDS = 25  # campaigns told in full; the others stay in the ranking and the table
MOST_MEMBERS = 12
MOST_LINKS = 300
_ID_LIMIT = 96  # characters of an id that are shown
_JSON_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(model: Report | Mapping[str, Any]) -> str:
    """The report as one HTML document, to be written as UTF-8.

    Args:
        model: a `Report`, or plain data of the same form.
    Raises:
        InputError: plain data that does not have that form; names the field.
    """
    report = model if isinstance(model, Report) else report_from(model)
    style, script = _asset("report.css"), _asset("report.js")
    ranked = rank(report.campaigns)
    rows = table.ordered(report.verdicts)
    page = _environment().get_template("report.html.j2")
    return page.render(
        r=report,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        ranked=ranked,
        cards=[_card(c, report) for c in ranked[:MOST_CARDS]],
        lede=_lede(report),
        verdict_counts=[(v, report.summary.verdict_counts.get(v, 0)) for v in VERDICTS],
        chart=timeline.chart(report, ranked),
        drawings=graph.draw(report),
        strongest=sorted(report.links, key=lambda k: (-k.match_weight, k.a, k.b))[:MOST_LINKS],
        rows=rows[: table.PAGE],
        data=Markup(json_block(table.data(rows, report.signals))),
        number_of={c.campaign_id: i for i, c in enumerate(ranked, 1)},
        most_members=MOST_MEMBERS,
    )


def rank(campaigns: tuple[Campaign, ...]) -> list[Campaign]:
    """Campaigns by strength of evidence, then by size."""
    return sorted(campaigns, key=lambda c: (-(c.probability or 0.0), -(c.e_value or 0.0), -c.exchanges, c.campaign_id))


def json_block(value: Any) -> str:
    """JSON that is safe between script tags: no "<", ">" or "&" is left, so "</script>" and "<!--" cannot occur."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False).translate(_JSON_ESCAPES)


def _lede(report: Report) -> str:
    """The finding in one or two sentences."""
    s = report.summary
    read = f"{words.plural(s.exchanges, 'exchange')} from {words.plural(s.accounts, 'account')} were read."
    if s.exchanges == 0:
        return "No exchange could be read, so nothing can be said. See what was read, below."
    if not s.campaigns:
        watched = s.verdict_counts.get("watch", 0)
        more = f" {words.plural(watched, 'account')} should be watched." if watched else ""
        return f"{read} Nothing in them looks like a distillation campaign.{more}"
    in_campaigns = len({a for c in report.campaigns for a in c.accounts})
    share = sum(c.exchanges for c in report.campaigns) / s.exchanges
    return (
        f"{read} {words.percent(min(1.0, share))} of them, from {words.plural(in_campaigns, 'account')}, look gathered "
        f"to train another model, in {words.plural(s.campaigns, 'campaign')}."
    )


def _card(c: Campaign, report: Report) -> dict[str, Any]:
    """What one campaign's card shows beyond the campaign itself."""
    accounts = set(c.accounts)
    abstained: Counter[str] = Counter()
    missing: dict[str, set[str]] = defaultdict(set)
    for row in report.verdicts:
        if row.account_id in accounts:
            for a in row.abstained:
                abstained[a.signal] += 1
                missing[a.signal].update(a.missing)
    seen: dict[str, None] = dict.fromkeys(w.signal for w in c.why)
    infos = [(report.signals[s].title, report.signals[s]) for s in seen if s in report.signals]
    pools = [p for p in report.pools if accounts.intersection(p.accounts)]
    after = None
    if c.exchanges_at_flag is not None and c.exchanges:
        after = max(0, c.exchanges - c.exchanges_at_flag) / c.exchanges
    return {
        "c": c,
        "innocent": [(title, words.listed(info.innocent, 6)) for title, info in infos if info.innocent],
        "misses": [(title, words.listed(info.misses, 6)) for title, info in infos if info.misses],
        "unseen": [
            (report.signals[s].title if s in report.signals else s, sorted(missing[s]), n)
            for s, n in abstained.most_common(12)
        ],
        "pools": pools,
        "after": after,
        "most_bits": max((w.match_weight or 0.0 for w in c.why), default=0.0),
        "exemplars": [(e, redact(e.text, 600)) for e in c.exemplars[:8]],
    }


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _isolated(text: str | None, limit: int = _ID_LIMIT) -> Markup:
    """Text from outside in its own bidi context, cleaned and cut."""
    return Markup("<bdi>{}</bdi>").format(Markup(escape(visible(text or "–", limit))))


def _key_words(key: str) -> str:
    return key.replace("_", " ").strip().capitalize().replace(" usd", ", USD").replace(" eur", ", EUR")


def _exposure(value: float | int | str | None) -> str:
    return value if isinstance(value, str) else words.compact(value)


@cache
def _environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every string that is not markup of our own is cleaned on its way out, also where a template forgets to.
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    env.filters.update(
        {
            "iso": lambda text, limit=_ID_LIMIT: _isolated(text, limit),
            "count": words.count,
            "compact": words.compact,
            "number": words.number,
            "percent": words.percent,
            "evalue": words.e_value,
            "when": words.when,
            "day": lambda iso: words.when(iso, clock=False),
            "listed": words.listed,
            "key_words": _key_words,
            "exposure": _exposure,
            "visible": visible,
            "path": Markup,  # geometry that timeline.py writes from numbers
        }
    )
    env.globals.update(
        plural=words.plural,
        span=words.span,
        reading=words.reading,
        duration=words.duration,
        verdict_words=words.VERDICT_WORDS,
        verdict_means=words.VERDICT_MEANS,
        kind_means=words.KIND_MEANS,
    )
    return env
