"""Networks that paint in one pass: training them, painting by them, films. Imports transfer."""
