"""One file a concern. The file name is the id; nothing else has to be edited to add one."""
