"""The Instant tab: pictures, camera, videos, and its endpoint for programs. Imports no other tab."""
