/** The table of the kinds of event sources, by the service in their ARNs; a further one is one more entry. */
import type { ExecutionRoles, QueueReader } from "./ports.ts";
import type { SourceKind } from "./source.ts";
import { createQueueSource } from "./sqs/kind.ts";

/** What the kinds need; a kind whose reader is not there is refused by name. */
export interface KindDeps {
  readonly roles: ExecutionRoles;
  readonly queues?: QueueReader | undefined;
}

export function createKinds({ roles, queues }: KindDeps): Readonly<Record<string, SourceKind>> {
  return {
    ...(queues && { sqs: createQueueSource({ roles, queues }) }),
  };
}
