/** A function in Go with the real aws-lambda-go, as AWS documents it: a binary called bootstrap on provided.al2023. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { buildImage } from "../harness/image.ts";
import { QUICK_GO } from "../harness/quick-go.ts";
import { startRegistry } from "../harness/registry.ts";
import { zipOf } from "../harness/zip.ts";
import { runcMissing } from "../sandbox/harness.ts";
import { createImage } from "./image-setting.ts";
import { ACCOUNT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const AWS_LAMBDA_GO = "v1.49.0";
const MAIN = `package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type Event struct {
	Do   string \`json:"do"\`
	Name string \`json:"name"\`
}

type Answer struct {
	Greeting  string  \`json:"greeting"\`
	Request   string  \`json:"request"\`
	Arn       string  \`json:"arn"\`
	Client    string  \`json:"client"\`
	Remaining float64 \`json:"remaining"\`
	Trace     string  \`json:"trace"\`
	Opt       bool    \`json:"opt"\`
}

type NotFound struct{ What string }

func (e NotFound) Error() string { return "there is no " + e.What }

func handle(ctx context.Context, event Event) (Answer, error) {
	fmt.Println("doing", event.Do)
	switch event.Do {
	case "fail":
		return Answer{}, errors.New("it failed")
	case "miss":
		return Answer{}, NotFound{event.Name}
	case "panic":
		panic("no way on")
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Minute)
	}
	known, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	_, missing := os.Stat("/opt/data")
	return Answer{
		Greeting:  "Hello, " + event.Name,
		Request:   known.AwsRequestID,
		Arn:       known.InvokedFunctionArn,
		Client:    known.ClientContext.Custom["from"],
		Remaining: time.Until(deadline).Seconds(),
		Trace:     fmt.Sprint(ctx.Value("x-amzn-trace-id")),
		Opt:       missing == nil,
	}, nil
}

func main() { lambda.Start(handle) }
`;

const run = promisify(execFile);
const missing =
  spawnSync("go", ["version"]).status === 0
    ? undefined
    : "there is no Go on this machine; install it for this test";
if (missing !== undefined) console.log(`# SKIPPED a function in Go: ${missing}`);

/** The program of the function, built for this machine. */
async function build(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-go-"));
  try {
    await writeFile(join(folder, "main.go"), MAIN);
    const options = { cwd: folder, env: { ...process.env, CGO_ENABLED: "0", ...QUICK_GO } };
    await run("go", ["mod", "init", "example.com/function"], options);
    await run("go", ["get", `github.com/aws/aws-lambda-go@${AWS_LAMBDA_GO}`], options);
    await run("go", ["build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", "bootstrap", "."], options);
    return await readFile(join(folder, "bootstrap"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("a function in Go", { skip: missing }, () => {
  let setting: Setting;
  let name: string;
  let program: Uint8Array;
  before(async () => {
    setting = await startSetting();
    program = await build();
    const ZipFile = await zipOf({ bootstrap: program });
    const code = { Runtime: "provided.al2023", Handler: "bootstrap", Code: { ZipFile } } as const;
    name = await setting.create("", { ...code, Timeout: 2 });
  });
  after(async () => setting?.server.stop());

  const failing = async (Do: string) => {
    const { value, error, log } = await setting.invoke(name, { do: Do, name: "key" }, { LogType: "Tail" });
    assert.equal(error, "Unhandled");
    return { document: value as { errorType: string; errorMessage: string; stackTrace?: unknown[] }, log };
  };

  test("answers, with its context", async () => {
    const ClientContext = Buffer.from(JSON.stringify({ custom: { from: "the client" } })).toString("base64");
    const { value, error, log } = await setting.invoke(
      name,
      { do: "greet", name: "Ü" },
      { LogType: "Tail", ClientContext },
    );
    assert.equal(error, undefined, JSON.stringify(value));
    const { request, remaining, trace, ...rest } = value as Record<string, string>;
    assert.deepEqual(rest, {
      greeting: "Hello, Ü",
      arn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`,
      client: "the client",
      opt: false,
    });
    assert.ok(Number(remaining) > 0 && Number(remaining) <= 2);
    assert.match(trace ?? "", /^Root=1-/);
    assert.match(
      log,
      new RegExp(`START RequestId: ${request} .*\\ndoing greet\\nEND RequestId: ${request}\\n`),
    );
  });

  test(
    "answers the same out of an image that holds nothing but the program",
    { skip: runcMissing ?? false },
    async () => {
      const registry = await startRegistry();
      try {
        const files = { main: { file: program, mode: 0o755 } };
        const image = buildImage({ layers: [{ files }], config: { Entrypoint: ["/main"] } });
        const imaged = await createImage(setting, registry.put("team/go", "v1", image));
        const { value, error } = await setting.invoke(imaged, { do: "greet", name: "image" });
        assert.equal(error, undefined, JSON.stringify(value));
        assert.equal((value as { greeting: string }).greeting, "Hello, image");
      } finally {
        await registry.close();
      }
    },
  );

  test("answers its errors under the names of their types", async () => {
    assert.deepEqual((await failing("fail")).document, {
      errorMessage: "it failed",
      errorType: "errorString",
    });
    assert.deepEqual((await failing("miss")).document, {
      errorMessage: "there is no key",
      errorType: "NotFound",
    });
  });

  test("a panic is answered with its stack, and ends the process; the next call finds another", async () => {
    const { document } = await failing("panic");
    assert.equal(document.errorMessage, "no way on");
    assert.ok((document.stackTrace?.length ?? 0) > 0);
    assert.equal((await setting.invoke(name, { name: "again" })).error, undefined);
  });

  test("an exit and a timeout end as on AWS", async () => {
    const exit = await failing("exit");
    assert.equal(exit.document.errorType, "Runtime.ExitError");
    assert.match(exit.document.errorMessage, /Runtime exited with error: exit status 3$/);
    const late = await failing("sleep");
    assert.equal(late.document.errorType, "Sandbox.Timedout");
    assert.match(late.document.errorMessage, /Task timed out after 2\.00 seconds$/);
  });
});
