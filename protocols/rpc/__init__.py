"""The job socket: MessagePack-RPC framing in bounded memory, and the messages that travel in it."""
