/** Which operations a service implements, which its model knows, and which its conformance tests name. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVICES = join(ROOT, "src/services");
const TESTS = join(ROOT, "test/conformance");
const MODELS = join(ROOT, "src/aws/models");

/** Services that have a folder in src/services. */
export function serviceFolders(): string[] {
  return readdirSync(SERVICES).filter((name) => existsSync(join(SERVICES, name, "operation-table.ts")));
}

/** Every service with a generated model, in the order of the index. */
export function modelledServices(): string[] {
  const index = JSON.parse(readFileSync(join(MODELS, "index.gen.json"), "utf8")) as { name: string }[];
  return index.map((service) => service.name);
}

/** The operations in a service's table. */
export async function operationsOf(service: string): Promise<string[]> {
  const file = join(SERVICES, service, "operation-table.ts");
  if (!existsSync(file)) return [];
  const { operationTable } = (await import(file)) as { operationTable: Record<string, unknown> };
  return Object.keys(operationTable);
}

/** Every operation of the service's model. */
export function modelledOperations(service: string): string[] {
  const model = JSON.parse(readFileSync(join(MODELS, `${service}.gen.json`), "utf8")) as {
    operations: object;
  };
  return Object.keys(model.operations);
}

/** Words in the titles of the service's conformance tests. */
export function testedOperations(service: string): Set<string> {
  if (!existsSync(TESTS)) return new Set();
  const words = new Set<string>();
  for (const file of readdirSync(TESTS).filter((name) => belongsTo(name, service))) {
    const titles = readFileSync(join(TESTS, file), "utf8").matchAll(
      /\b(?:test|it|describe)\(\s*(["'`])(.*?)\1/gs,
    );
    for (const [, , title = ""] of titles) for (const word of title.split(/[^A-Za-z0-9]+/)) words.add(word);
  }
  return words;
}

/** `s3.test.ts` and `s3-multipart.test.ts` belong to s3; `dynamodb-streams…` belongs to the longest service name that fits. */
function belongsTo(file: string, service: string): boolean {
  const fits = (name: string) =>
    file === `${name}.test.ts` || file.startsWith(`${name}-`) || file.startsWith(`${name}.`);
  const owner = modelledServices()
    .filter(fits)
    .sort((a, b) => b.length - a.length)[0];
  return (owner ?? service) === service && fits(service);
}
