"""A blog that tells its authors about comments."""
