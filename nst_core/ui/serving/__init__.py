"""Serves strangers: who may ask for what, who computes when, what is kept. Imports `page` alone of the page."""
