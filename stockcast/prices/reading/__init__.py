"""From the bytes of somebody's file to a raw bar table: CSV in all its dialects, XLSX and Parquet."""
