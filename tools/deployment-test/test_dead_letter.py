"""What the worker cannot read ends in the dead-letter queue, soon, and costs nothing."""

from emulator import wait_for
from stack import Stack


def test_a_poison_message_ends_in_the_dead_letter_queue_within_a_minute(stack: Stack) -> None:
    sqs = stack.emulator.client("sqs")
    calls = len(stack.model_calls())
    sqs.send_message(QueueUrl=stack.queue_url("prompts"), MessageBody="no message of ours")

    def dead_letters() -> list[dict]:
        received = sqs.receive_message(
            QueueUrl=stack.outputs["dead_letter_queue_url"], AttributeNames=["ApproximateReceiveCount"]
        )
        return received.get("Messages", [])

    (message,) = wait_for(dead_letters, "the dead letter", 60)
    assert message["Body"] == "no message of ours"
    assert len(stack.model_calls()) == calls
    sqs.delete_message(
        QueueUrl=stack.outputs["dead_letter_queue_url"], ReceiptHandle=message["ReceiptHandle"]
    )
