/** IAM, STS and CloudWatch Logs by the AWS CLI, whose wire code is not the SDK's. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startServer } from "../harness/server.ts";

const run = promisify(execFile);
const CLI = [
  "/usr/bin/aws",
  ...(process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "aws")),
].find((file) => existsSync(file));
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com", AWS: "000000000000" },
      Action: "sts:AssumeRole",
    },
  ],
});

test(
  "the AWS CLI makes a role, assumes it, and writes and filters logs",
  { skip: CLI === undefined ? "no AWS CLI on this machine: apt-get install awscli" : false },
  async () => {
    const server = await startServer();
    const aws = async (...words: string[]): Promise<Record<string, Record<string, unknown> | undefined>> => {
      const { stdout } = await run(
        CLI ?? "",
        [...words, "--endpoint-url", server.endpoint, "--output", "json"],
        {
          env: {
            PATH: process.env["PATH"],
            AWS_ACCESS_KEY_ID: "test",
            AWS_SECRET_ACCESS_KEY: "test",
            AWS_DEFAULT_REGION: "us-east-1",
            AWS_PAGER: "",
          },
        },
      );
      return stdout === "" ? {} : (JSON.parse(stdout) as Record<string, Record<string, unknown>>);
    };
    try {
      const identities = async () => {
        const made = await aws(
          "iam",
          "create-role",
          "--role-name",
          "cli",
          "--assume-role-policy-document",
          TRUST,
        );
        assert.deepEqual(made["Role"]?.["AssumeRolePolicyDocument"], JSON.parse(TRUST));
        const arn = "arn:aws:iam::000000000000:role/cli";
        const assumed = await aws("sts", "assume-role", "--role-arn", arn, "--role-session-name", "by-cli");
        assert.equal(
          assumed["AssumedRoleUser"]?.["Arn"],
          "arn:aws:sts::000000000000:assumed-role/cli/by-cli",
        );
        await assert.rejects(
          aws("iam", "get-role", "--role-name", "ghost"),
          /\(NoSuchEntity\) when calling the GetRole operation: The role with name ghost cannot be found\./,
        );
      };
      const events = async () => {
        const stream = ["--log-group-name", "cli", "--log-stream-name", "s"];
        await aws("logs", "create-log-group", "--log-group-name", "cli");
        await aws("logs", "create-log-stream", ...stream);
        await aws(
          "logs",
          "put-log-events",
          ...stream,
          "--log-events",
          `timestamp=${Date.now()},message=hello`,
        );
        const pattern = ["--filter-pattern", "hello"];
        const found = await aws("logs", "filter-log-events", "--log-group-name", "cli", ...pattern);
        assert.equal(found["events"]?.["length"], 1);
      };
      await Promise.all([identities(), events()]);
    } finally {
      await server.stop();
    }
  },
);
