"""What one open page has, and what tabs hand over to each other. Imports `page`, `widgets`, `serving`, no tab."""
