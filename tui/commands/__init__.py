"""One module per subcommand of `perftui`; each has `add_parser` and `run`."""
