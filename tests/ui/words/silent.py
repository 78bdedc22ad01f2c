"""Names what of the source is no sentence of the page: rooms, calls, and texts."""

# They speak to who starts programs, to programs, or nobody reads them; what posters and slides say is drawn.
SILENT_ROOMS = tuple(
    [
        "commands",
        "__main__",
        "engine/errands",
        "engine/limits",
        "engine/worker",
        "features/compress",
        "features/distill",
        "features/refit",
        "features/photographs",
        "features/partial",
        "instant/train_decoders",
        "instant/decoder_trainer",
        "instant/train.",
        "instant/piece_workers",
        "instant/lesson",
        "transfer/lbfgs",
        "transfer/state",
        "transfer/kept",
        "transfer/optimize",
        "transfer/descent",
        "transfer/timelapse.",
        "analysis/poster/deck",
        "analysis/poster/lettering",
        "analysis/poster/pages",
        "analysis/written/terms",
        "batch/on_cluster",
        "batch/report",
        "batch/tasks",
        "augment/labels",
        "losses/nei",
        "ui/serving/agents",
        "ui/serving/fetched",
        "ui/stylize/endpoint",
        "ui/instant/endpoint",
        "ui/page/theme",
    ]
)
SILENT_CALLS = set(
    [
        "AssertionError",
        "Dependency",
        "KeyError",
        "LookupError",
        "Lost",
        "NotImplementedError",
        "RuntimeError",
        "Template",
        "TypeError",
        "TypeVar",
        "ValueError",
        "add_argument",
        "cast",
        "compile",
        "debug",
        "dumps",
        "encode",
        "endswith",
        "ensure",
        "environ",
        "error",
        "exception",
        "findall",
        "finditer",
        "fullmatch",
        "get",
        "getattr",
        "getenv",
        "glob",
        "hasattr",
        "import_module",
        "info",
        "loads",
        "match",
        "namedtuple",
        "new_file",
        "partition",
        "removeprefix",
        "removesuffix",
        "rglob",
        "rpartition",
        "rsplit",
        "search",
        "setdefault",
        "split",
        "startswith",
        "strip",
        "strptime",
        "sub",
        "warning",
        "write",
    ]
)
# Names, which are the same in every language, and what programs say to each other.
NAMES = set(
    """
Adam
Cheng
Crowson, style-transfer-pytorch
Escape
Tab
Gatys, Ecker & Bethge (2016)
Heitz et al. (2021)
JPEG
L-BFGS
Kolkin et al. (2022)
Li et al. (2017)
Li et al. (2017); Huang & Belongie (2017)
Luo
Neural Style Lab
Not Found
PNG
TIFF of floats
TIFF of whole numbers
Title Only
attachment; filename="class.png"
button, a
ends by itself
first losses
for another reader
gram and wasserstein
gram, moments, sliced wasserstein
loss before
neural-style-lab instant
neural-style-lab painting
no TIFF
no TIFF of floats
no-store, no-transform
noted toasts
off, on
on, off
open tab
tbody tr
the cluster
the strip
way's note
{0} on {1}
{0}, gatys, crowson
""".strip().splitlines()
)
# Single words that no label names: lines of charts, sides of figures.
SINGLE = """
{0} from this program
{0} and {1}
total variation {0}
{0} cannot be read as a picture (it is damaged, cut short or of another kind); use a JPEG, PNG or WebP file
{0} holds numbers that are infinite or none (NaN), which cannot be shown; save it without them
Painting {0}
waiting
{0} photo in {1} style
{0} photos in {1} style
{0} photo in {1} styles, {2} paintings
{0} photos in {1} styles, {2} paintings
VGG-19
VGG-16
total
result
picture
diagonal
Cut-out
Examples
Example: {0}
optimiser
Language
painting
photo
off
on
step
steps
second
seconds
term
formula
now
preset
shape
fp32
bf16
nowhere
layer
size
seed
loss
class
""".strip().splitlines()
