"""Reading a user data header: elements and the rest, or a UdhError; a message joins or it does not."""

from typing import get_args

from protocols.gsm.coding import Coding
from protocols.gsm.errors import UdhError
from protocols.gsm.udh import body_of, header, join, parse_udh, text_of_parts

CODECS: tuple[Coding, ...] = get_args(Coding)


def one_input(data: bytes) -> None:
    """Octet 0 says where the user data is cut into two parts for `join`."""
    cut, user_data = data[0] if data else 0, data[1:]
    try:
        found, rest = parse_udh(user_data)
    except UdhError:
        pass
    else:
        assert (header(found.elements) or b"\0") + rest == (user_data or b"\0")
        place = found.concatenation
        assert place is None or 1 <= place.index <= place.total <= 255
    for codec in CODECS:
        try:
            body = body_of(user_data, codec, has_header=bool(cut & 1))
        except UdhError:
            assert cut & 1
        else:
            text_of_parts([body, body], codec)
        try:
            text = join((user_data[:cut], user_data[cut:]), codec)
        except UdhError:
            continue
        assert text is None or isinstance(text, str)
