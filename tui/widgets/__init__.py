"""One widget per file; layout is pure functions, widgets only draw strips and post messages."""
