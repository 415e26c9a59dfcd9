"""A small service: its first answer brings a data frame library in."""

import time


def to_frame(rows):
    import pandas

    return pandas.DataFrame(rows)


def render(n):
    return len(to_frame([{"n": k, "square": k * k} for k in range(n)]).to_json())


time.sleep(1)
for _ in range(40):
    render(200)
    time.sleep(0.1)
