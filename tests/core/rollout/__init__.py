"""An app that only tests/core/test_rollout.py installs: `note` becomes `remark`, without anybody noticing."""
