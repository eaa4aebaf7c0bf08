/** What event source mappings of Apache Kafka do when something fails: the function, the cluster, the server itself. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { KAFKA_USER, kafkaMissing, startKafka } from "../harness/kafka.ts";
import type { TestKafka } from "../harness/kafka.ts";
import { spawnServer } from "../harness/process.ts";
import { settleBrokers, startBrokerSetting, until } from "./setting.ts";
import type { BrokerSetting, Writer } from "./setting.ts";

const skip = kafkaMissing() ?? false;
if (skip) console.log(`# skipped: ${skip}`);
const SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:kafka-a1b2c3";
const WRONG = "arn:aws:secretsmanager:us-east-1:000000000000:secret:wrong-a1b2c3";
const AUTHORITY = "arn:aws:secretsmanager:us-east-1:000000000000:secret:authority-a1b2c3";
/** Throws when one of the values is "poison". */
const THROW_ON_POISON = `
  for (const [name, records] of Object.entries(event.records))
    for (const { value } of records)
      if (Buffer.from(value, "base64").toString() === "poison") throw new Error("poison");`;
/** Reports the poisoned ones. */
const REPORT_POISON = `
  const batchItemFailures = Object.entries(event.records).flatMap(([partition, records]) =>
    records.filter(({ value }) => Buffer.from(value, "base64").toString() === "poison")
      .map(({ offset }) => ({ itemIdentifier: { partition, offset } })));
  return { batchItemFailures };`;

