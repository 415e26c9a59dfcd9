"""What the compare screen draws: charts of two runs, tables, flames, words."""
