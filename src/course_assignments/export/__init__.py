"""Records as CSV files that spreadsheets open safely."""
