"""The area that paints a labelled folder, in the Explain tab. Imports no other tab."""
