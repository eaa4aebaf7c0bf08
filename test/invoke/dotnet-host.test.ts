/** .NET as hosts have it, found or missed without any here: installations of folders alone, and the script that starts functions. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  CreateFunctionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { createRuntimes } from "../../src/invoke/index.ts";
import { findDotnets } from "../../src/invoke/runtimes/dotnet-homes.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { WAIT, startSetting } from "../conformance/lambda-setting.ts";
import { zipOf } from "../harness/zip.ts";

const SCRIPT = fileURLToPath(new URL("../../runtimes/dotnet/bootstrap", import.meta.url));
const LIBRARY = "Assembly::Namespace.Type::Method";

const folder = await mkdtemp(join(tmpdir(), "lambent-dotnet-host-"));
after(() => rm(folder, { recursive: true }));

/** Puts an installation in front of the path, for the rest of this file; there is one in it that says what it is to do. */
async function installation(name: string, ...files: readonly string[]): Promise<string> {
  const root = join(folder, name);
  for (const file of [...files, "host/fxr/any/libhostfxr.so"]) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), "");
  }
  await writeFile(join(root, "dotnet"), '#!/bin/sh\nprintf "%s\\n" dotnet "$@"\n', { mode: 0o755 });
  process.env["PATH"] = `${root}${delimiter}${process.env["PATH"]}`;
  return root;
}

const freshRuntimes = () => createRuntimes({ cacheDir: join(folder, "runtimes"), log: createLog("error") });

test("a .NET that is not here is refused by name, with what to install", async (t) => {
  const runtimes = freshRuntimes();
  for (const [identifier, major] of [
    ["dotnet8", 8],
    ["dotnet10", 10],
  ] as const) {
    const found = await runtimes.find(identifier, LIBRARY);
    if ((await findDotnets()).byMajor.has(major)) {
      t.diagnostic(`SKIPPED the refusal of ${identifier}, which is here`);
      continue;
    }
    assert.ok(found.status === "refused");
    assert.match(
      found.reason,
      new RegExp(
        `^The runtime ${identifier} is not on this machine: install \\.NET ${major} \\(apt-get install dotnet-sdk-${major}\\.0`,
      ),
    );
    await assert.rejects(runtimes.install(identifier), { name: "RuntimeUnavailable", message: found.reason });
  }
});

test("the newest release of a version is taken, with its ASP.NET Core, and no preview, and no other version", async (t) => {
  const before = (await findDotnets()).compiler;
  const root = await installation(
    "runtime-only",
    "shared/Microsoft.NETCore.App/8.0.9/System.Private.CoreLib.dll",
    "shared/Microsoft.NETCore.App/8.0.17/System.Private.CoreLib.dll",
    "shared/Microsoft.NETCore.App/8.0.100-preview.1/System.Private.CoreLib.dll",
    "shared/Microsoft.NETCore.App/9.0.1/System.Private.CoreLib.dll",
    "shared/Microsoft.AspNetCore.App/8.0.16/Microsoft.AspNetCore.dll",
  );
  const home = (await findDotnets()).byMajor.get(8);
  assert.deepEqual(
    [home?.version, home?.root, home?.frameworks],
    ["8.0.17", root, ["shared/Microsoft.NETCore.App/8.0.17", "shared/Microsoft.AspNetCore.App/8.0.16"]],
  );
  const runtimes = freshRuntimes();
  const found = await runtimes.find("dotnet8");
  assert.ok(found.status === "ready");
  assert.deepEqual([found.listing.version, found.listing.detail], ["8.0.17", root]);

  const runtime = await runtimes.install("dotnet8", "Program");
  assert.deepEqual(
    [runtime.kind, runtime.channel, runtime.version, runtime.command(128)],
    ["dotnet", "http", "8.0.17", ["/var/runtime/bootstrap", "/var/lang/bin/dotnet"]],
  );
  assert.deepEqual(
    runtime.languageMounts.map(({ target }) => target),
    [
      "/var/lang/bin/dotnet",
      "/var/lang/bin/host",
      "/var/lang/bin/shared/Microsoft.NETCore.App/8.0.17",
      "/var/lang/bin/shared/Microsoft.AspNetCore.App/8.0.16",
    ],
  );
  if (before) return t.diagnostic("SKIPPED class libraries without an SDK: there is one");
  const refused = await runtimes.find("dotnet8", LIBRARY);
  assert.ok(refused.status === "refused");
  assert.match(
    refused.reason,
    /^The handler names a class library, .* the runtime dotnet8 needs the \.NET SDK/,
  );
  assert.match(refused.reason, /has \.NET 8\.0\.17 without one: install an SDK of any version/);
  await assert.rejects(runtimes.install("dotnet8", LIBRARY), { name: "RuntimeUnavailable" });

  await installation(
    "with-sdk",
    "shared/Microsoft.NETCore.App/8.0.17/System.Private.CoreLib.dll",
    "sdk/9.0.300/Roslyn/bincore/csc.dll",
    "sdk/8.0.400/Roslyn/bincore/csc.dll",
  );
  const compiler = (await findDotnets()).compiler?.assembly;
  assert.equal(compiler, join(folder, "with-sdk/sdk/9.0.300/Roslyn/bincore/csc.dll"));
  assert.equal((await freshRuntimes().find("dotnet8", LIBRARY)).status, "ready");
});

