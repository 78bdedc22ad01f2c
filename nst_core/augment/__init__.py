"""Labelled folders painted, as more training data. Imports transfer and instant."""
