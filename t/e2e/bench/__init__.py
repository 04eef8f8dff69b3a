"""The end-to-end bench: real counterparts as processes on loopback, and a scripted provider."""
