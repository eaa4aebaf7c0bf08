/** `/_lambent/user-pools/POOL/messages`: what would have been sent to a pool's users, for its operator. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "../../../aws/errors.ts";
import type { Admission } from "../../../aws/index.ts";
import { CallerPresence } from "../../../aws/http/caller-presence.ts";
import { incomingRequest } from "../../../aws/http/wire-request.ts";
import type { UserPools } from "../deps.ts";
import { MESSAGES_PER_POOL_MAX } from "../limits.ts";
import { listMessages } from "../store/codes.ts";
import { getPool } from "../store/pools.ts";
import type { Message } from "./message.ts";

const PATH = /^\/_lambent\/user-pools\/([\w-]+)\/messages$/;

/** The name by which the authorization knows it: what reads codes may as well sign in as anybody. */
export const READ_MESSAGES = "ReadMessages";

/** Answers the route; false when the request is not for it. @param admit The front door's: requests are signed. */
export function serveMessages(
  userPools: UserPools,
  incoming: IncomingMessage,
  response: ServerResponse,
  admit: Admission,
): boolean {
  const [path = "", query = ""] = (incoming.url ?? "").split("?", 2);
  const [, poolId] = PATH.exec(path) ?? [];
  if (poolId === undefined) return false;
  const caller = new CallerPresence();
  response.once("close", () => caller.leave());
  answer(userPools, poolId, new URLSearchParams(query), { incoming, caller }, admit).then(
    (body) => send(response, 200, body),
    (error: unknown) => {
      if (error instanceof AwsError) return send(response, error.status ?? 400, { message: error.message });
      userPools.log.error("Reading a user pool's messages failed", { poolId, error });
      send(response, 500, { message: "Internal error" });
    },
  );
  return true;
}

async function answer(
  userPools: UserPools,
  poolId: string,
  query: URLSearchParams,
  { incoming, caller }: { incoming: IncomingMessage; caller: CallerPresence },
  admit: Admission,
): Promise<unknown> {
  if (incoming.method !== "GET") throw new AwsError("MethodNotAllowed", "Method not allowed", {}, 405);
  const pool = await getPool(userPools.database, poolId);
  const missing = () =>
    new AwsError("ResourceNotFoundException", `User pool ${poolId} does not exist.`, {}, 404);
  const exchange = {
    request: incomingRequest(incoming),
    requestId: userPools.ids.uuid(),
    caller,
    sourceIp: incoming.socket?.remoteAddress,
  };
  const principal = await admit(exchange, "cognito-identity-provider", READ_MESSAGES, { UserPoolId: poolId });
  if (!pool || principal.account !== pool.account) throw missing();
  const username = query.get("username");
  const rows = await listMessages(userPools.database, poolId, userPools.clock.now(), MESSAGES_PER_POOL_MAX);
  const messages = rows.map(({ message_id: id, sent_at, content }) => ({
    id,
    sentAt: new Date(sent_at).toISOString(),
    ...(JSON.parse(content) as Message),
  }));
  return {
    messages: messages.filter(
      (one) => !username || one.username === username || one.destination === username,
    ),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
