"""What people look at: read only, at any time, from any repository."""
