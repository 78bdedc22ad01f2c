"""Holds the page in other languages: catalogues, and the script that looks them up. Imports no other room."""
