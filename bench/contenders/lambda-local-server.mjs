/** lambda-local behind node:http: `node lambda-local-server.mjs MANIFEST HANDLER-FILE PORT`. */
import { createRequire } from "node:module";
import { createServer } from "node:http";

const [manifest, lambdaPath, port] = process.argv.slice(2);
const lambdaLocal = createRequire(manifest)("lambda-local");
lambdaLocal.getLogger().level = "error";

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const event = JSON.parse(Buffer.concat(chunks).toString());
  const result = await lambdaLocal.execute({ event, lambdaPath, timeoutMs: 30_000, verboseLevel: 0 });
  const body = JSON.stringify(result);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}).listen(Number(port), "127.0.0.1");
