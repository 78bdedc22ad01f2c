"""Holds what every tab needs: forms, words, toasts, files to keep, the look. Imports no other room of the page."""
