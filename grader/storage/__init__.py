"""Tables, repositories, unit of work, blobs by sha256, migrations."""
