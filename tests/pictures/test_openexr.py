"""OpenEXR pictures of every kind that ffmpeg packs, and of our own making."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest

from nst_core import images
from nst_core.errors import ImageError
from tests import picture_files as files
from tests.pictures.test_color_space import P3_TO_SRGB, coded
from tests.pictures.test_light import ALPHA, exr, light, seen, shown, with_alpha

# Where red, green, blue and white are, as OpenEXR writes it.
P3_POINTS = struct.pack("<8f", 0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)
P3_CHROMATICITIES = ("chromaticities", "chromaticities", P3_POINTS)

# Of a ramp, (16, 16) halves, as OpenEXR 3.5 packs them, zlib's in base 85.
PACKED = {
    "PIZ, in tiles": (
        "c-kw|H)LdDVqi$lNX*Mi%_#;lax#lc7|a<M7@Qaw86bcWirq0pf-poFlJj#5ic*V<GxPIM*dR%kl*E$6@XWlF{Bnk*{0gH?1_1^H"
        ";D_Rr%;JKa#7ctdax(K${fkmki;!4gClq8>q~<sl7o;Ya1SOVa<};+_<R_Leuz+<p*cT@krKaXVjCW4WD*<XNGfHFNK(Yc^NqA;T"
        "Nd}q`C7C&?#S9=aCAB!2ffFbw0L2U?l?AB`#U(|VdFc#XAU;S{W^Q77DnmIV16H8S%D}+E+Q2TrFtC6c_B+tjeg!Jn-$1<m3Iqil"
        "2nsY1wx1E*ekOG5Fa%i8t-}!DK(`J<0B#-QA|`}Wjssm|%my{o(LwppK8^nWqhJVv2mJ@!J~%K5Oki+PVp0@fa8ghbv^-Zl=ee84"
        "QHjOEbDmqCD-!5&Qc;v>@dJulUhFb-(>U@Rq(qRTp~Fp4K#&8ZsCcnRQcqwfNT(%-o1zd<k2*-v3!o_?Ng&a4tpERRyPdPM=;`g;"
        "Z3qAHf4iN#>FMd|x!Z0t|NjRRirHE8cH8ZQ|LnhWx7{pydV1UK+(wnANo<q2{6QM?|Nm8+?78Isf1uL;|1UXuE@_(l|36Uo|Nov#"
        "E@j&P2b#D4{{sNYfPFC"
    ),
    "DWAA": (
        "c-kw|H)LdDU|>kjNX*Mi%_#;lax#lc7|elUP7I6;5Won<?ieCL7$OYG`MCu}sl~;a`FSX8kR(S+Vo73nW?o8uIYUx@g;6Gh00RQ>"
        "Lvc!GaY0UEB|&vLnR%)HMJcI8NGz}u3NkBFa~z8cQj<%95=%1k8Pam{6H6Faz`7gki<65|Q}ZCkJE!KA0JW7Fr7>_IS%Iu1JTs*v"
        "1I>t%%7Rpe;*z4wymSU$u=>P2kRvj46Vp=};usMoePd=|U}C@ya+x8tG6Q}f1vQTcO`H!H{vwR-3@VIH3?^VT{QnskYJt|>WrL`Y"
        "{*M#<+Yt|;7ukd9U#<V2^#Ah!vK;sSR0fH>7ydrUzEb)B#Ql}ZVAl7E|10Hz#7}7u3n=m5QvNeY;>RR=PUWu?|4S-=on-$Lq|Q<q"
        "D6tbHE2;cxl6|N0$B96z0_y+&S5f{3QvLgqy(rL@ha7+Q^xyXQqtk!y#J?^5S5Exd(hqjd$4&Mk%Krx+_%d-nGWTl>D8PXDLj6B?"
        "U;qLYi2wh8m*ek~_<J5e{yn$<|Gzr{1L5N&drNs>i2eV2q5qu6pC|d(JpQHB-*f--1Q;e)K+=)&--PT7<v&gQzY-i;e<t)F^7yaP"
        "e*_pOAD!$OmH$ox5<r_c{;2d{_4pIgf867bN&hJiU<d*o@J9r!^8f#*9)DQC0ulX(JLn!hcLG=?0$Y_g*(fyFc{nguyjE|!Y(Cws"
        "O?d0Rrw2I&b~Rj-UoHBjZX(Oef|w8At~`{PkbSPN$ly@=x-WZk-bv@_NUAJo7KvOS`En1>g0%nFUu7kGyqd1Zaa^KndWTpmH>Z|X"
        "sM1W~6LV~1%-cTPUVH6zQ5BF}EBSRn@Bj7BtP**q<Q@6cXe62V_51sUrn~>HI`~U5g86u4(WSIcuY9-e`_IBOheKwU71Jw?t-gnE"
        "xXH2iym_pxZG64z?T*}C31>w%uw6erDRci<rSu0SMyxzn|0dM+U;KAS;D`H^>8Yt{zh6(<Uvi)#j!}Z)`TtEenF<FKzZtLp-6vk$"
        "*wj$=ote2*fZ=UVAJ-ZHE+*2l"
    ),
}


@pytest.mark.parametrize("kind", ["<f2", "<f4"])
def test_an_openexr_picture_is_light_of_which_what_is_beyond_white_is_compressed(kind):
    pixels = light(kind)
    np.testing.assert_allclose(seen(exr(pixels)), shown(pixels), atol=1.01)
    grey = pixels[..., :1]
    np.testing.assert_allclose(seen(exr(grey)), shown(grey.repeat(3, 2)), atol=1.01)


@pytest.mark.parametrize("compression", ["rle", "zip1", "zip16"])
@pytest.mark.parametrize("kind", ["half", "float"])
def test_an_openexr_picture_is_unpacked(compression, kind):
    np.testing.assert_allclose(seen(files.packed_exr(light(), compression, kind)), shown(light()), atol=1.01)


@pytest.mark.parametrize("packing", PACKED)
def test_an_openexr_picture_is_unpacked_as_openexr_packs_it(packing):
    rows, columns = np.indices((16, 16)) / 15
    pixels = np.stack([columns, rows, (rows + 1 - columns) / 2], -1)
    found = seen(zlib.decompress(base64.b85decode(PACKED[packing])))
    np.testing.assert_allclose(found[1:], shown(pixels)[1:], atol=3)


@pytest.mark.parametrize("kind", ["<f2", "<f4"])
def test_the_light_of_an_openexr_picture_is_multiplied_by_how_opaque_it_is(kind):
    pixels = with_alpha(light(kind) * np.dtype(kind).type(ALPHA))
    pixels[:5] = 0  # nothing is there
    image = seen(exr(pixels), images.load_transparent)
    np.testing.assert_allclose(image[5:, :, :3], shown(light(kind))[5:], atol=1.01)
    assert (image[:5] == 0).all() and abs(image[5:, :, 3] - 255 * ALPHA).max() <= 1
    np.testing.assert_allclose(seen(exr(pixels))[:5], 255, atol=0.01)  # over white


def test_an_openexr_picture_tells_its_primaries():
    pixels = light() * np.float32(0.08)
    expected = coded((pixels @ P3_TO_SRGB.T).clip(0, 1)) * 255
    np.testing.assert_allclose(seen(exr(pixels, P3_CHROMATICITIES)), expected, atol=2.01)


def test_of_an_openexr_picture_the_window_that_is_shown_is_seen_with_other_channels_beside():
    pixels, beside = light(), np.ones((24, 40), np.float32)
    channels = {"R": pixels[..., 0], "G": pixels[..., 1], "B": pixels[..., 2], "Z": beside, "diffuse.R": beside}
    image = seen(files.exr(channels, place=(4, -3)))
    np.testing.assert_allclose(image[4:, :-3], shown(pixels)[:-4, 3:], atol=1.01)
    assert (image[:4] == 0).all() and (image[:, -3:] == 0).all()


def test_of_an_openexr_picture_of_several_parts_the_first_is_seen():
    def part(name: str) -> tuple[tuple[str, str, bytes], ...]:
        rows = struct.pack("<i", 24)
        return ("name", "string", name), ("type", "string", b"scanlineimage"), ("chunkCount", "int", rows)

    pixels, mark = light(), b"\x76\x2f\x31\x01\2\0\0\0"
    first, second = exr(pixels, *part(b"one")), exr(pixels * 0, *part(b"two"))
    length = 8 + 40 * 12  # of a row
    heads = [one[len(mark) : -24 * (length + 8)] for one in (first, second)]
    rows = [one[-24 * length :] for one in (first, second)]
    start = len(mark) + len(heads[0]) + len(heads[1]) + 1 + 2 * 8 * 24
    places = b"".join(struct.pack("<Q", start + (length + 4) * number) for number in range(48))
    blocks = b"".join(
        struct.pack("<I", number) + rows[number][length * row : length * (row + 1)]
        for number in (0, 1)
        for row in range(24)
    )
    whole = mark[:5] + b"\x10\0\0" + b"".join(heads) + b"\0" + places + blocks
    np.testing.assert_allclose(seen(whole), shown(pixels), atol=1.01)
    for cut in (whole[: len(mark) + len(heads[0])], whole[: start + 1000]):
        with pytest.raises(ImageError, match="damaged, cut short"):
            images.load(io.BytesIO(cut))


def layered(**layers: np.ndarray) -> bytes:
    """A picture of such layers, of which "_" stands for "."."""
    parts = {"RGB"[channel]: channel for channel in range(3)}
    return files.exr(
        {
            f"{name.replace('_', '.')}.{part}": pixels[..., channel]
            for name, pixels in layers.items()
            for part, channel in parts.items()
        }
    )


def test_of_several_layers_the_finished_picture_is_used_and_said():
    dark = light() * 0
    with pytest.warns(images.PictureWarning, match=r"has several layers: View\.Combined is used"):
        found = seen(layered(Albedo=dark, View_Combined=light(), Zenith=dark))
    np.testing.assert_allclose(found, shown(light()), atol=1.01)
    with pytest.warns(images.PictureWarning, match="several layers: diffuse is used"):
        np.testing.assert_allclose(seen(layered(diffuse=light(), spec=dark)), shown(light()), atol=1.01)


@pytest.mark.filterwarnings("error")
def test_a_single_layer_is_the_picture_with_its_opacity():
    opaque = np.full((24, 40), ALPHA, np.float32)
    channels = {f"View.Combined.{part}": light()[..., number] * ALPHA for number, part in enumerate("RGB")}
    data = files.exr(channels | {"View.Combined.A": opaque, "View.Depth.Z": opaque})
    image = seen(data, images.load_transparent)
    np.testing.assert_allclose(image[..., :3], shown(light()), atol=1.01)
    assert abs(image[..., 3] - 255 * ALPHA).max() <= 1


def test_what_is_not_read_of_openexr_is_said_with_a_remedy():
    plain = exr(light())
    at = plain.index(b"compression\0compression\0") + len(b"compression\0compression\0") + 4
    fewer = plain.index(b"B\0", 8) + 2 + 8
    for data, words in {
        plain[:5] + b"\x08" + plain[6:]: "the file is an OpenEXR picture of deep pixels, .* flatten it",
        plain[:at] + b"\x0a" + plain[at + 1 :]: "the file is packed in a way that is too new .* ZIP or PIZ",
        plain[:fewer] + b"\2" + plain[fewer + 1 :]: "the file has colours of fewer pixels than brightness",
        files.exr(
            {"Z": light()[..., 0], "n.X": light()[..., 0]}
        ): "the file has no channels that are called R, G and B",
    }.items():
        with pytest.raises(ImageError, match=words):
            images.load(io.BytesIO(data))
