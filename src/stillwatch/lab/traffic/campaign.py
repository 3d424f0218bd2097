"""A campaign as an actor: it deals its items to its accounts, over its networks, at its hours, hidden in its way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from stillwatch.lab.traffic import split
from stillwatch.lab.traffic.clients import Client
from stillwatch.lab.traffic.intermediaries import CUSTOMERS_SET, customers_of, serve
from stillwatch.lab.traffic.organisation import Organisation
from stillwatch.lab.traffic.people import PASTED, code_asks, everyday_asks, system_prompt
from stillwatch.lab.traffic.relay import Relay
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Ask, Context, Family, Item, Obfuscation
from stillwatch.lab.traffic.world import DAY_S, MODEL_WEIGHTS, MODELS_OF_PEOPLE, Account, World

_HUMAN = (1, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 9, 8, 9, 10, 10, 9, 9, 9, 9, 8, 6, 4, 2)  # activity by local hour
_PEAK = max(_HUMAN)
TALKATIVE = (1.01, 1.02, 1.05, 1.2, 1.6)  # mean turns of conversations beside the harvest
DECOY_TURNS = 1.25  # exchanges of one such conversation, measured
FRAMED_SHARE = 0.03  # of a campaign's requests that go by the key of an innocent account


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One campaign: what it wants, and who sends it."""

    id: str
    families: tuple[Family, ...]
    obfuscations: tuple[Obfuscation, ...]
    organisation: Organisation
    exchanges: int
    context: Context
    accounts: list[Account] = field(default_factory=list)
    framed: list[Account] = field(default_factory=list)  # innocent accounts whose keys send a little of the work
    relay: Relay | None = None  # of the intermediary that it hides in
    pool: str | None = None  # accounts of a reseller, a router, or another lab's pool
    alike: bool = False  # temperature and length are the same in all its accounts ...
    settings: Json | None = None  # ... and these
    preamble: str | None = None  # system prompt of requests whose family gives none
    pivots: bool = False  # moves to a released model within a day
    thief: Client | None = None  # what it uses with other people's keys
    customer: Json = field(default_factory=dict)  # settings of a customer of an intermediary


def client_for(world: World, side: str) -> Client:
    """A client that a harvester of this side uses."""
    while True:
        client = world.any_client()
        if split.client_allowed(client.name, side):
            return client


