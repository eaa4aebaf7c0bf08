/** Kinesis streams: the body is a record's data. */
import type { TargetStreams } from "../ports.ts";
import { DELIVERED, callerOf, faultOf, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

export function streamTarget(streams: TargetStreams): TargetKind {
  return {
    async fault(target, sender) {
      const answer = await streams.check(target.arn, callerOf(target, sender));
      return faultOf(answer, "stream", "kinesis:PutRecord", target, sender);
    },
    async put(tx, { id, target, body }) {
      const partitionKey = target.kinesis?.partitionKey ?? id;
      const answer = await streams.put(tx, { streamArn: target.arn, partitionKey, data: body });
      if (answer === "put") return DELIVERED;
      if (answer === "missing") return refused("missing", `there is no such stream: ${target.arn}`);
      if (answer === "too-large")
        return refused("too-large", `the record is larger than ${target.arn} takes`);
      const message = `a shard of ${target.arn} has taken its share of this second`;
      return { kind: "later", failure: { code: "throttled", message } };
    },
  };
}
