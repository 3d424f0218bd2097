"""Writes docs/reference from the code; with --check only says whether it is fresh.

    python tools/reference.py [--check]

Pages: cli.md, tables.md, settings.md, errors.md, signals.md, and traffic.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
OUT = ROOT / "docs" / "reference"
NOTE = "<!-- Made by tools/reference.py from the code; edit there, then run `make docs`. -->\n\n"


def cli() -> str:
    """Every command with its arguments, options and examples."""
    from typer.main import get_command

    from stillwatch.cli.app import app

    parts = ["# Commands\n"]
    for path, command in _commands("stillwatch", get_command(app)):
        level = "##" if path.count(" ") < 2 else "###"
        parts.append(f"{level} {path}\n\n{_prose(command.help or '')}\n")
        rows = [_param(p) for p in command.params if p.name != "help"]
        if rows:
            parts.append(_table(("argument or option", "default", "meaning"), rows))
    return "\n".join(parts)


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}", child)


def _prose(text: str) -> str:
    """Help as Markdown: a block that click is told not to rewrap becomes a code block below its first line."""
    out = []
    for part in inspect.cleandoc(text).split("\n\n"):
        if part.startswith("\b\n"):
            title, _, body = part[2:].partition("\n")
            out.append(f"{title}\n\n```\n{inspect.cleandoc(body)}\n```" if body.startswith(" ") else part[2:])
        else:
            out.append(part)
    return "\n\n".join(out)


def _param(param: Any) -> tuple[str, str, str]:
    if param.param_type_name == "argument":
        name = f"`{param.metavar or param.name.upper()}`" + (" ..." if param.nargs == -1 else "")
    else:
        names = ", ".join(f"`{o}`" for o in [*param.opts, *param.secondary_opts])
        name = names if param.is_flag or not param.metavar else f"{names} `{param.metavar}`"
    default = param.default
    shown = "" if default in (None, False, (), []) or callable(default) or param.required else f"`{default}`"
    text = param.help or ""
    inline = re.search(r"\s*\[(?:default: )?([^\]]+)\]$", text)
    if inline and not shown:
        text, shown = text[: inline.start()], inline[1]
    return name, "required" if param.required else shown, text


def tables() -> str:
    """Every table declared in `stillwatch.tables`, with the comments beside its columns."""
    import pyarrow as pa

    from stillwatch import tables as module

    source = inspect.getsource(module)
    parts = ["# Tables\n", inspect.cleandoc(module.__doc__ or "") + "\n"]
    for name, schema in vars(module).items():
        if not isinstance(schema, pa.Schema):
            continue
        body = re.search(rf"^{name} = pa\.schema\($.*?^\)$", source, re.MULTILINE | re.DOTALL)
        notes = dict(re.findall(r'pa\.field\("(\w+)".*?\),\s*#\s*(.+)$', body[0] if body else "", re.MULTILINE))
        rows = [(f"`{f.name}`", f"`{f.type}`", "yes" if f.nullable else "no", notes.get(f.name, "")) for f in schema]
        parts += [f"## {name}\n", _table(("column", "type", "may be null", "meaning"), rows)]
    return "\n".join(parts)


def settings() -> str:
    """Every key of stillwatch.toml."""
    from stillwatch import config

    rows = []
    for field in dataclasses.fields(config.Settings):
        key = "until" if field.name == "until_us" else field.name
        if key not in config.PARSERS:
            continue
        default = "" if field.default in (dataclasses.MISSING, None) else f"`{str(field.default).lower()}`"
        rows.append((f"`{key}`", f"`STILLWATCH_{key.upper()}`", default, field.metadata["means"]))
    return "\n".join(
        [
            "# Settings\n",
            inspect.cleandoc(config.__doc__ or "") + "\n",
            "`--config FILE` or `STILLWATCH_CONFIG` names another file. An unknown key is an error that offers the\n"
            "nearest known one.\n",
            _table(("key", "environment", "default", "meaning"), rows),
            '```toml\nstore = "/var/lib/stillwatch"\nno_text = true\nmax_bad = 0.005\n\n'
            '[policy]\nip = "hash"\nuser_agent = "keep"\n```\n',
        ]
    )


def errors() -> str:
    """Every error class and exit code."""
    from stillwatch import errors as module

    kinds = [k for k in vars(module).values() if isinstance(k, type) and issubclass(k, module.StillwatchError)]
    rows = [(f"`{k.__name__}`", str(k.exit_code), inspect.cleandoc(k.__doc__ or "")) for k in kinds[1:]]
    return "\n".join(
        [
            "# Errors and exit codes\n",
            "0 is done. 1 means that nothing is wrong but something was found that `--fail-on` asks for.\n",
            _table(("error", "exit code", "meaning"), rows),
            "Every error says what is wrong, where, and the fix:\n",
            "```\nerror: `stor` is not a setting\n"
            " --> stillwatch.toml:3 field `stor`\n fix: did you mean `store`?\n```\n",
            "With `--json` the error is one JSON object on stderr:\n",
            '```json\n{"error": {"kind": "UsageError", "message": "...", "at": {"path": "...", "line": 3, '
            '"field": "stor"},\n           "fix": "...", "exit_code": 2}}\n```\n',
            "A bad record is not an error. It goes to the quarantine table with its reason, and the run goes on.\n",
        ]
    )


def signals() -> str | None:
    """Every signal with what it means, what looks like it and is innocent, and what it misses. None: no registry."""
    if importlib.util.find_spec("stillwatch.signals") is None:
        return None
    importlib.import_module("stillwatch.signals")  # registers every signal
    registry = importlib.import_module("stillwatch.signals.registry").ALL
    parts = ["# Signals\n", "No signal acts alone. Evidence from at least two families is needed for a verdict.\n"]
    rows = [(f"[{s.id}](#{s.id.lower()})", s.title, s.family, s.status) for _, s in sorted(registry.items())]
    parts.append(_table(("signal", "title", "family", "status"), rows))
    for _, s in sorted(registry.items()):
        facts = [
            ("version", str(s.version)),
            ("unit", s.unit),
            ("exchanges needed", str(s.least)),
            ("needs", ", ".join(f"`{n}`" for n in s.needs)),
            ("how to get these fields", s.enable or "common logs have them"),
            ("innocent look-alikes", "; ".join(s.innocent)),
            ("misses", "; ".join(s.misses)),
            ("ATLAS", ", ".join(s.atlas) or "none"),
            ("source", s.source),
        ]
        parts += [f"## {s.id}\n", f"**{s.title}.** {inspect.cleandoc(s.means)}\n", _table(("", ""), facts)]
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(" ".join(str(c).split()).replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def traffic() -> str:
    """The parts of generated traffic, from their registries."""
    from stillwatch.lab.traffic import work
    from stillwatch.lab.traffic.organisation import LEVELS

    numbered = sorted(work.families().values(), key=lambda f: (len(f.id), f.id))
    families = [
        (
            f.id, f.title, f.about, " and ".join(f.sides),
            "leaves no traffic" if not f.observable else "expected to be missed" if f.expected_miss else "",
            f.source,
        )
        for f in numbered
    ]  # fmt: skip
    hides = [(f"`{o.id}`", o.about) for o in work.obfuscations().values()]
    honest = [(f"`{w.id}`", w.about, " ".join(w.about_families)) for w in work.workloads().values()]
    levels = [(f"`{name}`", ", ".join(f"`{v}`" for v in dict.fromkeys(values))) for name, values in LEVELS.items()]
    return "\n".join(
        [
            "# Parts of generated traffic\n",
            "What `stillwatch lab traffic` plays. "
            "[Add a family, a hiding place, or an honest customer](../how-to/add-a-family.md) tells how to add one.\n",
            "## Families\n\nWhat a campaign asks for. The two sides have wordings of their own.\n",
            _table(("id", "family", "what it is", "side", "", "known from"), families),
            "## Obfuscations\n\nHow work is hidden.\n",
            _table(("id", "what happens"), hides),
            "## Organisation\n\nWhat is drawn for a campaign when a scenario leaves it open.\n",
            _table(("name", "values"), levels),
            "## Honest workloads\n\nCustomers who must not be flagged, and the families that they resemble.\n",
            _table(("id", "who", "resembles"), honest),
        ]
    )


PAGES: dict[str, Callable[[], str | None]] = {
    "cli.md": cli,
    "tables.md": tables,
    "signals.md": signals,
    "settings.md": settings,
    "errors.md": errors,
    "traffic.md": traffic,
}


def main(argv: list[str]) -> int:
    """Write the pages, or with --check compare them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    check = parser.parse_args(argv).check
    stale = []
    for name, page in PAGES.items():
        body = page()
        if body is None:
            continue
        text = NOTE + body.rstrip("\n") + "\n"
        file = OUT / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                OUT.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"error: docs/reference is stale: {', '.join(stale)}\n fix: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
