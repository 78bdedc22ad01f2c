"""Components of our own, which know nothing of painting. Imports no other room of the page."""
