"""A figure as a page to print and as files: words, charts, tables as pictures. Imports what a figure is."""
