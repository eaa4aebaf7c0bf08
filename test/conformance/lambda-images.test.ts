/** Functions that are container images: how they are made, what they find, and how they are changed and deleted. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { buildImage } from "../harness/image.ts";
import { startRegistry } from "../harness/registry.ts";
import type { TestRegistry } from "../harness/registry.ts";
import { zipOf } from "../harness/zip.ts";
import { createImage, imagesMissing, shellImage } from "./image-setting.ts";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

describe("functions that are container images", { skip: imagesMissing ?? false }, () => {
  let setting: Setting;
  let registry: TestRegistry;

  before(async () => {
    [registry, setting] = await Promise.all([startRegistry(), startSetting()]);
  });
  after(async () => {
    await setting?.server.stop();
    await registry?.close();
  });

  const lines = (value: unknown) => String(value).split("\n").filter(Boolean);
  /** Prints what the rest prints as a text of JSON. */
  const asText = (script: string) =>
    `{ ${script}; } >/tmp/out 2>&1; printf '"%s"' "$(sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g' /tmp/out | tr '\\n' '|' | sed 's/|/\\\\n/g')"`;

  test("CreateFunction and GetFunction with an image: what is told of it, and the digest that its tag led to", async () => {
    const image = shellImage(`cat`);
    const uri = registry.put("team/told", "v1", image);
    const FunctionName = await createImage(setting, uri);
    const { Configuration, Code } = await setting.lambda.send(new GetFunctionCommand({ FunctionName }));
    const { digest } = image.manifest;
    assert.equal(Configuration?.PackageType, "Image");
    assert.equal(Configuration?.CodeSha256, digest.slice("sha256:".length));
    assert.equal(Configuration?.CodeSize, 0);
    for (const member of ["Runtime", "Handler", "Layers", "ImageConfigResponse"] as const)
      assert.equal(Configuration?.[member], undefined);
    assert.deepEqual(Code, {
      RepositoryType: "ECR",
      ImageUri: uri,
      ResolvedImageUri: `${registry.host}/team/told@${digest}`,
    });
    assert.deepEqual((await setting.invoke(FunctionName, { hello: [1] })).value, { hello: [1] });
    const { Functions } = await setting.lambda.send(new ListFunctionsCommand({}));
    assert.equal(Functions?.find((one) => one.FunctionName === FunctionName)?.PackageType, "Image");
  });

  test("Invoke of an image: its variables, the function's and the platform's; its user, its folders, its own root", async () => {
    const script = asText(
      "env; echo user=$(id -u) pwd=$(pwd) args=$*; echo no >/written 2>/dev/null || echo read-only; ls /; ls -d /tmp/. /proc/self /dev/null; cat /etc/hosts",
    );
    const uri = registry.put(
      "team/inside",
      "v1",
      shellImage(script, {
        config: {
          Cmd: ["app.handler", "a b"],
          Env: ["PATH=/bin", "FROM_IMAGE=yes", "BOTH=image", "AWS_REGION=no"],
        },
      }),
    );
    const name = await createImage(setting, uri, { Environment: { Variables: { BOTH: "function" } } });
    const found = lines((await setting.invoke(name)).value);
    for (const line of [
      "PATH=/bin",
      "FROM_IMAGE=yes",
      "BOTH=function",
      "AWS_REGION=us-east-1",
      "AWS_EXECUTION_ENV=AWS_Lambda_Image",
      "LAMBDA_TASK_ROOT=/var/task",
      "LAMBDA_RUNTIME_DIR=/var/runtime",
      `AWS_LAMBDA_FUNCTION_NAME=${name}`,
      "TZ=:UTC",
      "user=993 pwd=/var/task args=app.handler a b",
      "read-only",
      "runtime",
      "/dev/null",
    ])
      assert.ok(found.includes(line), `${line} in\n${found.join("\n")}`);
    assert.ok(found.some((line) => line.startsWith("AWS_LAMBDA_RUNTIME_API=")));
    assert.ok(found.some((line) => line.includes("127.0.0.1")));
    assert.ok(!found.some((line) => /^(_HANDLER|LD_LIBRARY_PATH|_LAMBENT)/.test(line)));
    // Nothing of the host's is in it.
    for (const folder of ["usr", "home", "root", "lib"]) assert.ok(!found.includes(folder), folder);
  });

  test("Invoke of an image: its layers lie over one another, packed in every way, with whiteouts, links and modes", async () => {
    const layers = [
      {
        files: {
          "data/": { folder: true },
          "data/kept": "kept",
          "data/gone": "x",
          "data/replaced": "old",
          "gone-folder/": { folder: true },
          "gone-folder/file": "x",
          "emptied/": { folder: true },
          "emptied/old": "x",
          "remade/": { folder: true },
          "remade/old": "x",
          "was-file": "x",
          secret: { file: "x", mode: 0o600 },
          owned: { file: "x", uid: 993, mode: 0o600 },
          [`long/${"n".repeat(120)}`]: "long name",
          "dev/console": { type: "3" },
        },
        packing: "plain",
      },
      {
        files: {
          "data/.wh.gone": "",
          "data/replaced": "new",
          ".wh.gone-folder": "",
          "emptied/.wh..wh..opq": "",
          "emptied/new": "new",
          ".wh.remade": "",
          "remade/": { folder: true },
          "remade/new": "new",
          "was-file/": { folder: true },
          "was-file/inner": "inner",
          hard: { hardLink: "data/replaced" },
          soft: { link: "/data/kept" },
          outside: { link: "../../../../../../etc/passwd" },
          through: { link: "data" },
          "through/written": "through a link",
        },
        packing: "zstd",
      },
    ] as const;
    const script = asText(
      "ls /data /emptied /remade /was-file; cat /data/kept /data/replaced /hard /soft /long/n*; echo; cat /secret /outside /gone-folder/file /owned; stat -c %a%Y /secret",
    );
    for (const kind of ["oci", "docker"] as const) {
      const uri = registry.put("team/layers", kind, shellImage(script, { kind, layers }));
      const found = lines((await setting.invoke(await createImage(setting, uri))).value);
      assert.deepEqual(found, [
        "/data:",
        "kept",
        "replaced",
        "written",
        "/emptied:",
        "new",
        "/remade:",
        "new",
        "/was-file:",
        "inner",
        "keptnewnewkeptlong name",
        "cat: can't open '/secret': Permission denied",
        "cat: can't open '/outside': No such file or directory",
        "cat: can't open '/gone-folder/file': No such file or directory",
        "x6001700000000",
      ]);
    }
  });

  test("CreateFunction and UpdateFunctionConfiguration with ImageConfig: each override on its own, and taken back together", async () => {
    const script = `printf '"%s %s"' "$(pwd)" "$*"`;
    const image = shellImage(script, {
      config: { Cmd: ["own"] },
      files: {
        other: { file: `#!/bin/sh\nexec /runtime other "$@"\n`, mode: 0o755 },
        "work/": { folder: true },
      },
    });
    const name = await createImage(setting, registry.put("team/overrides", "v1", image), {
      ImageConfig: { Command: ["given", "two words"] },
    });
    const read = async () => {
      const told = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return [told.ImageConfigResponse?.ImageConfig, (await setting.invoke(name)).value];
    };
    const update = async (ImageConfig: object) => {
      await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ImageConfig }));
      await setting.updated(name);
    };
    assert.deepEqual(await read(), [{ Command: ["given", "two words"] }, "/var/task given two words"]);
    await update({ EntryPoint: ["/other"], WorkingDirectory: "/work" });
    assert.deepEqual(await read(), [
      { EntryPoint: ["/other"], WorkingDirectory: "/work" },
      "/work other own",
    ]);
    await setting.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, MemorySize: 256 }),
    );
    await setting.updated(name);
    assert.equal((await read())[1], "/work other own");
    await update({});
    assert.deepEqual(await read(), [undefined, "/var/task own"]);
  });

  test("UpdateFunctionCode and PublishVersion with images: the digest is pinned, and a version keeps its own", async () => {
    const first = shellImage(`echo 1`);
    const uri = registry.put("team/moving", "latest", first);
    const name = await createImage(setting, uri);
    registry.put("team/moving", "latest", shellImage(`echo 2`));
    assert.equal((await setting.invoke(name)).value, 1);
    const one = await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
    await setting.updated(name);
    await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: uri }));
    await setting.updated(name);
    assert.equal((await setting.invoke(name)).value, 2);
    const two = await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
    const again = await setting.lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: name,
        ImageUri: `${uri.replace(":latest", "")}@sha256:${two.CodeSha256}`,
      }),
    );
    await setting.updated(name);
    assert.equal(again.CodeSha256, two.CodeSha256);
    // Another name of the same image is nothing new to publish.
    const same = await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
    assert.deepEqual([one.Version, two.Version, same.Version], ["1", "2", "2"]);
    assert.equal((await setting.invoke(name, undefined, { Qualifier: "1" })).value, 1);
    const { Code } = await setting.lambda.send(
      new GetFunctionCommand({ FunctionName: name, Qualifier: "1" }),
    );
    assert.equal(Code?.ImageUri, uri);
    assert.ok(Code?.ResolvedImageUri?.endsWith(first.manifest.digest));
  });

  test("CreateFunction with an index: the image of the machine's architecture", async () => {
    const uri = registry.putIndex("team/index", "v1", {
      amd64: shellImage(`echo '"amd64"'`),
      arm64: shellImage(`echo '"arm64"'`),
    });
    const name = await createImage(setting, uri);
    assert.equal((await setting.invoke(name)).value, process.arch === "arm64" ? "arm64" : "amd64");
    const other = registry.putIndex("team/index", "other", { s390x: shellImage(`echo 1`) });
    await assert.rejects(createImage(setting, other), {
      name: "InvalidParameterValueException",
      message: /media type for the source image .* not supported.*it is for linux\/s390x/,
    });
  });

  test("DeleteFunction of images: layers are shared, fetched once, and gone with the last function that has them", async () => {
    const own = await startSetting();
    try {
      const layers = async () => (await readdir(join(own.server.dataDir, "images/layers"))).length;
      const shared = [{ files: { shared: `shared ${"x".repeat(1_000)}` } }];
      const [a, b] = ["a", "b"].map((name) => shellImage(`echo '"${name}"'`, { layers: shared }));
      assert.ok(a && b);
      const one = await createImage(own, registry.put("team/shared-a", "v1", a));
      assert.equal(await layers(), 3);
      registry.requests.length = 0;
      const two = await createImage(own, registry.put("team/shared-b", "v1", b));
      assert.equal(await layers(), 4);
      const fetched = registry.requests.filter((line) => line.includes("/blobs/"));
      // Its configuration and its own layer.
      assert.equal(fetched.length, 2, fetched.join("\n"));
      assert.equal((await own.invoke(one)).value, "a");
      await own.lambda.send(new DeleteFunctionCommand({ FunctionName: one }));
      await eventually(async () => assert.equal(await layers(), 3));
      assert.equal((await own.invoke(two)).value, "b");
      await own.lambda.send(new DeleteFunctionCommand({ FunctionName: two }));
      await eventually(async () => assert.equal(await layers(), 0));
      assert.deepEqual(await readdir(join(own.server.dataDir, "images/images")), []);
    } finally {
      await own.server.stop();
    }
  });

  test("an image that cannot be started fails in AWS's words, as does one that ends by itself", async () => {
    const cases: readonly [Parameters<typeof shellImage>[1] | undefined, string, RegExp][] = [
      [
        { config: { Entrypoint: ["/nowhere"] } },
        "Runtime.InvalidEntrypoint",
        /fork\/exec \/nowhere: no such file or directory$/,
      ],
      [
        { config: { Entrypoint: ["nowhere"] } },
        "Runtime.InvalidEntrypoint",
        /exec: "nowhere": executable file not found in \$PATH$/,
      ],
      [
        { config: { Entrypoint: ["/text"] }, files: { text: "no program" } },
        "Runtime.InvalidEntrypoint",
        /fork\/exec \/text: permission denied$/,
      ],
      [
        {
          config: { Entrypoint: ["/text"] },
          files: { text: { file: "no program, whatever its mode", mode: 0o755 } },
        },
        "Runtime.InvalidEntrypoint",
        /fork\/exec \/text: exec format error$/,
      ],
      [{ config: { Entrypoint: [], Cmd: [] } }, "Runtime.InvalidEntrypoint", /entrypoint/],
      [
        { config: { WorkingDir: "/nowhere" } },
        "Runtime.InvalidWorkingDir",
        /chdir \/nowhere: no such file or directory$/,
      ],
      [{ config: { Entrypoint: ["/bin/sh", "-c", "exit 7"] } }, "Runtime.ExitError", /exit status 7$/],
      [
        { config: { Entrypoint: ["/bin/sh", "-c", "exit 0"] } },
        "Runtime.ExitError",
        /without providing a reason$/,
      ],
    ];
    for (const [index, [more, errorType, message]] of cases.entries()) {
      const name = await createImage(
        setting,
        registry.put("team/broken", `v${index}`, shellImage(`cat`, more)),
      );
      const { value, error } = await setting.invoke(name);
      assert.equal(error, "Unhandled");
      const document = value as { errorType: string; errorMessage: string };
      assert.equal(document.errorType, errorType);
      assert.match(document.errorMessage, message);
    }
  });

  test("an extension in the image's /opt/extensions runs beside its program", async () => {
    const extension = `#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
wget -q -S -O /dev/null --header "Lambda-Extension-Name: watcher" --post-data '{"events":["INVOKE"]}' "$api/register" 2>/tmp/registered
id=$(grep -i lambda-extension-identifier /tmp/registered | sed 's/.*: *//' | tr -d '\\r')
echo "extension of $AWS_LAMBDA_FUNCTION_NAME"
while :; do wget -q -O - --header "Lambda-Extension-Identifier: $id" "$api/event/next" >/tmp/seen; done
`;
    const image = shellImage(asText("ls /tmp/registered"), {
      files: { "opt/extensions/watcher": { file: extension, mode: 0o755 } },
    });
    const name = await createImage(setting, registry.put("team/extended", "v1", image));
    assert.deepEqual(lines((await setting.invoke(name)).value), ["/tmp/registered"]);
  });

  test("CreateFunction, UpdateFunctionCode and UpdateFunctionConfiguration refuse what is not for images, or only for them", async () => {
    const uri = registry.put("team/refused", "v1", shellImage(`cat`));
    const image = await createImage(setting, uri);
    const zip = await setting.create("export const handler = async () => 1;");
    const base = { FunctionName: "refused", Role: setting.role };
    const ZipFile = await zipOf({ "index.mjs": "" });
    const managed = { Runtime: "nodejs24.x", Handler: "index.handler" } as const;
    const refusals: readonly [object, RegExp][] = [
      [
        new CreateFunctionCommand({ ...base, ...managed, PackageType: "Image", Code: { ImageUri: uri } }),
        /^Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image\.$/,
      ],
      [
        new CreateFunctionCommand({ ...base, PackageType: "Image", Code: { ZipFile } }),
        /^Please provide ImageUri/,
      ],
      [new CreateFunctionCommand({ ...base, Code: { ImageUri: uri } }), /^Runtime and Handler are mandatory/],
      [
        new CreateFunctionCommand({ ...base, ...managed, Code: { ImageUri: uri } }),
        /^Please don't provide ImageUri/,
      ],
      [
        new CreateFunctionCommand({
          ...base,
          ...managed,
          Code: { ZipFile },
          ImageConfig: { Command: ["x"] },
        }),
        /^ImageConfig is only supported/,
      ],
      [
        new CreateFunctionCommand({
          ...base,
          PackageType: "Image",
          Code: { ImageUri: uri },
          ImageConfig: { Command: ["x".repeat(17_000)] },
        }),
        /^ImageConfig must be smaller/,
      ],
      [
        new UpdateFunctionCodeCommand({ FunctionName: image, ZipFile }),
        /^Please provide ImageUri when updating a function with packageType Image\.$/,
      ],
      [
        new UpdateFunctionCodeCommand({ FunctionName: zip, ImageUri: uri }),
        /^Please don't provide ImageUri when updating a function with packageType Zip\.$/,
      ],
      [
        new UpdateFunctionConfigurationCommand({ FunctionName: image, Handler: "x" }),
        /^Please don't provide Handler/,
      ],
      [
        new UpdateFunctionConfigurationCommand({
          FunctionName: image,
          Layers: ["arn:aws:lambda:us-east-1:000000000000:layer:x:1"],
        }),
        /^Lambda layers are not supported for functions created with container images\.$/,
      ],
      [
        new UpdateFunctionConfigurationCommand({ FunctionName: zip, ImageConfig: { Command: ["x"] } }),
        /^ImageConfig is only supported/,
      ],
    ];
    for (const [command, message] of refusals)
      await assert.rejects(setting.lambda.send(command as CreateFunctionCommand), {
        name: "InvalidParameterValueException",
        message,
      });
  });

  test("CreateFunction refuses images by name where functions are plain processes", async () => {
    const own = await startSetting({ sandbox: "process" });
    try {
      const uri = registry.put("team/process", "v1", buildImage({ layers: [{ files: { x: "x" } }] }));
      await assert.rejects(createImage(own, uri), {
        name: "NotImplemented",
        message: /PackageType Image.*plain processes/,
      });
    } finally {
      await own.server.stop();
    }
  });
});

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await check();
    } catch (error) {
      if (tries >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
