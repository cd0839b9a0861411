"""The report as one page: what is on it, and the numbers from which its script draws."""