suite("failures of event source mappings of Apache Kafka", { skip }, () => {
  let kafka: TestKafka;
  let setting: BrokerSetting;
  before(async () => {
    setting = await startBrokerSetting();
    kafka = await startKafka();
  });
  after(() => setting?.stop());

  type Input = Partial<CreateEventSourceMappingCommandInput>;
  const from = (topic: string, more: Input = {}, server = kafka.server) => ({
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [server] } },
    Topics: [topic],
    StartingPosition: "TRIM_HORIZON" as const,
    ...more,
  });
  const provisioned = { ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2 } };
  const onFailure = (Destination: string) => ({ DestinationConfig: { OnFailure: { Destination } } });
  const ready = async (topic: string, partitions = 1): Promise<Writer> => {
    await kafka.createTopic(topic, partitions);
    return setting.writer(`read-${topic}`);
  };
  const valuesOf = (events: readonly any[]): string[][] =>
    events.map(({ records }) =>
      Object.values<any[]>(records)
        .flat()
        .map(({ value }) => Buffer.from(value, "base64").toString()),
    );
  const hasCommitted = (group: string, topic: string, offset: number) =>
    until(`${offset} of ${topic} is committed`, async () => (await kafka.committed(group, topic)) === offset);
  const tells = (uuid: string, result: RegExp) =>
    until(`LastProcessingResult is ${result}`, async () =>
      result.test((await setting.mapping(uuid)).LastProcessingResult ?? ""),
    );

  // Not beside the others, which look into the same file.
  test("secrets that others may read are refused", async () => {
    const writer = await ready("open");
    const known = { [SECRET]: { username: KAFKA_USER.username, password: KAFKA_USER.password } };
    await setting.secrets(known, 0o644);
    const SourceAccessConfigurations = [{ Type: "BASIC_AUTH" as const, URI: SECRET }];
    await assert.rejects(
      setting.map(writer.name, from("open", { SourceAccessConfigurations }, kafka.saslServer)),
      {
        name: "InvalidParameterValueException",
        message: /may be read by others than its owner: chmod 600/,
      },
    );
    await setting.secrets({});
  });

  // Each has something of its own to read, and a function, and mostly waits.
  suite("of functions and of what is asked for", { concurrency: 8 }, () => {
    test("BisectBatchOnFunctionError and MaximumRetryAttempts: the poisoned record alone goes to the topic of OnFailure, with its key", async () => {
      const writer = await ready("bisected");
      await kafka.createTopic("dead");
      await writer.plan(THROW_ON_POISON);
      const sent = ["a", "b", "c", "poison", "d", "e"];
      await kafka.produce(
        "bisected",
        sent.map((value) => ({ key: `key-${value}`, value })),
      );
      const uuid = await setting.map(
        writer.name,
        from("bisected", {
          ...provisioned,
          BisectBatchOnFunctionError: true,
          MaximumRetryAttempts: 0,
          ...onFailure("kafka://dead"),
        }),
      );
      await hasCommitted(uuid, "bisected", 6);
      const [dead, ...more] = await kafka.read("dead");
      assert.deepEqual([dead?.key, more], ["key-poison", []]);
      const record = JSON.parse(dead?.value ?? "");
      assert.deepEqual(
        [record.version, record.requestContext.condition, record.requestContext.approximateInvokeCount],
        ["1.0", "RetriesExhausted", 1],
      );
      assert.deepEqual(record.responseContext, {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      });
      assert.equal(record.KafkaBatchInfo.batchSize, 1);
      assert.equal(record.KafkaBatchInfo.recordInfo.offset, "3");
      assert.deepEqual(valuesOf([record.payload]), [["poison"]]);
      const handled = valuesOf(await writer.events()).filter((batch) => !batch.includes("poison"));
      assert.deepEqual(
        handled.flat(),
        sent.filter((value) => value !== "poison"),
      );
    });

    test("ReportBatchItemFailures: only what was reported is retried, as often as MaximumRetryAttempts, then it goes to the bucket", async () => {
      const writer = await ready("reported");
      const s3 = new S3Client(setting.server.client());
      await s3.send(new CreateBucketCommand({ Bucket: "failed-records" }));
      await writer.plan(REPORT_POISON);
      await kafka.produce(
        "reported",
        ["a", "poison", "b"].map((value) => ({ value })),
      );
      const uuid = await setting.map(
        writer.name,
        from("reported", {
          ...provisioned,
          FunctionResponseTypes: ["ReportBatchItemFailures"],
          MaximumRetryAttempts: 1,
          MetricsConfig: { Metrics: ["ErrorCount"] },
          ...onFailure("arn:aws:s3:::failed-records"),
        }),
      );
      await hasCommitted(uuid, "reported", 3);
      assert.deepEqual(valuesOf(await writer.events()), [["a", "poison", "b"], ["poison"]]);
      const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
      assert.match(metrics, new RegExp(`^aws_lambda_provisioned_pollers\\{[^}]*"${uuid}"\\} 1$`, "m"));
      assert.match(metrics, new RegExp(`^aws_lambda_invoke_error_count_total\\{[^}]*"${uuid}"\\} 2$`, "m"));
      const Prefix = `aws/lambda/${uuid}/reported-0/`;
      const Key = await until("the record is in the bucket", async () => {
        const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "failed-records", Prefix }));
        return Contents?.[0]?.Key;
      });
      const object = await s3.send(new GetObjectCommand({ Bucket: "failed-records", Key }));
      const record = JSON.parse((await object.Body?.transformToString()) ?? "");
      assert.equal(record.requestContext.condition, "RetryAttemptsExhausted");
      assert.equal(record.requestContext.approximateInvokeCount, 2);
      assert.equal(record.KafkaBatchInfo.recordsInfo["reported-0"].firstRecordOffset, "1");
      assert.equal(record.KafkaBatchInfo.bootstrapServers, kafka.server);
      assert.deepEqual(valuesOf([JSON.parse(record.payload)]), [["poison"]]);
    });

    test("an answer that reports what was not in the batch fails the whole batch", async () => {
      const writer = await ready("misreported");
      await writer.plan(
        `return { batchItemFailures: [{ itemIdentifier: { partition: "other-0", offset: 0 } }] }`,
      );
      await kafka.produce("misreported", [{ value: "a" }, { value: "b" }]);
      const uuid = await setting.map(
        writer.name,
        from("misreported", {
          ...provisioned,
          FunctionResponseTypes: ["ReportBatchItemFailures"],
          MaximumRetryAttempts: 1,
        }),
      );
      await hasCommitted(uuid, "misreported", 2);
      assert.deepEqual(valuesOf(await writer.events()), [
        ["a", "b"],
        ["a", "b"],
      ]);
    });

    test("MaximumRecordAgeInSeconds: what is older is never handed over", async () => {
      const writer = await ready("aged");
      await kafka.produce("aged", [
        { value: "old", timestamp: BigInt(Date.now() - 120_000) },
        { value: "young" },
      ]);
      const uuid = await setting.map(
        writer.name,
        from("aged", { ...provisioned, MaximumRecordAgeInSeconds: 60 }),
      );
      await hasCommitted(uuid, "aged", 2);
      assert.deepEqual(valuesOf(await writer.events()), [["young"]]);
    });

    test("CreateEventSourceMapping refuses by name what is not done, and what AWS refuses without provisioned mode", async () => {
      const writer = await ready("refused");
      const refused = async (input: Input, name: string, message: RegExp) =>
        assert.rejects(setting.map(writer.name, from("refused", input)), { name, message });
      for (const [input, message] of [
        [{ SelfManagedKafkaEventSourceConfig: { ConsumptionMode: "Queue" } }, /ConsumptionMode Queue/],
        [
          { SelfManagedKafkaEventSourceConfig: { SchemaRegistryConfig: { SchemaRegistryURI: "https://r" } } },
          /SchemaRegistryConfig/,
        ],
        [{ ProvisionedPollerConfig: { PollerGroupName: "g" } }, /PollerGroupName/],
        [
          { SourceAccessConfigurations: [{ Type: "VPC_SUBNET", URI: "subnet:subnet-1" }] },
          /VPC_SUBNET.*no VPCs/,
        ],
        [{ SourceAccessConfigurations: [{ Type: "IAM_AUTH", URI: SECRET }] }, /IAM_AUTH/],
      ] as [Input, RegExp][])
        await refused(input, "NotImplemented", message);
      for (const [input, message] of [
        [{ BisectBatchOnFunctionError: true }, /BisectBatchOnFunctionError is only .* provisioned mode/],
        [{ MaximumRetryAttempts: 3 }, /MaximumRetryAttempts is only/],
        [{ MaximumRecordAgeInSeconds: 60 }, /MaximumRecordAgeInSeconds is only/],
        [{ FunctionResponseTypes: ["ReportBatchItemFailures"] }, /FunctionResponseTypes is only/],
        [onFailure("kafka://dead"), /kafka:\/\/ is only/],
        [{ ...provisioned, ...onFailure("kafka://refused") }, /is the topic that the mapping reads/],
        [
          { SourceAccessConfigurations: [{ Type: "VIRTUAL_HOST", URI: "/" }] },
          /VIRTUAL_HOST are not supported/,
        ],
        [
          { SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: "plain" }] },
          /must be the ARN of a secret/,
        ],
        [
          { SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: `${SECRET}-not` }] },
          /has no secret "arn:aws:secr/,
        ],
        [
          {
            SourceAccessConfigurations: [
              { Type: "BASIC_AUTH", URI: SECRET.replace("000000000000", "111111111111") },
            ],
          },
          /111111111111:secret:.* is not of account 000000000000/,
        ],
      ] as [Input, RegExp][])
        await refused(input, "InvalidParameterValueException", message);
    });

    test("signs in with SCRAM-SHA-512 and PLAIN, and trusts the authority that the mapping names; says what failed", async () => {
      const { username, password } = KAFKA_USER;
      const known = {
        [SECRET]: { username, password },
        [WRONG]: { username, password: "wrong" },
        [AUTHORITY]: { certificate: kafka.certificate },
      };
      const writer = await ready("signed");
      const access = (Type: string, URI: string) => ({ Type, URI });
      const map = (server: string, ...SourceAccessConfigurations: { Type: string; URI: string }[]) =>
        setting.map(writer.name, from("signed", { SourceAccessConfigurations } as Input, server));
      await setting.secrets(known);
      await kafka.produce("signed", [{ value: "secret" }]);
      const works = async (uuid: string) => {
        await hasCommitted(uuid, "signed", 1);
        await setting.unmap(uuid);
        await until("it is gone", () =>
          setting.mapping(uuid).then(
            () => false,
            () => true,
          ),
        );
      };
      await works(await map(kafka.saslServer, access("SASL_SCRAM_512_AUTH", SECRET)));
      await works(await map(kafka.saslServer, access("BASIC_AUTH", SECRET)));
      await works(
        await map(
          kafka.tlsServer,
          access("SASL_SCRAM_512_AUTH", SECRET),
          access("SERVER_ROOT_CA_CERTIFICATE", AUTHORITY),
        ),
      );
      const wrong = await map(kafka.saslServer, access("SASL_SCRAM_512_AUTH", WRONG));
      await tells(wrong, /^PROBLEM: SASL authentication failed\.$/);
      await setting.lambda.send(
        new UpdateEventSourceMappingCommand({
          UUID: wrong,
          SourceAccessConfigurations: [{ Type: "SASL_SCRAM_512_AUTH", URI: SECRET }],
        }),
      );
      await hasCommitted(wrong, "signed", 1);
      await setting.unmap(wrong);
      await setting.brokers({ [kafka.tlsServer]: { tls: true } });
      const untrusting = await map(kafka.tlsServer, access("SASL_SCRAM_512_AUTH", SECRET));
      await tells(untrusting, /^PROBLEM: Lambda failed to authenticate server\.$/);
      await setting.brokers({ [kafka.tlsServer]: { tls: true, ca: kafka.certificate } });
      await hasCommitted(untrusting, "signed", 1);
      await setting.unmap(untrusting);
    });
  });

  test("kill -9 of the server: nothing is skipped, at most the batch in flight comes again; so it is with one of the broker", async () => {
    await kafka.createTopic("crashed", 2);
    const folder = await mkdtemp(join(tmpdir(), "lambent-brokers-"));
    await writeFile(join(folder, "brokers.json"), "{}");
    await writeFile(join(folder, "secrets.json"), "{}", { mode: 0o600 });
    const flags = ["--port", "0", "--data-dir", join(folder, "data"), "--sandbox", "process"];
    const files = ["--brokers", join(folder, "brokers.json"), "--secrets", join(folder, "secrets.json")];
    let server = await spawnServer([...flags, ...files]);
    try {
      const here = await settleBrokers(server.endpoint, folder);
      const writer = await here.writer("crashing");
      await writer.plan("await new Promise((done) => setTimeout(done, 20));");
      const uuid = await here.map(
        writer.name,
        from("crashed", { BatchSize: 5, MaximumBatchingWindowInSeconds: 0 }),
      );
      const sent = Array.from({ length: 200 }, (_, index) => `value-${index}`);
      await kafka.produce(
        "crashed",
        sent.map((value, index) => ({ value, partition: index % 2 })),
      );
      const values = async () => valuesOf(await writer.events()).flat();
      await until("some came", async () => (await values()).length >= 40);
      await server.kill();
      const before = (await values()).length;
      server = await spawnServer([...flags, ...files]);
      await until("more came", async () => (await values()).length >= before + 40);
      await kafka.down();
      const there = await settleBrokers(server.endpoint, folder);
      await until("the mapping tells", async () =>
        (await there.mapping(uuid)).LastProcessingResult?.startsWith("PROBLEM: Connection error."),
      );
      await kafka.up();
      await until("all came", async () => new Set(await values()).size === sent.length);
      await until("OK", async () => (await there.mapping(uuid)).LastProcessingResult === "OK");
      const all = await values();
      assert.ok(all.length <= sent.length + 3 * 5, `${all.length} of ${sent.length} were handed over`);
      for (const partition of [0, 1]) {
        const own = [...new Set(all)].filter((value) => Number(value.slice(6)) % 2 === partition);
        assert.deepEqual(
          own,
          sent.filter((_, index) => index % 2 === partition),
        );
      }
    } finally {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
