"""The rows of the table, a module for each family of measurements that share their rounds."""
