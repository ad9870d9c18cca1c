"""Objects that the API server accepts, and changes to them of which it accepts some."""
