/** Container images: everything that runs comes with the function, which speaks the Runtime API by a client of its own. */
import type { RuntimeFamily, RuntimeListing } from "./runtime.ts";

/** Names no runtime of AWS's: functions with images have none. */
export const IMAGE_RUNTIME = "image";

const listing: RuntimeListing = {
  identifier: IMAGE_RUNTIME,
  version: "",
  detail: "runs what the image says",
  available: true,
  installed: true,
};

/** Nobody asks for it by name, so that no list has it. */
export const imageFamily: RuntimeFamily = {
  language: "any",
  identifiers: [],
  source: "the function's own image",
  list: async () => [],
  find: async (identifier) => (identifier === IMAGE_RUNTIME ? listing : undefined),
  install: async () => ({
    identifier: IMAGE_RUNTIME,
    kind: "image",
    channel: "http",
    version: "",
    languageMounts: [],
    command: () => [],
    variables: () => ({}),
  }),
};
