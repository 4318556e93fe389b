"""What each difusor shows, seen from outside by several vantage points, and the verdict on it."""
