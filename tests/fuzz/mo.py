"""Reading a handset's message: any deliver_sm of any carrier is a text, data, or no message at all."""

from functools import cache
from typing import get_args

from connector.carriers.inbound import InboundDecoder
from connector.carriers.keywords import shipped
from connector.config.carrier import Account, Binds, CarrierFile
from connector.config.habits import Coding, Text, TextAlphabet
from connector.journal.inbound import text_or_data
from protocols.smpp.pdu import DeliverSm
from protocols.smpp.receipt import parse
from protocols.smpp.tlv import decode_all

CODECS: tuple[Coding, ...] = get_args(Coding)
ACCOUNT = Account(host="smsc.example", port=2775, system_id="acme", password_file="p")
KEYWORDS = shipped()


@cache
def decoder(choice: int) -> InboundDecoder:
    default = TextAlphabet(data_coding=0, codec=CODECS[choice % 6])
    text = Text(alphabets=(default, TextAlphabet(data_coding=8, codec="ucs2")))
    return InboundDecoder(CarrierFile(account=ACCOUNT, binds=Binds(tps=1.0), text=text))


def one_input(data: bytes) -> None:
    """Octets: esm_class, data_coding, type of number, length of the number, length of the text; then these
    two, and TLVs behind them.
    """
    esm_class, data_coding, ton, digits, length = data[:5].ljust(5, b"\0")
    number, text = data[5:][:digits], data[5 + digits :][:length]
    tlvs, _ = decode_all(data[5 + digits + length :], 0)
    pdu = DeliverSm(
        source_addr_ton=ton & 7,
        source_addr=number,
        dest_addr_ton=ton >> 4 & 7,
        destination_addr=number[::-1],
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=text,
        tlvs=tlvs,
    )
    receipt = parse(pdu)
    for choice in range(len(CODECS)):
        part = decoder(choice).part_of(pdu)
        if part is None:
            assert esm_class & 0x3C
            continue
        assert 1 <= part.index <= part.total <= 255
        shown, octets = text_or_data((part,))
        assert (shown is None) is (octets is not None)
        if shown is not None:
            shown.encode("utf-8")
            KEYWORDS.of(shown, part.handset)
    assert receipt is None or not esm_class & 0x38 or receipt.intermediate
