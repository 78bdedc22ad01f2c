"""The Explain tab: figures, the tour, links to both. Imports no other tab."""