def recruit(world: World, campaign: Campaign, count: int) -> list[Account]:
    """Accounts of the campaign's own: signed up in small groups, paid and connected as it is organised."""
    rng, o, side = world.rng, campaign.organisation, campaign.context.side
    cards = [world.payment() for _ in range({"shared": 1, "few": max(1, count // 6), "distinct": count}[o.payment])]
    common = client_for(world, side)
    hosts = [world.host_ip() for _ in range(max(1, count // 8))]
    model = rng.choices(MODELS_OF_PEOPLE, MODEL_WEIGHTS)[0]
    made: list[Account] = []
    signed = world.start - world.age_days() * DAY_S
    where = world.home_ip()
    for i in range(count):
        enrolled: Json = {} if o.programme == "mixed" or rng.random() < 0.3 else {"programme": o.programme}
        if i % 5 == 0:  # the next group signs up, at another time from another place
            where = world.home_ip()
            signed = signed + DAY_S * rng.random() * 2 if rng.random() < 0.5 else world.start - world.age_days() * DAY_S
        network = rng.choice(("hosting", "residential")) if o.network == "mixed" else o.network
        made.append(
            world.account(
                "campaign", "+".join(f.id for f in campaign.families), campaign=campaign.id,
                ips=[rng.choice(hosts)] if network == "hosting" else [world.home_ip() for _ in range(1 + (i % 3 == 0))],
                client=common if o.headers == "normalised" else client_for(world, side), model=model,
                payment_fingerprint=rng.choice(cards) if rng.random() < 0.9 else None,
                created_at=int((signed + 600 * rng.random()) * 1e6),
                signup_ip=where if rng.random() < 0.5 else world.home_ip(), **enrolled,
            )
        )  # fmt: skip
    return made


def play(world: World, campaign: Campaign, start: float, end: float) -> Iterator[float]:
    """Send `campaign.exchanges` requests between start and end, in order of time."""
    rng, o = world.rng, campaign.organisation
    if not campaign.accounts:
        campaign.accounts = recruit(world, campaign, o.accounts)
    campaign.thief, campaign.customer = client_for(world, campaign.context.side), rng.choice(CUSTOMERS_SET)
    campaign.preamble = system_prompt(world, chance=0.55)
    campaign.pivots = o.hidden == "no" and rng.random() < 0.3
    pool, relay = campaign.accounts, campaign.relay
    items = _items(campaign)
    per_s = len(pool) * o.rate_per_day / DAY_S
    if o.hidden in ("router", "reseller"):
        per_s = campaign.exchanges / (0.6 * (end - start))
    burst = 1 if per_s * 3600 < 40 else min(24, 2 + int(per_s * 60))
    zone = rng.choice((-8, -5, 0, 1, 3, 5, 8, 9))
    sent, at, turn = 0, start, rng.randrange(len(pool))
    banned_from = start + (0.35 + 0.3 * rng.random()) * o.days * DAY_S if o.standby else math.inf
    leave = 1 / min(33.0, max(3.0, campaign.exchanges / len(pool) / 2))  # chance to leave an account one sticks to
    swapped = False
    while sent < campaign.exchanges and at < end:
        at += rng.expovariate(per_s / burst)
        if o.hours == "human" and rng.random() * _PEAK > _HUMAN[int(at / 3600 + zone) % 24] * 1.8:
            continue
        yield at
        if at > banned_from and not swapped:
            for account in rng.sample(pool, min(len(pool), 6)):  # the ban is met in the middle of work
                _send(world, campaign, account, at + rng.random() * 20, next(items).asks[0], None, status=403)
            pool, swapped = recruit(world, campaign, len(pool)), True
            campaign.accounts = campaign.accounts + pool
            at += 25 + 60 * rng.random()
        for k in range(burst):
            if o.sharding == "round_robin":
                turn += 1
            elif o.sharding == "random" or rng.random() < leave:
                turn = rng.randrange(len(pool))
            account = pool[turn % len(pool)] if relay is None else relay.pick(campaign.id, at)
            if campaign.framed and rng.random() < FRAMED_SHARE:
                account = rng.choice(campaign.framed)
            moment = at + k * 0.4 * rng.random()
            warm = moment < start + o.warm_up_days * DAY_S
            if o.hidden in ("no", "aged", "stolen") and (warm or rng.random() >= _harvest_share(o)):
                _decoy(world, campaign, account, moment)
                continue
            sent += _work(world, campaign, pool, account, moment, next(items))


def _harvest_share(o: Organisation) -> float:
    """Chance that a slot is work and no decoy, so that `share` of the exchanges is harvest; an item is about one."""
    return o.share * DECOY_TURNS / (1 - o.share + o.share * DECOY_TURNS) if o.hidden == "no" else 1.0


def _items(campaign: Campaign) -> Iterator[Item]:
    streams = [f.make(campaign.context) for f in campaign.families]
    for hide in campaign.obfuscations:
        if hide.order is not None:
            streams = [hide.order(campaign.context, stream) for stream in streams]
    while True:
        item = next(campaign.context.rng.choice(streams))
        for hide in campaign.obfuscations:
            item = hide.change(campaign.context, item)
        yield item


def _work(world: World, campaign: Campaign, pool: Sequence[Account], account: Account, at: float, item: Item) -> int:
    """Send one item; a refused request goes on in another account within seconds. Returns the exchanges."""
    rng, o = world.rng, campaign.organisation
    sent = 0
    for ask in item.asks:
        if len(pool) > 1 and rng.random() < o.failover:
            status = rng.choice((429, 429, 529))
            at = _send(world, campaign, account, at, ask, item, status=status) + 1 + 5 * rng.random()
            if campaign.relay is None:
                account = rng.choice([a for a in pool if a is not account])
            else:
                campaign.relay.refused(account, at, status)
                account = campaign.relay.pick(campaign.id, at, instead_of=account)
            sent += 1
        at = _send(world, campaign, account, at, ask, item) + item.pause_s * (0.5 + rng.random())
        sent += 1
    return sent


def _send(
    world: World, campaign: Campaign, account: Account, at: float, ask: Ask, item: Item | None, status: int = 200
) -> float:
    o = campaign.organisation
    stolen = o.hidden == "stolen"
    return world.exchange(
        account, at, _messages(campaign, ask), "" if status != 200 else ask.answer,
        tag=campaign.id if item is None or item.harvest else None, model=_model(world, campaign, ask, at),
        params=_settings(campaign, account, ask),
        reasoning=ask.reasoning, tool_call=ask.tool_call, thinking_blocks=ask.thinking_blocks, status=status,
        ip=world.home_ip() if stolen or (o.network == "rotating" and campaign.relay is None) else None,
        end_user=campaign.relay.user(account, campaign.id) if campaign.relay else None,
        client=campaign.thief if stolen else None,
        customer=f"{campaign.id}/{account.account_id}" if o.hidden == "no" else campaign.id,
        traced=bool(item and item.reasoning), fault_rate=0.008,
    )  # fmt: skip


def _messages(campaign: Campaign, ask: Ask) -> list[Json]:
    """The request's messages; half of the campaigns leave the usual system prompt of their client in place."""
    bare = campaign.preamble is None or ask.messages[0]["role"] == "system"
    if bare or (ask.model or "").startswith("text-embedding"):
        return ask.messages
    return [{"role": "system", "content": campaign.preamble}, *ask.messages]


def _model(world: World, campaign: Campaign, ask: Ask, at: float) -> str | None:
    """The model that the work needs, else the released one where the campaign pivots to it, else the account's."""
    calendar = world.calendar
    if ask.model is None and campaign.pivots and calendar and at > calendar.release_at + 0.5 * DAY_S:
        return calendar.released
    return ask.model


def _settings(campaign: Campaign, account: Account, ask: Ask) -> Json | None:
    """What the work needs (formats, samples, logprobs), with temperature and length as the account usually has them.

    A third of the campaigns set them alike for all; the others leave what each account was set up with, as strangers
    would differ.
    """
    if ask.params is None or campaign.alike:
        if campaign.settings is None and ask.params is not None:
            campaign.settings = {k: v for k, v in ask.params.items() if k in ("temperature", "top_p", "max_tokens")}
        return ask.params
    usual: Json = {"temperature": account.temperature, "max_tokens": account.max_tokens, "top_p": account.top_p}
    if campaign.pool:  # a customer of an intermediary has settings of its own
        usual = {**dict.fromkeys(usual), **campaign.customer}
    kept = {k: v for k, v in ask.params.items() if k not in usual}
    return kept | {k: v for k, v in usual.items() if v is not None}


def _decoy(world: World, campaign: Campaign, account: Account, at: float) -> None:
    """A chat as anybody has it, with the settings of the account's other work."""
    turns = min(world.turns(world.rng.choice(TALKATIVE)), 4)
    asks = code_asks(world, turns) if world.rng.random() < 0.25 else everyday_asks(world, account.language, turns)
    world.converse(account, at, asks, section=account.language, system=system_prompt(world), params=campaign.settings)


def honest_customers(world: World, relay: Relay, exchanges: int, start: float, end: float) -> Iterator[float]:
    """The other customers of an intermediary; the relay says which account serves them."""
    rng = world.rng
    customers = customers_of(world, max(12, exchanges // 18), TALKATIVE)
    done = 0
    per_s = exchanges / 2.2 / (end - start)
    at = start
    while done < exchanges and at < end:
        at += rng.expovariate(per_s)
        yield at
        i = rng.randrange(len(customers))
        name = f"customer-{i}"
        account = relay.pick(name, at)
        spare = relay.pick(name, at, instead_of=account) if len(relay.accounts) > 1 and rng.random() < 0.15 else None
        user = relay.user(account, name)
        customer = replace(customers[i], user=user or customers[i].user, pastes=PASTED)
        before = world.exchanges[account.account_id]
        serve(world, account, customer, at, name, spare=spare, refused=0.1)
        done += max(1, world.exchanges[account.account_id] - before)


__all__ = ["Campaign", "honest_customers", "play", "recruit"]
