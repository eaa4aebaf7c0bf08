/** Functions that are container images: how they are made, what they are told, and what is refused. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput } from "@aws-sdk/client-lambda";
import { buildImage, busybox, shellRuntime } from "../harness/image.ts";
import { startRegistry } from "../harness/registry.ts";
import type { TestRegistry } from "../harness/registry.ts";
import { WAIT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let registry: TestRegistry;
let names = 0;

before(async () => {
  registry = await startRegistry();
  setting = await startSetting();
});
after(async () => {
  await setting?.server.stop();
  await registry?.close();
});

async function createImage(
  ImageUri: string,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const FunctionName = `image-${++names}`;
  await setting.lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      PackageType: "Image",
      Code: { ImageUri },
      Role: setting.role,
      Timeout: 10,
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2({ client: setting.lambda, ...WAIT }, { FunctionName });
  return FunctionName;
}

test("CreateFunction with an image: smoke", async () => {
  const uri = registry.put(
    "team/app",
    "v1",
    buildImage({
      layers: [
        { files: { "bin/": { folder: true }, ...busybox() } },
        {
          files: {
            runtime: {
              file: shellRuntime(
                'printf \'{"event":%s,"pwd":"%s","args":"%s","id":"%s"}\' "$(cat)" "$(pwd)" "$*" "$(id -u)"',
              ),
              mode: 0o755,
            },
            "var/task/": { folder: true },
          },
        },
      ],
      config: { Entrypoint: ["/runtime"], Cmd: ["one", "two"], WorkingDir: "/var/task", Env: ["PATH=/bin"] },
    }),
  );
  const name = await createImage(uri);
  console.log(await setting.lambda.send(new GetFunctionCommand({ FunctionName: name })));
  console.log(await setting.invoke(name, { hello: 1 }));
});
