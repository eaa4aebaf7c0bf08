/** Writes src/aws/models/*.gen.json from the pinned SDK client packages and botocore; `--check` compares instead of writing. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConstraintsFile, ModelFile, ServiceMetadata } from "../src/aws/model/format.ts";
import { botocoreModels } from "./models/botocore.ts";
import { joinConstraints } from "./models/constraints.ts";
import { readClientPackage } from "./models/sdk.ts";
import { generatedServices } from "./models/services.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modelsDir = join(root, "src", "aws", "models");
const check = process.argv.includes("--check");

const files = new Map<string, string>();
const index: ServiceMetadata[] = [];
const botocore = await botocoreModels(join(root, "node_modules", ".cache", "models"));
for (const service of generatedServices) {
  const { metadata, model } = readClientPackage(service);
  index.push(metadata);
  files.set(`${service.name}.gen.json`, modelText(model));
  if (botocore)
    files.set(
      `${service.name}.constraints.gen.json`,
      constraintsText(joinConstraints(model, botocore(service))),
    );
}
files.set("index.gen.json", `[\n${index.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);

if (check) compare();
else write();

function write(): void {
  mkdirSync(modelsDir, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(modelsDir, name), text);
  const bytes = [...files.values()].reduce((sum, text) => sum + text.length, 0);
  console.log(`wrote ${files.size} files, ${Math.round(bytes / 1024)} KiB`);
  if (!botocore) console.log("constraints were left as they are: botocore could not be fetched (see above)");
}

function compare(): void {
  const differing = [...files].filter(([name, text]) => {
    const path = join(modelsDir, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  const expected = (name: string) =>
    files.has(name) || (!botocore && files.has(name.replace(".constraints.gen", ".gen")));
  const stray = readdirSync(modelsDir).filter((name) => name.endsWith(".gen.json") && !expected(name));
  for (const [name] of differing) console.error(`differs from its source: src/aws/models/${name}`);
  for (const name of stray) console.error(`has no source: src/aws/models/${name}`);
  if (differing.length + stray.length > 0) {
    console.error("run: node scripts/generate-models.ts");
    process.exitCode = 1;
    return;
  }
  const left = botocore ? "" : "; NOT CHECKED: constraints (botocore could not be fetched, see above)";
  console.log(`models: ${files.size} files equal to their sources${left}`);
}

/** One shape, operation or error a line, so that an upgrade's difference can be read. */
function modelText(model: ModelFile): string {
  return `{"source":${JSON.stringify(model.source)},
"operations":{
${lines(model.operations)}
},
"errors":{
${lines(model.errors)}
},
"shapes":[
${model.shapes.map((shape) => JSON.stringify(shape)).join(",\n")}
]}
`;
}

function constraintsText(file: ConstraintsFile): string {
  return `{"source":${JSON.stringify(file.source)},
"members":{
${lines(file.members)}
},
"table":[
${file.table.map((record) => JSON.stringify(record)).join(",\n")}
],
"errors":{
${lines(file.errors)}
}}
`;
}

function lines(object: Readonly<Record<string, unknown>>): string {
  return Object.entries(object)
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join(",\n");
}
