"""The run phase for programs: forms and files in, jobs, figures, findings and orders out (design.md, section 6)."""
