"""The PDUs of SMPP 3.4 and the broadcasts of 5.0, each one declaration.

``encode`` and ``decode`` work for everything declared. All strings are octets as on the wire: SMPP does not
say in which character set they are.
"""

from typing import Annotated, ClassVar

from protocols.smpp.constants import CommandId
from protocols.smpp.fields import (
    Address,
    COctets,
    Entry,
    Listed,
    LongAddress,
    MessageId,
    ServiceType,
    ShortMessage,
    Shown,
    Time,
    Tlvs,
    UInt8,
    UInt32,
)
from protocols.smpp.message import HEADER as HEADER
from protocols.smpp.message import Message as Message
from protocols.smpp.message import Pdu as Pdu
from protocols.smpp.message import declare as declare
from protocols.smpp.message import decode as decode
from protocols.smpp.message import encode as encode
from protocols.smpp.message import header as header

SystemId = Annotated[bytes, COctets(16)]
Password = Annotated[bytes, COctets(9, shown=Shown.SECRET)]


class Bind(Pdu, frozen=True, gc=False):
    """§4.1.1, §4.1.3, §4.1.5: the three binds carry the same parameters."""

    system_id: SystemId = b""
    password: Password = b""
    system_type: Annotated[bytes, COctets(13)] = b""
    interface_version: UInt8 = 0x34
    addr_ton: UInt8 = 0
    addr_npi: UInt8 = 0
    address_range: Annotated[bytes, COctets(41)] = b""


class BindResp(Pdu, frozen=True, gc=False):
    """§4.1.2, §4.1.4, §4.1.6; may carry sc_interface_version."""

    system_id: SystemId = b""
    tlvs: Tlvs = ()


@declare
class BindTransmitter(Bind, frozen=True, gc=False):
    """§4.1.1."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER


@declare
class BindTransmitterResp(BindResp, frozen=True, gc=False):
    """§4.1.2."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER_RESP


@declare
class BindReceiver(Bind, frozen=True, gc=False):
    """§4.1.3."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER


@declare
class BindReceiverResp(BindResp, frozen=True, gc=False):
    """§4.1.4."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER_RESP


@declare
class BindTransceiver(Bind, frozen=True, gc=False):
    """§4.1.5."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER


@declare
class BindTransceiverResp(BindResp, frozen=True, gc=False):
    """§4.1.6."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER_RESP


@declare
class Outbind(Pdu, frozen=True, gc=False):
    """§4.1.7: an SMSC that has connected asks for a bind; nothing answers it but the bind."""

    command_id: ClassVar[int] = CommandId.OUTBIND

    system_id: SystemId = b""
    password: Password = b""


@declare
class Unbind(Pdu, frozen=True, gc=False):
    """§4.2.1."""

    command_id: ClassVar[int] = CommandId.UNBIND


@declare
class UnbindResp(Pdu, frozen=True, gc=False):
    """§4.2.2."""

    command_id: ClassVar[int] = CommandId.UNBIND_RESP


@declare
class GenericNack(Pdu, frozen=True, gc=False):
    """§4.3.1."""

    command_id: ClassVar[int] = CommandId.GENERIC_NACK


@declare
class EnquireLink(Pdu, frozen=True, gc=False):
    """§4.11.1."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK


@declare
class EnquireLinkResp(Pdu, frozen=True, gc=False):
    """§4.11.2."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK_RESP


class _Sm(Pdu, frozen=True, gc=False):
    """§4.4.1, §4.6.1: a short message travels with the same parameters both ways. sm_length is derived."""

    service_type: ServiceType = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: Address = b""
    esm_class: UInt8 = 0
    protocol_id: UInt8 = 0
    priority_flag: UInt8 = 0
    schedule_delivery_time: Time = b""
    validity_period: Time = b""
    registered_delivery: UInt8 = 0
    replace_if_present_flag: UInt8 = 0
    data_coding: UInt8 = 0
    sm_default_msg_id: UInt8 = 0
    short_message: ShortMessage = b""
    tlvs: Tlvs = ()


class _SmResp(Pdu, frozen=True, gc=False):
    """§4.4.2, §4.6.2, §4.7.2. TLVs are not foreseen by 3.4 in the first two and sent all the same."""

    message_id: MessageId = b""
    tlvs: Tlvs = ()


@declare
class SubmitSm(_Sm, frozen=True, gc=False):
    """§4.4.1."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM


@declare
class SubmitSmResp(_SmResp, frozen=True, gc=False):
    """§4.4.2."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM_RESP


@declare
class DeliverSm(_Sm, frozen=True, gc=False):
    """§4.6.1."""

    command_id: ClassVar[int] = CommandId.DELIVER_SM


@declare
class DeliverSmResp(_SmResp, frozen=True, gc=False):
    """§4.6.2: message_id is unused and stays empty."""

    command_id: ClassVar[int] = CommandId.DELIVER_SM_RESP


class SmeAddress(Entry, frozen=True, gc=False):
    """One recipient of a submit_multi, §4.5.1.1."""

    flag: ClassVar[int | None] = 1

    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: Address = b""


class DistributionList(Entry, frozen=True, gc=False):
    """A list of recipients that the SMSC keeps, §4.5.1.2."""

    flag: ClassVar[int | None] = 2

    dl_name: Address = b""


class UnsuccessSme(Entry, frozen=True, gc=False):
    """A recipient that a submit_multi did not reach, §4.5.2.1."""

    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: Address = b""
    error_status_code: UInt32 = 0


