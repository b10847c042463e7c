"""Feature stores: shards of arrays with a manifest, written once, checked, and read by rows."""
