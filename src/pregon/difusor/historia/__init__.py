"""What was received, as received: kept, verified again, exported, shown, backed up and put back."""
