"""What several test modules need: strategies and a small world to act in."""
