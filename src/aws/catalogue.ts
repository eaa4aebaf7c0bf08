/** All known services; a model is loaded, and its routes are compiled, on the first request for it. */
import type { ServiceMetadata } from "./model/format.ts";
import { loadIndex, loadModel } from "./model/model.ts";
import type { ServiceModel } from "./model/model.ts";
import { createRestRouter } from "./route/rest-router.ts";
import { createValidator } from "./validation/validate.ts";
import type { Validator } from "./validation/validate.ts";
import type { RestMatch, RestRequest } from "./route/rest-router.ts";

export interface Catalogue {
  readonly metadata: readonly ServiceMetadata[];
  /** @throws Error for a name that is not in the index. */
  model(name: string): ServiceModel;
  router(model: ServiceModel): (request: RestRequest) => RestMatch | undefined;
  validator(model: ServiceModel): Validator;
}

export function createCatalogue(): Catalogue {
  const metadata = loadIndex();
  return {
    metadata,
    model: memoised((name: string) => {
      const found = metadata.find((service) => service.name === name);
      if (!found) throw new Error(`there is no model of a service called ${name}`);
      return loadModel(found);
    }),
    router: memoised(createRestRouter),
    validator: memoised(createValidator),
  };
}

function memoised<K, V>(create: (key: K) => V): (key: K) => V {
  const values = new Map<K, V>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) {
      value = create(key);
      values.set(key, value);
    }
    return value;
  };
}
