/** The AWS CLI and boto3 against a test's server. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestServer } from "./server.ts";

const run = promisify(execFile);

/** Runs a program that knows no other server than this one; answers what it printed. */
export async function runClient(
  server: Pick<TestServer, "endpoint" | "dataDir">,
  program: string,
  parameters: readonly string[],
): Promise<string> {
  const { stdout } = await run(program, parameters, {
    env: {
      PATH: process.env["PATH"],
      HOME: server.dataDir,
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "000000000000",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_PAGER: "",
    },
  });
  return stdout;
}

/** Why a program cannot be run here; false when it can. To be given to `skip`. */
export async function missingClient(program: string, parameters: readonly string[]): Promise<string | false> {
  try {
    await run(program, parameters);
    return false;
  } catch {
    return `${program} ${parameters.join(" ")} does not run here; install Debian's awscli and python3-boto3`;
  }
}
