"""Damaged and hostile files by the thousand, and what the program does with each: a result, or a sentence."""
