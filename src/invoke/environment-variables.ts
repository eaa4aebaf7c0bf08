/** What a function's process finds in its environment. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
import { credentialsPath } from "./credentials-api.ts";
import { RECORDS_DESCRIPTOR } from "../sandbox/sandbox.ts";
import type { Inside } from "../sandbox/sandbox.ts";
import type { ImageLaunch } from "./image-launch.ts";
import type { InitializationType } from "./platform-events.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { Credentials, FunctionVersion } from "./types.ts";

export interface EnvironmentInput {
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  readonly credentials: Credentials;
  readonly logStream: string;
  readonly endpointPort: number;
  /** Of a container image. */
  readonly launch?: Pick<ImageLaunch, "variables">;
  readonly initializationType?: InitializationType;
  readonly metadataToken: string;
}

/** Set by the platform whatever the function's configuration says. `_X_AMZN_TRACE_ID` is set by the runtime, per invocation. */
export function environmentVariables(input: EnvironmentInput, inside: Inside): Record<string, string> {
  const { version, runtime } = input;
  const user = Object.entries(version.environment).filter(([name]) => !name.startsWith("_"));
  return {
    ...overridable(input, inside),
    ...Object.fromEntries(user),
    ...(runtime.kind === "image" ? {} : { _HANDLER: version.handler }),
    AWS_REGION: version.region,
    AWS_DEFAULT_REGION: version.region,
    ...executionEnvironment(runtime),
    AWS_LAMBDA_FUNCTION_NAME: version.functionName,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: input.initializationType ?? "on-demand",
    ...(input.initializationType === "snap-start" ? lasting(input, inside) : ownVariables(input)),
    ...(inside.runtimeApi === undefined
      ? {}
      : {
          AWS_LAMBDA_RUNTIME_API: inside.runtimeApi,
          AWS_LAMBDA_METADATA_API: inside.runtimeApi,
          AWS_LAMBDA_METADATA_TOKEN: input.metadataToken,
        }),
    LAMBDA_TASK_ROOT: inside.path("/var/task"),
    LAMBDA_RUNTIME_DIR: inside.path("/var/runtime"),
    ...(hasRecords(runtime) ? { [recordsVariable]: String(RECORDS_DESCRIPTOR) } : {}),
    ...(runtime.channel === "http" ? {} : { [socketVariable]: inside.path(`/run/lambent/${socketName}`) }),
  };
}

/** What one environment alone has. */
function ownVariables({ version, logStream, credentials }: EnvironmentInput): Record<string, string> {
  return {
    AWS_LAMBDA_LOG_GROUP_NAME: version.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
}

/** Instead of it, what holds for all environments that are restored from a snapshot. https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html */
function lasting({ metadataToken }: EnvironmentInput, inside: Inside): Record<string, string> {
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${inside.credentials ?? ""}${credentialsPath}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: metadataToken,
  };
}

/** What is the runtime's alone. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html */
const RUNTIME_ONLY: readonly string[] = [
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_XRAY_CONTEXT_MISSING",
  "AWS_XRAY_DAEMON_ADDRESS",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
  "_AWS_XRAY_DAEMON_ADDRESS",
  "_AWS_XRAY_DAEMON_PORT",
  "_HANDLER",
  "_LAMBDA_TELEMETRY_LOG_FD",
  "_LAMBENT_SOCKET",
];

/** What an external extension finds in its environment. */
export function extensionVariables(input: EnvironmentInput, inside: Inside): Record<string, string> {
  const variables = environmentVariables(input, inside);
  for (const name of RUNTIME_ONLY) delete variables[name];
  return variables;
}

/** What a managed runtime is booted with before it is known for which function: what nearly all functions have. */
export function waitingVariables(runtime: Runtime, inside: Inside): Record<string, string> {
  return {
    ...shared(runtime, inside),
    [socketVariable]: inside.path(`/run/lambent/${socketName}`),
    [waitsVariable]: "1",
    // Read by the C library alone, when it starts: else threads keep memory of their own, half a MiB in all.
    MALLOC_ARENA_MAX: "1",
  };
}

/** What becomes the environment of a process that waited: the same as if it had been booted with it. */
export function assignedVariables(input: EnvironmentInput, inside: Inside): Record<string, string> {
  const { [socketVariable]: _, ...variables } = environmentVariables(input, inside);
  // The supervisor of the sandbox sets it for a program that it starts.
  return { PWD: inside.path("/var/task"), ...variables };
}

/** Whether AWS's own client may run in it, which frames its records. OS-only runtimes write lines. */
export function hasRecords({ channel, kind }: Runtime): boolean {
  return channel === "http" && kind !== "provided";
}

/** Tells AWS's clients where to write them. */
const recordsVariable = "_LAMBDA_TELEMETRY_LOG_FD";
/** Tells our bootstraps that their function is not known yet. */
const waitsVariable = "_LAMBENT_WAITS";
/** Tells our bootstraps where the server listens; removed from the environment before the function's code runs. */
const socketVariable = "_LAMBENT_SOCKET";
/** The socket's name in the folder mounted at /run/lambent. */
export const socketName = "runtime.sock";

function overridable(input: EnvironmentInput, inside: Inside): Record<string, string> {
  const { version, runtime } = input;
  return {
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    AWS_LAMBDA_LOG_FORMAT: version.logFormat ?? "Text",
    ...(version.logFormat === "JSON" ? { AWS_LAMBDA_LOG_LEVEL: version.applicationLogLevel ?? "INFO" } : {}),
    AWS_ENDPOINT_URL: `http://${inside.addressOf(input.endpointPort)}`,
    ...(input.launch ? { TZ: ":UTC", ...input.launch.variables } : shared(runtime, inside)),
  };
}

/** AWS's name of where a function runs; functions on OS-only runtimes are not told. */
function executionEnvironment({ kind, identifier }: Runtime): { AWS_EXECUTION_ENV?: string } {
  if (kind === "provided") return {};
  return { AWS_EXECUTION_ENV: `AWS_Lambda_${kind === "image" ? "Image" : identifier}` };
}

/** What does not differ between the functions of a runtime that do not set it themselves. */
function shared(runtime: Runtime, inside: Inside): Record<string, string> {
  const path = (paths: readonly string[]) => paths.map((each) => inside.path(each)).join(":");
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: path(["/var/lang/bin", "/usr/local/bin", "/usr/bin/", "/bin", "/opt/bin"]),
    LD_LIBRARY_PATH: path([
      "/var/lang/lib",
      "/lib64",
      "/usr/lib64",
      "/var/runtime",
      "/var/runtime/lib",
      "/var/task",
      "/var/task/lib",
      "/opt/lib",
    ]),
    ...runtime.variables(inside),
  };
}
