"""The simulated gateway: its accounts, its networks, its clock, and the exchanges logged so far."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from stillwatch.lab.traffic import rows
from stillwatch.lab.traffic.clients import PEOPLE_WEIGHT, Client, any_client
from stillwatch.lab.traffic.grammar import Texts
from stillwatch.lab.traffic.questions import Questions
from stillwatch.lab.traffic.rows import MODELS, Call, Json, Model

if TYPE_CHECKING:
    from stillwatch.lab.traffic.calendar import Calendar

START = 1_772_409_600  # Monday 2026-03-02 00:00 UTC
DAY_S = 86_400
DAYS = 14
END = START + DAYS * DAY_S

# Share of a day's activity by local hour. `person` has an evening peak, `office` a lunch dip, `flat` is a machine.
_HOURS: dict[str, tuple[int, ...]] = {
    "person": (2, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 6, 7, 7, 7, 7, 8, 9, 10, 11, 10, 7, 4),
    "office": (0, 0, 0, 0, 0, 0, 1, 4, 9, 12, 12, 10, 6, 9, 11, 11, 9, 5, 2, 1, 1, 1, 0, 0),
    "flat": (1,) * 24,
}
MODELS_OF_PEOPLE = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "deepseek-r1", "gpt-4.1-mini-2025-04-14")
TEMPERATURES = (None, None, None, 0.7, 1.0, 0.2, 0, 0.6, 0.8)
TOP_P = (None, None, None, None, 0.95, 0.9, 1.0)
LENGTHS = (None, None, None, 1024, 2048, 4096, 8192, 16384)
MODEL_WEIGHTS = (26, 30, 22, 14, 8)
_TIME_ZONES = (-8, -6, -5, -3, 0, 1, 1, 2, 3, 5, 8, 8, 9)
_MAIL = ("post.example", "mailbox.example", "letters.example", "inbox.example", "quickmail.example")
_WORK_MAIL = ("aldmoor.example", "brennick.example", "keswater.example", "tarn-labs.example", "ostrow.example")
_PLANS = ("free", "pay_as_you_go", "pro", "team")
_PROGRAMMES = (None, "startup", "education", "research", "nonprofit")
_USES = (
    "personal assistant", "writing help", "customer support", "coding", "internal tools", "education", "research",
    "data processing", "translation", None,
)  # fmt: skip


@dataclass(slots=True)
class Account:
    """Whoever is billed, and the habits of those behind it."""

    account_id: str
    key_hash: str
    key_alias: str
    role: str  # honest | campaign | reseller | router
    family: str
    campaign: str | None
    ips: list[str]
    client: Client
    model: Model
    language: str
    tz_h: int
    temperature: float | None
    max_tokens: int | None
    stream: bool
    record: Json = field(default_factory=dict)  # tables.ACCOUNT
    top_p: float | None = None


@dataclass(slots=True)
class Line:
    """A logged exchange, and what is true of it."""

    end: float
    exchange_id: str
    account_id: str
    tag: str | None  # campaign whose harvest this is
    data: bytes
    start: float = 0.0
    stream: str | None = None  # the customer or job behind it, inside an account that serves several
    reasoning: bool = False  # it carries a reasoning trace


class World:
    """Collects accounts and exchanges. Everything random comes from one stream, so order of calls matters."""

    def __init__(self, rng: Random, *, start: float = START, days: int = DAYS) -> None:
        self.rng = rng
        self.texts = Texts(rng)
        self.start, self.days, self.end = start, days, start + days * DAY_S
        self.side = "tune"  # whose prompt grammars honest customers use; `scenario.cast` sets both
        self.questions = Questions(self.texts, self.side)
        self.calendar: Calendar | None = None
        self.service_shapes: tuple[str, ...] = ()  # names for `moment`
        self.captured: list[Client] = []  # clients of captures, beside those that we wrote down
        self.top_ps: tuple[float | None, ...] = ()  # what people set, if anybody does
        self.sink: Callable[[Line], None] = self._keep
        self.accounts: dict[str, Account] = {}
        self.lines: list[Line] = []
        self.exchanges: Counter[str] = Counter()  # per account
        self.harvest: dict[str, list[tuple[float, str]]] = defaultdict(list)  # campaign -> (start, exchange id)
        self._homes = [self._block() for _ in range(170)]  # consumer networks, /24
        self._hosts = [self._block() for _ in range(30)]
        self._bins = [str(rng.randrange(400000, 559999)) for _ in range(24)]
        self._hour_weights = {shape: self._cumulative(weights) for shape, weights in _HOURS.items()}

    def _keep(self, line: Line) -> None:
        self.lines.append(line)
        if line.tag is not None:
            self.harvest[line.tag].append((line.start, line.exchange_id))

    # -- identities ------------------------------------------------------------------------------------------------

    def _block(self) -> str:
        # 198.18.0.0/15 is set aside for benchmarks (RFC 2544): it names nobody's network.
        return f"198.{18 + self.rng.randrange(2)}.{self.rng.randrange(1, 255)}"

    def home_ip(self) -> str:
        """An address of a household, a phone, or a residential proxy: nobody can tell which."""
        rng = self.rng
        if rng.random() < 0.08:  # 2001:db8::/32 is for documentation (RFC 3849)
            return f"2001:db8:{rng.randrange(1, 400):x}:{rng.randrange(65536):x}::{rng.randrange(1, 65536):x}"
        return f"{rng.choice(self._homes)}.{rng.randrange(2, 254)}"

    def host_ip(self) -> str:
        """An address in a data centre."""
        return f"{self.rng.choice(self._hosts)}.{self.rng.randrange(2, 254)}"

    def hex(self, digits: int) -> str:
        """Random hexadecimal digits."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def any_client(self) -> Client:
        """A client by its share among people and small apps, captured ones included."""
        extra = sum(c.people_weight for c in self.captured)
        if extra and self.rng.random() * (extra + PEOPLE_WEIGHT) < extra:
            return self.rng.choice(self.captured)
        return any_client(self.rng)

    def age_days(self) -> float:
        """How long ago an account signed up when the period begins."""
        return min(900.0, 6 + self.rng.lognormvariate(3.9, 0.9))

    def payment(self) -> str:
        """A payment fingerprint."""
        return "pay_" + self.hex(16)

    def account(
        self, role: str, family: str, *, campaign: str | None = None, ips: Sequence[str] | None = None,
        client: Client | None = None, model: str | None = None, language: str | None = None, tz_h: int | None = None,
        business: bool | None = None, stream: bool | None = None, temperature: float | None = -1.0,
        max_tokens: int | None = -1, **record: Any,
    ) -> Account:  # fmt: skip
        """A new account; what is not given is drawn as for anybody. `record` overrides columns of its account row."""
        rng = self.rng
        ident = "acct_" + self.hex(10)
        business = rng.random() < 0.4 if business is None else business
        if ips is None:
            ips = [self.host_ip() if business and rng.random() < 0.5 else self.home_ip()]
            if rng.random() < 0.35:
                ips = [*ips, self.home_ip()]
        age_days = self.age_days()
        domain = rng.choice(_WORK_MAIL) if business and rng.random() < 0.3 else rng.choice(_MAIL)
        if business and rng.random() < 0.4:
            domain = f"{self.hex(6)}.example"
        row: Json = {
            "account_id": ident,
            "created_at": int((self.start - age_days * DAY_S + rng.randrange(DAY_S)) * 1_000_000),
            "org_name": f"Org {self.hex(4)}" if business else None,
            "email_domain": domain,
            "email_fingerprint": "em_" + self.hex(16),
            "payment_fingerprint": self.payment() if rng.random() < 0.9 else None,
            "card_bin": rng.choice(self._bins) if rng.random() < 0.9 else None,
            "signup_ip": ips[0] if rng.random() < 0.6 else self.home_ip(),
            "plan": rng.choices(_PLANS, (2, 5, 3, 2))[0],
            "programme": rng.choices(_PROGRAMMES, (70, 10, 10, 6, 4))[0],
            "verification": rng.choice(("email", "email", "phone", "card", "business")),
            "contract_flags": None,
            "declared_use": rng.choice(_USES),
        }
        row.update(record)
        made = Account(
            account_id=ident, key_hash=self.hex(64), key_alias="key-" + self.hex(8), role=role, family=family,
            campaign=campaign, ips=list(ips), client=client or self.any_client(),
            model=MODELS[model or rng.choices(MODELS_OF_PEOPLE, MODEL_WEIGHTS)[0]],
            language=language or self.texts.language(), tz_h=rng.choice(_TIME_ZONES) if tz_h is None else tz_h,
            temperature=rng.choice(TEMPERATURES) if temperature == -1.0 else temperature,
            max_tokens=rng.choice(LENGTHS) if max_tokens == -1 else max_tokens,
            stream=rng.random() < 0.45 if stream is None else stream, record=row,
            top_p=rng.choice(self.top_ps) if self.top_ps and temperature == -1.0 else None,
        )  # fmt: skip
        self.accounts[ident] = made
        return made

    def keep_hours(self, shapes: Sequence[Sequence[float]]) -> None:
        """Let products and scripts keep the hours of real services, (24,) each."""
        for i, shape in enumerate(shapes):
            self._hour_weights[f"service {i}"] = self._cumulative(shape)
        self.service_shapes = tuple(f"service {i}" for i in range(len(shapes)))

    # -- time ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _cumulative(weights: Iterable[float]) -> list[float]:
        out, total = [], 0.0
        for weight in weights:
            total += weight
            out.append(total)
        return out

    def moment(self, day: int, shape: str, tz_h: int = 0) -> float:
        """A time of day `day` (from 0), local hour drawn by `shape`; seconds since 1970, inside the period."""
        hour = self.rng.choices(range(24), cum_weights=self._hour_weights[shape])[0]
        at = self.start + day * DAY_S + ((hour - tz_h) % 24) * 3600 + self.rng.random() * 3600
        return min(at, self.end - 1800.0)

    @staticmethod
    def weekend(day: int) -> bool:
        """Whether simulated day `day` is a Saturday or Sunday."""
        return day % 7 >= 5

    # -- traffic ---------------------------------------------------------------------------------------------------

    def exchange(
        self, account: Account, at: float, messages: list[Json], answer: str | list[str] | None, *,
        tag: str | None = None, model: str | None = None, params: Json | None = None, reasoning: str | None = None,
        client: Client | None = None, ip: str | None = None, end_user: str | None = None, stream: bool | None = None,
        status: int = 200, retry: int = 0, tool_call: tuple[str, str] | None = None,
        thinking_blocks: list[Json] | None = None, fault_rate: float = 0.008, customer: str | None = None,
        traced: bool = False,
    ) -> float:  # fmt: skip
        """Log one exchange.

        With chance `fault_rate` the gateway answers 429 (or seldom 500) first, and the same caller tries again.
        `customer` names who is behind it in an account that serves several; `traced`: it carries a reasoning trace.

        Returns:
            its end, seconds since 1970; past the end of the period nothing is logged.
        """
        if at >= self.end - 900:
            return at
        chosen = MODELS[model] if model else account.model
        if params is None:
            params = {}
            if account.temperature is not None:
                params["temperature"] = account.temperature
            if account.max_tokens is not None:
                params["max_tokens"] = account.max_tokens
            if account.top_p is not None:
                params["top_p"] = account.top_p
        if reasoning is None and chosen.reasons and status == 200:
            reasoning = self.texts.reasoning(700)
        call = Call(
            at=at, account_id=account.account_id, key_hash=account.key_hash, key_alias=account.key_alias,
            client=client or account.client, ip=ip or self.rng.choice(account.ips), model=chosen, messages=messages,
            answers=list(answer) if isinstance(answer, list) else [answer], reasoning=reasoning, params=params,
            end_user=end_user, stream=account.stream if stream is None else stream, status=status, retry=retry,
            tool_call=tool_call, thinking_blocks=thinking_blocks, embedding=chosen.group.startswith("text-embedding"),
        )  # fmt: skip
        if status == 200 and self.rng.random() < fault_rate:
            call.status = 429 if self.rng.random() < 0.8 else 500
            call.at = self._log(call, tag, customer, False) + 0.5 + 2.5 * self.rng.random()
            call.status, call.retry = 200, retry + 1
        return self._log(call, tag, customer, traced and call.status == 200)

    def _log(self, call: Call, tag: str | None, customer: str | None, traced: bool) -> float:
        end, ident, data, _ = rows.row(call, self.rng)
        self.sink(Line(end, ident, call.account_id, tag, data, round(call.at, 6), customer, traced))
        self.exchanges[call.account_id] += 1
        return end

    def converse(
        self, account: Account, at: float, asks: Iterable[str], *, section: str, mean_chars: float = 520.0,
        system: str | None = None, pause_s: float = 45.0, history: list[Json] | None = None, **more: Any,
    ) -> list[Json]:  # fmt: skip
        """A conversation: every turn re-sends all that came before.

        Returns:
            the messages so far, the last answer included; give them as `history` to go on later.
        """
        messages = list(history) if history else []
        if system and not messages:
            messages = [{"role": "system", "content": system}]
        for ask in asks:
            messages = [*messages, {"role": "user", "content": ask}]
            answer = self.texts.answer(section, mean_chars)
            end = self.exchange(account, at, messages, answer, **more)
            messages = [*messages, {"role": "assistant", "content": answer}]
            at = end + pause_s * self.rng.lognormvariate(0.0, 0.8)
        return messages

    def turns(self, mean: float) -> int:
        """Turns of a conversation: geometric, at least 1, at most 9."""
        return min(9, 1 + int(math.log(1.0 - self.rng.random()) / math.log(1.0 - 1.0 / mean)))
