"""Calls over SIP trunks: the Carrier contract on SIP and RTP. Imported only where trunks are configured."""
