"""What happens to a generation: its states, a call from post to result, and what guards against paying twice."""
