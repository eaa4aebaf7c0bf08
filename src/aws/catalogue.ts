/** All known services; a model is loaded, and its routes are compiled, on the first request for it. */
import type { ServiceMetadata } from "./model/format.ts";
import { loadIndex, loadModel } from "./model/model.ts";
import type { ServiceModel } from "./model/model.ts";
import { createRestRouter } from "./route/rest-router.ts";
import type { RestMatch, RestRequest } from "./route/rest-router.ts";

export interface Catalogue {
  readonly metadata: readonly ServiceMetadata[];
  /** @throws Error for a name that is not in the index. */
  model(name: string): ServiceModel;
  router(model: ServiceModel): (request: RestRequest) => RestMatch | undefined;
}

export function createCatalogue(): Catalogue {
  const metadata = loadIndex();
  const models = new Map<string, ServiceModel>();
  const routers = new Map<ServiceModel, (request: RestRequest) => RestMatch | undefined>();
  return {
    metadata,
    model(name) {
      let model = models.get(name);
      if (!model) {
        const found = metadata.find((service) => service.name === name);
        if (!found) throw new Error(`there is no model of a service called ${name}`);
        model = loadModel(found);
        models.set(name, model);
      }
      return model;
    },
    router(model) {
      let router = routers.get(model);
      if (!router) {
        router = createRestRouter(model);
        routers.set(model, router);
      }
      return router;
    },
  };
}
