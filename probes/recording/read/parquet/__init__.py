"""What a Parquet file claims, checked before pyarrow sees it: thrift ──► layout ──► file.

Why what a file claims is read by code of our own, before pyarrow sees it: the alternative is a
child with limits of memory and CPU that reads every file with pyarrow once, its word kept by name,
size and time of change. It was built and measured. It refuses the same bombs, and took no harm
from 800 files with flipped bits; but it costs 0.22 s of CPU at the first opening of the smallest
recording (0.11 s of that is importing pyarrow), 0.3-0.5 s for an hour and 3.6 s for 24 h, because
only what was decoded is known to be harmless; and again whenever a file changes, which for a
recording that is being followed is each second. The checks here take 0.6 s for the ends of the
3,168 files of a day and 1.2 s for all their pages, of which an opening needs few; types, limits
and the shape of tables would have to be looked at in both cases.
"""
