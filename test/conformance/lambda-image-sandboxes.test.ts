/** Images on the other OCI runtimes: what they find is the same. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startRegistry } from "../harness/registry.ts";
import type { TestRegistry } from "../harness/registry.ts";
import { whyMissing } from "../sandbox/harness.ts";
import { createImage, imagesMissing, shellImage } from "./image-setting.ts";
import { startSetting } from "./lambda-setting.ts";

let registry: TestRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry?.close());

for (const sandbox of ["runsc", "crun"] as const) {
  const missing = imagesMissing ?? (await whyMissing(sandbox));
  if (missing) console.log(`# SKIPPED images on ${sandbox}: ${missing}`);
  describe(`images on ${sandbox}`, { skip: missing ?? false }, () => {
    test(`CreateFunction and Invoke with an image on ${sandbox}: its own root, read-only, with a /tmp`, async () => {
      const setting = await startSetting({ sandbox });
      try {
        const script = `echo x >/no 2>/dev/null || : >/tmp/yes; printf '"%s %s %s %s"' "$(id -u)" "$(ls /no /tmp/yes 2>/dev/null)" "$(cat /data/kept)" "$(ls /data)"`;
        const layers = [
          { files: { "data/kept": "kept", "data/gone": "x" } },
          { files: { "data/.wh.gone": "" } },
        ];
        const uri = registry.put("team/sandboxed", "v1", shellImage(script, { layers }));
        const name = await createImage(setting, uri);
        assert.equal((await setting.invoke(name)).value, "993 /tmp/yes kept kept");
      } finally {
        await setting.server.stop();
      }
    });
  });
}
