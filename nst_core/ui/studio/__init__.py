"""Holds an open page's state, and what tabs hand to each other. Imports `page`, `widgets`, `serving`, no tab."""
