"""Generated data: seeded, kept between runs, never larger than asked."""
