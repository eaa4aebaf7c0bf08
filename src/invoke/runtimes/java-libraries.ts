/**
 * What AWS's Java runtimes have beside the JVM, from Maven Central: its runtime interface client, which finds handlers and calls them; the
 * (de)serialization of events; and the interfaces that functions are written against.
 */
import { createHash } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installOnce } from "./install.ts";
import { mavenFile } from "./maven.ts";

interface Library {
  /** Below a repository's root. */
  readonly path: string;
  readonly sha256: string;
}

/** The bootstrap calls private methods of the client: a new version is read before it is taken. */
const LIBRARIES: readonly Library[] = [
  library(
    "com/amazonaws",
    "aws-lambda-java-runtime-interface-client",
    "2.10.1",
    "b0dd01f45b7258da0e32ade0bff950b12d0cf279ccebf416ad8c3795af21f1db",
  ),
  library(
    "com/amazonaws",
    "aws-lambda-java-serialization",
    "1.4.1",
    "0ab04580117a1a326c7abea912331c77bec1292ce0c22285eb2d40563145dd9b",
  ),
  library(
    "com/amazonaws",
    "aws-lambda-java-core",
    "1.4.0",
    "575c24393cc1ad645e83e618956eabd89ffe8cc09efae2cb62bc6589154d68ed",
  ),
  library(
    "software/amazon/awssdk",
    "utils-lite",
    "2.34.0",
    "efaf784f07ae526f0b5c89d71ef21cf16636131c47d44616e3df9bedc3f4f89a",
  ),
];

/** A folder with their jars. @throws Error that names what could not be fetched. */
export async function javaLibraries(cacheDir: string, tell: (message: string) => void): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(LIBRARIES)).digest("hex").slice(0, 16);
  return installOnce(cacheDir, `java-libraries-${hash}`, async (folder) => {
    tell("fetching AWS's runtime interface client for Java");
    await mkdir(join(folder, "lib"));
    for (const { path, sha256 } of LIBRARIES) {
      const file = join(folder, "lib", path.slice(path.lastIndexOf("/") + 1));
      await writeFile(file, await mavenFile(path, sha256));
      await chmod(file, 0o644);
    }
  });
}

function library(group: string, name: string, version: string, sha256: string): Library {
  return { path: `${group}/${name}/${version}/${name}-${version}.jar`, sha256 };
}
