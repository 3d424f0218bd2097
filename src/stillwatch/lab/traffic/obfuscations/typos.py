"""Typing errors: letters swapped, dropped or doubled."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_text
from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """One letter in thirty."""
    rng = ctx.rng

    def mistype(text: str) -> str:
        out: list[str] = []
        i = 0
        while i < len(text):
            c = text[i]
            if c.isalpha() and rng.random() < 0.033:
                kind = rng.randrange(3)
                if kind == 0 and i + 1 < len(text):
                    out += [text[i + 1], c]
                    i += 2
                    continue
                out += [c, c] if kind == 1 else []
            else:
                out.append(c)
            i += 1
        return "".join(out)

    return map_text(item, mistype)


PARTS = (Obfuscation(id="typos", about="letters are swapped, dropped or doubled", change=change),)
