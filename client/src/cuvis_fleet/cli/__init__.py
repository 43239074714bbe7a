"""The command line ``cuvis-fleet``; needs ``pip install 'cuvis-fleet[cli]'``.

`entry` is the entry point, `app` defines the commands, each of which is a module of `commands`.
`failures` turns exceptions into one line and an exit code.
"""
