/** The operations of sns: all of topics and subscriptions. Not: SMS, mobile push, data protection. */
import type { OperationTable } from "../../aws/service.ts";
import type { Client, Sns } from "./deps.ts";
import { confirmSubscription } from "./operations/confirm-subscription.ts";
import { createTopic } from "./operations/create-topic.ts";
import { addPermission, removePermission } from "./operations/permissions.ts";
import { publish, publishBatch } from "./operations/publish.ts";
import { subscribe } from "./operations/subscribe.ts";
import {
  getSubscriptionAttributes,
  listSubscriptions,
  listSubscriptionsByTopic,
  setSubscriptionAttributes,
  unsubscribe,
} from "./operations/subscriptions.ts";
import { listTagsForResource, tagResource, untagResource } from "./operations/tags.ts";
import { deleteTopic, getTopicAttributes, listTopics, setTopicAttributes } from "./operations/topics.ts";

export const operationTable: OperationTable<Client, Sns> = {
  AddPermission: addPermission,
  ConfirmSubscription: confirmSubscription,
  CreateTopic: createTopic,
  DeleteTopic: deleteTopic,
  GetSubscriptionAttributes: getSubscriptionAttributes,
  GetTopicAttributes: getTopicAttributes,
  ListSubscriptions: listSubscriptions,
  ListSubscriptionsByTopic: listSubscriptionsByTopic,
  ListTagsForResource: listTagsForResource,
  ListTopics: listTopics,
  Publish: publish,
  PublishBatch: publishBatch,
  RemovePermission: removePermission,
  SetSubscriptionAttributes: setSubscriptionAttributes,
  SetTopicAttributes: setTopicAttributes,
  Subscribe: subscribe,
  TagResource: tagResource,
  Unsubscribe: unsubscribe,
  UntagResource: untagResource,
};
