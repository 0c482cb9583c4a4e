"""Tell the whole story: `python -m simulators.demo [--seed N] [--keep]`."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback

from simulators.demo.stage import Failed, Stage
from simulators.demo.story import Story, last_line
from simulators.demo.tell import Teller


def main() -> int:
    """Return 0 when every count agrees, 1 when one does not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="simulators.demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=2026, help="other numbers, other people")
    parser.add_argument("--keep", action="store_true", help="leave the directory with all logs")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    teller = Teller()
    try:
        with Stage(keep=args.keep) as stage:
            counts = _told(stage, teller, args.seed)
            stage.failed = bool(teller.wrong)
    except KeyboardInterrupt:
        teller.say("Остановлено", "stopped")
        return 130
    if teller.wrong or counts["false"] or counts["unreconciled"]:
        teller.say(f"Не сошлось: {'; '.join(teller.wrong)}", "the counts do not agree")
        teller.note(f"журналы · logs: {stage.root}")
        if counts:
            sys.stdout.write(last_line(counts) + "\n")
        return 1
    teller.say("Всё сошлось, всё остановлено", "every count agrees, everything is stopped")
    sys.stdout.write(last_line(counts) + "\n")
    return 0


def _told(stage: Stage, teller: Teller, seed: int) -> dict[str, int]:
    """Tell the story; a trouble is one line here, and a whole trace beside the logs."""
    try:
        return Story(stage, teller, seed).tell()
    except Failed as error:
        teller.fault(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, everything must be stopped and said
        stage.path("trace.txt").write_text(traceback.format_exc(), "utf-8")
        teller.fault(f"{type(error).__name__}: {error} ({stage.path('trace.txt')})")
    return {}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
