/** The operations of EventBridge; those of partner event sources and global endpoints are not among them. */
import type { OperationTable } from "../../aws/service.ts";
import type { Client, EventBridge } from "./deps.ts";
import {
  createApiDestination,
  deleteApiDestination,
  describeApiDestination,
  listApiDestinations,
  updateApiDestination,
} from "./operations/api-destinations.ts";
import {
  createArchive,
  deleteArchive,
  describeArchive,
  listArchives,
  updateArchive,
} from "./operations/archives.ts";
import {
  createEventBus,
  deleteEventBus,
  describeEventBus,
  listEventBuses,
  updateEventBus,
} from "./operations/buses.ts";
import {
  createConnection,
  deauthorizeConnection,
  deleteConnection,
  describeConnection,
  listConnections,
  updateConnection,
} from "./operations/connections.ts";
import { putPermission, removePermission } from "./operations/permissions.ts";
import { putEvents } from "./operations/put-events.ts";
import { putRule } from "./operations/put-rule.ts";
import { cancelReplay, describeReplay, listReplays, startReplay } from "./operations/replays.ts";
import {
  deleteRule,
  describeRule,
  disableRule,
  enableRule,
  listRuleNamesByTarget,
  listRules,
} from "./operations/rules.ts";
import { listTagsForResource, tagResource, untagResource } from "./operations/tags.ts";
import { listTargetsByRule, putTargets, removeTargets } from "./operations/targets.ts";
import { testEventPattern } from "./operations/test-event-pattern.ts";

export const operationTable: OperationTable<Client, EventBridge> = {
  CancelReplay: cancelReplay,
  CreateApiDestination: createApiDestination,
  CreateArchive: createArchive,
  CreateConnection: createConnection,
  CreateEventBus: createEventBus,
  DeauthorizeConnection: deauthorizeConnection,
  DeleteApiDestination: deleteApiDestination,
  DeleteArchive: deleteArchive,
  DeleteConnection: deleteConnection,
  DeleteEventBus: deleteEventBus,
  DeleteRule: deleteRule,
  DescribeApiDestination: describeApiDestination,
  DescribeArchive: describeArchive,
  DescribeConnection: describeConnection,
  DescribeEventBus: describeEventBus,
  DescribeReplay: describeReplay,
  DescribeRule: describeRule,
  DisableRule: disableRule,
  EnableRule: enableRule,
  ListApiDestinations: listApiDestinations,
  ListArchives: listArchives,
  ListConnections: listConnections,
  ListEventBuses: listEventBuses,
  ListReplays: listReplays,
  ListRuleNamesByTarget: listRuleNamesByTarget,
  ListRules: listRules,
  ListTagsForResource: listTagsForResource,
  ListTargetsByRule: listTargetsByRule,
  PutEvents: putEvents,
  PutPermission: putPermission,
  PutRule: putRule,
  PutTargets: putTargets,
  RemovePermission: removePermission,
  RemoveTargets: removeTargets,
  StartReplay: startReplay,
  TagResource: tagResource,
  TestEventPattern: testEventPattern,
  UntagResource: untagResource,
  UpdateApiDestination: updateApiDestination,
  UpdateArchive: updateArchive,
  UpdateConnection: updateConnection,
  UpdateEventBus: updateEventBus,
};
