import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { CreateFunctionCommand } from "@aws-sdk/client-lambda";
import { ESCAPES, rawZip } from "../../harness/zip.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title:
    "a zip with ../, absolute paths or links that lead out is refused, and nothing of it is written anywhere",
  functions: {},
  async run(stage) {
    for (const entries of ESCAPES)
      await assert.rejects(
        stage.client.send(
          new CreateFunctionCommand({
            FunctionName: "zip-escape",
            Runtime: stage.nodeRuntime,
            Role: stage.role,
            Handler: "index.handler",
            Code: { ZipFile: rawZip([{ name: "index.mjs", content: "export {}" }, ...entries]) },
          }),
        ),
        {
          name: "InvalidParameterValueException",
          message: "Could not unzip uploaded file. Please check your file, then try to upload again.",
        },
      );
    for (const name of ["outside", "escaped", "x"])
      for (const folder of [".", "code", ".."])
        assert.ok(!readdirSync(join(stage.server.dataDir, folder)).includes(name), `${folder}/${name}`);
  },
};
