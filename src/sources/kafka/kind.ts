/** Apache Kafka as an event source: self-managed clusters, and Amazon MSK's. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html */
import type { AccessType } from "../access/source-access.ts";
import {
  asParameter,
  checkAccessTypes,
  checkAccount,
  checkPermission,
  checkSecrets,
  checkTimeout,
} from "../access/source-access.ts";
import type { Mapping, MappingInput } from "../mapping.ts";
import type { ExecutionRoles } from "../ports.ts";
import type { MappedFunction, SourceKind } from "../source.ts";
import { MSK_ACTIONS } from "./cluster.ts";
import type { ClusterDeps } from "./cluster.ts";
import { KafkaReader } from "./reader.ts";
import { checkKafkaSettings, kafkaDefaults } from "./settings.ts";

const NAME = "Apache Kafka";
const ACCESS: readonly AccessType[] = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
];
/** MSK signs its certificates itself, and has no SASL/PLAIN. */
const MSK_ACCESS: readonly AccessType[] = ["SASL_SCRAM_512_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH"];

export function createKafkaSource(deps: ClusterDeps & { readonly roles: ExecutionRoles }): SourceKind {
  return {
    name: NAME,
    runsOn: "owner",
    userReason: "USER_INITIATED",
    dataKey: "value",
    tellsResult: true,
    crossesAccounts: false,
    defaults: kafkaDefaults,
    sourceKey: clusterAndTopic,
    async validate(mapping: Mapping, target: MappedFunction) {
      const { settings, eventSourceArn } = mapping;
      checkKafkaSettings(settings);
      checkAccessTypes(settings, eventSourceArn === undefined ? ACCESS : MSK_ACCESS, NAME);
      checkTimeout(target, NAME);
      if (eventSourceArn !== undefined) {
        checkAccount(mapping, eventSourceArn);
        for (const action of MSK_ACTIONS)
          await checkPermission(deps.roles, target.roleArn, action, eventSourceArn);
        await asParameter(deps.addresses.msk(eventSourceArn));
      }
      await checkSecrets(mapping, target.roleArn, deps.roles, deps.secrets);
    },
    start: (mapping, context) => new KafkaReader(mapping, context, deps),
  };
}

/** A function may read several topics of one cluster. */
function clusterAndTopic({ EventSourceArn, SelfManagedEventSource, Topics }: MappingInput): string {
  const servers = SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? [];
  return [EventSourceArn ?? servers.toSorted().join(","), ...(Topics ?? [])].join("|");
}
