"""Hard honest traffic, part one: jobs of a single customer. Each resembles a harvest from some side, and is none."""

from __future__ import annotations

import orjson

from stillwatch.lab.traffic.campaigns import work_items
from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.people import code_asks
from stillwatch.lab.traffic.rows import Json, answer_format
from stillwatch.lab.traffic.world import DAY_S, Account, World

_ASYNC = "openai-python-3.54.0-async-linux"
_RECORD = {
    "type": "function",
    "function": {
        "name": "Record", "description": "A complaint, one field each",
        "parameters_keys": ["sender", "date", "item", "amount", "problem"],
    },
}  # fmt: skip


def _user(text: str) -> list[Json]:
    return [{"role": "user", "content": text}]


def _job(world: World, family: str, **more: object) -> Account:
    """An account that runs one job from a data centre."""
    return world.account("honest", family, ips=[world.host_ip()], business=True, stream=False, **more)  # type: ignore[arg-type]


def _batch(
    world: World, account: Account, at: float, prompts: list[str], answers: list[str], width: int, **more: object
) -> float:
    """Requests of a job, `width` at a time; returns the end."""
    lanes = [at + 0.05 * i for i in range(width)]
    for prompt, answer in zip(prompts, answers, strict=True):
        lane = lanes.index(min(lanes))
        lanes[lane] = world.exchange(account, lanes[lane], _user(prompt), answer, **more) + 0.05 * world.rng.random()  # type: ignore[arg-type]
    return max(lanes)


def nightly_eval(world: World) -> list[Account]:
    """The same 48 problems at two o'clock every night, with reasoning, ten at a time."""
    account = _job(world, "nightly_eval", client=CLIENTS[_ASYNC], model="gpt-4o", contract_flags="evaluation")
    head = world.texts.say("job", "eval")
    prompts = [head + item for item in work_items(world, 48)]
    for day in range(world.days):
        answers = [f"{world.texts.reasoning(500)}\nAnswer: {world.rng.randrange(900)}" for _ in prompts]
        _batch(
            world,
            account,
            world.start + day * DAY_S + 2 * 3600,
            prompts,
            answers,
            10,
            params={"temperature": 0.0, "max_tokens": 2048},
        )
    return [account]


def release_regression(world: World) -> list[Account]:
    """A product's prompts, all of them, on two release days."""
    account = _job(world, "release_regression")
    system = world.texts.say("system", "tutor")
    prompts = [f"{system}\n\n{world.texts.ask(account.language)}" for _ in range(130)]
    for day in (3, 10):
        answers = [world.texts.answer(account.language, 600) for _ in prompts]
        _batch(world, account, world.start + day * DAY_S + 14 * 3600, prompts, answers, 6)
    return [account]


def drift_monitor(world: World) -> list[Account]:
    """Twelve canary prompts every eight hours, for ever."""
    account = _job(world, "drift_monitor", temperature=0.0)
    prompts = world.texts.grammars["job"].all("canary")
    for run in range(world.days * 3):
        answers = [world.texts.answer("en", 90) for _ in prompts]
        _batch(world, account, world.start + run * 8 * 3600 + 300, prompts, answers, 1)
    return [account]


def bulk_classify(world: World) -> list[Account]:
    """Customer messages to labels, in bursts."""
    account = _job(world, "bulk_classify", model="gpt-4o-mini")
    head = world.texts.say("job", "classify")
    for day in (1, 4, 8, 9, 11):
        prompts = [head + world.texts.say("doc", "ticket") for _ in range(120)]
        labels = [world.rng.choice(("billing", "delivery", "product", "account")) for _ in prompts]
        _batch(
            world, account, world.moment(day, "office"), prompts, labels, 12, params={"temperature": 0, "max_tokens": 5}
        )
    return [account]


def bulk_extract(world: World) -> list[Account]:
    """Messages to records through a tool call."""
    account = _job(world, "bulk_extract")
    head = world.texts.say("job", "extract")
    params = {"tools": [_RECORD], "tool_choice": {"type": "function", "function": {"name": "Record"}}}
    for day in (0, 2, 7, 9):
        at = world.moment(day, "office")
        for _ in range(95):
            text = head + " ".join(world.texts.say("doc", "ticket") for _ in range(3))
            record = {"sender": None, "item": world.texts.say("doc", "product"), "amount": world.rng.randrange(9, 900)}
            at = world.exchange(account, at, _user(text), None, params=params,
                                tool_call=("Record", orjson.dumps(record).decode())) + 0.1  # fmt: skip
    return [account]


def licensed_synthetic(world: World) -> list[Account]:
    """Invented messages for the customer's own router, as their contract allows."""
    account = _job(
        world, "licensed_synthetic", temperature=1.0, contract_flags="synthetic_data", declared_use="synthetic data"
    )
    for day in (2, 3, 6, 8, 12):
        prompts = [world.texts.say("job", "synthetic") for _ in range(64)]
        answers = [
            "\n".join(orjson.dumps({"text": world.texts.say("doc", "ticket")}).decode() for _ in range(3))
            for _ in prompts
        ]
        _batch(world, account, world.moment(day, "flat"), prompts, answers, 4)
    return [account]


def ci_review(world: World) -> list[Account]:
    """Reviews of changes, from runners that get a new address for each job."""
    runners = [world.host_ip() for _ in range(90)]
    account = world.account("honest", "ci_review", ips=runners, business=True, stream=False, declared_use="coding")
    for _ in range(260):
        day = world.rng.choice((0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 6))
        text = (
            world.texts.say("job", "review")
            + "```diff\n"
            + world.texts.file(int(10 + 30 * world.rng.random()))
            + "\n```"
        )
        world.exchange(account, world.moment(day, "office", account.tz_h), _user(text), world.texts.answer("code", 420))
    return [account]


