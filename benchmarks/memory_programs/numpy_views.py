"""Ten numbers of each picture are kept, and with them the picture that they are a view of."""

import sys
import time

import numpy as np

corners = []


def picture(n):
    return np.full((400, 400), n, dtype=float)


def keep(image):
    corners.append(image[:2, :5])


def blur(image):
    return float(np.sort(image, axis=1).mean())


end = time.time() + float(sys.argv[1])
n = 0
while time.time() < end:
    image = picture(n)
    keep(image)
    blur(image)
    n += 1
    time.sleep(0.02)
