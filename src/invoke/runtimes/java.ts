/** Java runtimes: every Java that the host has, with AWS's own runtime interface client in it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { FoundInterpreters } from "./found-interpreters.ts";
import { JAVA_VERSIONS } from "./identifiers.ts";
import { exists } from "./install.ts";
import { ARCHIVE, javaBootstrap } from "./java-bootstrap.ts";
import { copiedHome, findJavas } from "./java-homes.ts";
import type { JavaHome } from "./java-homes.ts";
import { javaLibraries } from "./java-libraries.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { Runtime, RuntimeFamily, RuntimeListing, RuntimesDeps } from "./runtime.ts";

const run = promisify(execFile);

/** The bootstrap connects to a Unix socket, which Java can since 16. Older ones speak HTTP, as AWS's client does. */
const framesMin = 17;
/** AWS's share of the function's memory for the heap. */
const heapShare = 0.85;

export function javaFamily(deps: RuntimesDeps): RuntimeFamily {
  const javas = new FoundInterpreters(findJavas);
  return {
    language: "Java",
    identifiers: Object.keys(JAVA_VERSIONS),
    source: "the host; AWS's runtime interface client fetched from Maven Central",
    async list() {
      const known = await javas.all();
      return Object.entries(JAVA_VERSIONS).map(([identifier, major]) =>
        listing(identifier, known.get(major)),
      );
    },
    async find(identifier) {
      const major = JAVA_VERSIONS[identifier];
      return major === undefined ? undefined : listing(identifier, await javas.get(major));
    },
    async install(identifier, tell) {
      const java = await javas.get(JAVA_VERSIONS[identifier] ?? 0);
      if (!java) throw new RuntimeUnavailable(listing(identifier, java).detail);
      const compilers = [...(await javas.all()).values()];
      const compiler = compilers.find(({ major, hasCompiler }) => hasCompiler && major >= framesMin);
      return installJava(deps, identifier, java, compiler, tell);
    },
  };
}

function listing(identifier: string, java: JavaHome | undefined): RuntimeListing {
  if (java) return { identifier, version: java.version, detail: java.home, available: true, installed: true };
  const major = JAVA_VERSIONS[identifier] ?? 0;
  const detail =
    `The runtime ${identifier} is not on this machine: install Java ${major} ` +
    `(apt-get install openjdk-${major}-jdk-headless, or sdk install java) so that it is on the path or in /usr/lib/jvm`;
  return { identifier, version: "", detail, available: false, installed: false };
}

async function installJava(
  { cacheDir }: RuntimesDeps,
  identifier: string,
  java: JavaHome,
  compiler: JavaHome | undefined,
  tell: (message: string) => void,
): Promise<Runtime> {
  const libraries = await javaLibraries(cacheDir, tell).catch((error: unknown) => {
    throw new RuntimeUnavailable(
      `The runtime ${identifier} needs AWS's runtime interface client, which could not be fetched: ${(error as Error).message}. ` +
        `It comes from Maven Central; check that this machine reaches it.`,
      { cause: error },
    );
  });
  const [home, hasLocale] = await Promise.all([copiedHome(cacheDir, java), knowsLocale()]);
  const speaksFrames = java.major >= framesMin && compiler !== undefined;
  const runtimeDir = speaksFrames
    ? await javaBootstrap({ cacheDir, libraries, compiler, release: framesMin, home, major: java.major })
    : libraries;
  const hasArchive = await exists(join(runtimeDir, ARCHIVE));
  const archive = hasArchive ? [`-XX:SharedArchiveFile=/var/runtime/${ARCHIVE}`] : [];
  return {
    identifier,
    kind: "java",
    channel: speaksFrames ? "frames" : "http",
    version: java.version,
    runtimeDir,
    languageMounts: [{ source: home, target: "/var/lang" }],
    command: (memoryMb) => {
      const settings = [...options(java.major, memoryMb), ...archive];
      const jvm = ["/var/lang/bin/java", ...settings, "-cp", "/var/runtime/lib/*"];
      return speaksFrames ? [...jvm, "lambent.Bootstrap"] : [...HANDLER_AS_ARGUMENT, ...jvm, CLIENT];
    },
    // Without AWS's en_US.UTF-8 on the host, the JVM would take the environment and names of files for ASCII.
    variables: () => (hasLocale ? {} : { LC_ALL: "C.UTF-8" }),
  };
}

const CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
const HANDLER_AS_ARGUMENT = ["/bin/sh", "-c", 'exec "$@" "$_HANDLER"', "sh"] as const;

/** As AWS's runtimes start the JVM. https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html */
function options(major: number, memoryMb: number): string[] {
  return [
    `-XX:MaxHeapSize=${Math.floor(memoryMb * 1024 * heapShare)}k`,
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    ...(major >= 17 ? ["-XX:TieredStopAtLevel=1"] : []),
    "-Djava.net.preferIPv4Stack=true",
    // Where the library of SnapStart's hooks finds who calls them.
    "-Dorg.crac.Core.Compat=com.amazonaws.services.lambda.crac",
    // The bootstrap writes to its socket's descriptor, past the channel.
    ...(major >= framesMin ? ["--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"] : []),
    // And forgets before a snapshot what names of hosts led to.
    ...(major >= framesMin ? ["--add-opens=java.base/java.net=ALL-UNNAMED"] : []),
    // AWS's client and the libraries of many functions still do this; Java says so in the function's log otherwise.
    ...(major >= 23 ? ["--sun-misc-unsafe-memory-access=allow"] : []),
    ...(major >= 22 ? ["--enable-native-access=ALL-UNNAMED"] : []),
  ];
}

/** Whether this host has AWS's locale. */
async function knowsLocale(): Promise<boolean> {
  const words = ["-u", "LC_ALL", "LC_CTYPE=en_US.UTF-8", "locale", "charmap"];
  const { stdout } = await run("/usr/bin/env", words).catch(() => ({ stdout: "" }));
  return stdout.trim() === "UTF-8";
}
