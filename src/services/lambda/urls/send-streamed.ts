/** The answer of a function URL whose InvokeMode is RESPONSE_STREAM, as the function makes it and no faster than the caller takes it. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Outcome } from "../../../invoke/index.ts";
import type { Lambda } from "../deps.ts";
import { invocationError } from "../operations/invoke.ts";
import { StreamedAnswer } from "../streamed-answer.ts";
import { PRELUDE_BYTES_MAX, PRELUDE_END, PRELUDE_TYPE, failedAnswer, preludeOf } from "./answer.ts";
import type { UrlAnswer } from "./answer.ts";
import { refusal, send } from "./exchange.ts";
import type { UrlExchange, UrlInvocation } from "./exchange.ts";

type Head = Omit<UrlAnswer, "body">;

/** What goes wrong after the first byte cuts the connection, so that a part is not taken for the whole. */
export async function sendStreamed(
  lambda: Lambda,
  { response, caller, ownHeaders }: UrlExchange,
  { target, invocation }: UrlInvocation,
): Promise<void> {
  const answer = new StreamedAnswer(caller.signal);
  const running = lambda.invoker
    .invoke(target.version, { ...invocation, sink: answer })
    .finally(() => answer.end());
  // Where the caller has gone nobody listens for it any more.
  running.catch(() => {});
  try {
    const outcome = await Promise.race([answer.begun, running]);
    if (outcome && answer.contentType === undefined) return send(response, wholeAnswer(outcome), ownHeaders);
  } catch (error) {
    return send(response, refusal(invocationError(error)), ownHeaders);
  }
  const pieces = answer.pieces();
  const begun =
    answer.contentType === PRELUDE_TYPE
      ? await readPrelude(pieces)
      : {
          head: { status: 200, headers: { "content-type": answer.contentType ?? "" } },
          rest: Buffer.alloc(0),
        };
  if (!begun) {
    await pieces.return(undefined);
    return send(response, failedAnswer(), ownHeaders);
  }
  response.writeHead(begun.head.status, { ...begun.head.headers, ...ownHeaders });
  response.flushHeaders();
  await pipeline(Readable.from(bodyOf(begun.rest, pieces, running), { objectMode: false }), response).catch(
    () => response.destroy(),
  );
}

/** A function that does not stream answers as it is, whatever it says of a status. */
function wholeAnswer({ functionError, payload }: Outcome): UrlAnswer {
  if (functionError) return failedAnswer();
  return { status: 200, headers: { "content-type": "application/json" }, body: payload };
}

/** The metadata before the body, and what came of that with them; undefined where there are none. */
async function readPrelude(
  pieces: AsyncGenerator<Buffer>,
): Promise<{ head: Head; rest: Buffer } | undefined> {
  let seen = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return undefined;
    seen = Buffer.concat([seen, value]);
    const end = seen.indexOf(PRELUDE_END);
    if (end >= 0) {
      const head = preludeOf(seen.subarray(0, end));
      return head && { head, rest: seen.subarray(end + PRELUDE_END.length) };
    }
    if (seen.length > PRELUDE_BYTES_MAX) return undefined;
  }
}

async function* bodyOf(
  rest: Buffer,
  pieces: AsyncGenerator<Buffer>,
  running: Promise<Outcome>,
): AsyncGenerator<Buffer> {
  if (rest.length > 0) yield rest;
  yield* pieces;
  const { functionError } = await running;
  if (functionError) throw new Error("the function failed after it had begun to answer");
}
