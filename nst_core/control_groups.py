"""Finds the control groups (cgroups) of Linux that limit this process, as those of a container do.

Linux shows groups as folders, of which there are two versions with files of their own.
"""

from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # where Linux shows control groups
OWN_GROUPS = Path("/proc/self/cgroup")  # which of them this process is in


def limiting(controller: str, groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> Iterator[tuple[int, Path]]:
    """List the folders whose limits hold for this process: its own group's and those above.

    Args:
        controller: what is limited, as Linux calls it: "memory", "cpu".
        groups: the folder of control groups.
        own_groups: the file that says in which of them this process is.

    Yields:
        version (1 or 2) and folder.
    """
    try:
        lines = own_groups.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            # beside version 1, where the controller is that version's, the folder is "unified" and holds no limits
            yield from ((2, folder) for folder in _upwards(groups, path))
        elif controller in controllers.split(","):
            yield from ((1, folder) for folder in _upwards(groups / controller, path))


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """List the folder of a path below a root and all above it, to the root itself.

    In a container the root is the container's own group though the path is told as from the host: what is not there
    is left out.
    """
    parts = [part for part in path.split("/") if part]
    if ".." in parts:  # a group outside of what is shown here
        parts = []
    for count in range(len(parts), -1, -1):
        yield root.joinpath(*parts[:count])
