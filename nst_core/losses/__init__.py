"""The losses: content, style by its many measures, total variation. Imports nothing of ours."""
