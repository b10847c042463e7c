"""What commands print of specifications: descriptions, operations, differences."""
