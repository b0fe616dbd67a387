"""Real engines for experiments: found on this machine, started in a scratch folder, gone afterwards.

``catalogue`` is what is known about engines (data), ``providers`` finds those that are here, ``choosing`` says which
of them may stand in for the one that an estate runs. ``scratch`` is the folder that everything of one experiment lies
in, ``jail`` the way in which its programs run, ``keeper`` what sees to it that nothing is left behind. Each engine is
one file. Client libraries are imported where they are used, so that whoever starts no engine needs none.
"""
