"""Makes the figure of what VGG-19's classifier says of content, style and result, and when its label changes."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field

from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question, Table
from nst_core.analysis.options import Option, backbone_option, size_option, steps_option
from nst_core.devices import Compute
from nst_core.features.classifier import Classifier, Guess, forget_classifier, load_classifier, require
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize

COLUMNS = ("content", "style", "result")
MOMENT_SECONDS = 0.2  # between two moments while nothing is to be seen yet


@dataclass
class Looks:
    """Collects the classifier's guesses while the figure grows.

    Attributes:
        top: how many guesses are told.
        said: of each column, all guesses, the likeliest first; missing until it was looked at.
        along: (step, guesses) of each look at the painting.
    """

    top: int
    said: dict[str, list[Guess]] = field(default_factory=dict)
    along: list[tuple[int, list[Guess]]] = field(default_factory=list)

    def add(self, step: int, guesses: list[Guess]) -> None:
        """Add the guesses for the painting at a step."""
        self.said["result"] = guesses
        self.along.append((step, guesses))

    def caption(self, column: str) -> str:
        """List a column's first guesses, a line each."""
        return "\n".join(map(str, self.said.get(column, [])[: self.top]))

    def table(self) -> Table:
        """Tabulate the first guesses of all columns side by side."""
        told = [self.said.get(column, [])[: self.top] for column in COLUMNS]
        rows = [
            (str(rank + 1), *(str(guesses[rank]) if guesses else "" for guesses in told)) for rank in range(self.top)
        ]
        return Table("What VGG-19 sees", ("", *COLUMNS), tuple(rows))

    def chart(self) -> Chart:
        """Chart how likely the content's label and the style's are along the run, in percent."""
        names: dict[int, str] = {}
        for column in ("content", "style"):
            guess = self.said[column][0]
            names.setdefault(guess.number, f"{guess.label} ({column})")
        lines = {
            name: [(step, _percent(guesses, number)) for step, guesses in self.along] for number, name in names.items()
        }
        return Chart("probability, percent", "step", lines, logarithmic=False)

    def flips(self) -> list[str]:
        """Tell where the likeliest label changes, a sentence each; that of the start is compared with the content's."""
        found, before = [], self.said["content"][0]
        for step, guesses in self.along:
            now = guesses[0]
            if now.number != before.number:
                found.append(
                    f"At step {step} the label flips from '{before.label}' to '{now.label}'."
                    if step
                    else f"The content's label is '{before.label}', that of the start '{now.label}'."
                )
            before = now
        return found

    def findings(self) -> tuple[str, ...]:
        """Say what came out, once all looks are made."""
        last = self.along[-1][0]
        stays = f"The label stays '{self.said['content'][0].label}' for all {last} steps."
        content, result = (self.said[column][0] for column in ("content", "result"))
        before, now = (_percent(self.said[column], content.number) for column in ("content", "result"))
        fades = f"'{content.label}' has {before:.0f} % in the content and {now:.0f} % in the result: {result}."
        return (*(self.flips() or [stays]), fades)


def make(material: FigureMaterial, settings: dict, compute: Compute) -> Moments:
    """Make the figure, as `Figure.make` says.

    Raises:
        ImageError: a picture is missing.
        WeightsError: the classifier is not here, or the network's weights are not.
        ConfigError, DeviceError: as `stylize`.
    """
    content_image, style_image = material.content(), material.style()
    require()
    config = PRESETS[settings["preset"]].config.on(settings["backbone"])
    config = config.changed(size=settings["size"], steps=settings["steps"])
    run = stylize(content_image, style_image, config, compute=compute)
    return _moments(run, settings["every"], settings["top"])


def _moments(run: Run, every: int, top: int) -> Moments:
    looks = Looks(top)
    classifier: Classifier | None = None
    try:
        classifier = yield from _meanwhile(
            lambda: load_classifier(run.compute), lambda: _moment(run, looks, "loading the classifier")
        )
        for column, image in (("content", run.content_image), ("style", run.painting.style_image)):
            looks.said[column] = classifier.classify(image)
            yield _moment(run, looks, f"looked at the {column}")
        for frame in run:
            if frame.step % every == 0:
                looks.add(frame.step, classifier.classify(frame.image))
            yield _moment(run, looks, f"step {frame.step} of {run.steps}")
        yield _last(run, looks, classifier)
    finally:
        classifier = None  # so that nothing of it is left
        forget_classifier()
        run.close()


