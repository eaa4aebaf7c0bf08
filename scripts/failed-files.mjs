/** A reporter of node:test that writes the file of each test that failed, one a line. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter as the default export
export default async function* failedFiles(source) {
  for await (const { type, data } of source) if (type === "test:fail" && data.file) yield `${data.file}\n`;
}
