"""How accuracy is counted, judged and sampled: plain Python on plain data.

Nothing here knows Django, the database or the clock, and no float decides anything: the same
facts give the same figure wherever and whenever they are recounted.
"""
