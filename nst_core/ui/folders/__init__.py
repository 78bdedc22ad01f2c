"""The areas that paint pictures into a ZIP: a batch, for Stylize; class folders, for Explain. Imports no other tab."""
