"""What is taken out of one picture and pasted into another. Imports no figure."""
