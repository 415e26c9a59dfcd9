"""Two programs side by side: plan, run, figures, growth, verdict."""
