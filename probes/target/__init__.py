"""The program that is watched: what is started, how it ends, its output, orders to it."""
