"""The shape of what acts on applications ask for; what is right and complete, services and transitions decide."""
