"""From evidence and artefacts to the Hub."""
