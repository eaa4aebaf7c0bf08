import assert from "node:assert/strict";
import { test } from "node:test";
import { countRun, lineageId } from "./lineage.ts";

const ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
const [A, B] = ["a", "b"].map((name) => lineageId({ account: "000000000000", region: "us-east-1", name }));

test("the first run of a chain is added to the header, which stays as it is otherwise", () => {
  assert.deepEqual(countRun(ROOT, A ?? ""), { traceHeader: `${ROOT};Lineage=1:${A}:0`, runs: 1 });
});

test("each function of a chain is counted for itself", () => {
  let header = ROOT;
  const counted = [A, B, A, B, A].map((id) => {
    const { traceHeader, runs } = countRun(header, id ?? "");
    header = traceHeader;
    return runs;
  });
  assert.deepEqual(counted, [1, 1, 2, 2, 3]);
  assert.equal(header, `${ROOT};Lineage=2:${B}:0|3:${A}:0`);
});

test("a header is read wherever the lineage stands in it, percent-encoded or in the older form of AWS", () => {
  const first = countRun(`Lineage=2:${A}:0%7c7:${B}:1;${ROOT}`, A ?? "");
  assert.deepEqual(first, { traceHeader: `${ROOT};Lineage=7:${B}:0|3:${A}:0`, runs: 3 });
  const older = countRun(`${ROOT};Lineage=a87bd80c:1|68fd508a:5`, A ?? "");
  assert.deepEqual(older, { traceHeader: `${ROOT};Lineage=1:${A}:0`, runs: 1 });
  assert.equal(countRun(`Lineage=99999999:${A}:0`, A ?? "").runs, 1);
});

test("a chain of very many functions keeps the last of them, and the header its size", () => {
  let header = ROOT;
  for (let n = 0; n < 1_000; n++)
    header = countRun(header, lineageId({ account: "1", region: "r", name: `${n}` })).traceHeader;
  assert.ok(header.length < 600, `${header.length}`);
  assert.equal(countRun(`${ROOT};Lineage=32767:${A}:0`, A ?? "").runs, 32_767);
});
