"""Paintings that grow side by side in a figure. Imports transfer and what a figure is."""
