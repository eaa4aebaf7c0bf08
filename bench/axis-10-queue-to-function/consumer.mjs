/**
 * The pipeline that people build by hand: sqs-consumer takes messages in batches of ten, invokes by the AWS SDK, and deletes them.
 * `node consumer.mjs MANIFEST SQS-PORT LAMBDA-PORT FUNCTION QUEUE-URL MESSAGES`. Prints the milliseconds that so many messages took, then
 * one line for each that has a number of its own.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [manifest, sqsPort, lambdaPort, FunctionName, queueUrl, messages] = process.argv.slice(2);
const require = createRequire(manifest);
const { SQSClient } = require("@aws-sdk/client-sqs");
const { InvokeCommand, LambdaClient } = require("@aws-sdk/client-lambda");
const { Consumer } = await peer("sqs-consumer");

/** As many as an event source mapping begins with. */
const CONSUMERS = 5;
const options = {
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "unverified" },
};
const sqs = new SQSClient({
  ...options,
  endpoint: `http://127.0.0.1:${sqsPort}`,
  useQueueUrlAsEndpoint: false,
});
const lambda = new LambdaClient({ ...options, endpoint: `http://127.0.0.1:${lambdaPort}` });
let handled = 0;
const startedAt = performance.now();

async function handleMessageBatch(batch) {
  const Records = batch.map(({ MessageId: messageId, Body: body }) => ({ messageId, body }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ Records }) }));
  const { at } = JSON.parse(answer.Payload.transformToString());
  const { ping } = JSON.parse(Records[0].body);
  if (ping !== undefined) console.log(`handled ${ping} at ${at.toFixed(3)}`);
  const before = handled;
  handled += batch.length;
  if (before < Number(messages) && handled >= Number(messages))
    console.log(`drained in ${(performance.now() - startedAt).toFixed(3)} ms`);
  return batch;
}

for (let at = 0; at < CONSUMERS; at++)
  Consumer.create({ queueUrl, sqs, batchSize: 10, waitTimeSeconds: 1, handleMessageBatch }).start();

/** A package that is installed with the peers and has no form that could be required. */
function peer(name) {
  return import(pathToFileURL(require.resolve(name)).href);
}
