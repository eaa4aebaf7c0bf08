/** ecr: the only file that others import. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identification } from "../../aws/index.ts";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { Ecr, EcrDeps } from "./deps.ts";
import { answerDownload } from "./download.ts";
import { functionImages } from "./function-images.ts";
import type { FunctionImages } from "./function-images.ts";
import { Housekeeping } from "./housekeeping.ts";
import { LayerFiles } from "./layer-files.ts";
import { registry } from "./migrations/001-registry.ts";
import { operationTable } from "./operation-table.ts";
import { serveRegistry } from "./registry/serve.ts";
import { settle } from "./store.ts";

export { isRegistryRequest } from "./registry/serve.ts";
export type { EcrDeps } from "./deps.ts";

export interface EcrService {
  readonly service: Service;
  /** For services that run images. */
  readonly images: FunctionImages;
  /** Answers the URLs of GetDownloadUrlForLayer; false when the request is not for one. */
  downloadRoute(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers requests to the registry; false when the request is to none. @param identify The front door's. */
  registryRoute(request: IncomingMessage, response: ServerResponse, identify: Identification): boolean;
  stop(): Promise<void>;
}

/** ECR over a database and blobs; it begins to remove what an earlier process left behind. */
export async function createEcr(deps: EcrDeps): Promise<EcrService> {
  const { blobs: _blobs, ...others } = deps;
  await deps.database.migrate("ecr", [registry]);
  const files = new LayerFiles(deps);
  const housekeeping = new Housekeeping({ ...deps, files });
  const secret = await deps.database.tx((tx) => settle(tx, "secret", deps.ids.hex(64)));
  const ecr: Ecr = { ...others, files, housekeeping, secret };
  files.startSweep();
  housekeeping.start();
  return {
    service: bindService("ecr", operationTable, ecr, authorization(ecr)),
    images: functionImages(ecr),
    downloadRoute: (request, response) => answerDownload(ecr, request, response),
    registryRoute: (request, response, identify) => serveRegistry(ecr, request, response, identify),
    async stop() {
      await housekeeping.stop();
      await files.stop();
    },
  };
}
