"""What is printed: summaries, tables and cards, and bars that say how far a run has come."""
