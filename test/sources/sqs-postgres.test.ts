/** Queue mappings on PostgreSQL, with two servers on one database: one of them reads, whoever is asked, and another one when that has gone. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { startServer } from "../harness/server.ts";
import { queues, startSources, until } from "./queue-setting.ts";

test(
  "one of two servers reads a queue; either takes changes; the other goes on when it stops",
  { skip: postgresMissing() ?? false },
  async () => {
    const postgres = await startPostgres();
    const folder = await mkdtemp(join(tmpdir(), "lambent-shared-"));
    await chmod(folder, 0o777);
    const config = { databaseUrl: await postgres.newDatabase(), localCode: folder };
    const one = await startSources(config);
    const two = await startServer({ ...config, sandbox: "process", logLevel: "error" });
    try {
      // Its code stays where it is, so that both servers can run it.
      await writeFile(join(folder, "index.mjs"), one.source("note(event.Records.map(({ body }) => body));"));
      const Code = { S3Bucket: "lambent-local", S3Key: folder };
      const name = await one.create("", { Code, Role: one.readerRole, Timeout: 1 });
      const queue = await one.queue("shared", { VisibilityTimeout: "20" });
      const uuid = await one.map(name, queue);
      const { send } = queues(new SQSClient(two.client()));
      const handled = (count: number) => one.noted<string[]>(name, (notes) => notes.flat().length >= count);
      const numbers = (from: number) => Array.from({ length: 20 }, (_, at) => String(from + at));
      await send(queue, numbers(0));
      await handled(20);

      const lambda = new LambdaClient(two.client());
      const reaches = (State: string) =>
        until(
          async () => (await lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }))).State === State,
        );
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: false }));
      await reaches("Disabled");
      await send(queue, numbers(20));
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: true, BatchSize: 3 }));
      await reaches("Enabled");
      const batches = await handled(40);
      assert.ok(batches.filter((batch) => Number(batch[0]) >= 20).every(({ length }) => length <= 3));

      await one.server.stop();
      await send(queue, numbers(40));
      const all = (await handled(60)).flat();
      assert.deepEqual(
        all.toSorted((a, b) => Number(a) - Number(b)),
        [...numbers(0), ...numbers(20), ...numbers(40)],
      );
      await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
      await assert.rejects(reaches("gone"), { name: "ResourceNotFoundException" });
    } finally {
      await two.stop();
      await one.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
