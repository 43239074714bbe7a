"""The installed cuvis-ai with two module names more.

Documents and examples of 0.4.0 import its reader under names that no release has; the release keeps
it in ``cuvis_ai_core.data.datasets``. With this folder on the path both names lead there.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
