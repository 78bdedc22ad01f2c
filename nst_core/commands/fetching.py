"""Fetches a network's weights with a progress bar."""

from tqdm import tqdm

from nst_core.features import weights


def fetch(backbone: str) -> None:
    """Download the weights if they are not here.

    Raises:
        WeightsError: as `weights.download`.
    """
    if weights.find(backbone):
        return
    with tqdm(total=weights.download_size(backbone), unit="B", unit_scale=True, desc=f"fetching {backbone}") as bar:
        for progress in weights.download(backbone):
            bar.total = progress.total_bytes or bar.total
            bar.update(progress.done_bytes - bar.n)