@declare
class SubmitMulti(Pdu, frozen=True, gc=False):
    """§4.5.1. number_of_dests is derived."""

    command_id: ClassVar[int] = CommandId.SUBMIT_MULTI

    service_type: ServiceType = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    dest_addresses: Annotated[
        tuple[SmeAddress | DistributionList, ...], Listed(254, (SmeAddress, DistributionList))
    ] = ()
    esm_class: UInt8 = 0
    protocol_id: UInt8 = 0
    priority_flag: UInt8 = 0
    schedule_delivery_time: Time = b""
    validity_period: Time = b""
    registered_delivery: UInt8 = 0
    replace_if_present_flag: UInt8 = 0
    data_coding: UInt8 = 0
    sm_default_msg_id: UInt8 = 0
    short_message: ShortMessage = b""
    tlvs: Tlvs = ()


@declare
class SubmitMultiResp(Pdu, frozen=True, gc=False):
    """§4.5.2. no_unsuccess is derived."""

    command_id: ClassVar[int] = CommandId.SUBMIT_MULTI_RESP

    message_id: MessageId = b""
    unsuccess_smes: Annotated[tuple[UnsuccessSme, ...], Listed(255, (UnsuccessSme,))] = ()
    tlvs: Tlvs = ()


@declare
class DataSm(Pdu, frozen=True, gc=False):
    """§4.7.1. Its text is the TLV message_payload."""

    command_id: ClassVar[int] = CommandId.DATA_SM
    short_message: ClassVar[bytes] = b""

    service_type: ServiceType = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: LongAddress = b""
    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: LongAddress = b""
    esm_class: UInt8 = 0
    registered_delivery: UInt8 = 0
    data_coding: UInt8 = 0
    tlvs: Tlvs = ()


@declare
class DataSmResp(_SmResp, frozen=True, gc=False):
    """§4.7.2."""

    command_id: ClassVar[int] = CommandId.DATA_SM_RESP


@declare
class QuerySm(Pdu, frozen=True, gc=False):
    """§4.8.1: the source address is that of the submit_sm."""

    command_id: ClassVar[int] = CommandId.QUERY_SM

    message_id: MessageId = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""


@declare
class QuerySmResp(Pdu, frozen=True, gc=False):
    """§4.8.2. ``final_date`` is empty before the final state; ``error_code`` is the network's."""

    command_id: ClassVar[int] = CommandId.QUERY_SM_RESP

    message_id: MessageId = b""
    final_date: Time = b""
    message_state: UInt8 = 0
    error_code: UInt8 = 0


@declare
class CancelSm(Pdu, frozen=True, gc=False):
    """§4.9.1: one message by its id, or with no id all between the two addresses."""

    command_id: ClassVar[int] = CommandId.CANCEL_SM

    service_type: ServiceType = b""
    message_id: MessageId = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: Address = b""


@declare
class CancelSmResp(Pdu, frozen=True, gc=False):
    """§4.9.2."""

    command_id: ClassVar[int] = CommandId.CANCEL_SM_RESP


@declare
class ReplaceSm(Pdu, frozen=True, gc=False):
    """§4.10.1. TLVs (message_payload) since 5.0 §4.5.3.1."""

    command_id: ClassVar[int] = CommandId.REPLACE_SM

    message_id: MessageId = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    schedule_delivery_time: Time = b""
    validity_period: Time = b""
    registered_delivery: UInt8 = 0
    sm_default_msg_id: UInt8 = 0
    short_message: ShortMessage = b""
    tlvs: Tlvs = ()


@declare
class ReplaceSmResp(Pdu, frozen=True, gc=False):
    """§4.10.2."""

    command_id: ClassVar[int] = CommandId.REPLACE_SM_RESP


@declare
class AlertNotification(Pdu, frozen=True, gc=False):
    """§4.12.1: a handset can be reached again; nothing answers it."""

    command_id: ClassVar[int] = CommandId.ALERT_NOTIFICATION

    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: LongAddress = b""
    esme_addr_ton: UInt8 = 0
    esme_addr_npi: UInt8 = 0
    esme_addr: LongAddress = b""
    tlvs: Tlvs = ()


@declare
class BroadcastSm(Pdu, frozen=True, gc=False):
    """5.0 §4.4.1.1. Area, content type, repetitions and interval are TLVs."""

    command_id: ClassVar[int] = CommandId.BROADCAST_SM

    service_type: ServiceType = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    message_id: MessageId = b""
    priority_flag: UInt8 = 0
    schedule_delivery_time: Time = b""
    validity_period: Time = b""
    replace_if_present_flag: UInt8 = 0
    data_coding: UInt8 = 0
    sm_default_msg_id: UInt8 = 0
    tlvs: Tlvs = ()


@declare
class BroadcastSmResp(_SmResp, frozen=True, gc=False):
    """5.0 §4.4.1.2."""

    command_id: ClassVar[int] = CommandId.BROADCAST_SM_RESP


@declare
class QueryBroadcastSm(Pdu, frozen=True, gc=False):
    """5.0 §4.6.1.1."""

    command_id: ClassVar[int] = CommandId.QUERY_BROADCAST_SM

    message_id: MessageId = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    tlvs: Tlvs = ()


@declare
class QueryBroadcastSmResp(_SmResp, frozen=True, gc=False):
    """5.0 §4.6.1.3. State, areas and their success are TLVs."""

    command_id: ClassVar[int] = CommandId.QUERY_BROADCAST_SM_RESP


@declare
class CancelBroadcastSm(Pdu, frozen=True, gc=False):
    """5.0 §4.6.2.1."""

    command_id: ClassVar[int] = CommandId.CANCEL_BROADCAST_SM

    service_type: ServiceType = b""
    message_id: MessageId = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    tlvs: Tlvs = ()


@declare
class CancelBroadcastSmResp(Pdu, frozen=True, gc=False):
    """5.0 §4.6.2.3."""

    command_id: ClassVar[int] = CommandId.CANCEL_BROADCAST_SM_RESP
