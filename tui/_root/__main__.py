"""`python -m perftui`."""

import sys

from perftui.tui.entry import main

sys.exit(main())