def _meanwhile(job: Callable[[], Classifier], moment: Callable[[], Moment]) -> Generator[Moment, None, Classifier]:
    """Do a job on another thread, with moments until it is done; return what it returns."""
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(job)
        yield moment()
        while not wait([doing], timeout=MOMENT_SECONDS).done:
            yield moment()
        return doing.result()


def _last(run: Run, looks: Looks, classifier: Classifier) -> Moment:
    """Give the figure as it stays."""
    frame = run.newest
    if looks.along[-1][0] != frame.step:
        looks.add(frame.step, classifier.classify(frame.image))
    return _moment(run, looks, "all steps made", done=True)


def _moment(run: Run, looks: Looks, text: str, *, done: bool = False) -> Moment:
    frame = run.last_frame
    shown = {"content": run.content_image, "style": run.painting.style_image, "result": frame.image if frame else None}
    parts = tuple(
        Part(
            row=0,
            column=number,
            label=column,
            image=shown[column],
            caption=looks.caption(column),
            done=done or (column != "result" and column in looks.said),
            record=run.record() if done and column == "result" else None,
            facts=_facts(looks, column),
        )
        for number, column in enumerate(COLUMNS)
    )
    share = run.work_until(frame.step) / run.work_until(run.steps) if frame else 0.0
    return Moment(
        rows=("",),
        columns=COLUMNS,
        parts=parts,
        charts=(looks.chart(),) if looks.along else (),
        tables=(looks.table(),) if looks.said else (),
        text=text,
        share=1.0 if done else share,
        findings=looks.findings() if done else tuple(looks.flips() if looks.along else ()),
        notes=run.notes,
    )


def _facts(looks: Looks, column: str) -> dict:
    facts: dict = {"guesses": [asdict(guess) for guess in looks.said.get(column, [])[: looks.top]]}
    if column == "result":
        facts["looks"] = [{"step": step, **asdict(guesses[0])} for step, guesses in looks.along]
    return facts


def _percent(guesses: Sequence[Guess], number: int) -> float:
    """Tell how likely a category is, percent."""
    return 100 * next(guess.probability for guess in guesses if guess.number == number)


FIGURE = Figure(
    name="classify",
    title="What the classifier sees",
    see="VGG-19 was trained to name what a photo shows, one of 1000 things. Here it names the content, the style and "
    "the painting: its first guesses stand under each. While the picture is painted, the curves show how sure it is of "
    "the content's label and of the style's, looked at every few steps. Where its first guess changes, the label "
    "flips: to people it may still be the same thing, as the network goes by texture more than we do. The whole "
    "network is 548 MB and is fetched only when asked for.",
    equation="p(k | x) = exp(zₖ(x)) / Σⱼ exp(zⱼ(x)),  j = 1 … 1000\n"
    "z: the last layer of VGG-19, before softmax;  label(x) = argmaxₖ p(k | x)",
    remarks=("the last layer of VGG-19, before softmax",),
    source="Luo, who asks VGG-19 what it sees in content, style and result; the network: Simonyan & Zisserman (2014), "
    "configuration E; that such networks go by texture: Geirhos et al. (2019)",
    question=Question(
        "The network can name 1000 things, and a painting is none of them. What does it say when it is shown the style "
        "picture?",
        (
            "That it does not know what it is",
            "One of its 1000 names all the same",
            "“A painting”, though it is not sure",
            "Nothing: all probabilities are 0",
        ),
        right=1,
        why="Its 1000 probabilities always add up to 1, so one of them is always the largest, however little the name "
        "suits the picture.",
    ),
    options=(
        Option("preset", "Recipe", PLAIN_PRESET, choices=tuple(PRESETS)),
        backbone_option(),
        size_option(256),
        steps_option(100),
        Option("every", "Look every", 5, "steps", extent=(1, 1000)),
        Option("top", "Guesses", 5, "under each picture", extent=(1, 10)),
    ),
    pictures=("content", "style"),
    make=make,
)
