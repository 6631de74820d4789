"""What a server has set. A server's value comes before the operator's default."""

from domains.policy.model import Policy
from domains.policy.setting import Setting, setting, settings

__all__ = ["Policy", "Setting", "setting", "settings"]
