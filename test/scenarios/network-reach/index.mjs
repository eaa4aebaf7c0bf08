/** Listens on every address it has, and tries addresses: answers what each attempt met. */
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";

const ATTEMPT_MS_MAX = 2_000;

const listener = createServer((socket) => socket.end("mine")).listen(9_000, "0.0.0.0");
await new Promise((resolve) => listener.once("listening", resolve));
listener.unref();

const addresses = Object.values(networkInterfaces())
  .flat()
  .filter((one) => one.family === "IPv4" && !one.internal)
  .map((one) => one.address);
const endpoint = new URL(process.env.AWS_ENDPOINT_URL);

export const handler = async ({ targets }) => {
  const results = {};
  for (const target of ["endpoint", ...targets]) results[target] = await attempt(target);
  return { addresses, results };
};

function attempt(target) {
  const [host, port] =
    target === "endpoint"
      ? [endpoint.hostname, endpoint.port]
      : target.replace("gateway", endpoint.hostname).split(":");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: ATTEMPT_MS_MAX });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("no answer"));
    socket.once("error", () => end("no connection"));
  });
}
