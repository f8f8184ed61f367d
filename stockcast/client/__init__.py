"""What a program needs to talk to the API: its contract as pydantic models, and a typed client. No framework."""
