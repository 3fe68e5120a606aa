"""The pages, one file for each thing that people do, each with the addresses at which it answers."""