test("CreateFunction and UpdateFunctionConfiguration refuse a class library where there is no SDK, and take an executable", async (t) => {
  const setting = await startSetting({
    sandbox: "process",
    runtimesDir: join(folder, "front"),
  });
  const { server, lambda, role } = setting;
  t.after(() => server.stop());
  process.env["PATH"] = `${join(folder, "runtime-only")}${delimiter}${process.env["PATH"]}`;
  if ((await findDotnets()).compiler?.assembly.startsWith(folder) === false)
    return t.diagnostic("SKIPPED: there is an SDK");
  // As native AOT would make one: it speaks the Runtime API by itself.
  const native = `#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  id=$(curl -sS -D - -o /dev/null "$API/next" | tr -d '\\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
  curl -sS -o /dev/null -d "\\"$AWS_EXECUTION_ENV $DOTNET_VERSION\\"" "$API/$id/response"
done
`;
  const ZipFile = await zipOf({ bootstrap: native });
  const input = { FunctionName: "f", Runtime: "dotnet8", Role: role, Code: { ZipFile } } as const;
  const refused = { name: "InvalidParameterValueException", message: /^The handler names a class library/ };
  await assert.rejects(lambda.send(new CreateFunctionCommand({ ...input, Handler: LIBRARY })), refused);
  await lambda.send(new CreateFunctionCommand({ ...input, Handler: "bootstrap" }));
  const change = new UpdateFunctionConfigurationCommand({
    FunctionName: "f",
    Runtime: "dotnet8",
    Handler: LIBRARY,
  });
  await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName: "f" });
  await assert.rejects(lambda.send(change), refused);
  const { value } = await setting.invoke("f");
  assert.equal(value, "AWS_Lambda_dotnet8 8.0.17");
});

interface Started {
  readonly words: readonly string[];
  readonly code: number;
}

/** What the script starts, as a dotnet program that only says what it is given tells. */
async function started(
  handler: string,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const task = await mkdtemp(join(folder, "task-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(task, name), text);
  const dotnet = join(folder, "saying/dotnet");
  const replaced = Object.entries(variables).map(([name, value]) => [name, value.replace("TASK", task)]);
  const env = {
    PATH: "/usr/bin:/bin",
    LAMBDA_TASK_ROOT: task,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    _HANDLER: handler,
    ...Object.fromEntries(replaced),
  };
  for (const name of Object.keys(files)) await chmod(join(task, name), files[name] === "" ? 0o644 : 0o755);
  return new Promise((resolve) =>
    execFile(SCRIPT, [dotnet], { env }, (error, stdout) =>
      resolve({
        words: stdout.trimEnd().replaceAll(`${task}/`, "").split("\n"),
        code: Number(error?.code ?? 0),
      }),
    ),
  );
}

test("the script starts class libraries with their own descriptions, and executables as they are", async () => {
  await installation("saying");
  const library = (name: string, description = name) => [
    "dotnet",
    "exec",
    "--depsfile",
    `${description}.deps.json`,
    "--runtimeconfig",
    `${description}.runtimeconfig.json`,
    "/var/runtime/LambentBootstrap.dll",
    `${name}::T::M`,
  ];
  const own = { "A.deps.json": "", "A.runtimeconfig.json": "" };
  const other = { "B.deps.json": "", "B.runtimeconfig.json": "" };
  assert.deepEqual((await started("A::T::M", { ...own, ...other })).words, library("A"));
  // The only ones that are there.
  assert.deepEqual((await started("A::T::M", other)).words, library("A", "B"));
  assert.deepEqual(
    (await started("A::T::M", { ...own, ...other }, { LAMBDA_DOTNET_MAIN_ASSEMBLY: "B.dll" })).words,
    library("A", "B"),
  );
  for (const name of ["Program", "Program.dll"])
    assert.deepEqual((await started(name, { "Program.dll": "" })).words, ["dotnet", "exec", "Program.dll"]);
  assert.deepEqual((await started("native", { native: "#!/bin/sh\necho itself $#\n" })).words, ["itself 0"]);
});

test("what cannot be started ends with AWS's exit statuses and says why", async () => {
  for (const [handler, files, code, said] of [
    ["", {}, 103, /^Error: the function has no handler/],
    ["Program", { "Other.dll": "" }, 104, /^Error: the handler Program names an executable/],
    ["A::T::M", {}, 105, /^Error: the function's code has no A\.deps\.json/],
    ["A::T::M", { "B.deps.json": "", "C.deps.json": "" }, 105, /has no A\.deps\.json/],
    ["A::T::M", { "A.deps.json": "" }, 106, /has no A\.runtimeconfig\.json/],
  ] as const) {
    const { words, code: ended } = await started(handler, files);
    assert.equal(ended, code, handler);
    assert.match(words[0] ?? "", said);
  }
  const program = { "Program.dll": "" };
  const wrapper = { AWS_LAMBDA_EXEC_WRAPPER: "TASK/wrapper" };
  assert.equal((await started("Program", program, wrapper)).code, 127);
  assert.equal((await started("Program", { ...program, wrapper: "" }, wrapper)).code, 126);
  const wrapped = { ...program, wrapper: '#!/bin/sh\necho wrapped "$2"\n' };
  assert.deepEqual((await started("Program", wrapped, wrapper)).words, ["wrapped exec"]);
});
