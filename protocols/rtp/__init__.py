"""RTP for one telephone call, sans-IO: packets, RTCP, G.711, telephone-events, statistics.

Section numbers are those of RFC 3550 where none other is named. Times are arguments, in monotonic seconds;
randomness is given as integers.
"""
