/** `lambent messages`: what the users of a user pool would have been sent by e-mail or SMS. */
import { send } from "./client.ts";
import type { Command } from "./run.ts";
import { EXIT, UsageError, dim, print } from "./terminal.ts";

const HELP = `Usage: lambent messages POOL_ID [USERNAME] [options]

Prints the messages with codes and temporary passwords that a user pool has for its users, the newest first. Lambent sends neither
e-mail nor SMS; messages are kept for a day.

  POOL_ID    the user pool: us-east-1_AbCdEfGhI
  USERNAME   only this user's: their username, e-mail address or phone number
  --json     whole, as JSON`;

interface Message {
  readonly sentAt: string;
  readonly medium: string;
  readonly destination: string;
  readonly username: string;
  readonly subject?: string;
  readonly message: string;
}

export const messagesCommand: Command = {
  help: HELP,
  options: { json: { type: "boolean" } },
  async run(flags, [poolId, username, ...more]) {
    if (poolId === undefined || more.length > 0) throw new UsageError("name one user pool");
    const query = username === undefined ? "" : `?username=${encodeURIComponent(username)}`;
    const response = await send({
      service: "cognito-idp",
      method: "GET",
      path: `/_lambent/user-pools/${encodeURIComponent(poolId)}/messages${query}`,
    });
    const { messages } = (await response.json()) as { messages: Message[] };
    if (flags["json"] === true) print(JSON.stringify(messages, undefined, 2));
    else for (const message of messages) printMessage(message);
    return EXIT.ok;
  },
};

function printMessage({ sentAt, medium, destination, username, subject, message }: Message): void {
  print(dim(`${sentAt} ${medium} to ${destination} (user ${username})`));
  if (subject !== undefined) print(subject);
  print(`${message}\n`);
}
