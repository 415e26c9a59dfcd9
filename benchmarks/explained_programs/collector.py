"""A large model stays in memory, and every document makes the collector look at all of it."""

import gc
import time

model = [{"word": n, "next": [n + 1], "back": {n}} for n in range(500_000)]


gc.set_threshold(700, 5, 2)


class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


def parse(size):
    root = Node(None)
    node = root
    for n in range(size):
        node = Node(node if n % 7 else root)
    return root


def ingest(document):
    parse(4_000)
    gc.collect()
    return document


end = time.perf_counter() + 9
documents = 0
while time.perf_counter() < end:
    ingest(documents)
    documents += 1
print(documents, len(model))
