/** SNS as the AWS CLI and boto3 speak to it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { startSns } from "../harness/sns.ts";
import type { SnsSetting } from "../harness/sns.ts";

let it: SnsSetting;
before(async () => {
  it = await startSns();
});
after(() => it.stop());

test(
  "the AWS CLI creates a topic, subscribes a queue and publishes",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const aws = async (...parameters: string[]) => {
      const all = ["--endpoint-url", it.server.endpoint, "--output", "json", "sns", ...parameters];
      return JSON.parse(await runClient(it.server, "aws", all)) as Record<string, string>;
    };
    const { TopicArn = "" } = await aws("create-topic", "--name", "cli", "--attributes", "DisplayName=CLI");
    const queue = await it.open();
    const topic = ["--topic-arn", TopicArn];
    const { SubscriptionArn } = await aws(
      "subscribe",
      ...topic,
      "--protocol",
      "sqs",
      "--notification-endpoint",
      queue.arn,
      "--attributes",
      JSON.stringify({ FilterPolicy: '{"n":[{"numeric":[">",6]}]}' }),
    );
    assert.match(SubscriptionArn ?? "", /^arn:aws:sns:/);
    const attribute = '{"n":{"DataType":"Number","StringValue":"7"}}';
    const { MessageId } = await aws(
      "publish",
      ...topic,
      "--message",
      "from the CLI",
      "--message-attributes",
      attribute,
    );
    const [body = "{}"] = await queue.bodies();
    const message = JSON.parse(body) as Record<string, string>;
    assert.deepEqual([message["Message"], message["MessageId"]], ["from the CLI", MessageId]);
  },
);

const PYTHON = `
import boto3, os
from botocore.exceptions import ClientError
resource = boto3.resource("sns", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
topic = resource.create_topic(Name="boto.fifo", Attributes={"FifoTopic": "true"}, Tags=[{"Key": "a", "Value": "b"}])
assert topic.attributes["FifoTopic"] == "true", topic.attributes
client = resource.meta.client
batch = client.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=[
    {"Id": "1", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1", "MessageAttributes": {"raw": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}}},
    {"Id": "2", "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "2"},
])
assert [e["Id"] for e in batch["Successful"]] == ["1", "2"], batch
assert batch["Failed"] == [], batch
for call, code in [
    (lambda: client.publish(TopicArn=topic.arn + "x", Message="m"), "InvalidParameter"),
    (lambda: client.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=[{"Id": "1", "Message": "m", "MessageGroupId": "g"}]), "InvalidParameter"),
    (lambda: client.get_topic_attributes(TopicArn=topic.arn.replace("boto", "none")), "NotFound"),
    (lambda: client.publish(TopicArn=topic.arn, Message="m", MessageAttributes={"a": {"DataType": "Nonsense", "StringValue": "1"}}), "ParameterValueInvalid"),
    (lambda: client.subscribe(TopicArn=topic.arn, Protocol="sms", Endpoint="+1"), "NotImplemented"),
]:
    try:
        call()
        raise AssertionError("accepted")
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
assert [t.arn for t in resource.topics.all() if t.arn == topic.arn] == [topic.arn]
topic.delete()
print("done")
`;

test(
  "boto3's resource makes a topic, publishes a batch and sees its errors",
  { skip: await missingClient("python3", ["-c", "import boto3"]) },
  async () => {
    assert.equal((await runClient(it.server, "python3", ["-c", PYTHON])).trim(), "done");
  },
);
