"""A watercolour: mountains at dusk mirrored in a lake, in wet washes with hard pigment edges."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from . import canvas, light, noise, palette

PAPER = "#fbf5e6"
SKY = ["#2f5fa8", "#5a5fb5", "#b565a8", "#f0757a", "#fba255", "#fdd67a"]
RANGES = ["#c98fc0", "#8a72c8", "#5a68c0", "#3a5aa8"]
PINES = ["#1a5a64", "#24487a", "#2f6a55"]
BLOSSOM = ["#d8305f", "#f0607a", "#f79a4a", "#8a3fa0"]
NEAR_PINES = [  # x and y of the foot, height: parts of the picture's width
    (0.045, 0.70, 0.50),
    (0.135, 0.715, 0.36),
    (0.215, 0.70, 0.22),
    (0.965, 0.69, 0.42),
    (0.885, 0.71, 0.27),
]
SUN_AT = (0.655, 0.215)  # parts of the picture's width
SHORE = 0.475


class Paper:
    """A wet sheet: each wash lets the ones below shine through."""

    def __init__(self, sheet: tuple[int, int], rng: np.random.Generator):
        """Stretch the sheet and feel its tooth."""
        self.x, self.y = canvas.places(sheet)
        shape = self.x.shape
        self.rng = rng
        self.tooth = noise.clouds(shape, 150, rng, 2)
        self.colour = np.ones((*shape, 3), dtype=np.float32) * palette.rgb(PAPER)

    def wander(self, cells: float, amount: float) -> np.ndarray:
        """Give an edge that creeps with the water."""
        return amount * noise.clouds(self.x.shape, cells, self.rng, 5)

    def wash(self, cover: np.ndarray, pigment: np.ndarray, load: float, edge=0.5, bloom=0.35, lift=0.0) -> None:
        """Let one wash dry: pigment gathers at its rim and in the tooth; `lift` first sponges away what is below."""
        under = (cover * lift)[..., None]
        self.colour += (palette.rgb(PAPER) - self.colour) * under
        wide = light.soften(cover, cover.shape[1] / 110)
        rim = np.clip(cover - wide, 0, 1) * 2
        pools = noise.clouds(cover.shape, 5, self.rng, 5)
        runs = np.exp(-((np.abs(noise.clouds(cover.shape, 3.5, self.rng, 5)) / 0.06) ** 2))  # dried tide lines
        depth = load * (1 + bloom * 0.5 * pools + edge * rim + 0.18 * runs + 0.05 * self.tooth)
        depth = (cover * np.clip(depth, 0, 1.6))[..., None]
        self.colour *= np.power(np.clip(pigment, 0.02, 1), depth)

    def shape(self, field: np.ndarray, sharp: float = 260) -> np.ndarray:
        """Turn a signed field into a wet-edged area: 1 where it is above nothing."""
        return np.clip(field * sharp + 0.5, 0, 1)


def sky(paper: Paper) -> None:
    """Flood the sky from blue to amber, wet into wet, leaving a low sun."""
    x, y = paper.x, paper.y
    distance = np.hypot(x - SUN_AT[0], y - SUN_AT[1])
    mix = y / SHORE * 0.95 + 0.45 * np.exp(-((distance / 0.13) ** 2)) + paper.wander(2.5, 0.13)
    sun = 1 - paper.shape(0.042 - distance + paper.wander(14, 0.0015))
    for load, cells in ((0.34, 2.0), (0.42, 3.5)):
        cover = sun * (0.8 + 0.2 * np.clip(paper.wander(cells, 1), -1, 1))
        paper.wash(cover, palette.ramp(SKY, mix + paper.wander(cells * 2, 0.06)), load, bloom=0.5)
    rows, columns = x.shape
    for threshold, colours in ((0.55, ["#6a6fc0", "#c86fa8", "#f7a07a"]), (1.0, ["#3f4fa0", "#9a4f98", "#e0706a"])):
        drawn_out = noise.stretch(noise.clouds((rows, columns // 5), 1.3, paper.rng, 5), x.shape)  # flat, long clouds
        streak = paper.shape((drawn_out + 0.4 * np.sin(x * 5 + y * 9) - threshold) * 0.03, 100) * sun
        paper.wash(streak * np.clip(2 - y / 0.16, 0, 1), palette.ramp(colours, y / 0.3), 0.42, edge=0.9)


def ranges(paper: Paper) -> list[np.ndarray]:
    """Lay the mountains one before another, bluer as they come near, and return their outlines."""
    x, y = paper.x, paper.y
    ridges = []
    for number, (height, rise) in enumerate([(0.30, 0.085), (0.345, 0.075), (0.39, 0.06), (0.43, 0.04)]):
        line = noise.clouds((4, x.shape[1]), 2.4 + 0.9 * number, paper.rng, 7)[2]
        crag = np.abs(line) ** 0.9 * np.sign(line)
        ridges.append(height - rise * crag + 0.10 * np.exp(-(((x[0] - 0.25 - 0.2 * number) / 0.14) ** 2)) * -0.55)
    for ridge, pigment in zip(ridges, RANGES, strict=True):
        body = paper.shape(np.minimum(y - ridge + paper.wander(40, 0.0012), SHORE - y))
        fade = 0.38 + 0.62 * np.clip(1 - (y - ridge) / 0.11, 0, 1)
        paper.wash(body, palette.rgb(pigment), 0.80 * fade, edge=0.9, bloom=0.6, lift=0.80)
        folds = np.sin((x * 0.9 + (y - ridge) * 0.8) * 55 + paper.wander(7, 1.6)) - 0.35
        paper.wash(body * paper.shape(folds * 0.02, 200), palette.rgb(pigment), 0.26 * fade, edge=0.8)
    return ridges


def lake(paper: Paper, ridges: list[np.ndarray]) -> None:
    """Turn sky and mountains over in the water and break them with level strokes."""
    x, y = paper.x, paper.y
    depth = y - SHORE
    water = paper.shape(depth + paper.wander(30, 0.001))
    ripple = 0.010 * np.sin(170 * np.clip(depth, 0, 1) ** 0.75 + paper.wander(5, 1.2)) * np.clip(depth * 8, 0, 1)
    mirror = palette.ramp(SKY[::-1], depth / 0.30 + paper.wander(3, 0.10) + ripple * 5)
    flicker = np.sin(depth * 230 + paper.wander(9, 1.5)) > 0.1
    glitter = flicker * np.exp(-(((x - SUN_AT[0]) / (0.02 + 0.22 * depth)) ** 2))
    paper.wash(water * (1 - 0.85 * glitter), mirror, 0.62, bloom=0.5)
    for ridge, pigment in zip(ridges[1:], RANGES[1:], strict=True):
        turned = paper.shape(SHORE + (SHORE - ridge) * 0.85 - y + ripple * 2 + paper.wander(16, 0.004)) * water
        paper.wash(turned, palette.rgb(pigment), 0.62, edge=0.8, bloom=0.5, lift=0.75)
    strokes = np.sin(150 * np.clip(depth, 0, 1) ** 0.7 + paper.wander(6, 1.9)) - 1.0 + 0.9 * paper.wander(4, 0.6)
    paper.wash(water * paper.shape(strokes * 0.02, 160), palette.rgb("#3a4fb0"), 0.36, edge=0.8)


def brushed(paper: Paper, marks: list[np.ndarray], soft: float = 1.5) -> np.ndarray:
    """Turn brush marks (outlines in parts of the width) into an area with a slightly wet edge."""
    rows, columns = paper.x.shape
    mask = Image.new("L", (columns, rows), 0)
    pen = ImageDraw.Draw(mask)
    for mark in marks:
        pen.polygon([tuple(point) for point in (mark * columns).tolist()], fill=255)
    soaked = np.asarray(mask.filter(ImageFilter.GaussianBlur(soft * 2)), dtype=np.float32) / 255
    return np.clip((soaked - 0.5 + 0.4 * paper.tooth * soaked * (1 - soaked)) * 3 + 0.5, 0, 1)


def pine(place: float, foot: float, tall: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Dab one pine from the tip downwards, in pairs of drooping strokes."""
    marks = [np.array([(place - 0.002, foot), (place + 0.002, foot), (place, foot - tall)])]
    for down in np.arange(0.05, 0.97, 0.055):
        height = foot - tall * (1 - down)
        for side in (-1, 1):
            reach = side * tall * 0.25 * down**0.85 * rng.uniform(0.6, 1.15)
            drop = tall * rng.uniform(0.02, 0.075)
            thick = tall * 0.030
            tip, under = (place + reach, height + drop), (place + reach * 0.6, height + drop + thick)
            marks.append(np.array([(place, height - thick), tip, under, (place, height + thick * 1.6)]))
    return marks


