"""Shell programs as data: which commands run, with which words, in which pipes and loops, under which options.

Shell stands inside ConfigMaps, container arguments and templates, often with parts that only an apply decides.
The grammar is tree-sitter's, which keeps what is whole around what is broken; nothing is ever run.
"""

from __future__ import annotations

from shoreup.formats.shell.program import Assignment, Command, Frame, Options, Part, Program, Redirect, Word
from shoreup.formats.shell.reader import parse

__all__ = ["Assignment", "Command", "Frame", "Options", "Part", "Program", "Redirect", "Word", "parse"]
