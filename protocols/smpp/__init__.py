"""SMPP for an ESME, sans-IO: PDUs, session, receipts.

The section numbers in this package are those of "Short Message Peer to Peer Protocol Specification v3.4",
issue 1.2, 12-Oct-1999, where none other is named; "5.0" is "Short Message Peer-to-Peer Protocol Specification
Version 5.0", 19-Feb-2003. ``session.Session`` is the way in; ``docs/smpp-session.md`` shows its states.
"""
