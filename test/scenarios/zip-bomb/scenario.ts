import assert from "node:assert/strict";
import { CreateFunctionCommand } from "@aws-sdk/client-lambda";
import { zipBomb } from "../../harness/zip.ts";
import type { Scenario } from "../scenario.ts";

const bombs = zipBomb();

export const scenario: Scenario = {
  title: "a zip of more than 250 MB unzipped is refused, whatever sizes it declares",
  functions: {},
  dear: true,
  async run(stage) {
    const { honest, liar } = await bombs;
    const create = (ZipFile: Uint8Array) =>
      stage.client.send(
        new CreateFunctionCommand({
          FunctionName: "zip-bomb",
          Runtime: stage.nodeRuntime,
          Role: stage.role,
          Handler: "index.handler",
          Code: { ZipFile },
        }),
      );
    await assert.rejects(create(honest), {
      name: "InvalidParameterValueException",
      message: "Unzipped size must be smaller than 262144000 bytes",
    });
    await assert.rejects(create(liar), {
      name: "InvalidParameterValueException",
      message: "Could not unzip uploaded file. Please check your file, then try to upload again.",
    });
  },
};
