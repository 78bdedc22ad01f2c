"""What one layer sees, drawn. Imports features and what a figure is."""
