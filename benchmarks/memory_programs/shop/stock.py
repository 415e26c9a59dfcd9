"""Tables of what is in stock, each under a name of its own."""


def load(n):
    """Make one more."""
    globals()["table_%d" % n] = ["item %d" % k for k in range(n % 5, 2_500)]
