"""The facts: frozen records with their timestamps, and no stored status."""
