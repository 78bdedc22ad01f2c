"""The Stylize tab, and its endpoint for programs. Imports no other tab."""
