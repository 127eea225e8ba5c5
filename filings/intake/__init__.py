"""The fast path of form intake: decode → normalise → check. Pure: no Django, no database, no own clock."""
