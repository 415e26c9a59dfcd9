"""An inverted index of words: more and more sets, each of which grows."""

import collections
import sys
import time

words = collections.defaultdict(set)


def tokens(n):
    return ["w%d" % ((n * 7_919 + k * k) % 400_000) for k in range(2_000)]


def index(n, found):
    for word in found:
        words[word].add(n)


def longest(found):
    return max(sorted(found), key=len)


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    found = tokens(n)
    index(n, found)
    longest(found)
    n += 1
    time.sleep(0.005)