def rag_backfill(world: World) -> list[Account]:
    """A new customer indexes an archive at full rate on the second day of its life, then hardly shows up."""
    born = world.start + 8 * DAY_S + 9 * 3600
    account = _job(world, "rag_backfill", model="gpt-4o-mini", created_at=int(born * 1e6))
    head = world.texts.say("job", "index")
    prompts = [head + world.texts.document(1400) for _ in range(300)]
    answers = [world.texts.sentences("doc", "sentence", 240) for _ in prompts]
    end = _batch(world, account, born + DAY_S, prompts, answers, 16)
    for _ in range(60):
        end = world.exchange(account, end, _user(world.texts.document(1500)), "", model="text-embedding-3-small",
                             params={"encoding_format": "base64"}, reasoning="") + 0.05  # fmt: skip
    for day in (10, 11, 12, 13):
        for _ in range(12):
            asked = (
                world.texts.say("job", "rag") + world.texts.document(2000) + "\n\n" + world.texts.say("doc", "question")
            )
            world.exchange(
                account, world.moment(day, "office"), _user(asked), world.texts.sentences("doc", "sentence", 200)
            )
    return [account]


def judge_vendor(world: World) -> list[Account]:
    """A vendor who grades the chatbots of its customers with a rubric."""
    account = _job(
        world, "judge_vendor", temperature=0.0, declared_use="evaluation of chatbots", contract_flags="evaluation"
    )
    head = world.texts.say("job", "judge")
    wanted = answer_format("Verdict", a="integer", b="integer", winner="string", reason="string")
    params = {"temperature": 0.0, "response_format": wanted}
    for day in range(0, world.days, 2):
        prompts = [
            f"{head}Question: {world.texts.say('doc', 'ticket')}\n\n"
            f"A: {world.texts.answer('en', 280)}\n\nB: {world.texts.answer('en', 280)}"
            for _ in range(46)
        ]
        answers = [
            f'{{"a": {world.rng.randrange(1, 6)}, "b": {world.rng.randrange(1, 6)}, '
            f'"winner": "{world.rng.choice("ab")}", "reason": "{world.texts.say("en", "say")}"}}'
            for _ in prompts
        ]
        _batch(world, account, world.moment(day, "flat"), prompts, answers, 6, params=params)
    return [account]


def translation_agency(world: World) -> list[Account]:
    """Documents into four languages, in office hours."""
    account = _job(world, "translation_agency", declared_use="translation")
    system = {"role": "system", "content": world.texts.say("system", "translate")}
    for _ in range(75):
        at, text = (
            world.moment(world.rng.choice((0, 1, 2, 3, 4, 7, 8, 9, 10, 11)), "office", 1),
            world.texts.document(700),
        )
        for language, name in (("de", "German"), ("fr", "French"), ("ja", "Japanese"), ("ar", "Arabic")):
            messages: list[Json] = [system, {"role": "user", "content": f"Translate into {name}:\n\n{text}"}]
            at = world.exchange(account, at, messages, world.texts.sentences(language, "say", 500)) + 2
    return [account]


def audit_trail(world: World) -> list[Account]:
    """Claims decided with the whole reasoning in tags, because a regulator wants it."""
    account = _job(world, "audit_trail", declared_use="insurance claims", contract_flags="audit_trail")
    system = {"role": "system", "content": world.texts.say("system", "audit")}
    for _ in range(220):
        at = world.moment(world.rng.choice((0, 1, 2, 3, 4, 7, 8, 9, 10, 11)), "office", 1)
        claim = (
            f"Claim {world.rng.randrange(10000, 99999)}. {world.texts.document(600)} {world.texts.say('doc', 'ticket')}"
        )
        decision = world.rng.choice(("pay in full", "pay in part", "refuse", "ask for papers"))
        reasoning = world.texts.sentences("doc", "sentence", 700)
        answer = f"<reasoning>\n{reasoning}\n</reasoning>\n<answer>\n{decision}\n</answer>"
        world.exchange(account, at, [system, {"role": "user", "content": claim}], answer)
    return [account]


def multi_provider(world: World) -> list[Account]:
    """Fail-over between providers: conversations come back with answers that this gateway never gave."""
    account = _job(world, "multi_provider", client=CLIENTS["openrouter-like"])
    for _ in range(90):
        asks = (
            code_asks(world, 4)
            if world.rng.random() < 0.3
            else [world.texts.ask("en"), *(world.texts.say("en", "follow") for _ in range(3))]
        )
        at = world.moment(world.rng.randrange(world.days), "person", account.tz_h)
        history = world.converse(account, at, asks[:1], section="en")
        if world.rng.random() < 0.4:
            stuck = [*history, {"role": "user", "content": asks[1]}]
            at = world.exchange(account, at + 60, stuck, "", status=429)
            history = [*stuck, {"role": "assistant", "content": world.texts.answer("en", 500)}]  # told by somebody else
        world.converse(account, at + 150, asks[2:3], section="en", history=history)
    return [account]


JOBS = (
    nightly_eval, release_regression, drift_monitor, bulk_classify, bulk_extract, licensed_synthetic, ci_review,
    rag_backfill, judge_vendor, translation_agency, audit_trail, multi_provider,
)  # fmt: skip
