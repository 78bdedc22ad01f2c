"""The command line: `python -m nst_core stylize CONTENT STYLE -o OUT.png`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from tqdm import tqdm

from nst_core.commands import augment, batch, compress, explain, instant, presets, stylize, train, weights
from nst_core.commands.memory import enough_memory
from nst_core.commands.paths import usable_paths
from nst_core.cores import compute_on_one_core
from nst_core.devices import keep_freed_memory
from nst_core.errors import NSTError
from nst_core.interrupts import raised
from nst_core.pictures.notes import told_to

# Name -> module: HELP is its line in the list, add_options(parser) says what it takes, run(options) does it.
COMMANDS = {
    "stylize": stylize,
    "instant": instant,
    "batch": batch,
    "explain": explain,
    "augment": augment,
    "train": train,
    "presets": presets,
    "weights": weights,
    "compress": compress,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 for what the user can put right, or 128 and a signal's number when one ended it.

    That is 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP. What is painted by then is kept.
    """
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    try:
        with raised(), enough_memory(), usable_paths(), told_to(_say):
            options.run(options)
    except NSTError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        return 128 + getattr(interrupt, "number", signal.SIGINT)
    return 0


def _say(note: str) -> None:
    """Print a note on standard error, above a progress bar if there is one."""
    tqdm.write(f"note: {note}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nst_core", description="Neural style transfer.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        its_own = commands.add_parser(name, help=command.HELP)
        command.add_options(its_own)
        its_own.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    compute_on_one_core()
    sys.exit(main())
