/** Amazon MQ as an event source: RabbitMQ and ActiveMQ. https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html */
import { notImplemented } from "../../aws/errors.ts";
import type { AccessType } from "../access/source-access.ts";
import {
  accessOf,
  asParameter,
  checkAccessTypes,
  checkAccount,
  checkPermission,
  checkSecrets,
  checkTimeout,
} from "../access/source-access.ts";
import { invalidParameter } from "../errors.ts";
import type { Mapping } from "../mapping.ts";
import type { ExecutionRoles } from "../ports.ts";
import type { MappedFunction, SourceKind } from "../source.ts";
import { MQ_ACTION, MqReader, batchSizeDefault } from "./reader.ts";
import type { MqDeps } from "./reader.ts";

const NAME = "Amazon MQ";
const ACCESS: readonly AccessType[] = ["BASIC_AUTH", "VIRTUAL_HOST"];

export function createBrokerSource(deps: MqDeps & { readonly roles: ExecutionRoles }): SourceKind {
  return {
    name: NAME,
    runsOn: "owner",
    userReason: "USER_INITIATED",
    dataKey: "data",
    tellsResult: true,
    crossesAccounts: false,
    defaults: () => ({ BatchSize: batchSizeDefault }),
    sourceKey: ({ EventSourceArn = "", Queues = [] }) => [EventSourceArn, ...Queues].join("|"),
    async validate(mapping: Mapping, target: MappedFunction) {
      const { settings, eventSourceArn = "" } = mapping;
      checkAccessTypes(settings, ACCESS, NAME);
      if (settings.LoggingConfig) throw notImplemented("LoggingConfig of event source mappings");
      if (accessOf(settings, "BASIC_AUTH") === undefined)
        throw invalidParameter(
          "SourceAccessConfigurations of type BASIC_AUTH are required for event sources of Amazon MQ.",
        );
      checkTimeout(target, NAME);
      checkAccount(mapping, eventSourceArn);
      await checkPermission(deps.roles, target.roleArn, MQ_ACTION, eventSourceArn);
      const { engine } = await asParameter(deps.addresses.mq(eventSourceArn));
      if (engine === "ActiveMQ" && accessOf(settings, "VIRTUAL_HOST") !== undefined)
        throw invalidParameter("SourceAccessConfigurations of type VIRTUAL_HOST are for RabbitMQ only.");
      await checkSecrets(mapping, target.roleArn, deps.roles, deps.secrets);
    },
    start: (mapping, context) => new MqReader(mapping, context, deps),
  };
}
