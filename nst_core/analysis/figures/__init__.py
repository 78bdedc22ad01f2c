"""The figures, a module each, and their catalogue. Imports the other rooms of analysis but `poster`."""
