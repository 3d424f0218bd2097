"""Hard honest traffic, part two: many people behind one thing (a key, an address, a prompt, a card, a relay)."""

from __future__ import annotations

from stillwatch.lab.traffic.clients import CLIENTS, any_client
from stillwatch.lab.traffic.intermediaries import reseller
from stillwatch.lab.traffic.people import chat_asks, chatter, code_asks, coder, product, system_prompt
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.world import DAY_S, Account, World


def team_key(world: World) -> list[Account]:
    """Nine colleagues, one key: several addresses, clients and languages in one account."""
    account = world.account("honest", "team_key", business=True)
    desks = [
        (world.home_ip(), any_client(world.rng), world.texts.language(), world.rng.choice((0, 1, 1, 5)))
        for _ in range(9)
    ]
    for _ in range(110):
        ip, client, language, tz_h = world.rng.choice(desks)
        day = world.rng.choice((0, 1, 2, 3, 4, 7, 8, 9, 10, 11))
        asks = chat_asks(world, language, world.turns(2.5))
        world.converse(account, world.moment(day, "office", tz_h), asks, section=language, ip=ip, client=client)
    return [account]


def enterprise_nat(world: World) -> list[Account]:
    """Twenty-four employees with accounts of their own behind one corporate address and one signing-up office."""
    exit_ip, day = world.host_ip(), world.start - 200 * DAY_S
    made = [
        world.account("honest", "enterprise_nat", ips=[exit_ip], signup_ip=exit_ip, business=True, tz_h=1,
                      email_domain="ostrow.example", org_name="Ostrow Works",
                      language=world.rng.choice(("de", "de", "en")),
                      created_at=int((day + i * 900) * 1e6))
        for i in range(24)
    ]  # fmt: skip
    for account in made:
        if world.rng.random() < 0.4:
            coder(world, account, share=0.3, per_day=1.5)
        else:
            chatter(world, account, share=0.4, per_day=1.6, weekend_factor=0.1)
    return made


def _aggregator(world: World, family: str, tell_users: bool) -> list[Account]:
    account = world.account("honest", family, ips=[world.host_ip()], client=CLIENTS["openrouter-like"], business=True,
                            temperature=None, max_tokens=None, declared_use="model router for developers")  # fmt: skip
    users = [
        (f"e{world.rng.randrange(10**6)}", world.texts.language(), world.rng.choice((-8, -5, 0, 1, 3, 8)))
        for _ in range(70)
    ]
    models = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "deepseek-r1")
    while world.exchanges[account.account_id] < 420:
        user, language, tz_h = world.rng.choice(users)
        at, turns = world.moment(world.rng.randrange(world.days), "person", tz_h), world.turns(2.4)
        codes = world.rng.random() < 0.35
        asks = code_asks(world, turns) if codes else chat_asks(world, language, turns)
        if world.rng.random() < 0.1:
            asks = [world.texts.say("problem", "item") + " Think step by step and show your reasoning."]
        world.converse(account, at, asks, section="code" if codes else language, system=system_prompt(world),
                       model=world.rng.choice(models), end_user=user if tell_users else None)  # fmt: skip
    return [account]


def aggregator_with_users(world: World) -> list[Account]:
    """An honest router that names its end users."""
    return _aggregator(world, "aggregator_with_users", True)


def aggregator_blind(world: World) -> list[Account]:
    """An honest router that names nobody."""
    return _aggregator(world, "aggregator_blind", False)


def popular_agent(world: World) -> list[Account]:
    """Sixty-four people with accounts of their own, all on one agent whose long system prompt asks for a plan."""
    system, made = world.texts.say("system", "agent"), []
    client = CLIENTS["openai-node-6.1.0"]
    for _ in range(64):
        account = world.account(
            "honest", "popular_agent", client=client if world.rng.random() < 0.7 else None, temperature=None
        )
        made.append(account)
        for day in world.rng.sample(range(world.days), 3 + int(4 * world.rng.random())):
            at = world.moment(day, "person", account.tz_h)
            history: list[Json] = [{"role": "system", "content": system}]
            for ask in chat_asks(world, account.language, world.turns(2.2)):
                history = [*history, {"role": "user", "content": ask}]
                reply = world.texts.answer(account.language, 240)
                plan = f"<plan>\n{world.texts.sentences('en', 'say', 260)}\n</plan>\n<reply>\n{reply}\n</reply>"
                at = world.exchange(account, at, history, plan) + 30 + 60 * world.rng.random()
                history = [*history, {"role": "assistant", "content": plan}]
    return made


