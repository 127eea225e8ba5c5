"""The national V3.0 call interface as values: codes, packages, answers. Who calls and what is stored is not here."""
