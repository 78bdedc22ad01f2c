"""Those who come to break it: each kind answers with what the server said to it.

A hostile job may fail in any words, may be refused at the door, and may even succeed where its picture can be read
after all. It may not get what is not its own, break the server (5xx other than 503 and 507), or be left hanging.
"""

from collections.abc import Awaitable, Callable

from tests.benchmarks.siege import files, requests
from tests.benchmarks.siege.attack import Attack

KINDS: dict[Callable[[Attack], Awaitable[str]], int] = {  # -> how many of 100
    files.postscript: 5,
    files.jpeg_2000_of_100_megapixels: 1,
    files.png_of_16_bits_8000_pixels: 1,
    files.damaged_picture: 12,
    files.foreign_path: 14,
    requests.odd_request: 16,
    requests.odd_input: 8,
    requests.large_body: 4,
    requests.long_address: 4,
    requests.wrong_host: 4,
    requests.endless_and_unheard: 2,
    requests.endless_and_left: 2,
    requests.cancel_of_others: 5,
    requests.half_a_request: 3,
    requests.slow_body: 2,
    requests.heartbeats: 2,
    requests.wrong_token: 5,
    files.zip_bomb: 2,
    files.safetensors_header: 4,
    files.odd_record: 4,
}

SLOW = (requests.half_a_request, requests.slow_body)  # take their time, and load nothing
