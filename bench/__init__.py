"""What everything costs on this machine, measured side by side: `python -m bench`."""
