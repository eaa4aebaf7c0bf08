/** An image with AWS's own runtime interface client for Python (awslambdaric), out of Docker's own registry. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AttachRolePolicyCommand } from "@aws-sdk/client-iam";
import { dockerRegistryMissing, startDockerRegistry } from "../harness/docker-registry.ts";
import type { DockerRegistry } from "../harness/docker-registry.ts";
import { buildImage } from "../harness/image.ts";
import type { Files } from "../harness/image.ts";
import { createImage, imagesMissing } from "./image-setting.ts";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const CLIENT = "awslambdaric==4.2.2";
const PYTHON = "/usr/bin/python3";
const HANDLER = `
import logging, os, awslambdaric
def handler(event, context):
    print("run by", os.environ["AWS_EXECUTION_ENV"])
    if event.get("lines"):
        logging.getLogger().error("one\\ntwo")
        print("three\\nfour")
    if event.get("fail"):
        raise KeyError(event["fail"])
    return {"event": event, "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis() > 0,
            "id": context.aws_request_id, "client": awslambdaric.__version__, "root": os.environ["LAMBDA_TASK_ROOT"], "uid": os.getuid()}
`;

const folder = await mkdtemp(join(tmpdir(), "lambent-ric-"));
const missing = imagesMissing ?? dockerRegistryMissing() ?? installClient();
if (missing) console.log(`# SKIPPED an image with awslambdaric: ${missing}`);

describe("an image with awslambdaric from docker-registry", { skip: missing ?? false }, () => {
  let setting: Setting;
  let registry: DockerRegistry;
  let name: string;
  let logs: CloudWatchLogsClient;
  before(async () => {
    [registry, setting] = await Promise.all([startDockerRegistry(), startSetting()]);
    const image = buildImage({
      layers: [
        { files: pythonFiles() },
        { files: folderFiles(folder, "var/task") },
        { files: { "var/task/app.py": HANDLER } },
      ],
      config: {
        Entrypoint: [realpathSync(PYTHON), "-m", "awslambdaric"],
        Cmd: ["app.handler"],
        WorkingDir: "/var/task",
      },
    });
    const uri = await registry.push("team/python", "v1", image);
    name = await createImage(setting, uri, { MemorySize: 512 });
    logs = new CloudWatchLogsClient(setting.server.client());
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await setting.iam.send(new AttachRolePolicyCommand({ RoleName: "execution", PolicyArn }));
  });
  after(async () => {
    await setting?.server.stop();
    await registry?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("Invoke answers by the real client, with its context, and logs what it prints", async () => {
    const { value, error, log } = await setting.invoke(name, { a: 1 }, { LogType: "Tail" });
    assert.equal(error, undefined, `${JSON.stringify(value)}\n${log}`);
    const { id, ...rest } = value as { id: string };
    assert.deepEqual(rest, {
      event: { a: 1 },
      arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      left: true,
      client: CLIENT.split("==")[1],
      root: "/var/task",
      uid: 993,
    });
    assert.match(log, /run by AWS_Lambda_Image\n/);
    assert.match(log, new RegExp(`START RequestId: ${id} .*\\nrun by .*\\nEND RequestId: ${id}\\n`));
  });

  test("a record of several lines is one event, what is printed one a line, in the order of both", async () => {
    await setting.invoke(name, { lines: true });
    const read = async () => {
      const asked = logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }));
      // The group is made with the first lines.
      const { events = [] } = await asked.catch((error: Error) => {
        if (error.name === "ResourceNotFoundException") return { events: [] };
        throw error;
      });
      return events;
    };
    let said: string[] = [];
    while (!said.includes("four\n")) {
      said = (await read()).map(({ message = "" }) => message);
      await sleep(50);
    }
    const [record = "", ...rest] = said.slice(said.findIndex((message) => message.startsWith("[ERROR]")));
    assert.match(record, /^\[ERROR\]\t\S+Z\t\S+\tone\ntwo\n$/);
    assert.deepEqual(rest.slice(0, 2), ["three\n", "four\n"]);
  });

  test("a handler's error is the client's own document", async () => {
    const { value, error } = await setting.invoke(name, { fail: "key" });
    assert.equal(error, "Unhandled");
    const { errorType, errorMessage } = value as { errorType: string; errorMessage: string };
    assert.deepEqual([errorType, errorMessage], ["KeyError", "'key'"]);
  });
});

/** Into the folder; why not. */
function installClient(): string | undefined {
  const found = spawnSync(PYTHON, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
    encoding: "utf8",
  });
  if (found.status !== 0) return `there is no ${PYTHON}`;
  const wanted = [
    "--python-version",
    found.stdout.trim(),
    "--implementation",
    "cp",
    "--only-binary",
    ":all:",
  ];
  const options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", folder, ...wanted];
  const done = spawnSync("python3", ["-m", "pip", "install", ...options, CLIENT], { encoding: "utf8" });
  return done.status === 0
    ? undefined
    : `pip cannot install ${CLIENT}: ${done.stderr?.trim().split("\n").at(-1)}`;
}

/** The machine's Python with its library, without what no function wants. */
function pythonFiles(): Files {
  const program = realpathSync(PYTHON);
  const library = `/usr/lib/${basename(program)}`;
  const files: Record<string, Files[string]> = { "usr/bin/": { folder: true }, "lib/": { folder: true } };
  const add = (path: string, source: string) =>
    (files[path.slice(1)] = { file: readFileSync(source), mode: statSync(source).mode & 0o777 });
  add(program, program);
  const extensions = [join(library, "lib-dynload"), folder].flatMap((each) =>
    readdirSync(each)
      .filter((name) => name.endsWith(".so"))
      .map((name) => join(each, name)),
  );
  for (const one of [program, ...extensions])
    for (const [, path = ""] of execFileSync("ldd", [one], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g))
      add(path, path);
  return {
    ...files,
    ...folderFiles(
      library,
      library.slice(1),
      /^(test|idlelib|tkinter|ensurepip|lib2to3|__pycache__|config-.*)$/,
    ),
  };
}

/** All files below a folder of this machine. */
function folderFiles(source: string, target: string, without = /^__pycache__$/): Files {
  const files: Record<string, Files[string]> = { [`${target}/`]: { folder: true } };
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    if (without.test(entry.name)) continue;
    const path = join(source, entry.name);
    if (statSync(path).isDirectory())
      Object.assign(files, folderFiles(path, `${target}/${entry.name}`, without));
    else files[`${target}/${entry.name}`] = { file: readFileSync(path), mode: statSync(path).mode & 0o777 };
  }
  return files;
}
