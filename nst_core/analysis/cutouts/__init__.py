"""Cuts something out of one picture and pastes it into another. Imports no figure."""
