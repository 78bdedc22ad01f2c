"""A config in formulas and words. Imports transfer, no figure."""
