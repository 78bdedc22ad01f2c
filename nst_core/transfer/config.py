"""Holds the settings of a run: checks what goes together, changes what changes together, reads and writes them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from nst_core.errors import ConfigError, listed, said
from nst_core.features.vgg import check_layers, nearest_layer
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.schema import Setting, steered, table_of
from nst_core.transfer.settings import Settings

MAX_STYLES = 4  # pictures, of which the result has something


@dataclass(frozen=True, kw_only=True)
class StyleTransferConfig(Settings):
    """All that a run depends on besides its pictures and the device.

    Raises:
        ConfigError: a value that is unknown or out of range; the text says which are valid.
    """

    def __post_init__(self) -> None:
        for name, one in table_of(type(self)).items():
            one.check(getattr(self, name))
        self._check_layers()
        self._check_weights()
        if len(self.adam_betas) != 2:
            raise ConfigError(f"adam_betas is {said(self.adam_betas)}; give two numbers")
        if self.clamp and self.optimizer == "lbfgs":
            raise ConfigError("clamp is on with optimizer 'lbfgs', whose memory it would corrupt; use 'adam', or False")

    def _check_layers(self) -> None:
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if not isinstance(layers, tuple) or not _are_texts(layers):
                raise ConfigError(f"{name} is {said(layers)}; give a tuple of layer names such as ('conv4_2',)")
            check_layers(self.backbone, layers)
            if len(set(layers)) < len(layers):
                raise ConfigError(f"{name} is {listed(layers)}; name each layer once")
        if self.style_weight > 0 and not self.style_layers:
            raise ConfigError("no style layer is chosen; tick at least one, or set the style weight β to 0")
        if self.content_weight > 0 and not self.content_layers and not (self.column_share and self.style_weight):
            raise ConfigError("no content layer is chosen; choose one, or set the content weight α to 0")

    def _check_weights(self) -> None:
        if len(self.blend) > MAX_STYLES:
            raise ConfigError(f"blend has {len(self.blend)} shares; give one for each of at most {MAX_STYLES} styles")
        if self.blend and not any(self.blend):
            raise ConfigError("all shares of blend are 0, so there is no style; raise one of them")
        if self.layer_weights and len(self.layer_weights) != len(self.style_layers):
            raise ConfigError(
                f"layer_weights has {len(self.layer_weights)} numbers for {len(self.style_layers)} style layers; "
                "give one for each, or none for equal weights"
            )
        if self.content_weight == 0 and self.style_weight == 0:
            raise ConfigError("α and β are both 0, so there is nothing to paint; raise one of them")
        if self.content_weight == 0 and not any(map(self.weight_of_layer, self.style_layers)):
            raise ConfigError("α and all of layer_weights are 0, so there is nothing to paint; raise one of them")

    def weight_of_layer(self, layer: str) -> float:
        """Give w_l, the weight of a style layer."""
        if not self.layer_weights:
            return 1 / len(self.style_layers)
        return self.layer_weights[self.style_layers.index(layer)]

    def changed(self, **values: Any) -> "StyleTransferConfig":
        """These settings with other values, None meaning as it is; what hangs together changes together.

        Another optimiser brings a step size that suits it. A style layer that was there keeps its weight, a new one
        gets the mean of the others. Whole numbers may come as floats, as pages and JSON send them.

        Raises:
            ConfigError: an unknown value or one out of range.
        """
        given = {name: value for name, value in values.items() if value is not None}
        for name, value in given.items():
            if name in SETTINGS and SETTINGS[name].whole and isinstance(value, float) and value.is_integer():
                given[name] = int(value)
        if given.get("optimizer", self.optimizer) != self.optimizer:
            SETTINGS["optimizer"].check(given["optimizer"])
            suiting = {"step_size": STEP_SIZES[given["optimizer"]], "clamp": given["optimizer"] == "adam"}
            given = {**suiting, **given}
        if "style_layers" in given:
            given.setdefault("layer_weights", self._weights_of(given["style_layers"]))
        return replace(self, **given)

    def on(self, backbone: str) -> "StyleTransferConfig":
        """These settings on another network; for a layer that it lacks stands the deepest that it has of that block.

        Raises:
            ConfigError: unknown backbone.
        """
        SETTINGS["backbone"].check(backbone)
        layers: dict[str, float] = {}  # of two that become one, the weights add up
        for layer in self.style_layers:
            near = nearest_layer(backbone, layer)
            layers[near] = layers.get(near, 0.0) + self.weight_of_layer(layer)
        return replace(
            self,
            backbone=backbone,
            content_layers=tuple(dict.fromkeys(nearest_layer(backbone, layer) for layer in self.content_layers)),
            style_layers=tuple(layers),
            layer_weights=tuple(layers.values()) if self.layer_weights or len(layers) < len(self.style_layers) else (),
        )

    def at_twice_the_size(self) -> "StyleTransferConfig":
        """Make settings that go on from a picture at twice its size: at that size alone, with half the steps.

        Raises:
            ConfigError: twice the size is too large.
        """
        steps = max(1, self.steps // 2)
        return self.changed(size=2 * self.size, start="image", smallest_scale=0, steps=steps, last_step=0)

    def _weights_of(self, layers: Any) -> tuple[float, ...]:
        if not self.layer_weights or not _are_texts(layers):
            return ()
        own = dict(zip(self.style_layers, self.layer_weights, strict=True))
        mean = sum(self.layer_weights) / len(self.layer_weights)
        return tuple(own.get(layer, mean) for layer in layers)

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as plain values, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "StyleTransferConfig":
        """Make settings of what to_dict() gave.

        Raises:
            ConfigError: an unknown setting or an invalid value.
        """
        if not isinstance(values, dict):
            raise ConfigError(f"the settings are {said(values)}; give a value of each by its name")
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigError(f"{said(name)} is not a setting; the settings are {', '.join(sorted(known))}")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**plain)


def _are_texts(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named config.

    Attributes:
        title: for menus.
        source: whose settings they are.
        deviations: where they differ from the source, "" if nowhere that is known.
        printed: the name of the preset with the formula as it is printed, where this one reads it otherwise, else "".
    """

    title: str
    source: str
    config: StyleTransferConfig
    deviations: str = ""
    printed: str = ""


SETTINGS: Mapping[str, Setting] = table_of(StyleTransferConfig)
STEERABLE = steered(SETTINGS)  # those that act on a picture that is being painted
