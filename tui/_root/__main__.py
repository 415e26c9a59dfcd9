"""`python -m perftui`."""

import sys

from perftui.tui.cli import main

sys.exit(main())
