"""The classroom: what a figure is, and rooms from cut-outs to `figures`. Imports transfer."""
