"""Writes a tone, as a recording of 16 bits at 8,000 samples a second. Arguments: the file, seconds."""

import math
import struct
import sys
import wave

samples = [round(9000 * math.sin(math.tau * 440 * n / 8000)) for n in range(int(float(sys.argv[2]) * 8000))]
with wave.open(sys.argv[1], "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
