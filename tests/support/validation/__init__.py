"""Objects that the API server accepts, and changes, some of which it rejects."""