def pines(paper: Paper) -> None:
    """Dot small pines along the far shore and stand tall ones on both banks."""
    rng = paper.rng
    places = np.concatenate([rng.uniform(0, 0.34, 16), rng.uniform(0.78, 1, 12)])
    far = [(place, SHORE + 0.006, rng.uniform(0.03, 0.07)) for place in places]
    for place, foot, tall in far + NEAR_PINES:
        pigment = palette.rgb(PINES[int(rng.integers(3))])
        paper.wash(brushed(paper, pine(place, foot, tall, rng)), pigment, 0.95, bloom=0.9, lift=0.55)


def flower(rng: np.random.Generator) -> np.ndarray:
    """Dab one five-lobed blossom somewhere along the lower edge."""
    centre, radius = np.array([rng.uniform(0, 1), rng.uniform(0.67, 0.75)]), rng.uniform(0.005, 0.013)
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = radius * (1 + 0.25 * np.sin(turn * 5 + rng.uniform(0, 6)))
    return centre + np.stack([np.cos(turn) * ring, np.sin(turn) * ring * 0.85], axis=1)


def meadow(paper: Paper) -> None:
    """Wash in the near bank, then grasses and blossom."""
    rng, x, y = paper.rng, paper.x, paper.y
    bank = 0.665 + 0.12 * np.sin(np.pi * np.clip(x, 0, 1)) + paper.wander(12, 0.008)
    green = palette.ramp(["#2a6a4a", "#7a9a3a", "#2f5a6a"], x + paper.wander(5, 0.2))
    paper.wash(paper.shape(y - bank), green, 0.95, bloom=0.8, lift=0.8)
    blades = []
    for _ in range(330):
        root = np.array([rng.uniform(0, 1), rng.uniform(0.72, 0.77)])
        tip = root + (rng.normal(0, 0.02), -rng.uniform(0.03, 0.09))
        blades.append(np.array([root - (0.002, 0), root + (0.002, 0), tip]))
    paper.wash(brushed(paper, blades, 0.7), palette.rgb("#1f5a4a"), 0.7)
    for colour in BLOSSOM:
        dabs = [flower(rng) for _ in range(34)]
        paper.wash(brushed(paper, dabs), palette.rgb(colour), 1.0, edge=1.2, lift=0.75)


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Work from the sky down to the nearest grasses, then let the rough paper catch the light."""
    sheet = canvas.enlarged(size)
    paper = Paper(sheet, rng)
    sky(paper)
    lake(paper, ranges(paper))
    pines(paper)
    meadow(paper)
    return canvas.finish(canvas.to_image(paper.colour * noise.tooth(paper.x.shape, rng)[..., None]), size)
