"""Paints in the style of any picture at once, by moving clouds of features; imports features and losses."""
