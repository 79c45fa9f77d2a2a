"""National language single shift tables: the meaning of the septet after ESC.

TS 23.038 Annex A.2 in rows of 16, the code of a cell being 16 × row + column. A cell is the character
itself, its code point in hexadecimal, one of FF SP ESC, or -- where the table has none. 0x0D is set aside
for a control character.

Cells that are not what Releases 9 to 16 of the specification print, because a digit stands there twice or
comes from another script: Tamil 0x24 (0BEF for 0BEE) and Telugu 0x22, 0x23 (06CC, 06CD for 0C6C, 0C6D).
Telugu has no € (0x65), unlike all others: some handsets read one there, those that go by the specification an
e, so that it is not sent.
"""

from __future__ import annotations

from typing import Final

from protocols.gsm.languages import Language

CELLS: Final = {
    # A.2.1
    Language.TURKISH: r"""
        -- -- -- -- -- -- -- -- -- -- FF -- -- -- -- --
        -- -- -- -- ^ -- -- -- -- -- -- ESC -- -- -- --
        -- -- -- -- -- -- -- -- { } -- -- -- -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | -- -- -- -- -- -- Ğ -- İ -- -- -- -- -- --
        -- -- -- Ş -- -- -- -- -- -- -- -- -- -- -- --
        -- -- -- ç -- € -- ğ -- ı -- -- -- -- -- --
        -- -- -- ş -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.2
    Language.SPANISH: r"""
        -- -- -- -- -- -- -- -- -- ç FF -- -- -- -- --
        -- -- -- -- ^ -- -- -- -- -- -- ESC -- -- -- --
        -- -- -- -- -- -- -- -- { } -- -- -- -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | Á -- -- -- -- -- -- -- Í -- -- -- -- -- Ó
        -- -- -- -- -- Ú -- -- -- -- -- -- -- -- -- --
        -- á -- -- -- € -- -- -- í -- -- -- -- -- ó
        -- -- -- -- -- ú -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.3
    Language.PORTUGUESE: r"""
        -- -- -- -- -- ê -- -- -- ç FF Ô ô -- Á á
        -- -- Φ Γ ^ Ω Π Ψ Σ Θ -- ESC -- -- -- Ê
        -- -- -- -- -- -- -- -- { } -- -- -- -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | À -- -- -- -- -- -- -- Í -- -- -- -- -- Ó
        -- -- -- -- -- Ú -- -- -- -- -- Ã Õ -- -- --
        -- Â -- -- -- € -- -- -- í -- -- -- -- -- ó
        -- -- -- -- -- ú -- -- -- -- -- ã õ -- -- â
        """,
    # A.2.4
    Language.BENGALI: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 09E6 09E7 ESC 09E8 09E9 09EA 09EB
        09EC 09ED 09EE 09EF 09DF 09E0 09E1 09E2 { } 09E3 09F2 09F3 09F4 09F5 \
        09F6 09F7 09F8 09F9 09FA -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.5
    Language.GUJARATI: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0AE6 0AE7 0AE8 0AE9
        0AEA 0AEB 0AEC 0AED 0AEE 0AEF -- -- { } -- -- -- -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.6
    Language.HINDI: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0966 0967 0968 0969
        096A 096B 096C 096D 096E 096F 0951 0952 { } 0953 0954 0958 0959 095A \
        095B 095C 095D 095E 095F 0960 0961 0962 0963 0970 0971 -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.7
    Language.KANNADA: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0CE6 0CE7 0CE8 0CE9
        0CEA 0CEB 0CEC 0CED 0CEE 0CEF 0CDE 0CF1 { } 0CF2 -- -- -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.8
    Language.MALAYALAM: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0D66 0D67 0D68 0D69
        0D6A 0D6B 0D6C 0D6D 0D6E 0D6F 0D70 0D71 { } 0D72 0D73 0D74 0D75 0D7A \
        0D7B 0D7C 0D7D 0D7E 0D7F -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.9
    Language.ORIYA: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0B66 0B67 0B68 0B69
        0B6A 0B6B 0B6C 0B6D 0B6E 0B6F 0B5C 0B5D { } 0B5F 0B70 0B71 -- -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.10
    Language.PUNJABI: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0A66 0A67 0A68 0A69
        0A6A 0A6B 0A6C 0A6D 0A6E 0A6F 0A59 0A5A { } 0A5B 0A5C 0A5E 0A75 -- \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.11
    Language.TAMIL: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0964 0965 ESC 0BE6 0BE7 0BE8 0BE9
        0BEA 0BEB 0BEC 0BED 0BEE 0BEF 0BF3 0BF4 { } 0BF5 0BF6 0BF7 0BF8 0BFA \
        -- -- -- -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.12
    Language.TELUGU: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * -- -- ESC 0C66 0C67 0C68 0C69
        0C6A 0C6B 0C6C 0C6D 0C6E 0C6F 0C58 0C59 { } 0C78 0C79 0C7A 0C7B 0C7C \
        0C7D 0C7E 0C7F -- -- -- -- -- -- -- -- -- [ ~ ] --
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
    # A.2.13
    Language.URDU: r"""
        @ £ $ ¥ ¿ " ¤ % & ' FF * + -- - /
        < = > ¡ ^ ¡ _ # * 0600 0601 ESC 06F0 06F1 06F2 06F3
        06F4 06F5 06F6 06F7 06F8 06F9 060C 060D { } 060E 060F 0610 0611 0612 \
        0613 0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD [ ~ ] 06D4
        | A B C D E F G H I J K L M N O
        P Q R S T U V W X Y Z -- -- -- -- --
        -- -- -- -- -- € -- -- -- -- -- -- -- -- -- --
        -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- --
        """,
}
