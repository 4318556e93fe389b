"""Programs that the bench starts in processes of their own."""
