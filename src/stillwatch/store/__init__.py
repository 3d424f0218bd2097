"""Where results live: Parquet files by day, small journals that say which of them count."""
