"""The command line: parse, call one library function, print. Nothing imports this package.

Exit codes: 0 done, 1 found what --fail-on asked for, 2 usage, 3 bad input, 4 a component is missing,
5 interrupted and resumable. Heavy libraries load inside the commands that need them, so that --help is instant.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

from stillwatch.errors import ComponentError, Interrupted, StillwatchError, UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Anything but a `StillwatchError` is a bug and shows its traceback."""
    args = list(sys.argv[1:] if argv is None else argv)
    options = args[: args.index("--")] if "--" in args else args
    try:
        with _terminable():
            code = _run(args)
            sys.stdout.flush()
        return code
    except StillwatchError as err:
        return _report(err, as_json="--json" in options)
    except KeyboardInterrupt:
        return _report(stopped("what was finished before is kept"), as_json="--json" in options)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Without this, Python complains again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as err:
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = Interrupted(f"the disk is full: {err}", fix="free some space and run the same command again")
        return _report(full, as_json="--json" in options)
    except ModuleNotFoundError as err:
        if not err.name or err.name.partition(".")[0] == "stillwatch":
            raise
        missing = ComponentError(f"the Python package `{err.name}` is not installed", fix=f"pip install {err.name}")
        return _report(missing, as_json="--json" in options)


def stopped(saved: str) -> Interrupted:
    """The error for Ctrl-C; `saved` says what of the work is kept."""
    return Interrupted(f"stopped; {saved}", fix="run the same command again: it goes on from there")


def _run(args: list[str]) -> int:
    import typer
    from typer.main import get_command

    from stillwatch.cli.app import app

    # Typer carries its own copy of click since 0.20-odd and used the click package before; both have this base.
    parse_error: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    try:
        code = get_command(app).main(args=args, prog_name="stillwatch", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as stop:
        # click turns a closed pipe into exit code 1 by itself, also when asked to raise.
        if isinstance(stop.__context__, OSError) and stop.__context__.errno == errno.EPIPE:
            raise BrokenPipeError from None
        raise
    except parse_error as err:
        where = getattr(getattr(err, "ctx", None), "command_path", None) or "stillwatch"
        if type(err).__name__ == "NoArgsIsHelpError":
            print(err.format_message())  # type: ignore[attr-defined]
            return 2
        message = err.format_message()  # type: ignore[attr-defined]
        raise UsageError(message[:1].lower() + message[1:].rstrip("."), fix=f"see {where} --help") from None
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: saved and resumable. Only the main thread may set handlers."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(err: StillwatchError, *, as_json: bool) -> int:
    from stillwatch.cli import show

    with contextlib.suppress(BrokenPipeError):
        show.error(err, as_json=as_json)
    return err.exit_code
