/** sns: the only file that others import. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { Sns, SnsDeps } from "./deps.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createIntake } from "./intake.ts";
import type { TopicIntake } from "./intake.ts";
import { Publisher } from "./messages/publisher.ts";
import { topics as topicsMigration } from "./migrations/001-topics.ts";
import { endedSubscriptions } from "./migrations/002-ended-subscriptions.ts";
import { usedTokens } from "./migrations/003-used-tokens.ts";
import { deletedSubscriptions } from "./migrations/004-deleted-subscriptions.ts";
import { operationTable } from "./operation-table.ts";
import { Signer } from "./signing/signer.ts";
import { TopicRegistry } from "./topics/registry.ts";
import { createWeb } from "./web.ts";

export type { SnsDeps } from "./deps.ts";
export type { TopicIntake } from "./intake.ts";
export { isVisit as isSubscriberVisit } from "./web.ts";

export interface SnsService {
  readonly service: Service;
  /** For services that publish. */
  readonly topics: TopicIntake;
  /** Answers subscribers' visits: the certificate, the links in messages. False where the request is another. */
  readonly webRoute: (request: IncomingMessage, response: ServerResponse) => boolean;
  stop(): Promise<void>;
}

export async function createSns(deps: SnsDeps): Promise<SnsService> {
  const { database } = deps;
  await database.migrate("sns", [topicsMigration, endedSubscriptions, usedTokens, deletedSubscriptions]);
  const signer = new Signer(deps);
  const sns: Sns = {
    ...deps,
    signer,
    topics: new TopicRegistry(database),
    publisher: new Publisher({ ...deps, signer }),
  };
  const housekeeping = startHousekeeping(deps);
  return {
    service: bindService("sns", operationTable, sns, authorization(sns)),
    topics: createIntake(sns),
    webRoute: createWeb(sns),
    stop: () => housekeeping.stop(),
  };
}
