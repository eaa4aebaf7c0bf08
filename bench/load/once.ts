/** Single invocations with a raw connection, timed. */
import { ANSWER } from "../contenders/handlers.ts";
import { Connection } from "./http-client.ts";
import { signedInvoke } from "./signed-request.ts";
import type { InvokeTarget } from "./signed-request.ts";

const EVENT = Buffer.from('{"n":7}');

/** Milliseconds from sending the event {"n":7} to the whole answer. @throws Error when the answer is another. */
export async function invokeOnce(target: InvokeTarget, connection?: Connection): Promise<number> {
  const own = connection ?? (await Connection.open(target.port, target.host));
  try {
    const request = signedInvoke(target, EVENT);
    const begun = performance.now();
    const answer = await own.send(request);
    const took = performance.now() - begun;
    const text = answer.body.toString();
    // Python puts a space after a colon.
    if (text.replaceAll(/([:,]) /g, "$1") !== ANSWER)
      throw new Error(`${target.path} answered ${answer.status}: ${text}`);
    return took;
  } finally {
    if (!connection) own.close();
  }
}
