/** SQS as the AWS CLI and boto3 speak to it, and as older SDKs do, by the query protocol. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { startSqs } from "../harness/sqs.ts";
import type { SqsSetting } from "../harness/sqs.ts";
import { scope } from "../protocol/raw-request.ts";

let setting: SqsSetting;
before(async () => {
  setting = await startSqs();
});
after(() => setting.stop());

test(
  "the AWS CLI creates a queue, sends, receives and deletes",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const endpoint = ["--endpoint-url", setting.server.endpoint];
    const aws = async (...parameters: string[]) => {
      const printed = await runClient(setting.server, "aws", [
        ...endpoint,
        "--output",
        "json",
        "sqs",
        ...parameters,
      ]);
      return printed === "" ? {} : (JSON.parse(printed) as Record<string, never>);
    };
    const { QueueUrl: url } = await aws(
      "create-queue",
      "--queue-name",
      "cli",
      "--attributes",
      "VisibilityTimeout=45",
    );
    const queue = ["--queue-url", String(url)];
    const attribute = '{"n":{"DataType":"Number","StringValue":"7"}}';
    const sent = await aws(
      "send-message",
      ...queue,
      "--message-body",
      "from the CLI",
      "--message-attributes",
      attribute,
    );
    const received = await aws(
      "receive-message",
      ...queue,
      "--attribute-names",
      "All",
      "--message-attribute-names",
      "All",
    );
    const [message] = received["Messages"] as unknown as [Record<string, never>];
    assert.deepEqual(
      [message["Body"], message["MessageId"], message["MessageAttributes"]],
      ["from the CLI", sent["MessageId"], JSON.parse(attribute)],
    );
    await aws("delete-message", ...queue, "--receipt-handle", String(message["ReceiptHandle"]));
    const { Attributes } = await aws("get-queue-attributes", ...queue, "--attribute-names", "All");
    assert.equal(Attributes?.["ApproximateNumberOfMessagesNotVisible"], "0");
    assert.equal(Attributes?.["VisibilityTimeout"], "45");
  },
);

const PYTHON = `
import boto3, os
from botocore.exceptions import ClientError
resource = boto3.resource("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
queue = resource.create_queue(QueueName="boto.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
answer = queue.send_messages(Entries=[{"Id": str(i), "MessageBody": "m%d" % i, "MessageGroupId": "g", "MessageAttributes": {"raw": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}}} for i in range(5)])
assert len(answer["Successful"]) == 5 and not answer.get("Failed"), answer
messages = queue.receive_messages(MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"])
assert [m.body for m in messages] == ["m0", "m1", "m2", "m3", "m4"], messages
assert messages[0].message_attributes["raw"]["BinaryValue"] == b"\\x00\\xff"
messages[0].change_visibility(VisibilityTimeout=100)
assert len(queue.delete_messages(Entries=[{"Id": str(i), "ReceiptHandle": m.receipt_handle} for i, m in enumerate(messages)])["Successful"]) == 5
client = resource.meta.client
for call, code in [
    (lambda: client.get_queue_url(QueueName="nowhere"), "AWS.SimpleQueueService.NonExistentQueue"),
    (lambda: client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=11), "InvalidParameterValue"),
    (lambda: client.send_message(QueueUrl=queue.url, MessageBody="x"), "MissingParameter"),
    (lambda: client.delete_message(QueueUrl=queue.url, ReceiptHandle="x"), "ReceiptHandleIsInvalid"),
]:
    try:
        call()
        raise AssertionError("accepted")
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
queue.delete()
print("done")
`;

test(
  "boto3's resource sends, receives and sees its errors",
  { skip: await missingClient("python3", ["-c", "import boto3"]) },
  async () => {
    assert.equal((await runClient(setting.server, "python3", ["-c", PYTHON])).trim(), "done");
  },
);

test("the query protocol: forms in, XML out, with the older codes of errors", async () => {
  const call = async (form: Record<string, string>) => {
    const response = await fetch(setting.server.endpoint, {
      method: "POST",
      headers: { ...scope("sqs"), "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Version: "2012-11-05", ...form }),
    });
    return { status: response.status, text: await response.text() };
  };
  const value = (text: string, name: string) =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";
  const created = await call({
    Action: "CreateQueue",
    QueueName: "query",
    "Attribute.1.Name": "DelaySeconds",
    "Attribute.1.Value": "0",
  });
  const QueueUrl = value(created.text, "QueueUrl");
  assert.equal(QueueUrl, `${setting.server.endpoint}/000000000000/query`);
  const sent = await call({
    Action: "SendMessage",
    QueueUrl,
    MessageBody: "a & <b>",
    "MessageAttribute.1.Name": "n",
    "MessageAttribute.1.Value.DataType": "String",
    "MessageAttribute.1.Value.StringValue": "v",
  });
  assert.equal(sent.status, 200);
  const received = await call({
    Action: "ReceiveMessage",
    QueueUrl,
    "AttributeName.1": "All",
    "MessageAttributeName.1": "All",
  });
  assert.match(received.text, /<Body>a &amp; &lt;b&gt;<\/Body>/);
  assert.match(received.text, /<Attribute><Name>SenderId<\/Name><Value>000000000000<\/Value><\/Attribute>/);
  assert.equal(value(received.text, "MD5OfMessageAttributes"), value(sent.text, "MD5OfMessageAttributes"));
  const ReceiptHandle = value(received.text, "ReceiptHandle");
  const batch = await call({
    Action: "DeleteMessageBatch",
    QueueUrl,
    "DeleteMessageBatchRequestEntry.1.Id": "one",
    "DeleteMessageBatchRequestEntry.1.ReceiptHandle": ReceiptHandle,
    "DeleteMessageBatchRequestEntry.2.Id": "two",
    "DeleteMessageBatchRequestEntry.2.ReceiptHandle": "x",
  });
  assert.match(batch.text, /<DeleteMessageBatchResultEntry><Id>one<\/Id>/);
  assert.match(batch.text, /<BatchResultErrorEntry><Id>two<\/Id>.*<Code>ReceiptHandleIsInvalid<\/Code>/);
  for (const [form, code] of [
    [{ Action: "GetQueueUrl", QueueName: "nowhere" }, "AWS.SimpleQueueService.NonExistentQueue"],
    [{ Action: "ReceiveMessage", QueueUrl, MaxNumberOfMessages: "11" }, "InvalidParameterValue"],
    [{ Action: "SendMessage", QueueUrl }, "MissingParameter"],
    [{ Action: "SendMessageBatch", QueueUrl }, "AWS.SimpleQueueService.EmptyBatchRequest"],
    [
      {
        Action: "CreateQueue",
        QueueName: "query",
        "Attribute.1.Name": "DelaySeconds",
        "Attribute.1.Value": "1",
      },
      "QueueAlreadyExists",
    ],
  ] as const) {
    const refused = await call(form);
    assert.deepEqual([refused.status, value(refused.text, "Code")], [400, code]);
  }
  const nowhere = await call({ Action: "GetQueueUrl", QueueName: "nowhere" });
  assert.equal(value(nowhere.text, "Message"), "The specified queue does not exist for this wsdl version.");
});

test("the query protocol at the URL of a queue, in forms and in links, signed or not", async () => {
  const queue = await setting.queue();
  const type = "application/x-www-form-urlencoded";
  const post = (headers: Record<string, string>, form: Record<string, string>) =>
    fetch(queue.url, {
      method: "POST",
      headers: { ...headers, "content-type": type },
      body: new URLSearchParams(form),
    });
  const answers = [
    await post(scope("sqs"), { Action: "SendMessage", MessageBody: "signed", Version: "2012-11-05" }),
    await post({}, { Action: "SendMessage", MessageBody: "not signed", Version: "2012-11-05" }),
    await post({}, { Action: "SendMessage", MessageBody: "without a version" }),
    await fetch(`${queue.url}?Action=SendMessage&MessageBody=a%20link`),
  ];
  for (const answer of answers) assert.match(await answer.text(), /^<SendMessageResponse xmlns=/);
  assert.deepEqual((await queue.bodies()).toSorted(), [
    "a link",
    "not signed",
    "signed",
    "without a version",
  ]);
  const other = await setting.queue();
  const QueueUrl = queue.url;
  const fields = new URLSearchParams({ Action: "SendMessage", QueueUrl, MessageBody: "m" }).toString();
  const named = await fetch(`${other.url}?${fields}`);
  assert.equal(named.status, 200);
  assert.deepEqual([await queue.bodies(), await other.bodies()], [["m"], []]);
  const unknown = await fetch(`${queue.url}x?Action=ReceiveMessage`);
  assert.match(await unknown.text(), /AWS.SimpleQueueService.NonExistentQueue/);
});
