"""The spine: what a record is, the one road that records take, and the face that answers."""