def course(world: World) -> list[Account]:
    """Forty students, one exercise, one hour, one campus network, one programme."""
    campus = world.home_ip()
    while ":" in campus:
        campus = world.home_ip()
    hour, made = world.start + 3 * DAY_S + 13 * 3600, []
    head = world.texts.say("job", "assignment")
    for _ in range(40):
        account = world.account(
            "honest", "course", ips=[campus], signup_ip=campus if world.rng.random() < 0.4 else world.home_ip(),
            programme="education", email_domain="uni-aldmoor.example", business=False, tz_h=1,
            created_at=int((hour - (2 + 20 * world.rng.random()) * DAY_S) * 1e6),
            model=world.rng.choice(("gpt-4o-mini", "gpt-4o")),
        )  # fmt: skip
        made.append(account)
        own = world.rng.random()
        first = head if own < 0.75 else world.texts.say("job", "assignment")
        asks = [first, *(world.texts.say("job", "assignfollow") for _ in range(world.turns(2.2)))]
        world.converse(account, hour + 3600 * world.rng.random(), asks, section="en", mean_chars=800, pause_s=70)
        account.ips.append(world.home_ip())
        if own < 0.6:
            chatter(world, account, share=0.12, per_day=1.5)
    return made


def tutoring(world: World) -> list[Account]:
    """A school product that explains everything step by step, in the very tags that a harvest asks for."""
    account = world.account(
        "honest", "tutoring", ips=[world.host_ip()], business=True, programme="education", declared_use="education"
    )
    system = world.texts.say("system", "tutor")
    for _ in range(130):
        user = f"pupil-{world.rng.randrange(60)}"
        at = world.moment(world.rng.choice((0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13)), "person", 1)
        messages: list[Json] = [
            {"role": "system", "content": system},
            {"role": "user", "content": world.texts.say("problem", "item")},
        ]
        for _ in range(world.turns(2.0)):
            answer = f"<reasoning>\n{world.texts.reasoning(380)}\n</reasoning>\n{world.texts.final()}"
            at = world.exchange(account, at, messages, answer, end_user=user) + 50
            messages = [
                *messages,
                {"role": "assistant", "content": answer},
                {"role": "user", "content": world.texts.say("en", "follow")},
            ]
    return [account]


def migration(world: World) -> list[Account]:
    """A firm moves from one account to another on day 7; open conversations go on under the new key."""
    card, name = world.payment(), "Tarn Labs"
    old, new = (
        world.account("honest", "migration", business=True, org_name=name, email_domain="tarn-labs.example", tz_h=0,
                      payment_fingerprint=card, language="en", client=CLIENTS["openai-python-3.3.0-async-linux"])
        for _ in range(2)
    )  # fmt: skip
    new.ips, new.record["created_at"] = old.ips, int((world.start + 6 * DAY_S) * 1e6)
    for day in range(world.days):
        for _ in range(1 if world.weekend(day) else 6):
            asks, at = chat_asks(world, "en", world.turns(2.6)), world.moment(day, "office")
            kept = world.converse(old if day < 7 else new, at, asks, section="en")
            if day == 6:
                world.converse(new, at + DAY_S / 2, [world.texts.say("en", "follow")], section="en", history=kept)
    return [old, new]


def saas_cards(world: World) -> list[Account]:
    """Fourteen customers of a software house, each with a sub-account, all on the house's card."""
    card, made = world.payment(), []
    for _ in range(14):
        account = world.account(
            "honest",
            "saas_cards",
            ips=[world.host_ip()],
            business=True,
            payment_fingerprint=card,
            org_name="Kestrel Forms",
        )
        made.append(account)
        product(world, account, requests=int(8 + 10 * world.rng.random()))
    return made


def vpn_users(world: World) -> list[Account]:
    """Ten strangers who leave through the same three exits."""
    exits = [world.host_ip() for _ in range(3)]
    made = [world.account("honest", "vpn_users", ips=exits, signup_ip=world.rng.choice(exits)) for _ in range(10)]
    for account in made:
        chatter(world, account, share=0.4, per_day=2.0)
    return made


def permitted_reseller(world: World) -> list[Account]:
    """A reseller with a contract; the same machinery, but allowed."""
    return reseller(world, accounts=6, requests=330, role="honest", family="permitted_reseller",
                    contract_flags="reseller", declared_use="reselling under contract")  # fmt: skip


GROUPS = (
    team_key, enterprise_nat, aggregator_with_users, aggregator_blind, popular_agent, course, tutoring, migration,
    saas_cards, vpn_users, permitted_reseller,
)  # fmt: skip
