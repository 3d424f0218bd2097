"""Changing the messages of an item, its constant frame in particular. Used by the obfuscations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Item


def map_messages(item: Item, change: Callable[[list[Json]], list[Json]]) -> Item:
    """The item with the messages of each request changed."""
    return replace(item, asks=tuple(replace(ask, messages=change(ask.messages)) for ask in item.asks))


def map_text(item: Item, change: Callable[[str], str], roles: tuple[str, ...] = ("user", "system")) -> Item:
    """The item with each text of the given roles changed; equal texts stay equal, so that histories still match."""
    seen: dict[str, str] = {}

    def once(text: str) -> str:
        if text not in seen:
            seen[text] = change(text)
        return seen[text]

    def each(messages: list[Json]) -> list[Json]:
        return [
            {**m, "content": once(m["content"])} if m["role"] in roles and isinstance(m.get("content"), str) else m
            for m in messages
        ]

    changed = map_messages(item, each)
    return replace(changed, frame=seen.get(item.frame)) if item.frame else changed


def swap_frame(item: Item, text: str) -> Item:
    """The item with another text in place of its frame."""
    if not item.frame:
        return item
    old = item.frame
    changed = map_text(item, lambda found: found.replace(old, text))
    return replace(changed, frame=text)


def without_frame(messages: list[Json], frame: str) -> list[Json]:
    """Messages after the frame is taken out; a message that held nothing else goes."""
    kept = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str) and frame in content:
            rest = content.replace(frame, "").strip()
            if not rest:
                continue
            message = {**message, "content": rest}
        kept.append(message)
    return kept
