"""Pictures the app ships with, and the code that painted them."""
