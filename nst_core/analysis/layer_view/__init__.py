"""Draws what one layer of a network sees. Imports features and what a figure is."""
