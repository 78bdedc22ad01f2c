"""The command line: `python -m nst_core stylize CONTENT STYLE -o OUT.png`."""

import argparse
import sys
from collections.abc import Sequence

from nst_core.commands import augment, compress, explain, instant, presets, stylize, train, weights
from nst_core.devices import keep_freed_memory
from nst_core.errors import NSTError

# Name -> module: HELP is its line in the list, add_options(parser) says what it takes, run(options) does it.
COMMANDS = {
    "stylize": stylize,
    "instant": instant,
    "explain": explain,
    "augment": augment,
    "train": train,
    "presets": presets,
    "weights": weights,
    "compress": compress,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 for what the user can put right, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    try:
        options.run(options)
    except NSTError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nst_core", description="Neural style transfer.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        its_own = commands.add_parser(name, help=command.HELP)
        command.add_options(its_own)
        its_own.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
