/** s3: the only file that others import. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { KEY_BYTES, randomBytes } from "../../kit/sealed.ts";
import { settledSecret } from "../../store/secrets.ts";
import { authorization } from "./authorization.ts";
import { storedObjects } from "./stored-objects.ts";
import type { StoredObjects } from "./stored-objects.ts";
import { Content } from "./content.ts";
import type { S3, S3Deps } from "./deps.ts";
import { crossOrigin } from "./cors/cross-origin.ts";
import { ObjectKeys } from "./encryption/keys.ts";
import { formUploads } from "./form/upload.ts";
import { startLifecycles } from "./lifecycle/runner.ts";
import type { LifecycleRunner } from "./lifecycle/runner.ts";
import { defaultLimits } from "./limits.ts";
import { objects } from "./migrations/001-objects.ts";
import { bucketAccess } from "./migrations/002-bucket-access.ts";
import { lifecycle } from "./migrations/003-lifecycle.ts";
import { objectLock } from "./migrations/004-object-lock.ts";
import { website } from "./migrations/005-website.ts";
import { encryption } from "./migrations/006-encryption.ts";
import { ownership } from "./migrations/007-ownership.ts";
import { operationTable } from "./operation-table.ts";
import { Sequence } from "./sequence.ts";
import { serveWebsite } from "./website/serve.ts";

export { isWebsite } from "./website/host.ts";

export type { S3Deps } from "./deps.ts";

export interface S3Service {
  readonly service: Service;
  readonly objects: StoredObjects;
  /** Answers requests to buckets' websites; false when the request is to none. */
  websiteRoute(request: IncomingMessage, response: ServerResponse): boolean;
  /** Begins to let objects expire; called once everything is composed. */
  start(): void;
  stop(): Promise<void>;
}

/** Opens S3 on its database and blobs, and begins to remove what an earlier process left behind. */
export async function createS3(deps: S3Deps): Promise<S3Service> {
  await deps.database.migrate("s3", [
    objects,
    bucketAccess,
    lifecycle,
    objectLock,
    website,
    encryption,
    ownership,
  ]);
  const master = await settledSecret(deps.database, "s3_secret", "objects", randomBytes(deps.ids, KEY_BYTES));
  const keys = new ObjectKeys(master, deps.ids);
  const content = new Content({ ...deps, keys });
  // Expiries call functions, so they wait until there are some.
  let runner: LifecycleRunner | undefined;
  const s3: S3 = {
    ...deps,
    limits: { ...defaultLimits, ...deps.limits },
    keys,
    content,
    sequence: new Sequence(deps.clock),
    lifecycles: { soon: () => runner?.soon() },
  };
  content.startSweep();
  return {
    service: {
      ...bindService("s3", operationTable, s3, authorization(s3)),
      crossOrigin: crossOrigin(s3.database),
      others: formUploads(s3),
    },
    objects: storedObjects(s3),
    websiteRoute: (request, response) => serveWebsite(s3, request, response),
    start() {
      runner = startLifecycles(s3);
    },
    async stop() {
      await runner?.stop();
      await content.stop();
    },
  };
}
