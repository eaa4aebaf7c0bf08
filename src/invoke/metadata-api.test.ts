import assert from "node:assert/strict";
import { test } from "node:test";
import { firstZoneId } from "./metadata-api.ts";

test("the ids of zones are those of AWS", () => {
  for (const [region, zone] of [
    ["us-east-1", "use1-az1"],
    ["eu-west-3", "euw3-az1"],
    ["ap-southeast-2", "apse2-az1"],
    ["ap-northeast-1", "apne1-az1"],
    ["ca-central-1", "cac1-az1"],
    ["us-gov-west-1", "usgw1-az1"],
    ["sa-east-1", "sae1-az1"],
  ] as const)
    assert.equal(firstZoneId(region), zone);
});
