"""The command line ``cuvis-fleet``; needs ``pip install 'cuvis-fleet[cli]'``.

`entry` is the entry point and `app` puts the commands together; each command has a module of its
own. What went wrong becomes one line and an exit code in `failures`.
"""
