"""What carriers take, and texts that try it."""

from protocols.gsm.languages import Language
from protocols.gsm.segmentation import Alphabet, Rules

HINDI = "आपका कोड 482913 है। इसे किसी को न बताएं"
GSM = Alphabet(0, "gsm7")
PACKED = Alphabet(0, "gsm7_packed")
UCS2 = Alphabet(8, "ucs2")
UTF8 = Alphabet(4, "utf8")
LATIN = Alphabet(3, "latin1")
ASCII = Alphabet(1, "ascii")
INDIA = Rules(locking=(Language.HINDI, Language.TAMIL), single=(Language.HINDI, Language.TAMIL))
EVERY = Rules(locking=tuple(Language), single=tuple(Language))
QUOTES = {"’": "'", "“": '"', "”": '"', "…": "...", "—": "-"}
