/** A custom runtime as lean as Node can be: the Runtime API over one connection that stays, by hand. Runs in both contenders. */
import { connect } from "node:net";

const handler = async (event) => ({ ok: true, n: event.n ?? 0 });

const HEAD_END = Buffer.from("\r\n\r\n");
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const base = "/2018-06-01/runtime/invocation";
const common = `Host: ${host}:${port}\r\nUser-Agent: bench\r\n`;
const NEXT = `GET ${base}/next HTTP/1.1\r\n${common}\r\n`;

const socket = connect({ host, port: Number(port), noDelay: true });
socket.on("error", () => process.exit(1));
socket.on("close", () => process.exit(0));
socket.write(NEXT);
let seen = Buffer.alloc(0);
socket.on("data", (chunk) => {
  seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
  for (;;) {
    const headEnd = seen.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = seen.toString("latin1", 0, headEnd);
    const from = headEnd + HEAD_END.length;
    const end = from + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (seen.length < end) return;
    const body = seen.toString("utf8", from, end);
    seen = seen.subarray(end);
    const id = /\r\nlambda-runtime-aws-request-id: *(\S+)/i.exec(head)?.[1];
    // Without one it is the acknowledgement of an answer.
    if (id !== undefined) void answer(id, JSON.parse(body));
  }
});

async function answer(id, event) {
  const json = JSON.stringify(await handler(event));
  const length = Buffer.byteLength(json);
  const type = "Content-Type: application/json\r\n";
  const head = `POST ${base}/${id}/response HTTP/1.1\r\n${common}${type}Content-Length: ${length}\r\n\r\n`;
  socket.write(head + json + NEXT);
}
