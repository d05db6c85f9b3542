"""Starting and stopping: the embedded database and the program's own processes.

Used by ``holdfast up``, ``holdfast demo`` and the tests. Nothing in here knows of
reports, cases or Django; it never signals a process that it has not proved to be
its own.
"""
