"""Terraform finds what it made."""

from stack import Stack


def test_another_plan_changes_nothing(stack: Stack) -> None:
    assert stack.deployment.changes() == ""
