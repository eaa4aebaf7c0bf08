/** What the tests of container images begin with: a registry, a server, and images whose program is a shell script. */
import { existsSync } from "node:fs";
import { CreateFunctionCommand, GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput, FunctionConfiguration } from "@aws-sdk/client-lambda";
import { waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import { inspectMachine } from "../../src/sandbox/index.ts";
import { buildImage, busybox, shellRuntime } from "../harness/image.ts";
import type { BuiltImage, Files, ImageOptions } from "../harness/image.ts";
import { WAIT } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

/** Why functions that are images cannot be tested here. */
export const imagesMissing: string | undefined =
  (await inspectMachine()).provider === "process"
    ? "functions are plain processes on this machine"
    : existsSync("/bin/busybox")
      ? undefined
      : "there is no /bin/busybox; install Debian's package busybox-static";
if (imagesMissing) console.log(`# SKIPPED functions that are container images: ${imagesMissing}`);

/** A layer that all images have: a shell and a few programs. */
const baseLayer = (): { readonly files: Files } => ({
  files: { "bin/": { folder: true }, ...busybox(), "var/": { folder: true }, "var/task/": { folder: true } },
});

/** Answers what the script prints, as JSON text; the arguments are in "$@". */
export function shellImage(
  script: string,
  more: {
    readonly files?: Files;
    readonly config?: ImageOptions["config"];
    readonly kind?: ImageOptions["kind"];
    readonly layers?: ImageOptions["layers"];
  } = {},
): BuiltImage {
  return buildImage({
    ...(more.kind ? { kind: more.kind } : {}),
    layers: [
      baseLayer(),
      ...(more.layers ?? []),
      { files: { runtime: { file: shellRuntime(script), mode: 0o755 }, ...more.files } },
    ],
    config: { Entrypoint: ["/runtime"], Env: ["PATH=/bin"], WorkingDir: "/var/task", ...more.config },
  });
}

let names = 0;

/** Makes a function of an image; answers its name at once. */
export async function beginImage(
  { lambda, role }: Pick<Setting, "lambda" | "role">,
  ImageUri: string,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const FunctionName = more.FunctionName ?? `image-${++names}`;
  const own = { PackageType: "Image", Code: { ImageUri }, Role: role, Timeout: 10 } as const;
  await lambda.send(new CreateFunctionCommand({ ...own, ...more, FunctionName }));
  return FunctionName;
}

/** The same, and waits until it is active. */
export async function createImage(
  setting: Pick<Setting, "lambda" | "role">,
  uri: string,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const FunctionName = await beginImage(setting, uri, more);
  await waitUntilFunctionActiveV2({ client: setting.lambda, ...WAIT }, { FunctionName });
  return FunctionName;
}

/** Makes a function whose image cannot be had, and answers what becomes of it. */
export async function failedImage(setting: Setting, uri: string): Promise<FunctionConfiguration> {
  const FunctionName = await beginImage(setting, uri);
  await waitUntilFunctionActiveV2({ client: setting.lambda, ...WAIT }, { FunctionName }).catch(() => {});
  return setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
}
