"""Text of short messages (3GPP TS 23.038, TS 23.040): alphabets, national tables, segmentation, headers."""
