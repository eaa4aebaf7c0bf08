/** Forms as they come: in pieces of any size, with what RFC 7578 lets them have, and broken. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AwsError } from "../../../aws/errors.ts";
import { readForm } from "./multipart.ts";

const TYPE = 'multipart/form-data; charset=utf-8; boundary="b-1"';
const CONTENT = "line\r\n--b-\r\n--b-2\r\n\r\nend";
const FORM = [
  "ignored",
  "--b-1  ",
  'content-disposition: FORM-DATA; name="a \\"b%22"',
  "",
  "välue\r\n--b",
  "--b-1",
  "Content-Type: text/plain",
  "Content-Disposition: form-data; name=plain",
  "",
  "",
  "--b-1",
  'Content-Disposition: form-data; name="File"; filename="C:\\x\\ü.txt"',
  "",
  CONTENT,
  "--b-1",
  "whatever follows",
].join("\r\n");

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 1_000, type = TYPE) {
  const form = await readForm(pieces(text, size), type);
  const chunks: Buffer[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  return { fields: form.fields, filename: form.filename, content: Buffer.concat(chunks).toString() };
}

const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => "none",
    (error: unknown) => (error instanceof AwsError ? error.code : String(error)),
  );

describe("multipart/form-data", () => {
  test("fields and file, in whatever pieces they come", async () => {
    for (const size of [1, 2, 3, 7, 64, 10_000])
      assert.deepEqual(await read(FORM, size), {
        fields: [
          ['a "b"', "välue\r\n--b"],
          ["plain", ""],
        ],
        filename: "C:\\x\\ü.txt",
        content: CONTENT,
      });
  });

  test("a form that breaks off, has no file, or too many fields", async () => {
    for (const end of [3, 30, 120, 200, FORM.indexOf(CONTENT) + 5])
      assert.equal(await codeOf(read(FORM.slice(0, end))), "MalformedPOSTRequest");
    const closed = FORM.replace("\r\nwhatever follows", "--");
    assert.equal(await codeOf(read(closed.replace('"File"', '"other"'))), "InvalidArgument");
    const long = FORM.replace("välue", "v".repeat(20_480));
    assert.equal(await codeOf(read(long)), "MaxPostPreDataLengthExceeded");
    assert.equal(await codeOf(read(`--b-1\r\n${"h".repeat(30_000)}`, 100)), "MaxPostPreDataLengthExceeded");
    assert.equal(await codeOf(read("p".repeat(30_000), 100)), "MaxPostPreDataLengthExceeded");
    assert.equal(await codeOf(read(FORM, 9, "multipart/form-data")), "MalformedPOSTRequest");
    assert.equal(await codeOf(read(FORM, 9, "text/html; boundary=b-1")), "PreconditionFailed");
  });
});
